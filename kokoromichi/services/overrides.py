"""An admin's prices: the section ``overrides``, over the list prices until the next reload."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kokoromichi.core.errors import StorageError
from kokoromichi.core.models import NEVER, SECOND_US, Count, ItemId, MomentUs
from kokoromichi.rules.codes import MAX_BALANCE
from kokoromichi.rules.economy_laws import prices_below_lowest
from kokoromichi.services.live_economy import LiveEconomy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kokoromichi.rules.economy import Economy
    from kokoromichi.rules.findings import Finding
    from kokoromichi.services.executor import CommandExecutor

_LOG: Final = logging.getLogger(__name__)
SECTION: Final = "overrides"
HISTORY_SECTION: Final = "economy_history"
"""Which economy was written last into the history, and where."""

FOLLOWED_S: Final = 2.0
"""So often the bot lets ``Overrides`` follow what another process has set, in seconds: within that time and
one read, every process on the same database shows and charges the new price."""

SETTLED_S: Final = 60.0
"""So long a process looks after its own overrides, in seconds: another one that wrote the section at the
same moment had not read them yet, and wrote over them."""


Price = Annotated[int, Field(ge=1, le=MAX_BALANCE, strict=True)]


class Override(BaseModel):
    """An admin's price of one item, or its end.

    Attributes:
        price_gold: The price; null gives the list price back.
        at_us: When, in microseconds since the epoch: of two overrides of an item the later one holds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    price_gold: Price | None
    at_us: Count


class OverridesDocument(BaseModel):
    """The section, whole.

    Attributes:
        economy_hash: The economy whose list prices are overridden; over another one these prices are void.
        since_us: When that economy was activated by a reload, else NEVER: older overrides are void.
        prices: By item.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    economy_hash: str = ""
    since_us: MomentUs = NEVER
    prices: dict[ItemId, Override] = {}


class Overrides:
    """Puts an admin's prices over those of an economy; each change swaps the executor's economy, whole.

    Args:
        executor: Whose economy.
        economy: The list prices.

    Attributes:
        economy: The list prices.
        since_us: When a reload activated list prices last, in any process; else NEVER.
        changing: Held by whoever changes prices or economy: one at a time.
    """

    def __init__(self, executor: CommandExecutor, economy: Economy) -> None:
        self._executor = executor
        self.economy = economy
        self.since_us = NEVER
        self._void = ""
        self._own: dict[str, Override] = {}
        self.changing = asyncio.Lock()

    async def read(self) -> OverridesDocument:
        """The section as it concerns this economy: empty where it is of another one.

        Raises:
            StorageError: It cannot be read, or an external edit has made it invalid or unsound.
        """
        stored = await self._executor.provider.get_game_data(SECTION)
        if stored is None:
            return OverridesDocument(economy_hash=self.economy.hash)
        try:
            document = OverridesDocument.model_validate(stored)
        except ValidationError as invalid:
            message = (
                f"section {SECTION!r} is no valid document: {invalid}. Correct it, or store an empty one: "
                "prices are then those of the economy's file"
            )
            raise StorageError(message) from invalid
        self.since_us = max(self.since_us, document.since_us)
        if document.economy_hash != self.economy.hash:
            if self._void != document.economy_hash:
                self._void = document.economy_hash
                _LOG.warning(
                    "an admin's prices are of economy %s, and this process runs %s: they are void here",
                    document.economy_hash,
                    self.economy.hash,
                )
            return OverridesDocument(economy_hash=self.economy.hash)
        return document

    async def follow(self) -> None:
        """Activate what is stored, and store again what somebody has written over meanwhile.

        Raises:
            StorageError: See ``read``; the prices stay as they are.
        """
        document = await self._with_own(await self.read())
        prices = {item_id: one.price_gold for item_id, one in document.prices.items()}
        if prices and (findings := self.findings(prices)):
            message = f"section {SECTION!r} breaks a law of the economy: {findings[0]}. Correct its prices"
            raise StorageError(message)
        economy = self.priced(prices)
        if economy.hash != self._executor.live.economy.hash:
            self._executor.live = LiveEconomy(economy, self.economy)

    async def _with_own(self, document: OverridesDocument) -> OverridesDocument:
        """The section with this process's young overrides in it; stored where one of them was lost."""
        oldest_us = self._executor.clock.now_us() - int(SETTLED_S * SECOND_US)
        self._own = {
            item_id: one for item_id, one in self._own.items() if one.at_us > max(oldest_us, self.since_us)
        }
        lost = {
            item_id: one
            for item_id, one in self._own.items()
            if item_id not in document.prices or one.at_us > document.prices[item_id].at_us
        }
        if not lost:
            return document
        prices = {**document.prices, **lost}
        if findings := self.findings({item_id: one.price_gold for item_id, one in prices.items()}):
            self._own.clear()
            _LOG.warning("another process wrote over prices that do not go with its own: %s", findings[0])
            return document
        whole = document.model_copy(update={"prices": prices})
        await self._save(whole)
        return whole

    def priced(self, prices: Mapping[str, int | None]) -> Economy:
        """The economy with these prices, where they are given and the items still sold."""
        values = {
            f"store.{item_id}.price_gold": price_gold
            for item_id, price_gold in prices.items()
            if price_gold is not None and item_id in self.economy.config.store
        }
        return self.economy.with_values(values) if values else self.economy

    def findings(self, prices: Mapping[str, int | None]) -> list[Finding]:
        """What these prices break: they are held to what a scheduled sale is, since the list is sound."""
        asked = {item_id: price_gold for item_id, price_gold in prices.items() if price_gold is not None}
        return list(prices_below_lowest(self.economy, asked))

    async def set(self, item_id: str, price_gold: int | None, at_us: int) -> None:
        """Store an override and activate it; one older than what is stored changes nothing.

        Raises:
            StorageError: The storage failed.
        """
        document = await self.read()
        known = document.prices.get(item_id)
        if at_us > document.since_us and (known is None or at_us > known.at_us):
            override = Override(price_gold=price_gold, at_us=at_us)
            prices = {**document.prices, item_id: override}
            await self._save(document.model_copy(update={"prices": prices}))
            self._own[item_id] = override
            await self.follow()
            await self.write_history()

    async def renew(self, economy: Economy, at_us: int) -> bool:
        """Activate another economy, without an admin's prices; an older one changes nothing.

        Returns:
            Whether it is in force now by this call.

        Raises:
            StorageError: The storage failed: the economy that was in force still is.
        """
        if at_us < self.since_us or (at_us == self.since_us and economy.hash == self.economy.hash):
            return False  # A second click, also one that comes after a later reload.
        await self._save(OverridesDocument(economy_hash=economy.hash, since_us=at_us))
        self.economy, self.since_us = economy, at_us
        self._executor.live = LiveEconomy(economy)
        return True

    async def write_history(self) -> None:
        """Write the numbers in force into the economy's history, unless its newest ones there are the same.

        The history stays where it was written when everything else is copied to another provider, and is
        begun anew there.
        """
        executor = self._executor
        written = {"economy_hash": executor.live.economy.hash, "where": executor.provider.where}
        if await executor.provider.get_game_data(HISTORY_SECTION) == written:
            return
        rows = executor.live.history_rows(executor.clock.now_us())
        await executor.provider.append_observations("economy_history", rows)
        await executor.provider.save_game_data(HISTORY_SECTION, {**written})

    async def _save(self, document: OverridesDocument) -> None:
        await self._executor.provider.save_game_data(SECTION, document.model_dump())
