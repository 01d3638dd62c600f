"""From tastes and prices to integers: the tables that every spend choice reads, built once a price list.

This is the only place where a utility is a float. The exponential comes from ``math``, not from numpy, whose
last bits differ; the tables are passed to every engine, and their digest stands in the manifest.
"""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from kokoromichi.rules.codes import NO_LIMIT
from kokoromichi.simulation.demand import PriceList
from kokoromichi.simulation.weights import (
    BUCKETS,
    FACTOR_ONE,
    NEED_ONE,
    TRAIN_PARTS,
    TRAIN_STEPS,
    WEIGHT_CAP,
    exponential_weights,
    purse_of_bucket,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from kokoromichi.rules.economy import CatalogueItem, Economy, StoreItem
    from kokoromichi.simulation.archetypes import Archetype
    from kokoromichi.simulation.population import Population

SinkAct = Literal["buy", "train", "exchange", "invest", "summon"]
"""An act that takes gold or gems out, and that a scenario may close."""

GOAL_FROM_GOLD: Final = 4_000
"""Reference price from which on an item is dear enough to be saved for."""
MOST_LEVELS: Final = 1_024
"""Longest row of needs; a limit beyond is met as a refusal of the store, not in the table."""
_PURSE_GOLD: Final = 10_000
_NOT_SOLD: Final = -math.inf
_PAYBACK_POWER: Final = 1.5
_PAYBACK_MOST: Final = 8.0
_BATTLE_PARTS: Final = 4
"""The need of a battle consumable is for so many fights."""
_NEED_PARTS: Final = 80
_EMPTY, _SCARCE, _SHORT, _ENOUGH = 60, 30, 10, 1
"""3, 3/2, 1/2 and 1/20 in 1 / 80, less the factor 4 of ``_BATTLE_PARTS``."""


def build_price_list(
    population: Population, economy: Economy, closed: Collection[SinkAct] = frozenset()
) -> PriceList:
    """Build the tables of one list of prices.

    Args:
        population: Whose tastes and reference prices; what it does not know, it takes at the list price.
        economy: Whose prices, limits and targets.
        closed: Acts that nobody does in this scenario; what they would buy weighs nothing.
    """
    population = population.remembering(economy)
    catalogue = economy.catalogue
    config = economy.config
    store = [config.store[item.id] for item in catalogue]
    archetypes = population.archetypes
    levels = need_levels(store)
    flags = {use: [int(item.use == use) for item in catalogue] for use in _USES}
    references = [population.reference_prices[item.id] for item in catalogue]
    return PriceList(
        weights=[w for archetype in archetypes for w in _weights(archetype, population, economy, closed)],
        needs=[n for archetype in archetypes for n in needs_of(archetype, catalogue, store, levels)],
        levels=levels,
        wishes=[w for archetype in archetypes for w in _wishes(archetype, population, catalogue)],
        prices=[item.price_gold for item in store],
        limits=[NO_LIMIT if item.limit is None else item.limit for item in store],
        targets=[item.target_units for item in store],
        pack_price_gold=config.exchange.price_gold,
        train_factors=[f for archetype in archetypes for f in _train_factors(archetype.beta)],
        reference_train_gold=population.reference_train_gold,
        business_prices=[business.price_gold for business in config.business.values()],
        business_factors=[
            f for archetype in archetypes for f in _business_factors(archetype, population, economy)
        ],
        dear=[int(reference >= GOAL_FROM_GOLD) for reference in references],
        kept=flags["kept"],
        session_items=flags["session"],
        day_items=flags["day"],
        training_items=flags["training"],
        summon_items=flags["summon"],
    )


def digest(tables: PriceList) -> str:
    """16 hex digits over every integer: under equal tables equal draws make equal choices."""
    text = "|".join(f"{name}={value}" for name, value in tables._asdict().items())
    return hashlib.sha256(text.encode()).hexdigest()[:16]


_USES: Final = ("session", "day", "training", "summon", "kept")


def _weights(
    archetype: Archetype, population: Population, economy: Economy, closed: Collection[SinkAct]
) -> list[int]:
    purses = [archetype.omega * math.log(purse_of_bucket(bucket) / _PURSE_GOLD) for bucket in range(BUCKETS)]
    return exponential_weights(
        np.add.outer(purses, _utilities(archetype, population, economy, closed)).ravel()
    )


def _utilities(
    archetype: Archetype, population: Population, economy: Economy, closed: Collection[SinkAct]
) -> list[float]:
    """Utility of each alternative at a purse of 10,000 and a need of 1; _NOT_SOLD weighs nothing."""
    utilities: list[float] = []
    for item in economy.catalogue:
        taste = archetype.liking(item.category) + population.appeal.get(item.id, 0.0)
        price_gold = economy.config.store[item.id].price_gold
        reference_gold = population.reference_prices[item.id]
        utilities.append(
            _NOT_SOLD
            if "buy" in closed or price_gold < 1
            else taste - archetype.beta * math.log(price_gold / reference_gold)
        )
    pack_gold = economy.config.exchange.price_gold
    pack = archetype.beta * math.log(max(pack_gold, 1) / population.reference_pack_gold)
    utilities.append(_NOT_SOLD if "train" in closed else archetype.asc_train)
    utilities.append(_NOT_SOLD if "exchange" in closed or pack_gold < 1 else archetype.asc_gems - pack)
    utilities.append(_NOT_SOLD if "invest" in closed else archetype.asc_business)
    return utilities


def need_levels(store: Sequence[StoreItem]) -> int:
    """How long a row of needs is: a level for each number of units held, the last one for all beyond."""
    highest = max((max(item.limit or 0, item.target_units) for item in store), default=0)
    return min(highest + 1, MOST_LEVELS)


def needs_of(
    archetype: Archetype, catalogue: Sequence[CatalogueItem], store: Sequence[StoreItem], levels: int
) -> list[int]:
    """[item, level]: how much an archetype needs one more unit, in 1 / ``NEED_ONE``; 0 from the limit on."""
    needs = []
    for item, numbers in zip(catalogue, store, strict=True):
        parts = archetype.fights if item.use == "battle" else _BATTLE_PARTS
        for held in range(levels):
            if numbers.limit is not None and held >= numbers.limit:
                needs.append(0)
            elif item.use == "kept":
                needs.append(NEED_ONE >> 2 * held)
            else:
                needs.append(_need_parts(held, numbers.target_units) * parts * NEED_ONE // _NEED_PARTS)
    return needs


def _need_parts(held: int, target: int) -> int:
    if held == 0:
        return _EMPTY
    if 2 * held < target:
        return _SCARCE
    return _SHORT if held < target else _ENOUGH


def _wishes(archetype: Archetype, population: Population, catalogue: Sequence[CatalogueItem]) -> list[int]:
    """Weight at reference price and a purse of 10,000, times that price; the largest is ``WEIGHT_CAP``."""
    tastes = [archetype.liking(item.category) + population.appeal.get(item.id, 0.0) for item in catalogue]
    likings = [
        weight * population.reference_prices[item.id]
        for weight, item in zip(exponential_weights(tastes), catalogue, strict=True)
    ]
    most = max(likings, default=0)
    return [(2 * liking * WEIGHT_CAP + most) // (2 * most) for liking in likings] if most else likings


@lru_cache(maxsize=256)
def _train_factors(beta: float) -> tuple[int, ...]:
    factors = [round(FACTOR_ONE * (step / TRAIN_PARTS) ** -beta) for step in range(1, TRAIN_STEPS)]
    return (factors[0], *factors)


def _business_factors(archetype: Archetype, population: Population, economy: Economy) -> list[int]:
    factors = []
    upkeep_percent = economy.config.income.upkeep_percent
    for business in economy.config.business.values():
        net_gold = business.income_gold_per_day - business.income_gold_per_day * upkeep_percent // 100
        if net_gold < 1 or business.price_gold < 1:
            factors.append(0)
            continue
        payback_days = max(business.price_gold // net_gold, 1)
        ratio = (payback_days / population.reference_payback_days) ** (-_PAYBACK_POWER * archetype.beta)
        factors.append(round(FACTOR_ONE * min(_PAYBACK_MOST, ratio)))
    return factors
