"""What is likely a mistake in a scenario: said as findings, while the simulation runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kokoromichi.rules.economy_laws import prices_below_lowest
from kokoromichi.rules.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kokoromichi.simulation.scenario import Scenario


def scenario_findings(scenario: Scenario) -> Iterator[Finding]:
    """Prices below the lowest promised, items that nobody sells, changes that never come into force."""
    yield from _too_cheap(scenario)
    yield from _unsold(scenario)
    yield from _idle(scenario)


def _too_cheap(scenario: Scenario) -> Iterator[Finding]:
    """Scheduled prices below the lowest promised, each item's lowest on its first day."""
    worst: dict[str, tuple[int, int]] = {}
    for day in scenario.price_days():
        store = scenario.economy_on(day).config.store
        for item_id in scenario.economy.config.store:
            price_gold = store[item_id].price_gold
            if item_id not in worst or price_gold < worst[item_id][0]:
                worst[item_id] = price_gold, day
    for item_id, (price_gold, day) in worst.items():
        field, value = f"changes.{item_id}", f"{price_gold} gold on day {day}"
        for found in prices_below_lowest(scenario.economy, {item_id: price_gold}):
            yield Finding(scenario.name, field, value, found.law, found.text)


def _unsold(scenario: Scenario) -> Iterator[Finding]:
    text = "is not sold in this economy and has no effect; take the line out or correct the item's id"
    population = scenario.population
    tables = {"reference_prices": population.reference_prices, "appeal": population.appeal}
    for name, table in tables.items():
        for item_id, value in table.items():
            if item_id not in scenario.economy.config.store:
                yield Finding(population.name, f"{name}.{item_id}", str(value), "item_is_sold", text)


def _idle(scenario: Scenario) -> Iterator[Finding]:
    """Changes that begin when the run is over, or that leave every price as it is."""
    for place, change in enumerate(scenario.changes):
        if change.from_day >= scenario.days:
            text = (
                f"never comes into force, since the run ends with day {scenario.days - 1}: "
                "give it more days, or let the change begin earlier"
            )
            value = f"day {change.from_day}"
            yield Finding(scenario.name, f"changes.{place}.from_day", value, "change_has_effect", text)
        elif not scenario.prices_under((place,)):
            text = "changes no price: give another percentage, or items and categories that are sold"
            value = f"{change.percent} %"
            yield Finding(scenario.name, f"changes.{place}.percent", value, "change_has_effect", text)
