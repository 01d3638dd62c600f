"""Training, businesses and what they earn."""

from __future__ import annotations

from typing import Final

import pytest

from kokoromichi.core.errors import RefusedError
from kokoromichi.services.receipts import CollectReceipt, InvestReceipt, TrainReceipt
from tests.contract.stored import NOON_US, Row, entries
from tests.unit.service_world import DAY_S, ECONOMY, HOUR_S, World

HOUR_US: Final = HOUR_S * 1_000_000


@pytest.mark.parametrize(("level", "cost_gold"), [(1, 100), (2, 110), (5, 140), (11, 200)])
async def test_training_costs_more_with_each_level(level: int, cost_gold: int) -> None:
    world = await World.open()
    await world.player("ada", level=level)
    receipt = await world.services.progress.train("ada")
    assert receipt == TrainReceipt(cost_gold, 25, level, 25, 10_000 - cost_gold)
    assert await world.booked("ada") == [Row("train", "ada", "gold", -cost_gold, 10_000 - cost_gold)]
    assert (await entries(world.provider, "ada"))[-1].book == "progress"


async def test_four_sessions_make_the_second_level() -> None:
    world = await World.open()
    receipts = [await world.services.progress.train("ada") for _ in range(5)]
    assert [(receipt.level, receipt.xp) for receipt in receipts] == [
        (1, 25),
        (1, 50),
        (1, 75),
        (2, 0),
        (2, 25),
    ]
    assert [receipt.cost_gold for receipt in receipts] == [100, 100, 100, 100, 110]


async def test_training_for_nothing_books_nothing() -> None:
    world = await World.open(economy=ECONOMY.with_values({"train.price_gold": 0}))
    await world.player("ada", gold=0)
    assert (await world.services.progress.train("ada")).xp_gained == 25
    assert await world.booked("ada") == []


async def test_a_business_is_bought_once_each() -> None:
    world = await World.open()
    await world.player("ada", gold=50_000)
    assert await world.services.progress.invest("ada", "cafe") == InvestReceipt("cafe", 10_000, 40_000)
    assert await world.services.progress.invest("ada", "dojo") == InvestReceipt("dojo", 25_000, 15_000)
    with pytest.raises(RefusedError, match="You own cafe already"):
        await world.services.progress.invest("ada", "cafe")
    assert await world.booked("ada") == [
        Row("invest", "ada", "gold", -10_000, 40_000),
        Row("invest", "ada", "gold", -25_000, 15_000),
    ]
    assert (await world.profile("ada")).businesses == {"cafe": NOON_US, "dojo": NOON_US}


async def test_a_day_of_a_cafe_pays_500_less_half_upkeep_by_a_row_each() -> None:
    world = await World.open()
    await world.services.progress.invest("ada", "cafe")
    world.clock.advance(DAY_S)
    assert await world.services.progress.collect("ada") == CollectReceipt(500, 250, 250)
    assert (await world.booked("ada"))[-2:] == [
        Row("income", "ada", "gold", 500, 500),
        Row("upkeep", "ada", "gold", -250, 250),
    ]
    assert (await world.profile("ada")).businesses == {"cafe": NOON_US + DAY_S * 1_000_000}


async def test_the_second_click_collects_nothing() -> None:
    """The first KoKoroMichi: the income button pays at each click."""
    world = await World.open()
    await world.services.progress.invest("ada", "cafe")
    world.clock.advance(DAY_S)
    await world.services.progress.collect("ada")
    for _ in range(5):
        with pytest.raises(RefusedError, match="nothing to collect yet"):
            await world.services.progress.collect("ada")
    assert (await world.profile("ada")).gold == 250


async def test_all_businesses_are_collected_together_each_with_its_own_remainder() -> None:
    world = await World.open()
    await world.player("ada", gold=0, businesses={"cafe": NOON_US, "dojo": NOON_US, "shut": NOON_US})
    world.clock.us = NOON_US + 3 * HOUR_US
    assert await world.services.progress.collect("ada") == CollectReceipt(62 + 100, 31 + 50, 81)
    businesses = (await world.profile("ada")).businesses
    assert businesses["cafe"] == NOON_US + 62 * 24 * HOUR_US // 500  # Half a gold stays with the cafe.
    assert businesses["dojo"] == NOON_US + 3 * HOUR_US
    assert businesses["shut"] == NOON_US  # Taken out of the economy: it waits.


@pytest.mark.parametrize(("hours", "income_gold"), [(71, 1_478), (72, 1_500), (73, 1_500), (24 * 365, 1_500)])
async def test_income_heaps_up_for_72_hours_at_most(hours: int, income_gold: int) -> None:
    world = await World.open()
    await world.player("ada", gold=0, businesses={"cafe": NOON_US})
    world.clock.us = NOON_US + hours * HOUR_US
    assert (await world.services.progress.collect("ada")).income_gold == income_gold


async def test_collecting_often_pays_what_collecting_seldom_does() -> None:
    paid = []
    for wait_s in (HOUR_S, 7 * HOUR_S + 1, DAY_S):
        world = await World.open()
        await world.player("ada", gold=0, businesses={"cafe": NOON_US})
        while world.clock.us < NOON_US + 48 * HOUR_US:
            world.clock.us = min(world.clock.us + wait_s * 1_000_000, NOON_US + 48 * HOUR_US)
            await world.services.progress.collect("ada")
        paid.append(sum(row.amount or 0 for row in await world.booked("ada") if row.kind == "income"))
    assert paid == [1_000, 1_000, 1_000]


async def test_without_upkeep_there_is_no_row_for_it() -> None:
    world = await World.open(economy=ECONOMY.with_values({"income.upkeep_percent": 0}))
    await world.player("ada", gold=0, businesses={"cafe": NOON_US - 24 * HOUR_US})
    assert await world.services.progress.collect("ada") == CollectReceipt(500, 0, 500)
    assert [row.kind for row in await world.booked("ada")] == ["income"]


async def test_collecting_is_a_change_that_other_commands_keep() -> None:
    """The first KoKoroMichi: ``collect`` erases the daily claim, since it writes another file."""
    world = await World.open()
    await world.services.daily.claim("ada")
    await world.services.progress.invest("ada", "cafe")
    world.clock.advance(2 * HOUR_S)
    await world.services.progress.collect("ada")
    with pytest.raises(RefusedError, match="Already claimed"):
        await world.services.daily.claim("ada")
