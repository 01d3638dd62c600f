"""The daily claim and the UTC day: times are microseconds since the epoch, days are whole days since it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kokoromichi.core.models import DAY_US, HOUR_US, NEVER
from kokoromichi.rules.codes import ALREADY_CLAIMED, BALANCE_CAP, MAX_BALANCE, OK
from kokoromichi.rules.moments import CLOCK_SKEW_US, is_ahead

if TYPE_CHECKING:
    from collections.abc import Sequence


class Claimed(NamedTuple):
    """What a claim came to; on a refusal everything is as before, and the rewards are 0.

    Attributes:
        code: OK, ALREADY_CLAIMED or BALANCE_CAP.
        gold: Balance afterwards, in gold.
        gems: Balance afterwards, in gems.
        streak: Claims in a row.
        best_streak: The longest streak.
        last_claim_us: The last claim.
        reward_gold: Gold of the reward.
        reward_gems: Gems of the reward.
    """

    code: int
    gold: int
    gems: int
    streak: int
    best_streak: int
    last_claim_us: int
    reward_gold: int
    reward_gems: int


def day_of(at_us: int) -> int:
    """Number the UTC day of a time.

    Args:
        at_us: Microseconds since the epoch, UTC.

    Returns:
        Whole days since the epoch.
    """
    return at_us // DAY_US


def counting_day(now_us: int, counted_day: int) -> int:
    """Tell the UTC day that a day's counter goes on with.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        counted_day: The day that the counter belongs to.

    Returns:
        Today; tomorrow where the counter belongs to it and another clock may have begun it, so that no two
        clocks empty a counter twice at midnight. A counter of any other day is none.
    """
    if counted_day == day_of(now_us + CLOCK_SKEW_US):
        return counted_day
    return day_of(now_us)


def counted_today(now_us: int, counted_day: int, amount: int) -> int:
    """Read a counter that starts anew each day.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        counted_day: The day that ``amount`` belongs to.
        amount: What was counted on that day.

    Returns:
        ``amount``, or 0 where it is not of the day that ``counting_day`` tells.
    """
    return amount if counting_day(now_us, counted_day) == counted_day else 0


def claim(
    now_us: int,
    last_claim_us: int,
    streak: int,
    best_streak: int,
    gold: int,
    gems: int,
    gold_cycle: Sequence[int],
    gems_cycle: Sequence[int],
    window_h: int,
) -> Claimed:
    """Decide the daily claim: once per UTC day.

    A last claim that is ahead of the clock was made while a clock was wrong: it keeps the streak alone.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        last_claim_us: The last claim; NEVER before the first.
        streak: Claims in a row before this one.
        best_streak: The longest streak before this claim.
        gold: Balance before, in gold.
        gems: Balance before, in gems.
        gold_cycle: Gold of each day of the cycle, not empty.
        gems_cycle: Gems of each day, of the same length.
        window_h: Hours after the last claim within which the streak still grows.

    Returns:
        The claim.
    """
    if now_us < next_claim_us(now_us, last_claim_us):
        return Claimed(ALREADY_CLAIMED, gold, gems, streak, best_streak, last_claim_us, 0, 0)
    streak_now = streak_at(now_us, last_claim_us, streak, window_h) + 1
    index = (streak_now - 1) % len(gold_cycle)
    reward_gold = gold_cycle[index]
    reward_gems = gems_cycle[index]
    if reward_gold > MAX_BALANCE - gold or reward_gems > MAX_BALANCE - gems:
        return Claimed(BALANCE_CAP, gold, gems, streak, best_streak, last_claim_us, 0, 0)
    best_streak = max(best_streak, streak_now)
    gold, gems = gold + reward_gold, gems + reward_gems
    return Claimed(OK, gold, gems, streak_now, best_streak, now_us, reward_gold, reward_gems)


def next_claim_us(now_us: int, last_claim_us: int) -> int:
    """Find when the next claim is possible.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        last_claim_us: The last claim; NEVER before the first.

    Returns:
        The first microsecond of the UTC day after it; 0 before the first claim, and where that is on a later
        day than today and ahead of the clock.
    """
    if last_claim_us == NEVER:
        return 0
    if is_ahead(now_us, last_claim_us) and day_of(last_claim_us) > day_of(now_us):
        return 0
    return (day_of(last_claim_us) + 1) * DAY_US


def streak_ends_us(last_claim_us: int, window_h: int) -> int:
    """Find when a streak breaks.

    Args:
        last_claim_us: The last claim; NEVER before the first.
        window_h: Hours after the last claim within which the streak still grows, the last microsecond
            included.

    Returns:
        The first microsecond at which a claim restarts the streak: after the whole next UTC day or after the
        window, whichever is later; 0 before the first claim.
    """
    if last_claim_us == NEVER:
        return 0
    return max((day_of(last_claim_us) + 2) * DAY_US, last_claim_us + window_h * HOUR_US + 1)


def streak_at(now_us: int, last_claim_us: int, streak: int, window_h: int) -> int:
    """Find the streak that a claim would go on with.

    Args:
        now_us: The moment, in microseconds since the epoch, UTC.
        last_claim_us: The last claim; NEVER before the first.
        streak: Claims in a row up to then.
        window_h: Hours after the last claim within which the streak still grows.

    Returns:
        ``streak``, or 0 once it has broken and before the first claim.
    """
    return streak if now_us < streak_ends_us(last_claim_us, window_h) else 0
