"""Scenarios held against a base, pair by pair: their differences, and what may be said of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from kokoromichi.analysis.tables import Table
from kokoromichi.experiments.pairs import Difference, difference, holm, pairing_gain, pairs_needed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from kokoromichi.analysis.report import Report
    from kokoromichi.experiments.measures import Measure
    from kokoromichi.experiments.plots import ComparisonPlots
    from kokoromichi.simulation.scenario import Scenario

BASE: Final = "base"
NEGLIGIBLE_SHARE: Final = 0.005
"""A change whose interval lies within so much of the base, on either side, is too small to matter."""
CERTAIN: Final = "certain"
NEGLIGIBLE: Final = "negligible"
NOT_VISIBLE: Final = "not visible"
UNCHANGED: Final = "no pair differed"
"""What was seen, and no more: the interval beside it says how large a change may have gone unseen."""
SHOWN: Final = "shown, not tested"
NO_VALUE: Final = "no value"

_TABLE_SCHEMA: Final = {
    "scenario": pl.String(),
    "metric": pl.String(),
    "title": pl.String(),
    "unit": pl.String(),
    "before": pl.Float64(),
    "after": pl.Float64(),
    "change": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "change_share": pl.Float64(),
    "pairs": pl.Int64(),
    "runs": pl.Int64(),
    "p_value": pl.Float64(),
    "smallest_visible": pl.Float64(),
    "gain": pl.Float64(),
    "gain_low": pl.Float64(),
    "gain_high": pl.Float64(),
    "verdict": pl.String(),
    "assumed": pl.Boolean(),
}


class Asked(NamedTuple):
    """How a comparison was asked for.

    Attributes:
        seed: Of the first run; run n has the same chance under every scenario.
        primary: The number that the comparison is about; the others share one chance of misleading.
        precision: Half-widths wanted by number, as a share of the base's mean; absolute for the net flow.
        confidence: Of the intervals.
        engine: What played, and why.
    """

    seed: int
    primary: str
    precision: Mapping[str, float]
    confidence: float
    engine: str


@dataclass(frozen=True, eq=False)
class Comparison:
    """Scenarios against a base, paired by seed.

    Attributes:
        base: What the others are held against.
        others: The other scenarios by name.
        asked: How it was asked for.
        runs: One row per scenario (``base`` among them) and replication: ``scenario`` (String),
            ``replication`` (Int64, from 1), then a Float64 column a number, null where the run has none.
        by_day: One row per scenario, replication and ``day`` (Int64, from 0): gold ``supply_gold``,
            ``spent_gold``, ``net_gold`` and the units of each item changed (Int64).
        measures: What each number is, by name, those of the changed items first.
    """

    base: Scenario
    others: Mapping[str, Scenario]
    asked: Asked
    runs: pl.DataFrame
    by_day: pl.DataFrame
    measures: Mapping[str, Measure] = field(default_factory=dict)

    @cached_property
    def differences(self) -> dict[tuple[str, str], Difference]:
        """What the pairs say, by scenario and number; nothing where fewer than half of the seeds have it."""
        step = {metric: measure.smallest_step(self.base.players) for metric, measure in self.measures.items()}
        return {
            (scenario, metric): difference(*pairs, step=step[metric], confidence=self.asked.confidence)
            for scenario in self.others
            for metric, measure in self.measures.items()
            if measure.tested and 2 * len((pairs := self.pairs(scenario, metric))[0]) >= self._seeds
        }

    @property
    def _seeds(self) -> int:
        """How many runs each scenario has."""
        return self.runs.filter(pl.col("scenario") == BASE).height

    @cached_property
    def _table(self) -> pl.DataFrame:
        rows = [row for name in self.others for row in self._rows(name)]
        return Table(rows, _TABLE_SCHEMA)

    def table(self) -> pl.DataFrame:
        """Every number of every scenario against the base.

        Returns:
            One row per scenario and number, those of the changed items first.

            - ``scenario``, ``metric``, ``title``, ``unit`` (String).
            - ``before``, ``after``, ``change`` (Float64): means over the pairs, in the unit; of a number that
              is shown and not tested, medians over the runs that have it, infinite beyond the horizon.
            - ``low``, ``high`` (Float64): the change's interval; null where no pair differed and the number
              has no smallest step, and for numbers that are shown and not tested.
            - ``change_share`` (Float64): change / before; null where that is 0.
            - ``pairs`` (Int64): seeds under which both have the number, of ``runs`` (Int64).
            - ``p_value`` (Float64): two-sided; Holm's over all numbers but the primary one.
            - ``smallest_visible`` (Float64): the effect that as many pairs show in 80 % of comparisons.
            - ``gain``, ``gain_low``, ``gain_high`` (Float64): by how much common seeds cut the variance.
            - ``verdict`` (String): certain, negligible, no pair differed, not visible, needs n more; shown,
              not tested; no value, where fewer than half of the seeds have the number under both.
            - ``assumed`` (Boolean): the players' model assumes the number rather than predicts it.
        """
        return self._table

    def pairs(self, scenario: str, metric: str) -> tuple[list[float], list[float]]:
        """A number under the base and under a scenario, seed by seed, where both have it."""
        columns = ["replication", metric]
        old = self.runs.filter(pl.col("scenario") == BASE).select(columns)
        new = self.runs.filter(pl.col("scenario") == scenario).select(columns)
        both = old.join(new, on="replication", suffix="_after").drop_nulls().sort("replication")
        return both[metric].to_list(), both[f"{metric}_after"].to_list()

    def _rows(self, scenario: str) -> Iterator[dict[str, object]]:
        found = {metric: apart for (name, metric), apart in self.differences.items() if name == scenario}
        p_values = self._p_values(found)
        for metric, measure in self.measures.items():
            row: dict[str, object] = {
                "scenario": scenario,
                "metric": metric,
                "title": measure.title,
                "unit": measure.unit,
                "pairs": len(self.pairs(scenario, metric)[0]),
                "runs": self._seeds,
                "assumed": measure.assumed,
            }
            if not measure.tested:
                yield {**row, **self._shown(scenario, metric)}
            elif metric in found:
                yield {**row, **self._tested(scenario, metric, found[metric], p_values[metric])}
            else:
                yield {**row, "verdict": NO_VALUE}

    def _shown(self, scenario: str, metric: str) -> dict[str, object]:
        """Medians over the runs that have a value, infinity among them."""
        before, after = (
            self.runs.filter(pl.col("scenario") == name).select(pl.col(metric).median()).item()
            for name in (BASE, scenario)
        )
        known = all(value is not None and math.isfinite(value) for value in (before, after))
        change = after - before if known else None
        return {"before": before, "after": after, "change": change, "verdict": SHOWN}

    def _tested(self, scenario: str, metric: str, apart: Difference, p_value: float) -> dict[str, object]:
        measure = self.measures[metric]
        low, high = _possible(apart, measure)
        gain = pairing_gain(*self.pairs(scenario, metric), self.asked.confidence)
        return {
            "before": apart.before,
            "after": apart.after,
            "change": apart.change,
            "low": low,
            "high": high,
            "change_share": apart.change / abs(apart.before) if apart.before else None,
            "p_value": p_value,
            "smallest_visible": apart.smallest_visible,
            "gain": gain.gain,
            "gain_low": gain.low,
            "gain_high": gain.high,
            "verdict": self._verdict(metric, measure, apart, p_value),
        }

    def _p_values(self, found: Mapping[str, Difference]) -> dict[str, float]:
        """The primary number's own, and Holm's for the rest."""
        tested = {metric: apart.p_value for metric, apart in found.items() if self.measures[metric].tested}
        first = {self.asked.primary: tested.pop(self.asked.primary)} if self.asked.primary in tested else {}
        return {**first, **holm(tested)}

    def _verdict(self, metric: str, measure: Measure, apart: Difference, p_value: float) -> str:
        if apart.changed == 0:
            return UNCHANGED
        band = measure.absolute if measure.absolute is not None else NEGLIGIBLE_SHARE * abs(apart.before)
        if apart.low is None or apart.high is None:
            return NOT_VISIBLE
        if -band <= apart.low and apart.high <= band:
            return NEGLIGIBLE
        if p_value <= 1 - self.asked.confidence and not apart.low <= 0 <= apart.high:
            return CERTAIN
        more = runs_missing(apart, measure, self.asked.precision.get(metric))
        return f"needs {more:,} more" if more else NOT_VISIBLE

    @property
    def plot(self) -> ComparisonPlots:
        """Charts: ``forest()``, ``pairs(metric)`` and ``event(item, day)``."""
        from kokoromichi.experiments.plots import ComparisonPlots  # noqa: PLC0415 - matplotlib is slow

        return ComparisonPlots(self)

    def report(self, path: str | Path = "decision.html") -> Report:
        """Write what changes, for whom and how surely as one HTML file; a notebook shows a link to it."""
        from kokoromichi.experiments.decision import write_decision  # noqa: PLC0415 - matplotlib is slow

        return write_decision(path, self)

    def __repr__(self) -> str:
        """The scenarios and how often they were played."""
        return f"<Comparison of {', '.join(self.others)} with {self.base.name}, {self._seeds} pairs>"

    def _repr_html_(self) -> str:
        from kokoromichi.experiments.decision import table_html  # noqa: PLC0415 - jinja2 is slow

        return table_html(self)


def _possible(apart: Difference, measure: Measure) -> tuple[float | None, float | None]:
    """The interval without changes that no two values of the number could lie apart."""
    if apart.low is None or apart.high is None:
        return None, None
    widest = measure.possible[1] - measure.possible[0]
    return max(apart.low, -widest), min(apart.high, widest)


def runs_missing(apart: Difference, measure: Measure, precision: float | None) -> int:
    """How many more pairs the precision asked for would take; 0 where it is met, or none was asked for."""
    half = apart.half_width
    if precision is None or half is None:
        return 0
    wanted = precision if measure.absolute is not None else precision * abs(apart.before)
    return 0 if half <= wanted or wanted == 0 else pairs_needed(half, wanted, apart.pairs) - apart.pairs
