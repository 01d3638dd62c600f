"""What is counted of the running bot, and where that is read: a port of this machine, or a file."""

from __future__ import annotations

import asyncio
import logging
from time import perf_counter
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from discord.ext import commands, tasks

from kokoromichi.chat.failures import innermost
from kokoromichi.core.errors import KokoroError
from kokoromichi.core.models import SECOND_US
from kokoromichi.operation.telemetry import measure_money, outcome_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from kokoromichi.chat.context import Context
    from kokoromichi.chat.game import Game
    from kokoromichi.operation.telemetry import Telemetry

log = logging.getLogger(__name__)

LOOK_S: Final = 2.0
MONEY_S: Final = 300.0


class Metering(commands.Cog):
    """Counts commands, and looks at gateway, storage and economy now and then.

    The economy is measured by one process alone, that with shard 0, whose gauges so come once.

    Args:
        bot: The bot.
        telemetry: Where it is counted.
    """

    def __init__(self, bot: Game, telemetry: Telemetry) -> None:
        self._bot = bot
        self._telemetry = telemetry
        self._begun_s: WeakKeyDictionary[Context, float] = WeakKeyDictionary()
        self._end: Callable[[], None] | None = None

    async def cog_load(self) -> None:
        """Begin."""
        settings = self._bot.settings
        if (port := settings.metrics_port) is not None:
            self._end = await asyncio.to_thread(self._telemetry.serve, port, settings.metrics_host)
        self.look.start()
        self.money.start()

    async def cog_unload(self) -> None:
        """End."""
        self.look.cancel()
        self.money.cancel()
        await self._write()
        if self._end is not None:
            await asyncio.to_thread(self._end)

    @commands.Cog.listener()
    async def on_command(self, ctx: Context) -> None:
        """A command begins."""
        self._begun_s[ctx] = perf_counter()

    @commands.Cog.listener()
    async def on_command_completion(self, ctx: Context) -> None:
        """It was answered."""
        self._count(ctx, "done")

    @commands.Cog.listener()
    async def on_command_error(self, ctx: Context, error: commands.CommandError) -> None:
        """It was refused or failed; what the library itself refuses is misuse."""
        if ctx.command is not None:
            inner = innermost(error)
            self._count(ctx, "misused" if isinstance(inner, commands.CommandError) else outcome_of(inner))

    def _count(self, ctx: Context, outcome: str) -> None:
        name = "" if ctx.command is None else ctx.command.qualified_name
        begun_s = self._begun_s.pop(ctx, None)
        self._telemetry.command(name, outcome, None if begun_s is None else perf_counter() - begun_s)

    @commands.Cog.listener()
    async def on_shard_disconnect(self, _shard_id: int) -> None:
        """A connection was lost."""
        self._telemetry.disconnected()

    @tasks.loop(seconds=LOOK_S)
    async def look(self) -> None:
        """Look at gateway and storage, and write the file."""
        told, shards = self._telemetry, list(self._bot.shards.values())
        connected = [shard for shard in shards if not shard.is_closed()]
        told.shards.set(len(shards))
        told.connected.set(len(connected))
        told.heartbeat_s.set(max((shard.latency for shard in connected), default=0))
        told.waiting.set(self._bot.provider.waiting)
        told.storage_up.set(self._bot.storage.no_writes is None)
        told.looked_s.set(self._bot.services.now_us() / SECOND_US)
        await self._write()

    async def _write(self) -> None:
        if (path := self._bot.settings.metrics_file) is not None:
            try:
                await asyncio.to_thread(self._telemetry.write, path)
            except OSError as failed:
                log.warning("METRICS_FILE cannot be written: %s", failed)

    @tasks.loop(seconds=MONEY_S)
    async def money(self) -> None:
        """Measure the economy, where this process is the one that does."""
        if 0 not in self._bot.shards:
            return
        now_us = self._bot.services.now_us()
        try:
            async with self._bot.provider.snapshot() as reader:
                found = await measure_money(reader, now_us)
        except KokoroError as failed:
            log.warning("the economy is not measured: %s", failed)
            return
        self._telemetry.tell_money(found, now_us)
        if found.residual:
            log.error("players hold %+d gold that the ledger does not explain: run the audit", found.residual)

    @money.before_loop
    async def wait_for_gateway(self) -> None:
        """Which shards are here is known then."""
        await self._bot.wait_until_ready()
