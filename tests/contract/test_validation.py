"""A movement that does not fit is the caller's mistake, and moves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kokoromichi.core.errors import MisuseError
from kokoromichi.core.models import Movement
from tests.contract.stored import change, goods, money, rows, stored, user, with_player

if TYPE_CHECKING:
    from kokoromichi.core.data_provider import DataProvider

MISFITS = {
    "balance after is too high": money(5, 106),
    "balance after is too low": money(5, 104),
    "balance below zero": money(-101, -1),
    "balance of another currency": money(5, 105, currency="gems"),
    "unknown kind of money": money(5, 105, "theft"),
    "unknown kind of goods": goods("x", 1, "theft"),
    "unknown currency": money(5, 5, currency="silver"),
    "a currency that is a field": money(5, 5, currency="xp"),
    "a currency that holds items": money(5, 5, currency="inventory"),
    "more items than held": goods("x", -3),
    "items that nobody holds": goods("y", -1),
    "gold for more items than held": Movement("sale", "gold", 50, 150, "x", -3),
    "items for more gold than held": Movement("purchase", "gold", -101, -1, "x", 1),
    "an amount without a currency": Movement("grant", None, 5, 105),
    "an amount without a currency beside an item": Movement("sale", None, 5, 105, "x", -1),
    "a quantity without an item": Movement("grant", "gold", 5, 105, None, 1),
    "an amount beyond 64 bits": money(2**64, 100 + 2**64),
    "a quantity beyond 64 bits": goods("x", 2**64),
    "half a unit of gold": Movement("grant", "gold", 0.5, 100.5),  # type: ignore[arg-type] # What is refused.
    "half an item": Movement("grant", item_id="x", quantity=0.5),  # type: ignore[arg-type] # What is refused.
}


@pytest.mark.parametrize("misfit", MISFITS.values(), ids=MISFITS.keys())
async def test_a_misfit_is_a_misuse_and_changes_nothing(provider: DataProvider, misfit: Movement) -> None:
    await with_player(provider, "ada", gold=100, x=2)
    before = await stored(provider)
    with pytest.raises(MisuseError):
        await provider.apply(change(user("ada", 1, misfit)))
    assert await stored(provider) == before


@pytest.mark.parametrize("misfit", MISFITS.values(), ids=MISFITS.keys())
async def test_a_misfit_takes_the_fitting_rows_before_it_along(
    provider: DataProvider, misfit: Movement
) -> None:
    await with_player(provider, "ada", gold=100, x=2)
    before = await stored(provider)
    fitting = (money(7, 107), money(-7, 100, "fee"), goods("x", -2), goods("x", 2), goods("z", 4))
    with pytest.raises(MisuseError):
        await provider.apply(change(user("ada", 1, *fitting, misfit)))
    assert await stored(provider) == before
    await provider.apply(change(user("ada", 1, *fitting)))
    assert len(await rows(provider, "ada")) == 2 + len(fitting)


async def test_a_misfit_says_whose_row_it_is_and_what_does_not_fit(provider: DataProvider) -> None:
    await with_player(provider, "ada", gold=100)
    with pytest.raises(MisuseError, match="sale row of player ada does not fit: gold 100 \\+5 is not 999"):
        await provider.apply(change(user("ada", 1, money(5, 999, "sale"))))
    with pytest.raises(MisuseError, match="ema_plaque -1 is more than is held"):
        await provider.apply(change(user("ada", 1, goods("ema_plaque", -1, "use"))))


async def test_a_system_row_of_an_unknown_kind_stores_nothing(provider: DataProvider) -> None:
    before = await stored(provider)
    act = change(user("ada", 0, money(1, 1)))
    act.system = (goods("x", 1, "theft"),)
    with pytest.raises(MisuseError):
        await provider.apply(act)
    assert await stored(provider) == before


async def test_a_system_row_after_which_another_fails_is_taken_back(provider: DataProvider) -> None:
    await with_player(provider, "ada", gold=100)
    before = await stored(provider)
    act = change(user("ada", 1, money(1, 101)))
    act.system = (goods("x", 1, "restock"), goods("x", 1, "theft"))
    with pytest.raises(MisuseError):
        await provider.apply(act)
    assert await stored(provider) == before


async def test_a_player_stands_in_a_change_once(provider: DataProvider) -> None:
    """Twice, the first version that is checked says nothing of what the second one builds on."""
    await with_player(provider, "ada", gold=100)
    await with_player(provider, "bo", gold=100)
    before = await stored(provider)
    for second in (1, 2):
        twice = (
            user("ada", 1, money(5, 105)),
            user("bo", 1, money(1, 101)),
            user("ada", second, money(5, 110)),
        )
        with pytest.raises(MisuseError, match="each player stands once in a change"):
            await provider.apply(change(*twice))
        assert await stored(provider) == before
    new = user("cy", 0, money(1, 1))
    with pytest.raises(MisuseError, match="each player stands once in a change"):
        await provider.apply(change(new, new))
    assert await stored(provider) == before


async def test_a_system_row_of_units_without_an_item_stores_nothing(provider: DataProvider) -> None:
    before = await stored(provider)
    act = change(user("ada", 0, money(1, 1)))
    act.system = (Movement("restock", quantity=5),)
    with pytest.raises(MisuseError):
        await provider.apply(act)
    assert await stored(provider) == before
