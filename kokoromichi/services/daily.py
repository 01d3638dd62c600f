"""The daily claim and its streak."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kokoromichi.core.models import ChangeSet, Movement, UserChange, UserProfile
from kokoromichi.rules.codes import ALREADY_CLAIMED, MAX_BALANCE
from kokoromichi.rules.daily import claim, next_claim_us
from kokoromichi.services.receipts import ClaimReceipt
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from kokoromichi.services.executor import Arguments, CommandExecutor, Decide


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
        code, gold, gems, streak, reward_gold, reward_gems = claim(
            at_us,
            profile.last_claim_us,
            profile.streak,
            profile.gold,
            profile.gems,
            terms.gold,
            terms.gems,
            terms.streak_window_h,
        )
        if code:
            number = next_claim_us(profile.last_claim_us) if code == ALREADY_CLAIMED else MAX_BALANCE
            raise refused(code, number)
        rows: tuple[Movement, ...] = ()
        if reward_gold:
            rows += (Movement("daily", "gold", reward_gold, gold),)
        if reward_gems:
            rows += (Movement("daily", "gems", reward_gems, gems),)
        fields = {"streak": streak, "last_claim_us": at_us}
        if streak > profile.best_streak:
            fields["best_streak"] = streak
        receipt = ClaimReceipt(reward_gold, reward_gems, streak, gold, gems)
        user = UserChange(profile.user_id, profile.version, rows, fields)
        return ChangeSet(at_us, (user,), receipt)
