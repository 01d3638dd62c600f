"""A service made alone, as the first KoKoroMichi makes one: over a provider, by what is in force there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from kokoromichi.core.errors import ConflictError
from kokoromichi.core.models import NEVER, SECOND_US
from kokoromichi.core.provider_manager import get_provider
from kokoromichi.rules.economy import load_economy
from kokoromichi.services.executor import CommandExecutor
from kokoromichi.services.live_economy import LiveEconomy
from kokoromichi.services.overrides import FOLLOWED_S, Overrides
from kokoromichi.services.restocking import restock
from kokoromichi.settings import Settings

if TYPE_CHECKING:
    from kokoromichi.core.data_provider import DataProvider


class StandaloneExecutor(CommandExecutor):
    """Does before an act what ``Services.start`` and the bot's housekeeping do for a whole game.

    On first use it activates an admin's prices and puts limited items on the shelf, and again when that is
    older than ``FOLLOWED_S``.

    Args:
        provider: Where acts are stored.
    """

    def __init__(self, provider: DataProvider) -> None:
        economy = load_economy(Settings().economy_dir)
        super().__init__(provider, LiveEconomy(economy))
        self._overrides = Overrides(self, economy)
        self._prepared_us = NEVER
        self._history_written = False

    async def prepare(self) -> None:
        """Make sure that what is in force is not older than ``FOLLOWED_S``.

        Raises:
            StorageError: The storage failed, or what it has of an admin's prices is invalid.
        """
        age_us = self.clock.now_us() - self._prepared_us
        if self._prepared_us == NEVER or not 0 <= age_us < FOLLOWED_S * SECOND_US:
            await self._overrides.follow()
            if not self._history_written:
                self._history_written = True
                await self._overrides.write_history()
            try:
                await restock(self)
            except ConflictError:
                return  # Another process fills them up at this moment; the next act looks again.
            self._prepared_us = self.clock.now_us()


_EXECUTORS: Final[WeakKeyDictionary[DataProvider, StandaloneExecutor]] = WeakKeyDictionary()


def standalone_executor(provider: DataProvider | None = None) -> StandaloneExecutor:
    """The one over a provider, the process's own unless given, and the settings' economy."""
    provider = provider or get_provider()
    if provider not in _EXECUTORS:
        _EXECUTORS[provider] = StandaloneExecutor(provider)
    return _EXECUTORS[provider]
