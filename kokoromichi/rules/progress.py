"""Levels, training and businesses: what a player builds up and what that costs and pays."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING, Final, NamedTuple

from kokoromichi.core.models import DAY_US, HOUR_US, NEVER
from kokoromichi.rules.codes import (
    ALREADY_OWNED,
    BALANCE_CAP,
    MAX_BALANCE,
    NOT_FOR_SALE,
    NOTHING_TO_COLLECT,
    OK,
    TOO_POOR,
)
from kokoromichi.rules.daily import day_of
from kokoromichi.rules.moments import is_ahead
from kokoromichi.rules.pricing import percent_of, train_cost_gold

if TYPE_CHECKING:
    from collections.abc import MutableSequence, Sequence

MAX_LEVEL: Final = 10_000
"""The last level, far beyond play (5 billion XP away): it bounds the loop of ``add_xp``."""

MAX_INCOME_GOLD: Final = 10**8
"""The most that a business earns a day: beyond, accrual to the microsecond would leave int64."""


def add_xp(level: int, xp: int, gained: int, per_level: int) -> tuple[int, int]:
    """Turn XP into levels.

    Args:
        level: Level before, at least 1.
        xp: XP within that level.
        gained: XP gained; below 1 changes nothing.
        per_level: The next level takes this times the level, in XP, at least 1.

    Returns:
        Level and XP within it afterwards. At ``MAX_LEVEL`` XP only heaps up, to ``MAX_BALANCE``.
    """
    if gained < 1:
        return level, xp
    if gained > MAX_BALANCE - xp:
        xp = MAX_BALANCE
    else:
        xp += gained
    while level < MAX_LEVEL and xp >= per_level * level:
        xp -= per_level * level
        level += 1
    return level, xp


class Trained(NamedTuple):
    """What a training session came to; on a refusal everything is as before, and nothing moved.

    Attributes:
        code: OK or TOO_POOR.
        gold: Balance afterwards, in gold.
        level: Level afterwards.
        xp: XP within it afterwards.
        double_train: 1 while the next session gives double XP: 0 after every one.
        moved_gold: Gold that moved, at most 0.
        xp_gained: XP of the session.
    """

    code: int
    gold: int
    level: int
    xp: int
    double_train: int
    moved_gold: int
    xp_gained: int


def train(
    gold: int,
    level: int,
    xp: int,
    double_train: int,
    price_gold: int,
    growth_percent: int,
    session_xp: int,
    manual_percent: int,
    per_level: int,
) -> Trained:
    """Decide one training session.

    Args:
        gold: Balance before, in gold.
        level: Level before, at least 1.
        xp: XP within that level.
        double_train: 1 when a training manual was used for this session, else 0.
        price_gold: Price of a session at level 1, in gold.
        growth_percent: What each further level adds to the price, in percent.
        session_xp: XP of a session.
        manual_percent: Share of it that a session with a training manual gives.
        per_level: The next level takes this times the level, in XP.

    Returns:
        The session; its price is ``train_cost_gold``.
    """
    cost_gold = train_cost_gold(level, price_gold, growth_percent)
    if cost_gold > gold:
        return Trained(TOO_POOR, gold, level, xp, double_train, 0, 0)
    gained = percent_of(session_xp, manual_percent) if double_train > 0 else session_xp
    level, xp = add_xp(level, xp, gained, per_level)
    return Trained(OK, gold - cost_gold, level, xp, 0, -cost_gold, gained)


class Invested(NamedTuple):
    """What the purchase of a business came to; on a refusal nothing moved.

    Attributes:
        code: OK, ALREADY_OWNED, NOT_FOR_SALE or TOO_POOR.
        gold: Balance afterwards, in gold.
        since_us: Since when it earns; NEVER on a refusal.
        moved_gold: Gold that moved, at most 0.
    """

    code: int
    gold: int
    since_us: int
    moved_gold: int


def invest(now_us: int, gold: int, price_gold: int, owned: int) -> Invested:
    """Decide the purchase of a business: one of each.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        gold: Balance before, in gold.
        price_gold: Its price, in gold; below 1 it is not sold.
        owned: 1 when the player has it already, else 0.

    Returns:
        The purchase.
    """
    if owned > 0:
        return Invested(ALREADY_OWNED, gold, NEVER, 0)
    if price_gold < 1:
        return Invested(NOT_FOR_SALE, gold, NEVER, 0)
    if price_gold > gold:
        return Invested(TOO_POOR, gold, NEVER, 0)
    return Invested(OK, gold - price_gold, now_us, -price_gold)


def earning_since_us(now_us: int, since_us: int) -> int:
    """Say since when a business earns.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        since_us: The moment that is stored.

    Returns:
        That moment; the beginning of the UTC day where it is ahead of the clock, so that one which was wrong
        costs a business no more than it pays: less than a day's income, once.
    """
    return day_of(now_us) * DAY_US if is_ahead(now_us, since_us) else since_us


def accrued(
    now_us: int,
    since_us: int,
    income_gold_per_day: int,
    max_hours: int,
    upkeep_percent: int,
) -> tuple[int, int, int]:
    """Compute what one business has earned.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        since_us: Since when it has earned: the purchase, then the time of the answer before; see
            ``earning_since_us``.
        income_gold_per_day: What it earns, in gold a day, at least 0; above ``MAX_INCOME_GOLD`` it counts as
            that.
        max_hours: Hours after which it stops earning until collected.
        upkeep_percent: Share of what is collected that upkeep takes, 0 to 100.

    Returns:
        Income, 0 where that is less than one whole gold; upkeep; the new ``since_us``. Only amounts are paid
        that the upkeep divides without a rest (pairs of gold at 50 %), and the time moves on by what they
        took to earn: the remainder stays, so that collecting often or seldom pays and burns the same, and a
        second click pays nothing.
    """
    per_day = min(income_gold_per_day, MAX_INCOME_GOLD)
    start_us = max(earning_since_us(now_us, since_us), now_us - max_hours * HOUR_US)
    days = (now_us - start_us) // DAY_US
    earned_gold = days * per_day + (now_us - start_us) % DAY_US * per_day // DAY_US
    income_gold = earned_gold - earned_gold % (100 // gcd(100, upkeep_percent))
    if income_gold < 1:
        return 0, 0, since_us
    part_us = (income_gold % per_day * DAY_US + per_day - 1) // per_day
    paid_until_us = start_us + income_gold // per_day * DAY_US + part_us
    return income_gold, percent_of(income_gold, upkeep_percent), paid_until_us


def waiting_gold(
    now_us: int,
    since_us: int,
    income_gold_per_day: int,
    max_hours: int,
    upkeep_percent: int,
) -> int:
    """Compute what a collection would leave of what one business has earned; see ``accrued``.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        since_us: Since when it has earned; NEVER where it is not owned.
        income_gold_per_day: What it earns, in gold a day, at least 0.
        max_hours: Hours after which it stops earning until collected.
        upkeep_percent: Share of what is collected that upkeep takes, 0 to 100.

    Returns:
        Gold after upkeep; 0 where it is not owned.
    """
    if since_us == NEVER:
        return 0
    income_gold, upkeep_gold, _ = accrued(now_us, since_us, income_gold_per_day, max_hours, upkeep_percent)
    return income_gold - upkeep_gold


def full_us(now_us: int, since_us: int, max_hours: int) -> int:
    """Say when a business stops earning until it is collected.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        since_us: Since when it has earned; NEVER where it is not owned.
        max_hours: Hours after which it stops.

    Returns:
        Microseconds since the epoch; NEVER where it is not owned.
    """
    if since_us == NEVER:
        return NEVER
    return earning_since_us(now_us, since_us) + max_hours * HOUR_US


class Collected(NamedTuple):
    """What a collection came to; on a refusal the balance is as before, and nothing moved.

    Attributes:
        code: OK, NOTHING_TO_COLLECT or BALANCE_CAP.
        gold: Balance afterwards, in gold.
        income_gold: What all businesses earned, at least 0.
        upkeep_gold: What is burned of it, at most 0.
    """

    code: int
    gold: int
    income_gold: int
    upkeep_gold: int


def collect(
    now_us: int,
    gold: int,
    since_us: Sequence[int],
    income_gold_per_day: Sequence[int],
    until_us: MutableSequence[int],
    max_hours: int,
    upkeep_percent: int,
) -> Collected:
    """Collect what all businesses of a player have earned; see ``accrued``.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        gold: Balance before, in gold.
        since_us: Since when each business has earned.
        income_gold_per_day: What each earns, in gold a day.
        until_us: As long as ``since_us``; receives since when each earns afterwards, where the code is OK.
        max_hours: Hours after which a business stops earning until collected.
        upkeep_percent: Share of what is collected that upkeep takes, 0 to 100.

    Returns:
        The collection.
    """
    income_gold, upkeep_gold = 0, 0
    for place in range(len(since_us)):
        earned_gold, burned_gold, until_us[place] = accrued(
            now_us, since_us[place], income_gold_per_day[place], max_hours, upkeep_percent
        )
        income_gold += earned_gold
        upkeep_gold += burned_gold
    if income_gold < 1:
        return Collected(NOTHING_TO_COLLECT, gold, 0, 0)
    if income_gold > MAX_BALANCE - gold:
        return Collected(BALANCE_CAP, gold, 0, 0)
    return Collected(OK, gold + income_gold - upkeep_gold, income_gold, -upkeep_gold)
