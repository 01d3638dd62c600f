"""What a simulation knows of its players beyond what is stored: who is there, and what they want."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kokoromichi.core.counters import stock_counter
from kokoromichi.core.errors import StorageError
from kokoromichi.rules.draws import below
from kokoromichi.simulation.activity import ActivityRecorder
from kokoromichi.simulation.demand import NONE, SERVICES, UNLIMITED_STOCK, next_business
from kokoromichi.simulation.population import user_id
from kokoromichi.simulation.presence import arrival_day
from kokoromichi.simulation.price_list import build_price_list
from kokoromichi.simulation.streams import (
    ACTIVITY,
    ARRIVAL_DAY,
    ARRIVES_AT_ONCE,
    POPULATION,
    POPULATION_DRAWS,
    USE,
    draws,
    stream_key,
)

if TYPE_CHECKING:
    from kokoromichi.core.models import UserProfile
    from kokoromichi.rules.economy import Economy
    from kokoromichi.services.bundle import Services
    from kokoromichi.simulation.demand import PriceList
    from kokoromichi.simulation.scenario import Scenario


class World:
    """The state of one replication; lists run by player number.

    Args:
        scenario: What is simulated.
        seed: Seed of the replication.
        services: Where the players act.

    Attributes:
        scenario: What is simulated.
        services: Where the players act.
        user_ids: Their ids.
        archetypes: Place of each player's archetype in ``scenario.population.archetypes``.
        cohorts: Place of each player's cohort in ``scenario.population.cohorts``.
        mains: The player whom an alt account sends its gold to, or ``NONE``.
        arrival_days: Day of the first session.
        activities: Place of each player's activity multiplier.
        present: 1 while a player has an account and is not away.
        away: 1 after leaving, until the return.
        want_days: Last day on which a wish was affordable.
        novel_days: Last day with something new.
        goals: What each saves for: an item, ``BUSINESS`` or ``NONE``; drawn on ``goal_days``.
        tiers: Highest battle tier fought, from 0; -1 before the first.
        once_held: Items of which a copy was held before, a set for each.
        stock: Units left in the store, by item; ``UNLIMITED_STOCK`` where there is no end. It shadows the
            store's counters, read once a day, since every choice would have to await the provider.
        tables: The price list in force.
        economy_hash: Of the economy in force, which the next six come from.
        items: Item ids in catalogue order.
        use_keys: Key of each item's stream ``USE``, in catalogue order.
        businesses: Ids of the businesses, in the order of the economy.
        tier_levels: Level of each battle tier.
        ten_price_gems: Price of a ten-pull, in gems.
        transfer_cap_gold: The most that a player may send in a day, in gold.
        activity: The stream that is written.
        sums: Scratch of the demand functions.
        sessions: Sessions so far.
    """

    def __init__(self, scenario: Scenario, seed: int, services: Services) -> None:
        population = scenario.population
        roster = population.roster()
        players = population.players
        self.scenario = scenario
        self.services = services
        self._seed = seed
        self.user_ids = [user_id(player) for player in range(players)]
        self.archetypes = list(roster.archetype)
        self.cohorts = list(roster.cohort)
        self.mains = list(roster.main)
        who = draws(stream_key(seed, POPULATION), players, 0, POPULATION_DRAWS).tolist()
        self.arrival_days = [
            arrival_day(
                row[ARRIVES_AT_ONCE], row[ARRIVAL_DAY], population.at_once_percent, population.late_days
            )
            for row in who
        ]
        self.activities = [below(row[ACTIVITY], len(population.activity_percent)) for row in who]
        self.present = [0] * players
        self.away = [0] * players
        self.want_days = list(self.arrival_days)
        self.novel_days = list(self.arrival_days)
        self.goals = [NONE] * players
        self.goal_days = [0] * players
        self.tiers = [-1] * players
        self.once_held: list[set[int]] = [set() for _ in range(players)]
        self.stock = [UNLIMITED_STOCK] * len(scenario.economy.catalogue)
        self.activity = ActivityRecorder()
        self.sums = [0] * (len(scenario.economy.catalogue) + SERVICES)
        self.sessions = 0
        self._price_lists: dict[str, PriceList] = {}
        self.put_into_force(scenario.economy)

    def put_into_force(self, economy: Economy) -> None:
        """Let players see another list of prices."""
        if economy.hash not in self._price_lists:
            self._price_lists[economy.hash] = build_price_list(
                self.scenario.population, economy, self.scenario.closed
            )
        self.tables = self._price_lists[economy.hash]
        self.economy_hash = economy.hash
        self.items = tuple(item.id for item in economy.catalogue)
        self.use_keys = [stream_key(self._seed, f"{USE}/{item_id}") for item_id in self.items]
        self.businesses = tuple(economy.config.business)
        self.tier_levels = economy.config.battle.tier_level
        self.ten_price_gems = economy.config.summon.ten_price_gems
        self.transfer_cap_gold = economy.config.transfer.daily_cap_gold

    async def take_stock(self) -> None:
        """Read what is left in the store."""
        counters = await self.services.executor.provider.counters()
        self.stock = [counters.get(stock_counter(item_id), UNLIMITED_STOCK) for item_id in self.items]

    async def profile(self, player: int) -> UserProfile:
        """A player's profile as it is stored now.

        Raises:
            StorageError: The store has lost the player.
        """
        found = await self.services.executor.provider.profile(self.user_ids[player])
        if found is None:
            message = f"player {self.user_ids[player]} has an account and is not stored"
            raise StorageError(message)
        return found

    def held(self, profile: UserProfile) -> list[int]:
        """Units of each item, in catalogue order."""
        units = profile.inventory.get
        return [units(item_id, 0) for item_id in self.items]

    def next_business(self, profile: UserProfile) -> int:
        """The cheapest business of the economy that a player does not own, or ``NONE``."""
        owned = profile.businesses
        return next_business(
            self.tables.business_prices, [int(business_id in owned) for business_id in self.businesses]
        )
