"""Gems for gold; the way back is closed, or the daily gems would be a second faucet of gold."""

from __future__ import annotations

from typing import NamedTuple

from kokoromichi.rules.codes import BAD_QUANTITY, BALANCE_CAP, MAX_BALANCE, NOT_FOR_SALE, OK, TOO_POOR


class Exchanged(NamedTuple):
    """What an exchange came to; on a refusal the balances are as before, and nothing moved.

    Attributes:
        code: OK, BAD_QUANTITY, NOT_FOR_SALE, TOO_POOR or BALANCE_CAP.
        gold: Balance afterwards, in gold.
        gems: Balance afterwards, in gems.
        moved_gold: Gold that moved, at most 0.
        moved_gems: Gems that moved, at least 0.
    """

    code: int
    gold: int
    gems: int
    moved_gold: int
    moved_gems: int


def gems_for_gold(gold: int, gems: int, price_gold: int, pack_gems: int, packs: int) -> Exchanged:
    """Decide the purchase of gem packs.

    Args:
        gold: Balance before, in gold.
        gems: Balance before, in gems.
        price_gold: Price of one pack, in gold; below 1 nothing is sold.
        pack_gems: Gems in one pack; below 1 nothing is sold.
        packs: Packs wanted, any integer of 64 bits.

    Returns:
        The exchange.
    """
    if packs < 1:
        return Exchanged(BAD_QUANTITY, gold, gems, 0, 0)
    if price_gold < 1 or pack_gems < 1:
        return Exchanged(NOT_FOR_SALE, gold, gems, 0, 0)
    if packs > gold // price_gold:
        return Exchanged(TOO_POOR, gold, gems, 0, 0)
    if packs > (MAX_BALANCE - gems) // pack_gems:
        return Exchanged(BALANCE_CAP, gold, gems, 0, 0)
    cost_gold, bought_gems = price_gold * packs, pack_gems * packs
    return Exchanged(OK, gold - cost_gold, gems + bought_gems, -cost_gold, bought_gems)
