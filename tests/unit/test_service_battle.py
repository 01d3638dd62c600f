"""Battles: chance, prize, hit points, cooldown and cap, all of them stored."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from kokoromichi.core.errors import RefusedError
from kokoromichi.core.models import Receipt
from kokoromichi.services.bundle import Services
from kokoromichi.services.receipts import AutoUseReceipt, BattleReceipt
from tests.contract.stored import NOON_US, Row, entries
from tests.unit.service_world import DAY_S, ECONOMY, HOUR_S, LOSE, WIN, World

DAY: Final = NOON_US // (DAY_S * 1_000_000)


async def test_a_victory_pays_gold_and_xp() -> None:
    world = await World.open()
    await world.player("ada")
    receipt = await world.services.battle.fight("ada", 2, draw=WIN)
    assert receipt == BattleReceipt(2, True, 45, 11, 1, 80, 10_045, False, 380)  # noqa: FBT003 - a record's field
    assert await world.booked("ada") == [Row("battle", "ada", "gold", 45, 10_045)]
    assert (await entries(world.provider, "ada"))[-1].book == "battles"
    profile = await world.profile("ada")
    assert (profile.level, profile.xp, profile.hp, profile.hp_at_us) == (1, 11, 80, NOON_US)
    assert (profile.battles_won, profile.battles_lost, profile.battle_at_us) == (1, 0, NOON_US)
    assert (profile.battle_day, profile.battle_gold_today) == (DAY, 45)


async def test_a_loss_pays_half_the_xp_and_no_gold() -> None:
    world = await World.open()
    await world.player("ada")
    receipt = await world.services.battle.fight("ada", 2, draw=LOSE)
    assert receipt == BattleReceipt(2, False, 0, 5, 1, 80, 10_000, False, 380)  # noqa: FBT003 - a record's field
    assert await world.booked("ada") == []
    profile = await world.profile("ada")
    assert (profile.battles_won, profile.battles_lost, profile.version) == (0, 1, 2)


@pytest.mark.parametrize("tier", range(1, 8))
async def test_every_tier_pays_what_the_table_says(tier: int) -> None:
    world = await World.open()
    receipt = await world.services.battle.fight("ada", tier, draw=WIN)
    battle = ECONOMY.config.battle
    assert (receipt.payout_gold, receipt.xp) == (battle.tier_gold[tier - 1], battle.tier_xp[tier - 1])


@pytest.mark.parametrize(
    ("level", "tier", "permille"), [(1, 1, 500), (1, 2, 380), (1, 4, 100), (5, 1, 660), (30, 1, 950)]
)
async def test_the_draw_is_held_against_the_chance_of_the_levels(
    level: int, tier: int, permille: int
) -> None:
    last_win = -(-(permille << 32) // 1_000) - 1
    for draw, won in ((last_win, True), (last_win + 1, False)):
        world = await World.open()
        await world.player("ada", level=level)
        receipt = await world.services.battle.fight("ada", tier, draw=draw)
        assert (receipt.won, receipt.chance_permille) == (won, permille)


async def test_without_a_draw_the_dice_decide() -> None:
    world = await World.open()
    world.rolls += [WIN, LOSE]
    assert (await world.services.battle.fight("ada", 1)).won
    world.clock.advance(60)
    assert not (await world.services.battle.fight("ada", 1)).won


async def test_xp_becomes_levels() -> None:
    world = await World.open()
    await world.player("ada", level=2, xp=195)
    receipt = await world.services.battle.fight("ada", 1, draw=WIN)
    assert receipt.level == 3
    assert (await world.profile("ada")).xp == 3


async def test_the_cooldown_is_stored_and_no_restart_forgets_it() -> None:
    """Mantaro 156: cooldowns in memory."""
    world = await World.open()
    await world.services.battle.fight("ada", 1, draw=WIN)
    world.clock.us += 59_999_999
    restarted = Services(world.provider, ECONOMY, world.clock)
    for battle in (world.services.battle, restarted.battle):
        with pytest.raises(RefusedError) as refusal:
            await battle.fight("ada", 1, draw=WIN)
        assert refusal.value.numbers == {"ready_us": NOON_US + 60_000_000}
    world.clock.us += 1
    assert (await restarted.battle.fight("ada", 1, draw=WIN)).won


async def test_the_cap_pays_the_rest_then_refuses_until_midnight() -> None:
    world = await World.open()
    await world.player("ada", battle_day=DAY, battle_gold_today=4_980)
    assert (await world.services.battle.fight("ada", 1, draw=WIN)).payout_gold == 20
    world.clock.advance(60)
    with pytest.raises(RefusedError, match="Today's cap is 5,000 gold, and 5,000 of it is used"):
        await world.services.battle.fight("ada", 1, draw=LOSE)
    world.clock.us = NOON_US + DAY_S * 500_000
    assert (await world.services.battle.fight("ada", 1, draw=WIN)).payout_gold == 30


async def test_hit_points_are_spent_and_come_back_5_an_hour() -> None:
    world = await World.open()
    hp = []
    for _ in range(5):
        hp.append((await world.services.battle.fight("ada", 1, draw=WIN)).hp)
        world.clock.advance(60)
    assert hp == [80, 60, 40, 20, 0]
    world.clock.advance(2 * HOUR_S - 300)
    assert (await world.services.battle.fight("ada", 1, draw=WIN)).hp == 0  # 10 came back: tired.
    world.clock.advance(20 * HOUR_S)
    assert (await world.services.battle.fight("ada", 1, draw=WIN)).hp == 80


async def test_who_is_tired_wins_less_often() -> None:
    world = await World.open()
    await world.player("ada", hp=19, hp_at_us=NOON_US)
    receipt = await world.services.battle.fight("ada", 1, draw=WIN)
    assert (receipt.tired, receipt.chance_permille, receipt.hp) == (True, 350, 0)


async def test_a_potion_is_drunk_where_it_helps_and_only_there() -> None:
    world = await World.open()
    await world.player("ada", hp=19, hp_at_us=NOON_US, items={"health_potion": 2})
    receipt = await world.services.battle.fight("ada", 1, draw=WIN)
    assert (receipt.tired, receipt.chance_permille, receipt.hp) == (False, 500, 49)
    assert await world.booked("ada") == [
        Row("use", "ada", item_id="health_potion", quantity=-1),
        Row("battle", "ada", "gold", 30, 10_030),
    ]
    assert len({entry.tx_id for entry in (await entries(world.provider, "ada"))[-2:]}) == 1
    world.clock.advance(60)
    assert (await world.services.battle.fight("ada", 1, draw=WIN)).hp == 29
    assert (await world.profile("ada")).inventory == {"health_potion": 1}


async def test_all_that_a_battle_takes_is_in_one_commit() -> None:
    world = await World.open()
    items = {"health_potion": 1, "mana_potion": 1, "revive_scroll": 1}
    await world.player("ada", hp=0, hp_at_us=NOON_US, items=items)
    receipt = await world.services.battle.fight("ada", 1, mana_potions=1, draw=LOSE)
    assert (receipt.xp, receipt.hp, receipt.chance_permille) == (8, 30, 650)
    assert receipt.consumed == items
    assert [row.item_id for row in await world.booked("ada")] == list(items)
    profile = await world.profile("ada")
    assert (profile.inventory, profile.version) == ({}, 2)


async def test_who_declines_is_taken_nothing_that_they_did_not_ask_for() -> None:
    world = await World.open()
    items = {"health_potion": 1, "mana_potion": 1, "revive_scroll": 1}
    await world.player("ada", hp=0, hp_at_us=NOON_US, items=items)
    assert await world.services.battle.set_auto_use("ada", 0) == AutoUseReceipt(0)
    receipt = await world.services.battle.fight("ada", 1, mana_potions=1, draw=LOSE)
    assert (receipt.consumed, receipt.tired, receipt.xp) == ({"mana_potion": 1}, True, 4)
    assert (await world.profile("ada")).inventory == {"health_potion": 1, "revive_scroll": 1}
    world.clock.advance(60)
    await world.services.battle.set_auto_use("ada", 1)
    receipt = await world.services.battle.fight("ada", 1, draw=LOSE)
    assert receipt.consumed == {"health_potion": 1, "revive_scroll": 1}


def test_a_receipt_of_before_it_named_what_was_consumed_is_still_read() -> None:
    stored = b'{"receipt":"BattleReceipt","tier":1,"won":true,"payout_gold":30,"xp":8,"level":1,"hp":80,'
    stored += b'"gold":10030,"tired":false,"chance_permille":500}'
    receipt = Receipt.decoded(stored)
    assert isinstance(receipt, BattleReceipt)
    assert (receipt.payout_gold, receipt.consumed) == (30, {})


async def test_an_economy_without_the_items_fights_without_them() -> None:
    catalogue = tuple(item for item in ECONOMY.catalogue if item.use != "battle")
    store = {item.id: ECONOMY.config.store[item.id] for item in catalogue}
    config = replace(ECONOMY.config, store=store)
    world = await World.open(economy=type(ECONOMY)(config, catalogue, ECONOMY.waifus))
    assert (await world.services.battle.fight("ada", 1, draw=WIN)).hp == 80
    world.clock.advance(60)
    with pytest.raises(RefusedError, match="There is no item mana potion"):
        await world.services.battle.fight("ada", 1, mana_potions=1, draw=WIN)
