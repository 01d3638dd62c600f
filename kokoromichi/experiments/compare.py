"""What a change does, and how surely: scenarios under common random numbers, held against a base."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.measures import MEASURES, Measure, item_measures, require_measures
from kokoromichi.experiments.pairs import Difference, difference, holm, pairing_gain, pairs_needed
from kokoromichi.experiments.seed_runs import SeedRun, choose_engine, play_all
from kokoromichi.simulation import engines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from kokoromichi.experiments.plots import ComparisonPlots
    from kokoromichi.experiments.seed_runs import Measured
    from kokoromichi.simulation.scenario import Scenario

BASE: Final = "base"
NEGLIGIBLE_SHARE: Final = 0.005
"""A change whose interval lies within so much of the base, on either side, is too small to matter."""
CERTAIN: Final = "certain"
NEGLIGIBLE: Final = "negligible"
NOT_VISIBLE: Final = "not visible"
IDENTICAL: Final = "identical"
_ROUND: Final = 4
"""Runs added at once where a precision is asked for."""

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
        """What the pairs say, by scenario and number; nothing where no seed has the number under both."""
        step = {metric: measure.smallest_step(self.base.players) for metric, measure in self.measures.items()}
        return {
            (scenario, metric): difference(*pairs, step=step[metric], confidence=self.asked.confidence)
            for scenario in self.others
            for metric in self.measures
            if (pairs := self.pairs(scenario, metric))[0]
        }

    @cached_property
    def _table(self) -> pl.DataFrame:
        rows = [row for name in self.others for row in self._rows(name)]
        return pl.DataFrame(rows, _TABLE_SCHEMA, orient="row")

    def table(self) -> pl.DataFrame:
        """Every number of every scenario against the base.

        Returns:
            One row per scenario and number, those of the changed items first.

            - ``scenario``, ``metric``, ``title``, ``unit`` (String).
            - ``before``, ``after``, ``change`` (Float64): means over the pairs, in the unit.
            - ``low``, ``high`` (Float64): the change's interval; null where no pair differed and the number
              has no smallest step, and for numbers that are shown and not tested.
            - ``change_share`` (Float64): change / before; null where that is 0.
            - ``pairs`` (Int64): seeds under which both have the number, of ``runs`` (Int64).
            - ``p_value`` (Float64): two-sided; Holm's over all numbers but the primary one.
            - ``smallest_visible`` (Float64): the effect that as many pairs show in 80 % of comparisons.
            - ``gain``, ``gain_low``, ``gain_high`` (Float64): by how much common seeds cut the variance.
            - ``verdict`` (String): certain, negligible, identical, not visible, needs n more; null untested.
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

    def _rows(self, scenario: str) -> Iterator[tuple[object, ...]]:
        found = {metric: apart for (name, metric), apart in self.differences.items() if name == scenario}
        p_values = self._p_values(found)
        runs = self.runs.filter(pl.col("scenario") == scenario).height
        for metric, measure in self.measures.items():
            head = (scenario, metric, measure.title, measure.unit)
            if metric not in found:
                yield (*head, *[None] * 6, 0, runs, *[None] * 6, measure.assumed)
                continue
            apart = found[metric]
            gain = pairing_gain(*self.pairs(scenario, metric), self.asked.confidence)
            p_value = p_values.get(metric)
            low, high = _possible(apart, measure) if measure.tested else (None, None)
            yield (
                *head,
                apart.before,
                apart.after,
                apart.change,
                low,
                high,
                apart.change / abs(apart.before) if apart.before else None,
                apart.pairs,
                runs,
                p_value,
                apart.smallest_visible if measure.tested else None,
                gain.gain,
                gain.low,
                gain.high,
                None if p_value is None else self._verdict(metric, measure, apart, p_value),
                measure.assumed,
            )

    def _p_values(self, found: Mapping[str, Difference]) -> dict[str, float]:
        """The primary number's own, and Holm's for the rest."""
        tested = {metric: apart.p_value for metric, apart in found.items() if self.measures[metric].tested}
        first = {self.asked.primary: tested.pop(self.asked.primary)} if self.asked.primary in tested else {}
        return {**first, **holm(tested)}

    def _verdict(self, metric: str, measure: Measure, apart: Difference, p_value: float) -> str:
        if apart.changed == 0:
            return IDENTICAL
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

    def report(self, path: str | Path = "decision.html") -> Path:
        """Write what changes, for whom and how surely as one HTML file, and answer its path."""
        from kokoromichi.experiments.decision import write_decision  # noqa: PLC0415 - matplotlib is slow

        return write_decision(path, self)

    def __repr__(self) -> str:
        """The scenarios and how often they were played."""
        runs = self.runs.filter(pl.col("scenario") == BASE).height
        return f"<Comparison of {', '.join(self.others)} with {self.base.name}, {runs} pairs>"

    def _repr_html_(self) -> str:
        from kokoromichi.experiments.decision import table_html  # noqa: PLC0415 - jinja2 is slow

        return table_html(self)


def _possible(apart: Difference, measure: Measure) -> tuple[float | None, float | None]:
    """The interval without what would lead the number beyond its bounds."""
    if apart.low is None or apart.high is None:
        return None, None
    return max(apart.low, measure.low - apart.before), min(apart.high, measure.high - apart.before)


def runs_missing(apart: Difference, measure: Measure, precision: float | None) -> int:
    """How many more pairs the precision asked for would take; 0 where it is met, or none was asked for."""
    half = apart.half_width
    if precision is None or half is None:
        return 0
    wanted = precision if measure.absolute is not None else precision * abs(apart.before)
    return 0 if half <= wanted or wanted == 0 else pairs_needed(half, wanted, apart.pairs) - apart.pairs


def changed_items(base: Scenario, others: Sequence[Scenario]) -> tuple[str, ...]:
    """The items that a scenario sells otherwise than the base, in catalogue order.

    Their numbers differ, or their scheduled prices do.
    """
    changed = {item for other in others for item in _differing(base, other)}
    catalogues = [base, *others]
    order = dict.fromkeys(item.id for scenario in catalogues for item in scenario.economy.catalogue)
    return tuple(item for item in order if item in changed)


def _differing(base: Scenario, other: Scenario) -> Iterator[str]:
    old, new = base.economy.config.store, other.economy.config.store
    yield from (item for item in {*old, *new} if old.get(item) != new.get(item))
    for change in {*base.changes} ^ {*other.changes}:
        for item in (*base.economy.catalogue, *other.economy.catalogue):
            if item.id in change.items or item.category in change.categories:
                yield item.id


def compare(  # noqa: PLR0913 - a designer names what they ask for
    base: Scenario,
    others: Mapping[str, Scenario],
    *,
    precision: Mapping[str, float] | None = None,
    primary: str = "supply_gold",
    replications: int = 20,
    most_replications: int = 60,
    confidence: float = 0.95,
    seed: int = 1,
    workers: str = "serial",
    engine: str = engines.AUTO,
    on_done: Callable[[SeedRun], None] | None = None,
    on_step: Callable[[str], None] | None = None,
) -> Comparison:
    """Hold scenarios against a base under common random numbers: the same players, until the change is felt.

    Args:
        base: What is in force.
        others: What might be, by names for the table; players and days must be the base's.
        precision: Half-widths wanted, such as ``{"supply_gold": 0.02}``: shares of the base's mean, gold for
            the net flow. Runs are added until they are met, up to ``most_replications``.
        primary: The number that the comparison is about.
        replications: Runs of each scenario, at least 2.
        most_replications: Where runs stop being added.
        confidence: Of the intervals, above 0 and below 1.
        seed: Run n of every scenario shares its chance with run n of the others.
        workers: ``serial``, ``process`` or ``process:N``.
        engine: As in ``simulate``.
        on_done: Called with each run that is done.
        on_step: Called with what is done before the first one, where that takes a while.

    Returns:
        The comparison: ``table()``, ``plot.forest()``, ``report()``.

    Raises:
        MisuseError: Scenarios do not fit one another, or an option is out of its range.
        UnsoundRunError: A run breaks a law of the ledger.
    """
    _require_comparable(base, others, replications, most_replications)
    items = changed_items(base, list(others.values()))
    measures = {**item_measures(items), **MEASURES}
    require_measures([primary, *(precision or {})], measures, "compare")
    arms = {BASE: base, **others}
    chosen = choose_engine(engine, list(arms.values()), replications)
    engines.compile_once(base, chosen, on_step or (lambda _what: None))
    found: dict[tuple[str, int], Measured] = {}
    asked = Asked(seed, primary, precision or {}, confidence, str(chosen))
    done, wanted = 0, replications
    while True:
        runs = [
            SeedRun(name, arm, seed, number, items, chosen.name)
            for number in range(done, wanted)
            for name, arm in arms.items()
        ]
        found.update(
            ((run.name, run.replication), measured)
            for run, measured in play_all(runs, workers, on_done or (lambda _run: None))
        )
        comparison = _comparison(base, others, asked, measures, found)
        done = wanted
        wanted = min(done + _ROUND, most_replications)
        if done >= most_replications or not _lacks_precision(comparison):
            return comparison


def _require_comparable(base: Scenario, others: Mapping[str, Scenario], least: int, most: int) -> None:
    if not others:
        raise MisuseError('compare needs scenarios by name, such as {"potion +20 %": base.scaled(...)}')
    if BASE in others:
        raise MisuseError(f"the name {BASE!r} is the base's own; give the scenario another one")
    if not 2 <= least <= most:  # noqa: PLR2004 - one pair has no spread
        raise MisuseError(f"replications is {least}; use 2 to most_replications, which is {most}")
    for name, other in others.items():
        if (other.players, other.days, other.start) != (base.players, base.days, base.start):
            message = (
                f"{name!r} has {other.players} players and {other.days} days from {other.start}, the base "
                f"{base.players} and {base.days} from {base.start}: give both the same"
            )
            raise MisuseError(message)


def _comparison(
    base: Scenario,
    others: Mapping[str, Scenario],
    asked: Asked,
    measures: Mapping[str, Measure],
    found: Mapping[tuple[str, int], Measured],
) -> Comparison:
    names = [BASE, *others]
    ordered = sorted(found.items(), key=lambda entry: (entry[0][1], names.index(entry[0][0])))
    keys = [{"scenario": name, "replication": number + 1} for (name, number), _ in ordered]
    numbers = {metric: pl.Float64() for metric in measures}
    schema: dict[str, Any] = {"scenario": pl.String(), "replication": pl.Int64(), **numbers}
    rows = [{**key, **run.numbers} for key, (_, run) in zip(keys, ordered, strict=True)]
    by_day = [
        run.by_day.select(*(pl.lit(value).alias(name) for name, value in key.items()), pl.all())
        for key, (_, run) in zip(keys, ordered, strict=True)
    ]
    return Comparison(base, others, asked, pl.DataFrame(rows, schema), pl.concat(by_day), measures)


def _lacks_precision(comparison: Comparison) -> bool:
    return any(
        runs_missing(apart, comparison.measures[metric], comparison.asked.precision.get(metric))
        for (_, metric), apart in comparison.differences.items()
    )
