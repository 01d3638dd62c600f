"""What a simulation knows of its players beyond what is stored: who is there, and what they want."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from kokoromichi.core.models import NEVER
from kokoromichi.core.schemas import PLAYERS_SCHEMA
from kokoromichi.rules.draws import below
from kokoromichi.simulation import streams
from kokoromichi.simulation.activity import ActivityRecorder
from kokoromichi.simulation.demand import NONE, SERVICES, UNLIMITED_STOCK
from kokoromichi.simulation.player_state import (
    ARCHETYPE,
    ARRIVAL_DAY,
    BEST_TIER,
    BUSINESSES,
    GOAL,
    GUARD_UNTIL_US,
    INCOME_SINCE_US,
    LAST_CLAIM_US,
    LEVEL,
    LUCK_UNTIL_US,
    MAIN,
    NOVEL_DAY,
    PLAYER,
    SENT_DAY,
    STATE_SIZE,
    WANT_DAY,
)
from kokoromichi.simulation.population import user_id
from kokoromichi.simulation.presence import arrival_day
from kokoromichi.simulation.price_list import build_price_list
from kokoromichi.simulation.story import Shared
from kokoromichi.simulation.traits import traits

if TYPE_CHECKING:
    from kokoromichi.rules.economy import Economy
    from kokoromichi.services.bundle import Services
    from kokoromichi.simulation.demand import PriceList
    from kokoromichi.simulation.population import Population
    from kokoromichi.simulation.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Participants:
    """Who plays one replication; lists run by player number.

    Attributes:
        user_ids: Their ids.
        archetypes: Place of each player's archetype in ``Population.archetypes``.
        cohorts: Place of each player's cohort in ``Population.cohorts``.
        arrival_days: Day of the first session.
        activities: Place of each player's activity multiplier.
        states: Each player's row, by the places of ``player_state``.
    """

    user_ids: list[str]
    archetypes: list[int]
    cohorts: list[int]
    arrival_days: list[int]
    activities: list[int]
    states: list[list[int]]

    @classmethod
    def drawn(cls, population: Population, seed: int) -> Participants:
        """The players of a replication, by its seed."""
        roster, players = population.roster(), population.players
        key = streams.stream_key(seed, streams.POPULATION)
        who = streams.draws(key, players, 0, streams.POPULATION_DRAWS).tolist()
        arrival_days = [
            arrival_day(
                row[streams.ARRIVES_AT_ONCE],
                row[streams.ARRIVAL_DAY],
                population.at_once_percent,
                population.late_days,
            )
            for row in who
        ]
        rows = zip(roster.archetype, roster.main, arrival_days, strict=True)
        return cls(
            [user_id(player) for player in range(players)],
            list(roster.archetype),
            list(roster.cohort),
            arrival_days,
            [below(row[streams.ACTIVITY], len(population.activity_percent)) for row in who],
            [new_state(player, *row) for player, row in enumerate(rows)],
        )

    def frame(self, population: Population) -> pl.DataFrame:
        """A frame of ``PLAYERS_SCHEMA``."""
        players = {
            "user_id": self.user_ids,
            "archetype": [population.archetypes[place].name for place in self.archetypes],
            "cohort": [population.cohorts[cohort].label for cohort in self.cohorts],
            "arrival_day": self.arrival_days,
        }
        return pl.DataFrame(players, schema=PLAYERS_SCHEMA)


class World:
    """The state of one replication; lists run by player number.

    Args:
        scenario: What is simulated.
        seed: Seed of the replication.
        services: Where the players act.

    Attributes:
        scenario: What is simulated.
        services: Where the players act.
        stages: The story that they live.
        participants: Who plays.
        user_ids: Their ids.
        states: Each player's row, by the places of ``player_state``.
        held: Units of each item that each player holds, in catalogue order.
        owned: 1 for each business that each player owns, in the order of the economy.
        shared: What all players share; its stock shadows the store's counters, read once a day, since every
            choice would have to await the provider.
        tables: The price list in force.
        economy_hash: Of the economy in force, which the next two come from.
        items: Item ids in catalogue order.
        businesses: Ids of the businesses, in the order of the economy.
        activity: The stream that is written.
        sessions: Sessions so far.
    """

    def __init__(self, scenario: Scenario, seed: int, services: Services) -> None:
        population, players = scenario.population, scenario.players
        self.scenario = scenario
        self.services = services
        self.stages = scenario.story()
        self._seed = seed
        self.participants = Participants.drawn(population, seed)
        self.user_ids, self.states = self.participants.user_ids, self.participants.states
        self._traits = [traits(scenario, archetype) for archetype in population.archetypes]
        items = len(scenario.economy.catalogue)
        self.held = [[0] * items for _ in range(players)]
        self.owned = [[0] * len(scenario.economy.config.business) for _ in range(players)]
        self._inventories: list[dict[str, int]] = [{} for _ in range(players)]
        self._businesses: list[object] = [None] * players
        self._scratch = ([0] * players, [0] * (players * items), [0] * (players * items))
        self.activity = ActivityRecorder()
        self.sessions = 0
        self._price_lists: dict[str, PriceList] = {}
        self.put_into_force(scenario.economy)

    def traits_of(self, player: int) -> list[int]:
        """The numbers of a player's archetype, by the places of ``traits``."""
        return self._traits[self.states[player][ARCHETYPE]]

    def put_into_force(self, economy: Economy) -> None:
        """Let players see another list of prices; ``take_stock`` shows them what is left."""
        if economy.hash not in self._price_lists:
            self._price_lists[economy.hash] = build_price_list(
                self.scenario.population, economy, self.scenario.closed
            )
        self.tables = self._price_lists[economy.hash]
        self.economy_hash = economy.hash
        self.items = tuple(item.id for item in economy.catalogue)
        self.businesses = tuple(economy.config.business)
        present, once_held, to_use = self._scratch
        self.shared = share(self.scenario, self._seed, economy, present, once_held, to_use)

    async def take_stock(self) -> None:
        """Read what is left in the store."""
        counters = await self.services.provider.counters()
        self.shared.stock[:] = [
            UNLIMITED_STOCK if offer.stock_counter is None else counters[offer.stock_counter]
            for offer in self.services.live.offers.values()
        ]

    async def look(self, player: int) -> None:
        """Show the story what the store knows of a player now; one without an account has nothing."""
        profile = await self.services.provider.profile(self.user_ids[player])
        if profile is None:
            return
        state = self.states[player]
        state[:BUSINESSES] = (  # The order is that of ``player_state``.
            profile.gold,
            profile.gems,
            profile.level,
            profile.double_train,
            profile.luck_until_us,
            profile.guard_until_us,
            profile.sent_day,
            profile.sent_gold_today,
            profile.streak,
            profile.last_claim_us,
        )
        # Most acts move no item: to compare costs a tenth of reading 23 counts anew.
        if profile.inventory != self._inventories[player]:
            self._inventories[player] = profile.inventory.copy()
            units = profile.inventory.get
            self.held[player][:] = [units(item_id, 0) for item_id in self.items]
        if profile.businesses and profile.businesses is not self._businesses[player]:
            self._businesses[player] = profile.businesses
            state[BUSINESSES] = len(profile.businesses)
            state[INCOME_SINCE_US] = min(profile.businesses.values())
            self.owned[player][:] = [int(name in profile.businesses) for name in self.businesses]


def new_state(player: int, archetype: int, main: int, arrival_day: int) -> list[int]:
    """The row of a player who has not played yet."""
    state = [0] * STATE_SIZE
    state[PLAYER], state[ARCHETYPE], state[MAIN] = player, archetype, main
    state[ARRIVAL_DAY] = state[WANT_DAY] = state[NOVEL_DAY] = arrival_day
    state[LEVEL], state[GOAL], state[BEST_TIER] = 1, NONE, -1
    for place in (LAST_CLAIM_US, SENT_DAY, LUCK_UNTIL_US, GUARD_UNTIL_US):
        state[place] = NEVER
    return state


def share(
    scenario: Scenario,
    seed: int,
    economy: Economy,
    present: list[int],
    once_held: list[int],
    to_use: list[int],
) -> Shared:
    """What all players share while an economy is in force; the stock is unlimited until it is taken."""
    items, config, battle = len(economy.catalogue), economy.config, economy.config.battle
    mana = [item.effect == "win_permille" for item in economy.catalogue]
    return Shared(
        present,
        [UNLIMITED_STOCK] * items,
        once_held,
        to_use,
        [0] * (items + SERVICES),
        [0] * items,
        [streams.SESSION_CHESTS.get(item.id, NONE) for item in economy.catalogue],
        [streams.stream_key(seed, f"{streams.USE}/{item.id}") for item in economy.catalogue],
        battle.tier_level,
        mana.index(True) if any(mana) else NONE,
        battle.win_base_permille,
        battle.win_slope_permille,
        battle.win_min_permille,
        battle.win_max_permille,
        config.train.price_gold,
        config.train.growth_percent,
        config.summon.ten_price_gems,
        config.transfer.daily_cap_gold,
        int("summon" in scenario.closed),
        scenario.economy.config.daily.streak_window_h,
    )
