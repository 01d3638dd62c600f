"""What an admin's act makes of a player: a grant of one balance or item, an open day, a new beginning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kokoromichi.core.kinds import CURRENCIES
from kokoromichi.core.models import SET_FIELDS, FieldValue, Movement, UserChange, UserProfile
from kokoromichi.rules import codes
from kokoromichi.rules.grant import grant_item, grant_money, reset_item, reset_money
from kokoromichi.rules.holding import UNKNOWN_PAID_GOLD
from kokoromichi.rules.moments import Clocks, clear_clocks, held_back_us
from kokoromichi.rules.use import CHARM_US
from kokoromichi.services.booking import Booking
from kokoromichi.services.erased_days import DAY_FIELDS
from kokoromichi.services.live_economy import RETIRED_OFFER
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
    from kokoromichi.rules.economy import Opening
    from kokoromichi.rules.grant import Balances
    from kokoromichi.services.live_economy import LiveEconomy, Offer

ADMIN_ACT: Final = Movement("admin_act")
"""The row of an act that moves nothing; which one it was stands before the admin's reason in ``reason``."""

_GRANTING: Final = {currency: Booking(f"grant_{currency}") for currency in CURRENCIES}
_GRANTING_ITEM: Final = Booking("grant_item")
_RESETTING: Final = Booking("reset")
_RESETTING_ITEM: Final = Booking("reset_item")

_KEPT: Final = frozenset({"name", "frozen", "auto_use", "pings", *DAY_FIELDS})
"""What a reset leaves: who it is, what they chose, and what holds a day's caps, so that no day pays twice."""


def granted(live: LiveEconomy, profile: UserProfile, what: str, amount: int) -> tuple[UserChange, int]:
    """What a grant changes of a player, and what is held then.

    Args:
        live: The economy in force.
        profile: Whose.
        what: ``gold``, ``gems`` or an item id; units of an item enter at the list price.
        amount: Signed units.

    Raises:
        RefusedError: unknown_item, item_retired, bad_amount, too_poor, not_owned, over_limit or balance_cap.
    """
    if type(amount) is not int:
        raise refused(codes.BAD_AMOUNT, amount)
    if what in CURRENCIES:
        return _granted_money(profile, what, amount)
    offer = live.offers.get(what)
    if offer is None:
        if not profile.inventory.get(what):
            raise refused(codes.UNKNOWN_ITEM, what)
        if amount > 0:
            raise refused(codes.ITEM_RETIRED, what)
        offer = RETIRED_OFFER
    return _granted_item(profile, what, offer, amount)


def _granted_money(profile: UserProfile, currency: str, amount: int) -> tuple[UserChange, int]:
    held: int = getattr(profile, currency)
    grant = grant_money(held, amount)
    if grant.code == codes.TOO_POOR:
        raise refused(grant.code, abs(amount), held, currency)
    if grant.code:
        raise refused(grant.code, codes.MAX_BALANCE if grant.code == codes.BALANCE_CAP else amount)
    return _GRANTING[currency].change(grant, profile), grant.balance


def _granted_item(profile: UserProfile, item_id: str, offer: Offer, amount: int) -> tuple[UserChange, int]:
    held = profile.inventory.get(item_id, 0)
    paid_gold = profile.paid_gold.get(item_id, UNKNOWN_PAID_GOLD)
    grant = grant_item(held, paid_gold, offer.list_price_gold, amount, offer.limit)
    if grant.code == codes.BAD_AMOUNT:
        raise refused(grant.code, amount)
    if grant.code:
        raise refused(
            grant.code, *((offer.limit, held) if grant.code == codes.OVER_LIMIT else (item_id, held))
        )
    return _GRANTING_ITEM.change(grant, profile, item_id), grant.owned


def to_opening(profile: UserProfile, opening: Opening) -> tuple[UserChange, Balances]:
    """A player as on the first day: balances by ``grant`` rows, goods gone, the rest as of a new one."""
    balances = reset_money(profile.gold, profile.gems, opening.gold, opening.gems)
    rows = [ADMIN_ACT, *_RESETTING.rows(balances, profile)]
    for item_id, units in profile.inventory.items():
        rows += _RESETTING_ITEM.rows(reset_item(units), profile, item_id)
    new = UserProfile(user_id=profile.user_id)
    fields: dict[str, FieldValue] = {name: getattr(new, name) for name in sorted(SET_FIELDS - _KEPT)}
    return UserChange(profile.user_id, profile.version, tuple(rows), fields), balances


def with_clear_clocks(profile: UserProfile, at_us: int) -> UserChange:
    """A player whose day is open again; see ``clear_clocks``."""
    clocks = Clocks(*(getattr(profile, name) for name in Clocks._fields))
    fields: dict[str, FieldValue] = {
        **clear_clocks(at_us, clocks, CHARM_US)._asdict(),
        "businesses": {name: held_back_us(at_us, since_us) for name, since_us in profile.businesses.items()},
    }
    return UserChange(profile.user_id, profile.version, (ADMIN_ACT,), fields)
