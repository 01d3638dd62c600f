"""Balances in one read, and one's own rows page by page, on every provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from kokoromichi.core.clock import DAY_US
from kokoromichi.core.copying.copy_all import copy_all
from kokoromichi.core.data_provider import DataProvider
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.models import ERASED_PREFIX
from kokoromichi.core.providers.memory import MemoryProvider
from tests.contract.stored import NOON_US, change, money, user, with_player
from tests.unit.service_world import World

if TYPE_CHECKING:
    from kokoromichi.core.clock import ManualClock


async def test_balances_are_everybodys_richest_first(provider: DataProvider) -> None:
    assert await provider.balances() == []
    for user_id, gold in {"b": 5, "a": 5, "B": 5, "c": 2**53 - 1, "_": 0, "10": 7, "9": 7}.items():
        await with_player(provider, user_id, gold)
    expected = [("c", 2**53 - 1), ("10", 7), ("9", 7), ("B", 5), ("a", 5), ("b", 5), ("_", 0)]
    assert await provider.balances() == expected
    await provider.apply(change(user("_", 1, money(6, 6))))
    await provider.save_user("c", {"gold": 1})
    assert await provider.balances() == [
        *(("10", 7), ("9", 7), ("_", 6), ("B", 5), ("a", 5), ("b", 5), ("c", 1))
    ]
    assert sorted(user_id for user_id, _ in await provider.balances()) == await provider.user_ids()


async def test_balances_survive_a_restart(closed: DataProvider) -> None:
    async with closed:
        await with_player(closed, "ada", 5)
        await with_player(closed, "bo", 6)
        await closed.apply(change(user("ada", 1, money(2, 7))))
    async with closed:
        assert await closed.balances() == [("ada", 7), ("bo", 6)]


async def test_ones_own_rows_come_newest_first_in_pages(provider: DataProvider, clock: ManualClock) -> None:
    world = await World.open(provider, clock=clock)
    history = world.services.history
    await world.services.executor.open_account("bo")
    for number in range(1, 5):
        clock.advance(1)
        await world.services.bank.transfer("ada", "bo", 100 * number)
    rows = await history.page("ada", limit=100)
    assert [row.amount for row in rows] == [*(-20, -380, -15, -285, -10, -190, -5, -95, 100, 10_000)]
    assert {row.user_id for row in rows} == {"ada"}
    first = await history.page("ada", limit=4)
    second = await history.page("ada", before=first[-1].entry_id, limit=4)
    third = await history.page("ada", before=second[-1].entry_id, limit=4)
    assert first + second + third == rows
    fees = await history.page("ada", kind="fee", limit=3)
    assert [row.amount for row in fees] == [-20, -15, -10]
    assert await history.page("ada", kind="no_such_kind") == []
    assert await history.page("zoe") == []
    with pytest.raises(MisuseError, match="user id"):
        await history.page("../evil")


async def test_a_page_of_the_richest_is_a_part_of_all_balances(provider: DataProvider) -> None:
    for number, gold in enumerate((5, 9, 9, 1)):
        await with_player(provider, f"p{number}", gold=gold)
    assert await provider.richest(2) == [("p1", 9), ("p2", 9)]
    assert await provider.richest(2, 2) == [("p0", 5), ("p3", 1)]
    assert await provider.richest(2, 4) == []


async def test_days_are_what_their_rows_add_up_to(provider: DataProvider) -> None:
    day = NOON_US // DAY_US
    await with_player(provider, "ada", gold=100, x=1)
    await with_player(provider, "bo", gold=50)
    await provider.apply(change(user("ada", 1, money(-30, 70, "fee"), money(5, 75, "fee"))))
    await provider.apply(change(user("ada", 2, money(-75, 0, "fee")), at_us=NOON_US + DAY_US))
    assert [msgspec.structs.astuple(one) for one in await provider.daily_totals()] == [
        (day, "fee", "gold", 2, 5, 30),
        (day, "grant", None, 1, 0, 0),
        (day, "grant", "gold", 2, 150, 0),
        (day + 1, "fee", "gold", 1, 0, 75),
    ]
    assert [one.day for one in await provider.daily_totals(day + 1)] == [day + 1]
    assert await provider.active_players() == {day: 2, day + 1: 1}
    assert await provider.active_players(day + 1) == {day + 1: 1}


async def test_totals_are_the_ledgers_whatever_of_it_is_folded(provider: DataProvider) -> None:
    """Totals are kept beside the ledger: each way of writing a row must reach them, and once."""

    async def is_the_ledgers() -> None:
        assert await provider.daily_totals() == await DataProvider.daily_totals(provider)
        assert await provider.active_players() == await DataProvider.active_players(provider)
        assert await provider.ledger_rows() == sum(one.rows for one in await provider.daily_totals())

    await provider.fold()
    await with_player(provider, "ada", gold=100, x=1)
    await with_player(provider, "bo", gold=50)
    await is_the_ledgers()
    await provider.fold()
    await is_the_ledgers()
    assert await provider.fold() == 0
    await provider.apply(change(user("ada", 1, money(-30, 70, "fee")), at_us=NOON_US + DAY_US // 2 - 1))
    await provider.apply(change(user("ada", 2, money(-1, 69, "fee")), at_us=NOON_US + DAY_US))
    await provider.save_user("bo", {"gold": 60})
    await is_the_ledgers()
    await provider.erase("ada", f"{ERASED_PREFIX}x")
    await is_the_ledgers()
    await provider.fold()
    await with_player(provider, "ada", gold=7)  # Another player now, and as active.
    await is_the_ledgers()
    await provider.fold()
    await is_the_ledgers()


async def test_what_another_store_had_is_in_the_totals(provider: DataProvider, clock: ManualClock) -> None:
    async with MemoryProvider(clock) as source:
        await with_player(source, "ada", gold=100, x=1)
        await with_player(source, "bo", gold=50)
        await source.apply(change(user("ada", 1, money(-30, 70, "fee")), at_us=NOON_US + DAY_US))
        assert (await copy_all(source, provider)).complete
        for _ in range(2):
            assert await provider.daily_totals() == await source.daily_totals()
            assert await provider.active_players() == await source.active_players()
            await provider.fold()
