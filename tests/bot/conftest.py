"""A bot in a simulated Discord: the unmodified bot over storage in memory, with players at a table."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import pytest

from kokoromichi.core.clock import ManualClock
from tests.contract.stored import NOON_US

if sys.version_info < (3, 11):
    collect_ignore_glob = ["test_*.py"]  # simcord, which stands for Discord here, needs Python 3.11.
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
        """The simulated Discord. A refusal is an answer; what the bot logs as an error fails the test."""
        env = Env(simcord_bot, check_errors=False)
        await env.start()
        yield env
        await env.shutdown()
        failures = [record for record in caplog.records if record.levelno >= logging.ERROR]
        assert not failures, failures

    @pytest_asyncio.fixture
    async def table(simcord_env: Env, simcord_bot: KokoroBot, clock: ManualClock) -> Table:
        """A server with a channel and two players; the commands are known to Discord."""
        await simcord_bot.tree.sync()
        return Table(simcord_env, simcord_bot, clock)
