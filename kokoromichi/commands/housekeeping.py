"""What the bot does unasked: filling shelves, following prices and the mirror, and mending a failed store."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from discord.ext import commands, tasks

from kokoromichi.core.errors import ConflictError, KokoroError, StorageError
from kokoromichi.services.overrides import FOLLOWED_S

if TYPE_CHECKING:
    from kokoromichi.bot import KokoroBot

log = logging.getLogger(__name__)

RESTOCK_S: Final = 600.0
MEND_S: Final = 10.0


class Housekeeping(commands.Cog):
    """Runs beside the commands; nothing of it is charged to anybody.

    Args:
        bot: The bot.
    """

    def __init__(self, bot: KokoroBot) -> None:
        self._bot = bot

    async def cog_load(self) -> None:
        """Begin."""
        self.prices.start()
        self.restock.start()
        self.mend.start()
        if self._bot.settings.mirror_dir is not None and self._bot.provider.local is not None:
            self.mirror.change_interval(seconds=self._bot.settings.mirror_seconds)
            self.mirror.start()

    async def cog_unload(self) -> None:
        """End; whatever was under way goes on at the next start."""
        for loop in (self.prices, self.restock, self.mend, self.mirror):
            loop.cancel()

    @tasks.loop(seconds=FOLLOWED_S)
    async def prices(self) -> None:
        """Follow an admin's prices, whichever process he set them in."""
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

    @tasks.loop(seconds=MEND_S)
    async def mend(self) -> None:
        """Open a store again that has failed a sync: until then it only reads."""
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
            log.warning("the mirror does not follow: %s", failed)


async def setup(bot: KokoroBot) -> None:
    """Load the cog."""
    await bot.add_cog(Housekeeping(bot))
