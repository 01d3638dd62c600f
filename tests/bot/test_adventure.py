"""Battles as players meet them: what they pay, and when they may not be fought."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from kokoromichi.core.models import DAY_US
from tests.bot.table import fields_of, told
from tests.contract.stored import NOON_US

if TYPE_CHECKING:
    from tests.bot.table import Table

WIN, LOSE = 0, 2**32 - 1


@pytest.fixture(autouse=True)
def lucky(table: Table) -> None:
    """Every battle is won."""
    table.bot.services.executor.dice = lambda: WIN


async def test_a_victory_pays_gold(table: Table) -> None:
    embed = await table.asked(table.alice, "battle", tier=1)
    assert embed.title == "Victory"
    assert told(embed) == (
        "You beat an opponent of tier 1: 30 gold and 8 XP. Your chance was 50 %.\n"
        "Level 1, 80 HP.\nBalance: 10,030 gold."
    )


async def test_a_defeat_teaches(table: Table) -> None:
    table.bot.services.executor.dice = lambda: LOSE
    embed = await table.said(table.alice, "!battle 2")
    assert embed.title == "Defeat"
    assert told(embed) == (
        "You lost to an opponent of tier 2, and learned 5 XP. Your chance was 38 %.\n"
        "Level 1, 80 HP.\nBalance: 10,000 gold."
    )


async def test_a_mana_potion_is_drunk_for_a_better_chance(table: Table) -> None:
    assert await table.refusal(table.alice, "battle", tier=1, mana_potion="yes") == (
        "You hold 0 of Mana Potion."
    )
    await table.endow(table.alice, inventory={"mana_potion": 1})
    text = told(await table.said(table.alice, "!battle 1 yes"))
    assert "Your chance was 50 %" not in text
    assert (await table.profile(table.alice)).inventory == {}
    sentence = told(await table.said(table.alice, "!battle 1 perhaps"))
    assert sentence.startswith("mana\\_potion is not right: it must be one of: no, yes.")


async def test_a_battle_says_what_it_took_and_a_player_may_decline(table: Table) -> None:
    table.bot.services.executor.dice = lambda: LOSE
    await table.endow(table.alice, hp=0, hp_at_us=NOON_US, inventory={"health_potion": 2, "revive_scroll": 2})
    text = told(await table.asked(table.alice, "battle", tier=1))
    assert text.split("\n")[1] == "It took 1 × Health Potion, 1 × Revive Scroll."
    declined = told(await table.asked(table.alice, "auto_use", use="off"))
    assert declined == "Battles take no health potion and no revive scroll by themselves."
    assert fields_of(await table.asked(table.alice, "battle_stats"))["At work"] == declined
    await table.endow(table.alice, hp=0, hp_at_us=table.clock.us)
    table.clock.advance(60)
    assert "It took" not in told(await table.said(table.alice, "!battle 1"))
    assert (await table.profile(table.alice)).inventory == {"health_potion": 1, "revive_scroll": 1}
    assert told(await table.said(table.alice, "!auto_use on")).startswith("Battles take health potions")


async def test_the_tired_are_told(table: Table) -> None:
    await table.endow(table.alice, hp=0, hp_at_us=NOON_US)
    shown = await table.asked(table.alice, "battle_stats")
    assert fields_of(shown)["At work"] == "Too few HP: every chance is lower than rested."
    text = told(await table.asked(table.alice, "battle", tier=1))
    (chance,) = re.findall(r"Your chance was (\d+ %)", text)
    assert told(shown).split("\n")[0].endswith(f"you win {chance}")
    assert "You were tired: too few HP cost you some of your chance." in text


@pytest.mark.parametrize("tier", [0, -1, 8, 10**12])
async def test_an_unknown_tier_is_refused(table: Table, tier: int) -> None:
    sentence = await table.refusal(table.alice, "battle", tier=tier)
    assert sentence == f"There is no tier {tier:,}; they go from 1 to 7."


async def test_the_cooldown_is_in_storage(table: Table) -> None:
    await table.asked(table.alice, "battle", tier=1)
    ready_s = table.clock.us // 1_000_000 + 60
    assert await table.refusal(table.alice, "battle", tier=1) == f"Still cooling down: ready <t:{ready_s}:R>."
    fields = fields_of(await table.asked(table.alice, "battle_stats"))
    assert fields["Next battle"] == f"<t:{ready_s}:R>"
    table.clock.advance(60)
    await table.asked(table.alice, "battle", tier=1)


async def test_the_daily_cap_is_in_storage(table: Table) -> None:
    await table.endow(table.alice, battle_day=NOON_US // DAY_US, battle_gold_today=5_000)
    sentence = await table.refusal(table.alice, "battle", tier=1)
    assert sentence == "Today's cap is 5,000 gold, and 5,000 of it is used."
    assert (
        fields_of(await table.asked(table.alice, "battle_stats"))["Gold won today"]
        == "5,000 of at most 5,000"
    )


async def test_stats_tell_strength_opponents_and_what_is_at_work(table: Table) -> None:
    until_us = NOON_US + 3_600 * 1_000_000
    await table.endow(
        table.alice,
        level=3,
        xp=5,
        hp=40,
        hp_at_us=NOON_US,
        battles_won=2,
        battles_lost=1,
        stamina_battles=4,
        luck_until_us=until_us,
        guard_until_us=NOON_US,
    )
    embed = await table.asked(table.alice, "battle_stats")
    assert fields_of(embed) == {
        "Level": "3 (5 XP)",
        "Health": "40 of 100 HP",
        "Next battle": "now",
        "Gold won today": "0 of at most 5,000",
        "Battles": "2 won, 1 lost",
        "At work": f"More gold until <t:{until_us // 1_000_000}:f>\nBattles cost less HP; battles left: 4",
    }
    rows = told(embed).split("\n")
    assert rows[0] == "**Tier 1** · level 1 · 33 gold, 8 XP · you win 58 %"
    assert len(rows) == 7


async def test_tiers_are_offered_while_typing(table: Table) -> None:
    offered = await table.alice.autocomplete(table.channel, "battle", "tier", "3")
    assert offered == [{"name": "Tier 3: level 8, 60 gold", "value": 3}]
    assert len(await table.alice.autocomplete(table.channel, "battle", "tier", "")) == 7
