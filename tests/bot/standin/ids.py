"""What is the stand-in's own: its token, its guilds, who plays in them, and how ids are made."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple

import discord

from kokoromichi.chat.console import payloads
from kokoromichi.core.clock import SystemClock, moment_of

if TYPE_CHECKING:
    from kokoromichi.chat.console.payloads import Payload

TOKEN: Final = "standin.token.tOkEn-of-the-tests"  # noqa: S105 - of nobody but the stand-in
OWNER: Final = 4_000_000_000_001
GUILDS: Final = (10 << 22, 11 << 22)
"""Of two shards, the first guild is the first one's and the second the second one's."""

_numbers: Final = count()
_clock: Final = SystemClock()


def new_id() -> int:
    """An id that nothing else has, and that says when it was made, as Discord's do."""
    return discord.utils.time_snowflake(moment_of(_clock.now_us())) | next(_numbers) & 0x3FFFFF


class User(NamedTuple):
    """Somebody who plays.

    Attributes:
        id: Of the user; the player's id in the economy.
        name: Shown.
    """

    id: int
    name: str = "player"

    def payload(self) -> Payload:
        """As Discord shows users."""
        return payloads.user(self.id, self.name)
