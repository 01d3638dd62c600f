"""The statistics that metrics and comparisons share: few, small, tested against scipy and lifelines."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kokoromichi.core.errors import MisuseError

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats: TypeAlias = NDArray[np.float64]

_HALVINGS = 80
_TIE = 1e-12


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over replications and its Student-t interval.

    Attributes:
        mean: Mean of the replications, in their unit.
        low: Lower end, in the same unit; minus infinity for a single replication, which says nothing of the
            spread.
        high: Upper end; infinity for a single replication.
        confidence: Probability that such an interval covers the true mean, 0 to 1.
        count: Replications.
    """

    mean: float
    low: float
    high: float
    confidence: float
    count: int


def mean_interval(values: ArrayLike, confidence: float = 0.95) -> Interval:
    """Mean and Student-t interval of independent replications.

    Args:
        values: One number per replication, finite.
        confidence: Probability of covering the mean, above 0 and below 1.

    Raises:
        MisuseError: There is no replication, or one of them is not finite.
    """
    sample = _finite(values)
    if sample.size == 0:
        raise MisuseError("an interval needs at least one replication")
    mean = float(sample.mean())
    if sample.size == 1:
        return Interval(mean, -math.inf, math.inf, confidence, 1)
    margin = student_t(confidence, sample.size - 1) * float(sample.std(ddof=1)) / math.sqrt(sample.size)
    return Interval(mean, mean - margin, mean + margin, confidence, int(sample.size))


def paired_interval(base: Sequence[float], other: Sequence[float], confidence: float = 0.95) -> Interval:
    """Interval of the mean difference ``other - base`` of replications paired by seed.

    Args:
        base: One number per replication.
        other: The same replications, in the same order, under the other scenario.
        confidence: Probability of covering the mean difference, above 0 and below 1.

    Raises:
        MisuseError: The two do not have the same number of replications, or none, or one is not finite.
    """
    before, after = _finite(base), _finite(other)
    if before.size != after.size:
        raise MisuseError(
            f"pairs need as many replications on both sides, not {before.size} and {after.size}"
        )
    return mean_interval(after - before, confidence)


def median_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float] | None:
    """The interval of a median between two of the values: exact for every distribution, infinity a value.

    The k-th smallest and the k-th largest of n hold the median between them unless fewer than k of the values
    fall on one side of it, which is a binomial probability.

    Args:
        values: One number per replication; infinity is one beyond everything that was seen.
        confidence: Least probability of covering the median, above 0 and below 1.

    Returns:
        Its two ends; None where there are too few values to be that sure (fewer than six for 95 %).
    """
    count = len(values)
    tails = np.cumsum([math.comb(count, fewer) for fewer in range(count)]) / 2**count
    outside = int(np.searchsorted(tails, (1 - confidence) / 2, side="right"))
    if outside == 0:
        return None
    ordered = sorted(values)
    return ordered[outside - 1], ordered[-outside]


@cache
def student_t(confidence: float, degrees: int) -> float:
    """The t with P(-t < T < t) = confidence, for T with a Student distribution.

    Inverts by halving the finite series of Abramowitz and Stegun, 26.7.3 and 26.7.4, which is exact for whole
    degrees of freedom.

    Args:
        confidence: Above 0 and below 1.
        degrees: Degrees of freedom, at least 1.

    Raises:
        MisuseError: An argument is out of its range.
    """
    if not 0 < confidence < 1 or degrees < 1:
        raise MisuseError(
            f"student_t needs a confidence in (0, 1) and degrees >= 1, not {confidence} and {degrees}"
        )
    low, high = 0.0, math.pi / 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _central_probability(middle, degrees) < confidence else (low, middle)
    return math.sqrt(degrees) * math.tan((low + high) / 2)


def student_p(t: float, degrees: int) -> float:
    """The two-sided p-value of a t: P(abs(T) >= abs(t)), for T with a Student distribution.

    Args:
        t: The statistic, in standard errors.
        degrees: Degrees of freedom, at least 1.
    """
    return max(0.0, 1 - _central_probability(math.atan(abs(t) / math.sqrt(degrees)), degrees))


def _central_probability(angle: float, degrees: int) -> float:
    """P(|T| < sqrt(degrees) tan(angle))."""
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = degrees % 2
    # The series runs 1, 1/2 cos^2, (1 3)/(2 4) cos^4 ... when even, and cos times 1, 2/3 cos^2 ... when odd.
    steps = np.arange(1, (degrees - odd) // 2, dtype=np.float64)
    ratios = (2 * steps - 1 + odd) / (2 * steps + odd) * cosine**2
    series = 1 + float(np.cumprod(ratios).sum())
    if odd:
        return 2 / math.pi * (angle + (sine * cosine * series if degrees > 1 else 0.0))
    return sine * series


@dataclass(frozen=True, slots=True)
class KaplanMeier:
    """The Kaplan-Meier estimate of how long something takes, some of it not seen to its end.

    Attributes:
        times: Distinct durations, ascending.
        survival: Estimated share that takes longer than each of ``times``.
        at_risk: Still waiting just before each of ``times``.
        events: Ended at each of ``times``.
    """

    times: Floats
    survival: Floats
    at_risk: NDArray[np.int64]
    events: NDArray[np.int64]

    @property
    def median(self) -> float | None:
        """The first duration by which half have ended; infinity when fewer than half do, None of nobody."""
        if not self.survival.size:
            return None
        reached = np.flatnonzero(self.survival <= 0.5 + _TIE)
        return float(self.times[reached[0]]) if reached.size else math.inf

    @property
    def grouped_median(self) -> float | None:
        """The median of durations counted in whole units, interpolated within its unit.

        Those who end at a duration are taken to end evenly within half a unit on either side, as
        ``statistics.median_grouped`` takes them, and never below 0: without it the medians of two runs
        differ by whole units or not at all. Infinity and None as for ``median``.
        """
        middle = self.median
        if middle is None or math.isinf(middle):
            return middle
        place = int(np.searchsorted(self.times, middle))
        before = float(self.survival[place - 1]) if place else 1.0
        return max(0.0, middle - 0.5 + (before - 0.5) / (before - float(self.survival[place])))

    def restricted_mean(self, horizon: float) -> float | None:
        """Mean of the shorter of each duration and a horizon: the area under the curve up to there.

        Unlike the median it has a value when fewer than half end (Irwin 1949; Royston and Parmar 2013).

        Args:
            horizon: In the unit of the durations, at least 0.

        Returns:
            In the unit of the durations; None of an empty sample.
        """
        if not self.times.size:
            return None
        ends = np.minimum(np.concatenate([self.times, [horizon]]), horizon)
        steps = np.diff(np.concatenate([[0.0], ends]))
        return float((steps * np.concatenate([[1.0], self.survival])).sum())

    @property
    def never_share(self) -> float | None:
        """The share still waiting after the longest duration seen, 0 to 1; None of an empty sample."""
        return float(self.survival[-1]) if self.survival.size else None


def kaplan_meier(durations: ArrayLike, ended: ArrayLike) -> KaplanMeier:
    """Estimate survival from durations of which some are censored.

    Kaplan and Meier (1958); at one duration, ends come before censorings.

    Args:
        durations: One per case, at least 0, in any unit.
        ended: One per case: True where the end was seen, False where the case was censored.

    Raises:
        MisuseError: A duration is negative or not finite, or the two differ in length.
    """
    lasted, observations = _finite(durations), np.asarray(ended, dtype=bool)
    if lasted.shape != observations.shape or (lasted < 0).any():
        raise MisuseError("kaplan_meier needs one flag a duration, and durations of at least 0")
    times, place, cases = np.unique(lasted, return_inverse=True, return_counts=True)
    events = np.bincount(place[observations], minlength=times.size).astype(np.int64)
    at_risk = cases[::-1].cumsum()[::-1].astype(np.int64)
    survival: Floats = np.cumprod(1 - events / at_risk, dtype=np.float64)
    return KaplanMeier(times, survival, at_risk, events)


def gini(values: ArrayLike) -> float:
    """The Gini coefficient: 0 when all own the same, towards 1 when one owns everything.

    Sorted ascending, ``2 sum(i x_i) / (n sum(x)) - (n + 1) / n``; 0 when nobody owns anything.

    Args:
        values: What each owns, at least 0, in any unit.

    Raises:
        MisuseError: A value is negative or not finite.
    """
    owned = _owned(values)
    total = float(owned.sum())
    if total == 0:
        return 0.0
    ranks = np.arange(1, owned.size + 1)
    return float(2 * (ranks * owned).sum() / (owned.size * total) - (owned.size + 1) / owned.size)


def lorenz(values: ArrayLike) -> tuple[Floats, Floats]:
    """The Lorenz curve: share of the poorest, and the share of everything that they own.

    Args:
        values: What each owns, at least 0, in any unit.

    Returns:
        Two arrays of n + 1 shares from 0 to 1: of people, poorest first, and of what they own. When nobody
        owns anything, all own the same: the diagonal. Both are empty for no values.

    Raises:
        MisuseError: A value is negative or not finite.
    """
    owned = _owned(values)
    if owned.size == 0:
        return np.empty(0), np.empty(0)
    people = np.arange(owned.size + 1) / owned.size
    running = np.concatenate([[0.0], owned.cumsum()])
    return people, (running / running[-1] if running[-1] > 0 else people)


def top_share(values: ArrayLike, richest_share: float) -> float:
    """Share of everything that the richest own.

    Where the share of the people is no whole number, the last one counts by the fraction: 10 % of 25 people
    are the two richest and half of the third. This reads the Lorenz curve between its points. 0 of nobody.

    Args:
        values: What each owns, at least 0, in any unit.
        richest_share: Which share of the people, 0 to 1.

    Raises:
        MisuseError: A value is negative or not finite.
    """
    people, owned = lorenz(values)
    if people.size == 0:
        return 0.0
    return 1 - float(np.interp(1 - richest_share, people, owned))


def _finite(values: ArrayLike) -> Floats:
    array = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if not np.isfinite(array).all():
        raise MisuseError("a value is missing or not finite; leave such replications out and say how many")
    return array


def _owned(values: ArrayLike) -> Floats:
    array = np.sort(_finite(values))
    if array.size and array[0] < 0:
        raise MisuseError("a value is negative: nobody can own less than nothing, so run the audit first")
    return array
