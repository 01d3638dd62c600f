"""The totals of a compiled replication: every metric of the headline, over a panel in the place of rows.

``analysis.metrics`` defines them; tests hold both equal.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import polars as pl

from kokoromichi.analysis import statistics
from kokoromichi.analysis.metrics import first_measured_day
from kokoromichi.analysis.metrics.by_day import OPENING, SPENDING, TRANSFERS
from kokoromichi.analysis.metrics.headline import WAIT_ARCHETYPE, WAIT_CATEGORY, WHOLE
from kokoromichi.analysis.metrics.retention import AGES_DAYS
from kokoromichi.analysis.metrics.supply import ACTIVE_WITHIN_DAYS
from kokoromichi.analysis.metrics.waits import RESTRICTED_DAYS
from kokoromichi.analysis.metrics.wealth import TOP_SHARES
from kokoromichi.core.providers.packed_ledger import KIND_CODES
from kokoromichi.simulation.compiled.compiling import alone
from kokoromichi.simulation.compiled.engine import CompiledEngine
from kokoromichi.simulation.compiled.fold import GONE, IS_DECISION, fold, new_panel
from kokoromichi.simulation.totals import DAYS_SCHEMA, Totals

if TYPE_CHECKING:
    from kokoromichi.simulation.compiled.columns import Columns
    from kokoromichi.simulation.compiled.fold import Panel
    from kokoromichi.simulation.scenario import Scenario

Numbers: TypeAlias = Any
"""An array."""
Headline: TypeAlias = dict[str, "float | int | None"]

_NEVER: Final = 1 << 30
_FLOWING: Final = [code for kind, code in KIND_CODES.items() if kind not in (OPENING, *TRANSFERS)]
_SPENDING: Final = [KIND_CODES[kind] for kind in SPENDING]
_OUT, _IN = 0, 1


def compiled_totals(scenario: Scenario, seed: int) -> Totals:
    """Play one replication, folding its columns as they fill."""
    panel, folded = new_panel(scenario.players, scenario.days), alone(fold)
    engine = CompiledEngine(scenario, seed)
    start_us = engine.start_us  # A cycle through ``engine`` would keep its columns until somebody collects.

    def take(columns: Columns, _economy_hash: str) -> None:
        folded(columns, start_us, IS_DECISION, panel)

    engine.play_days(take=take)
    return _Folded(scenario, engine, panel).totals()


class _Folded:
    """What a panel comes to."""

    def __init__(self, scenario: Scenario, engine: CompiledEngine, panel: Panel) -> None:
        self._scenario, self._panel = scenario, panel
        past_midnight = int(panel.seen[:, scenario.days].any() or panel.units_sold[scenario.days] > 0)
        self._days = scenario.days + past_midnight
        self._since = first_measured_day(scenario.days)
        archetypes = np.array(engine.participants.archetypes)
        names = [archetype.name for archetype in scenario.population.archetypes]
        self._waiting = archetypes == (names.index(WAIT_ARCHETYPE) if WAIT_ARCHETYPE in names else -1)
        moved, self._active = panel.moved[:, : self._days], panel.active[:, : self._days]
        days = np.arange(self._days)
        self._owners = moved.any(axis=1)
        self._moves_from = _first(moved)
        latest = np.maximum.accumulate(np.where(moved, days, 0), axis=1)
        self._closed = np.take_along_axis(panel.closed_gold, latest, axis=1)
        self._arrival = _first(panel.seen[:, : self._days])
        self._last_active = np.where(self._active, days, -1).max(axis=1)
        turned = panel.turned[:, : self._days]
        last_turn = np.maximum.accumulate(np.where(turned, days, -1), axis=1)
        self._away = (np.take_along_axis(turned, np.maximum(last_turn, 0), axis=1) == GONE) & (last_turn >= 0)
        self._records_leaving = bool((turned == GONE).any())
        stays = self._records_leaving & ~self._away[:, -1]
        left = np.where(self._last_active < 0, self._arrival, self._last_active)
        self._until = np.where(stays, self._days - 1, left)

    def totals(self) -> Totals:
        flows = self._panel.flows_gold[: self._days]
        supply = self._closed.sum(axis=0)
        entered, left = flows[:, _FLOWING, _IN].sum(axis=1), -flows[:, _FLOWING, _OUT].sum(axis=1)
        active = self._active.sum(axis=0, dtype=np.int64)
        start = self._scenario.start
        days = pl.DataFrame(
            {
                "day": [start + timedelta(days=day) for day in range(self._days)],
                "opening_gold": flows[:, KIND_CODES[OPENING]].sum(axis=1),
                "faucets_gold": entered,
                "sinks_gold": left,
                "active_players": active,
                "supply_gold": supply,
            },
            schema=DAYS_SCHEMA,
        )
        since = slice(self._since, None)
        faucets, sinks, player_days = (int(of[since].sum()) for of in (entered, left, active))
        spent = -int(flows[since, _SPENDING, _OUT].sum())
        went_through, refused = (int(acts) for acts in self._panel.acts[self._since : self._days].sum(axis=0))
        tried, mean_supply = went_through + refused, float(supply[since].mean())
        owned = self._closed[self._owners, -1]
        top_1, top_10 = (statistics.top_share(owned, part) if len(owned) else None for part in TOP_SHARES)
        numbers: Headline = {
            "sink_faucet_ratio": sinks / faucets if faucets else None,
            "net_flow_gold_per_active_player_day": (faucets - sinks) / player_days if player_days else None,
            "spent_gold": sinks,
            "units_sold": int(self._panel.units_sold[since].sum()),
            "supply_gold": int(supply[-1]) if len(owned) else None,
            "active_supply_gold": self._active_supply_gold() if len(owned) else None,
            "velocity_per_day": spent / (self._days - self._since) / mean_supply if mean_supply else None,
            "gini": statistics.gini(owned) if len(owned) else None,
            "top_1_share": top_1,
            "top_10_share": top_10,
            **self._waits(),
            **{f"retention_d{age}": self._retention(age) for age in AGES_DAYS},
            "acts_per_active_player_day": went_through / player_days if tried and player_days else None,
        }
        types = {name: pl.Int64() if name in WHOLE else pl.Float64() for name in numbers}
        return Totals(days, pl.DataFrame([numbers], schema=types))

    def _active_supply_gold(self) -> int:
        recent = self._last_active > self._days - 1 - ACTIVE_WITHIN_DAYS
        counted = self._owners & recent & (self._last_active >= self._moves_from)
        return int(self._closed[counted, -1].sum())

    def _waits(self) -> Headline:
        chests = [item.id for item in self._scenario.economy.catalogue if item.category == WAIT_CATEGORY]
        who = np.flatnonzero(self._waiting & self._owners)
        waits = self._lengths(chests[(len(chests) - 1) // 2], who) if chests else None
        if waits is None or not len(waits[0]):
            return {"wait_days": None, "mean_wait_days": None}
        estimate = statistics.kaplan_meier(*waits)
        mean = estimate.restricted_mean(RESTRICTED_DAYS)
        return {"wait_days": estimate.grouped_median, "mean_wait_days": mean}

    def _lengths(self, item_id: str, who: Numbers) -> tuple[Numbers, Numbers]:
        """How long players waited for an item's price, and whether the wait ended."""
        economies = [
            self._scenario.economy_on(min(day, self._scenario.days - 1)) for day in range(self._days)
        ]
        prices_gold = np.array([economy.config.store[item_id].price_gold for economy in economies])
        days, until = np.arange(self._days), self._until[who, None]
        affords = self._closed[who] >= prices_gold
        there = (days >= self._moves_from[who, None]) & (days <= until)
        below = _first(there & ~affords)
        before = np.pad(~affords, ((0, 0), (1, 0)))[:, : self._days]
        ended_at = _first(there & affords & before & (days > self._arrival[who, None]))
        at_risk, ended = below < _NEVER, ended_at < _NEVER
        return (np.where(ended, ended_at, until[:, 0]) - below)[at_risk], ended[at_risk]

    def _retention(self, age_days: int) -> float | None:
        day = self._arrival + age_days
        due = np.flatnonzero(day < self._days)
        if not len(due):
            return None
        if self._records_leaving:
            return float((~self._away[due, day[due] - 1]).sum() / len(due))
        return float((self._until[due] >= day[due]).sum() / len(due))


def _first(flags: Numbers) -> Numbers:
    """The first day that is flagged, by row; ``_NEVER`` where none is."""
    return np.where(flags.any(axis=1), flags.argmax(axis=1), _NEVER)
