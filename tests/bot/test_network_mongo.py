"""The bot over MongoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kokoromichi.core.providers.mongo import MongoDBProvider
from tests.bot.bot_process import BotProcess
from tests.bot.settled import Settled, acknowledged
from tests.bot.standin import StandIn, User
from tests.servers.mongo import fresh_database

if TYPE_CHECKING:
    from pathlib import Path


async def test_many_buy_the_last_of_an_item_at_once(tmp_path: Path) -> None:
    """There are 100 chests, and 120 are wanted: whoever is told that they have one has one."""
    uri = fresh_database()
    async with (
        StandIn() as discord,
        BotProcess(discord, tmp_path, PROVIDER="mongo", MONGO_URI=uri) as bot,
    ):
        asked = [
            discord.slash(User(1000 + number), "buy", item="treasure_chest", quantity=1)
            for number in range(120)  # One each: half of a purse, so that nobody is asked once more.
        ]
        for one in asked:
            await one.answered()
        await bot.stopped()
    told = [one for one in asked if acknowledged(one)]
    assert all("left" in one.text for one in asked if one not in told), "the others hear that it is sold out"
    async with MongoDBProvider(uri) as provider:
        assert (await Settled.read(provider)).holds(asked) == (len(told), 0)
        assert (await provider.counters())["stock.treasure_chest"] == 0
        assert len(told) == 100
