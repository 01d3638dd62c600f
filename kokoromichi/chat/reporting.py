"""What the owner is told in a channel of their own: admins' acts, and incidents as the log has them."""

from __future__ import annotations

import asyncio
import logging
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import discord
from discord.ext import commands

from kokoromichi.chat.delivery import CONTENT_CHARS
from kokoromichi.chat.embeds import cut
from kokoromichi.chat.texts import mention, plain, say
from kokoromichi.services.receipts import EraseReceipt, GrantReceipt

if TYPE_CHECKING:
    from kokoromichi.chat.game import Game
    from kokoromichi.core.models import ChangeSet
    from kokoromichi.operation.telemetry import Telemetry

log = logging.getLogger(__name__)

PAUSE_S: Final = 60.0
"""So long at least between two messages: what comes meanwhile is told together."""
HELD: Final = 200
"""So many lines wait for the next message at most; of more only the count is told."""
LINE_CHARS: Final = CONTENT_CHARS - 100
"""A longer line is cut, so that the count has room before it."""
_OURS: Final = "kokoromichi"


class Reporting(commands.Cog):
    """Tells the owner, at most one message in ``PAUSE_S``; while Discord is away, the lines wait.

    Args:
        bot: The bot.
        telemetry: What hears of admins' acts.
        channel_id: Where it is told.
        pause_s: See ``PAUSE_S``.
    """

    def __init__(self, bot: Game, telemetry: Telemetry, channel_id: int, pause_s: float = PAUSE_S) -> None:
        self._bot = bot
        self._telemetry = telemetry
        self._channel_id = channel_id
        self._pause_s = pause_s
        self._lines: list[str] = []
        self._left_out = 0
        self._due = asyncio.Event()
        self._handler = _Incidents(self)
        self._running: asyncio.Task[None] | None = None

    async def cog_load(self) -> None:
        """Begin."""
        self._telemetry.on_admin_act = self.admin_acted
        self._handler.loop = asyncio.get_running_loop()
        logging.getLogger(_OURS).addHandler(self._handler)
        self._running = asyncio.create_task(self._run())

    async def cog_unload(self) -> None:
        """End."""
        logging.getLogger(_OURS).removeHandler(self._handler)
        if self._running is not None:
            self._running.cancel()

    def admin_acted(self, change: ChangeSet[Any]) -> None:
        """An admin's act is stored."""
        self.tell(say("owner.act", actor=mention(change.actor or ""), what=_act_line(change)))

    def tell(self, line: str) -> None:
        """Let a line be told with the next message."""
        if len(self._lines) < HELD:
            self._lines.append(cut(line, LINE_CHARS))
        else:
            self._left_out += 1
        self._due.set()

    async def _run(self) -> None:
        await self._bot.wait_until_ready()
        channel = self._bot.get_partial_messageable(self._channel_id)
        while True:
            await self._due.wait()
            await self._send_some(channel)
            await asyncio.sleep(self._pause_s)
            if not self._lines and not self._left_out:
                self._due.clear()

    async def _send_some(self, channel: discord.abc.Messageable) -> None:
        """Send as much as one message holds, the count first; the rest waits for the next one."""
        left_out = self._left_out
        count = [say("admin.more", count=left_out)] if left_out else []
        lines = [*count, *self._lines]
        ends = accumulate(len(line) + 1 for line in lines)
        fitting = sum(end - 1 <= CONTENT_CHARS for end in ends)
        try:
            await channel.send("\n".join(lines[:fitting]))
        except (discord.DiscordServerError, aiohttp.ClientError, asyncio.TimeoutError, OSError) as away:
            log.warning("OWNER_CHANNEL is told later: %s", away)
            return
        except discord.HTTPException as unsent:  # It would be refused again.
            log.warning("OWNER_CHANNEL is told nothing: %s", unsent)
        del self._lines[: fitting - len(count)]
        self._left_out -= left_out


class _Incidents(logging.Handler):
    """Brings what is logged as an error to the owner, from whichever thread."""

    loop: asyncio.AbstractEventLoop

    def __init__(self, reporting: Reporting) -> None:
        super().__init__(logging.ERROR)
        self._reporting = reporting

    def emit(self, record: logging.LogRecord) -> None:
        if not self.loop.is_closed():
            line = say("owner.incident", what=plain(record.getMessage()))
            self.loop.call_soon_threadsafe(self._reporting.tell, line)


def _act_line(change: ChangeSet[Any]) -> str:
    """What an admin did, in their words; of an erasure nobody is named."""
    receipt, reason = change.answer, plain(change.reason)
    if isinstance(receipt, GrantReceipt):
        given = say(
            "owner.grant", player=mention(receipt.user_id), amount=receipt.amount, what=plain(receipt.what)
        )
        return f"{given}: {reason}"
    if change.users and not isinstance(receipt, EraseReceipt):
        return f"{mention(change.users[0].user_id)}: {reason}"
    return reason
