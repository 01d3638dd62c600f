"""The gateway is dropped in the middle of commands, and a session is invalidated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bot.bot_process import BotProcess
from tests.bot.settled import settled
from tests.bot.standin import StandIn, User

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bot.standin import Asked


def buys(discord: StandIn, first: int, count: int) -> list[Asked]:
    return [
        discord.slash(User(first + number), "buy", item="health_potion", quantity=1)
        for number in range(count)
    ]


@pytest.mark.parametrize("close_code", [1000, 1006, 4000])
async def test_commands_outlive_their_connection(close_code: int, tmp_path: Path) -> None:
    async with StandIn() as discord:
        async with BotProcess(discord, tmp_path) as bot:
            asked = buys(discord, 1000, 20)
            await asked[0].answered()
            session = await discord.drop(close_code=close_code)
            asked += buys(discord, 2000, 20)  # Nobody hears them now: the RESUME replays them.
            for one in asked:
                await one.answered()
            assert (session.resumed, discord.gateway.identified) == (1, 1)
            await bot.stopped()
        assert [len(one.said) for one in asked] == [1] * 40
        assert (await settled(tmp_path)).holds(asked) == (40, 0)


async def test_an_invalid_session_loses_no_command_that_was_heard(tmp_path: Path) -> None:
    async with StandIn() as discord:
        async with BotProcess(discord, tmp_path) as bot:
            asked = buys(discord, 1000, 20)
            await asked[0].answered()
            await discord.invalidate()
            for one in asked:
                await one.answered()
            await discord.ready(sessions=2)
            asked += buys(discord, 2000, 5)
            for one in asked:
                await one.answered()
            await bot.stopped()
        assert [len(one.said) for one in asked] == [1] * 25
        assert (await settled(tmp_path)).holds(asked) == (25, 0)
