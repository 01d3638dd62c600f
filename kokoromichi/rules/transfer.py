"""Gold from player to player: an amount or a share of what the sender has, less a fee that is burned."""

from __future__ import annotations

from typing import NamedTuple

from kokoromichi.rules.codes import BAD_AMOUNT, BALANCE_CAP, DAILY_CAP, MAX_BALANCE, OK, TOO_POOR
from kokoromichi.rules.daily import counted_today, counting_day
from kokoromichi.rules.pricing import fee_gold


class Sent(NamedTuple):
    """What a transfer came to; on a refusal everything is as before, and nothing moved.

    Attributes:
        code: OK, BAD_AMOUNT (below 1, or nothing would arrive), TOO_POOR, DAILY_CAP or BALANCE_CAP (of the
            receiver).
        gold: The sender's balance afterwards, in gold.
        receiver_gold: The receiver's balance afterwards, in gold.
        sent_day: The UTC day of ``sent_gold_today``.
        sent_gold_today: What the sender has sent that day, fees included, in gold.
        left_gold: Gold of the sender that goes to the receiver, at most 0.
        fee_gold: Gold of the sender that is burned, at most 0.
        arrived_gold: Gold that the receiver gets, at least 0.
    """

    code: int
    gold: int
    receiver_gold: int
    sent_day: int
    sent_gold_today: int
    left_gold: int
    fee_gold: int
    arrived_gold: int


def send(
    now_us: int,
    gold: int,
    receiver_gold: int,
    amount: int,
    sent_day: int,
    sent_gold_today: int,
    fee_percent: int,
    daily_cap_gold: int,
) -> Sent:
    """Decide one transfer: both balances move, or none.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        gold: The sender's balance before, in gold.
        receiver_gold: The receiver's balance before, in gold.
        amount: Gold that leaves the sender, the fee included; any integer of 64 bits.
        sent_day: The UTC day that ``sent_gold_today`` belongs to.
        sent_gold_today: Gold the sender has sent that day, fees included.
        fee_percent: The fee, 0 to 100, rounded up to whole gold and burned.
        daily_cap_gold: Most gold a player may send a day.

    Returns:
        The transfer.
    """
    sent_today = counted_today(now_us, sent_day, sent_gold_today)
    fee = fee_gold(max(amount, 0), fee_percent)
    net = amount - fee
    code = OK
    if amount < 1:
        code = BAD_AMOUNT
    elif amount > gold:
        code = TOO_POOR
    elif amount > daily_cap_gold - sent_today:
        code = DAILY_CAP
    elif net < 1:
        code = BAD_AMOUNT
    elif net > MAX_BALANCE - receiver_gold:
        code = BALANCE_CAP
    if code != OK:
        return Sent(code, gold, receiver_gold, sent_day, sent_gold_today, 0, 0, 0)
    day = counting_day(now_us, sent_day)
    return Sent(OK, gold - amount, receiver_gold + net, day, sent_today + amount, -net, -fee, net)


def share_of(gold: int, share: int) -> int:
    """Compute a share of a balance.

    Args:
        gold: The balance.
        share: 1 is all, 2 is half, and so on; any integer of 64 bits.

    Returns:
        Whole gold, rounded down; 0 where there is no such share.
    """
    return gold // share if share > 0 else 0


def send_share(
    now_us: int,
    gold: int,
    receiver_gold: int,
    share: int,
    sent_day: int,
    sent_gold_today: int,
    fee_percent: int,
    daily_cap_gold: int,
) -> Sent:
    """Decide a transfer of a share of what the sender has; see ``send`` and ``share_of``.

    Returns:
        The transfer; BAD_AMOUNT also without a share.
    """
    amount = share_of(gold, share)
    return send(now_us, gold, receiver_gold, amount, sent_day, sent_gold_today, fee_percent, daily_cap_gold)
