"""The daily claim and its streak."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kokoromichi.core.models import ChangeSet, UserProfile
from kokoromichi.rules.codes import BALANCE_CAP, MAX_BALANCE
from kokoromichi.rules.daily import claim, next_claim_us
from kokoromichi.services.booking import Booking
from kokoromichi.services.receipts import ClaimReceipt
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from kokoromichi.services.executor import Arguments, CommandExecutor, Decide

_BOOKING: Final = Booking("claim")


class DailyService:
    """Pays once per UTC day.

    Args:
        executor: Where acts are committed.
    """

    def __init__(self, executor: CommandExecutor) -> None:
        self._executor = executor
        self._deciding: Decide[ClaimReceipt] = self._decide  # Bound once, not in every act.

    def claim(self, user_id: str, *, request_id: str | None = None) -> Awaitable[ClaimReceipt]:
        """Claim today's reward.

        Raises:
            RefusedError: already_claimed (with the moment of the next one) or balance_cap.
        """
        return self._executor.act("daily", user_id, (), self._deciding, request_id)

    def _decide(self, profile: UserProfile, at_us: int, _: Arguments) -> ChangeSet[ClaimReceipt]:
        terms = self._executor.live.config.daily
        claimed = claim(
            at_us,
            profile.last_claim_us,
            profile.streak,
            profile.best_streak,
            profile.gold,
            profile.gems,
            terms.gold,
            terms.gems,
            terms.streak_window_h,
        )
        if claimed.code:
            at_cap = claimed.code == BALANCE_CAP
            raise refused(
                claimed.code, MAX_BALANCE if at_cap else next_claim_us(at_us, profile.last_claim_us)
            )
        receipt = ClaimReceipt(
            claimed.reward_gold, claimed.reward_gems, claimed.streak, claimed.gold, claimed.gems
        )
        return ChangeSet(at_us, (_BOOKING.change(claimed, profile),), receipt)
