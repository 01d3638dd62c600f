"""A small world for the services' tests: shipped words, numbers that are pinned here, a clock that stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kokoromichi.core.clock import ManualClock
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.rules.economy import RARITIES, Economy, load_economy
from kokoromichi.services.authority import Actor, MostGranted, Role
from kokoromichi.services.bundle import Services
from kokoromichi.settings import shipped_folder
from tests.contract.stored import NOON_US, Row, rows

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.documents import Document
    from kokoromichi.core.models import Receipt, UserProfile

WIN: Final = 0
"""A draw that wins any battle, opens the poorest chest, and finds the most common character."""
LOSE: Final = 2**32 - 1
"""A draw that loses any battle, opens the richest chest, and finds the rarest character."""
ROOT: Final = Actor("root", Role.MANAGER)
"""An admin."""
HOUR_S: Final = 3_600
DAY_S: Final = 24 * HOUR_S
MAX: Final = 2**53 - 1
"""The most that a rule lets a balance grow to."""
MOST_GRANTED: Final = MostGranted(units=10**12)
"""What one grant of an admin may give."""

_PRICES_AND_LIMITS: Final[dict[str, tuple[int, int | None, int]]] = {
    "health_potion": (100, None, 50),
    "mana_potion": (150, None, 150),
    "stamina_drink": (250, 20, 50),
    "revive_scroll": (500, 5, 100),
    "training_manual": (800, 5, 200),
    "experience_scroll": (1_200, 10, 300),
    "wisdom_tome": (3_500, 3, 1_000),
    "lucky_charm": (1_500, 3, 10),
    "guardian_amulet": (2_200, 2, 100),
    "summoner_bell": (2_500, 3, 5),
    "wooden_chest": (900, 10, 900),
    "treasure_chest": (5_000, 5, 5_000),
    "celestial_chest": (18_000, 2, 18_000),
    "flower_bouquet": (200, None, 5),
    "chocolate_box": (450, None, 12),
    "jade_hairpin": (1_800, 5, 50),
    "silk_kimono": (6_000, 3, 180),
    "ema_plaque": (1_000, 5, 0),
    "festival_lantern": (2_500, 3, 0),
    "kitsune_mask": (4_000, 3, 0),
    "ukiyoe_print": (8_000, 3, 0),
    "dragon_statue": (20_000, 2, 0),
    "phoenix_feather": (40_000, 1, 0),
}
"""Price in gold, limit in units, size of the effect."""

_STOCK: Final[dict[str, tuple[int, int, int]]] = {
    "lucky_charm": (5, 3, 7),
    "treasure_chest": (100, 60, 7),
    "phoenix_feather": (1, 0, 0),
}
"""First stock and restock in units, days between two restocks; what is not here is unlimited."""

_NUMBERS: Final[dict[str, object]] = {
    "opening": {"gold": 10_000, "gems": 100},
    "daily.gold": [1_000, 1_200, 1_500, 2_000, 2_500, 3_000, 5_000, 1_500, 1_800, 2_200],
    "daily.gems": [10, 12, 15, 20, 25, 30, 50, 18, 22, 28],
    "daily.streak_window_h": 48,
    "battle.cooldown_s": 60,
    "battle.daily_cap_gold": 5_000,
    "battle.hp_cost": 20,
    "battle.hp_full": 100,
    "battle.hp_regen_per_h": 5,
    "battle.win_base_permille": 500,
    "battle.win_slope_permille": 40,
    "battle.win_min_permille": 100,
    "battle.win_max_permille": 950,
    "battle.tired_permille": 150,
    "battle.loss_xp_percent": 50,
    "battle.tier_level": [1, 4, 8, 13, 19, 26, 34],
    "battle.tier_gold": [30, 45, 60, 80, 105, 130, 160],
    "battle.tier_xp": [8, 11, 14, 18, 23, 28, 34],
    "battle.xp_per_level": 100,
    "resale": {"percent": 40, "lowest_price_percent": 70},
    "chest": {"payout_percent": [20, 40, 80, 150, 300], "chance_percent": [55, 30, 11, 3, 1]},
    "business": {
        "cafe": {"price_gold": 10_000, "income_gold_per_day": 500},
        "dojo": {"price_gold": 25_000, "income_gold_per_day": 800},
    },
    "income": {"max_hours": 72, "upkeep_percent": 50},
    "summon.price_gems": 50,
    "summon.ten_price_gems": 450,
    "summon.odds_ppm": dict(
        zip(RARITIES, (604_000, 250_000, 100_000, 30_000, 10_000, 5_000, 1_000), strict=True)
    ),
    "summon.pity_pulls": 60,
    "summon.pity_rarity": "SSR",
    "summon.shards": dict(zip(RARITIES, (1, 2, 5, 20, 50, 100, 300), strict=True)),
    "train": {"price_gold": 100, "growth_percent": 10, "xp": 25},
    "exchange": {"gems": 100, "price_gold": 4_000},
    "transfer": {"fee_percent": 5, "daily_cap_gold": 20_000},
}


def _pinned() -> Economy:
    """The words of the shipped economy with numbers of these tests, whatever a designer makes of the file."""
    store = {}
    for item_id, (price_gold, limit, effect_size) in _PRICES_AND_LIMITS.items():
        numbers = {"price_gold": price_gold, "limit": limit, "effect_size": effect_size}
        if item_id in _STOCK:
            numbers |= zip(("stock", "restock_units", "restock_days"), _STOCK[item_id], strict=True)
        store[item_id] = numbers
    return load_economy(shipped_folder("data")).with_values({**_NUMBERS, "store": store})


ECONOMY: Final = _pinned()


@dataclass
class World:
    """Services over one provider.

    Attributes:
        rolls: What the dice show next; one that is not there is an error of the test.
    """

    provider: DataProvider
    clock: ManualClock
    services: Services
    rolls: list[int]

    @classmethod
    async def open(
        cls,
        provider: DataProvider | None = None,
        economy: Economy = ECONOMY,
        clock: ManualClock | None = None,
    ) -> World:
        """A world at noon whose shelves are full."""
        clock = clock or ManualClock(NOON_US)
        provider = provider or MemoryProvider(clock)
        rolls: list[int] = []
        services = Services(provider, economy, clock, lambda: rolls.pop(0), most_granted=MOST_GRANTED)
        await services.start()
        return cls(provider, clock, services, rolls)

    async def player(
        self,
        user_id: str,
        *,
        gold: int = 10_000,
        gems: int = 100,
        items: Mapping[str, int] | None = None,
        **fields: int | dict[str, int],
    ) -> UserProfile:
        """A stored player, at the version after the first."""
        inventory = dict(items or {})
        document: Document = {"gold": gold, "gems": gems, "inventory": {**inventory}}
        for name, value in fields.items():
            document[name] = {**value} if isinstance(value, dict) else value
        await self.provider.save_user(user_id, document)
        return await self.profile(user_id)

    async def profile(self, user_id: str) -> UserProfile:
        """A player who is stored."""
        found = await self.provider.profile(user_id)
        assert found is not None
        return found

    def ask(self, act: str, *arguments: object, **options: object) -> Awaitable[Receipt]:
        """Ask for an act by its name, such as ``store.purchase``, with whatever arguments."""
        service, _, name = act.partition(".")
        asked: Awaitable[Receipt] = getattr(getattr(self.services, service), name)(*arguments, **options)
        return asked

    async def booked(self, user_id: str | None = None) -> list[Row]:
        """The rows, but for how a test's players came to what they have."""
        return [row for row in await rows(self.provider, user_id) if row.kind != "correction"]
