"""What the replications of a scenario say together: a number, its interval, and of how many runs it is.

Three things are never mixed up: a value beyond the horizon is infinite, a value that a run does not have is
None, and a zero is 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import polars as pl

from kokoromichi.analysis.statistics import mean_interval, median_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

MEDIANS: Final = frozenset({"wait_days", "earned_days", "first_days"})
"""The columns that may lie beyond the horizon: their runs are summed up by the median, which infinity enters
as any other value. All others by the mean."""

LOW_QUANTILE: Final = 0.1
HIGH_QUANTILE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Estimate:
    """One number of several replications.

    Attributes:
        statistic: Which one, of the runs that have a value.
        value: It; infinite beyond the horizon, None where no run has a value.
        low: Lower end of its interval, never below what is possible; None where the runs do not tell.
        high: Upper end.
        p10: A tenth of the runs lie below, interpolated; None where no run has a value.
        p90: A tenth of the runs lie above.
        runs: How many have a value.
        of: How many there are.
    """

    statistic: Literal["mean", "median"]
    value: float | None
    low: float | None
    high: float | None
    p10: float | None
    p90: float | None
    runs: int
    of: int

    @property
    def scarce(self) -> bool:
        """Whether fewer than half of the runs have a value, so that it stands for few of them."""
        return 2 * self.runs < self.of

    @property
    def counted(self) -> str:
        """Of how many runs it is, where that is not all: ``3 of 8 runs``."""
        return "" if self.runs == self.of else f"{self.runs:,} of {self.of:,} runs"


def estimate(
    values: Sequence[float | None],
    column: str = "",
    possible: tuple[float, float] = (-math.inf, math.inf),
    confidence: float = 0.95,
) -> Estimate:
    """Sum up a number over replications.

    Args:
        values: One per replication; None where it has none.
        column: Its name; those in ``MEDIANS`` are summed up by their median.
        possible: Between which values it can lie. An interval is cut there, which takes nothing from the
            probability that it covers the truth.
        confidence: Of the interval, above 0 and below 1.
    """
    known = [float(value) for value in values if value is not None]
    series = pl.Series(known, dtype=pl.Float64)
    ends = _ends(known, column, possible, confidence)
    return Estimate(
        statistic="median" if column in MEDIANS else "mean",
        value=_float(series.median() if column in MEDIANS else series.mean()),
        low=ends[0],
        high=ends[1],
        p10=_float(series.quantile(LOW_QUANTILE, "linear")),
        p90=_float(series.quantile(HIGH_QUANTILE, "linear")),
        runs=len(known),
        of=len(values),
    )


def _ends(
    known: Sequence[float], column: str, possible: tuple[float, float], confidence: float
) -> tuple[float | None, float | None]:
    if len(set(known)) <= 1:  # Runs that all say the same do not tell how far another one may lie.
        return None, None
    if column in MEDIANS:
        return median_interval(known, confidence) or (None, None)
    found = mean_interval(known, confidence)
    return max(found.low, possible[0]), min(found.high, possible[1])


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
