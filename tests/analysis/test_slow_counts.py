"""Metrics against the same thing counted again, row by row and day by day, in plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from kokoromichi.analysis.metrics.presence import active_days, presence
from kokoromichi.analysis.metrics.prices import price_list
from kokoromichi.analysis.metrics.retention import cohort_balances
from kokoromichi.analysis.metrics.supply import money_supply
from kokoromichi.analysis.metrics.waits import days_to_afford
from kokoromichi.analysis.statistics import kaplan_meier
from tests.analysis.books import START, lively

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kokoromichi.analysis.observations import Observations

HORIZON_DAYS = 15

seeds = pytest.mark.parametrize("seed", range(4))


def closings(observations: Observations, currency: str = "gold") -> dict[str, dict[date, int]]:
    """The balance of each player at each close, from the player's first day with the currency on."""
    changes: dict[str, Counter[date]] = defaultdict(Counter)
    for row in observations.ledger.collect().iter_rows(named=True):
        if row["currency"] == currency:
            changes[row["user_id"]][row["at"].date()] += row["amount"]
    closes: dict[str, dict[date, int]] = {}
    for user, change in changes.items():
        balance, closes[user] = 0, {}
        for day in horizon():
            balance += change[day]
            if day >= min(change):
                closes[user][day] = balance
    return closes


def horizon() -> Iterator[date]:
    """Every day of the horizon."""
    return (START.date() + timedelta(days=number) for number in range(HORIZON_DAYS))


@seeds
def test_supply_and_active_supply(seed: int) -> None:
    observations = lively(seed, horizon_days=HORIZON_DAYS)
    table = money_supply(observations).collect()
    active = set(active_days(observations).collect().iter_rows())
    for currency in ("gold", "gems"):
        held = closings(observations, currency)
        for row in table.filter(currency=currency).iter_rows(named=True):
            day = row["day"]
            week = [day - timedelta(days=ago) for ago in range(7)]
            present = [user for user in held if any((user, back) in active for back in week)]
            assert row["supply"] == sum(closes.get(day, 0) for closes in held.values())
            assert row["active_supply"] == sum(held[user].get(day, 0) for user in present)
            assert row["supply"] == row["opening"] + row["faucets"] - row["sinks"]


@seeds
def test_waits(seed: int) -> None:
    observations = lively(seed, horizon_days=HORIZON_DAYS)
    prices: dict[str, dict[date, int]] = defaultdict(dict)
    for day, item, _, price in price_list(observations).collect().iter_rows():
        prices[item][day] = price
    until = {user: last for user, _, last, _ in presence(observations).collect().iter_rows()}
    for item, price_on in prices.items():
        lengths, ended = [], []
        for user, closes in closings(observations).items():
            days = [day for day in closes if day <= until[user]]
            below = next((day for day in days if closes[day] < price_on[day]), None)
            if below is not None:
                reached = next((day for day in days if day > below and closes[day] >= price_on[day]), None)
                lengths.append(((reached or until[user]) - below).days)
                ended.append(reached is not None)
        expected = kaplan_meier(lengths, ended)
        row = days_to_afford(observations).collect().filter(item_id=item, archetype="all").row(0, named=True)
        assert (row["waiting"], row["afforded"]) == (len(lengths), sum(ended))
        assert (row["wait_days"], row["never_share"]) == (expected.grouped_median, expected.never_share)


@seeds
def test_balances_by_age(seed: int) -> None:
    observations = lively(seed, horizon_days=HORIZON_DAYS)
    by_age: dict[int, list[int]] = defaultdict(list)
    for closes in closings(observations).values():
        for day, balance in closes.items():
            by_age[(day - min(closes)).days].append(balance)
    table = cohort_balances(observations).collect().filter(archetype="all")
    assert table["age_days"].to_list() == sorted(by_age)
    for row in table.iter_rows(named=True):
        balances = sorted(by_age[row["age_days"]])
        place = 0.9 * (len(balances) - 1)
        low = balances[int(place)]
        high = balances[min(int(place) + 1, len(balances) - 1)]
        assert row["players"] == len(balances)
        assert row["p90"] == pytest.approx(low + (place - int(place)) * (high - low))
