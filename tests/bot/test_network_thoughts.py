"""Storage that is slow: the bot says that it thinks, and what it says then is charged and said once."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg
import pytest

from tests.bot.bot_process import BotProcess
from tests.bot.settled import acknowledged, settled_in
from tests.bot.standin import StandIn, User

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.bot.standin import Asked
    from tests.servers.postgres import PostgresServer

ANNA, BEN = User(1001, "anna"), User(1002, "ben")


@asynccontextmanager
async def locked(database: PostgresServer) -> AsyncIterator[None]:
    """Another session holds the players: whoever asks for one waits."""
    connection = await asyncpg.connect(database.url)
    async with connection.transaction():
        await connection.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        yield
    await connection.close()


async def thinking(discord: StandIn, database: PostgresServer, user: User, quantity: int) -> Asked:
    """A purchase that waits for the storage, and goes on."""
    async with locked(database):
        asked = discord.slash(user, "buy", item="health_potion", quantity=quantity)
        await asked.until(lambda one: one.thinking)
    return asked


@pytest.mark.parametrize("fault", [(429, 3, False), (502, 1, False), (502, 1, True)])
async def test_a_thought_is_followed_by_its_words(
    fault: tuple[int, int, bool], database: PostgresServer, tmp_path: Path
) -> None:
    status, times, carried_out = fault
    settings = {"PROVIDER": "postgres", "DATABASE_URL": database.url}
    async with StandIn() as discord, BotProcess(discord, tmp_path, **settings) as bot:
        discord.fail(status, times, path="/webhooks/", carried_out=carried_out)
        asked = await thinking(discord, database, ANNA, 2)
        await asked.until(acknowledged)
        refused = await thinking(discord, database, BEN, 200)
        await refused.until(lambda one: any("Need 20,000 gold" in text for text in one.messages.values()))
        await bot.stopped()
    assert discord.api.faults == []
    assert all("Bought" in text for text in asked.messages.values())
    assert not any("Bought" in text for text in refused.messages.values())
    assert (await settled_in(database.url)).holds([asked, refused]) == (1, 0)


async def test_a_bot_that_is_told_to_end_waits_for_its_thoughts(
    database: PostgresServer, tmp_path: Path
) -> None:
    settings = {"PROVIDER": "postgres", "DATABASE_URL": database.url}
    async with StandIn() as discord, BotProcess(discord, tmp_path, **settings) as bot:
        async with locked(database):
            asked = discord.slash(ANNA, "buy", item="health_potion", quantity=2)
            await asked.until(lambda one: one.thinking)
            bot.terminate()
            await asyncio.sleep(0.5)
        assert await bot.end() == 0
        assert acknowledged(asked)
    assert (await settled_in(database.url)).holds([asked]) == (1, 0)
