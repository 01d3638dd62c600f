"""The connection to Discord: what the log tells of it, and what an operator is told when it ends for good."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import discord
from discord.ext import commands

from kokoromichi.core.errors import MisuseError

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

_REFUSED: Final = "DISCORD_TOKEN was refused by Discord: copy it anew from the developer portal"
_NO_MESSAGES: Final = (
    "Discord does not let this bot read messages: switch on Message Content in the developer portal, "
    "or set TEXT_COMMANDS=false and use slash commands alone"
)
_FOR_A_PERSON: Final = {
    4004: "Discord ended the session, since DISCORD_TOKEN is not valid any more: copy it anew from the "
    "developer portal",
    4010: "Discord knows no such shard: correct SHARD_COUNT and SHARD_IDS",
    4011: "the bot is in too many servers for so few shards: raise SHARD_COUNT, or leave it empty",
    4013: "Discord does not know what the bot asks to hear: upgrade the package kokoromichi",
}
"""Close codes of the gateway that starting again does not cure."""


@contextmanager
def discord_errors() -> Iterator[None]:
    """Turn what only a person can mend into its sentence.

    Raises:
        MisuseError: The token is refused, the portal forbids an intent, or the shards do not fit.
    """
    try:
        yield
    except discord.LoginFailure:
        raise MisuseError(_REFUSED) from None
    except discord.PrivilegedIntentsRequired:
        raise MisuseError(_NO_MESSAGES) from None
    except discord.ConnectionClosed as closed:
        if closed.code not in _FOR_A_PERSON:
            raise
        raise MisuseError(_FOR_A_PERSON[closed.code]) from None


class GatewayLog(commands.Cog):
    """Logs each change of a connection."""

    @commands.Cog.listener()
    async def on_shard_connect(self, shard_id: int) -> None:
        """A session begins."""
        log.info("shard %d is connected", shard_id)

    @commands.Cog.listener()
    async def on_shard_resumed(self, shard_id: int) -> None:
        """A session goes on where it was cut off."""
        log.info("shard %d goes on", shard_id)

    @commands.Cog.listener()
    async def on_shard_disconnect(self, shard_id: int) -> None:
        """The connection is gone; the library makes another one."""
        log.info("shard %d is disconnected", shard_id)
