"""What a player does, in a word: the bot, the simulation, the activity and the documents use these alone."""

from __future__ import annotations

from typing import Final

ACTS: Final[tuple[str, ...]] = (
    "claim",
    "buy",
    "sell",
    "use",
    "gift",
    "transfer",
    "battle",
    "train",
    "invest",
    "collect",
    "exchange",
    "summon",
    "favorite",
)
"""Acts of the activity stream. The operations of ``CommandExecutor.act`` are words of their own: part of
the digests of stored requests."""

FORMER: Final = {"daily": "claim", "purchase": "buy"}
"""An act's present name by what commands and older files call it."""


def act_name(word: str) -> str:
    """The present name of an act, by any name it had."""
    return FORMER.get(word, word)
