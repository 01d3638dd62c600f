"""The field ``paid_gold`` of a profile: what it is after units entered or left a holding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kokoromichi.rules.holding import PAID_UNKNOWN, paid_for, paid_left

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kokoromichi.core.models import UserProfile
    from kokoromichi.services.live_economy import Offer


def paid_field(profile: UserProfile, item_id: str, owned: int, paid_gold: int) -> dict[str, int]:
    """The field once ``owned`` units are held for which ``paid_gold`` was paid; none have no entry."""
    after = profile.paid_gold.copy()
    if owned:
        after[item_id] = paid_gold
    else:
        after.pop(item_id, None)
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
        held = profile.inventory[item_id]
        stored_gold = profile.paid_gold.get(item_id, PAID_UNKNOWN)
        paid_gold = paid_for(held, stored_gold, offers[item_id].list_price_gold)
        if units == held:
            after.pop(item_id, None)
        else:
            after[item_id] = paid_left(held, paid_gold, units)
    return after
