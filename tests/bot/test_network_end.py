"""The bot is told to end with commands in flight."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import discord
import pytest
from pydantic import SecretStr

from kokoromichi.bot import KokoroBot, serve
from kokoromichi.settings import Settings
from tests.bot.bot_process import BotProcess
from tests.bot.settled import acknowledged, settled
from tests.bot.standin import TOKEN, StandIn, User

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("after_s", [0.0, 0.03, 0.1, 0.3])
async def test_what_was_begun_is_finished_and_what_was_not_is_not_charged(
    after_s: float, tmp_path: Path
) -> None:
    async with StandIn() as discord:
        async with BotProcess(discord, tmp_path) as bot:
            discord.fail(429, 20)  # So that some are still at their first answer when the signal comes.
            asked = [
                discord.slash(User(1000 + number), "buy", item="health_potion", quantity=1)
                for number in range(40)
            ]
            await asyncio.sleep(after_s)
            await bot.stopped()
            await discord.gone()
        told = [one for one in asked if acknowledged(one)]
        # Nobody was killed: whatever was charged was said.
        assert (await settled(tmp_path)).holds(asked) == (len(told), 0)
        assert "Traceback" not in bot.said()


async def test_what_is_asked_while_it_ends_is_told_so_and_not_charged(tmp_path: Path) -> None:
    async with StandIn() as discord:
        async with BotProcess(discord, tmp_path) as bot:
            discord.fail(502)  # Its answer takes a second more: the bot waits for it.
            slow = discord.slash(User(1001), "buy", item="health_potion", quantity=1)
            await asyncio.sleep(0.3)
            assert discord.api.faults == []
            bot.terminate()
            await asyncio.sleep(0.2)
            late = await discord.slash(User(1002), "buy", item="health_potion", quantity=1).answered()
            assert "restarting" in late.text
            assert await bot.end() == 0
        assert acknowledged(slow)
        assert (await settled(tmp_path)).holds([slow, late]) == (1, 0)


@pytest.mark.parametrize("after_s", [0.3, 1.0, 1.5, 2.0])
async def test_it_may_be_told_to_end_while_it_starts(after_s: float, tmp_path: Path) -> None:
    async with StandIn() as discord:
        bot = BotProcess(discord, tmp_path, LOG_LEVEL="INFO")
        await bot.launch()
        await asyncio.sleep(after_s)
        bot.terminate()
        code = await bot.end()
    assert "Traceback" not in bot.said()
    # Before Python listens, the signal ends the process by itself.
    assert code in {0, -signal.SIGTERM}, bot.said()


class SlowStart(KokoroBot):
    """A bot that is told to end while it starts, and looks into its storage once that is closed."""

    async def setup_hook(self) -> None:
        signal.raise_signal(signal.SIGTERM)
        while True:
            await self.services.start()
            await asyncio.sleep(0.01)


async def test_what_it_meets_of_what_it_closed_itself_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kokoromichi.bot.KokoroBot", SlowStart)
    async with StandIn() as server:
        monkeypatch.setattr(discord.http.Route, "BASE", server.api_url)
        settings = Settings(
            _env_file=None,
            discord_token=SecretStr(TOKEN),
            discord_api_url=server.api_url,
            data_dir=tmp_path / "data",
        )
        await serve(settings)
