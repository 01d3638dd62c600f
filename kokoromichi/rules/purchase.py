"""Items that are bought, sold back and given: units, gold, and what was paid for them."""

from __future__ import annotations

from typing import Final, NamedTuple

from kokoromichi.rules.codes import (
    BAD_QUANTITY,
    BALANCE_CAP,
    MAX_BALANCE,
    NO_LIMIT,
    NOT_FOR_SALE,
    NOT_OWNED,
    OK,
    OVER_LIMIT,
    PRICE_CHANGED,
    TOO_POOR,
)
from kokoromichi.rules.holding import paid_for, paid_left, paid_with, share_gold
from kokoromichi.rules.pricing import resale_gold

ANY_PRICE: Final = -1
"""What a buyer expects who was shown no price."""


class Trade(NamedTuple):
    """What a purchase or a sale came to; on a refusal everything is as before, and nothing moves.

    Attributes:
        code: What the rule says.
        gold: Balance afterwards, in gold.
        owned: Units held afterwards.
        paid_gold: What was paid for them, in gold, or PAID_UNKNOWN.
        moved_gold: What enters the balance, in gold; below 0 what leaves it.
        moved_units: Units that enter the holding; below 0 those that leave it.
    """

    code: int
    gold: int
    owned: int
    paid_gold: int
    moved_gold: int
    moved_units: int


class Gift(NamedTuple):
    """What a gift came to; on a refusal everything is as before, and nothing moves.

    Attributes:
        code: What the rule says.
        owned: Units the giver holds afterwards.
        paid_gold: What was paid for these, in gold, or PAID_UNKNOWN.
        received: Units the receiver holds afterwards.
        received_paid_gold: What was paid for those, in gold, or PAID_UNKNOWN.
        given_units: Units that enter the giver's holding: below 0.
        taken_units: Units that enter the receiver's.
    """

    code: int
    owned: int
    paid_gold: int
    received: int
    received_paid_gold: int
    given_units: int
    taken_units: int


def purchase(
    gold: int,
    owned: int,
    paid_gold: int,
    price_gold: int,
    list_price_gold: int,
    quantity: int,
    limit: int,
    expected_price_gold: int,
) -> Trade:
    """Decide one purchase. Whether the stock suffices is decided when it is stored.

    Args:
        gold: Balance before, in gold.
        owned: Units held before.
        paid_gold: What was paid for them, in gold, or PAID_UNKNOWN.
        price_gold: Price of one unit, in gold; below 1 nothing is sold.
        list_price_gold: Its list price, in gold, at least 0.
        quantity: Units wanted, any integer of 64 bits.
        limit: Most units a player may hold; NO_LIMIT for none.
        expected_price_gold: The price that the buyer was shown, or ANY_PRICE.

    Returns:
        OK, PRICE_CHANGED, BAD_QUANTITY, OVER_LIMIT, NOT_FOR_SALE or TOO_POOR. Without a limit, OVER_LIMIT is
        said only to those who could pay for more units than anybody may hold.
    """
    code = OK
    if expected_price_gold not in (ANY_PRICE, price_gold):
        code = PRICE_CHANGED
    elif quantity < 1:
        code = BAD_QUANTITY
    elif limit != NO_LIMIT and quantity > limit - owned:
        code = OVER_LIMIT
    elif price_gold < 1:
        code = NOT_FOR_SALE
    elif quantity > gold // price_gold:  # Divided: the product of two unchecked numbers may leave int64.
        code = TOO_POOR
    elif quantity > limit - owned:
        code = OVER_LIMIT
    if code != OK:
        return Trade(code, gold, owned, paid_gold, 0, 0)
    cost_gold = price_gold * quantity
    paid_gold = paid_with(paid_for(owned, paid_gold, list_price_gold), cost_gold)
    return Trade(OK, gold - cost_gold, owned + quantity, paid_gold, -cost_gold, quantity)


def total_gold(price_gold: int, quantity: int) -> int:
    """What any number of units costs, in gold, for people to read: not compiled, and without a bound."""
    return price_gold * quantity


def sell(
    gold: int,
    owned: int,
    paid_gold: int,
    price_gold: int,
    list_price_gold: int,
    quantity: int,
    resale_percent: int,
) -> Trade:
    """Decide one sale back to the store.

    Args:
        gold: Balance before, in gold.
        owned: Units held before.
        paid_gold: What was paid for them, in gold, or PAID_UNKNOWN.
        price_gold: Price of one unit, in gold, at most ``MAX_BALANCE``.
        list_price_gold: Its list price, in gold, at least 0.
        quantity: Units offered, any integer of 64 bits.
        resale_percent: What a sale pays, in percent of the smaller of the price and the average paid.

    Returns:
        OK, BAD_QUANTITY, NOT_OWNED (fewer are held), NOT_FOR_SALE (a unit is worth less than 1 gold) or
        BALANCE_CAP.
    """
    if quantity < 1:
        return Trade(BAD_QUANTITY, gold, owned, paid_gold, 0, 0)
    if quantity > owned:
        return Trade(NOT_OWNED, gold, owned, paid_gold, 0, 0)
    spent_gold = paid_for(owned, paid_gold, list_price_gold)
    unit_gold = resale_gold(min(price_gold, spent_gold // owned), resale_percent)
    if unit_gold < 1:
        return Trade(NOT_FOR_SALE, gold, owned, paid_gold, 0, 0)
    if quantity > (MAX_BALANCE - gold) // unit_gold:
        return Trade(BALANCE_CAP, gold, owned, paid_gold, 0, 0)
    proceeds_gold = unit_gold * quantity
    left_gold = paid_left(owned, spent_gold, quantity)
    return Trade(OK, gold + proceeds_gold, owned - quantity, left_gold, proceeds_gold, -quantity)


def gift(
    owned: int,
    paid_gold: int,
    received: int,
    received_paid_gold: int,
    list_price_gold: int,
    quantity: int,
    limit: int,
) -> Gift:
    """Decide one gift from player to player: all or nothing, with what was paid for it.

    Args:
        owned: Units the giver holds before.
        paid_gold: What was paid for them, in gold, or PAID_UNKNOWN.
        received: Units the receiver holds before.
        received_paid_gold: What was paid for those, in gold, or PAID_UNKNOWN.
        list_price_gold: List price of one unit, in gold, at least 0.
        quantity: Units given, any integer of 64 bits.
        limit: Most units the receiver may hold; NO_LIMIT for none.

    Returns:
        OK, BAD_QUANTITY, NOT_OWNED (the giver holds fewer) or OVER_LIMIT (of the receiver).
    """
    code = OK
    if quantity < 1:
        code = BAD_QUANTITY
    elif quantity > owned:
        code = NOT_OWNED
    elif quantity > limit - received:
        code = OVER_LIMIT
    if code != OK:
        return Gift(code, owned, paid_gold, received, received_paid_gold, 0, 0)
    spent_gold = paid_for(owned, paid_gold, list_price_gold)
    carried_gold = min(share_gold(owned, spent_gold, quantity), MAX_BALANCE)
    kept_gold = paid_with(paid_for(received, received_paid_gold, list_price_gold), carried_gold)
    left_gold = paid_left(owned, spent_gold, quantity)
    return Gift(OK, owned - quantity, left_gold, received + quantity, kept_gold, -quantity, quantity)
