"""Workload W, the yardstick of the simulation's speed, and what it is measured against.

2,000 players, 30 days; each day one daily claim and three purchase attempts, drawn before any clock runs:
240,000 actions, 165,416 ledger rows. ``inlined`` is the interpreter's limit: one loop without a call.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from kokoromichi.rules.economy import CatalogueItem, Economy, EconomyConfig, load_economy
from kokoromichi.settings import shipped_folder

if TYPE_CHECKING:
    from collections.abc import Callable

REWARD_GOLD: Final = 120
SLOTS: Final = 3
CLAIM: Final = -1
PRICES: Final = (10, 15, 20, 25, 35, 50, 60, 80, 100, 150, 250, 400)
ITEM_IDS: Final = tuple(f"item_{number:02d}" for number in range(len(PRICES)))
LIMITS: Final = (60, 40, 40, 30, 20, 20, 15, 10, 10, 5, 3, 2)

Row = tuple[int, int, int, int, int, int]
"""Day, player, item or ``CLAIM``, quantity, cost in gold (negative for a claim), balance afterwards."""


@dataclass(frozen=True)
class Workload:
    """The draws, made once: every engine sees the same numbers in whatever order it visits players."""

    players: int = 2_000
    days: int = 30
    seed: int = 7

    @property
    def actions(self) -> int:
        """Claims and purchase attempts."""
        return self.players * self.days * (1 + SLOTS)

    @cached_property
    def items(self) -> list[list[list[int]]]:
        """Wanted item by [day][player][slot]."""
        return self._draw(0, len(PRICES), 0)

    @cached_property
    def quantities(self) -> list[list[list[int]]]:
        """Wanted quantity by [day][player][slot]."""
        return self._draw(1, 4, 1)

    def _draw(self, low: int, high: int, stream: int) -> list[list[list[int]]]:
        keys = ([self.seed, day * 2 + stream] for day in range(self.days))
        generators = (np.random.Generator(np.random.Philox(key=key)) for key in keys)
        return [
            generator.integers(low, high, size=(self.players, SLOTS)).tolist() for generator in generators
        ]


def economy_w() -> Economy:
    """The shipped economy with the workload's items, its daily reward, and empty purses."""
    shipped = load_economy(shipped_folder("data"))
    numbers = zip(ITEM_IDS, PRICES, LIMITS, strict=True)
    tree = shipped.config.tree() | {
        "store": {item_id: {"price_gold": price, "limit": limit} for item_id, price, limit in numbers},
        "daily": {"gold": [REWARD_GOLD], "gems": [0], "streak_window_h": 48},
        "opening": {"gold": 0, "gems": 0},
    }
    catalogue = tuple(
        CatalogueItem(id=name, name=name, description=name, category="collectible", use="kept", effect="none")
        for name in ITEM_IDS
    )
    return Economy(EconomyConfig.from_tree(tree), catalogue, shipped.waifus)


def inlined(workload: Workload) -> list[Row]:
    """One loop with the rule written into it."""
    gold = [0] * workload.players
    owned = [[0] * len(PRICES) for _ in range(workload.players)]
    prices, limits, reward = PRICES, LIMITS, REWARD_GOLD
    ledger: list[Row] = []
    add = ledger.append
    for day in range(workload.days):
        items_today, quantities_today = workload.items[day], workload.quantities[day]
        for player in range(workload.players):
            balance = gold[player] + reward
            add((day, player, CLAIM, 1, -reward, balance))
            bag = owned[player]
            for item, quantity in zip(items_today[player], quantities_today[player]):  # noqa: B905 - checking would be timed
                have = bag[item]
                if have + quantity <= limits[item]:
                    cost = prices[item] * quantity
                    if cost <= balance:
                        balance -= cost
                        bag[item] = have + quantity
                        add((day, player, item, quantity, cost, balance))
            gold[player] = balance
    return ledger


def mesa_engine() -> Callable[[Workload], list[Row]] | None:  # noqa: C901 - Mesa is imported in it
    """The same in Mesa, in the shape that its tutorial teaches; None where Mesa is not installed."""
    try:
        import mesa  # noqa: PLC0415 - an optional rival
    except ImportError:
        return None

    class Player(mesa.Agent):  # type: ignore[misc] # Mesa is not typed everywhere.
        """One player, one step a day."""

        def __init__(self, model: Shop, number: int) -> None:
            super().__init__(model)
            self.number, self.gold, self.bag = number, 0, [0] * len(PRICES)

        def step(self) -> None:
            """Claim, then try three purchases."""
            shop = self.model
            self.gold += REWARD_GOLD
            shop.ledger.append((shop.day, self.number, CLAIM, 1, -REWARD_GOLD, self.gold))
            today = (
                shop.workload.items[shop.day][self.number],
                shop.workload.quantities[shop.day][self.number],
            )
            for item, quantity in zip(*today, strict=True):
                cost = PRICES[item] * quantity
                if self.bag[item] + quantity <= LIMITS[item] and cost <= self.gold:
                    self.gold -= cost
                    self.bag[item] += quantity
                    shop.ledger.append((shop.day, self.number, item, quantity, cost, self.gold))

    class Shop(mesa.Model):  # type: ignore[misc]
        """All players and one ledger."""

        def __init__(self, workload: Workload) -> None:
            super().__init__(seed=workload.seed)
            self.workload, self.day = workload, 0
            self.ledger: list[Row] = []
            for number in range(workload.players):
                Player(self, number)

        def step(self) -> None:
            """One day."""
            self.agents.do("step")
            self.day += 1

    def run(workload: Workload) -> list[Row]:
        shop = Shop(workload)
        for _ in range(workload.days):
            shop.step()
        return shop.ledger

    return run
