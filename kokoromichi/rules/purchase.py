"""Items that are bought, sold, used, given and filled up again: counts and what they cost."""

from __future__ import annotations

from typing import Final

from kokoromichi.core.models import HOUR_US
from kokoromichi.rules.codes import (
    ALREADY_ACTIVE,
    BAD_QUANTITY,
    BALANCE_CAP,
    MAX_BALANCE,
    NOT_FOR_SALE,
    NOT_OWNED,
    OK,
    OVER_LIMIT,
    TOO_POOR,
)
from kokoromichi.rules.pricing import resale_gold

MAX_DURATION_H: Final = 8_760
"""The longest effect, a year."""


def purchase(gold: int, owned: int, price_gold: int, quantity: int, limit: int) -> tuple[int, int, int]:
    """Decide one purchase.

    Args:
        gold: Balance before, in gold.
        owned: Units held before.
        price_gold: Price of one unit, in gold; below 1 nothing is sold.
        quantity: Units wanted, any integer of 64 bits.
        limit: Most units a player may hold; NO_LIMIT for none.

    Returns:
        OK, BAD_QUANTITY, OVER_LIMIT, NOT_FOR_SALE or TOO_POOR, and balance and units held afterwards; both
        unchanged unless the code is OK.
    """
    if quantity < 1:
        return BAD_QUANTITY, gold, owned
    if quantity > limit - owned:
        return OVER_LIMIT, gold, owned
    if price_gold < 1:
        return NOT_FOR_SALE, gold, owned
    if quantity > gold // price_gold:  # Divided: the product of two unchecked numbers may leave int64.
        return TOO_POOR, gold, owned
    return OK, gold - price_gold * quantity, owned + quantity


def sell(
    gold: int, owned: int, paid_gold: int, price_gold: int, quantity: int, resale_percent: int
) -> tuple[int, int, int]:
    """Decide one sale back to the store.

    Args:
        gold: Balance before, in gold.
        owned: Units held before.
        paid_gold: What was paid for all the units held, in gold, at least 0.
        price_gold: Price of one unit, in gold, at most ``MAX_BALANCE``.
        quantity: Units offered, any integer of 64 bits.
        resale_percent: What a sale pays, in percent of the smaller of the price and the average paid.

    Returns:
        OK, BAD_QUANTITY, NOT_OWNED (fewer are held), NOT_FOR_SALE (a unit is worth less than 1 gold) or
        BALANCE_CAP, and balance and units held afterwards; both unchanged unless the code is OK.
    """
    if quantity < 1:
        return BAD_QUANTITY, gold, owned
    if quantity > owned:
        return NOT_OWNED, gold, owned
    unit_gold = resale_gold(min(price_gold, paid_gold // owned), resale_percent)
    if unit_gold < 1:
        return NOT_FOR_SALE, gold, owned
    if quantity > (MAX_BALANCE - gold) // unit_gold:
        return BALANCE_CAP, gold, owned
    return OK, gold + unit_gold * quantity, owned - quantity


def take_item(owned: int, quantity: int) -> tuple[int, int]:
    """Take units away: what a use consumes, or a giver loses.

    Args:
        owned: Units held before.
        quantity: Units to take, any integer of 64 bits.

    Returns:
        OK, BAD_QUANTITY or NOT_OWNED (fewer are held), and units held afterwards.
    """
    if quantity < 1:
        return BAD_QUANTITY, owned
    if quantity > owned:
        return NOT_OWNED, owned
    return OK, owned - quantity


def give_item(owned: int, quantity: int, limit: int) -> tuple[int, int]:
    """Add units: what a receiver gains.

    Args:
        owned: Units held before.
        quantity: Units to add, any integer of 64 bits.
        limit: Most units a player may hold; NO_LIMIT for none.

    Returns:
        OK, BAD_QUANTITY or OVER_LIMIT, and units held afterwards.
    """
    if quantity < 1:
        return BAD_QUANTITY, owned
    if quantity > limit - owned:
        return OVER_LIMIT, owned
    return OK, owned + quantity


def gift(giver_owned: int, receiver_owned: int, quantity: int, limit: int) -> tuple[int, int, int]:
    """Decide one gift from player to player: all or nothing.

    Args:
        giver_owned: Units the giver holds before.
        receiver_owned: Units the receiver holds before.
        quantity: Units given, any integer of 64 bits.
        limit: Most units the receiver may hold; NO_LIMIT for none.

    Returns:
        OK, BAD_QUANTITY, NOT_OWNED (the giver holds fewer) or OVER_LIMIT (of the receiver), and the units
        of giver and receiver afterwards; both unchanged unless the code is OK.
    """
    code, giver_left = take_item(giver_owned, quantity)
    if code != OK:
        return code, giver_owned, receiver_owned
    code, receiver_held = give_item(receiver_owned, quantity, limit)
    if code != OK:
        return code, giver_owned, receiver_owned
    return OK, giver_left, receiver_held


def activate(now_us: int, until_us: int, duration_h: int) -> tuple[int, int]:
    """Start an effect that lasts: a charm for 24 hours.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        until_us: When the same effect ends that runs or ran; NEVER if it never did.
        duration_h: How long it lasts, in hours; above ``MAX_DURATION_H`` it counts as that.

    Returns:
        OK or ALREADY_ACTIVE, and when the effect ends (it runs while ``now_us < until_us``); one that still
        runs is neither lengthened nor renewed.
    """
    if now_us < until_us:
        return ALREADY_ACTIVE, until_us
    return OK, now_us + min(duration_h, MAX_DURATION_H) * HOUR_US


def restocked(stock: int, initial_stock: int, restock_units: int) -> int:
    """Compute what one restocking adds.

    Args:
        stock: Units left.
        initial_stock: Units the store began with, which no restocking exceeds.
        restock_units: Units that one restocking may add.

    Returns:
        Units to add, at least 0.
    """
    return max(0, min(restock_units, initial_stock - stock))
