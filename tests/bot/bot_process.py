"""A bot in a process of its own."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.bot.standin import TOKEN

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from tests.bot.standin import StandIn

ROOT: Final = Path(__file__).parents[2]
BOT: Final = ("-m", "kokoromichi.bot")
HUNG_S: Final = 240.0
"""A machine that is shared says nothing about a bot by being slow."""


class How(NamedTuple):
    """How a bot is run.

    Attributes:
        command: What Python is to run.
        shards: How many shards are to be there, of all processes, before it counts as started.
        name: Of its log.
    """

    command: tuple[str, ...] = BOT
    shards: int = 1
    name: str = "bot"


GAME: Final = How()


def bare(discord: StandIn, *, shards: int = 1, log_level: str = "DEBUG") -> How:
    """A bot of plain discord.py that only answers."""
    command = ("-m", "tests.bot.standin.bare_bot", discord.api_url, discord.gateway_url, log_level)
    return How(command, shards, "bare")


class BotProcess:
    """The bot, from its start to its end.

    Args:
        discord: Where it plays.
        folder: Its working folder; its log and the data of its players land there.
        how: How it is run.
        settings: Its environment: nothing else of the tests' own environment reaches it.

    Attributes:
        folder: As given.
        log: The file that it writes its log to; every life adds to it.
    """

    def __init__(self, discord: StandIn, folder: Path, how: How = GAME, /, **settings: str) -> None:
        self.folder = folder
        self.log = folder / f"{how.name}.log"
        self._discord = discord
        self._how = how
        self._settings = {
            "DISCORD_TOKEN": TOKEN,
            "DISCORD_API_URL": discord.api_url,
            "DISCORD_GATEWAY_URL": discord.gateway_url,
            "PROVIDER": "local",
            "DATA_DIR": str(folder / "data"),
            "LOG_LEVEL": "DEBUG",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            **settings,
        }
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        """Start the process, and wait until it serves its shards."""
        begun = self._discord.gateway.identified
        await self.launch()
        ready = asyncio.ensure_future(self._discord.ready(self._how.shards, sessions=begun + 1))
        ended = asyncio.ensure_future(self.end())
        await asyncio.wait((ready, ended), return_when=asyncio.FIRST_COMPLETED)
        if not ready.done() or ready.exception():
            ready.cancel()
            await self.__aexit__(None, None, None)
            raise AssertionError(self.said())
        ended.cancel()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.returncode is None:
            self.kill()
            await self.end()

    @property
    def pid(self) -> int:
        """Of the process."""
        assert self._process is not None
        return self._process.pid

    async def launch(self) -> None:
        """Start the process, and wait for nothing."""
        assert self._process is None or self._process.returncode is not None, "it runs already"
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *self._how.command,
                cwd=self.folder,
                env=self._settings,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def said(self) -> str:
        """Its whole log."""
        return self.log.read_text(encoding="utf-8")

    def terminate(self) -> None:
        """Ask it to end, as an operator does."""
        assert self._process is not None
        self._process.terminate()

    async def stopped(self) -> None:
        """End it in order."""
        self.terminate()
        assert await self.end() == 0, self.said()

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self._process is not None
        self._process.kill()

    async def end(self) -> int:
        """Wait for its end: the exit code, or the negative number of a signal."""
        assert self._process is not None
        return await asyncio.wait_for(self._process.wait(), HUNG_S)
