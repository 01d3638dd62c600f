"""A file that the running bot touches while it is well: what ``kokoromichi health`` looks at."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from discord.ext import commands, tasks

from kokoromichi.core.errors import StorageError

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.bot import KokoroBot

log = logging.getLogger(__name__)

BEAT_S: Final = 10.0
PATIENCE_S: Final = 5.0
"""A storage that answers later than that is not well."""


class Heartbeat(commands.Cog):
    """Touches the file every ``BEAT_S``, where one is set.

    Args:
        bot: The bot.
    """

    def __init__(self, bot: KokoroBot) -> None:
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


async def setup(bot: KokoroBot) -> None:
    """Load the cog."""
    await bot.add_cog(Heartbeat(bot))
