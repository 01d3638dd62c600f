"""What an admin may do to a player: checked here, with a reason, in the ledger with its actor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kokoromichi.core.errors import MisuseError
from kokoromichi.core.kinds import CURRENCIES
from kokoromichi.core.models import ChangeSet, Movement, UserChange, UserProfile
from kokoromichi.rules import codes
from kokoromichi.rules.purchase import give_item, take_item
from kokoromichi.rules.transfer import credit, debit
from kokoromichi.services.receipts import GrantReceipt
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from kokoromichi.services.desk import Arguments, Desk


class AdminService:
    """Corrects balances and inventories.

    Args:
        desk: Where acts are committed.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def grant(
        self,
        user_id: str,
        what: str,
        amount: int,
        *,
        actor: str,
        reason: str,
        request_id: str | None = None,
    ) -> Awaitable[GrantReceipt]:
        """Add to (or, with a negative amount, take from) a balance or an item.

        Args:
            user_id: Whose.
            what: ``gold``, ``gems`` or an item id.
            amount: Signed units.
            actor: The admin; the caller has checked the permission.
            reason: Why; required.
            request_id: Idempotency key.

        Raises:
            RefusedError: unknown_player, unknown_item, bad_amount, too_poor, not_owned, over_limit or
                balance_cap.
            MisuseError: There is no reason or no actor.
        """
        if not reason.strip() or not actor.strip():
            message = "an admin's grant needs a reason and an actor"
            raise MisuseError(message)

        def decide(profile: UserProfile, at_us: int, _: Arguments) -> ChangeSet[GrantReceipt]:
            if not profile.version:
                raise refused(codes.UNKNOWN_PLAYER, user_id)  # A mistyped id opens no account.
            row, after = self._moved(profile, what, amount)
            user = UserChange(profile.user_id, profile.version, (row,))
            receipt = GrantReceipt(profile.user_id, what, amount, after)
            return ChangeSet(at_us, (user,), receipt, actor=actor, reason=reason)

        return self._desk.act("grant", user_id, (what, amount, actor, reason), decide, request_id)

    def _moved(self, profile: UserProfile, what: str, amount: int) -> tuple[Movement, int]:
        if type(amount) is not int:
            raise refused(codes.BAD_AMOUNT, amount)
        if what in CURRENCIES:
            held: int = getattr(profile, what)
            code, after = credit(held, amount) if amount >= 0 else debit(held, -amount)
            told: tuple[int | str, ...] = (-amount, held, what)
        else:
            offer = self._desk.live.offers.get(what)
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
