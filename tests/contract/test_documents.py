"""The document door: copies out, and in by rows that say what was corrected."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.clock import moment_of
from kokoromichi.core.errors import ConflictError, MisuseError
from kokoromichi.core.models import UserChange
from tests.contract.stored import (
    NOON_US,
    Row,
    change,
    entries,
    goods,
    money,
    rows,
    stored,
    user,
    with_counter,
    with_player,
)

if TYPE_CHECKING:
    from kokoromichi.core.clock import ManualClock
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.documents import Document


async def document_of(provider: DataProvider, user_id: str) -> Document:
    document = await provider.get_user(user_id)
    assert document is not None
    return document


async def test_a_document_says_everything_of_a_player(provider: DataProvider) -> None:
    await with_player(provider, "ada", gold=100, lucky_charm=2)
    document = await document_of(provider, "ada")
    assert (document["user_id"], document["version"], document["gold"], document["gems"]) == (
        "ada",
        1,
        100,
        0,
    )
    assert document["inventory"] == {"lucky_charm": 2}
    assert document["last_claim_us"] == -1
    assert "unknown" not in document


async def test_changing_a_document_changes_nothing_that_is_stored(provider: DataProvider) -> None:
    await with_player(provider, "ada", gold=100, lucky_charm=2)
    await provider.save_user("ada", {"pets": {"cat": ["Tama"]}, "businesses": {"cafe": 5}})
    before = await stored(provider)
    document = await document_of(provider, "ada")
    document["gold"] = 10**9
    for nested in ("inventory", "businesses", "collection", "pets"):
        held = document[nested]
        assert isinstance(held, dict)
        held["lucky_charm"] = 99
    pets = document["pets"]
    assert isinstance(pets, dict)
    cats = pets["cat"]
    assert isinstance(cats, list)
    cats.append("Kuro")
    assert await stored(provider) == before


async def test_what_was_saved_is_not_changed_through_the_document_afterwards(provider: DataProvider) -> None:
    document: Document = {"inventory": {"x": 1}, "pets": {"cat": ["Tama"]}, "collection": {"nuwa": 1}}
    await provider.save_user("ada", document)
    before = await stored(provider)
    for held in document.values():
        assert isinstance(held, dict)
        held.clear()
    assert await stored(provider) == before


async def test_a_difference_is_booked_as_a_correction_by_the_system(
    provider: DataProvider, clock: ManualClock
) -> None:
    await with_player(provider, "ada", gold=100, lucky_charm=2, ema_plaque=1)
    clock.advance(90)
    edited: Document = {"gold": 70, "gems": 5, "inventory": {"lucky_charm": 1, "kitsune_mask": 3}, "level": 4}
    await provider.save_user("ada", {**await document_of(provider, "ada"), **edited})
    assert (await rows(provider))[3:] == [
        Row("correction", "ada", "gold", -30, 70),
        Row("correction", "ada", "gems", 5, 5),
        Row("correction", "ada", item_id="ema_plaque", quantity=-1),
        Row("correction", "ada", item_id="kitsune_mask", quantity=3),
        Row("correction", "ada", item_id="lucky_charm", quantity=-1),
    ]
    booked = (await entries(provider))[3:]
    assert {entry.actor for entry in booked} == {"system"}
    assert {entry.at for entry in booked} == {moment_of(NOON_US + 90_000_000)}
    assert len({entry.tx_id for entry in booked}) == 1
    document = await document_of(provider, "ada")
    assert (document["level"], document["version"]) == (4, 2)
    assert (await audit_provider(provider)).sound


async def test_a_new_player_is_made_of_a_document(provider: DataProvider) -> None:
    await provider.save_user("ada", {"gold": 7, "name": "Ada"})
    assert await rows(provider) == [Row("correction", "ada", "gold", 7, 7)]
    document = await document_of(provider, "ada")
    assert (document["gold"], document["name"], document["version"], document["level"]) == (7, "Ada", 1, 1)
    assert (await audit_provider(provider)).sound


async def test_what_a_document_leaves_out_stays(provider: DataProvider) -> None:
    await with_player(provider, "ada", gold=100, x=2)
    await provider.save_user("ada", {"level": 4, "pets": 1})
    await provider.save_user("ada", {"name": "Ada"})
    document = await document_of(provider, "ada")
    assert (document["gold"], document["inventory"], document["level"]) == (100, {"x": 2}, 4)
    assert (document["name"], document["pets"]) == ("Ada", 1)


async def test_a_whole_document_saved_back_books_nothing(provider: DataProvider) -> None:
    await with_player(provider, "ada", gold=100, x=2)
    await provider.save_user("ada", await document_of(provider, "ada"))
    assert len(await rows(provider)) == 2


async def test_fields_that_are_not_known_are_kept_through_every_other_change(provider: DataProvider) -> None:
    await with_player(provider, "ada")
    known: Document = {"title": "the Brave", "unknown": {"a": None}, "pets": [{"name": "Tama", "age": 1.5}]}
    await provider.save_user("ada", known)
    await provider.apply(change(user("ada", 2, money(1, 101), fields={"level": 2})))
    await provider.save_user("ada", {"title": "the Old"})
    document = await document_of(provider, "ada")
    assert document["title"] == "the Old"
    assert {name: document[name] for name in ("unknown", "pets")} == {
        "unknown": {"a": None},
        "pets": [{"name": "Tama", "age": 1.5}],
    }


async def test_an_older_document_is_a_conflict(provider: DataProvider) -> None:
    """Mantaro 258: another command saves an older whole profile, and a 350-day streak is lost."""
    await with_player(provider, "ada")
    old = await document_of(provider, "ada")
    await provider.apply(change(user("ada", 1, fields={"streak": 350})))
    before = await stored(provider)
    with pytest.raises(ConflictError, match="ada has version 2, not 1: read again"):
        await provider.save_user("ada", {**old, "name": "Ada"})
    with pytest.raises(ConflictError, match="bo has version 0, not 1"):
        await provider.save_user("bo", {"version": 1})
    assert await stored(provider) == before


BAD_DOCUMENTS: dict[str, Document] = {
    "negative gold": {"gold": -1},
    "half a gold": {"gold": 1.5},
    "true": {"gold": True},
    "a text": {"gold": "100"},
    "null": {"gold": None},
    "beyond 64 bits": {"gold": 2**63},
    "negative item": {"inventory": {"x": -1}},
    "half an item": {"inventory": {"x": 0.5}},
    "an item without a name": {"inventory": {"": 1}},
    "an item with a long name": {"inventory": {"y" * 65: 1}},
    "an inventory that is none": {"inventory": [1]},
    "level 0": {"level": 0},
    "a time before never": {"hp_at_us": -2},
    "another player's": {"user_id": "bo"},
}


@pytest.mark.parametrize("bad", BAD_DOCUMENTS.values(), ids=BAD_DOCUMENTS.keys())
async def test_a_document_that_is_no_profile_changes_nothing(provider: DataProvider, bad: Document) -> None:
    await with_player(provider, "ada", gold=100, x=2)
    before = await stored(provider)
    with pytest.raises(MisuseError, match="document of player ada"):
        await provider.save_user("ada", {**await document_of(provider, "ada"), "level": 9, "pets": 1, **bad})
    with pytest.raises(MisuseError, match="document of player cy"):
        await provider.save_user("cy", {"gold": 5, **bad})
    assert await stored(provider) == before


async def test_the_laws_hold_after_every_door(provider: DataProvider) -> None:
    await with_counter(provider, "plain.counter", 5)
    await with_player(provider, "ada", gold=100, x=2)
    await provider.save_user("bo", {"gold": 2**53, "inventory": {"x": 5}})
    await provider.apply(change(user("ada", 1, money(-100, 0, "fee"), goods("x", -2, "use"))))
    await provider.save_user("ada", {"inventory": {"x": 0, "y": 1}, "gold": 3})
    report = await audit_provider(provider)
    assert report.sound, str(report)


async def test_a_section_is_stored_as_a_copy_and_answered_as_one(provider: DataProvider) -> None:
    assert await provider.get_game_data("events") is None
    document: Document = {"days": [1, 2], "names": {"a": None, "b": 1.5, "c": "x", "d": True}}
    await provider.save_game_data("events", document)
    document["days"] = []
    found = await provider.get_game_data("events")
    assert found == {"days": [1, 2], "names": {"a": None, "b": 1.5, "c": "x", "d": True}}
    assert found is not None
    found["days"] = []
    days = (await provider.get_game_data("events") or {})["days"]
    assert days == [1, 2]


async def test_a_section_is_replaced_whole_and_alone(provider: DataProvider) -> None:
    await provider.save_game_data("events", {"a": 1, "b": 2})
    await provider.save_game_data("bosses", {"c": 3})
    await provider.save_game_data("events", {"a": 9})
    assert await provider.get_game_data("events") == {"a": 9}
    assert await provider.get_game_data("bosses") == {"c": 3}
    assert await rows(provider) == []


async def test_a_document_may_be_given_by_the_reference_s_name_for_it(provider: DataProvider) -> None:
    await provider.save_user("ada", data={"gold": 5})
    await provider.save_game_data("events", data={"days": 3})
    assert (await document_of(provider, "ada"))["gold"] == 5
    assert await provider.get_game_data("events") == {"days": 3}


async def test_a_whole_number_is_a_player_s_id_by_its_digits(provider: DataProvider) -> None:
    await provider.save_user(123456789012345678, {"gold": 5})
    document = await provider.get_user(123456789012345678)
    assert document == await document_of(provider, "123456789012345678")
    assert document["user_id"] == "123456789012345678"
    for wrong in (-5, 1.5, True, None, b"1"):
        with pytest.raises(MisuseError, match="is malformed"):
            await provider.get_user(wrong)  # type: ignore[arg-type] # What is refused.
        with pytest.raises(MisuseError, match="is malformed"):
            await provider.save_user(wrong, {"gold": 1})  # type: ignore[arg-type] # Likewise.
    assert await provider.user_ids() == ["123456789012345678"]


async def test_what_nobody_knows_of_two_players_of_a_change_is_each_ones_own(provider: DataProvider) -> None:
    await provider.save_user("bo", {"title": "the Brave", "pets": 1})
    users = (
        UserChange("ada", 0, unknown={"title": "the Wise"}),
        UserChange("bo", 1, unknown={"pets": 1e16}),
    )
    await provider.apply(change(*users))
    ada, bo = await provider.profile("ada"), await provider.profile("bo")
    assert ada is not None
    assert bo is not None
    assert (ada.unknown, bo.unknown) == ({"title": "the Wise"}, {"title": "the Brave", "pets": 1e16})


@pytest.mark.parametrize("value", [object(), 2**64, float("nan"), "\0", {"a.b": 1}])
async def test_what_no_document_may_hold_is_refused_without_harm_to_who_acts_beside_it(
    provider: DataProvider, value: object
) -> None:
    beside, refused = await asyncio.gather(
        provider.apply(change(user("ada", 0, money(9, 9)), answer=(9, 0))),
        provider.apply(change(UserChange("bo", 0, (money(9, 9),), unknown={"title": value}))),
        return_exceptions=True,
    )
    assert isinstance(refused, MisuseError)
    assert beside == change(answer=(9, 0)).answer
    assert await provider.user_ids() == ["ada"]
    await with_player(provider, "cy")
