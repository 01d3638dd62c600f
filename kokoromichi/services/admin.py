"""What an admin may do: checked here, with a reason, in the ledger with its actor."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from kokoromichi.core.models import (
    ERASED_PREFIX,
    ChangeSet,
    UserChange,
    UserProfile,
)
from kokoromichi.core.validation import checked_user_id
from kokoromichi.rules import codes
from kokoromichi.services.admin_economy import EconomyAdmin, act_of_the_system
from kokoromichi.services.authority import Actor, authorise
from kokoromichi.services.granting import ADMIN_ACT, granted, to_opening
from kokoromichi.services.receipts import (
    DoneReceipt,
    EraseReceipt,
    FreezeReceipt,
    GrantReceipt,
    ResetReceipt,
)
from kokoromichi.services.reconciling import Difference, corrections, differences, put_as_booked
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from kokoromichi.services.executor import Arguments

T = TypeVar("T")


class AdminService(EconomyAdmin):
    """Corrects balances and inventories, stops players and forgets them; and what ``EconomyAdmin`` does.

    Every act takes the actor, a reason and perhaps a request id, and raises:
        RefusedError: not_allowed, before anything else is looked at.
        MisuseError: There is no reason or no actor.
    """

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
        """
        authorise(actor, "grant", reason)

        def decide(profile: UserProfile, at_us: int, _: Arguments) -> ChangeSet[GrantReceipt]:
            user, after = granted(self._executor.live, profile, what, amount)
            receipt = GrantReceipt(profile.user_id, what, amount, after)
            return ChangeSet(at_us, (user,), receipt, actor=actor.user_id, reason=reason)

        arguments = (what, amount, actor.user_id, reason)
        return self._executor.act_upon("grant", user_id, arguments, decide, request_id)

    def freeze(
        self, user_id: str, *, actor: Actor, reason: str, request_id: str | None = None
    ) -> Awaitable[FreezeReceipt]:
        """Stop a player: every act of his, and whatever another one would send him, is refused.

        He keeps what he has; what his businesses earn and his cooldowns run on.

        Raises:
            RefusedError: not_allowed or unknown_player.
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
        operation = "freeze" if frozen else "unfreeze"
        authorise(actor, operation, reason)

        def decide(profile: UserProfile, at_us: int, _: Arguments) -> ChangeSet[FreezeReceipt]:
            user = UserChange(profile.user_id, profile.version, (ADMIN_ACT,), {"frozen": frozen})
            receipt = FreezeReceipt(profile.user_id, frozen)
            words = f"{operation}: {reason}"
            return ChangeSet(at_us, (user,), receipt, actor=actor.user_id, reason=words)

        return self._executor.act_upon(operation, user_id, (actor.user_id, reason), decide, request_id)

    def reset(
        self, user_id: str, *, actor: Actor, reason: str, request_id: str | None = None
    ) -> Awaitable[ResetReceipt]:
        """Put a player back to the opening: balances and goods by ``grant`` rows, progress to its beginning.

        What holds the caps of a day stays (the claim, the battle's cooldown, gold won and sent today), and
        so does a freeze.

        Raises:
            RefusedError: not_allowed or unknown_player.
        """
        authorise(actor, "reset", reason)

        def decide(profile: UserProfile, at_us: int, _: Arguments) -> ChangeSet[ResetReceipt]:
            opening = self._executor.live.config.opening
            receipt = ResetReceipt(profile.user_id, opening.gold, opening.gems)
            user = to_opening(profile, opening)
            return ChangeSet(at_us, (user,), receipt, actor=actor.user_id, reason=f"reset: {reason}")

        return self._executor.act_upon("reset", user_id, (actor.user_id, reason), decide, request_id)

    async def erase(
        self, user_id: str, *, actor: Actor, reason: str, request_id: str | None = None
    ) -> EraseReceipt:
        """Forget a player who asks for it: his rows and balances stand under a pseudonym that is drawn.

        The account is frozen and the act is booked first, without naming him; then everything that is stored
        is rewritten (``DataProvider.erase``). Should he return, he opens a fresh account.

        Raises:
            RefusedError: not_allowed or unknown_player.
            StorageError: The store failed. The account may be frozen and not yet erased: the same request id,
                sent again, completes it.
        """
        authorise(actor, "erase", reason)

        async def attempt() -> ChangeSet[EraseReceipt]:
            stored = await self._executor.provider.profile(checked_user_id(user_id))
            if stored is None:
                raise refused(codes.UNKNOWN_PLAYER, user_id)
            at_us = self._executor.clock.now_us()
            receipt = EraseReceipt(f"{ERASED_PREFIX}{secrets.token_hex(12)}")
            words = f"erase: {reason.replace(user_id, '(erased)')}"
            change = act_of_the_system(at_us, receipt, actor, words)
            change.users = (UserChange(user_id, stored.version, (), {"frozen": 1}),)
            return change

        # The digest does not hold whom: it outlives the erasure.
        receipt = await self._executor.retry_on_conflict("erase", actor.user_id, (), attempt, request_id)
        await self._executor.provider.erase(user_id, receipt.pseudonym)
        return receipt

    async def reconcile(
        self,
        user_id: str | None = None,
        *,
        book: bool = False,
        actor: Actor,
        reason: str,
        request_id: str | None = None,
    ) -> list[Difference]:
        """Hold what is stored against what the rows add up to.

        Args:
            user_id: Of one player; None looks at all.
            book: Book what differs as ``correction``, so that what is stored stays and the rows explain it.
                Cut off in the middle, a player is left as his rows have it, which is sound too.
            actor: The admin.
            reason: Why; required.
            request_id: Idempotency key: sent again, what was corrected differs no more.

        Returns:
            What differed, by player.

        Raises:
            RefusedError: not_allowed.
            StorageError: A difference that no row can explain, or a player who never stood still.
        """
        look = partial(differences, user_id=user_id)
        found = await self.inspect("reconcile", look, actor=actor, reason=reason, request_id=request_id)
        for owner in sorted({each.user_id for each in found}) if book else ():
            await self._correct([each for each in found if each.user_id == owner], actor, reason)
        return found

    async def _correct(self, found: list[Difference], actor: Actor, reason: str) -> None:
        def decide(profile: UserProfile, at_us: int, _: Arguments) -> ChangeSet[DoneReceipt]:
            user = UserChange(profile.user_id, profile.version, corrections(profile, found))
            receipt = DoneReceipt("correct")
            return ChangeSet(at_us, (user,), receipt, actor=actor.user_id, reason=f"reconcile: {reason}")

        await put_as_booked(self._executor.provider, found)
        await self._executor.act_upon("correct", found[0].user_id, (), decide)
