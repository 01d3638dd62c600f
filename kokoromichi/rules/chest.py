"""What a chest holds: a share of its configured worth, never of a price, or a sale would pay for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kokoromichi.rules.draws import below
from kokoromichi.rules.pricing import percent_of

if TYPE_CHECKING:
    from collections.abc import Sequence


def payout(draw: int, worth_gold: int, payout_percent: Sequence[int], chance_percent: Sequence[int]) -> int:
    """Open one chest.

    Args:
        draw: A draw of 32 bits.
        worth_gold: The chest's configured worth, in gold, at most ``MAX_BALANCE``.
        payout_percent: The shares of it that a chest may hold, each 0 to 1,000.
        chance_percent: The chance of each, of the same length; they sum to 100.

    Returns:
        Gold, rounded down; what the chances leave over goes to the last share.
    """
    roll = below(draw, 100)
    row = 0
    while row < len(payout_percent) - 1 and roll >= chance_percent[row]:
        roll -= chance_percent[row]
        row += 1
    return percent_of(worth_gold, payout_percent[row])
