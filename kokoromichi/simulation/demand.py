"""What players would spend gold on: one multinomial logit over everything that gold buys, and *save*.

The decision functions take integers, flat sequences and flat tuples of them, so that the compiled engine
takes them as they stand. ``price_list.py`` builds the tables, once a price list; they are as long as the
economy has items and businesses. Every intermediate value fits int64: a weight is at most 2^26, so that the
weights of a million items sum below 2^46, the bound of ``below``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kokoromichi.rules.draws import below
from kokoromichi.simulation.weights import (
    BUCKETS,
    NEED_ONE,
    SAVE_WEIGHT,
    TRAIN_STEPS,
    WEIGHT_CAP,
    purse_bucket,
    scale_weight,
    train_step,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

NONE: Final = -1
"""No goal, no wish, no business left."""
SAVE: Final = -2
"""Outcome of a choice that buys nothing; it has no place in the tables, its weight is ``SAVE_WEIGHT``."""
TRAIN: Final = -3
GEMS: Final = -4
BUSINESS: Final = -5
"""What gold buys besides items; an item is its place in the catalogue, from 0."""
SERVICES: Final = 3
"""Places of training, gems and the business, in this order: behind the items in ``weights`` and ``sums``."""

UNLIMITED_STOCK: Final = -1

WANTED_SHARE: Final = 4
"""Several units at once may cost a quarter of what lies above the reserve."""
MAX_TRAININGS: Final = 5
GOAL_DAYS: Final = 30
"""A goal that was not reached is drawn anew after so many days."""
_VANISHING: Final = 16
"""Units of a collectible from which on its weight is 0 anyway."""


class PriceList(NamedTuple):
    """All integers that decisions read while one list of prices is in force; flat, in catalogue order.

    Attributes:
        weights: [archetype, bucket, items + SERVICES], against the 2^20 of *save*; 0 where nothing is sold.
        needs: [archetype, item, levels], in 1 / ``NEED_ONE``; 0 from the limit on.
        levels: Length of a row of ``needs``; who holds more is at the last level.
        wishes: [archetype, item]: weight at reference price and a purse of 10,000, times the reference price.
        prices: Price of each item, in gold.
        limits: Most units of each item; ``codes.NO_LIMIT`` where there is none.
        targets: Units that players like to have at hand; 0 for collectibles.
        pack_price_gold: Price of a pack of gems.
        train_factors: [archetype, TRAIN_STEPS], in 1 / ``FACTOR_ONE``.
        reference_train_gold: What ``train_step`` divides by.
        business_prices: Price of each business, in the order of the economy.
        business_factors: [archetype, business], in 1 / ``FACTOR_ONE``.
        dear: 1 for each item that is dear enough for a goal.
        kept: 1 for each collectible.
        session_items: 1 for each item that is used once a session.
        day_items: 1 for each charm that lasts a day.
        training_items: 1 for each item that goes with a training.
        summon_items: 1 for each item that goes with a ten-pull.
    """

    weights: Sequence[int]
    needs: Sequence[int]
    levels: int
    wishes: Sequence[int]
    prices: Sequence[int]
    limits: Sequence[int]
    targets: Sequence[int]
    pack_price_gold: int
    train_factors: Sequence[int]
    reference_train_gold: int
    business_prices: Sequence[int]
    business_factors: Sequence[int]
    dear: Sequence[int]
    kept: Sequence[int]
    session_items: Sequence[int]
    day_items: Sequence[int]
    training_items: Sequence[int]
    summon_items: Sequence[int]


class Buyer(NamedTuple):
    """What a spend choice reads of a player, besides the units held.

    Attributes:
        archetype: Place in the tables.
        gold: Balance, in gold.
        hold_gold: What is kept back, in gold: the reserve and the set-aside (the function ``hold_gold``); may
            exceed the balance.
        train_cost_gold: Cost of the next training session.
        business: What ``next_business`` returned.
    """

    archetype: int
    gold: int
    hold_gold: int
    train_cost_gold: int
    business: int


def next_business(prices: Sequence[int], owned: Sequence[int]) -> int:
    """The cheapest business that a player does not own.

    Args:
        prices: Price of each business, in gold.
        owned: 1 for each business that is owned.

    Returns:
        Its number, or ``NONE``.
    """
    best = NONE
    for business in range(len(prices)):
        if not owned[business] and (best == NONE or prices[business] < prices[best]):
            best = business
    return best


def weights_row(tables: PriceList, archetype: int, gold: int) -> int:
    """Where the weights of an archetype at a balance, in gold, start in ``PriceList.weights``."""
    return (archetype * BUCKETS + purse_bucket(gold)) * (len(tables.prices) + SERVICES)


def business_weight(tables: PriceList, buyer: Buyer, row: int) -> int:
    """Weight of the next business at the purse whose weights start at ``row``; 0 when none is left."""
    if buyer.business == NONE:
        return 0
    factor = tables.business_factors[buyer.archetype * len(tables.business_prices) + buyer.business]
    return scale_weight(tables.weights[row + len(tables.prices) + 2], factor)


def weigh(sums: list[int], tables: PriceList, buyer: Buyer, held: Sequence[int], stock: Sequence[int]) -> int:
    """Weigh a choice set.

    An alternative weighs nothing when its price is above what may be spent, its stock is 0 or its limit is
    reached (the table of needs holds the limit).

    Args:
        sums: Receives, for each item and then each of the ``SERVICES``, the weight of *save* and of all up to
            this one.
        tables: The price list.
        buyer: The player.
        held: Units that the player holds of each item.
        stock: Units left in the store of each item; ``UNLIMITED_STOCK`` where there is no end.

    Returns:
        The sum of all weights, *save* included.
    """
    spendable_gold = buyer.gold - buyer.hold_gold
    weights = tables.weights
    needs = tables.needs
    prices = tables.prices
    levels = tables.levels
    items = len(prices)
    row = weights_row(tables, buyer.archetype, buyer.gold)
    need_row = buyer.archetype * items * levels
    top = levels - 1
    total = SAVE_WEIGHT
    # The hottest loop of a simulation: a call of min costs more than the rest of its line.
    for item in range(items):
        if prices[item] <= spendable_gold and stock[item] != 0:
            level = held[item]
            if level > top:  # noqa: PLR1730
                level = top
            weight = weights[row + item] * needs[need_row + level] // NEED_ONE
            if weight > WEIGHT_CAP:  # noqa: PLR1730
                weight = WEIGHT_CAP
            total += weight
        sums[item] = total
        need_row += levels
    cost_gold = buyer.train_cost_gold
    if cost_gold <= spendable_gold:
        step = train_step(cost_gold, tables.reference_train_gold)
        total += scale_weight(
            weights[row + items], tables.train_factors[buyer.archetype * TRAIN_STEPS + step]
        )
    sums[items] = total
    if tables.pack_price_gold <= spendable_gold:
        total += weights[row + items + 1]
    sums[items + 1] = total
    if buyer.business != NONE and tables.business_prices[buyer.business] <= spendable_gold:
        total += business_weight(tables, buyer, row)
    sums[items + 2] = total
    return total


def choose(number: int, sums: Sequence[int]) -> int:
    """Choose one alternative.

    Args:
        number: The draw of this choice, from ``SESSION_CHOICES`` on.
        sums: What ``weigh`` filled.

    Returns:
        What is bought, of weight above 0: an item, ``TRAIN``, ``GEMS`` or ``BUSINESS``; or else ``SAVE``.
    """
    items = len(sums) - SERVICES
    target = below(number, sums[items + 2])
    if target < SAVE_WEIGHT:
        return SAVE
    place = 0
    while sums[place] <= target:
        place += 1
    return place if place < items else TRAIN - (place - items)


def units_wanted(tables: PriceList, item: int, held: int, stock: int, gold: int, reserve_gold: int) -> int:
    """How many units of a chosen item are bought at once.

    Args:
        tables: The price list.
        item: What was chosen.
        held: Units held of it.
        stock: Units of it left in the store; ``UNLIMITED_STOCK`` where there is no end.
        gold: Balance, in gold.
        reserve_gold: What the archetype does not touch, in gold.

    Returns:
        At least 1 where limit and stock allow one; their cost leaves the reserve whole when one unit's does.
    """
    units = 1
    if not tables.kept[item]:
        affordable = (gold - reserve_gold) // (WANTED_SHARE * tables.prices[item])
        units = max(1, min(tables.targets[item] - held, affordable))
    units = min(units, tables.limits[item] - held)
    if stock != UNLIMITED_STOCK:
        units = min(units, stock)
    return units


def trainings_wanted(cost_gold: int, gold: int, reserve_gold: int) -> int:
    """How many training sessions follow one choice: 1 to ``MAX_TRAININGS``, each an act at its own cost."""
    return max(1, min(MAX_TRAININGS, (gold - reserve_gold) // (WANTED_SHARE * max(cost_gold, 1))))


def hold_gold(reserve_gold: int, goal_percent: int, goal_gold: int) -> int:
    """What is not spent on anything but the goal: the reserve and the set-aside for the goal.

    Args:
        reserve_gold: What the archetype does not touch.
        goal_percent: Share of the goal's price that is set aside, in percent.
        goal_gold: What ``goal_price_gold`` returned.
    """
    return reserve_gold + goal_percent * goal_gold // 100


def goal_price_gold(tables: PriceList, goal: int, business: int) -> int:
    """Present price of a goal; 0 without one, or where every business is owned.

    Args:
        tables: The price list.
        goal: An item, ``BUSINESS`` or ``NONE``.
        business: What ``next_business`` returned.
    """
    if goal == NONE or (goal == BUSINESS and business == NONE):
        return 0
    if goal == BUSINESS:
        return tables.business_prices[business]
    return tables.prices[goal]


def goal_stands(tables: PriceList, goal: int, age_days: int, held: Sequence[int], business: int) -> int:
    """Whether a goal can still be followed.

    Args:
        tables: The price list.
        goal: An item, ``BUSINESS`` or ``NONE``.
        age_days: Days since it was drawn.
        held: Units that the player holds of each item.
        business: What ``next_business`` returned.

    Returns:
        1; 0 when there is none, it is ``GOAL_DAYS`` old, its limit is reached, or every business is owned.
    """
    if goal == NONE or age_days >= GOAL_DAYS:
        return 0
    if goal == BUSINESS:
        return 0 if business == NONE else 1
    return 1 if held[goal] < tables.limits[goal] else 0


def draw_goal(
    number: int, sums: list[int], tables: PriceList, buyer: Buyer, held: Sequence[int], with_business: int
) -> int:
    """Draw what a player saves for, by its weight at the present purse.

    Args:
        number: Draw ``SESSION_GOAL``.
        sums: Scratch, a place for each item at least.
        tables: The price list.
        buyer: The player; the hold is not read.
        held: Units that the player holds of each item; each quarters the weight of a collectible.
        with_business: 1 for an archetype that saves for businesses.

    Returns:
        An item with room under its limit, in stock or not; ``BUSINESS``; or ``NONE`` if nothing has a weight.
    """
    row = weights_row(tables, buyer.archetype, buyer.gold)
    items = len(tables.prices)
    total = 0
    for item in range(items):
        if tables.dear[item] and held[item] < tables.limits[item]:
            weight = tables.weights[row + item]
            if tables.kept[item]:
                weight >>= 2 * min(held[item], _VANISHING)
            total += weight
        sums[item] = total
    if with_business:
        total += business_weight(tables, buyer, row)
    if total == 0:
        return NONE
    target = below(number, total)
    for item in range(items):
        if target < sums[item]:
            return item
    return BUSINESS


def draw_wish(number: int, sums: list[int], tables: PriceList, archetype: int, held: Sequence[int]) -> int:
    """Draw what a player would like to put gold into, whatever it costs today.

    Args:
        number: Draw ``SESSION_WISH``.
        sums: Scratch, a place for each item at least.
        tables: The price list; no price of it is read.
        archetype: Place in the tables.
        held: Units that the player holds of each item.

    Returns:
        An item with room under its limit, or ``NONE`` when all limits are reached.
    """
    items = len(tables.prices)
    row = archetype * items
    total = 0
    for item in range(items):
        if held[item] < tables.limits[item]:
            total += tables.wishes[row + item]
        sums[item] = total
    if total == 0:
        return NONE
    target = below(number, total)
    item = 0
    while sums[item] <= target:
        item += 1
    return item
