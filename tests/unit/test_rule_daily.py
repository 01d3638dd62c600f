from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.core import clock, models
from kokoromichi.core.models import DAY_US, HOUR_US, NEVER
from kokoromichi.rules.codes import ALREADY_CLAIMED, BALANCE_CAP, MAX_BALANCE, OK
from kokoromichi.rules.daily import (
    claim,
    counted_today,
    counting_day,
    day_of,
    next_claim_us,
    streak_at,
    streak_ends_us,
)
from kokoromichi.rules.moments import CLOCK_SKEW_US

GOLD = (1_000, 1_200, 1_500, 2_000, 2_500, 3_000, 5_000, 1_500, 1_800, 2_200)
GEMS = (10, 12, 15, 20, 25, 30, 50, 18, 22, 28)
MONDAY = 20_000 * DAY_US
TIMES = st.integers(0, 4_000_000_000_000_000)


def claimed(now_us: int, last_us: int, streak: int) -> tuple[int, int, int, int, int, int]:
    answer = claim(now_us, last_us, streak, 7, 10_000, 100, GOLD, GEMS, 48)
    assert answer.best_streak == (7 if answer.code else max(7, answer.streak))
    assert answer.last_claim_us == (last_us if answer.code else now_us)
    return (
        answer.code,
        answer.gold,
        answer.gems,
        answer.streak,
        answer.reward_gold,
        answer.reward_gems,
    )


def test_rules_and_what_is_stored_mean_the_same_times() -> None:
    """Rules import nothing but rules, so that they can be compiled: these two numbers stand twice."""
    assert (DAY_US, NEVER) == (clock.DAY_US, models.NEVER)


def test_the_first_claim_starts_the_cycle() -> None:
    assert claimed(MONDAY, NEVER, 0) == (OK, 11_000, 110, 1, 1_000, 10)
    assert claimed(MONDAY, NEVER, 9) == (OK, 11_000, 110, 1, 1_000, 10)


def test_once_a_day_and_again_at_midnight() -> None:
    last_us = MONDAY + 23 * HOUR_US
    assert claimed(MONDAY + DAY_US - 1, last_us, 1) == (ALREADY_CLAIMED, 10_000, 100, 1, 0, 0)
    assert claimed(MONDAY + DAY_US, last_us, 1) == (OK, 11_200, 112, 2, 1_200, 12)


def test_clocks_that_differ_a_little_give_no_second_claim() -> None:
    assert claimed(MONDAY, MONDAY + 1, 4)[0] == ALREADY_CLAIMED
    assert claimed(MONDAY, MONDAY + DAY_US - 1, 4)[0] == ALREADY_CLAIMED  # Ahead, and of the same day.
    assert claimed(MONDAY - CLOCK_SKEW_US, MONDAY, 4)[0] == ALREADY_CLAIMED


@pytest.mark.parametrize("last_us", [MONDAY + 3 * DAY_US, MONDAY + 400 * DAY_US, MONDAY + DAY_US])
def test_a_claim_of_a_clock_that_was_wrong_locks_nobody_and_keeps_the_streak(last_us: int) -> None:
    assert next_claim_us(MONDAY + 5, last_us) == 0
    code, _, _, streak, _, _ = claimed(MONDAY + 5, last_us, 4)
    assert (code, streak) == (OK, 5)
    assert claimed(MONDAY + 6, MONDAY + 5, 5)[0] == ALREADY_CLAIMED
    assert claimed(MONDAY - CLOCK_SKEW_US - 1, MONDAY, 4)[0] == OK


def test_ten_days_pay_the_cycle_and_the_eleventh_begins_it_again() -> None:
    rewards = []
    last_us, streak = NEVER, 0
    for day in range(11):
        now_us = MONDAY + day * DAY_US
        code, _, _, streak, gold, gems = claimed(now_us, last_us, streak)
        assert code == OK
        rewards.append((gold, gems))
        last_us = now_us
    assert rewards == [*zip(GOLD, GEMS, strict=True), (1_000, 10)]
    assert streak == 11


@pytest.mark.parametrize(
    ("last_h", "now_h", "streak"),
    [
        (0, 47, 6),  # Any time on the next day, 47 h later.
        (23, 24, 6),
        (23, 23 + 48, 6),  # Two days later, on the last hour of the window.
        (1, 49, 6),
    ],
)
def test_a_streak_grows_on_the_next_day_or_within_the_window(last_h: int, now_h: int, streak: int) -> None:
    assert claimed(MONDAY + now_h * HOUR_US, MONDAY + last_h * HOUR_US, 5)[3] == streak


def test_a_streak_restarts_a_microsecond_after_the_window() -> None:
    last_us = MONDAY + 23 * HOUR_US
    assert claimed(last_us + 48 * HOUR_US, last_us, 5)[3] == 6
    assert claimed(last_us + 48 * HOUR_US + 1, last_us, 5)[3] == 1


def test_a_short_window_still_leaves_the_whole_next_day() -> None:
    assert claim(MONDAY + 2 * DAY_US - 1, MONDAY, 5, 9, 0, 0, GOLD, GEMS, 1)[3] == 6
    assert claim(MONDAY + 2 * DAY_US, MONDAY, 5, 9, 0, 0, GOLD, GEMS, 1)[3] == 1


@pytest.mark.parametrize(
    ("gold", "gems"), [(MAX_BALANCE - 999, 0), (0, MAX_BALANCE - 9), (MAX_BALANCE + 7, 0)]
)
def test_no_claim_passes_the_highest_balance(gold: int, gems: int) -> None:
    assert claim(MONDAY, NEVER, 0, 9, gold, gems, GOLD, GEMS, 48) == (
        *(BALANCE_CAP, gold, gems, 0, 9),
        *(NEVER, 0, 0),
    )


def test_a_claim_may_reach_the_highest_balance() -> None:
    reached = claim(MONDAY, NEVER, 0, 9, MAX_BALANCE - 1_000, MAX_BALANCE - 10, GOLD, GEMS, 48)
    assert reached[:3] == (OK, MAX_BALANCE, MAX_BALANCE)


@given(TIMES, st.one_of(st.just(NEVER), TIMES), st.integers(0, 4_000))
def test_a_claim_pays_an_entry_of_the_cycle_or_changes_nothing(
    now_us: int, last_us: int, streak: int
) -> None:
    code, gold, gems, streak_after, reward_gold, reward_gems = claimed(now_us, last_us, streak)
    assert (gold - 10_000, gems - 100) == (reward_gold, reward_gems)
    assert (code == OK) == (now_us >= next_claim_us(now_us, last_us))
    if code == OK:
        assert streak_after in {1, streak + 1}
        assert (reward_gold, reward_gems) == (GOLD[(streak_after - 1) % 10], GEMS[(streak_after - 1) % 10])
    else:
        assert (streak_after, reward_gold) == (streak, 0)


@given(TIMES, st.integers(1, 8_760))
def test_the_streak_breaks_when_it_is_said_to(last_us: int, window_h: int) -> None:
    ends_us = streak_ends_us(last_us, window_h)
    assert claim(ends_us - 1, last_us, 5, 9, 0, 0, GOLD, GEMS, window_h)[3] == 6
    assert claim(ends_us, last_us, 5, 9, 0, 0, GOLD, GEMS, window_h)[3] == 1


@given(st.one_of(TIMES, st.just(NEVER)), TIMES, st.integers(0, 100), st.integers(1, 8_760))
def test_a_claim_goes_on_with_the_streak_that_is_shown(
    last_us: int, now_us: int, streak: int, window_h: int
) -> None:
    claimed = claim(now_us, last_us, streak, streak, 0, 0, GOLD, GEMS, window_h)
    if claimed.code == OK:
        assert claimed.streak == streak_at(now_us, last_us, streak, window_h) + 1


def test_the_next_claim_is_at_midnight() -> None:
    assert next_claim_us(MONDAY, MONDAY) == next_claim_us(MONDAY, MONDAY + DAY_US - 1) == MONDAY + DAY_US
    assert streak_ends_us(MONDAY, 48) == MONDAY + 2 * DAY_US + 1
    assert streak_ends_us(MONDAY + HOUR_US, 24) == MONDAY + 2 * DAY_US


def test_nothing_is_awaited_before_the_first_claim() -> None:
    assert (next_claim_us(MONDAY, NEVER), streak_ends_us(NEVER, 48)) == (0, 0)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2090, 1, 1)))  # noqa: DTZ001 - given its zone below.
def test_days_are_those_of_the_calendar(at: datetime) -> None:
    at = at.replace(tzinfo=timezone.utc)
    epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
    since = at - epoch
    at_us = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    assert day_of(at_us) == (at.date() - epoch.date()).days


def test_a_counter_counts_on_its_day_alone() -> None:
    noon_us = 7 * DAY_US + 12 * HOUR_US
    assert [counted_today(noon_us, day, 500) for day in (6, 7, 8, 400, NEVER)] == [0, 500, 0, 0, 0]
    assert [counting_day(noon_us, day) for day in (6, 7, 8, 400, NEVER)] == [7, 7, 7, 7, 7]


def test_no_two_clocks_empty_a_counter_twice_at_midnight() -> None:
    midnight_us = 8 * DAY_US
    for now_us, counted in ((midnight_us - CLOCK_SKEW_US - 1, 0), (midnight_us - CLOCK_SKEW_US, 500)):
        assert counted_today(now_us, 8, 500) == counted
    assert counting_day(midnight_us - 1, 8) == 8
    assert counting_day(midnight_us - 1, 7) == 7
    assert counted_today(midnight_us - 1, 7, 500) == 500
