from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.core.models import DAY_US, HOUR_US, NEVER, SECOND_US
from kokoromichi.rules.battle import (
    battle_cost_hp,
    loss_xp,
    may_fight,
    prize_gold,
    ready_us,
    regenerated_hp,
    spend_hp,
    win_permille,
)
from kokoromichi.rules.codes import BALANCE_CAP, COOLING_DOWN, DAILY_CAP, MAX_BALANCE, OK
from kokoromichi.rules.moments import CLOCK_SKEW_US

NOON = 20_000 * DAY_US + 12 * HOUR_US
HP_US = HOUR_US // 5


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


def test_hit_points_of_a_time_ahead_come_back_from_now_on() -> None:
    assert regenerated_hp(NOON - 1, 40, NOON, 100, 5) == (40, NOON - 1)
    assert regenerated_hp(NOON, 40, NOON + 400 * DAY_US, 100, 5) == (40, NOON)


def test_hit_points_stay_where_nothing_comes_back() -> None:
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


def test_a_scroll_saves_the_xp_of_a_loss() -> None:
    assert loss_xp(9, 50, 0, 0) == (4, 0)
    assert loss_xp(9, 50, 0, 1) == loss_xp(9, 50, 0, 2) == (9, 1)
    assert loss_xp(9, 50, 1, 2) == (9, 0)  # Under an amulet no scroll is wasted.


def test_a_charm_adds_a_tenth_under_the_cap() -> None:
    assert prize_gold(160, 10, 5_000) == 176
    assert prize_gold(45, 10, 5_000) == 49
    assert prize_gold(160, 10, 170) == 170
    assert prize_gold(160, 10, 100) == 100
    assert prize_gold(160, 10**18, 5_000) == 1_760


def test_a_battle_may_begin_once_the_cooldown_is_over() -> None:
    assert ready_us(NOON, NEVER, 60) == NEVER
    assert ready_us(NOON, NOON, 60) == NOON + 60 * SECOND_US
    assert may_fight(NOON + 60 * SECOND_US - 1, NOON, 60, 5_000, 1, 0) == COOLING_DOWN
    assert may_fight(NOON + 60 * SECOND_US, NOON, 60, 5_000, 1, 0) == OK
    assert may_fight(NOON, NEVER, 60, 0, 1, 0) == DAILY_CAP
    assert may_fight(NOON, NEVER, 60, 5_000, 1, MAX_BALANCE) == BALANCE_CAP
    assert may_fight(NOON, NEVER, 60, 5_000, 0, MAX_BALANCE + 9) == OK  # Nothing to win, nothing to pass.


def test_a_battle_of_a_clock_that_was_wrong_cools_nobody_down() -> None:
    assert ready_us(NOON, NOON + CLOCK_SKEW_US, 60) == NOON + CLOCK_SKEW_US + 60 * SECOND_US
    assert ready_us(NOON, NOON + CLOCK_SKEW_US + 1, 60) == NEVER
    assert may_fight(NOON, NOON + CLOCK_SKEW_US, 60, 5_000, 1, 0) == COOLING_DOWN
    assert may_fight(NOON, NOON + 400 * DAY_US, 60, 5_000, 1, 0) == OK
