from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.core.models import DAY_US, HOUR_US, NEVER, SECOND_US
from kokoromichi.rules.battle import (
    Aids,
    Fight,
    Fighter,
    battle_cost_hp,
    fight,
    find_tier,
    loss_xp,
    may_fight,
    prize_gold,
    regenerated_hp,
    spend_hp,
    win_permille,
)
from kokoromichi.rules.codes import BALANCE_CAP, COOLING_DOWN, DAILY_CAP, MAX_BALANCE, OK, TIER_UNKNOWN
from kokoromichi.rules.sections import Battle

TERMS = Battle(60, 5_000, 20, 100, 5, 500, 40, 100, 950, 150, 50, (1,), (30,), (8,), 100)
FRESH = Fighter(10_000, 1, 100, NEVER, NEVER, NEVER, 0, 0, 0)
BARE = Aids(50, 0, 0, 0, 0)
NOON = 20_000 * DAY_US + 12 * HOUR_US
HP_US = HOUR_US // 5
WIN, LOSE = 0, 2**32 - 1
DRAWS = st.integers(0, 2**32 - 1)
TIMES = st.integers(0, 4_000_000_000_000_000)


def against_first(draw: int, fighter: Fighter = FRESH, aids: Aids = BARE, now_us: int = NOON) -> Fight:
    """Fight the first tier: level 1, 30 gold, 8 XP."""
    return fight(now_us, draw, fighter, aids, 1, 30, 8, TERMS)


def first_draw(permille: int) -> int:
    """Return the first draw that loses at a chance."""
    return -(-(permille << 32) // 1_000)


def test_a_victory_pays_gold_and_xp_and_costs_hit_points() -> None:
    assert against_first(WIN) == Fight(OK, 1, 10_030, 30, 8, 80, NOON, 20_000, 30, 0, 0, 0, 500)


def test_a_loss_pays_half_the_xp_and_no_gold() -> None:
    assert against_first(LOSE) == Fight(OK, 0, 10_000, 0, 4, 80, NOON, 20_000, 0, 0, 0, 0, 500)


@pytest.mark.parametrize("permille", [100, 500, 950, 1_000])
def test_the_draw_is_held_against_the_chance(permille: int) -> None:
    terms = replace(TERMS, win_base_permille=permille, win_max_permille=1_000)
    won = fight(NOON, first_draw(permille) - 1, FRESH, BARE, 1, 30, 8, terms)
    assert (won.won, won.chance_permille) == (1, permille)
    if permille < 1_000:
        assert fight(NOON, first_draw(permille), FRESH, BARE, 1, 30, 8, terms).won == 0


@pytest.mark.parametrize(
    ("level", "tier_level", "permille"),
    [
        (1, 1, 500),
        (5, 1, 660),
        (12, 1, 940),
        (13, 1, 950),
        (40, 1, 950),
        (1, 8, 220),
        (1, 11, 100),
        (1, 34, 100),
    ],
)
def test_the_chance_grows_with_the_level_between_its_bounds(
    level: int, tier_level: int, permille: int
) -> None:
    assert win_permille(level, tier_level, 500, 40, 100, 950) == permille


def test_potion_and_tiredness_move_the_chance() -> None:
    tired = FRESH._replace(hp=0, hp_at_us=NOON)
    mana = BARE._replace(mana_permille=150)
    assert against_first(WIN, aids=mana).chance_permille == 650
    assert against_first(WIN, tired).chance_permille == 350
    assert against_first(WIN, tired, mana).chance_permille == 500
    assert fight(NOON, WIN, FRESH._replace(level=40), mana, 1, 30, 8, TERMS).chance_permille == 1_000
    assert fight(NOON, LOSE, tired, BARE, 34, 160, 34, TERMS).chance_permille == 0
    assert fight(NOON, WIN, tired, BARE, 34, 160, 34, TERMS).won == 0


def test_hit_points_come_back_five_an_hour() -> None:
    assert regenerated_hp(NOON, 40, NEVER, 100, 5) == (100, NOON)
    assert regenerated_hp(NOON + HOUR_US, 40, NOON, 100, 5) == (45, NOON + HOUR_US)
    assert regenerated_hp(NOON + HP_US - 1, 40, NOON, 100, 5) == (40, NOON)
    assert regenerated_hp(NOON + HP_US, 40, NOON, 100, 5) == (41, NOON + HP_US)
    assert regenerated_hp(NOON + 12 * HOUR_US - 1, 40, NOON, 100, 5) == (99, NOON + 12 * HOUR_US - HP_US)
    assert regenerated_hp(NOON + 12 * HOUR_US, 40, NOON, 100, 5) == (100, NOON + 12 * HOUR_US)
    assert regenerated_hp(NOON + 12 * HOUR_US + 1, 40, NOON, 100, 5) == (100, NOON + 12 * HOUR_US + 1)
    assert regenerated_hp(NOON + HOUR_US, 40, NOON, 100, 1) == (41, NOON + HOUR_US)
    assert regenerated_hp(NOON + 900 * HOUR_US, 40, NOON, 100, 5) == (100, NOON + 900 * HOUR_US)


def test_a_point_that_takes_a_broken_microsecond_comes_at_the_next_whole_one() -> None:
    point_us = 124_137_932  # 3,600,000,000 / 29 = 124,137,931.03
    assert regenerated_hp(NOON + point_us - 1, 40, NOON, 100, 29) == (40, NOON)
    assert regenerated_hp(NOON + point_us + 5, 40, NOON, 100, 29) == (41, NOON + point_us)


def test_hit_points_stay_where_nothing_comes_back() -> None:
    assert regenerated_hp(NOON - 1, 40, NOON, 100, 5) == (40, NOON)
    assert regenerated_hp(NOON + DAY_US, 40, NOON, 100, 0) == (40, NOON)
    assert regenerated_hp(NOON, 40, NEVER, 100, 0) == (100, NOON)
    assert regenerated_hp(NOON, 100, NOON - 1, 100, 0) == (100, NOON)
    assert regenerated_hp(NOON, 130, NOON - 1, 100, 5) == (100, NOON)


@given(st.integers(0, 99), st.integers(1, 1_000), st.lists(st.integers(0, 40 * HOUR_US), max_size=12))
def test_asking_often_loses_no_hit_point(hp: int, regen: int, steps: list[int]) -> None:
    total_us = NOON + sum(steps)
    now_us, often, at_us = NOON, hp, NOON
    for step in steps:
        now_us += step
        often, at_us = regenerated_hp(now_us, often, at_us, 100, regen)
    once, _ = regenerated_hp(total_us, hp, NOON, 100, regen)
    # Where an hour is no multiple of a point, each answer rounds the moment up by less than a microsecond.
    lost = regen * len(steps) // HOUR_US + (HOUR_US % regen != 0)
    assert once - lost <= often <= once


def test_a_battle_takes_its_hit_points() -> None:
    assert spend_hp(20, 20, 100, 3, 50) == (0, 0, 0)
    assert spend_hp(100, 20, 100, 3, 50) == (80, 0, 0)


def test_a_potion_is_drunk_where_the_points_do_not_suffice() -> None:
    assert spend_hp(19, 20, 100, 1, 50) == (49, 1, 0)
    assert spend_hp(19, 20, 60, 1, 50) == (40, 1, 0)  # No further than full.
    assert spend_hp(19, 20, 100, 0, 50) == (0, 0, 1)
    assert spend_hp(4, 20, 100, 9, 10) == (0, 1, 1)  # One potion a battle, even where it is weak.


def test_a_stamina_drink_halves_the_cost() -> None:
    assert battle_cost_hp(20, 0) == 20
    assert battle_cost_hp(20, 50) == 10
    assert battle_cost_hp(21, 50) == 11
    assert battle_cost_hp(20, 100) == 0
    assert against_first(WIN, aids=BARE._replace(hp_cut_percent=50)).hp == 90
    rested = against_first(WIN, FRESH._replace(hp=10, hp_at_us=NOON), BARE._replace(hp_cut_percent=50))
    assert (rested.hp, rested.tired) == (0, 0)


def test_a_drunk_potion_is_told() -> None:
    weak = FRESH._replace(hp=5, hp_at_us=NOON, potions=2)
    assert against_first(WIN, weak) == Fight(OK, 1, 10_030, 30, 8, 35, NOON, 20_000, 30, 1, 0, 0, 500)


def test_a_scroll_saves_the_xp_of_a_loss_only() -> None:
    assert loss_xp(9, 50, 0, 0) == (4, 0)
    assert loss_xp(9, 50, 0, 1) == loss_xp(9, 50, 0, 2) == (9, 1)
    assert loss_xp(9, 50, 1, 2) == (9, 0)  # Under an amulet no scroll is wasted.
    held = FRESH._replace(scrolls=2)
    assert (against_first(LOSE, held).xp, against_first(LOSE, held).scrolls_spent) == (8, 1)
    assert (against_first(WIN, held).xp, against_first(WIN, held).scrolls_spent) == (8, 0)
    assert against_first(LOSE, held, BARE._replace(amulet=1))[:5] == (OK, 0, 10_000, 0, 8)


@pytest.mark.parametrize(("tier", "code"), [(0, OK), (6, OK), (7, TIER_UNKNOWN), (-1, TIER_UNKNOWN)])
def test_tiers_are_known_by_their_number(tier: int, code: int) -> None:
    assert find_tier(tier, 7) == code


def test_sixty_seconds_lie_between_two_battles() -> None:
    fought = FRESH._replace(last_battle_us=NOON)
    early = against_first(WIN, fought, now_us=NOON + 60 * SECOND_US - 1)
    assert early == Fight(COOLING_DOWN, 0, 10_000, 0, 0, 100, NEVER, NEVER, 0, 0, 0, 0, 0)
    assert against_first(WIN, fought, now_us=NOON + 60 * SECOND_US).code == OK
    assert against_first(WIN, fought, now_us=NOON - DAY_US).code == COOLING_DOWN


def test_the_daily_cap_pays_what_is_left_and_then_refuses() -> None:
    nearly = FRESH._replace(earned_day=20_000, earned_gold=4_990)
    last = against_first(WIN, nearly)
    assert (last.code, last.payout_gold, last.gold, last.earned_gold) == (OK, 10, 10_010, 5_000)
    assert against_first(WIN, nearly._replace(earned_gold=4_999)).payout_gold == 1
    full = FRESH._replace(earned_day=20_000, earned_gold=5_000)
    refused = against_first(WIN, full)
    assert (refused.code, refused.gold, refused.earned_gold) == (DAILY_CAP, 10_000, 5_000)
    next_day = against_first(WIN, full, now_us=NOON + DAY_US)
    assert (next_day.code, next_day.earned_day, next_day.earned_gold) == (OK, 20_001, 30)
    day_before = against_first(WIN, full, now_us=NOON - DAY_US)
    assert day_before.code == DAILY_CAP  # A clock that went backwards opens no new day.


def test_a_charm_adds_a_tenth_under_the_cap() -> None:
    assert prize_gold(160, 10, 5_000) == 176
    assert prize_gold(45, 10, 5_000) == 49
    assert prize_gold(160, 10, 170) == 170
    assert prize_gold(160, 10, 100) == 100
    assert prize_gold(160, 10**18, 5_000) == 1_760
    assert against_first(WIN, aids=BARE._replace(charm_percent=10)).payout_gold == 33


def test_a_full_purse_is_refused_before_the_draw_is_seen() -> None:
    full = FRESH._replace(gold=MAX_BALANCE - 29)
    assert [against_first(draw, full).code for draw in (WIN, LOSE)] == [BALANCE_CAP, BALANCE_CAP]
    assert against_first(WIN, full._replace(gold=MAX_BALANCE - 30)).gold == MAX_BALANCE
    assert may_fight(NOON, NEVER, 60, 5_000, 1, MAX_BALANCE) == BALANCE_CAP
    assert may_fight(NOON, NEVER, 60, 5_000, 0, MAX_BALANCE + 9) == OK  # Nothing to win, nothing to pass.


FIGHTERS = st.builds(
    Fighter,
    gold=st.one_of(st.integers(0, 50_000), st.integers(MAX_BALANCE - 200, MAX_BALANCE)),
    level=st.integers(1, 60),
    hp=st.integers(0, 100),
    hp_at_us=st.one_of(st.just(NEVER), st.integers(NOON - DAY_US, NOON)),
    last_battle_us=st.one_of(st.just(NEVER), st.integers(NOON - 120 * SECOND_US, NOON)),
    earned_day=st.integers(19_999, 20_001),
    earned_gold=st.integers(0, 5_000),
    potions=st.integers(0, 3),
    scrolls=st.integers(0, 3),
)
AIDS = st.builds(
    Aids,
    potion_hp=st.just(50),
    mana_permille=st.sampled_from([0, 150]),
    charm_percent=st.sampled_from([0, 10]),
    hp_cut_percent=st.sampled_from([0, 50]),
    amulet=st.integers(0, 1),
)


@given(DRAWS, FIGHTERS, AIDS, st.integers(0, 6))
def test_a_battle_is_bounded_or_changes_nothing(draw: int, fighter: Fighter, aids: Aids, tier: int) -> None:
    level, gold, xp = (
        (1, 4, 8, 13, 19, 26, 34),
        (30, 45, 60, 80, 105, 130, 160),
        (8, 11, 14, 18, 23, 28, 34),
    )
    seen = fight(NOON, draw, fighter, aids, level[tier], gold[tier], xp[tier], TERMS)
    assert seen.gold == fighter.gold + seen.payout_gold <= MAX_BALANCE
    assert seen.payout_gold <= gold[tier] * 11 // 10
    assert 0 <= seen.hp <= 100
    assert seen.drunk <= fighter.potions
    assert seen.scrolls_spent <= fighter.scrolls
    if seen.code == OK:
        assert seen.earned_gold <= TERMS.daily_cap_gold
        assert seen.xp == xp[tier] or (seen.xp == xp[tier] // 2 and not seen.won)
        assert (seen.payout_gold > 0) == (seen.won == 1)
        assert 0 <= seen.chance_permille <= 1_000
    else:
        kept = fighter.gold, 0, 0, fighter.hp, fighter.hp_at_us, fighter.earned_day, fighter.earned_gold
        assert seen == Fight(seen.code, 0, *kept, 0, 0, 0, 0)


@given(st.lists(st.tuples(st.integers(61, 4_000), DRAWS), max_size=250))
def test_a_day_of_battles_pays_no_more_than_its_cap(fights: list[tuple[int, int]]) -> None:
    terms = replace(TERMS, daily_cap_gold=1_000, win_base_permille=950)
    fighter, now_us = FRESH, NOON
    earned: dict[int, int] = {}
    for pause_s, draw in fights:
        now_us += pause_s * SECOND_US
        seen = fight(now_us, draw, fighter, BARE, 1, 130, 8, terms)
        earned[now_us // DAY_US] = earned.get(now_us // DAY_US, 0) + seen.payout_gold
        fighter = fighter._replace(gold=seen.gold, earned_day=seen.earned_day, earned_gold=seen.earned_gold)
    assert all(gold <= 1_000 for gold in earned.values())
    assert fighter.gold == FRESH.gold + sum(earned.values())
