"""What an admin's act makes of a player: a grant of one balance or item, and the way back to the opening."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kokoromichi.core.kinds import CURRENCIES
from kokoromichi.core.models import SET_FIELDS, FieldValue, Movement, UserChange, UserProfile
from kokoromichi.rules import codes
from kokoromichi.rules.holding import list_worth_gold
from kokoromichi.rules.purchase import give_item, take_item
from kokoromichi.rules.transfer import credit, debit
from kokoromichi.services.holdings import paid_after_entry, paid_after_leaving
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
    from kokoromichi.core.errors import RefusedError
    from kokoromichi.rules.economy import Opening
    from kokoromichi.services.live_economy import LiveEconomy

ADMIN_ACT: Final = Movement("admin_act")
"""The row of an act that moves nothing; which one it was stands before the admin's reason in ``reason``."""

_KEPT: Final = frozenset(
    {
        *("name", "frozen", "last_claim_us", "battle_at_us"),
        *("battle_day", "battle_gold_today", "sent_day", "sent_gold_today"),
    }
)
"""What a reset leaves: who it is, and what holds the caps of a day, so that no reset pays a day twice."""


def granted(live: LiveEconomy, profile: UserProfile, what: str, amount: int) -> tuple[UserChange, int]:
    """What a grant changes of a player, and what is held then.

    Args:
        live: The economy in force.
        profile: Whose.
        what: ``gold``, ``gems`` or an item id; units of an item enter at the list price.
        amount: Signed units.

    Raises:
        RefusedError: unknown_item, bad_amount, too_poor, not_owned, over_limit or balance_cap.
    """
    if type(amount) is not int:
        raise refused(codes.BAD_AMOUNT, amount)
    grant = _granted_money if what in CURRENCIES else _granted_item
    return grant(live, profile, what, amount)


def _granted_money(
    _live: LiveEconomy, profile: UserProfile, currency: str, amount: int
) -> tuple[UserChange, int]:
    held: int = getattr(profile, currency)
    code, after = credit(held, amount) if amount >= 0 else debit(held, -amount)
    if code:
        raise _grant_refused(code, amount, -amount, held, currency)
    row = Movement("grant", currency, amount, after)
    return UserChange(profile.user_id, profile.version, (row,)), after


def _granted_item(
    live: LiveEconomy, profile: UserProfile, item_id: str, amount: int
) -> tuple[UserChange, int]:
    offer = live.offers.get(item_id)
    if offer is None:
        raise refused(codes.UNKNOWN_ITEM, item_id)
    held = profile.inventory.get(item_id, 0)
    code, after = give_item(held, amount, offer.limit) if amount >= 0 else take_item(held, -amount)
    if code:
        told = (offer.limit, held) if code == codes.OVER_LIMIT else (item_id, held)
        raise _grant_refused(code, amount, *told)
    if amount > 0:
        entering_gold = list_worth_gold(amount, offer.list_price_gold)
        paid_gold = paid_after_entry(profile, item_id, offer, entering_gold)
    else:
        paid_gold = paid_after_leaving(profile, live.offers, ((item_id, -amount),))
    row = Movement("grant", item_id=item_id, quantity=amount)
    return UserChange(profile.user_id, profile.version, (row,), {"paid_gold": paid_gold}), after


def _grant_refused(code: int, amount: int, *told: int | str) -> RefusedError:
    if code in (codes.BAD_AMOUNT, codes.BAD_QUANTITY):
        return refused(codes.BAD_AMOUNT, amount)
    if code == codes.BALANCE_CAP:
        return refused(code, codes.MAX_BALANCE)
    return refused(code, *told)


def to_opening(profile: UserProfile, opening: Opening) -> UserChange:
    """A player as on the first day: balances by ``grant`` rows, goods gone, the rest as of a new one."""
    moved = [
        Movement("grant", currency, after - getattr(profile, currency), after)
        for currency, after in (("gold", opening.gold), ("gems", opening.gems))
        if after != getattr(profile, currency)
    ]
    goods = [
        Movement("grant", item_id=item_id, quantity=-units) for item_id, units in profile.inventory.items()
    ]
    new = UserProfile(user_id=profile.user_id)
    fields: dict[str, FieldValue] = {name: getattr(new, name) for name in sorted(SET_FIELDS - _KEPT)}
    return UserChange(profile.user_id, profile.version, (ADMIN_ACT, *moved, *goods), fields)
