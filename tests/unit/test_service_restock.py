"""Limited stock: on the shelf once, filled up once a period, never above what it began with."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.clock import ManualClock, us_of
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.models import DAY_US
from kokoromichi.services.bundle import Services
from kokoromichi.services.receipts import RestockReceipt
from tests.contract.stored import NOON_US, Row, entries, stored
from tests.unit.passing_providers import RudeProvider, SlowProvider
from tests.unit.service_world import DAY_S, ECONOMY, World

if TYPE_CHECKING:
    from kokoromichi.rules.economy import Economy

LOOSE = ECONOMY.with_values({"store.lucky_charm.limit": 100})


async def selling(units: int, economy: Economy = LOOSE) -> World:
    """A world in which units of the charm are sold on the first day."""
    world = await World.open(economy=economy)
    await world.player("ada", gold=10**6)
    await world.services.store.purchase("ada", "lucky_charm", units)
    return world


async def left(world: World) -> int:
    return (await world.provider.counters())["stock.lucky_charm"]


async def test_the_shelf_is_filled_at_the_start_without_a_row() -> None:
    world = await World.open()
    counters = await world.provider.counters()
    assert counters == {
        "stock.lucky_charm": 5,
        "stock.phoenix_feather": 1,
        "stock.treasure_chest": 100,
        "stock_first.lucky_charm": 5,
        "stock_first.phoenix_feather": 1,
        "stock_first.treasure_chest": 100,
        "stock_restocked.lucky_charm": NOON_US // DAY_US,
        "stock_restocked.phoenix_feather": NOON_US // DAY_US,
        "stock_restocked.treasure_chest": NOON_US // DAY_US,
        "stock_since.lucky_charm": 0,
        "stock_since.phoenix_feather": 0,
        "stock_since.treasure_chest": 0,
    }
    assert await entries(world.provider) == []


async def test_a_clock_that_steps_back_behind_the_first_start_takes_no_sale_out_of_the_stock() -> None:
    world = await World.open()
    await world.player("ada", gold=10**6)
    await world.services.store.purchase("ada", "lucky_charm")
    world.clock.advance(-3 * DAY_S)
    await world.services.store.purchase("ada", "lucky_charm", 2)
    report = await audit_provider(world.provider)
    assert report.sound, str(report)
    world.clock.advance(10 * DAY_S)
    assert [receipt.units for receipt in await world.services.store.restock()] == [3]
    assert (await audit_provider(world.provider)).sound


async def test_of_two_clocks_around_midnight_only_one_fills_a_shelf() -> None:
    world = await selling(5, LOOSE.with_values({"store.lucky_charm.restock_days": 1}))
    world.clock.advance(DAY_S)
    assert await world.services.store.restock() == [RestockReceipt("lucky_charm", 3, 3)]
    await world.services.store.purchase("ada", "lucky_charm", 3)
    for ahead_s in (-DAY_S, DAY_S, -DAY_S, DAY_S):
        world.clock.advance(ahead_s)
        assert await world.services.store.restock() == []


async def test_a_stock_that_begins_after_sales_counts_from_its_beginning() -> None:
    unlimited = ECONOMY.with_values({"store.*.stock": None, "store.*.restock_units": 0})
    world = await World.open(economy=unlimited)
    await world.player("ada", gold=10**6)
    await world.services.store.purchase("ada", "lucky_charm", 2)
    world.clock.advance(DAY_S)
    await world.services.reload(ECONOMY)
    counters = await world.provider.counters()
    assert (counters["stock_since.lucky_charm"], counters["stock.lucky_charm"]) == (world.clock.us, 5)
    await world.services.store.purchase("ada", "lucky_charm")
    assert (await audit_provider(world.provider)).sound


async def test_a_restart_fills_no_shelf_again() -> None:
    world = await selling(4)
    before = await stored(world.provider)
    for _ in range(3):
        await Services(world.provider, LOOSE, world.clock).start()
    assert await stored(world.provider) == before


async def test_after_a_week_three_are_added_by_a_row_of_the_system() -> None:
    world = await selling(4)
    world.clock.advance(7 * DAY_S)
    assert await world.services.store.restock() == [RestockReceipt("lucky_charm", 3, 4)]
    assert await world.booked("system") == [Row("restock", "system", item_id="lucky_charm", quantity=3)]
    entry = (await entries(world.provider, "system"))[0]
    assert (entry.actor, entry.book) == ("system", "purchases")
    assert (await audit_provider(world.provider)).sound


async def test_periods_are_whole_utc_days_after_the_first() -> None:
    world = await selling(5)
    world.clock.us = us_of(datetime(2026, 3, 16, 23, 59, 59, 999_999, tzinfo=timezone.utc))
    assert await world.services.store.restock() == []
    world.clock.us += 1
    assert [receipt.units for receipt in await world.services.store.restock()] == [3]


async def test_a_restock_never_fills_above_the_first_stock() -> None:
    world = await selling(2)
    world.clock.advance(7 * DAY_S)
    assert await world.services.store.restock() == [RestockReceipt("lucky_charm", 2, 5)]
    world.clock.advance(7 * DAY_S)
    assert await world.services.store.restock() == []
    assert await left(world) == 5


async def test_a_period_without_need_is_served_all_the_same() -> None:
    world = await World.open(economy=LOOSE)
    await world.player("ada", gold=10**6)
    world.clock.advance(7 * DAY_S)
    assert await world.services.store.restock() == []
    await world.services.store.purchase("ada", "lucky_charm", 4)
    assert await world.services.store.restock() == []
    assert await left(world) == 1


async def test_it_happens_once_a_period_however_often_it_is_asked_for() -> None:
    world = await selling(5)
    world.clock.advance(7 * DAY_S)
    assert [len(await world.services.store.restock()) for _ in range(5)] == [1, 0, 0, 0, 0]
    assert await left(world) == 3
    world.clock.advance(DAY_S)
    assert await world.services.store.restock() == []


async def test_it_happens_once_a_period_from_however_many_processes() -> None:
    world = await selling(5)
    world.clock.advance(7 * DAY_S)
    processes = [Services(SlowProvider(world.provider), LOOSE, world.clock) for _ in range(6)]
    answers = await asyncio.gather(*(process.store.restock() for process in processes))
    assert {tuple(answer) for answer in answers} == {(RestockReceipt("lucky_charm", 3, 3),)}
    assert await left(world) == 3
    assert len(await world.booked("system")) == 1


async def test_processes_on_two_sides_of_a_period_s_end_fill_the_shelf_once() -> None:
    world = await selling(5)
    clocks = [ManualClock(world.clock.us + days * DAY_S * 1_000_000) for days in (13, 14, 13, 14)]
    processes = [Services(SlowProvider(world.provider), LOOSE, clock) for clock in clocks]
    await asyncio.gather(*(process.store.restock() for process in processes))
    assert await left(world) == 3
    first_day = NOON_US // DAY_US
    assert (await world.provider.counters())["stock_restocked.lucky_charm"] - first_day in (7, 14)
    world.clock.advance(21 * DAY_S)
    assert [receipt.units for receipt in await world.services.store.restock()] == [2]
    assert (await world.provider.counters())["stock_restocked.lucky_charm"] - first_day == 21
    assert (await audit_provider(world.provider)).sound


async def test_the_first_shelf_is_filled_once_from_however_many_processes() -> None:
    world = await World.open(economy=ECONOMY.with_values({"store.*.stock": None, "store.*.restock_units": 0}))
    processes = [Services(SlowProvider(world.provider), ECONOMY, world.clock) for _ in range(6)]
    results = await asyncio.gather(*(process.start() for process in processes), return_exceptions=True)
    assert [result for result in results if result is not None] == []
    assert (await world.provider.counters())["stock.lucky_charm"] == 5


async def test_periods_that_passed_meanwhile_are_not_made_up_for() -> None:
    world = await selling(5)
    world.clock.advance(70 * DAY_S)
    assert [receipt.units for receipt in await world.services.store.restock()] == [3]
    assert await world.services.store.restock() == []
    world.clock.advance(7 * DAY_S)
    assert [receipt.units for receipt in await world.services.store.restock()] == [2]


async def test_a_clock_that_was_ahead_keeps_no_shelf_empty() -> None:
    world = await selling(5)
    world.clock.advance(70 * DAY_S)
    assert await world.services.store.restock() == [RestockReceipt("lucky_charm", 3, 3)]
    world.clock.advance(-70 * DAY_S)
    assert await world.services.store.restock() == []
    await world.services.store.purchase("ada", "lucky_charm", 3)
    for _ in range(12):  # Past the day to which the clock had jumped.
        world.clock.advance(7 * DAY_S)
        assert await world.services.store.restock() == [RestockReceipt("lucky_charm", 3, 3)]
        await world.services.store.purchase("ada", "lucky_charm", 3)
    assert (await audit_provider(world.provider)).sound


async def test_what_is_never_restocked_stays_sold_out() -> None:
    world = await World.open()
    await world.player("ada", gold=10**6)
    await world.services.store.purchase("ada", "phoenix_feather")
    world.clock.advance(365 * DAY_S)
    assert await world.services.store.restock() == []
    assert (await world.provider.counters())["stock.phoenix_feather"] == 0


async def test_an_item_whose_stock_becomes_limited_begins_then() -> None:
    world = await World.open()
    await world.player("ada", gold=10**6)
    await world.services.store.purchase("ada", "ema_plaque", 2)
    world.clock.advance(DAY_S)
    limited = {
        "store.ema_plaque.stock": 4,
        "store.ema_plaque.restock_units": 1,
        "store.ema_plaque.restock_days": 1,
    }
    await world.services.reload(ECONOMY.with_values(limited))
    await world.services.store.purchase("ada", "ema_plaque", 3)
    world.clock.advance(DAY_S)
    assert await world.services.store.restock() == [RestockReceipt("ema_plaque", 1, 2)]
    assert (await audit_provider(world.provider)).sound


async def test_an_item_whose_stock_is_lifted_and_limited_again_has_a_new_stock() -> None:
    world = await selling(4)
    unlimited = LOOSE.with_values(
        {f"store.lucky_charm.{name}": value for name, value in (("stock", None), ("restock_units", 0))}
    )
    for generation in range(2):
        world.clock.advance(DAY_S)
        for _ in range(2):
            await world.services.reload(unlimited)
        assert (await audit_provider(world.provider)).sound
        await world.services.store.purchase("ada", "lucky_charm", 9)
        assert (await audit_provider(world.provider)).sound
        world.clock.advance(DAY_S)
        services = [Services(SlowProvider(world.provider), LOOSE, world.clock) for _ in range(3)]
        await asyncio.gather(*(each.start() for each in services))
        await world.services.reload(LOOSE)
        assert await left(world) == 5
        await world.services.store.purchase("ada", "lucky_charm", 3 + generation)
        world.clock.advance(7 * DAY_S)
        assert [receipt.units for receipt in await world.services.store.restock()] == [3]
        report = await audit_provider(world.provider)
        assert report.sound, str(report)


async def test_sales_and_restocks_at_the_same_moment_lose_no_unit() -> None:
    world = await selling(3)
    world.clock.advance(7 * DAY_S)
    for number in range(8):
        await world.player(f"p{number}", gold=10**6)
    slow = Services(SlowProvider(world.provider), LOOSE, world.clock)
    buys = [slow.store.purchase(f"p{number}", "lucky_charm") for number in range(8)]
    results = await asyncio.gather(slow.store.restock(), *buys, slow.store.restock(), return_exceptions=True)
    sold = sum(type(result).__name__ == "PurchaseReceipt" for result in results)
    restocked = sum(row.quantity or 0 for row in await world.booked("system"))
    assert await left(world) == 2 + restocked - sold
    assert restocked == 3
    assert (await audit_provider(world.provider)).sound


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 20)), max_size=8))
def test_stock_stays_between_nothing_and_what_it_began_with(days: list[tuple[int, int]]) -> None:
    async def play() -> None:
        world = await World.open(economy=LOOSE)
        await world.player("ada", gold=10**7)
        for units, wait_days in days:
            if 0 < units <= await left(world):
                await world.services.store.purchase("ada", "lucky_charm", units)
            world.clock.advance(wait_days * DAY_S)
            before = await left(world)
            await world.services.store.restock()
            assert before <= await left(world) <= min(5, before + 3)
        assert (await audit_provider(world.provider)).sound

    asyncio.run(play())


async def test_a_shelf_that_nobody_filled_sells_nothing_and_says_so_at_the_first_try() -> None:
    world = await World.open(economy=ECONOMY.with_values({"store.*.stock": None, "store.*.restock_units": 0}))
    provider = RudeProvider(world.provider, 0)
    unopened = Services(provider, ECONOMY, world.clock)
    with pytest.raises(MisuseError, match=r"stock\.lucky_charm is not on the shelf: await start\(\)"):
        await unopened.store.purchase("ada", "lucky_charm")
    assert provider.asked == 1
    assert await world.provider.user_ids() == []


async def test_a_longer_period_after_a_reload_is_counted_from_the_last_restocking() -> None:
    daily = LOOSE.with_values({"store.lucky_charm.restock_days": 1})
    world = await selling(1, daily)
    for _ in range(30):
        world.clock.advance(DAY_S)
        await world.services.store.restock()
    await world.services.reload(LOOSE.with_values({"store.lucky_charm.restock_days": 7}))
    await world.services.store.purchase("ada", "lucky_charm", 1)
    filled = []
    for day in range(1, 9):
        world.clock.advance(DAY_S)
        if await world.services.store.restock():
            filled.append(day)
    assert filled == [7]


async def test_no_caller_takes_the_request_id_of_a_restocking() -> None:
    world = await selling(1)
    for request_id in ("stock:lucky_charm", "restock:lucky_charm:0:7", "retire:lucky_charm:0"):
        with pytest.raises(MisuseError, match="reserved for restocking"):
            await world.services.store.purchase("ada", "ema_plaque", request_id=request_id)
