"""The bot is killed inside money commands, with the local store, and started again.

``KOKORO_BOT_KILLS`` is the number of kills; a campaign takes 100.
"""

from __future__ import annotations

import asyncio
import os
from random import Random  # noqa: TID251 - when a process dies is no part of a simulation
from typing import TYPE_CHECKING, Final

from tests.bot.bot_process import BotProcess
from tests.bot.settled import settled
from tests.bot.standin import StandIn, User

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bot.standin import Asked

KILLS: Final = int(os.environ.get("KOKORO_BOT_KILLS", "3"))  # noqa: TID251 - the campaign's size
SEED: Final = int(os.environ.get("KOKORO_BOT_SEED", "7"))  # noqa: TID251 - the campaign's course
AT_ONCE: Final = 20
ACTS_EACH: Final = 5


async def test_what_was_acknowledged_survives_every_kill_once(tmp_path: Path) -> None:
    chance = Random(SEED)  # noqa: S311 - no secret
    asked: list[Asked] = []
    async with StandIn() as discord:
        bot = BotProcess(discord, tmp_path, LOG_LEVEL="INFO", DEBOUNCE_SECONDS="0.05")
        for kill in range(KILLS):
            async with bot:
                unheard = [one for one in asked if one.event["t"] == "MESSAGE_CREATE" and not one.said]
                for one in unheard:  # Asked again after the restart, under the same id.
                    discord.again(one)
                players = asyncio.create_task(trade(discord, kill, asked))
                await asyncio.sleep(chance.uniform(0.05, 1.2))
                bot.kill()
                await bot.end()
                players.cancel()
            (await settled(tmp_path)).holds(asked)
        async with bot:  # What nobody answered is answered now, and charged at most once.
            unheard = [one for one in asked if one.event["t"] == "MESSAGE_CREATE" and not one.said]
            for one in unheard:
                discord.again(one)
            for one in unheard:
                await one.answered()
            await bot.stopped()
        told, silent = (await settled(tmp_path)).holds(asked)
    assert told > KILLS * 5
    figures = f"{KILLS} kills: asked {len(asked):,}, acknowledged {told:,}, lost 0, doubled 0"
    print(f"{figures}; {silent:,} slash commands happened whose answer the kill had cut off")  # noqa: T201 - the campaign's figure


async def trade(discord: StandIn, life: int, asked: list[Asked]) -> None:
    """Trade without a pause, until the bot is dead: slash commands and messages, each player a few times."""

    async def play(place: int) -> None:
        number = 0
        while True:
            user = User(10_000 * (life + 1) + 100 * place + number // ACTS_EACH)
            asked.append(act(discord, user, number, slash=(place + number) % 2 == 0))
            await asked[-1].answered()
            number += 1

    await asyncio.gather(*(play(place) for place in range(AT_ONCE)))


def act(discord: StandIn, user: User, number: int, *, slash: bool) -> Asked:
    """The next thing that a player does: each of them moves gold, unless it is refused."""
    friend = User(user.id - 1)  # Who played before them; the first of all is a stranger, and refused.
    match number % ACTS_EACH:
        case 0:
            return discord.slash(user, "daily") if slash else discord.message(user, "!daily")
        case 1 | 2:
            if slash:
                return discord.slash(user, "buy", item="health_potion", quantity=2)
            return discord.message(user, "!buy health_potion 2")
        case 3:
            if slash:
                return discord.slash(user, "sell", item="health_potion", quantity=1)
            return discord.message(user, "!sell health_potion 1")
        case _:
            if slash:
                return discord.slash(user, "transfer", user=friend, amount="100")
            return discord.message(user, f"!transfer {friend.id} 100")
