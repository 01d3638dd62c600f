"""Ids are checked before they become anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kokoromichi.core.errors import MisuseError
from kokoromichi.core.validation import RESERVED_SECTIONS
from tests.contract.stored import change, money, stored, user

if TYPE_CHECKING:
    from kokoromichi.core.data_provider import DataProvider

MALFORMED = [
    *("../evil", "", "a" * 65, "a/b", "a\\b", "a b", "a.b", "$a", "ada\n", "\x00", "~a", "a:b"),
    *("é", "٣", "\uff11", "\uff41", "\U0001d7d7"),  # Letters and digits to unicode, and to \w and \d.
]
WELL_FORMED = ["a", "0", "_", "-", "a" * 64, "Aa-Zz_09", "1234567890123456789", "System", "CON"]


@pytest.mark.parametrize("user_id", MALFORMED)
async def test_a_malformed_user_id_is_a_misuse_and_stores_nothing(
    provider: DataProvider, user_id: str
) -> None:
    """The first KoKoroMichi: user id ``../evil`` writes outside the folder."""
    with pytest.raises(MisuseError, match=r"user id .* is malformed"):
        await provider.apply(change(user(user_id, 0, money(1, 1))))
    with pytest.raises(MisuseError, match=r"user id .* is malformed"):
        await provider.get_user(user_id)
    with pytest.raises(MisuseError, match=r"user id .* is malformed"):
        await provider.save_user(user_id, {"gold": 1})
    assert await stored(provider) == ({}, {}, [])


@pytest.mark.parametrize("user_id", WELL_FORMED)
async def test_a_well_formed_user_id_is_kept_as_it_is(provider: DataProvider, user_id: str) -> None:
    await provider.apply(change(user(user_id, 0, money(1, 1))))
    await provider.save_user(user_id, {"gold": 2})
    document = await provider.get_user(user_id)
    assert document is not None
    assert (document["user_id"], document["gold"]) == (user_id, 2)
    assert await provider.user_ids() == [user_id]


async def test_the_system_is_no_player(provider: DataProvider) -> None:
    with pytest.raises(MisuseError, match="'system' belongs to the system"):
        await provider.apply(change(user("system", 0, money(1, 1))))
    with pytest.raises(MisuseError, match="'system' belongs to the system"):
        await provider.get_user("system")
    with pytest.raises(MisuseError, match="'system' belongs to the system"):
        await provider.save_user("system", {"gold": 1})
    assert await provider.user_ids() == []


@pytest.mark.parametrize("section", MALFORMED)
async def test_a_malformed_section_is_a_misuse(provider: DataProvider, section: str) -> None:
    with pytest.raises(MisuseError, match=r"section .* is malformed"):
        await provider.save_game_data(section, {"a": 1})
    with pytest.raises(MisuseError, match=r"section .* is malformed"):
        await provider.get_game_data(section)


@pytest.mark.parametrize("section", WELL_FORMED)
async def test_a_well_formed_section_is_stored(provider: DataProvider, section: str) -> None:
    await provider.save_game_data(section, {"a": 1})
    assert await provider.get_game_data(section) == {"a": 1}


@pytest.mark.parametrize("section", sorted(RESERVED_SECTIONS))
async def test_what_is_shipped_is_no_section_to_write(provider: DataProvider, section: str) -> None:
    with pytest.raises(MisuseError, match="shipped with the economy: edit its file and reload"):
        await provider.save_game_data(section, {"a": 1})
    assert await provider.get_game_data(section) is None
