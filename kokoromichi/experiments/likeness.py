"""A real economy held against simulated runs of it: reality is one run, inside or outside of their range."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.live import Live
from kokoromichi.analysis.metrics.by_day import days
from kokoromichi.analysis.metrics.headline import headline
from kokoromichi.analysis.statistics import student_t
from kokoromichi.analysis.tables import Table
from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.measures import MEASURES
from kokoromichi.simulation.run import Run

if TYPE_CHECKING:
    from kokoromichi.experiments.measures import Measure
    from kokoromichi.experiments.plots import LikenessPlots
    from kokoromichi.experiments.seed_runs import Numbers

INSIDE: Final = "inside"
ABOVE: Final = "outside, above"
BELOW: Final = "outside, below"
NO_VALUE: Final = "no value"
_FEWEST_RUNS: Final = 5
"""Runs with a number below which their range says nothing."""


@dataclass(frozen=True, eq=False)
class Likeness:
    """One real economy against the runs of a simulation.

    Attributes:
        live: The headline of the real one.
        runs: Those of the replications, a row each.
        confidence: With which one more run would lie in the range.
    """

    live: Numbers
    runs: pl.DataFrame
    confidence: float

    def table(self) -> pl.DataFrame:
        """Every number of the headline.

        Returns:
            One row per number.

            - ``metric``, ``title``, ``unit`` (String).
            - ``live`` (Float64): of the real economy.
            - ``mean``, ``low``, ``high`` (Float64): of the simulated runs, and the range in which one more
              would lie; where a wait is infinite in one, the least and the most of them.
            - ``runs`` (Int64): that have the number.
            - ``verdict`` (String): inside; outside, above; outside, below; no value.
            - ``assumed`` (Boolean): the players' model assumes the number rather than predicts it.
        """
        rows = [self._row(name, measure) for name, measure in MEASURES.items()]
        text = dict.fromkeys(["metric", "title", "unit"], pl.String())
        floats = dict.fromkeys(["live", "mean", "low", "high"], pl.Float64())
        rest = {"runs": pl.Int64(), "verdict": pl.String(), "assumed": pl.Boolean()}
        return Table(rows, {**text, **floats, **rest}, orient="row")

    @property
    def outside(self) -> tuple[str, ...]:
        """The numbers in which reality lies outside of what was simulated."""
        return tuple(self.table().filter(pl.col("verdict").is_in([ABOVE, BELOW]))["metric"])

    @property
    def plot(self) -> LikenessPlots:
        """Charts: ``ranges()``."""
        from kokoromichi.experiments.plots import LikenessPlots  # noqa: PLC0415 - matplotlib is slow

        return LikenessPlots(self)

    def _row(self, name: str, measure: Measure) -> tuple[object, ...]:
        found = self.runs[name].drop_nulls().cast(pl.Float64).to_list()
        here = self.live[name]
        mean, low, high = self._range(found, measure)
        verdict = NO_VALUE
        if here is not None and low is not None and high is not None:
            verdict = ABOVE if here > high else BELOW if here < low else INSIDE
        return name, measure.title, measure.unit, here, mean, low, high, len(found), verdict, measure.assumed

    def _range(
        self, values: list[float], measure: Measure
    ) -> tuple[float | None, float | None, float | None]:
        """Mean, and where one more run would lie: Student's t for a single further draw."""
        if len(values) < _FEWEST_RUNS:
            return None, None, None
        if not all(map(math.isfinite, values)):
            return None, min(values), max(values)
        series = pl.Series(values)
        mean, spread = float(series.mean()), float(series.std() or 0.0)  # type: ignore[arg-type]  # numbers
        reach = student_t(self.confidence, len(values) - 1) * spread * math.sqrt(1 + 1 / len(values))
        least, most = measure.possible
        return mean, max(mean - reach, least), min(mean + reach, most)

    def __repr__(self) -> str:
        """In how many numbers reality lies inside."""
        judged = self.table().filter(pl.col("verdict") != NO_VALUE).height
        inside = judged - len(self.outside)
        beyond = f"; outside: {', '.join(self.outside)}" if self.outside else ""
        return f"<Likeness: {inside} of {judged} numbers inside the simulated range{beyond}>"

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def likeness(live: object, run: object, confidence: float = 0.95) -> Likeness:
    """Hold a real economy against the runs of a simulation of it.

    Raises:
        MisuseError: They are none, the run has too few replications, or other days than were observed.
    """
    if not isinstance(live, Live):
        raise MisuseError("compare takes a scenario and others by name, or a live economy and a run of it")
    if not isinstance(run, Run):
        raise MisuseError(
            f"a live economy is held against a run, not {run!r:.60}: km.compare(live, km.simulate(base))"
        )
    observed, simulated = days(live.observations).collect().height, int(run.manifest["days"])
    if observed != simulated:
        raise MisuseError(
            f"{observed} days were observed and {simulated} simulated: load the scenario with days={observed}"
        )
    runs = run.headlines.drop("replication")
    if runs.height < _FEWEST_RUNS:
        raise MisuseError(f"{runs.height} runs have no range: simulate {_FEWEST_RUNS} replications or more")
    numbers = headline(live.observations, run.warm_up_days).row(0, named=True)
    return Likeness(numbers, runs, confidence)
