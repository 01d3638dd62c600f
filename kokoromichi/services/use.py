"""Using an item: what its effect changes of a player."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final

from kokoromichi.core.models import ChangeSet, UserProfile
from kokoromichi.rules.holding import UNKNOWN_PAID_GOLD
from kokoromichi.rules.use import Body, use
from kokoromichi.services.booking import Booking
from kokoromichi.services.receipts import UseReceipt
from kokoromichi.services.refusals import items_refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kokoromichi.services.live_economy import LiveEconomy, Offer

_BOOKING: Final = Booking("use")
_BODY: Final = attrgetter(*Body._fields)


def decide_use(
    live: LiveEconomy,
    profile: UserProfile,
    at_us: int,
    item_id: str,
    offer: Offer,
    quantity: int,
    draws: Sequence[int],
) -> ChangeSet[UseReceipt]:
    """Decide one use.

    Args:
        live: The economy in force.
        profile: Who uses it.
        at_us: When, in microseconds since the epoch.
        item_id: What is used.
        offer: The same as it is offered.
        quantity: Units.
        draws: 32 bits for each unit.

    Raises:
        RefusedError: bad_quantity, not_owned, not_usable, already_active or balance_cap.
    """
    held = profile.inventory.get(item_id, 0)
    used = use(
        at_us,
        draws,
        offer.effect_number,
        offer.effect_size,
        quantity,
        profile.gold,
        held,
        profile.paid_gold.get(item_id, UNKNOWN_PAID_GOLD),
        offer.list_price_gold,
        Body(*_BODY(profile)),
        live.use_terms,
    )
    if used.code:
        raise items_refused(used.code, item_id, quantity, held)
    receipt = UseReceipt(
        item_id, offer.effect, used.amount, used.gold, used.owned, used.until_us, -used.moved_units
    )
    return ChangeSet(at_us, (_BOOKING.change(used, profile, item_id),), receipt)
