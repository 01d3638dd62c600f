"""A bot in a simulated Discord: the unmodified bot over storage in memory, with players at a table."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from kokoromichi.core.clock import ManualClock
from tests.contract.stored import NOON_US
from tests.servers.postgres import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Iterator


PATIENCE_S: Final = 30.0
"""For a chart to be drawn on a busy machine; less than what a test calls late."""


@pytest.fixture
def database() -> Iterator[PostgresServer]:
    """A PostgreSQL server that a test may kill."""
    server = PostgresServer()
    server.start()
    yield server
    server.remove()


if sys.version_info < (3, 11):
    # simcord, which stands for Discord here, needs Python 3.11; sockets and the terminal do without.
    own = ("test_network_", "test_play", "test_standin")
    collect_ignore = [
        path.name for path in Path(__file__).parent.glob("test_*.py") if not path.name.startswith(own)
    ]
else:
    import pytest_asyncio
    from simcord import Env

    from kokoromichi.bot import KokoroBot, create_bot
    from kokoromichi.core.providers.memory import MemoryProvider
    from kokoromichi.settings import Settings
    from tests.bot.table import Table

    if TYPE_CHECKING:
        from collections.abc import AsyncIterator

    @pytest.fixture
    def clock() -> ManualClock:
        """Noon of a day in 2026."""
        return ManualClock(NOON_US)

    @pytest.fixture
    def simcord_bot(clock: ManualClock) -> KokoroBot:
        """The bot as it runs, but over storage in memory and with a clock that is set by hand."""
        return create_bot(
            Settings(_env_file=None, shard_count=1), provider=MemoryProvider(clock), clock=clock
        )

    @pytest_asyncio.fixture
    async def simcord_env(simcord_bot: KokoroBot, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Env]:
        """The simulated Discord. A refusal is an answer; what the bot logs as an error fails the test.

        But for an outage of the storage, which is what some tests make.
        """
        env = Env(simcord_bot, check_errors=False, settle_timeout=PATIENCE_S)
        await env.start()
        yield env
        await env.shutdown()
        records = caplog.get_records("setup") + caplog.get_records("call")
        failures = [
            record
            for record in records
            if record.levelno >= logging.ERROR and record.name != "kokoromichi.chat.outage"
        ]
        assert not failures, failures

    @pytest_asyncio.fixture
    async def table(simcord_env: Env, simcord_bot: KokoroBot, clock: ManualClock) -> Table:
        """A server with a channel and two players; the commands are known to Discord."""
        await simcord_bot.tree.sync()
        return Table(simcord_env, simcord_bot, clock)
