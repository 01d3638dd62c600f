"""Shares of an amount, and the prices that follow from a level: integers, each with its way of rounding."""

from __future__ import annotations

from typing import Final

from kokoromichi.rules.codes import MAX_BALANCE

MAX_PERCENT: Final = 1_000
"""A larger share counts as this one: an effect's size has no bound, and no product may leave int64."""


def capped_product(count: int, each: int) -> int:
    """Multiply, up to the most that anybody may hold: any number of units at any price stays in int64.

    Args:
        count: How many, at least 0.
        each: What one is worth, at least 0.

    Returns:
        ``count x each``, at most ``MAX_BALANCE``.
    """
    if count > 0 and each > MAX_BALANCE // count:
        return MAX_BALANCE
    return count * each


def percent_of(amount: int, percent: int) -> int:
    """Take a share, rounded down.

    Args:
        amount: What the share is of, at least 0.
        percent: The share, at least 0; above ``MAX_PERCENT`` it counts as that.

    Returns:
        ``amount x percent / 100`` rounded down. The hundreds are taken apart first, so that no product
        leaves int64: any amount up to 100 percent, an amount up to ``MAX_BALANCE`` beyond.
    """
    percent = min(percent, MAX_PERCENT)
    return amount // 100 * percent + amount % 100 * percent // 100


def percent_up(amount: int, percent: int) -> int:
    """Take a share, rounded up: what a sink takes, so that many small acts do not dodge it.

    Args:
        amount: What the share is of, at least 0.
        percent: The share, at least 0; above ``MAX_PERCENT`` it counts as that.

    Returns:
        ``amount x percent / 100`` rounded up; the bounds of ``percent_of`` hold.
    """
    percent = min(percent, MAX_PERCENT)
    return amount // 100 * percent + (amount % 100 * percent + 99) // 100


def resale_gold(price_gold: int, resale_percent: int) -> int:
    """Value one unit that is sold back.

    Args:
        price_gold: The smaller of its price and of what was paid for it, in gold, 0 to ``MAX_BALANCE``.
        resale_percent: What a sale pays of that, in percent.

    Returns:
        Gold for one unit, rounded down. Each unit is rounded by itself, so that a sale is worth the same
        however it is split.
    """
    return percent_of(price_gold, resale_percent)


def fee_gold(amount: int, fee_percent: int) -> int:
    """Compute the fee of a transfer.

    Args:
        amount: Gold that leaves the sender, at least 0.
        fee_percent: The fee, 0 to 100.

    Returns:
        Gold that is burned, rounded up: twenty transfers of 1 gold cost no less than one of 20.
    """
    return percent_up(amount, fee_percent)


def train_cost_gold(level: int, price_gold: int, growth_percent: int) -> int:
    """Price one training session.

    Args:
        level: The player's level, at least 1.
        price_gold: Price at level 1, in gold.
        growth_percent: What each further level adds, in percent of the price at level 1.

    Returns:
        ``price x (1 + growth x (level - 1))`` in gold, rounded down; ``MAX_BALANCE`` once the product in
        hundredths passes it, so that nothing overflows.
    """
    percent = 100 + growth_percent * (level - 1)
    if price_gold > MAX_BALANCE // percent:
        return MAX_BALANCE
    return price_gold * percent // 100
