"""Flows, wealth, goods, acts and prices against the same thing counted again, row by row, in plain Python."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Final

import pytest

from tests.analysis.test_slow_counts import closings
from tests.analysis.test_slow_daily import CHANGED, PRICES, SINKS, STOCK, Raw, seeds

WEEK: Final = 7
CATEGORIES: Final = {item: item for item in PRICES}
"""A chest is a chest, and a potion is a potion."""


def flow_of(row: dict[str, object]) -> tuple[str, str]:
    """Direction and kind of a row that moves a balance."""
    kind, amount = str(row["kind"]), row["amount"]
    assert isinstance(amount, int)
    return ("transfer" if kind == "transfer" else "faucet" if amount > 0 else "sink"), kind


def moves(raw: Raw) -> list[tuple[date, str, str, str, int]]:
    """Day, currency, direction, kind and amount of each row that counts: a transfer where it arrives."""
    return [
        (row["at"].date(), row["currency"], *flow_of(row), abs(row["amount"]))
        for row in raw.ledger
        if row["currency"] is not None and (row["kind"] != "transfer" or row["amount"] > 0)
    ]


def spent_by(raw: Raw) -> Counter[str]:
    """Gold that each player spent."""
    spent = Counter[str]()
    for _, row in raw.moved(*SINKS):
        spent[row["user_id"]] -= row["amount"]
    return spent


@seeds
def test_flows_by_day_and_over_all(seed: int) -> None:
    raw = Raw(seed)
    by_day, over_all = (Counter[tuple[object, ...]]() for _ in range(2))
    counts, sums = Counter[tuple[object, ...]](), Counter[tuple[str, str]]()
    for day, currency, direction, kind, amount in moves(raw):
        by_day[day, currency, direction, kind] += amount
        over_all[currency, direction, kind] += amount
        counts[currency, direction, kind] += 1
        if kind != "opening":
            sums[currency, direction] += amount
    flows = {tuple(row.values())[:4]: row["amount"] for row in raw.metric("flows")}
    assert flows == dict(by_day)
    totals = {tuple(row.values())[:3]: row for row in raw.metric("flows_total")}
    assert {key: row["amount"] for key, row in totals.items()} == dict(over_all)
    assert {key: row["rows"] for key, row in totals.items()} == dict(counts)
    for (currency, direction, kind), row in totals.items():
        if kind == "opening":
            assert (row["share"], row["share_of_faucets"]) == (None, None)
            continue
        assert row["share"] == pytest.approx(row["amount"] / sums[currency, direction])
        assert row["share_of_faucets"] == pytest.approx(row["amount"] / sums[currency, "faucet"])


@seeds
def test_net_flow_and_the_ratio_of_sinks_to_faucets(seed: int) -> None:
    raw, sums = Raw(seed), Counter[tuple[date, str, str]]()
    for day, currency, direction, kind, amount in moves(raw):
        sums[day, currency, "opening" if kind == "opening" else direction] += amount
    rows = raw.metric("net_flow")
    assert [row["day"] for row in rows] == raw.days
    for row in rows:
        opened, came, left = (sums[row["day"], "gold", name] for name in ("opening", "faucet", "sink"))
        active = len(raw.active[row["day"]])
        assert tuple(row.values())[1:6] == (opened, came, left, came - left, active)
        assert row["net_gold_per_active_player"] == ((came - left) / active if active else None)
    for row in raw.metric("sink_faucet_ratio"):
        came, left = (
            sum(sums[day, row["currency"], name] for day in raw.days) for name in ("faucet", "sink")
        )
        assert (row["faucets"], row["sinks"], row["sink_faucet_ratio"]) == (came, left, left / came)


@seeds
def test_velocity(seed: int) -> None:
    raw = Raw(seed)
    for row in raw.metric("velocity"):
        held = closings(raw.observations, row["currency"]).values()
        supply = [sum(closes.get(day, 0) for closes in held) for day in raw.days]
        spent = spent_by(raw).total() if row["currency"] == "gold" else 0
        assert row["days"] == len(raw.days)
        assert row["mean_supply"] == pytest.approx(statistics.fmean(supply))
        assert row["velocity_per_day"] == pytest.approx(spent / sum(supply))


@seeds
def test_balances_and_their_percentiles(seed: int) -> None:
    raw = Raw(seed)
    last = {
        (user, currency): closes[raw.days[-1]]
        for currency in ("gold", "gems")
        for user, closes in closings(raw.observations, currency).items()
    }
    rows = raw.metric("balances")
    assert {(row["user_id"], row["currency"]): row["balance"] for row in rows} == last
    assert all(row["archetype"] == raw.archetypes[row["user_id"]] for row in rows)
    for row in raw.metric("balance_percentiles"):
        held = [
            balance
            for (user, currency), balance in last.items()
            if currency == row["currency"] and row["archetype"] in ("all", raw.archetypes[user])
        ]
        tenths = statistics.quantiles(held, n=10, method="inclusive")
        assert row["players"] == len(held)
        assert [row["p10"], row["p50"], row["p90"]] == pytest.approx([tenths[0], tenths[4], tenths[8]])


def wealth(raw: Raw) -> dict[str, list[int]]:
    """What each player has and spent, the poorest first."""
    held, spent = closings(raw.observations), spent_by(raw)
    return {
        "balance": sorted(closes[raw.days[-1]] for closes in held.values()),
        "spending": sorted(spent[user] for user in held),
    }


@seeds
def test_inequality(seed: int) -> None:
    raw = Raw(seed)
    measures = wealth(raw)
    for row in raw.metric("gini"):
        values = measures[row["measure"]]
        apart = sum(abs(one - other) for one in values for other in values)
        assert (row["players"], row["total"]) == (len(values), sum(values))
        assert row["gini"] == pytest.approx(apart / (2 * len(values) * sum(values)))
    for row in raw.metric("top_shares"):
        values, count = measures[row["measure"]][::-1], row["top"] * len(measures[row["measure"]])
        whole = int(count)
        top = sum(values[:whole]) + (count - whole) * values[whole]
        assert row["players"] == pytest.approx(count)
        assert row["share"] == pytest.approx(top / sum(values))
    curves = defaultdict(list)
    for row in raw.metric("lorenz"):
        curves[row["measure"]].append((row["population_share"], row["value_share"]))
    for measure, points in curves.items():
        values = measures[measure]
        for poorest, point in enumerate(points):
            assert point == pytest.approx((poorest / len(values), sum(values[:poorest]) / sum(values)))
        assert len(points) == len(values) + 1


@seeds
def test_what_each_tenth_spends_on(seed: int) -> None:
    raw = Raw(seed)
    held = {user: closes[raw.days[-1]] for user, closes in closings(raw.observations).items()}
    ranked = sorted(held, key=lambda user: (held[user], user))
    decile = {user: 1 + 10 * place // len(ranked) for place, user in enumerate(ranked)}
    spent, sums = Counter[tuple[int, str]](), Counter[int]()
    for _, row in raw.moved(*SINKS):
        on = CATEGORIES[row["item_id"]] if row["kind"] == "purchase" else row["kind"]
        spent[decile[row["user_id"]], on] -= row["amount"]
        sums[decile[row["user_id"]]] -= row["amount"]
    sizes = Counter(decile.values())
    rows = raw.metric("engel_shares")
    assert len(rows) == len(sizes) * len({on for _, on in spent})
    for row in rows:
        tenth = row["decile"]
        assert (row["players"], row["spending_gold"]) == (sizes[tenth], spent[tenth, row["category"]])
        assert row["share"] == (row["spending_gold"] / sums[tenth] if sums[tenth] else None)


@seeds
def test_what_is_sold_held_and_used(seed: int) -> None:
    raw = Raw(seed)
    units, paid, held, used = (Counter[str]() for _ in range(4))
    buyers: dict[str, set[str]] = defaultdict(set)
    restocked = Counter[str]()
    for row in raw.ledger:
        item, count = row["item_id"], row["quantity"]
        if row["kind"] == "purchase":
            units[item] += count
            paid[item] -= row["amount"]
            buyers[item].add(row["user_id"])
        restocked[item] += count if row["kind"] == "restock" else 0
        used[item] -= count if row["kind"] == "use" else 0
        if item and row["user_id"] != "system":
            held[item] += count
    assert [tuple(row.values()) for row in raw.metric("sales")] == [
        (item, units[item], paid[item], len(buyers[item])) for item in sorted(units)
    ]
    for row in raw.metric("sell_through"):
        item = row["item_id"]
        offered = STOCK[item] + restocked[item] if item in STOCK else None
        assert tuple(row.values()) == (
            item, STOCK.get(item), restocked[item], units[item],
            None if offered is None else offered - units[item],
            None if offered is None else units[item] / offered,
        )  # fmt: skip
    for row in raw.metric("hoarding"):
        item = row["item_id"]
        assert (row["units_held"], row["units_used"]) == (held[item], used[item])
        assert row["cover_days"] == pytest.approx(held[item] * len(raw.days) / used[item])


@seeds
def test_acts_and_refusals(seed: int) -> None:
    raw = Raw(seed)
    done, tried, refused = Counter[str](), Counter[str](), Counter[tuple[str, str]]()
    for row in raw.acts:
        if row["act"] != "session":
            tried[row["act"]] += 1
            done[row["act"]] += row["code"] is None
            if row["code"] is not None:
                refused[row["act"], row["code"]] += 1
    player_days = sum(map(len, raw.active.values()))
    assert [tuple(row.values()) for row in raw.metric("acts")] == [
        (act, done[act], tried[act] - done[act], player_days, done[act] / player_days)
        for act in sorted(tried)
    ]
    assert refused
    assert [tuple(row.values()) for row in raw.metric("refusals")] == [
        (act, code, count, tried[act], count / tried[act]) for (act, code), count in sorted(refused.items())
    ]


@seeds
def test_retention_from_arrival(seed: int) -> None:
    raw = Raw(seed, quiet=5)
    rows = raw.metric("retention")
    assert [row["age_days"] for row in rows] == [1, 7]
    last_act = {user: max(day for day in raw.days if user in raw.active[day]) for user in raw.arrival}
    for row in rows:
        due = {user: came + timedelta(days=row["age_days"]) for user, came in raw.arrival.items()}
        due = {user: day for user, day in due.items() if day <= raw.days[-1]}
        assert row["players"] == len(due)
        assert row["active"] == sum(user in raw.active[day] for user, day in due.items())
        # The only one who leaves does so on the last day; until then nobody is away.
        assert (row["stayed"], row["present"]) == (len(due), len(due))
        assert row["classic_share"] == row["active"] / row["players"]
    assert min(last_act.values()) < raw.days[-1]


def period_numbers(raw: Raw) -> list[tuple[dict[str, float], Counter[str]]]:
    """Of each week from the first day on, each item's mean list price and the units that were bought."""
    found = []
    for start in range(0, len(raw.days), WEEK):
        inside = raw.days[start : start + WEEK]
        prices = {
            item: statistics.fmean(new if day >= CHANGED else old for day in inside)
            for item, (old, new) in PRICES.items()
        }
        bought = Counter[str]()
        for day, row in raw.moved("purchase"):
            bought[row["item_id"]] += row["quantity"] if day in inside else 0
        found.append((prices, bought))
    return found


def ratio(prices: dict[str, float], base: dict[str, float], basket: Counter[str], items: set[str]) -> float:
    """What a basket costs now, over what it cost; not a number where nothing is in it."""
    before = sum(base[item] * basket[item] for item in items)
    return sum(prices[item] * basket[item] for item in items) / before if before else math.nan


@seeds
def test_what_a_basket_costs(seed: int) -> None:
    raw = Raw(seed)
    periods = period_numbers(raw)
    first_prices, first_basket = periods[0]
    whole = sum(first_prices[item] * first_basket[item] for item in PRICES)
    rows = {(row["period_start"], row["category"]): row for row in raw.metric("price_index")}
    groups = {"all": set(PRICES), **{CATEGORIES[item]: {item} for item in PRICES}}
    assert len(rows) == len(periods) * len(groups)
    for category, items in groups.items():
        chained = 100.0
        for place, (prices, basket) in enumerate(periods):
            row = rows[raw.days[place * WEEK], category]
            before_prices, before_basket = periods[max(place - 1, 0)]
            links = [ratio(prices, before_prices, one, items) for one in (before_basket, basket)]
            known = [link for link in links if not math.isnan(link)]
            chained *= math.prod(known) ** (1 / len(known)) if known else 1.0
            added = sum((prices[item] - first_prices[item]) * first_basket[item] for item in items)
            assert known_or_nan(row["laspeyres"]) == near(
                100 * ratio(prices, first_prices, first_basket, items)
            )
            assert known_or_nan(row["paasche"]) == near(100 * ratio(prices, first_prices, basket, items))
            assert row["fisher_chained"] == pytest.approx(chained)
            assert row["contribution_points"] == pytest.approx(100 * added / whole)


def known_or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def near(value: float) -> object:
    return pytest.approx(value, nan_ok=True)
