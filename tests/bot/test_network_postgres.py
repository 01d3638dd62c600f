"""Two bots, two shards and one economy in PostgreSQL; and the database stopped while they run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from kokoromichi.core.providers.postgres import PostgresProvider
from tests.bot.bot_process import BotProcess
from tests.bot.settled import Settled, acknowledged
from tests.bot.standin import GUILDS, StandIn, User
from tests.servers.postgres import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bot.standin import Asked


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    own = PostgresServer()
    own.start()
    yield own
    own.remove()


async def settled(server: PostgresServer) -> Settled:
    async with PostgresProvider(server.url, pool_size=(1, 2)) as provider:
        return await Settled.read(provider)


async def test_two_bots_serve_two_shards_of_one_economy(server: PostgresServer, tmp_path: Path) -> None:
    async with StandIn(shards=2) as discord:
        settings = {"PROVIDER": "postgres", "DATABASE_URL": server.url, "SHARD_COUNT": "2"}
        first = BotProcess(discord, tmp_path, name="first", SHARD_IDS="0", **settings)
        second = BotProcess(discord, tmp_path, name="second", SHARD_IDS="1", **settings)
        asked: list[Asked] = []
        async with first:
            await second.start(shards=2)
            async with second:
                assert sorted(discord.gateway.sessions) == [(0, 2), (1, 2)]
                for number in range(60):  # The same players in both guilds, at once; one item has 100 units.
                    user = User(1000 + number % 20)
                    item = "treasure_chest" if number % 3 == 0 else "health_potion"
                    asked.append(
                        discord.slash(user, "buy", guild_id=GUILDS[number % 2], item=item, quantity=1)
                    )
                for one in asked:
                    await one.answered()
                for bot in (first, second):
                    bot.terminate()
                    assert await bot.end() == 0
        assert sum(map(acknowledged, asked)) == 60
        found = await settled(server)
        assert found.holds(asked) == (60, 0)
        async with PostgresProvider(server.url, pool_size=(1, 2)) as provider:
            assert (await provider.counters())["stock.treasure_chest"] == 80


async def test_a_database_that_is_gone_charges_nothing_and_comes_back(
    server: PostgresServer, tmp_path: Path
) -> None:
    anna, ben = User(1001), User(1002)
    async with StandIn() as discord:
        settings = {"PROVIDER": "postgres", "DATABASE_URL": server.url}
        async with BotProcess(discord, tmp_path, **settings) as bot:
            asked = [await discord.slash(anna, "buy", item="health_potion", quantity=1).answered()]
            server.kill()
            asked += [
                discord.slash(user, "buy", item="health_potion", quantity=1) for user in (anna, ben) * 2
            ]
            for one in asked[1:]:
                await one.until(lambda one: any("Nothing was charged" in it.text for it in one.said), 60)
            await asyncio.to_thread(server.start)
            asked.append(await discord.slash(anna, "buy", item="health_potion", quantity=1).answered(60))
            bot.terminate()
            assert await bot.end() == 0
        assert [acknowledged(one) for one in asked] == [True, False, False, False, False, True]
        assert (await settled(server)).holds(asked) == (2, 0)


async def test_a_database_that_dies_under_load_loses_and_doubles_nothing(
    server: PostgresServer, tmp_path: Path
) -> None:
    async with StandIn() as discord:
        settings = {"PROVIDER": "postgres", "DATABASE_URL": server.url}
        asked: list[Asked] = []
        async with BotProcess(discord, tmp_path, **settings) as bot:
            for wave in range(3):
                for number in range(40):
                    user = User(1000 + 100 * wave + number)
                    asked.append(discord.slash(user, "buy", item="health_potion", quantity=1))
                await asked[-40 + 10 * wave].until(lambda one: bool(one.answers))
                server.kill()
                await asyncio.sleep(0.2)
                await asyncio.to_thread(server.start)
            for one in asked:
                await one.answered(timeout_s=60)
                await one.until(lambda one: "Checking" not in one.text, timeout_s=60)
            bot.terminate()
            assert await bot.end() == 0
        told, silent = (await settled(server)).holds(asked)
        assert silent == 0
        assert told > 0
