"""When players arrive, play, leave and come back: integers in, integers out.

Tables of floats (Poisson thresholds) are turned into integers once a scenario, by ``session_thresholds``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from kokoromichi.core.models import DAY_US
from kokoromichi.rules.daily import streak_ends_us
from kokoromichi.rules.draws import below
from kokoromichi.simulation.streams import MAX_SESSIONS, SESSION_DRAWS

if TYPE_CHECKING:
    from collections.abc import Sequence

PER_DAY_CHANCE: Final = 100_000
"""Chances a day are in 1 / 100,000."""
DAY_S: Final = 86_400
HOUR_S: Final = 3_600
WEEK_DAYS: Final = 7
SESSION_GAP_S: Final = 1_200
"""Least time between two starts of one player: longer than the longest session (12 battles 61 s apart, and at
most 90 other acts 5 s apart), so that sessions of one player never overlap and none runs past midnight."""

NEW_DAYS: Final = 3
SETTLING_DAYS: Final = 7
NEW_FACTOR: Final = 4
SETTLING_FACTOR: Final = 2
WANT_GRACE_DAYS: Final = 3
WANT_CAP_DAYS: Final = 14
WANT_STEP: Final = 150
NOVELTY_GRACE_DAYS: Final = 10
NOVELTY_CAP_DAYS: Final = 30
NOVELTY_STEP: Final = 30
BROKEN_STREAK_STEP: Final = 1_000
STREAK_THAT_HURTS: Final = 5


def arrival_day(at_once_draw: int, day_draw: int, at_once_percent: int, late_days: int) -> int:
    """The day on which a player first appears.

    Args:
        at_once_draw: Draw ``ARRIVES_AT_ONCE``.
        day_draw: Draw ``ARRIVAL_DAY``.
        at_once_percent: Share that is there on day 0, in percent.
        late_days: The others come uniformly on days 1 to ``late_days``.

    Returns:
        Day since the scenario's start.
    """
    if late_days == 0 or (at_once_draw * 100 >> 32) < at_once_percent:
        return 0
    return 1 + below(day_draw, late_days)


def session_thresholds(
    rates_per_day: Sequence[float],
    scripted_percent: Sequence[int],
    activity_percent: Sequence[int],
    week_percent: Sequence[int],
) -> list[int]:
    """Build the table that turns one draw into a number of sessions.

    Args:
        rates_per_day: Mean sessions a day, one an archetype.
        scripted_percent: Share of days with exactly one session, one an archetype; 0: they come by Poisson.
        activity_percent: Multipliers that a player may have.
        week_percent: Multipliers of the weekdays, Monday first.

    Returns:
        Table [archetype, activity, weekday, MAX_SESSIONS] of ``floor(2^32 x cdf(k))``, to be read by rows.
    """
    table: list[int] = []
    for rate, scripted in zip(rates_per_day, scripted_percent, strict=True):
        for activity in activity_percent:
            for week in week_percent:
                if scripted:
                    table += [(100 - scripted) * (1 << 32) // 100] + [1 << 32] * (MAX_SESSIONS - 1)
                else:
                    table += _poisson_thresholds(rate * activity / 100 * week / 100)
    return table


def _poisson_thresholds(mean: float) -> list[int]:
    thresholds = []
    term = cumulative = math.exp(-mean)
    for count in range(MAX_SESSIONS):
        thresholds.append(math.floor(cumulative * (1 << 32)))
        term *= mean / (count + 1)
        cumulative += term
    return thresholds


def threshold_row(archetype: int, activity: int, activities: int, day: int) -> int:
    """Where a player's thresholds of a day start in the table of ``session_thresholds``."""
    return ((archetype * activities + activity) * WEEK_DAYS + day % WEEK_DAYS) * MAX_SESSIONS


def sessions_of_day(number: int, thresholds: Sequence[int], row: int, age_days: int) -> int:
    """How many sessions a player has on a day.

    Args:
        number: Draw ``DAY_SESSIONS``.
        thresholds: Table of ``session_thresholds``.
        row: What ``threshold_row`` returned.
        age_days: Days since arrival; on day 0 there is at least one session.

    Returns:
        0 to ``MAX_SESSIONS``.
    """
    count = 0
    while count < MAX_SESSIONS and number >= thresholds[row + count]:
        count += 1
    if count == 0 and age_days == 0:
        return 1
    return count


def hour_table(hour_weights: Sequence[int]) -> list[int]:
    """Spell the weights of the hours out: each hour stands as often as its weight says."""
    return [hour for hour, weight in enumerate(hour_weights) for _ in range(weight)]


def place_sessions(
    starts: list[int],
    count: int,
    hour_draws: Sequence[int],
    hour_at: int,
    start_draws: Sequence[int],
    start_at: int,
    hours: Sequence[int],
) -> None:
    """Put a day's sessions on the clock, in ascending order.

    Args:
        starts: Receives in its first ``count`` places the seconds since midnight; at least ``SESSION_GAP_S``
            apart, the last at least as long before midnight.
        count: Sessions of the day.
        hour_draws: Holds the draws ``DAY_HOURS``.
        hour_at: Place of the first of them.
        start_draws: Holds the session blocks, ``SESSION_DRAWS`` apart.
        start_at: Place of draw ``SESSION_START`` of the day's first session.
        hours: What ``hour_table`` returned.
    """
    size = len(hours)
    for i in range(count):
        hour = hours[below(hour_draws[hour_at + i], size)]
        place = i
        while place > 0 and starts[place - 1] > hour:
            starts[place] = starts[place - 1]
            place -= 1
        starts[place] = hour
    earliest_s = 0
    for i in range(count):
        start_s = starts[i] * HOUR_S + (start_draws[start_at + i * SESSION_DRAWS] * HOUR_S >> 32)
        latest_s = DAY_S - SESSION_GAP_S * (count - i)
        start_s = min(start_s, latest_s)
        start_s = max(start_s, earliest_s)
        starts[i] = start_s
        earliest_s = start_s + SESSION_GAP_S


def streak_lapsed(streak: int, last_claim_us: int, day_end_us: int, window_h: int) -> int:
    """Whether a streak worth keeping ran out during the day that ends now.

    Args:
        streak: Days of the daily streak as of the last claim.
        last_claim_us: The last claim, in microseconds since the epoch; NEVER before the first.
        day_end_us: First microsecond of the next day.
        window_h: Hours after a claim within which the next one still continues the streak.

    Returns:
        1 when a streak of 5 or more ended within the day, else 0.
    """
    if streak < STREAK_THAT_HURTS:
        return 0
    ends_us = streak_ends_us(last_claim_us, window_h)
    return 1 if day_end_us - DAY_US < ends_us <= day_end_us else 0


def leave_chance(base: int, age_days: int, day: int, want_day: int, novel_day: int, streak_broke: int) -> int:
    """The chance that a player leaves at the end of a day.

    Args:
        base: The archetype's own chance a day, in 1 / 100,000.
        age_days: Days since arrival.
        day: Today.
        want_day: Last day on which a wish was affordable.
        novel_day: Last day with something new.
        streak_broke: What ``streak_lapsed`` returned.

    Returns:
        The chance in 1 / 100,000: ``base x m(age) + 150 x clip(day - want_day - 3, 0, 14)
        + 30 x clip(day - novel_day - 10, 0, 30) + 1000 if a streak broke``.
    """
    factor = 1
    if age_days < NEW_DAYS:
        factor = NEW_FACTOR
    elif age_days < SETTLING_DAYS:
        factor = SETTLING_FACTOR
    unmet_days = min(max(day - want_day - WANT_GRACE_DAYS, 0), WANT_CAP_DAYS)
    stale_days = min(max(day - novel_day - NOVELTY_GRACE_DAYS, 0), NOVELTY_CAP_DAYS)
    chance = base * factor + WANT_STEP * unmet_days + NOVELTY_STEP * stale_days
    return chance + BROKEN_STREAK_STEP * streak_broke


def happens(number: int, chance: int) -> int:
    """Whether something of a given chance in 1 / 100,000 happens under this draw: 1 or 0."""
    return 1 if (number * PER_DAY_CHANCE >> 32) < chance else 0
