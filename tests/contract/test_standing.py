"""Balances in one read, and one's own rows page by page, on every provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kokoromichi.core.errors import MisuseError
from tests.contract.stored import change, money, user, with_player
from tests.unit.service_world import World

if TYPE_CHECKING:
    from kokoromichi.core.clock import ManualClock
    from kokoromichi.core.data_provider import DataProvider


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
