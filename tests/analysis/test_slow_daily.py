"""What designers look at daily, against the same thing counted again from raw rows in plain Python."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import pytest

from kokoromichi.analysis.metrics import measured
from tests.analysis.books import START, lively
from tests.analysis.test_slow_counts import closings, horizon

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations

FAUCET: Final = "daily"
SINKS: Final = ("fee", "purchase")
STOCK: Final = {"chest": 50}
PRICES: Final = {"chest": (5_000, 8_000), "potion": (100, 160)}
CHANGED: Final = START.date() + timedelta(days=6)
HALF_HOUR_S: Final = 1_800

seeds = pytest.mark.parametrize("seed", range(2))
Row = dict[str, Any]


class Raw:
    """Rows of a small economy, as dictionaries."""

    def __init__(self, seed: int, *, quiet: int = 0) -> None:
        self.observations: Observations = _quiet(lively(seed), quiet)
        self.ledger: list[Row] = self.observations.ledger.collect().to_dicts()
        acts = self.observations.activity.collect().to_dicts()
        self.acts: list[Row] = [row for row in acts if row["act"] != "leave"]
        self.gold = [row for row in self.ledger if row["currency"] == "gold"]
        self.days = list(horizon())
        self.active: dict[date, set[str]] = defaultdict(set)
        for row in (*self.acts, *(row for row in self.ledger if row["actor"] == row["user_id"] != "system")):
            self.active[row["at"].date()].add(row["user_id"])
        self.archetypes: dict[str, str] = dict(
            self.observations.players.select("user_id", "archetype").collect().iter_rows()
        )
        self.arrival = {user: min(closes) for user, closes in closings(self.observations).items()}

    def metric(self, name: str) -> list[Row]:
        return measured(name, self.observations).to_dicts()

    def moved(self, *kinds: str) -> list[tuple[date, Row]]:
        """Rows of gold by day."""
        return [(row["at"].date(), row) for row in self.gold if row["kind"] in kinds]


def _quiet(seen: Observations, players: int) -> Observations:
    """The same with some players who do nothing from the fourth to the twelfth day."""
    names = [f"p{number:05d}" for number in range(players)]
    first, last = (START.date() + timedelta(days=number) for number in (4, 12))
    there = ~(pl.col("user_id").is_in(names) & pl.col("at").dt.date().is_between(first, last))
    return replace(seen, ledger=seen.ledger.filter(there), activity=seen.activity.filter(there))


@seeds
def test_gains_by_archetype_and_kind(seed: int) -> None:
    raw, sums = Raw(seed), Counter[tuple[str, str]]()
    for _, row in raw.moved(FAUCET, *SINKS, "transfer"):
        for group in ("all", raw.archetypes[row["user_id"]]):
            sums[group, row["kind"]] += row["amount"]
    owners = Counter(raw.archetypes[user] for user in raw.arrival) + Counter(all=len(raw.arrival))
    found = {(row["archetype"], row["kind"]): row for row in raw.metric("gains")}
    assert {key: row["amount"] for key, row in found.items()} == dict(sums)
    assert all(row["per_player"] == row["amount"] / owners[group] for (group, _), row in found.items())


@seeds
def test_balance_bands_by_day(seed: int) -> None:
    raw = Raw(seed)
    closes = closings(raw.observations)
    for row in raw.metric("balance_bands"):
        users = [user for user in closes if row["archetype"] in ("all", raw.archetypes[user])]
        held = [closes[user][row["day"]] for user in users if row["day"] in closes[user]]
        assert (row["players"], row["held"]) == (len(held), sum(held))
        if len(held) > 1:
            tenths = statistics.quantiles(held, n=10, method="inclusive")
            assert [row["p10"], row["p50"], row["p90"]] == pytest.approx([tenths[0], tenths[4], tenths[8]])


@seeds
def test_what_a_session_earns_and_spends(seed: int) -> None:
    raw = Raw(seed)
    by_user: dict[str, list[Row]] = defaultdict(list)
    for row in (*raw.acts, *(row for row in raw.ledger if row["actor"] == row["user_id"] != "system")):
        by_user[row["user_id"]].append(row)
    sums: dict[int, Counter[str]] = defaultdict(Counter)
    for user, rows in by_user.items():
        before = None
        for row in sorted(rows, key=lambda row: row["at"]):
            week = sums[(row["at"].date() - raw.arrival[user]).days // 7]
            week["sessions"] += before is None or (row["at"] - before).total_seconds() >= HALF_HOUR_S
            before = row["at"]
            if row.get("currency") == "gold" and row["kind"] in (FAUCET, *SINKS):
                week["earned" if row["amount"] > 0 else "spent"] += abs(row["amount"])
    found = {row["age_weeks"]: row for row in raw.metric("session_flows")}
    assert {
        week: {name: row[name] for name in ("sessions", "earned", "spent")} for week, row in found.items()
    } == {week: {name: one[name] for name in ("sessions", "earned", "spent")} for week, one in sums.items()}


@seeds
def test_which_share_each_sink_reaches(seed: int) -> None:
    raw, amounts, users = Raw(seed), Counter[tuple[date, str]](), defaultdict(set)
    for day, row in raw.moved(*SINKS):
        amounts[day, row["kind"]] -= row["amount"]
        users[day, row["kind"]].add(row["user_id"])
    rows = raw.metric("sink_use")
    assert len(rows) == len(raw.days) * len(SINKS)
    for row in rows:
        key = row["day"], row["kind"]
        active = len(raw.active[row["day"]])
        assert (row["amount"], row["players"]) == (amounts[key], len(users[key]))
        assert row["share"] == (len(users[key]) / active if active else None)


@seeds
def test_on_how_few_each_faucet_falls(seed: int) -> None:
    raw, got = Raw(seed), Counter[str]()
    for _, row in raw.moved(FAUCET):
        got[row["user_id"]] += row["amount"]
    (row,) = raw.metric("faucet_concentration")
    largest = min(user for user in got if got[user] == max(got.values()))
    ranked, tenth = sorted(got.values(), reverse=True), len(got) / 10
    whole = int(tenth)
    top = sum(ranked[:whole]) + (tenth - whole) * ranked[whole]
    assert (row["kind"], row["amount"], row["players"]) == (FAUCET, got.total(), len(got))
    assert (row["largest"], row["largest_user_id"]) == (got[largest], largest)
    assert row["largest_per_median"] == pytest.approx(got[largest] / statistics.median(got.values()))
    assert row["top_10_share"] == pytest.approx(top / got.total())


@seeds
def test_who_leaves_and_returns_and_with_what(seed: int) -> None:
    raw = Raw(seed, quiet=5)
    closes = closings(raw.observations)
    counts: dict[date, Counter[str]] = defaultdict(Counter)
    for user in raw.arrival:
        days = [day for day in raw.days if user in raw.active[day]]
        for day, following in zip(days, [*days[1:], None], strict=True):
            left = day + timedelta(days=7)
            if left > raw.days[-1] or (following is not None and following <= left):
                continue
            counts[left]["left_players"] += 1
            counts[left]["left_gold"] += closes[user][left]
            if following is not None:
                counts[following]["returned_players"] += 1
                counts[following]["returned_gold"] += closes[user][following - timedelta(days=1)]
    assert sum(mine["left_players"] for mine in counts.values()) > 0
    assert sum(mine["returned_gold"] for mine in counts.values()) > 0
    away = 0
    for row in raw.metric("leavers"):
        mine = counts[row["day"]]
        away += mine["left_players"] - mine["returned_players"]
        assert row == {
            "day": row["day"],
            **{name: mine[name] for name in row if name.startswith(("left", "returned"))},
            "away_players": away,
        }


@seeds
def test_days_out_of_stock(seed: int) -> None:
    raw = Raw(seed)
    for row in raw.metric("stock_outs"):
        left, closing = STOCK[row["item_id"]], []
        for day in raw.days:
            for moved in raw.ledger:
                if moved["at"].date() == day and moved["item_id"] == row["item_id"]:
                    left += {"purchase": -1, "restock": 1}.get(moved["kind"], 0) * (moved["quantity"] or 0)
            closing.append(left)
        out = [day for day, units in zip(raw.days, closing, strict=True) if units <= 0]
        assert (row["days"], row["days_out"], row["least_units"]) == (len(closing), len(out), min(closing))
        assert row["first_out"] == (out[0] if out else None)


def _given(raw: Raw) -> Counter[tuple[str, str]]:
    given = Counter[tuple[str, str]]()
    for _, row in raw.moved("transfer"):
        if row["amount"] > 0:
            given[row["counterparty"], row["user_id"]] += row["amount"]
    return given


@seeds
def test_transfers_by_pair_and_ring(seed: int) -> None:
    raw = Raw(seed)
    given, pairs = _given(raw), raw.metric("transfer_pairs")
    assert len(pairs) == len({frozenset(pair) for pair in given})
    ties = []
    for row in pairs:
        forth = given[row["user_id"], row["counterparty"]]
        back = given[row["counterparty"], row["user_id"]]
        assert (row["given"], row["given_back"], row["net"]) == (forth, back, forth - back)
        assert row["one_way_share"] == (forth - back) / (forth + back) >= 0
        if row["one_way_share"] >= 0.9:
            ties.append((row["user_id"], row["counterparty"], row["net"]))
    rings = _rings(ties)
    found = [
        (row["players"], row["givers"], row["net"], row["largest_taken"])
        for row in raw.metric("transfer_rings")
    ]
    assert sorted(found) == sorted(rings)


def _rings(ties: list[tuple[str, str, int]]) -> list[tuple[int, int, int, int]]:
    """Players, givers, net and the most that one took, of everybody who is tied together."""
    groups: list[set[str]] = []
    for giver, taker, _ in ties:
        joined = {giver, taker}.union(*(group for group in groups if group & {giver, taker}))
        groups = [group for group in groups if not group & joined] + [joined]
    rings = []
    for group in groups:
        taken = Counter[str]()
        for giver, taker, net in ties:
            if giver in group:
                taken[taker] += net
        if len(group) > 2:
            rings.append((len(group), len(group - {*taken}), taken.total(), max(taken.values())))
    return rings


@seeds
def test_days_unlike_those_before(seed: int) -> None:
    raw, amounts = Raw(seed), Counter[tuple[str, date]]()
    for day, row in raw.moved(FAUCET, *SINKS):
        direction = "faucet" if row["kind"] == FAUCET else "sink"
        amounts[f"{direction}_{row['kind']}", day] += abs(row["amount"])
    for row in raw.metric("alarms"):
        value = {day: _number(raw, amounts, row["number"], day) for day in raw.days}
        before = [value[day] for day in raw.days if day < row["day"]]
        known = [one for one in before if one is not None]
        assert row["value"] == pytest.approx(value[row["day"]])
        if len(known) < 7:
            assert (row["trailing_mean"], row["alarm"]) == (None, False)
            continue
        mean, spread = statistics.fmean(known), statistics.stdev(known)
        assert row["trailing_mean"] == pytest.approx(mean)
        assert row["trailing_deviation"] == pytest.approx(spread)
        if row["score"] is not None:
            assert row["score"] == pytest.approx((row["value"] - mean) / spread)
            assert row["alarm"] == (abs(row["score"]) >= 3)


def _number(raw: Raw, amounts: Counter[tuple[str, date]], number: str, day: date) -> float | None:
    active = len(raw.active[day])
    if number == "active_players":
        return float(active)
    return amounts[number, day] / active if active else None


@seeds
def test_retention_by_the_week_of_arrival(seed: int) -> None:
    raw = Raw(seed)
    due: Counter[tuple[date, int]] = Counter()
    there: Counter[tuple[date, int]] = Counter()
    for user, arrival in raw.arrival.items():
        monday = arrival - timedelta(days=arrival.weekday())
        for week in range(((raw.days[-1] - arrival).days + 1) // 7):
            days = [arrival + timedelta(days=7 * week + number) for number in range(7)]
            due[monday, week] += 1
            there[monday, week] += any(user in raw.active[day] for day in days)
    found = {(row["cohort_week"], row["age_weeks"]): row for row in raw.metric("cohort_retention")}
    assert {key: row["players"] for key, row in found.items()} == dict(due)
    assert {key: row["active"] for key, row in found.items()} == {key: there[key] for key in due}


@seeds
def test_days_around_a_change_of_price(seed: int) -> None:
    raw = Raw(seed)
    rows = raw.metric("price_events")
    assert len(rows) == len(PRICES) * len(raw.days)
    for row in rows:
        sold = [
            mine
            for day, mine in raw.moved("purchase")
            if day == row["day"] and mine["item_id"] == row["item_id"]
        ]
        assert (row["changed"], row["old_price_gold"], row["new_price_gold"]) == (
            CHANGED,
            *PRICES[row["item_id"]],
        )
        assert row["days_after"] == (row["day"] - CHANGED).days
        assert row["units"] == sum(mine["quantity"] for mine in sold)
        assert row["revenue_gold"] == -sum(mine["amount"] for mine in sold)
        assert row["buyers"] == len({mine["user_id"] for mine in sold})
        assert row["active_players"] == len(raw.active[row["day"]])
