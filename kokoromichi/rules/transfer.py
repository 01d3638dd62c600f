"""Gold from player to player, and any balance that grows or shrinks by a stated amount."""

from __future__ import annotations

from kokoromichi.rules.codes import BAD_AMOUNT, BALANCE_CAP, DAILY_CAP, MAX_BALANCE, OK, TOO_POOR
from kokoromichi.rules.pricing import fee_gold


def send(
    sender_gold: int,
    receiver_gold: int,
    amount: int,
    fee_percent: int,
    sent_today: int,
    daily_cap_gold: int,
) -> tuple[int, int, int, int, int]:
    """Decide one transfer: both balances move, or none.

    Args:
        sender_gold: The sender's balance before, in gold.
        receiver_gold: The receiver's balance before, in gold.
        amount: Gold that leaves the sender, the fee included; any integer of 64 bits.
        fee_percent: The fee, 0 to 100, rounded up to whole gold and burned.
        sent_today: Gold the sender has sent this UTC day, fees included (``daily.counted_today``).
        daily_cap_gold: Most gold a player may send a day.

    Returns:
        OK, BAD_AMOUNT (below 1, or nothing would arrive), TOO_POOR, DAILY_CAP or BALANCE_CAP (of the
        receiver); the sender's balance; the receiver's balance; the fee (0 unless the code is OK); gold sent
        today. Balances and ``sent_today`` are unchanged unless the code is OK.
    """
    if amount < 1:
        return BAD_AMOUNT, sender_gold, receiver_gold, 0, sent_today
    if amount > sender_gold:
        return TOO_POOR, sender_gold, receiver_gold, 0, sent_today
    if amount > daily_cap_gold - sent_today:
        return DAILY_CAP, sender_gold, receiver_gold, 0, sent_today
    fee = fee_gold(amount, fee_percent)
    net = amount - fee
    if net < 1:
        return BAD_AMOUNT, sender_gold, receiver_gold, 0, sent_today
    if net > MAX_BALANCE - receiver_gold:
        return BALANCE_CAP, sender_gold, receiver_gold, 0, sent_today
    return OK, sender_gold - amount, receiver_gold + net, fee, sent_today + amount


def credit(balance: int, amount: int) -> tuple[int, int]:
    """Add to a balance what another rule has granted: income, a chest's gold, an admin's grant.

    Args:
        balance: Balance before, in any currency.
        amount: What is added, any integer of 64 bits.

    Returns:
        OK, BAD_AMOUNT (below 1) or BALANCE_CAP, and the balance afterwards.
    """
    if amount < 1:
        return BAD_AMOUNT, balance
    if amount > MAX_BALANCE - balance:
        return BALANCE_CAP, balance
    return OK, balance + amount


def debit(balance: int, amount: int) -> tuple[int, int]:
    """Take from a balance: a price that was agreed elsewhere, an admin's correction.

    Args:
        balance: Balance before, in any currency.
        amount: What is taken, any integer of 64 bits.

    Returns:
        OK, BAD_AMOUNT (below 1) or TOO_POOR, and the balance afterwards.
    """
    if amount < 1:
        return BAD_AMOUNT, balance
    if amount > balance:
        return TOO_POOR, balance
    return OK, balance - amount
