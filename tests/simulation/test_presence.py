"""When players come and go: the tables against scipy, the clock of a day, and the formula of leaving."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from kokoromichi.core.models import DAY_US, HOUR_US, NEVER
from kokoromichi.simulation import streams
from kokoromichi.simulation.population import Population
from kokoromichi.simulation.presence import (
    DAY_S,
    SESSION_GAP_S,
    arrival_day,
    happens,
    hour_table,
    leave_chance,
    place_sessions,
    session_thresholds,
    sessions_of_day,
    streak_lapsed,
    threshold_row,
)
from kokoromichi.simulation.streams import (
    DAY_HOURS,
    DAY_SESSIONS,
    MAX_SESSIONS,
    SESSION_DRAWS,
    draws,
    stream_key,
)

DRAWS = st.integers(0, 2**32 - 1)
DEFAULT = Population.load("default")
HOURS = hour_table(DEFAULT.hour_weights)
RATES = [0.8, 2.2]
TABLE = session_thresholds(RATES, [0, 0], DEFAULT.activity_percent, DEFAULT.week_percent)


def test_thresholds_are_the_distribution_of_poisson() -> None:
    for archetype, rate in enumerate(RATES):
        for activity, busy in enumerate(DEFAULT.activity_percent):
            for day, week in enumerate(DEFAULT.week_percent):
                row = threshold_row(archetype, activity, len(DEFAULT.activity_percent), day + 14)
                mean = rate * busy * week / 10_000
                expected = stats.poisson.cdf(range(MAX_SESSIONS), mean) * 2**32
                assert TABLE[row : row + MAX_SESSIONS] == pytest.approx(expected, abs=1)


def test_a_day_has_the_sessions_that_its_draw_says() -> None:
    row = threshold_row(0, 2, 5, 0)
    edges = TABLE[row : row + MAX_SESSIONS]
    for count, (first, end) in enumerate(pairwise([0, *edges, 2**32])):
        assert sessions_of_day(first, TABLE, row, 1) == count
        assert sessions_of_day(end - 1, TABLE, row, 1) == count


@given(DRAWS)
def test_the_first_day_has_at_least_one_session(number: int) -> None:
    row = threshold_row(0, 0, 5, 3)
    later = sessions_of_day(number, TABLE, row, 1)
    assert sessions_of_day(number, TABLE, row, 0) == max(1, later)


def test_a_script_comes_once_on_96_of_100_days() -> None:
    table = session_thresholds([1.0], [96], [100], [100] * 7)
    assert table[:MAX_SESSIONS] == [4 * 2**32 // 100, 2**32, 2**32, 2**32]
    assert sessions_of_day(4 * 2**32 // 100 - 1, table, 0, 5) == 0
    assert sessions_of_day(4 * 2**32 // 100, table, 0, 5) == 1
    assert sessions_of_day(2**32 - 1, table, 0, 5) == 1


@example(MAX_SESSIONS, [2**32 - 1] * 8)  # All in the last second of the day.
@given(st.integers(1, MAX_SESSIONS), st.lists(DRAWS, min_size=8, max_size=8))
def test_sessions_of_a_day_neither_meet_nor_pass_midnight(count: int, numbers: list[int]) -> None:
    starts = [0] * MAX_SESSIONS
    blocks = [0] * (MAX_SESSIONS * SESSION_DRAWS)
    for session in range(MAX_SESSIONS):
        blocks[session * SESSION_DRAWS] = numbers[4 + session]
    place_sessions(starts, count, numbers, 0, blocks, 0, HOURS)
    taken = starts[:count]
    assert all(after - before >= SESSION_GAP_S for before, after in pairwise(taken))
    assert taken[0] >= 0
    assert taken[-1] + SESSION_GAP_S <= DAY_S


@given(st.lists(st.integers(0, 22), min_size=2, max_size=4, unique=True), DRAWS)
def test_sessions_start_in_their_hours_in_ascending_order(hours: list[int], second: int) -> None:
    numbers = [-(-HOURS.index(hour) * 2**32 // len(HOURS)) for hour in hours]
    second = second * 2 // 3
    starts = [0] * MAX_SESSIONS
    place_sessions(starts, len(hours), [0, 0, *numbers], 2, [second] * (SESSION_DRAWS * 4), 0, HOURS)
    assert starts[: len(hours)] == [hour * 3_600 + (second * 3_600 >> 32) for hour in sorted(hours)]


def test_hours_follow_their_weights() -> None:
    assert len(HOURS) == sum(DEFAULT.hour_weights)
    assert [HOURS.count(hour) for hour in range(24)] == list(DEFAULT.hour_weights)
    assert sorted(HOURS) == HOURS


def test_seven_in_ten_are_there_at_once_and_nobody_comes_after_day_29() -> None:
    numbers = draws(stream_key(3, streams.POPULATION), 40_000, 0, streams.POPULATION_DRAWS).tolist()
    days = Counter(arrival_day(one, other, 70, 29) for one, other, _ in numbers)
    assert set(days) == set(range(30))
    late = [days[day] for day in range(1, 30)]
    assert stats.binomtest(days[0], 40_000, 0.7).pvalue > 1e-6
    assert stats.chisquare(late).pvalue > 1e-6


def test_nobody_is_late_where_there_are_no_late_days() -> None:
    assert arrival_day(2**32 - 1, 2**32 - 1, 0, 0) == 0
    assert arrival_day(2**32 - 1, 2**32 - 1, 99, 1) == 1


@pytest.mark.parametrize(("age", "m"), [(0, 4), (2, 4), (3, 2), (6, 2), (7, 1), (400, 1)])
def test_newcomers_leave_more_easily(age: int, m: int) -> None:
    assert leave_chance(500, age, 9, 9, 9, 0) == 500 * m


@given(st.integers(0, 100_000), st.integers(0, 400), st.integers(0, 400))
def test_a_content_player_leaves_with_base_times_m_of_age_exactly(base: int, age: int, day: int) -> None:
    m = 4 if age <= 2 else 2 if age <= 6 else 1
    assert leave_chance(base, age, day, day, day, 0) == base * m


def test_what_drives_players_away_adds_up() -> None:
    assert leave_chance(300, 40, 60, 50, 45, 0) == 300 + 150 * 7 + 30 * 5
    assert leave_chance(300, 40, 60, 57, 50, 0) == 300
    assert leave_chance(300, 40, 60, 57, 50, 1) == 1_300
    assert leave_chance(300, 90, 90, 0, 0, 1) == 300 + 150 * 14 + 30 * 30 + 1_000


@given(st.integers(0, 90), st.integers(0, 90), st.integers(0, 90))
def test_an_older_wish_never_keeps_a_player(day: int, want_day: int, earlier: int) -> None:
    sooner = leave_chance(500, 30, day, want_day, day, 0)
    assert leave_chance(500, 30, day, want_day - earlier, day, 0) >= sooner


@given(st.integers(0, 100_000))
def test_a_chance_is_the_share_of_draws_below_it(chance: int) -> None:
    edge = -(-chance * 2**32 // 100_000)
    assert happens(max(edge - 1, 0), chance) == (1 if chance else 0)
    assert happens(min(edge, 2**32 - 1), chance) == (0 if chance < 100_000 else 1)


@given(st.integers(1, 90), st.integers(0, DAY_US - 1), st.integers(1, 300), st.integers(0, 12))
def test_a_streak_breaks_on_one_day_and_only_when_it_was_worth_something(
    day: int, time_us: int, window_h: int, streak: int
) -> None:
    claim_us = day * DAY_US + time_us
    days = [streak_lapsed(streak, claim_us, end * DAY_US, window_h) for end in range(day, day + 40)]
    assert sum(days) == (1 if streak >= 5 else 0)
    assert days[0] == days[1] == 0


def test_a_streak_breaks_48_hours_after_the_claim() -> None:
    claim_us = 20 * DAY_US + 5 * HOUR_US
    assert streak_lapsed(9, claim_us, 22 * DAY_US, 48) == 0
    assert streak_lapsed(9, claim_us, 23 * DAY_US, 48) == 1
    assert streak_lapsed(9, claim_us, 24 * DAY_US, 48) == 0
    assert streak_lapsed(0, NEVER, DAY_US, 48) == 0


def test_addresses_shield_presence_and_battles_from_what_a_policy_spends() -> None:
    """Sessions, hours and battles of a player-day are the same whatever else is drawn, in whatever order."""
    presence = stream_key(5, streams.PRESENCE)
    session = stream_key(5, streams.SESSION)
    buyer = [_day(presence, session, player, day, choices=True) for day in range(9) for player in range(20)]
    saver = [
        _day(presence, session, player, day, choices=False)
        for day in reversed(range(9))
        for player in reversed(range(20))
    ]
    assert saver[::-1] == buyer
    assert len({battles for _, battles in buyer}) == len(buyer)


def _day(
    presence: int, session: int, player: int, day: int, *, choices: bool
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Starts and battle draws of a day, beside a policy that draws for choices and one that does not."""
    of_day = [streams.draw(presence, player, day, slot) for slot in range(streams.DAY_DRAWS)]
    count = sessions_of_day(of_day[DAY_SESSIONS], TABLE, threshold_row(1, 2, 5, day), day)
    blocks = [0] * (MAX_SESSIONS * SESSION_DRAWS)
    for number in range(count * SESSION_DRAWS):
        slot = number % SESSION_DRAWS
        if choices or slot == 0 or streams.SESSION_BATTLES <= slot < streams.SESSION_PULLS:
            blocks[number] = streams.draw(session, player, day, number)
    starts = [0] * MAX_SESSIONS
    place_sessions(starts, count, of_day, DAY_HOURS, blocks, 0, HOURS)
    battles = [
        blocks[at * SESSION_DRAWS + streams.SESSION_BATTLES + fight]
        for at in range(count)
        for fight in range(12)
    ]
    return tuple(starts[:count]), (player, day, *battles)
