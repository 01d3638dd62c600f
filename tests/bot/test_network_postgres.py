"""Two bots, two shards and one economy in PostgreSQL; and the database stopped while they run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import polars as pl

from kokoromichi.core.kinds import SYSTEM
from kokoromichi.core.providers.postgres import PostgresProvider
from tests.bot.bot_process import BotProcess, How
from tests.bot.settled import acknowledged, settled_in
from tests.bot.standin import GUILDS, StandIn, User

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bot.standin import Asked
    from tests.servers.postgres import PostgresServer

SUPPLY = 'kokoromichi_supply{currency="gold"}'


async def test_two_bots_serve_two_shards_of_one_economy(database: PostgresServer, tmp_path: Path) -> None:
    async with StandIn(shards=2) as discord:
        settings = {"PROVIDER": "postgres", "DATABASE_URL": database.url, "SHARD_COUNT": "2"}
        files = [tmp_path / f"{name}.prom" for name in ("first", "second")]
        first, second = (
            BotProcess(
                discord,
                tmp_path,
                How(shards=shard + 1, name=file.stem),
                SHARD_IDS=str(shard),
                METRICS_FILE=str(file),
                **settings,
            )
            for shard, file in enumerate(files)
        )
        asked: list[Asked] = []
        async with first, second:
            assert sorted(discord.gateway.sessions) == [(0, 2), (1, 2)]
            for number in range(60):  # The same players in both guilds, at once; one item has 250 units.
                user = User(1000 + number // 3)
                item = "lucky_charm" if number % 3 == 0 else "health_potion"
                asked.append(discord.slash(user, "buy", guild_id=GUILDS[number % 2], item=item, quantity=1))
            for one in asked:
                await one.answered()
            while SUPPLY not in series_of(files[0]):  # noqa: ASYNC110 - a file has no event
                await asyncio.sleep(0.1)
            await first.stopped()
            await second.stopped()
        assert [one.text for one in asked if not acknowledged(one)] == []
        found = await settled_in(database.url)
        assert found.holds(asked) == (60, 0)
        async with PostgresProvider(database.url, pool_size=(1, 2)) as provider:
            assert (await provider.counters())["stock.lucky_charm"] == 230
            frames = [frame async for frame in provider.ledger_frames()]
            acts = pl.concat(frames).filter(pl.col("user_id") != SYSTEM)["tx_id"].n_unique()
        counted = [series_of(file) for file in files]
        assert sum(one["kokoromichi_commits_total"] for one in counted) == acts == 60
        assert sum(one['kokoromichi_commands_total{command="buy",outcome="done"}'] for one in counted) == 60
        measured = [one for one in counted if SUPPLY in one]
        assert measured == counted[:1], "the economy is measured by the process of shard 0 alone"
        assert measured[0]["kokoromichi_residual_gold"] == 0


def series_of(file: Path) -> dict[str, float]:
    """What a bot wrote last; nothing where it has not yet."""
    text = file.read_text("utf-8") if file.exists() else ""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def test_a_database_that_is_gone_charges_nothing_and_comes_back(
    database: PostgresServer, tmp_path: Path
) -> None:
    anna, ben = User(1001), User(1002)
    settings = {
        "PROVIDER": "postgres",
        "DATABASE_URL": database.url,
        "MIRROR_DIR": str(tmp_path / "mirror"),
        "MIRROR_SECONDS": "1",
    }
    async with StandIn() as discord, BotProcess(discord, tmp_path, **settings) as bot:
        asked = [await discord.slash(anna, "buy", item="health_potion", quantity=7).answered()]
        await asyncio.sleep(3)  # The mirror follows.
        database.kill()
        asked += [discord.slash(user, "buy", item="health_potion", quantity=1) for user in (anna, ben) * 2]
        for one in asked[1:]:
            await one.until(lambda one: says(one, "Nothing was charged"), 60)
        balance, inventory = discord.slash(anna, "balance"), discord.slash(anna, "inventory")
        for read in (balance, inventory):
            await read.until(lambda one: says(one, "this is how things stood"), 60)
        assert "9,300 gold" in balance.text
        assert "As it was" not in balance.text, "one answer has one age"
        assert "7 × " in inventory.text
        await asyncio.to_thread(database.start)
        while "the storage is well again" not in bot.said():  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.1)
        asked.append(discord.slash(anna, "buy", item="health_potion", quantity=1))
        await asked[-1].until(acknowledged, 60)
        balance = discord.slash(anna, "balance")
        await balance.until(lambda one: says(one, "9,200 gold"))
        assert "this is how things stood" not in balance.text
        await bot.stopped()
    assert [acknowledged(one) for one in asked] == [True, False, False, False, False, True]
    assert (await settled_in(database.url)).holds(asked) == (2, 0)


def says(asked: Asked, words: str) -> bool:
    """Whether something that was said holds these words."""
    return any(words in answer.text for answer in asked.said)


async def test_a_database_that_dies_under_load_loses_and_doubles_nothing(
    database: PostgresServer, tmp_path: Path
) -> None:
    async with StandIn() as discord:
        settings = {"PROVIDER": "postgres", "DATABASE_URL": database.url}
        asked: list[Asked] = []
        async with BotProcess(discord, tmp_path, **settings) as bot:
            for wave in range(3):
                for number in range(40):
                    user = User(1000 + 100 * wave + number)
                    asked.append(discord.slash(user, "buy", item="health_potion", quantity=1))
                await asked[-40 + 10 * wave].until(lambda one: bool(one.answers))
                database.kill()
                await asyncio.sleep(0.2)
                await asyncio.to_thread(database.start)
            for one in asked:
                await one.answered(timeout_s=60)
                await one.until(lambda one: "Checking" not in one.text, timeout_s=60)
            await bot.stopped()
        told, silent = (await settled_in(database.url)).holds(asked)
        assert silent == 0
        assert told > 0
