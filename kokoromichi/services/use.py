"""Using an item: what its effect changes of a player."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kokoromichi.core.models import ChangeSet, FieldValue, UserChange, UserProfile
from kokoromichi.rules import codes
from kokoromichi.rules.holding import UNKNOWN_PAID_GOLD
from kokoromichi.rules.use import Body, Used, use
from kokoromichi.services.booking import Booking
from kokoromichi.services.holdings import paid_field
from kokoromichi.services.receipts import UseReceipt
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kokoromichi.core.errors import RefusedError
    from kokoromichi.services.live_economy import LiveEconomy, Offer

_BOOKING: Final = Booking("use")
_BODY: Final = Used._fields.index(Body._fields[0])
"""Where the body begins in what a use came to."""


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
        _body_of(profile),
        live.use_terms,
    )
    if used.code:
        raise items_refused(used.code, item_id, quantity, held)
    fields: dict[str, FieldValue] = dict(zip(Body._fields, used[_BODY:], strict=True))
    fields["paid_gold"] = paid_field(profile.paid_gold, item_id, used.owned, used.paid_gold)
    receipt = UseReceipt(
        item_id, offer.effect, used.amount, used.gold, used.owned, used.until_us, -used.moved_units
    )
    user = UserChange(profile.user_id, profile.version, _BOOKING.rows(used, profile, item_id), fields)
    return ChangeSet(at_us, (user,), receipt)


def _body_of(profile: UserProfile) -> Body:
    return Body(
        profile.level,
        profile.xp,
        profile.affection,
        profile.hp,
        profile.hp_at_us,
        profile.luck_until_us,
        profile.guard_until_us,
        profile.stamina_battles,
        profile.double_train,
        profile.pity,
    )


def items_refused(code: int, item_id: str, quantity: int, held: int) -> RefusedError:
    """The refusal of an act upon units of an item, with the numbers that its sentence names."""
    numbers: dict[int, tuple[int | str, ...]] = {
        codes.BAD_QUANTITY: (quantity,),
        codes.NOT_OWNED: (item_id, held),
        codes.BALANCE_CAP: (codes.MAX_BALANCE,),
    }
    return refused(code, *numbers.get(code, (item_id,)))
