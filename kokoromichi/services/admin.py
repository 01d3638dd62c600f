"""What an admin may do to a player: checked here, with a reason, in the ledger with its actor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kokoromichi.core.kinds import CURRENCIES
from kokoromichi.core.models import ChangeSet, Movement, UserChange, UserProfile
from kokoromichi.rules import codes
from kokoromichi.rules.purchase import give_item, take_item
from kokoromichi.rules.transfer import credit, debit
from kokoromichi.services.authority import Actor, authorise
from kokoromichi.services.receipts import FreezeReceipt, GrantReceipt
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from kokoromichi.services.desk import Arguments, Desk


_ACT: Final = Movement("admin_act")
"""The row of an act that moves nothing; which one it was stands before the admin's words in ``reason``."""


class AdminService:
    """Corrects balances and inventories, and stops players.

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
        actor: Actor,
        reason: str,
        request_id: str | None = None,
    ) -> Awaitable[GrantReceipt]:
        """Add to (or, with a negative amount, take from) a balance or an item.

        Args:
            user_id: Whose.
            what: ``gold``, ``gems`` or an item id.
            amount: Signed units.
            actor: The admin.
            reason: Why; required.
            request_id: Idempotency key.

        Raises:
            RefusedError: not_allowed, unknown_player, unknown_item, bad_amount, too_poor, not_owned,
                over_limit or balance_cap.
            MisuseError: There is no reason or no actor.
        """
        authorise(actor, reason)

        def decide(profile: UserProfile, at_us: int, _: Arguments) -> ChangeSet[GrantReceipt]:
            row, after = self._moved(profile, what, amount)
            user = UserChange(profile.user_id, profile.version, (row,))
            receipt = GrantReceipt(profile.user_id, what, amount, after)
            return ChangeSet(at_us, (user,), receipt, actor=actor.user_id, reason=reason)

        arguments = (what, amount, actor.user_id, reason)
        return self._desk.act_upon("grant", user_id, arguments, decide, request_id)

    def freeze(
        self, user_id: str, *, actor: Actor, reason: str, request_id: str | None = None
    ) -> Awaitable[FreezeReceipt]:
        """Stop a player: every act of his, and whatever another one would send him, is refused.

        He keeps what he has; what his businesses earn and his cooldowns run on.

        Raises:
            RefusedError: not_allowed or unknown_player.
            MisuseError: There is no reason or no actor.
        """
        return self._set_frozen(1, user_id, actor, reason, request_id)

    def unfreeze(
        self, user_id: str, *, actor: Actor, reason: str, request_id: str | None = None
    ) -> Awaitable[FreezeReceipt]:
        """Let a player go on; see ``freeze``."""
        return self._set_frozen(0, user_id, actor, reason, request_id)

    def _set_frozen(
        self, frozen: int, user_id: str, actor: Actor, reason: str, request_id: str | None
    ) -> Awaitable[FreezeReceipt]:
        authorise(actor, reason)
        operation = "freeze" if frozen else "unfreeze"

        def decide(profile: UserProfile, at_us: int, _: Arguments) -> ChangeSet[FreezeReceipt]:
            user = UserChange(profile.user_id, profile.version, (_ACT,), {"frozen": frozen})
            words = f"{operation}: {reason}"
            receipt = FreezeReceipt(profile.user_id, frozen)
            return ChangeSet(at_us, (user,), receipt, actor=actor.user_id, reason=words)

        arguments = (actor.user_id, reason)
        return self._desk.act_upon(operation, user_id, arguments, decide, request_id)

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
