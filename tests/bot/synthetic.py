"""Synthetic players at the bot: the story of a simulation, typed as commands, with the simulation's dice."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

import polars as pl

from kokoromichi.analysis.provider_state import read_ledger
from kokoromichi.bot import KokoroBot, create_bot
from kokoromichi.chat.console.guild import FakeGuild, player_id, player_name
from kokoromichi.chat.texts import say
from kokoromichi.core.errors import RefusedError
from kokoromichi.rules.codes import CODE_NAMES, OK
from kokoromichi.rules.economy import RARITIES
from kokoromichi.settings import Settings
from kokoromichi.simulation import story
from kokoromichi.simulation.faithful import FaithfulEngine
from kokoromichi.simulation.player_state import (
    AMOUNT_GOLD,
    CODE,
    DRAW,
    ITEM,
    MANA,
    RESULT,
    STAGE,
    TIER,
    UNITS,
)
from kokoromichi.simulation.session import BATTLES, Session
from kokoromichi.simulation.story import ACT_NAMES, SPENDING

if TYPE_CHECKING:
    from collections.abc import Callable

    from discord.ext import commands

    from kokoromichi.chat.console.http_client import Posted
    from kokoromichi.chat.context import Context
    from kokoromichi.core.clock import Clock
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.services.bundle import Services
    from kokoromichi.simulation.scenario import Scenario

_CODES: Final = {name: code for code, name in CODE_NAMES.items()}
_PLAYERS: Final = ("user_id", "counterparty", "actor", "largest_user_id")
"""Columns that name one."""
_PULLED: Final = re.compile(r"^`(\w+)`", re.MULTILINE)


class Table:
    """The bot at a terminal, and what it answered last.

    Attributes:
        bot: As it runs on Discord.
        rolls: What its dice show next.
    """

    def __init__(self, provider: DataProvider, clock: Clock) -> None:
        self.rolls: deque[int] = deque()
        settings = Settings(_env_file=None, shard_count=1)
        self.bot: KokoroBot = create_bot(settings, provider=provider, clock=clock, dice=self.rolls.popleft)
        self.bot.add_listener(self._failed, "on_command_error")
        self.guild = FakeGuild(self.bot, "host", self._shown)
        self._answers: list[Posted] = []
        self._before: set[int] = set()  # Messages of commands before: a view that times out is edited.
        self._code = OK

    async def typed(self, name: str, line: str, rolls: list[int]) -> tuple[int, Posted]:
        """Type a line, say yes to what is asked, and answer the refusal's code and the last message."""
        self.rolls.clear()
        self.rolls.extend(rolls)
        self._before.update(answer.message_id for answer in self._answers)
        self._answers.clear()
        self._code = OK
        await self.guild.say(name, line)
        for choice in self._answers[-1].choices:
            if choice.label == say("confirm"):
                await self.guild.press(name, self._answers[-1].message_id, choice.custom_id)
        return self._code, self._answers[-1]

    def _shown(self, posted: Posted) -> None:
        if posted.message_id not in self._before:
            self._answers.append(posted)

    async def _failed(self, _ctx: Context, error: commands.CommandError) -> None:
        refusal = getattr(error, "original", error)
        assert isinstance(refusal, RefusedError), refusal
        self._code = _CODES[refusal.code]


class TypingSession(Session):
    """A session that is typed; the store is looked at once the player comes to spending."""

    table: ClassVar[Table]

    async def play(self) -> None:
        """As a simulation's."""
        self._has_looked = False
        self._name = str(player_name(self._user_id))
        await super().play()
        await self._look_at_the_store()

    async def _look_at_the_store(self) -> None:
        if self._state[STAGE] > SPENDING and not self._has_looked:
            self._has_looked = True
            await self.table.typed(self._name, "store", [])

    async def _carry_out(self, act: int) -> None:
        await self._look_at_the_store()
        state = self._state
        rolls = self._pull_draws() if act == story.DO_SUMMON else [state[DRAW]]
        state[CODE], answer = await self.table.typed(self._name, _LINES[act](self), rolls)
        outcome = None
        if state[CODE] == OK and act == story.DO_BATTLE:
            outcome = BATTLES[answer.embeds[0].title == say("battle.won")]
        if state[CODE] == OK and act == story.DO_SUMMON:
            state[RESULT] = max(map(RARITIES.index, _PULLED.findall(answer.embeds[0].description or "")))
        self._record(ACT_NAMES[act], CODE_NAMES[state[CODE]] if state[CODE] else None, outcome)

    @property
    def other(self) -> str:
        """The name of whom the act is upon."""
        return str(player_name(self._other_id))

    def line(self, words: str) -> str:
        """A command's words with the numbers of the player's row in their places."""
        state = self._state
        return words.format(
            item=self._world.items[state[ITEM]] if "{item}" in words else "",
            business=self._world.businesses[state[ITEM]] if "{business}" in words else "",
            other=self.other if "{other}" in words else "",
            units=state[UNITS],
            gold=state[AMOUNT_GOLD],
            tier=state[TIER] + 1,
            mana=("no", "yes")[state[MANA]],
        )


def _words(words: str) -> Callable[[TypingSession], str]:
    return lambda session: session.line(words)


_LINES: Final[dict[int, Callable[[TypingSession], str]]] = {
    story.DO_CLAIM: _words("daily"),
    story.DO_COLLECT: _words("collect"),
    story.DO_USE: _words("use {item}"),
    story.DO_BATTLE: _words("battle {tier} {mana}"),
    story.DO_BUY: _words("buy {item} {units}"),
    story.DO_TRAIN: _words("train"),
    story.DO_EXCHANGE: _words("exchange"),
    story.DO_INVEST: _words("invest {business}"),
    story.DO_SUMMON: _words("summon 10"),
    story.DO_SELL: _words("sell {item}"),
    story.DO_TRANSFER: _words("transfer {other} {gold}"),
    story.DO_GIFT: _words("gift {other} {item}"),
}


class BotEngine(FaithfulEngine):
    """Plays a replication at the bot.

    Args:
        scenario: What is played; its economy on the first day is the shipped one.
        seed: Of the replication.
        make_store: Makes the provider, by the simulated clock.
    """

    def __init__(self, scenario: Scenario, seed: int, make_store: Callable[[Clock], DataProvider]) -> None:
        super().__init__(scenario, seed, make_store)
        self.session_class = type("Typing", (TypingSession,), {"table": self.table})
        self._world.user_ids[:] = [str(player_id(name)) for name in self._world.user_ids]

    def _game(self) -> Services:
        self.table = Table(self.provider, self._clock)
        return self.table.bot.services

    async def play_at_the_bot(self) -> Known:
        """Play every day, and close the bot and its storage."""
        await self.table.guild.open()
        try:
            await self.play_days()
            ledger = await read_ledger(self.provider)
        finally:
            await self.table.guild.close()
        return Known(
            named(ledger),
            named(self._world.activity.frame()),
            named(self._world.participants.frame(self._scenario.population)),
        )


class Known(NamedTuple):
    """What is known of players at the bot, by the simulation's names.

    Attributes:
        ledger: What the bot stored.
        activity: What a simulation knows of them, thoughts included.
        players: Who they are.
    """

    ledger: pl.DataFrame
    activity: pl.DataFrame
    players: pl.DataFrame


def named(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame of any stream under the simulation's names."""
    columns = [name for name in _PLAYERS if name in frame.columns]
    names = {
        user_id: name
        for column in columns
        for user_id in frame[column].cast(pl.String).unique().drop_nulls()
        if (name := player_name(user_id)) is not None
    }
    return frame.with_columns(pl.col(column).cast(pl.String).replace(names) for column in columns)
