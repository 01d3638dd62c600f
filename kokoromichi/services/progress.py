"""Training, businesses and what they earn."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kokoromichi.core.models import HOUR_US, NEVER, ChangeSet, Movement, UserChange, UserProfile
from kokoromichi.rules import codes
from kokoromichi.rules.progress import collect, invest, train
from kokoromichi.rules.transfer import credit
from kokoromichi.services.receipts import CollectReceipt, InvestReceipt, TrainReceipt
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from kokoromichi.services.executor import Arguments, CommandExecutor

_PLAIN_PERCENT = 100


class Holding(NamedTuple):
    """A business as a player sees it.

    Attributes:
        business_id: Which.
        price_gold: What it costs.
        income_gold_per_day: What it earns before upkeep.
        owned: Whether the player has it.
        waiting_gold: What a collection would leave of it now, after upkeep.
        full_us: When it stops earning until collected, in microseconds since the epoch; -1 where not owned.
    """

    business_id: str
    price_gold: int
    income_gold_per_day: int
    owned: bool
    waiting_gold: int
    full_us: int


class ProgressService:
    """Sells training and businesses, and pays what they earn.

    Args:
        executor: Where acts are committed.
    """

    def __init__(self, executor: CommandExecutor) -> None:
        self._executor = executor

    def train(self, user_id: str, *, request_id: str | None = None) -> Awaitable[TrainReceipt]:
        """Train once; a training manual that was used before doubles the XP of this session.

        Raises:
            RefusedError: too_poor.
        """
        return self._executor.act("train", user_id, (), self._decide_training, request_id)

    def _decide_training(self, profile: UserProfile, at_us: int, _: Arguments) -> ChangeSet[TrainReceipt]:
        live = self._executor.live
        terms = live.config.train
        percent = live.effect_size("double_train_xp") if profile.double_train else _PLAIN_PERCENT
        code, gold, level, xp, cost_gold = train(
            profile.gold,
            profile.level,
            profile.xp,
            terms.price_gold,
            terms.growth_percent,
            terms.xp,
            percent,
            live.config.battle.xp_per_level,
        )
        if code:
            raise refused(code, cost_gold, profile.gold, "gold")
        rows = (Movement("train", "gold", -cost_gold, gold),) if cost_gold else ()
        fields = {"level": level, "xp": xp, "double_train": 0}
        receipt = TrainReceipt(cost_gold, terms.xp * percent // _PLAIN_PERCENT, level, xp, gold)
        user = UserChange(profile.user_id, profile.version, rows, fields)
        return ChangeSet(at_us, (user,), receipt)

    def invest(
        self, user_id: str, business_id: str, *, request_id: str | None = None
    ) -> Awaitable[InvestReceipt]:
        """Buy a business: one of each.

        Raises:
            RefusedError: unknown_business, already_owned, not_for_sale or too_poor.
        """
        return self._executor.act("invest", user_id, (business_id,), self._decide_business, request_id)

    def _decide_business(
        self, profile: UserProfile, at_us: int, arguments: Arguments
    ) -> ChangeSet[InvestReceipt]:
        business_id = str(arguments[0])
        business = self._executor.live.config.business.get(business_id)
        if business is None:
            raise refused(codes.UNKNOWN_BUSINESS, business_id)
        code, gold, _ = invest(profile.gold, business.price_gold, int(business_id in profile.businesses))
        if code == codes.TOO_POOR:
            raise refused(code, business.price_gold, profile.gold, "gold")
        if code:
            raise refused(code, business_id)
        rows = (Movement("invest", "gold", -business.price_gold, gold),)
        fields = {"businesses": {**profile.businesses, business_id: at_us}}
        receipt = InvestReceipt(business_id, business.price_gold, gold)
        user = UserChange(profile.user_id, profile.version, rows, fields)
        return ChangeSet(at_us, (user,), receipt)

    def holdings(self, profile: UserProfile) -> tuple[Holding, ...]:
        """Every business of the economy, in its order, with what waits in those that the player has."""
        config, at_us = self._executor.live.config, self._executor.clock.now_us()
        terms = config.income
        found = []
        for business_id, business in config.business.items():
            income_gold = upkeep_gold = 0
            full_us = since_us = profile.businesses.get(business_id, NEVER)
            if since_us != NEVER:
                _code, income_gold, upkeep_gold, _ = collect(
                    at_us, since_us, business.income_gold_per_day, terms.max_hours, terms.upkeep_percent
                )
                full_us = since_us + terms.max_hours * HOUR_US
            found.append(
                Holding(
                    business_id,
                    business.price_gold,
                    business.income_gold_per_day,
                    business_id in profile.businesses,
                    income_gold - upkeep_gold,
                    full_us,
                )
            )
        return tuple(found)

    def collect(self, user_id: str, *, request_id: str | None = None) -> Awaitable[CollectReceipt]:
        """Collect what all businesses have earned; the upkeep is burned in the same commit.

        Raises:
            RefusedError: nothing_to_collect or balance_cap.
        """
        return self._executor.act("collect", user_id, (), self._decide_collection, request_id)

    def _decide_collection(self, profile: UserProfile, at_us: int, _: Arguments) -> ChangeSet[CollectReceipt]:
        config = self._executor.live.config
        terms = config.income
        businesses: dict[str, int] = dict(profile.businesses)
        income_gold = upkeep_gold = 0
        for business_id, since_us in profile.businesses.items():
            business = config.business.get(business_id)
            if business is None:
                continue  # Taken out of the economy; what it earned stays where it is until it comes back.
            _code, earned, burned, until_us = collect(
                at_us, since_us, business.income_gold_per_day, terms.max_hours, terms.upkeep_percent
            )
            income_gold += earned
            upkeep_gold += burned
            businesses[business_id] = until_us
        if not income_gold:
            raise refused(codes.NOTHING_TO_COLLECT)
        code, gold = credit(profile.gold, income_gold)
        if code:
            raise refused(code, codes.MAX_BALANCE)
        rows = [Movement("income", "gold", income_gold, gold)]
        if upkeep_gold:
            rows.append(Movement("upkeep", "gold", -upkeep_gold, gold - upkeep_gold))
        receipt = CollectReceipt(income_gold, upkeep_gold, gold - upkeep_gold)
        fields = {"businesses": businesses}
        user = UserChange(profile.user_id, profile.version, tuple(rows), fields)
        return ChangeSet(at_us, (user,), receipt)
