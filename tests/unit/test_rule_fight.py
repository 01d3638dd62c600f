from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.core.models import DAY_US, HOUR_US, NEVER, SECOND_US
from kokoromichi.rules.codes import (
    BALANCE_CAP,
    COOLING_DOWN,
    DAILY_CAP,
    MAX_BALANCE,
    NOT_OWNED,
    OK,
    TIER_UNKNOWN,
)
from kokoromichi.rules.fight import Aids, Fight, Fighter, fight, unfought
from kokoromichi.rules.holding import UNKNOWN_PAID_GOLD
from kokoromichi.rules.moments import CLOCK_SKEW_US
from kokoromichi.rules.progress import add_xp
from kokoromichi.rules.sections import Battle

TIERS = ((1, 4, 8, 13, 19, 26, 34), (30, 45, 60, 80, 105, 130, 160), (8, 11, 14, 18, 23, 28, 34))
TERMS = Battle(60, 5_000, 20, 100, 5, 500, 40, 100, 950, 150, 50, *TIERS, 100)
NOON = 20_000 * DAY_US + 12 * HOUR_US
FRESH = Fighter(
    *(10_000, 1, 0, 100, NEVER, NEVER, NEVER, 0),
    *(5, 3, NEVER, NEVER, 0, 1),
    *(0, UNKNOWN_PAID_GOLD, 0, UNKNOWN_PAID_GOLD, 0, UNKNOWN_PAID_GOLD),
)
AIDS = Aids(50, 150, 10, 50, 100, 150, 500)
WIN, LOSE = 0, 2**32 - 1
DRAWS = st.integers(0, 2**32 - 1)


def against_first(draw: int, fighter: Fighter = FRESH, mana_potions: int = 0, now_us: int = NOON) -> Fight:
    """Fight the first tier: level 1, 30 gold, 8 XP."""
    return fight(now_us, draw, 1, mana_potions, fighter, AIDS, TERMS)


def first_draw(permille: int) -> int:
    """Return the first draw that loses at a chance."""
    return -(-(permille << 32) // 1_000)


def test_a_victory_pays_gold_and_xp_and_costs_hit_points() -> None:
    assert against_first(WIN) == unfought(OK, FRESH)._replace(
        gold=10_030,
        xp=8,
        hp=80,
        hp_at_us=NOON,
        battle_at_us=NOON,
        battle_day=20_000,
        battle_gold_today=30,
        battles_won=6,
        won=1,
        chance_permille=500,
        xp_gained=8,
        moved_gold=30,
    )


def test_a_loss_pays_half_the_xp_and_no_gold() -> None:
    assert against_first(LOSE) == unfought(OK, FRESH)._replace(
        xp=4,
        hp=80,
        hp_at_us=NOON,
        battle_at_us=NOON,
        battle_day=20_000,
        battle_gold_today=0,
        battles_lost=4,
        chance_permille=500,
        xp_gained=4,
    )


@pytest.mark.parametrize("tier", range(1, 8))
def test_each_tier_pays_its_own(tier: int) -> None:
    seen = fight(NOON, WIN, tier, 0, FRESH, AIDS, TERMS)
    assert (seen.moved_gold, seen.xp_gained) == (TIERS[1][tier - 1], TIERS[2][tier - 1])


@pytest.mark.parametrize("tier", [0, 8, -1, 2**63 - 1, -(2**63)])
def test_tiers_are_known_by_their_number(tier: int) -> None:
    assert fight(NOON, WIN, tier, 0, FRESH, AIDS, TERMS) == unfought(TIER_UNKNOWN, FRESH)


@pytest.mark.parametrize("permille", [100, 500, 950, 1_000])
def test_the_draw_is_held_against_the_chance(permille: int) -> None:
    terms = replace(TERMS, win_base_permille=permille, win_max_permille=1_000)
    won = fight(NOON, first_draw(permille) - 1, 1, 0, FRESH, AIDS, terms)
    assert (won.won, won.chance_permille) == (1, permille)
    if permille < 1_000:
        assert fight(NOON, first_draw(permille), 1, 0, FRESH, AIDS, terms).won == 0


def test_potion_and_tiredness_move_the_chance() -> None:
    held = FRESH._replace(manas=1)
    tired = held._replace(hp=0, hp_at_us=NOON)
    assert against_first(WIN, held, 1).chance_permille == 650
    assert against_first(WIN, tired).chance_permille == 350
    assert against_first(WIN, tired, 1).chance_permille == 500
    assert against_first(WIN, held._replace(level=40), 1).chance_permille == 1_000
    assert fight(NOON, LOSE, 7, 0, tired, AIDS, TERMS).chance_permille == 0
    assert fight(NOON, WIN, 7, 0, tired, AIDS, TERMS).won == 0


def test_a_mana_potion_is_taken_where_it_is_asked_for_and_held() -> None:
    held = FRESH._replace(manas=2, manas_paid_gold=301)
    taken = against_first(WIN, held, 1)
    assert (taken.moved_manas, taken.manas_paid_gold) == (-1, 150)  # The one that carries the odd coin goes.
    kept = against_first(WIN, held)
    assert (kept.moved_manas, kept.manas_paid_gold) == (0, 301)
    assert against_first(WIN, FRESH, 1) == unfought(NOT_OWNED, FRESH)


def test_a_stamina_drink_halves_the_cost_while_it_lasts() -> None:
    rested = against_first(WIN, FRESH._replace(stamina_battles=2))
    assert (rested.hp, rested.stamina_battles) == (90, 1)
    weak = against_first(WIN, FRESH._replace(hp=10, hp_at_us=NOON, stamina_battles=1))
    assert (weak.hp, weak.tired, weak.stamina_battles) == (0, 0, 0)


def test_a_drunk_potion_is_told() -> None:
    weak = FRESH._replace(hp=5, hp_at_us=NOON, potions=2)
    seen = against_first(WIN, weak)
    assert (seen.hp, seen.moved_potions, seen.tired) == (35, -1, 0)
    assert seen.potions_paid_gold == 100  # Of two for 200, the list price of units nobody knows about.
    last = against_first(WIN, weak._replace(potions=1, potions_paid_gold=70))
    assert (last.moved_potions, last.potions_paid_gold) == (-1, 0)


def test_a_scroll_is_read_after_a_loss_only_and_not_under_an_amulet() -> None:
    held = FRESH._replace(scrolls=2, scrolls_paid_gold=900)
    lost, won = against_first(LOSE, held), against_first(WIN, held)
    assert (lost.xp_gained, lost.moved_scrolls, lost.scrolls_paid_gold) == (8, -1, 450)
    assert (won.xp_gained, won.moved_scrolls, won.scrolls_paid_gold) == (8, 0, 900)
    guarded = against_first(LOSE, held._replace(guard_until_us=NOON + 1))
    assert (guarded.won, guarded.moved_gold, guarded.xp_gained, guarded.moved_scrolls) == (0, 0, 8, 0)
    for ended_us in (NOON, NOON + DAY_US + CLOCK_SKEW_US + 1):
        assert against_first(LOSE, held._replace(guard_until_us=ended_us)).moved_scrolls == -1


def test_who_declines_keeps_potions_and_scrolls_and_still_takes_mana() -> None:
    held = {"potions": 1, "manas": 1, "scrolls": 1}
    weak = FRESH._replace(hp=0, hp_at_us=NOON, auto_use=0, **held)
    seen = against_first(LOSE, weak, 1)
    assert (seen.moved_potions, seen.moved_manas, seen.moved_scrolls) == (0, -1, 0)
    assert (seen.tired, seen.hp, seen.xp_gained, seen.chance_permille) == (1, 0, 4, 500)
    assert against_first(WIN, FRESH._replace(auto_use=0)) == against_first(WIN, FRESH)


def test_xp_becomes_levels() -> None:
    seen = against_first(WIN, FRESH._replace(level=2, xp=195))
    assert (seen.level, seen.xp) == (3, 3)


def test_sixty_seconds_lie_between_two_battles() -> None:
    fought = FRESH._replace(battle_at_us=NOON)
    assert against_first(WIN, fought, now_us=NOON + 60 * SECOND_US - 1) == unfought(COOLING_DOWN, fought)
    assert against_first(WIN, fought, now_us=NOON + 60 * SECOND_US).code == OK
    assert against_first(WIN, fought, now_us=NOON - CLOCK_SKEW_US).code == COOLING_DOWN
    assert against_first(WIN, fought, now_us=NOON - DAY_US).code == OK  # Of a clock that was wrong.


def test_the_daily_cap_pays_what_is_left_and_then_refuses() -> None:
    nearly = FRESH._replace(battle_day=20_000, battle_gold_today=4_990)
    last = against_first(WIN, nearly)
    assert (last.code, last.moved_gold, last.gold, last.battle_gold_today) == (OK, 10, 10_010, 5_000)
    assert against_first(WIN, nearly._replace(battle_gold_today=4_999)).moved_gold == 1
    full = FRESH._replace(battle_day=20_000, battle_gold_today=5_000)
    assert against_first(WIN, full) == unfought(DAILY_CAP, full)
    next_day = against_first(WIN, full, now_us=NOON + DAY_US)
    assert (next_day.code, next_day.battle_day, next_day.battle_gold_today) == (OK, 20_001, 30)
    before_midnight_us = 20_000 * DAY_US - CLOCK_SKEW_US
    skewed = against_first(WIN, full, now_us=before_midnight_us)
    assert skewed.code == DAILY_CAP  # Clocks that differ a little open no new day.
    day_before = against_first(WIN, full, now_us=before_midnight_us - 1)
    assert (day_before.code, day_before.battle_day, day_before.battle_gold_today) == (OK, 19_999, 30)


def test_a_charm_pays_more_while_it_runs() -> None:
    assert against_first(WIN, FRESH._replace(luck_until_us=NOON + 1)).moved_gold == 33
    assert against_first(WIN, FRESH._replace(luck_until_us=NOON)).moved_gold == 30
    longest_us = NOON + DAY_US + CLOCK_SKEW_US
    assert against_first(WIN, FRESH._replace(luck_until_us=longest_us)).moved_gold == 33
    assert against_first(WIN, FRESH._replace(luck_until_us=longest_us + 1)).moved_gold == 30


def test_a_full_purse_is_refused_before_the_draw_is_seen() -> None:
    full = FRESH._replace(gold=MAX_BALANCE - 29)
    assert [against_first(draw, full).code for draw in (WIN, LOSE)] == [BALANCE_CAP, BALANCE_CAP]
    assert against_first(WIN, full._replace(gold=MAX_BALANCE - 30)).gold == MAX_BALANCE


PAID = st.one_of(st.just(UNKNOWN_PAID_GOLD), st.integers(0, 900))
ENDS = st.one_of(st.just(NEVER), st.integers(NOON - 9, NOON + DAY_US))
FIGHTERS = st.builds(
    Fighter,
    gold=st.one_of(st.integers(0, 50_000), st.integers(MAX_BALANCE - 200, MAX_BALANCE)),
    level=st.integers(1, 60),
    xp=st.integers(0, 99),
    hp=st.integers(0, 100),
    hp_at_us=st.one_of(st.just(NEVER), st.integers(NOON - DAY_US, NOON)),
    battle_at_us=st.one_of(st.just(NEVER), st.integers(NOON - 120 * SECOND_US, NOON)),
    battle_day=st.integers(19_999, 20_001),
    battle_gold_today=st.integers(0, 5_000),
    battles_won=st.integers(0, 9),
    battles_lost=st.integers(0, 9),
    luck_until_us=ENDS,
    guard_until_us=ENDS,
    stamina_battles=st.integers(0, 3),
    auto_use=st.integers(0, 1),
    potions=st.integers(0, 3),
    potions_paid_gold=PAID,
    manas=st.integers(0, 3),
    manas_paid_gold=PAID,
    scrolls=st.integers(0, 3),
    scrolls_paid_gold=PAID,
)


@given(DRAWS, FIGHTERS, st.integers(0, 1), st.integers(1, 7))
def test_a_battle_is_bounded_or_changes_nothing(draw: int, fighter: Fighter, mana: int, tier: int) -> None:
    seen = fight(NOON, draw, tier, mana, fighter, AIDS, TERMS)
    if seen.code != OK:
        assert seen == unfought(seen.code, fighter)
        return
    gold, xp = TIERS[1][tier - 1], TIERS[2][tier - 1]
    assert seen.gold == fighter.gold + seen.moved_gold <= MAX_BALANCE
    assert seen.moved_gold <= gold * 11 // 10
    assert 0 <= seen.hp <= 100
    assert 0 <= -seen.moved_potions <= min(1, fighter.potions)
    assert 0 <= -seen.moved_scrolls <= min(1, fighter.scrolls)
    assert -seen.moved_manas == mana <= fighter.manas
    assert seen.potions == fighter.potions + seen.moved_potions
    assert seen.manas == fighter.manas + seen.moved_manas
    assert seen.scrolls == fighter.scrolls + seen.moved_scrolls
    assert seen.battle_gold_today <= TERMS.daily_cap_gold
    assert seen.xp_gained == xp or (seen.xp_gained == xp // 2 and not seen.won)
    assert (seen.level, seen.xp) == add_xp(fighter.level, fighter.xp, seen.xp_gained, 100)
    assert (seen.moved_gold > 0) == (seen.won == 1)
    assert 0 <= seen.chance_permille <= 1_000
    assert seen.battles_won + seen.battles_lost == fighter.battles_won + fighter.battles_lost + 1
    assert seen.battles_won == fighter.battles_won + seen.won


@given(FIGHTERS)
def test_a_refused_battle_leaves_all_that_is_stored(fighter: Fighter) -> None:
    kept, before = unfought(COOLING_DOWN, fighter)._asdict(), fighter._asdict()
    assert {name: before[name] for name in kept if name in before}.items() <= kept.items()
    assert not any(value for name, value in kept.items() if name not in before and name != "code")


@given(st.lists(st.tuples(st.integers(61, 4_000), DRAWS), max_size=250))
def test_a_day_of_battles_pays_no_more_than_its_cap(fights: list[tuple[int, int]]) -> None:
    terms = replace(TERMS, daily_cap_gold=1_000, win_base_permille=950, tier_gold=(130, *TIERS[1][1:]))
    fighter, now_us = FRESH, NOON
    earned: dict[int, int] = {}
    for pause_s, draw in fights:
        now_us += pause_s * SECOND_US
        seen = fight(now_us, draw, 1, 0, fighter, AIDS, terms)
        earned[now_us // DAY_US] = earned.get(now_us // DAY_US, 0) + seen.moved_gold
        fighter = fighter._replace(
            gold=seen.gold, battle_day=seen.battle_day, battle_gold_today=seen.battle_gold_today
        )
    assert all(gold <= 1_000 for gold in earned.values())
    assert fighter.gold == FRESH.gold + sum(earned.values())
