"""The statistics of paired runs: two scenarios under the same seeds, and what may be said of them.

Which interval covers, and from how many pairs on, was measured on this economy: ADR 15.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kokoromichi.analysis.statistics import student_p, student_t
from kokoromichi.core.errors import MisuseError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Floats: TypeAlias = NDArray[np.float64]

FEWEST_CHANGED: Final = 5
"""With fewer pairs that differ at all, Student's t covers too seldom, and an exact floor is laid under it."""
POWER: Final = 0.8
"""Chance of seeing the smallest effect that is said to be visible."""
_ROUNDING: Final = 1e-18
_FEWEST_GAIN_PAIRS: Final = 3
"""A gain has an interval from so many pairs on."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What pairs say of one number.

    Attributes:
        before: Mean of the base, in the number's unit.
        after: Mean of the other scenario, over the same seeds.
        low: Lower end of the interval of ``after - before``; None where no pair differed and nothing is known
            of how large a difference would be.
        high: Upper end.
        pairs: Seeds under which both have the number.
        changed: Of these, those in which the two differ.
        p_value: Of "nothing changed", two-sided, 0 to 1.
        smallest_visible: The effect that as many pairs show with a chance of ``POWER``; None for one pair.
    """

    before: float
    after: float
    low: float | None
    high: float | None
    pairs: int
    changed: int
    p_value: float
    smallest_visible: float | None

    @property
    def change(self) -> float:
        """``after - before``."""
        return self.after - self.before

    @property
    def half_width(self) -> float | None:
        """Of the interval, in the number's unit."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


def difference(
    before: Sequence[float], after: Sequence[float], *, step: float, confidence: float
) -> Difference:
    """Read the mean difference of runs paired by seed.

    Student's t over the differences. Where fewer than ``FEWEST_CHANGED`` of n pairs differ, at least one more
    could have done so unseen: with confidence c the chance of a pair that differs is below
    ``1 - (1 - c)^(1 / n)``, and the half-width is no smaller than that times ``step``.

    Args:
        before: One number a seed under the base, finite.
        after: The same seeds under the other scenario.
        step: The smallest amount by which the number can differ in one run; 0 where it has none.
        confidence: Of the interval, above 0 and below 1.

    Raises:
        MisuseError: There is no pair, or the two differ in length.
    """
    old, new = np.asarray(before, np.float64), np.asarray(after, np.float64)
    if old.shape != new.shape or old.size == 0:
        raise MisuseError(
            f"pairs need as many runs on both sides and one at least, not {old.size} and {new.size}"
        )
    apart = new - old
    pairs, changed = int(apart.size), int(np.count_nonzero(apart))
    error = float(apart.std(ddof=1)) / math.sqrt(pairs) if pairs > 1 else math.inf
    floor = step * (1 - (1 - confidence) ** (1 / pairs)) if changed < FEWEST_CHANGED else 0.0
    half = max(student_t(confidence, pairs - 1) * error, floor) if pairs > 1 else math.inf
    known = half < math.inf and (half > 0 or changed >= FEWEST_CHANGED)
    mean = float(apart.mean())
    return Difference(
        before=float(old.mean()),
        after=float(new.mean()),
        low=mean - half if known else None,
        high=mean + half if known else None,
        pairs=pairs,
        changed=changed,
        p_value=_p_value(mean, error, pairs, changed),
        smallest_visible=_smallest_visible(half, error, pairs, confidence) if known else None,
    )


def _p_value(mean: float, error: float, pairs: int, changed: int) -> float:
    if pairs < 2 or mean == 0:  # noqa: PLR2004 - one pair has no spread
        return 1.0
    if changed < FEWEST_CHANGED:
        # Too few for t: only their signs speak, and fewer than five of them never reach 5 %.
        return min(1.0, 2 * 0.5**changed)
    return student_p(mean / error, pairs - 1) if error > 0 else 0.0


def _smallest_visible(half: float, error: float, pairs: int, confidence: float) -> float:
    return max(half, (student_t(confidence, pairs - 1) + student_t(2 * POWER - 1, pairs - 1)) * error)


@dataclass(frozen=True, slots=True)
class Gain:
    """By how much common random numbers narrow a comparison.

    Attributes:
        gain: Variance of the difference, had the seeds been others, over that of the pairs.
        low: Lower end of its interval; None with too few pairs, or where nothing varies.
        high: Upper end.
    """

    gain: float | None
    low: float | None = None
    high: float | None = None


def pairing_gain(before: Sequence[float], after: Sequence[float], confidence: float = 0.95) -> Gain:
    """Measure what pairing gained: (var(before) + var(after)) / var(after - before).

    The interval is a jackknife's over the logarithm, as for any ratio of variances (Miller 1974). Runs that
    are equal under every seed have no measurable gain.
    """
    old, new = np.asarray(before, np.float64), np.asarray(after, np.float64)
    if old.size < 2:  # noqa: PLR2004 - one pair has no spread
        return Gain(None)
    whole = _log_gain(old, new)
    if whole is None:
        return Gain(None)
    if old.size < _FEWEST_GAIN_PAIRS:
        return Gain(math.exp(whole))
    parts = [_log_gain(np.delete(old, place), np.delete(new, place)) for place in range(old.size)]
    if None in parts:
        return Gain(math.exp(whole))
    pseudo = old.size * whole - (old.size - 1) * np.array(parts, np.float64)
    margin = student_t(confidence, old.size - 1) * float(pseudo.std(ddof=1)) / math.sqrt(old.size)
    return Gain(math.exp(whole), math.exp(whole - margin), math.exp(whole + margin))


def _log_gain(old: Floats, new: Floats) -> float | None:
    apart, separate = float((new - old).var(ddof=1)), float(old.var(ddof=1) + new.var(ddof=1))
    # Below, what is left of the differences is rounding.
    return math.log(separate / apart) if apart > _ROUNDING * separate else None


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Adjust p-values so that all of them together mislead as seldom as one would (Holm 1979).

    Args:
        p_values: One for each number.

    Returns:
        The adjusted ones, in the same order: at most 1, and never smaller than a smaller one's.
    """
    adjusted, highest = {}, 0.0
    for place, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[name]))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}


def pairs_needed(half_width: float, wanted: float, pairs: int) -> int:
    """How many pairs would give a half-width, were the differences to scatter as they did so far."""
    return max(pairs, math.ceil(pairs * (half_width / wanted) ** 2))
