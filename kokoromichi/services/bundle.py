"""All services over one executor: what a bot, a simulation or a notebook holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kokoromichi.rules.moments import next_us
from kokoromichi.services.admin import AdminService
from kokoromichi.services.authority import MostGranted
from kokoromichi.services.bank import BankService
from kokoromichi.services.battle import BattleService
from kokoromichi.services.daily import DailyService
from kokoromichi.services.executor import CommandExecutor, Dice
from kokoromichi.services.history import HistoryService
from kokoromichi.services.live_economy import LiveEconomy
from kokoromichi.services.observing import ActivityService
from kokoromichi.services.overrides import Overrides
from kokoromichi.services.progress import ProgressService
from kokoromichi.services.standing import StandingService
from kokoromichi.services.store import StoreService
from kokoromichi.services.summon import SummonService

if TYPE_CHECKING:
    from kokoromichi.core.clock import Clock
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.models import UserProfile
    from kokoromichi.rules.economy import Economy


class Services:
    """One of each service.

    Args:
        provider: Where acts are stored; it must be open.
        economy: The economy to start with.
        clock: What tells the time.
        dice: What rolls where a caller gives no draws.
        activity_sampling: The share of players whose activity is noted, 0 to 1.
        most_granted: What one grant of an admin may give or take.
        executor_class: What commits the acts; a simulation has a faster one, the bot one that counts.

    Attributes:
        provider: Where acts are stored.
        executor: What commits the acts.
        clock: What tells the time.
    """

    def __init__(
        self,
        provider: DataProvider,
        economy: Economy,
        clock: Clock | None = None,
        dice: Dice | None = None,
        *,
        activity_sampling: float = 1.0,
        most_granted: MostGranted = MostGranted(),  # noqa: B008 - frozen
        executor_class: type[CommandExecutor] = CommandExecutor,
    ) -> None:
        self.provider = provider
        self.executor = executor_class(provider, LiveEconomy(economy), clock, dice)
        self.clock = self.executor.clock
        self.store = StoreService(self.executor)
        self.daily = DailyService(self.executor)
        self.bank = BankService(self.executor)
        self.summon = SummonService(self.executor)
        self.battle = BattleService(self.executor)
        self.progress = ProgressService(self.executor)
        self.history = HistoryService(provider)
        self.standing = StandingService(provider, self.clock)
        self.activity = ActivityService(self.executor, activity_sampling)
        self.overrides = Overrides(self.executor, economy)
        self.admin = AdminService(self.executor, self.overrides, self.store, self.activity, most_granted)

    @property
    def live(self) -> LiveEconomy:
        """The economy in force; another one after a reload or a changed price."""
        return self.executor.live

    @property
    def item_names(self) -> dict[str, str]:
        """The names of everything in the catalogue, by item id, in its order."""
        return {item_id: entry.name for item_id, entry in self.live.catalogue.items()}

    @property
    def character_names(self) -> dict[str, str]:
        """The characters' names by id."""
        return {waifu.id: waifu.name for waifu in self.live.economy.waifus}

    @property
    def business_names(self) -> dict[str, str]:
        """The businesses' names by id."""
        return {
            business_id: business_id.replace("_", " ").capitalize()
            for business_id in self.live.config.business
        }

    @property
    def names(self) -> dict[str, str]:
        """The names of everything that has one, by id."""
        return {**self.character_names, **self.business_names, **self.item_names}

    def now_us(self) -> int:
        """The present moment, in microseconds since the epoch."""
        return self.clock.now_us()

    async def profile(self, user_id: str) -> UserProfile | None:
        """A player as stored, or None: looking opens no account."""
        return await self.provider.profile(user_id)

    async def start(self) -> None:
        """Activate the economy: an admin's prices, numbers into the history, stock on the shelf.

        Raises:
            StorageError: The storage failed, or what it has of an admin's prices is invalid.
        """
        await self.executor.erased_days.forget()
        await self.overrides.follow()
        await self._put_out()

    async def _put_out(self) -> None:
        await self.overrides.write_history()
        await self.store.restock()

    async def reload(self, economy: Economy) -> None:
        """Swap the economy, whole: acts decided before keep the old numbers, those after have the new ones.

        An admin's prices end with it.

        Args:
            economy: Validated; whoever calls has checked that it breaks no law.
        """
        at_us = next_us(self.now_us(), self.overrides.since_us)
        await self.overrides.renew(economy, at_us)
        await self._put_out()
