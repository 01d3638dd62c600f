"""Gems for gold; the way back is closed, or the daily gems would be a second faucet of gold."""

from __future__ import annotations

from kokoromichi.rules.codes import BAD_QUANTITY, BALANCE_CAP, MAX_BALANCE, NOT_FOR_SALE, OK, TOO_POOR


def gems_for_gold(gold: int, gems: int, price_gold: int, pack_gems: int, packs: int) -> tuple[int, int, int]:
    """Decide the purchase of gem packs.

    Args:
        gold: Balance before, in gold.
        gems: Balance before, in gems.
        price_gold: Price of one pack, in gold; below 1 nothing is sold.
        pack_gems: Gems in one pack; below 1 nothing is sold.
        packs: Packs wanted, any integer of 64 bits.

    Returns:
        OK, BAD_QUANTITY, NOT_FOR_SALE, TOO_POOR or BALANCE_CAP, and balances in gold and gems afterwards;
        both unchanged unless the code is OK.
    """
    if packs < 1:
        return BAD_QUANTITY, gold, gems
    if price_gold < 1 or pack_gems < 1:
        return NOT_FOR_SALE, gold, gems
    if packs > gold // price_gold:
        return TOO_POOR, gold, gems
    if packs > (MAX_BALANCE - gems) // pack_gems:
        return BALANCE_CAP, gold, gems
    return OK, gold - price_gold * packs, gems + pack_gems * packs
