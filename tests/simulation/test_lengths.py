"""Economies of any size: of one item or sixty, one tier or nine, no business or eight."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import polars as pl
import pytest

from kokoromichi.core.clock import ManualClock
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.rules.codes import MAX_BALANCE
from kokoromichi.rules.economy import Economy, EconomyConfig, load_economy
from kokoromichi.rules.economy_laws import economy_findings
from kokoromichi.services.bundle import Services
from kokoromichi.settings import shipped_folder
from kokoromichi.simulation import demand
from kokoromichi.simulation.demand import BUSINESS, NONE, SERVICES, Buyer
from kokoromichi.simulation.faithful import FaithfulEngine
from kokoromichi.simulation.population import Population
from kokoromichi.simulation.price_list import build_price_list
from kokoromichi.simulation.scenario import Scenario
from kokoromichi.simulation.weights import SAVE_WEIGHT, WEIGHT_CAP
from tests.simulation.compiling import as_array, compiled

if TYPE_CHECKING:
    from kokoromichi.analysis.audit import AuditReport

SHIPPED = load_economy(shipped_folder("data"))
POPULATION = Population.load("default")
NOON_US = 1_767_614_400_000_000

SIZES = [(1, 1, 0), (22, 9, 8), (24, 1, 5), (40, 9, 0), (60, 7, 8)]
"""Items, battle tiers, businesses."""


@cache
def economy_of(items: int, tiers: int, businesses: int) -> Economy:
    """The shipped economy cut or continued: every further item is like one that is there."""
    config, catalogue = SHIPPED.config, SHIPPED.catalogue[:items]
    store = {item.id: config.store[item.id] for item in catalogue}
    battle = replace(
        config.battle,
        tier_level=tuple(range(1, 6 * tiers, 6)),
        tier_gold=tuple(range(30, 30 + 15 * tiers, 15)),
        tier_xp=tuple(range(8, 8 + 4 * tiers, 4)),
    )
    economy = replace(
        SHIPPED,
        catalogue=catalogue,
        config=replace(config, store=store, battle=battle, business={}),
    )
    for number in range(items - len(catalogue)):
        economy = economy.with_item(f"novelty_{number}", SHIPPED.catalogue[-1 - number % 23].id)
    for number in range(businesses):
        numbers = {"price_gold": 1_000 + 100 * number, "income_gold_per_day": 200}
        economy = economy.with_business(f"branch_{number}", numbers)
    return economy


@dataclass(frozen=True)
class Seen:
    """One replication, read back."""

    ledger: pl.DataFrame
    activity: pl.DataFrame
    history: pl.DataFrame
    audit: AuditReport


@cache
def played(items: int, tiers: int, businesses: int) -> Seen:
    economy = economy_of(items, tiers, businesses)
    scenario = Scenario.load("baseline", players=24, days=6).replace(economy=economy)

    async def play() -> Seen:
        found = await FaithfulEngine(scenario, 3).play()
        audit = found.states.audit(found.ledger)
        return Seen(found.ledger, found.activity, found.economy_history, audit)

    return asyncio.run(play())


@pytest.mark.parametrize("size", SIZES)
def test_an_economy_of_any_size_is_played_and_its_books_are_sound(size: tuple[int, int, int]) -> None:
    seen = played(*size)
    assert seen.audit.sound
    acts = set(seen.activity.filter(pl.col("code").is_null())["act"])
    assert acts >= {"claim", "battle", "train", "wish"}
    assert ("invest" in acts) == (size[2] > 0)
    outcomes = set(seen.activity.filter(act="choice")["outcome"])
    sold = {item.id for item in economy_of(*size).catalogue}
    assert outcomes <= sold | {"save", "train", "gems", "business"}
    assert outcomes & sold


@pytest.mark.parametrize("size", SIZES)
def test_the_history_says_which_item_each_place_of_units_held_is(size: tuple[int, int, int]) -> None:
    seen = played(*size)
    places = seen.history.filter(measure="catalogue_place").sort("value")
    assert places["key"].to_list() == [item.id for item in economy_of(*size).catalogue]
    held = seen.activity.filter(act="choice")["units_held"]
    assert set(held.list.len()) == {size[0]}
    assert places["value"].to_list() == list(range(size[0]))


@pytest.mark.parametrize("size", SIZES)
async def test_the_bot_sells_the_last_item_of_an_economy_of_any_size(size: tuple[int, int, int]) -> None:
    economy = economy_of(*size).with_values({"opening.gold": 1_000_000})
    clock = ManualClock(NOON_US)
    services = Services(MemoryProvider(clock), economy, clock)
    await services.start()
    last = economy.catalogue[-1].id
    assert [item.item_id for item in await services.store.view_store()] == list(economy.config.store)
    assert (await services.store.purchase("ada", last)).owned == 1
    assert (await services.store.sell("ada", last)).owned == 0
    assert (await services.battle.fight("ada", size[1], draw=0)).won
    for business_id in economy.config.business:
        await services.progress.invest("ada", business_id)
    profile = await services.executor.provider.profile("ada")
    assert profile is not None
    assert len(profile.businesses) == size[2]


@pytest.mark.parametrize("size", SIZES)
def test_at_the_caps_no_sum_leaves_int64_and_compiled_choices_are_the_plain_ones(
    size: tuple[int, int, int],
) -> None:
    dear = economy_of(*size).with_values({"store.*.price_gold": MAX_BALANCE, "store.*.limit": 10**9})
    population = POPULATION.remembering(dear)
    assert population.reference_prices.keys() >= dear.config.store.keys()
    cheap = economy_of(*size).with_values({"store.*.price_gold": 1, "exchange.price_gold": 1})
    tables = build_price_list(population, cheap)
    full = tables._replace(
        weights=[WEIGHT_CAP] * len(tables.weights),
        wishes=[WEIGHT_CAP] * len(tables.wishes),
        dear=[1] * size[0],
    )
    business = 0 if size[2] else NONE
    buyer = Buyer(2, MAX_BALANCE, 0, 100, business)
    held = [0] * size[0]
    places, unlimited = size[0] + SERVICES, [demand.UNLIMITED_STOCK] * size[0]
    for draw in (0, 2**31, 2**32 - 1):
        sums, goal_sums, wish_sums = [0] * places, [0] * places, [0] * places
        total = demand.weigh(sums, full, buyer, held, unlimited)
        assert total >= SAVE_WEIGHT + size[0] * WEIGHT_CAP
        chosen = demand.choose(draw, sums)
        goal = demand.draw_goal(draw, goal_sums, full, buyer, held, 1)
        wish = demand.draw_wish(draw, wish_sums, full, 2, held)
        arrays = [as_array(value) for value in ([0] * places, full, buyer, held, unlimited)]
        scratch, tables_array, _, held_array, _ = arrays
        assert compiled(demand.weigh)(*arrays) == total
        assert compiled(demand.choose)(draw, as_array(sums)) == chosen
        assert compiled(demand.draw_goal)(draw, scratch, tables_array, buyer, held_array, 1) == goal
        assert compiled(demand.draw_wish)(draw, scratch, tables_array, 2, held_array) == wish
    assert chosen in (size[0] - 1, demand.GEMS, BUSINESS)


def test_an_item_of_a_notebook_is_bought_and_answers_its_price() -> None:
    base = Scenario.load("baseline", players=10, days=3)
    more = base.with_item("moon_cake", "flower_bouquet", price_gold=60, appeal=3.0)
    dearer = more.with_economy({"store.moon_cake.price_gold": 600})
    item = more.economy.catalogue[-1]
    assert (item.id, item.category, more.economy.config.store["moon_cake"].price_gold) == (
        "moon_cake",
        "gift",
        60,
    )
    assert dearer.population.reference_prices["moon_cake"] == 60
    weights = [build_price_list(each.population, each.economy).weights[23] for each in (more, dearer)]
    assert weights[0] > 10 * weights[1] > 0
    assert economy_findings(more.economy) == ()


def test_a_category_and_a_business_of_their_own_are_played() -> None:
    tree = SHIPPED.config.tree()
    words = (*SHIPPED.catalogue[:-1], SHIPPED.catalogue[-1].model_copy(update={"category": "pet"}))
    economy = Economy(EconomyConfig.from_tree(tree), words, SHIPPED.waifus)
    economy = economy.with_business("bakery", {"price_gold": 500, "income_gold_per_day": 100})
    scenario = Scenario.load("baseline", players=12, days=2).replace(economy=economy)
    found = asyncio.run(FaithfulEngine(scenario, 1).play())
    bought = found.activity.filter(act="invest")
    assert bought.height
    assert "pet" in set(found.economy_history["category"])
