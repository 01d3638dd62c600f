"""The faithful engine: every act of every synthetic player through the services that the bot runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import polars as pl

from kokoromichi.analysis.provider_state import read_ledger, stored_states
from kokoromichi.core.clock import ManualClock, midnight_us
from kokoromichi.core.models import DAY_US, SECOND_US
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.schemas import ECONOMY_HISTORY_SCHEMA
from kokoromichi.services.bundle import Services
from kokoromichi.services.executor import CommandExecutor
from kokoromichi.simulation import presence, story
from kokoromichi.simulation.coded import schemas_of
from kokoromichi.simulation.driver import Driver
from kokoromichi.simulation.memory_executor import MemoryExecutor
from kokoromichi.simulation.played import Played
from kokoromichi.simulation.player_state import AWAY, LAST_CLAIM_US, STREAK
from kokoromichi.simulation.session import Session
from kokoromichi.simulation.streams import (
    CHARACTERS,
    DAY_DRAWS,
    DAY_HOURS,
    DAY_LEAVE_OR_RETURN,
    DAY_SESSIONS,
    MAX_SESSIONS,
    PRESENCE,
    SESSION,
    SESSION_DRAWS,
    SESSION_START,
    draws,
    stream_key,
)
from kokoromichi.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kokoromichi.core.clock import Clock
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.simulation.scenario import Scenario


class FaithfulEngine:
    """Plays one replication, day by day.

    Args:
        scenario: What is simulated.
        seed: Seed of the replication.
        make_store: Makes the provider, by the simulated clock; it must store nothing yet.

    Attributes:
        session_class: What plays a session.
        provider: Where the players act; whoever plays opens it.
    """

    session_class: type[Session] = Session

    def __init__(
        self, scenario: Scenario, seed: int, make_store: Callable[[Clock], DataProvider] = MemoryProvider
    ) -> None:
        population = scenario.population
        self._start_us = midnight_us(scenario.start)
        self._scenario = scenario
        self._clock = ManualClock(self._start_us)
        self.provider = make_store(self._clock)
        self._services = self._game()
        self._history: list[dict[str, object]] = []
        self._world = World(scenario, seed, self._services)
        self._driver = Driver(self._clock)
        self._presence_key = stream_key(seed, PRESENCE)
        self._session_key = stream_key(seed, SESSION)
        self._characters_key = stream_key(seed, CHARACTERS)
        self._thresholds = population.session_thresholds()
        self._hours = presence.hour_table(population.hour_weights)

    def _game(self) -> Services:
        """The game that is played."""
        in_memory = isinstance(self.provider, MemoryProvider)
        return Services(
            self.provider,
            self._scenario.economy_on(0),
            self._clock,
            executor_class=MemoryExecutor if in_memory else CommandExecutor,
        )

    async def play(self, on_day: Callable[[int], None] | None = None) -> Played:
        """Play every day of the horizon, and answer what it left.

        Args:
            on_day: Called with each day that is done.
        """
        await self.play_days(on_day)
        return await self.left()

    async def play_days(self, on_day: Callable[[int], None] | None = None) -> None:
        """Play every day; the ledger stays in the provider."""
        economy = None
        for day in range(self._scenario.days):
            self._clock.us = self._start_us + day * DAY_US
            today = self._scenario.economy_on(day)
            if economy is None:
                await self._services.start()
            elif today is not economy:
                await self._services.reload(today)
            else:
                await self._services.store.restock()
            if economy is None or today.hash != economy.hash:
                self._history += self._services.live.history_rows(self._clock.us)
            economy = today
            self._world.put_into_force(today)
            await self._world.take_stock()
            await self._play_day(day)
            await asyncio.sleep(0)  # The event loop hears of a Ctrl-C here, and nowhere else over memory.
            if on_day is not None:
                on_day(day)

    async def _play_day(self, day: int) -> None:
        chance = draws(self._presence_key, self._scenario.players, day, DAY_DRAWS).tolist()
        self._schedule(day, chance)
        await self._driver
        self._clock.us = self._start_us + (day + 1) * DAY_US - 1
        for player, numbers in enumerate(chance):
            if self._world.participants.arrival_days[player] <= day:
                await self._end_day(player, day, numbers[DAY_LEAVE_OR_RETURN])

    def _schedule(self, day: int, chance: Sequence[Sequence[int]]) -> None:
        world, activities = self._world, len(self._scenario.population.activity_percent)
        starts = [0] * MAX_SESSIONS
        block = draws(self._session_key, self._scenario.players, day, MAX_SESSIONS * SESSION_DRAWS)
        day_us = self._start_us + day * DAY_US
        for player, numbers in enumerate(chance):
            age_days = day - world.participants.arrival_days[player]
            if age_days < 0 or world.states[player][AWAY]:
                continue
            row = presence.threshold_row(
                world.participants.archetypes[player], world.participants.activities[player], activities, day
            )
            count = presence.sessions_of_day(numbers[DAY_SESSIONS], self._thresholds, row, age_days)
            if not count:
                continue
            mine: list[int] = block[player, : count * SESSION_DRAWS].tolist()
            presence.place_sessions(starts, count, numbers, DAY_HOURS, mine, SESSION_START, self._hours)
            for number in range(count):
                own = mine[number * SESSION_DRAWS : (number + 1) * SESSION_DRAWS]
                session = self.session_class(world, player, day, number, own, self._characters_key)
                self._driver.add(day_us + starts[number] * SECOND_US, player, session.play())

    async def _end_day(self, player: int, day: int, number: int) -> None:
        world = self._world
        state = world.states[player]
        profile = await self.provider.profile(world.user_ids[player])
        if profile is None:
            return  # Arrived, and not played yet.
        state[STREAK], state[LAST_CLAIM_US] = profile.streak, profile.last_claim_us
        act = story.end_day(state, day, self._clock.us + 1, number, world.traits_of(player), world.shared)
        if act:
            self._record(player, story.ACT_NAMES[act])

    def _record(self, player: int, act: str) -> None:
        world = self._world
        world.activity.record(world.user_ids[player], world.sessions, self._clock.us, act, world.economy_hash)

    async def left(self) -> Played:
        """What was played until now, read from the store."""
        schemas = schemas_of(self._scenario)
        return Played(
            (await read_ledger(self.provider)).cast(schemas.ledger),
            await stored_states(self.provider),
            self._world.activity.frame().cast(schemas.activity),
            pl.DataFrame(self._history, schema=ECONOMY_HISTORY_SCHEMA),
            self._world.participants.frame(self._scenario.population),
        )
