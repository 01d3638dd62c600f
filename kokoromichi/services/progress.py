"""Training, businesses and what they earn."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from kokoromichi.core.models import NEVER, ChangeSet, UserProfile
from kokoromichi.rules import codes
from kokoromichi.rules.pricing import train_cost_gold
from kokoromichi.rules.progress import collect, full_us, invest, train, waiting_gold
from kokoromichi.services.booking import Booking
from kokoromichi.services.receipts import CollectReceipt, InvestReceipt, TrainReceipt
from kokoromichi.services.refusals import refused, require_shown_price

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from kokoromichi.services.executor import Arguments, CommandExecutor

_TRAIN: Final = Booking("train")
_INVEST: Final = Booking("invest")
_COLLECT: Final = Booking("collect")


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

    def training_gold(self, profile: UserProfile) -> int:
        """What the next session of a player costs, in gold."""
        terms = self._executor.live.config.train
        return train_cost_gold(profile.level, terms.price_gold, terms.growth_percent)

    def _decide_training(self, profile: UserProfile, at_us: int, _: Arguments) -> ChangeSet[TrainReceipt]:
        live = self._executor.live
        terms = live.config.train
        trained = train(
            profile.gold,
            profile.level,
            profile.xp,
            profile.double_train,
            terms.price_gold,
            terms.growth_percent,
            terms.xp,
            live.manual_percent,
            live.config.battle.xp_per_level,
        )
        if trained.code:
            raise refused(trained.code, self.training_gold(profile), profile.gold, "gold")
        receipt = TrainReceipt(
            -trained.moved_gold, trained.xp_gained, trained.level, trained.xp, trained.gold
        )
        return ChangeSet(at_us, (_TRAIN.change(trained, profile),), receipt)

    def invest(
        self,
        user_id: str,
        business_id: str,
        *,
        expected_price_gold: int | None = None,
        request_id: str | None = None,
    ) -> Awaitable[InvestReceipt]:
        """Buy a business: one of each.

        Args:
            user_id: Who buys.
            business_id: Which.
            expected_price_gold: The price that the buyer was shown; another one is never charged.
            request_id: Idempotency key.

        Raises:
            RefusedError: unknown_business, price_changed, already_owned, not_for_sale or too_poor.
        """
        decide = partial(self._decide_business, expected_price_gold=expected_price_gold)
        return self._executor.act("invest", user_id, (business_id,), decide, request_id)

    def _decide_business(
        self, profile: UserProfile, at_us: int, arguments: Arguments, expected_price_gold: int | None
    ) -> ChangeSet[InvestReceipt]:
        business_id = str(arguments[0])
        business = self._executor.live.config.business.get(business_id)
        if business is None:
            raise refused(codes.UNKNOWN_BUSINESS, business_id)
        require_shown_price(business.price_gold, expected_price_gold)
        owned = 1 if business_id in profile.businesses else 0
        invested = invest(at_us, profile.gold, business.price_gold, owned)
        if invested.code == codes.TOO_POOR:
            raise refused(invested.code, business.price_gold, profile.gold, "gold")
        if invested.code:
            raise refused(invested.code, business_id)
        businesses = {**profile.businesses, business_id: invested.since_us}
        receipt = InvestReceipt(business_id, -invested.moved_gold, invested.gold)
        user = _INVEST.change(invested, profile, fields={"businesses": businesses})
        return ChangeSet(at_us, (user,), receipt)

    def holdings(self, profile: UserProfile) -> tuple[Holding, ...]:
        """Every business of the economy, in its order, with what waits in those that the player has."""
        config, at_us = self._executor.live.config, self._executor.clock.now_us()
        terms = config.income
        found = []
        for business_id, business in config.business.items():
            since_us = profile.businesses.get(business_id, NEVER)
            per_day_gold = business.income_gold_per_day
            found.append(
                Holding(
                    business_id,
                    business.price_gold,
                    per_day_gold,
                    business_id in profile.businesses,
                    waiting_gold(at_us, since_us, per_day_gold, terms.max_hours, terms.upkeep_percent),
                    full_us(at_us, since_us, terms.max_hours),
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
        terms = self._executor.live.config.income
        # A business that was taken out of the economy earns nothing: it waits until it comes back.
        income_of = self._executor.live.income_of
        since_us = list(profile.businesses.values())
        until_us = since_us.copy()
        collected = collect(
            at_us,
            profile.gold,
            since_us,
            [income_of.get(business_id, 0) for business_id in profile.businesses],
            until_us,
            terms.max_hours,
            terms.upkeep_percent,
        )
        if collected.code == codes.BALANCE_CAP:
            raise refused(collected.code, codes.MAX_BALANCE)
        if collected.code:
            raise refused(collected.code)
        businesses = dict(zip(profile.businesses, until_us, strict=True))
        receipt = CollectReceipt(collected.income_gold, -collected.upkeep_gold, collected.gold)
        user = _COLLECT.change(collected, profile, fields={"businesses": businesses})
        return ChangeSet(at_us, (user,), receipt)
