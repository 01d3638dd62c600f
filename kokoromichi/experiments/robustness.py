"""Players who are a little different, and how numbers do with them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from kokoromichi.analysis.tables import Table
from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.calibration import Calibration
from kokoromichi.experiments.trials import Trial
from kokoromichi.options import between, whole
from kokoromichi.simulation.archetypes import Archetype
from kokoromichi.simulation.population import Population
from kokoromichi.simulation.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kokoromichi.analysis.targets import Targets
    from kokoromichi.experiments.seed_runs import Numbers

_CONFIDENCE: Final = 0.95
_DRAWS: Final = 200
"""Of seeds, for the interval of a share."""
_FACTORS: Final = ("rate_per_day", "beta", "omega")
_LIKINGS: Final = tuple(name for name in Archetype.model_fields if name.startswith("asc_"))


def plausible(
    source: Scenario | Population | Calibration, count: int = 40, *, seed: int = 1, spread: float = 0.1
) -> list[Population]:
    """Draw populations that might be the true one.

    Args:
        source: A calibration, from whose covariance tastes are drawn; or a scenario or population, whose
            session rates and sensitivities to price and purse are multiplied, and whose likings are moved, by
            normal deviates archetype by archetype.
        count: How many.
        seed: Of the draws.
        spread: Of those deviates: 0.1 is a tenth of a rate or a sensitivity, and 0.1 utils.

    Raises:
        MisuseError: It is none of them, or a number is out of range.
    """
    count, seed = whole("count", count, 1, 100_000), whole("seed", seed, 0, 2**63 - 1)
    spread = between("spread", spread, 0, 2)
    dice = np.random.default_rng(seed)
    if isinstance(source, Calibration):
        return [source.drawn(dice) for _ in range(count)]
    population = source.population if isinstance(source, Scenario) else source
    if not isinstance(population, Population):
        raise MisuseError(f"plausible takes a scenario, a population or a calibration, not {source!r:.60}")
    return [_moved(population, dice, spread) for _ in range(count)]


def _moved(population: Population, dice: np.random.Generator, spread: float) -> Population:
    for archetype in population.archetypes:
        changes: dict[str, object] = {}
        for name in (*_FACTORS, *_LIKINGS):
            now, drawn = float(getattr(archetype, name)), spread * float(dice.standard_normal())
            changes[name] = _within(name, now * math.exp(drawn) if name in _FACTORS else now + drawn)
        population = population.with_archetype(archetype.name, changes)
    return population


@cache
def _ranges() -> Mapping[str, Mapping[str, float]]:
    """Of each field, ``minimum`` and ``maximum``."""
    found: Mapping[str, Mapping[str, float]] = Archetype.model_json_schema()["properties"]
    return found


def _within(name: str, value: float) -> float:
    """The value, or the end of what an archetype may have."""
    ends = _ranges()[name]
    return float(min(max(value, ends["minimum"]), ends["maximum"]))


@dataclass(frozen=True, eq=False)
class Robustness:
    """How numbers do with players who are a little different.

    Attributes:
        targets: What is wanted.
        runs: Of each population, what its runs showed, under common seeds.
    """

    targets: Targets
    runs: tuple[tuple[Numbers, ...], ...]

    @cached_property
    def populations(self) -> pl.DataFrame:
        """One row per population: each target (Float64), pooled over its runs, and ``met`` (Boolean)."""
        rows = []
        for runs in self.runs:
            pooled = Trial(0, (), runs).pooled()
            rows.append({**{name: pooled[name] for name in self.targets}, "met": self.targets.met(pooled)})
        return Table(rows, {**dict.fromkeys(self.targets, pl.Float64()), "met": pl.Boolean()})

    @property
    def share(self) -> float:
        """Share of the populations under which every target is met."""
        return float(self.populations["met"].sum()) / self.populations.height

    @cached_property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of that share, were all of them played under all seeds.

        The populations are a sample of those that there might be (Clopper and Pearson 1934), and the seeds
        that they share are one of chance, which moves all of them alike: seeds are drawn anew, so few at a
        time that their mean spreads as Student's t does, and the intervals of these draws are mixed.
        """
        from scipy.optimize import brentq  # noqa: PLC0415 - slow, and of an extra
        from scipy.stats import beta  # noqa: PLC0415 - slow, and of an extra

        count, tail = len(self.runs), (1 - _CONFIDENCE) / 2
        met, times = np.unique(self._met_under_drawn_seeds(), return_counts=True)

        def low(share: float) -> float:
            below = np.where(met > 0, beta.cdf(share, np.maximum(met, 1), count - met + 1), 1)
            return float(times @ below / _DRAWS - tail)

        def high(share: float) -> float:
            below = np.where(met < count, beta.cdf(share, met + 1, np.maximum(count - met, 1)), 0)
            return float(times @ below / _DRAWS - 1 + tail)

        return brentq(low, 0, 1) if low(0) < 0 else 0.0, brentq(high, 0, 1) if high(1) > 0 else 1.0

    def _met_under_drawn_seeds(self) -> list[int]:
        """Of how many populations the targets are met, once per draw."""
        from scipy.stats import norm, t  # noqa: PLC0415 - slow, and of an extra

        dice, seeds, high = np.random.default_rng(0), len(self.runs[0]), (1 + _CONFIDENCE) / 2
        drawn_seeds = max(1, round((seeds - 1) * (norm.ppf(high) / t.ppf(high, max(1, seeds - 1))) ** 2))
        asked = [[{name: run[name] for name in self.targets} for run in runs] for runs in self.runs]
        return [
            sum(self.targets.met(Trial(0, (), tuple(runs[seed] for seed in few)).pooled()) for runs in asked)
            for few in dice.integers(0, seeds, (_DRAWS, drawn_seeds))
        ]

    def table(self) -> pl.DataFrame:
        """Each target over the populations.

        Returns:
            One row per target: ``metric``, ``target`` (String); ``value`` (Float64, median over populations);
            ``taste`` (Float64): standard deviation between populations, that of chance taken out; ``seeds``
            (Float64): standard error that chance leaves on each; both null where a number is not finite;
            ``met_share`` (Float64): of the populations that meet it alone.
        """
        rows = [
            (name, str(band), found.median(), *self._spread(name), sum(map(band.holds, found)) / len(found))
            for name, band in self.targets.items()
            for found in [self.populations[name]]
        ]
        text = {"metric": pl.String(), "target": pl.String()}
        floats = dict.fromkeys(["value", "taste", "seeds", "met_share"], pl.Float64())
        return Table(rows, {**text, **floats}, orient="row")

    def _spread(self, name: str) -> tuple[float | None, float | None]:
        """Between populations, and of the mean of one's runs: an analysis of variance with random effects.

        Populations share their seeds, so what a seed does to all of them alike is no difference between them.
        """
        values = np.array(
            [[math.nan if run[name] is None else run[name] for run in runs] for runs in self.runs]
        )
        if not np.isfinite(values).all():
            return None, None
        means = values.mean(axis=1)
        left = values - means[:, None] - values.mean(axis=0) + values.mean()
        rows, columns = values.shape
        error = float((left**2).sum()) / ((rows - 1) * (columns - 1)) / columns
        between_populations = max(0.0, float(means.var(ddof=1)) - error)
        return math.sqrt(between_populations), float(values.std(axis=1, ddof=1).mean()) / math.sqrt(columns)

    def __repr__(self) -> str:
        """In how many populations the targets are met, and how surely."""
        low, high = self.interval
        return (
            f"Met in {self.share:.0%} of {self.populations.height} plausible populations "
            f"(95 %: {low:.0%} to {high:.0%})"
        )
