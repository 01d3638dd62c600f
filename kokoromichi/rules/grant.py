"""What is given and taken without a price: the opening, an admin's grant, the way back to the opening."""

from __future__ import annotations

from typing import NamedTuple

from kokoromichi.rules.codes import BAD_AMOUNT, BALANCE_CAP, MAX_BALANCE, NOT_OWNED, OK, OVER_LIMIT, TOO_POOR
from kokoromichi.rules.holding import paid_for, paid_left, paid_with
from kokoromichi.rules.pricing import capped_product


class MoneyGrant(NamedTuple):
    """What a grant of gold or gems came to; on a refusal everything is as before, and nothing moves.

    Attributes:
        code: What the rule says.
        balance: Afterwards.
        moved: What enters it; below 0 what leaves it.
    """

    code: int
    balance: int
    moved: int


class ItemGrant(NamedTuple):
    """What a grant of units came to; on a refusal everything is as before, and nothing moves.

    Attributes:
        code: What the rule says.
        owned: Units held afterwards.
        paid_gold: What was paid for them, in gold, or PAID_UNKNOWN.
        moved_units: Units that enter the holding; below 0 those that leave it.
    """

    code: int
    owned: int
    paid_gold: int
    moved_units: int


class Balances(NamedTuple):
    """Where an opening, or a way back to it, puts both balances.

    Attributes:
        code: OK.
        gold: Balance afterwards, in gold.
        gems: Balance afterwards, in gems.
        moved_gold: What enters the balance, in gold; below 0 what leaves it.
        moved_gems: The same in gems.
    """

    code: int
    gold: int
    gems: int
    moved_gold: int
    moved_gems: int


def is_opening_due(version: int, opening_due: int) -> int:
    """Tell whether a player's next act books the opening.

    Args:
        version: Commits so far; 0 for a player who is not stored.
        opening_due: 1 while an account that something else has made waits for it.

    Returns:
        1 or 0.
    """
    return 1 if version < 1 or opening_due > 0 else 0


def open_account(gold: int, gems: int, opening_gold: int, opening_gems: int) -> Balances:
    """Pay the opening.

    Args:
        gold: Balance before, in gold: what others sent meanwhile.
        gems: Balance before, in gems.
        opening_gold: What a player begins with, in gold, 0 to ``MAX_BALANCE``.
        opening_gems: The same in gems.

    Returns:
        Both balances, neither raised above ``MAX_BALANCE``.
    """
    paid_gold = min(opening_gold, max(0, MAX_BALANCE - gold))
    paid_gems = min(opening_gems, max(0, MAX_BALANCE - gems))
    return Balances(OK, gold + paid_gold, gems + paid_gems, paid_gold, paid_gems)


def reset_money(gold: int, gems: int, opening_gold: int, opening_gems: int) -> Balances:
    """Put both balances back to the opening.

    Args:
        gold: Balance before, in gold.
        gems: Balance before, in gems.
        opening_gold: What a player begins with, in gold.
        opening_gems: The same in gems.

    Returns:
        The opening's balances.
    """
    return Balances(OK, opening_gold, opening_gems, opening_gold - gold, opening_gems - gems)


def reset_item(owned: int) -> ItemGrant:
    """Take a whole holding away, with whatever was paid for it.

    Args:
        owned: Units held before, at least 0.

    Returns:
        An empty holding.
    """
    return ItemGrant(OK, 0, 0, -owned)


def grant_money(balance: int, amount: int) -> MoneyGrant:
    """Add to a balance, or take from it.

    Args:
        balance: Before, in gold or gems.
        amount: What is added; below 0 what is taken; any integer of 64 bits.

    Returns:
        OK, BAD_AMOUNT (0), TOO_POOR or BALANCE_CAP.
    """
    code = OK
    if amount == 0:
        code = BAD_AMOUNT
    elif amount < -balance:
        code = TOO_POOR
    elif amount > 0 and amount > MAX_BALANCE - balance:
        code = BALANCE_CAP
    if code != OK:
        return MoneyGrant(code, balance, 0)
    return MoneyGrant(OK, balance + amount, amount)


def grant_item(owned: int, paid_gold: int, list_price_gold: int, amount: int, limit: int) -> ItemGrant:
    """Add units, which enter at the list price, or take some with their share of what was paid.

    Args:
        owned: Units held before.
        paid_gold: What was paid for them, in gold, or PAID_UNKNOWN.
        list_price_gold: List price of one unit, in gold, at least 0.
        amount: Units added; below 0 units taken; any integer of 64 bits.
        limit: Most units a player may hold; NO_LIMIT for none.

    Returns:
        OK, BAD_AMOUNT (0), NOT_OWNED (fewer are held) or OVER_LIMIT.
    """
    code = OK
    if amount == 0:
        code = BAD_AMOUNT
    elif amount < -owned:
        code = NOT_OWNED
    elif amount > 0 and amount > limit - owned:
        code = OVER_LIMIT
    if code != OK:
        return ItemGrant(code, owned, paid_gold, 0)
    spent_gold = paid_for(owned, paid_gold, list_price_gold)
    if amount > 0:
        spent_gold = paid_with(spent_gold, capped_product(amount, list_price_gold))
    else:
        spent_gold = paid_left(owned, spent_gold, -amount)
    return ItemGrant(OK, owned + amount, spent_gold, amount)
