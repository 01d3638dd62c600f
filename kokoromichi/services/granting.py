"""What an admin's word makes of a player: a grant of one balance or item, and the way back to the opening."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kokoromichi.core.kinds import CURRENCIES
from kokoromichi.core.models import SET_FIELDS, FieldValue, Movement, UserChange, UserProfile
from kokoromichi.rules import codes
from kokoromichi.rules.purchase import give_item, take_item
from kokoromichi.rules.transfer import credit, debit
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
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


def granted(live: LiveEconomy, profile: UserProfile, what: str, amount: int) -> tuple[Movement, int]:
    """The row of a grant, and what is held then.

    Args:
        live: The economy in force.
        profile: Whose.
        what: ``gold``, ``gems`` or an item id.
        amount: Signed units.

    Raises:
        RefusedError: unknown_item, bad_amount, too_poor, not_owned, over_limit or balance_cap.
    """
    if type(amount) is not int:
        raise refused(codes.BAD_AMOUNT, amount)
    if what in CURRENCIES:
        held: int = getattr(profile, what)
        code, after = credit(held, amount) if amount >= 0 else debit(held, -amount)
        told: tuple[int | str, ...] = (-amount, held, what)
    else:
        offer = live.offers.get(what)
        if offer is None:
            raise refused(codes.UNKNOWN_ITEM, what)
        held = profile.inventory.get(what, 0)
        code, after = give_item(held, amount, offer.limit) if amount >= 0 else take_item(held, -amount)
        told = (offer.limit, held) if code == codes.OVER_LIMIT else (what, held)
    if code in (codes.BAD_AMOUNT, codes.BAD_QUANTITY):
        raise refused(codes.BAD_AMOUNT, amount)
    if code == codes.BALANCE_CAP:
        raise refused(code, codes.MAX_BALANCE)
    if code:
        raise refused(code, *told)
    if what in CURRENCIES:
        return Movement("grant", what, amount, after), after
    return Movement("grant", item_id=what, quantity=amount), after


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
