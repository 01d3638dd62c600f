from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.core.models import DAY_US, HOUR_US, NEVER, SECOND_US
from kokoromichi.rules.codes import (
    ALREADY_OWNED,
    BALANCE_CAP,
    MAX_BALANCE,
    NOT_FOR_SALE,
    NOTHING_TO_COLLECT,
    OK,
    TOO_POOR,
)
from kokoromichi.rules.moments import CLOCK_SKEW_US
from kokoromichi.rules.progress import (
    MAX_INCOME_GOLD,
    MAX_LEVEL,
    Collected,
    Invested,
    Trained,
    add_xp,
    collect,
    full_us,
    invest,
    train,
    waiting_gold,
)

MONDAY = 20_000 * DAY_US
CAFE, GUILD_HALL = 500, 3_000


@pytest.mark.parametrize(
    ("level", "xp", "gained", "after"),
    [
        (1, 0, 99, (1, 99)),
        (1, 0, 100, (2, 0)),
        (1, 99, 1, (2, 0)),
        (2, 199, 2, (3, 1)),
        (1, 0, 300, (3, 0)),  # 100 to level 2, 200 to level 3.
        (1, 0, 1_000, (5, 0)),
        (10, 999, 5, (11, 4)),
        (3, 7, 0, (3, 7)),
        (3, 7, -50, (3, 7)),
    ],
)
def test_the_next_level_takes_a_hundred_times_the_level(
    level: int, xp: int, gained: int, after: tuple[int, int]
) -> None:
    assert add_xp(level, xp, gained, 100) == after


@given(st.integers(1, 200), st.integers(0, 10**7), st.integers(1, 1_000))
def test_no_xp_is_lost(level: int, gained: int, per_level: int) -> None:
    level_after, xp_after = add_xp(level, 0, gained, per_level)
    spent = per_level * sum(range(level, level_after))
    assert spent + xp_after == gained
    assert 0 <= xp_after < per_level * level_after


@given(st.lists(st.integers(0, 5_000), max_size=20))
def test_xp_is_the_same_in_one_piece_or_in_many(parts: list[int]) -> None:
    level, xp = 1, 0
    for part in parts:
        level, xp = add_xp(level, xp, part, 100)
    assert (level, xp) == add_xp(1, 0, sum(parts), 100)


def test_levels_end_and_the_loop_with_them() -> None:
    level, xp = add_xp(1, 0, 10**18, 100)
    assert level == MAX_LEVEL
    assert xp == MAX_BALANCE - 50 * MAX_LEVEL * (MAX_LEVEL - 1)
    assert add_xp(MAX_LEVEL, 0, 10**9, 100) == (MAX_LEVEL, 10**9)
    assert add_xp(MAX_LEVEL, MAX_BALANCE, 1, 100) == (MAX_LEVEL, MAX_BALANCE)


def test_training_costs_gold_and_gives_xp() -> None:
    assert train(10_000, 1, 0, 0, 100, 10, 25, 200, 100) == Trained(OK, 9_900, 1, 25, 0, -100, 25)
    assert train(10_000, 1, 80, 0, 100, 10, 25, 200, 100) == Trained(OK, 9_900, 2, 5, 0, -100, 25)
    assert train(10_000, 2, 5, 0, 100, 10, 25, 200, 100) == Trained(OK, 9_890, 2, 30, 0, -110, 25)


def test_a_manual_doubles_the_xp_of_a_session() -> None:
    assert train(10_000, 1, 0, 1, 100, 10, 25, 200, 100) == Trained(OK, 9_900, 1, 50, 0, -100, 50)


def test_training_is_refused_below_its_price_and_keeps_the_manual() -> None:
    assert train(110, 2, 5, 0, 100, 10, 25, 200, 100) == Trained(OK, 0, 2, 30, 0, -110, 25)
    assert train(109, 2, 5, 1, 100, 10, 25, 200, 100) == Trained(TOO_POOR, 109, 2, 5, 1, 0, 0)


def test_one_of_each_business() -> None:
    assert invest(MONDAY, 10_000, 10_000, 0) == Invested(OK, 0, MONDAY, -10_000)
    assert invest(MONDAY, 1, 1, 0) == Invested(OK, 0, MONDAY, -1)
    assert invest(MONDAY, 9_999, 10_000, 0) == Invested(TOO_POOR, 9_999, NEVER, 0)
    assert invest(MONDAY, 50_000, 10_000, 1) == Invested(ALREADY_OWNED, 50_000, NEVER, 0)
    assert invest(MONDAY, 50_000, 0, 0) == Invested(NOT_FOR_SALE, 50_000, NEVER, 0)
    assert invest(MONDAY, 50_000, -5, 0) == Invested(NOT_FOR_SALE, 50_000, NEVER, 0)


def collected(
    now_us: int, since_us: int, per_day: int, max_hours: int, upkeep_percent: int
) -> tuple[int, int, int, int]:
    """Collect from one business: code, income, upkeep and since when it earns then."""
    until_us = [0]
    answer = collect(now_us, 7, (since_us,), (per_day,), until_us, max_hours, upkeep_percent)
    assert answer.gold == 7 + answer.income_gold + answer.upkeep_gold
    return answer.code, answer.income_gold, -answer.upkeep_gold, until_us[0]


def test_all_businesses_are_collected_together_each_with_its_own_remainder() -> None:
    now_us, until_us = MONDAY + 3 * HOUR_US, [0, 0, 0]
    since_us = (MONDAY, MONDAY, MONDAY + 3 * HOUR_US)
    seen = collect(now_us, 10, since_us, (CAFE, 800, GUILD_HALL), until_us, 72, 50)
    assert seen == Collected(OK, 10 + 81, 62 + 100, -31 - 50)
    assert until_us == [MONDAY + 62 * DAY_US // CAFE, now_us, now_us]


def test_a_full_purse_collects_nothing_though_upkeep_would_make_room() -> None:
    def collect_with(gold: int) -> Collected:
        return collect(MONDAY + DAY_US, gold, (MONDAY,), (CAFE,), [0], 72, 50)

    assert collect_with(MAX_BALANCE - 500) == Collected(OK, MAX_BALANCE - 250, 500, -250)
    assert collect_with(MAX_BALANCE - 499) == Collected(BALANCE_CAP, MAX_BALANCE - 499, 0, 0)


def test_without_a_business_there_is_nothing_to_collect() -> None:
    assert collect(MONDAY, 10, (), (), [], 72, 50) == Collected(NOTHING_TO_COLLECT, 10, 0, 0)


def test_a_business_is_full_after_its_hours() -> None:
    assert full_us(MONDAY, MONDAY, 72) == MONDAY + 3 * DAY_US
    assert full_us(MONDAY, NEVER, 72) == NEVER
    assert full_us(MONDAY + 5, MONDAY + 400 * DAY_US, 72) == MONDAY + 3 * DAY_US


def test_what_waits_is_what_a_collection_would_leave() -> None:
    until_us = [0]
    collected = collect(MONDAY + DAY_US, 0, [MONDAY], [CAFE], until_us, 72, 20)
    assert waiting_gold(MONDAY + DAY_US, MONDAY, CAFE, 72, 20) == collected.gold == CAFE * 80 // 100
    assert waiting_gold(MONDAY + DAY_US, NEVER, CAFE, 72, 20) == 0


def test_a_business_of_a_clock_that_was_wrong_earns_since_midnight_once() -> None:
    now_us = MONDAY + 12 * HOUR_US
    assert collected(now_us, now_us + CLOCK_SKEW_US, CAFE, 72, 50)[0] == NOTHING_TO_COLLECT
    for since_us in (now_us + CLOCK_SKEW_US + 1, now_us + 400 * DAY_US):
        assert collected(now_us, since_us, CAFE, 72, 50) == (OK, 250, 125, now_us)


def test_a_business_earns_by_the_day() -> None:
    assert collected(MONDAY + DAY_US, MONDAY, CAFE, 72, 50) == (OK, 500, 250, MONDAY + DAY_US)
    assert collected(MONDAY + 20 * HOUR_US, MONDAY, CAFE, 72, 50)[:3] == (OK, 416, 208)  # 416.67
    assert collected(MONDAY + 36 * HOUR_US, MONDAY, GUILD_HALL, 72, 50) == (
        OK,
        4_500,
        2_250,
        MONDAY + 36 * HOUR_US,
    )


def test_earning_stops_after_three_days() -> None:
    assert collected(MONDAY + 72 * HOUR_US, MONDAY, CAFE, 72, 50)[1] == 1_500
    assert collected(MONDAY + 40 * DAY_US, MONDAY, CAFE, 72, 50) == (OK, 1_500, 750, MONDAY + 40 * DAY_US)


def test_the_second_click_pays_nothing() -> None:
    now_us = MONDAY + 20 * HOUR_US
    _, _, _, until_us = collected(now_us, MONDAY, CAFE, 72, 50)
    assert collected(now_us, until_us, CAFE, 72, 50) == (NOTHING_TO_COLLECT, 0, 0, until_us)
    assert collected(now_us + SECOND_US, until_us, CAFE, 72, 50)[0] == NOTHING_TO_COLLECT


def test_gold_is_paid_the_moment_its_upkeep_is_whole() -> None:
    pair_us = 2 * DAY_US // CAFE  # 345.6 s
    assert collected(MONDAY + pair_us - 1, MONDAY, CAFE, 72, 50)[0] == NOTHING_TO_COLLECT
    assert collected(MONDAY + pair_us, MONDAY, CAFE, 72, 50) == (OK, 2, 1, MONDAY + pair_us)
    assert collected(MONDAY + pair_us // 2, MONDAY, CAFE, 72, 0) == (OK, 1, 0, MONDAY + pair_us // 2)
    assert collected(MONDAY + pair_us // 2, MONDAY, CAFE, 72, 100) == (OK, 1, 1, MONDAY + pair_us // 2)


def test_collecting_each_minute_burns_what_collecting_once_does() -> None:
    since_us, paid, burned = MONDAY, 0, 0
    for minute in range(1, 24 * 60 + 1):
        _, income, upkeep, since_us = collected(MONDAY + minute * 60_000_000, since_us, CAFE, 72, 50)
        paid, burned = paid + income, burned + upkeep
    assert (paid, burned) == collected(MONDAY + DAY_US, MONDAY, CAFE, 72, 50)[1:3] == (CAFE, CAFE // 2)


def test_nothing_is_earned_backwards_or_by_no_income() -> None:
    assert collected(MONDAY - 1, MONDAY, CAFE, 72, 50) == (NOTHING_TO_COLLECT, 0, 0, MONDAY)
    assert collected(MONDAY, MONDAY, CAFE, 72, 50) == (NOTHING_TO_COLLECT, 0, 0, MONDAY)
    assert collected(MONDAY + DAY_US, MONDAY, 0, 72, 50) == (NOTHING_TO_COLLECT, 0, 0, MONDAY)
    assert collected(MONDAY - CLOCK_SKEW_US, MONDAY, CAFE, 72, 50) == (NOTHING_TO_COLLECT, 0, 0, MONDAY)
    assert collected(MONDAY + DAY_US, MONDAY, CAFE, 0, 50) == (NOTHING_TO_COLLECT, 0, 0, MONDAY)


def test_an_enormous_income_is_cut() -> None:
    assert collected(MONDAY + DAY_US, MONDAY, MAX_BALANCE, 72, 50)[1] == MAX_INCOME_GOLD


@given(
    st.integers(1, 5_000),
    st.lists(st.integers(0, 10 * HOUR_US), min_size=1, max_size=30),
    st.integers(0, 100),
)
def test_often_or_seldom_pays_the_same(per_day: int, steps: list[int], upkeep_percent: int) -> None:
    now_us, last_us, total = MONDAY, MONDAY, 0
    for step in steps:
        now_us += step
        _, income, upkeep, last_us = collected(now_us, last_us, per_day, 8_760, upkeep_percent)
        assert upkeep * 100 == income * upkeep_percent
        assert last_us <= now_us
        total += income
    _, once, _, _ = collected(now_us, MONDAY, per_day, 8_760, upkeep_percent)
    assert once - 100 // math.gcd(100, upkeep_percent) <= total <= once


@given(st.integers(1, MAX_INCOME_GOLD), st.integers(1, 400 * DAY_US), st.integers(1, 8_760))
def test_income_is_the_floor_of_what_was_earned(per_day: int, elapsed_us: int, max_hours: int) -> None:
    code, income, upkeep, last_us = collected(MONDAY + elapsed_us, MONDAY, per_day, max_hours, 50)
    exact = Fraction(min(elapsed_us, max_hours * HOUR_US) * per_day, DAY_US)
    assert income == int(exact) // 2 * 2
    assert (code == OK) == (income > 0)
    assert upkeep == income // 2
    if code == OK:
        unpaid_us = MONDAY + elapsed_us - last_us
        assert 0 <= exact - income - Fraction(unpaid_us * per_day, DAY_US) < Fraction(per_day, DAY_US)
