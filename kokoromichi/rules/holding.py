"""What was paid for the units that a player holds: it enters and leaves with them, and is never made.

Per item, over all players together, the gold from sales is at most the gold that was paid and the list worth
of what was granted or found. Every rounding here and in ``purchase.sell`` keeps that to the unit.
"""

from __future__ import annotations

from typing import Final

from kokoromichi.rules.codes import MAX_BALANCE
from kokoromichi.rules.pricing import capped_product

PAID_UNKNOWN: Final = -1
"""What was paid for units where nobody knows it: an older profile, an import, a document saved by a tool."""


def paid_for(owned: int, paid_gold: int, list_price_gold: int) -> int:
    """Tell what was paid for all the units held.

    Args:
        owned: Units held, at least 0.
        paid_gold: What is stored of it, in gold; ``PAID_UNKNOWN`` counts the units as bought at list price.
        list_price_gold: List price of one unit, in gold, at least 0, whatever an admin's price is.

    Returns:
        Gold, at least 0; nothing where no unit is held.
    """
    if owned < 1:
        return 0
    if paid_gold == PAID_UNKNOWN:
        return capped_product(owned, list_price_gold)
    return paid_gold


def paid_with(paid_gold: int, entering_gold: int) -> int:
    """Add what units that enter a holding bring along.

    Args:
        paid_gold: Paid for the units held before, in gold, at least 0.
        entering_gold: Paid for those that enter, in gold, 0 to ``MAX_BALANCE``.

    Returns:
        Paid for all of them, in gold, at most ``MAX_BALANCE``: what is beyond is forgotten.
    """
    if entering_gold > MAX_BALANCE - paid_gold:
        return MAX_BALANCE
    return paid_gold + entering_gold


def share_gold(owned: int, paid_gold: int, quantity: int) -> int:
    """Compute what leaves a holding with some of its units.

    Each unit carries a whole number of gold, and those that carry one gold more leave first. So the average
    of the rest, rounded down, is what it was, and a sale pays the same however it is split.

    Args:
        owned: Units held before, at least 1.
        paid_gold: Paid for all of them, in gold, at least 0.
        quantity: Units that leave, at least 0; more than ``owned`` count as all of them.

    Returns:
        Gold, 0 to ``paid_gold``; all of it when every unit leaves.
    """
    quantity = min(quantity, owned)
    return paid_gold // owned * quantity + min(paid_gold % owned, quantity)


def paid_left(owned: int, paid_gold: int, quantity: int) -> int:
    """Compute what stays with a holding when some of its units leave; see ``share_gold``."""
    return paid_gold - share_gold(owned, paid_gold, quantity)
