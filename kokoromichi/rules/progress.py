"""Levels, training and businesses: what a player builds up and what that costs and pays."""

from __future__ import annotations

from math import gcd
from typing import Final

from kokoromichi.core.models import DAY_US, HOUR_US
from kokoromichi.rules.codes import ALREADY_OWNED, MAX_BALANCE, NOT_FOR_SALE, NOTHING_TO_COLLECT, OK, TOO_POOR
from kokoromichi.rules.pricing import percent_of, train_cost_gold

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


def train(
    gold: int,
    level: int,
    xp: int,
    price_gold: int,
    growth_percent: int,
    session_xp: int,
    xp_percent: int,
    per_level: int,
) -> tuple[int, int, int, int, int]:
    """Decide one training session.

    Args:
        gold: Balance before, in gold.
        level: Level before, at least 1.
        xp: XP within that level.
        price_gold: Price of a session at level 1, in gold.
        growth_percent: What each further level adds to the price, in percent.
        session_xp: XP of a session.
        xp_percent: Share of it that this session gives: 100, or 200 with a training manual.
        per_level: The next level takes this times the level, in XP.

    Returns:
        OK or TOO_POOR; balance, level and XP within it afterwards; the price of this session at the level
        before, also when it was refused.
    """
    cost_gold = train_cost_gold(level, price_gold, growth_percent)
    if cost_gold > gold:
        return TOO_POOR, gold, level, xp, cost_gold
    level, xp = add_xp(level, xp, percent_of(session_xp, xp_percent), per_level)
    return OK, gold - cost_gold, level, xp, cost_gold


def invest(gold: int, price_gold: int, owned: int) -> tuple[int, int, int]:
    """Decide the purchase of a business: one of each.

    Args:
        gold: Balance before, in gold.
        price_gold: Its price, in gold; below 1 it is not sold.
        owned: 1 when the player has it already, else 0.

    Returns:
        OK, ALREADY_OWNED, NOT_FOR_SALE or TOO_POOR; the balance afterwards; 1 when it is owned afterwards.
    """
    if owned > 0:
        return ALREADY_OWNED, gold, owned
    if price_gold < 1:
        return NOT_FOR_SALE, gold, owned
    if price_gold > gold:
        return TOO_POOR, gold, owned
    return OK, gold - price_gold, 1


def collect(
    now_us: int,
    last_collected_us: int,
    income_gold_per_day: int,
    max_hours: int,
    upkeep_percent: int,
) -> tuple[int, int, int, int]:
    """Collect what one business has earned.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        last_collected_us: Since when it has earned: the purchase, then the time of the answer before.
        income_gold_per_day: What it earns, in gold a day, at least 0; above ``MAX_INCOME_GOLD`` it counts as
            that.
        max_hours: Hours after which it stops earning until collected.
        upkeep_percent: Share of what is collected that upkeep takes, 0 to 100.

    Returns:
        OK or NOTHING_TO_COLLECT (less than one whole gold, or the clock went backwards); income; upkeep,
        which the caller books as a sink beside it; the new ``last_collected_us``. Only amounts are paid that
        the upkeep divides without a rest (pairs of gold at 50 %), and the time moves on by what they took to
        earn: the remainder stays, so that collecting often or seldom pays and burns the same, and a second
        click pays nothing.
    """
    per_day = min(income_gold_per_day, MAX_INCOME_GOLD)
    since_us = max(last_collected_us, now_us - max_hours * HOUR_US)
    days = (now_us - since_us) // DAY_US
    earned_gold = days * per_day + (now_us - since_us) % DAY_US * per_day // DAY_US
    income_gold = earned_gold - earned_gold % (100 // gcd(100, upkeep_percent))
    if income_gold < 1:
        return NOTHING_TO_COLLECT, 0, 0, last_collected_us
    part_us = (income_gold % per_day * DAY_US + per_day - 1) // per_day
    paid_until_us = since_us + income_gold // per_day * DAY_US + part_us
    return OK, income_gold, percent_of(income_gold, upkeep_percent), paid_until_us
