"""What players would spend gold on: one multinomial logit over everything that gold buys, and *save*.

The decision functions take integers, flat sequences and flat tuples of them, so that the compiled engine
takes them as they stand. ``price_list.py`` builds the tables, once a price list. Every intermediate value
fits int64: a weight is at most 2^26, the sum of a choice set below 2^31, a draw below 2^32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

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

ITEMS: Final = 23
"""Alternatives 0 to 22 are the items in catalogue order."""
TRAIN: Final = 23
GEMS: Final = 24
BUSINESS: Final = 25
ALTERNATIVES: Final = 26
SAVE: Final = 26
"""Outcome of a choice that buys nothing; it has no place in the tables, its weight is ``SAVE_WEIGHT``."""

NONE: Final = -1
"""No goal, no wish, no business left."""
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
        weights: [archetype, bucket, ALTERNATIVES], against the 2^20 of *save*; 0 where nothing is sold.
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


def next_business(prices: Sequence[int], owned_mask: int) -> int:
    """The cheapest business that a player does not own.

    Args:
        prices: Price of each business, in gold.
        owned_mask: Bit ``b`` is set when business ``b`` is owned.

    Returns:
        Its number, or ``NONE``.
    """
    best = NONE
    for business in range(len(prices)):
        if not owned_mask >> business & 1 and (best == NONE or prices[business] < prices[best]):
            best = business
    return best


def business_weight(tables: PriceList, buyer: Buyer, row: int) -> int:
    """Weight of the next business at the purse whose weights start at ``row``; 0 when none is left."""
    if buyer.business == NONE:
        return 0
    factor = tables.business_factors[buyer.archetype * len(tables.business_prices) + buyer.business]
    return scale_weight(tables.weights[row + BUSINESS], factor)


def weigh(sums: list[int], tables: PriceList, buyer: Buyer, held: Sequence[int], stock: Sequence[int]) -> int:
    """Weigh a choice set.

    An alternative weighs nothing when its price is above what may be spent, its stock is 0 or its limit is
    reached (the table of needs holds the limit).

    Args:
        sums: Receives, for each alternative, the weight of *save* and of all alternatives up to this one.
        tables: The price list.
        buyer: The player.
        held: Units that the player holds of each item.
        stock: Units left in the store of each item; ``UNLIMITED_STOCK`` where there is no end.

    Returns:
        The sum of all weights, *save* included, below 2^31.
    """
    spendable_gold = buyer.gold - buyer.hold_gold
    weights = tables.weights
    needs = tables.needs
    prices = tables.prices
    levels = tables.levels
    row = (buyer.archetype * BUCKETS + purse_bucket(buyer.gold)) * ALTERNATIVES
    need_row = buyer.archetype * ITEMS * levels
    top = levels - 1
    total = SAVE_WEIGHT
    # The hottest loop of a simulation: a call of min costs more than the rest of its line.
    for item in range(ITEMS):
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
            weights[row + TRAIN], tables.train_factors[buyer.archetype * TRAIN_STEPS + step]
        )
    sums[TRAIN] = total
    if tables.pack_price_gold <= spendable_gold:
        total += weights[row + GEMS]
    sums[GEMS] = total
    if buyer.business != NONE and tables.business_prices[buyer.business] <= spendable_gold:
        total += business_weight(tables, buyer, row)
    sums[BUSINESS] = total
    return total


def choose(number: int, sums: Sequence[int]) -> int:
    """Choose one alternative.

    Args:
        number: The draw of this choice, from ``SESSION_CHOICES`` on.
        sums: What ``weigh`` filled.

    Returns:
        An alternative of weight above 0, or ``SAVE``.
    """
    target = number * sums[BUSINESS] >> 32
    if target < SAVE_WEIGHT:
        return SAVE
    alternative = 0
    while sums[alternative] <= target:
        alternative += 1
    return alternative


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
    """Present price of a goal that stands; 0 without one.

    Args:
        tables: The price list.
        goal: An item, ``BUSINESS`` or ``NONE``.
        business: What ``next_business`` returned.
    """
    if goal == NONE:
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
        sums: Scratch of at least ITEMS places.
        tables: The price list.
        buyer: The player; the hold is not read.
        held: Units that the player holds of each item; each quarters the weight of a collectible.
        with_business: 1 for an archetype that saves for businesses.

    Returns:
        An item with room under its limit, in stock or not; ``BUSINESS``; or ``NONE`` if nothing has a weight.
    """
    row = (buyer.archetype * BUCKETS + purse_bucket(buyer.gold)) * ALTERNATIVES
    total = 0
    for item in range(ITEMS):
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
    target = number * total >> 32
    for item in range(ITEMS):
        if target < sums[item]:
            return item
    return BUSINESS


def draw_wish(number: int, sums: list[int], tables: PriceList, archetype: int, held: Sequence[int]) -> int:
    """Draw what a player would like to put gold into, whatever it costs today.

    Args:
        number: Draw ``SESSION_WISH``.
        sums: Scratch of at least ITEMS places.
        tables: The price list; no price of it is read.
        archetype: Place in the tables.
        held: Units that the player holds of each item.

    Returns:
        An item with room under its limit, or ``NONE`` when all limits are reached.
    """
    row = archetype * ITEMS
    total = 0
    for item in range(ITEMS):
        if held[item] < tables.limits[item]:
            total += tables.wishes[row + item]
        sums[item] = total
    if total == 0:
        return NONE
    target = number * total >> 32
    item = 0
    while sums[item] <= target:
        item += 1
    return item
