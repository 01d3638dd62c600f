"""The daily claim and the UTC day: times are microseconds since the epoch, days are whole days since it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kokoromichi.core.models import DAY_US, HOUR_US, NEVER
from kokoromichi.rules.codes import ALREADY_CLAIMED, BALANCE_CAP, MAX_BALANCE, OK

if TYPE_CHECKING:
    from collections.abc import Sequence


def day_of(at_us: int) -> int:
    """Number the UTC day of a time.

    Args:
        at_us: Microseconds since the epoch, UTC.

    Returns:
        Whole days since the epoch.
    """
    return at_us // DAY_US


def counted_today(day: int, counted_day: int, count: int) -> int:
    """Read a counter that starts anew each UTC day.

    Args:
        day: The present day.
        counted_day: The day that the stored count belongs to.
        count: The stored count.

    Returns:
        The count of today: 0 on a later day. A clock that went backwards does not empty it; store
        ``max(day, counted_day)`` beside the new count.
    """
    if day > counted_day:
        return 0
    return count


def claim(
    now_us: int,
    last_claim_us: int,
    streak: int,
    gold: int,
    gems: int,
    gold_cycle: Sequence[int],
    gems_cycle: Sequence[int],
    window_h: int,
) -> tuple[int, int, int, int, int, int]:
    """Decide the daily claim: once per UTC day.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        last_claim_us: The last claim; NEVER before the first.
        streak: Claims in a row before this one.
        gold: Balance before, in gold.
        gems: Balance before, in gems.
        gold_cycle: Gold of each day of the cycle, not empty.
        gems_cycle: Gems of each day, of the same length.
        window_h: Hours after the last claim within which the streak still grows.

    Returns:
        OK, ALREADY_CLAIMED (also when the clock went backwards) or BALANCE_CAP; balance in gold; balance in
        gems; streak; gold and gems of the reward (0 unless the code is OK). The first three are unchanged
        unless the code is OK.
    """
    streak_now = 1
    if last_claim_us != NEVER:
        days = now_us // DAY_US - last_claim_us // DAY_US
        if days < 1:
            return ALREADY_CLAIMED, gold, gems, streak, 0, 0
        if days == 1 or now_us - last_claim_us <= window_h * HOUR_US:  # Before ``streak_ends_us``.
            streak_now = streak + 1
    index = (streak_now - 1) % len(gold_cycle)
    reward_gold = gold_cycle[index]
    reward_gems = gems_cycle[index]
    if reward_gold > MAX_BALANCE - gold or reward_gems > MAX_BALANCE - gems:
        return BALANCE_CAP, gold, gems, streak, 0, 0
    return OK, gold + reward_gold, gems + reward_gems, streak_now, reward_gold, reward_gems


def next_claim_us(last_claim_us: int) -> int:
    """Find when the next claim is possible.

    Args:
        last_claim_us: The last claim; NEVER before the first.

    Returns:
        The first microsecond of the UTC day after it; 0 before the first claim.
    """
    if last_claim_us == NEVER:
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
