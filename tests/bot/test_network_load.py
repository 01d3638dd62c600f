"""Many commands at once, and every event twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kokoromichi.core.providers.local_json import LocalJSONProvider
from tests.bot.bot_process import BotProcess
from tests.bot.settled import settled
from tests.bot.standin import StandIn, User

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bot.standin import Asked


async def test_fifty_commands_at_once_are_answered_once_each(tmp_path: Path) -> None:
    async with StandIn() as discord:
        async with BotProcess(discord, tmp_path) as bot:
            asked = [
                discord.slash(User(1000 + number), "buy", item="lucky_charm", quantity=1)
                for number in range(50)
            ]
            for one in asked:
                await one.answered()
            await bot.stopped()
        assert all(one.text.startswith("Bought") and len(one.said) == 1 for one in asked)
        assert (await settled(tmp_path)).holds(asked) == (50, 0)
    async with LocalJSONProvider(tmp_path / "data") as provider:
        assert (await provider.counters())["stock.lucky_charm"] == 200


async def test_an_event_that_comes_twice_is_charged_and_answered_once(tmp_path: Path) -> None:
    async with StandIn() as discord:
        async with BotProcess(discord, tmp_path) as bot:
            slash = [
                discord.slash(User(1000 + number), "buy", item="health_potion", quantity=1)
                for number in range(10)
            ]
            written = [discord.message(User(2000 + number), "!buy health_potion 1") for number in range(10)]
            for one in slash + written:
                discord.again(one)
            for one in slash + written:
                await one.answered()
                discord.again(one)
            last = await discord.slash(User(3000), "balance").answered()  # Behind everything that came twice.
            assert "10,000 gold" in last.text
            await bot.stopped()
        for one in slash + written:
            assert (len(one.said), one.refused) == (1, 0)
        assert (await settled(tmp_path)).holds(slash + written) == (20, 0)


async def test_an_event_that_comes_again_after_a_restart_is_answered_the_same(tmp_path: Path) -> None:
    async with StandIn() as discord:
        async with BotProcess(discord, tmp_path) as bot:
            written = await discord.message(User(1001), "!buy health_potion 3").answered()
            slash = await discord.slash(User(1002), "buy", item="health_potion", quantity=3).answered()
            await bot.stopped()
        async with BotProcess(discord, tmp_path) as bot:
            discord.again(written)
            await written.answered(times=2)
            discord.again(slash)
            await slash.until(lambda one: one.refused > 0)
            await bot.stopped()
        first, second = written.said
        assert first.text == second.text
        assert "3 × Health Potion for 300 gold" in first.text
        asked: list[Asked] = [written, slash]
        assert (await settled(tmp_path)).holds(asked) == (2, 0)
