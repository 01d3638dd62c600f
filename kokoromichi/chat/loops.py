"""What the bot does unasked: a sign of life, shelves, prices, the mirror, and mending storage that failed."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from discord.ext import commands, tasks

from kokoromichi.core.errors import ConflictError, KokoroError, StorageError
from kokoromichi.services.overrides import FOLLOWED_S

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from kokoromichi.chat.game import Game

log = logging.getLogger(__name__)

BEAT_S: Final = 2.0
RETRY_S: Final = 1.0
PATIENCE_S: Final = 3.0
"""A storage that answers later than that is not well."""
OUTAGE_LOOKS: Final = 2
"""After so many looks in vain the sign of life is taken away: one slow answer is no outage, and also one
without any answer is told within ten seconds."""


class Heartbeat(commands.Cog):
    """Looks every ``BEAT_S`` whether the storage takes writes, and touches the file where one is set.

    While it does not, it looks every ``RETRY_S``, so that commands are let through again within a moment.

    Args:
        bot: The bot.
    """

    def __init__(self, bot: Game) -> None:
        self._bot = bot
        self._beats = 0
        self._vain_looks = 0

    async def cog_load(self) -> None:
        """Begin."""
        if (path := self._bot.settings.heartbeat_file) is not None:
            await asyncio.to_thread(path.unlink, missing_ok=True)  # Of the life before.
        self.beat.start()

    async def cog_unload(self) -> None:
        """End."""
        self.beat.cancel()

    @tasks.loop(seconds=RETRY_S)
    async def beat(self) -> None:
        """Look, where it is time to, the storage was away, or a command has just failed."""
        due = self._beats % round(BEAT_S / RETRY_S) == 0
        self._beats += 1
        if due or self._bot.storage.no_writes is not None or self._bot.storage.doubted:
            await self._look()
            await self._touch()

    async def _look(self) -> None:
        provider = self._bot.provider
        no_reads, no_writes = await asyncio.gather(_trouble(provider.counters()), _trouble(provider.probe()))
        no_writes = no_reads or provider.failed or no_writes
        self._bot.storage.report(no_reads, no_writes)
        self._vain_looks = 0 if no_writes is None else self._vain_looks + 1

    async def _touch(self) -> None:
        """Touch the file, if gateway and storage are there; take it away where the storage stays away."""
        if (path := self._bot.settings.heartbeat_file) is None:
            return
        shards = self._bot.shards.values()
        if not shards or any(shard.is_closed() for shard in shards):
            return
        try:
            if not self._vain_looks:
                await asyncio.to_thread(path.touch)
            elif self._vain_looks >= OUTAGE_LOOKS:
                await asyncio.to_thread(path.unlink, missing_ok=True)
        except OSError as failed:
            log.warning("no heartbeat: HEARTBEAT_FILE cannot be written: %s", failed)

    @beat.before_loop
    async def wait_for_gateway(self) -> None:
        """The first one comes with the first connection."""
        await self._bot.wait_until_ready()


async def _trouble(call: Awaitable[object]) -> str | None:
    """Why the storage does not answer, or None."""
    asked = asyncio.ensure_future(call)
    done, _ = await asyncio.wait((asked,), timeout=PATIENCE_S)
    if not done:  # Nor is its end waited for: a driver may wait for the silent server to take it back.
        asked.add_done_callback(lambda late: late.cancelled() or late.exception())
        asked.cancel()
        return f"it does not answer in {PATIENCE_S:.0f} s"
    why = asked.exception()
    if why is not None and not isinstance(why, StorageError):
        raise why
    return None if why is None else str(why)


FOLD_S: Final = 10.0
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
        self._stale = ""
        self._loops = (
            *(self.prices, self.restock, self.forget, self.mend),
            *(self.fold, self.sessions, self.load_pictures),
        )

    async def cog_load(self) -> None:
        """Begin."""
        for loop in self._loops:
            loop.start()
        if self._bot.settings.mirror_dir is not None:
            self.mirror.change_interval(seconds=self._bot.settings.mirror_seconds)
            self.mirror.start()

    async def cog_unload(self) -> None:
        """End; whatever was under way goes on at the next start."""
        for loop in (*self._loops, self.mirror):
            loop.cancel()

    @tasks.loop(seconds=FOLLOWED_S)
    async def prices(self) -> None:
        """Follow an admin's prices, whichever process they were set in."""
        try:
            await self._bot.services.overrides.follow()
            self._stale = ""
        except StorageError as failed:
            if self._stale != str(failed):  # It looks every two seconds, and an outage has many of them.
                log.warning("an admin's prices stay as they are: %s", failed)
            self._stale = str(failed)

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

    @tasks.loop(seconds=FOLD_S)
    async def fold(self) -> None:
        """Add what was played to the daily totals, which ``/economy`` reads."""
        try:
            if folded := await self._bot.provider.fold():
                log.debug("folded into the daily totals: %d", folded)
        except StorageError as failed:
            log.info("nothing is folded into the daily totals now: %s", failed)

    @tasks.loop(count=1)
    async def load_pictures(self) -> None:
        """Load what draws charts: the first player who asks shall not wait for it, nor the bot's start."""
        await self._bot.wait_until_ready()
        await asyncio.to_thread(_load_pictures)

    @tasks.loop()
    async def mirror(self) -> None:
        """Let the local mirror follow the database."""
        try:
            await self._bot.provider.sync_remote_to_local()
        except KokoroError as failed:
            log.warning("the mirror in MIRROR_DIR does not follow: %s", failed)


def _load_pictures() -> None:
    from kokoromichi.chat import pictures  # noqa: PLC0415 - half of the bot's start

    pictures.load()
