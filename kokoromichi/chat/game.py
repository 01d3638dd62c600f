"""The bot as cogs see it: what they may ask of it, so that they stand below it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from discord.ext import commands

if TYPE_CHECKING:
    from kokoromichi.chat.outage import StorageWatch
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.services.bundle import Services
    from kokoromichi.settings import Settings

PREFIX: Final = "!"
"""What a text command begins with."""


class Game(commands.AutoShardedBot, ABC):
    """The game on Discord.

    Attributes:
        settings: What the operator set.
        provider: Where acts are stored.
        services: The game.
        storage: Whether the provider answers.
        closing: True once the bot takes no more commands.
        limits_spam: Whether one player's commands are limited, whatever they do; no terminal needs it.
        questions: The request ids of questions that wait for a click.
    """

    settings: Settings
    provider: DataProvider
    services: Services
    storage: StorageWatch
    closing: bool
    limits_spam: bool
    questions: set[str]

    @abstractmethod
    async def mirrored(self) -> tuple[Services, int] | None:
        """The game as the local mirror has it, for reading alone, and up to when it does.

        Returns:
            Services over the mirror and a moment in microseconds since the epoch, or None without a mirror.
        """

    @abstractmethod
    def claim_event(self, event_id: int) -> bool:
        """Note an event, and say whether it is the first time: Discord may deliver one twice.

        Within one process a second delivery ends here; after a restart the request id tells it.
        """

    @abstractmethod
    def begin(self, work: object) -> None:
        """Count a command or a button in, until ``finish``."""

    @abstractmethod
    def finish(self, work: object) -> None:
        """Count it out again; twice is harmless."""
