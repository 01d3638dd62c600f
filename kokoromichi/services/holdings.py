"""The field ``paid_gold`` of a profile: what it is after units entered or left a holding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kokoromichi.rules.holding import list_worth_gold, paid_with, share_gold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kokoromichi.core.models import UserProfile
    from kokoromichi.services.live_economy import Offer


def paid_for(profile: UserProfile, item_id: str, offer: Offer) -> int:
    """What was paid for all the units held, in gold.

    Where nobody knows it (an older profile, an import, a document saved by a tool), the units count as bought
    at the list price of the economy's file, whatever an admin's price is; the act that asks stores it so.
    """
    held = profile.inventory.get(item_id)
    if not held:
        return 0
    paid_gold = profile.paid_gold.get(item_id)
    return list_worth_gold(held, offer.list_price_gold) if paid_gold is None else paid_gold


def paid_after_entry(profile: UserProfile, item_id: str, offer: Offer, entering_gold: int) -> dict[str, int]:
    """The field after units entered that bring ``entering_gold`` along."""
    after = profile.paid_gold.copy()
    after[item_id] = paid_with(paid_for(profile, item_id, offer), entering_gold)
    return after


def paid_after_leaving(
    profile: UserProfile, offers: Mapping[str, Offer], leaving: Iterable[tuple[str, int]]
) -> dict[str, int]:
    """The field after units left, at least 1 of each item and at most what is held, with their share.

    Args:
        profile: Whose.
        offers: What is sold, by item id.
        leaving: Item ids and units, each item once.
    """
    after = dict(profile.paid_gold)
    for item_id, units in leaving:
        held, paid_gold = profile.inventory[item_id], paid_for(profile, item_id, offers[item_id])
        if units == held:
            after.pop(item_id, None)
        else:
            after[item_id] = paid_gold - share_gold(held, paid_gold, units)
    return after
