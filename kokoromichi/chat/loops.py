"""What the bot does unasked: a sign of life, shelves, prices, the mirror, and mending storage that failed."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from discord.ext import commands, tasks

from kokoromichi.core.errors import ConflictError, KokoroError, StorageError
from kokoromichi.services.overrides import FOLLOWED_S

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.chat.game import Game

log = logging.getLogger(__name__)

BEAT_S: Final = 10.0
PATIENCE_S: Final = 5.0
"""A storage that answers later than that is not well."""


class Heartbeat(commands.Cog):
    """Touches the file every ``BEAT_S``, where one is set.

    Args:
        bot: The bot.
    """

    def __init__(self, bot: Game) -> None:
        self._bot = bot

    async def cog_load(self) -> None:
        """Begin."""
        if (path := self._bot.settings.heartbeat_file) is not None:
            await asyncio.to_thread(path.unlink, missing_ok=True)  # Of the life before.
            self.beat.start(path)

    async def cog_unload(self) -> None:
        """End."""
        self.beat.cancel()

    @tasks.loop(seconds=BEAT_S)
    async def beat(self, path: Path) -> None:
        """Touch the file, if gateway and storage are there."""
        shards = self._bot.shards.values()
        if not shards or any(shard.is_closed() for shard in shards):
            log.info("no heartbeat: the gateway is away")
            return
        if (why := self._bot.provider.failed) is not None:
            log.warning("no heartbeat: the storage only reads: %s", why)
            return
        try:
            await asyncio.wait_for(self._bot.provider.counters(), PATIENCE_S)
        except asyncio.TimeoutError:
            log.warning("no heartbeat: the storage does not answer in %.0f s", PATIENCE_S)
            return
        except StorageError as failed:
            log.warning("no heartbeat: the storage does not answer: %s", failed)
            return
        try:
            await asyncio.to_thread(path.touch)
        except OSError as failed:
            log.warning("no heartbeat: HEARTBEAT_FILE cannot be written: %s", failed)

    @beat.before_loop
    async def wait_for_gateway(self) -> None:
        """The first one comes with the first connection."""
        await self._bot.wait_until_ready()


RESTOCK_S: Final = 600.0
FORGET_S: Final = 600.0
MEND_S: Final = 10.0
SESSIONS_S: Final = 60.0


class Housekeeping(commands.Cog):
    """Runs beside the commands; nothing of it is charged to anybody.

    Args:
        bot: The bot.
    """

    def __init__(self, bot: Game) -> None:
        self._bot = bot

    async def cog_load(self) -> None:
        """Begin."""
        self.prices.start()
        self.restock.start()
        self.forget.start()
        self.mend.start()
        self.sessions.start()
        if self._bot.settings.mirror_dir is not None:
            self.mirror.change_interval(seconds=self._bot.settings.mirror_seconds)
            self.mirror.start()

    async def cog_unload(self) -> None:
        """End; whatever was under way goes on at the next start."""
        for loop in (self.prices, self.restock, self.forget, self.mend, self.sessions, self.mirror):
            loop.cancel()

    @tasks.loop(seconds=FOLLOWED_S)
    async def prices(self) -> None:
        """Follow an admin's prices, whichever process they were set in."""
        try:
            await self._bot.services.overrides.follow()
        except StorageError as failed:
            log.warning("an admin's prices stay as they are: %s", failed)

    @tasks.loop(seconds=RESTOCK_S)
    async def restock(self) -> None:
        """Fill up what is due."""
        try:
            for receipt in await self._bot.services.store.restock():
                log.info("restocked %s by %d", receipt.item_id, receipt.units)
        except (ConflictError, StorageError) as failed:
            log.warning("nothing was restocked: %s", failed)

    @tasks.loop(seconds=FORGET_S)
    async def forget(self) -> None:
        """Forget what of a day outlived an erasure, once the day has passed."""
        try:
            await self._bot.services.executor.erased_days.forget()
        except StorageError as failed:
            log.warning("the key of a day that has passed is not forgotten yet: %s", failed)

    @tasks.loop(seconds=SESSIONS_S)
    async def sessions(self) -> None:
        """Note the end of sessions that have gone quiet."""
        await self._bot.services.activity.end_quiet()

    @tasks.loop(seconds=MEND_S)
    async def mend(self) -> None:
        """Open the storage again after it failed a sync: until then it only reads.

        Only what is on the disk then says what became of the commits whose outcome is unknown, so this
        lets ``Context._retry_unknown`` find it out.
        """
        if self._bot.provider.failed is None:
            return
        try:
            await self._bot.provider.reopen()
        except StorageError as failed:
            log.warning("the storage cannot be opened again yet: %s", failed)
        else:
            log.warning("the storage was opened again")

    @tasks.loop()
    async def mirror(self) -> None:
        """Let the local mirror follow the database."""
        try:
            await self._bot.provider.sync_remote_to_local()
        except KokoroError as failed:
            log.warning("the mirror in MIRROR_DIR does not follow: %s", failed)
