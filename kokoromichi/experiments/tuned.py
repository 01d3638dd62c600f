"""What a search found: its trials, the best of them, and what stands in the way where none is good."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from kokoromichi.analysis.tables import Table
from kokoromichi.analysis.targets import spelled
from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.candidate import Candidate
from kokoromichi.experiments.measures import measure_of
from kokoromichi.experiments.trials import Trial

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kokoromichi.analysis.report.explained import Explanation
    from kokoromichi.analysis.targets import Targets
    from kokoromichi.experiments.plots import TunedPlots
    from kokoromichi.experiments.robustness import Robustness
    from kokoromichi.experiments.space import Space
    from kokoromichi.experiments.surface import Floats, Surface
    from kokoromichi.simulation.population import Population

_FAVOURED: Final = (
    ". They have chosen it, which favours it: ask others by best.robustness(km.plausible(base, seed=2))."
)
_HELD: Final = 5
"""Trials that are held against other players."""
_CUBE_POINTS: Final = 8_192
"""Points at which the surfaces are read to say what can be reached."""


@dataclass(frozen=True, eq=False)
class Tuned:
    """A search that was played.

    Attributes:
        space: What was turned.
        targets: What was wanted.
        base: What the base's own runs showed.
        trials: Every point that was played, in its order.
        surface: Through all of them.
        engine: What played.
        seed: Of every trial.
        robust: How the best few do with players who are a little different, by the trial's number, where that
            was asked for.
    """

    space: Space
    targets: Targets
    base: Trial
    trials: tuple[Trial, ...]
    surface: Surface
    engine: str
    seed: int
    robust: Mapping[int, Robustness] = field(default_factory=dict)

    def held_against(self, populations: Sequence[Population]) -> Tuned:
        """The same, the best five ordered by the share of populations under which they meet the targets."""
        best = self._order[:_HELD]
        found = {place: self.candidate(place).robustness(populations) for place in best}
        return replace(self, robust=found)

    @cached_property
    def _order(self) -> list[int]:
        """The trials' numbers, best first: those that are met, the robust ones, then as the surfaces say."""
        met = [self.targets.met(trial.pooled()) for trial in self.trials]
        shares = {place: found.share for place, found in self.robust.items()}
        return sorted(
            range(len(self.trials)),
            key=lambda place: (not met[place], -shares.get(place, 0.0), self._predicted[place]),
        )

    @cached_property
    def _predicted(self) -> Floats:
        """How far from the targets the surfaces put each trial, in tolerances."""
        return self.surface.distances(np.array([trial.point for trial in self.trials]))

    @property
    def found(self) -> bool:
        """Whether a trial's pooled runs meet every target."""
        return self.best.met

    @property
    def best(self) -> Candidate:
        """The best trial; where none meets the targets, the one that the surfaces put nearest."""
        return self.candidate(self._order[0])

    def candidates(self, count: int = 5) -> list[Candidate]:
        """The best few trials, best first."""
        return [self.candidate(place) for place in self._order[:count]]

    def candidate(self, number: int) -> Candidate:
        """A trial by its number, as an economy."""
        if not 0 <= number < len(self.trials):
            raise MisuseError(f"there is no trial {number}; use 0 to {len(self.trials) - 1}")
        trial = self.trials[number]
        values, scenario = self.space.values(trial.point), self.space.scenario(trial.point)
        return Candidate(
            values, scenario, trial.pooled(), self.targets, self.space.base, self.engine, self.seed
        )

    def table(self) -> pl.DataFrame:
        """Every trial, best first: those that are met, among them the robust ones, then by ``predicted``.

        Returns:
            One row per trial: ``trial`` (Int64), ``runs`` (Int64), a Float64 column per free number (its
            path) and per target, pooled over the runs and infinite beyond the horizon, ``distance`` of these
            from the targets and the distance ``predicted`` by the surfaces, which know all trials and follow
            luck less (Float64, in tolerances, null where a number is not there or infinite), ``met``
            (Boolean).
        """
        rows = []
        for place in self._order:
            trial, numbers = self.trials[place], self.trials[place].pooled()
            rows.append(
                {
                    "trial": trial.number,
                    "runs": len(trial.runs),
                    **self.space.values(trial.point),
                    **{name: numbers[name] for name in self.targets},
                    "distance": _finite(self.targets.distance(numbers)),
                    "predicted": _finite(self._predicted[place]),
                    "met": self.targets.met(numbers),
                }
            )
        floats = dict.fromkeys([*self.space.names, *self.targets, "distance", "predicted"], pl.Float64())
        schema = {"trial": pl.Int64(), "runs": pl.Int64(), **floats, "met": pl.Boolean()}
        return Table(rows, schema)

    def front(self) -> pl.DataFrame:
        """The trials that no other one beats: whatever is nearer to one target is farther from another.

        Returns:
            Rows of ``table()``, best first; distances are counted from the middle of each band.
        """
        pooled = [self.trials[place].pooled() for place in self._order]
        bands = list(self.targets.items())
        misses = np.array(
            [
                [band.miss(np.inf if (value := numbers[name]) is None else value) for name, band in bands]
                for numbers in pooled
            ]
        )
        as_near = (misses[:, None] <= misses[None]).all(axis=2)
        nearer = (misses[:, None] < misses[None]).any(axis=2)
        return Table(self.table().filter(pl.Series(~(as_near & nearer).any(axis=0))))

    def side_effects(self) -> pl.DataFrame:
        """What else the best trial changes: every number of the headline that is no target.

        Returns:
            One row per number: ``metric`` (String), ``base``, ``best`` (Float64, pooled over the runs of
            each, which share their seeds).
        """
        best, base = self.best.numbers, self.base.pooled()
        rows = [(name, base[name], best[name]) for name in base if name not in self.targets]
        schema = {"metric": pl.String(), "base": pl.Float64(), "best": pl.Float64()}
        return Table(rows, schema, orient="row")

    def reachable(self) -> pl.DataFrame:
        """What each targeted number comes to anywhere in the cube, as the surfaces have it.

        Returns:
            One row per target: ``metric``, ``target`` (String), ``lowest``, ``highest`` (Float64, null
            where no run has the number), ``reached`` (Boolean: somewhere the number alone lies in its band).
        """
        rows: list[tuple[str, str, float | None, float | None, bool]] = [
            (name, str(band), None, None, False)
            for name, band in self.targets.items()
            if name not in self._everywhere
        ]
        for name, values in self._everywhere.items():
            band = self.targets[name]
            reached = bool(((values >= band.low) & (values <= band.high)).any())
            rows.append((name, str(band), float(values.min()), float(values.max()), reached))
        schema = {
            "metric": pl.String(),
            "target": pl.String(),
            "lowest": pl.Float64(),
            "highest": pl.Float64(),
        }
        return Table(rows, {**schema, "reached": pl.Boolean()}, orient="row")

    def conflicts(self) -> list[tuple[str, str]]:
        """Targets that can be met one by one and not together, as the surfaces have it."""
        inside = {
            name: (values >= self.targets[name].low) & (values <= self.targets[name].high)
            for name, values in self._everywhere.items()
        }
        alone = [name for name, places in inside.items() if places.any()]
        return [pair for pair in combinations(alone, 2) if not (inside[pair[0]] & inside[pair[1]]).any()]

    @cached_property
    def _everywhere(self) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
        sides = len(self.space.names)
        dice = np.random.default_rng(0)
        corners = dice.integers(0, 2, (_CUBE_POINTS, sides)).astype(np.float64)
        return self.surface.predict(np.vstack([corners, dice.random((_CUBE_POINTS, sides))]))

    def explain(self) -> Explanation:
        """What was found, in sentences; where nothing was, what stands in the way.

        A notebook shows them as a list; ``str()`` gives a line each, iterating the single ones.
        """
        from kokoromichi.analysis.report.explained import Explanation  # noqa: PLC0415 - matplotlib is slow

        runs = sum(len(trial.runs) for trial in self.trials)
        title = f"A search of {len(self.trials)} trials, {runs} runs"
        return Explanation(title, tuple(self._found() if self.found else self._in_the_way()))

    def _found(self) -> Iterator[str]:
        met = sum(self.targets.met(trial.pooled()) for trial in self.trials)
        yield f"{met} of {len(self.trials)} trials {'meets' if met == 1 else 'meet'} every target."
        turned = (f"{path} {spelled(value)}" for path, value in self.best.values.items())
        yield f"The best: {', '.join(turned)}."
        if self._order[0] in self.robust:
            yield f"{self.robust[self._order[0]]}{_FAVOURED}"
        yield "Validate it under other seeds before it is believed: best.validate()."

    def _in_the_way(self) -> Iterator[str]:
        yield f"Not found: none of {len(self.trials)} trials meets every target."
        numbers = self.best.numbers
        near = (f"{_reading(name, numbers[name])} (wanted {band})" for name, band in self.targets.items())
        yield f"The nearest: {'; '.join(near)}."
        for row in self.reachable().filter(reached=False).to_dicts():
            yield f"{measure_of(row['metric']).title} cannot be met in these ends: {_why(row)}."
        for one, other in self.conflicts():
            yield f"{measure_of(one).title} and {measure_of(other).title} stand against each other."
        if closed := self.space.base.closed:
            yield f"The scenario closes {', '.join(sorted(closed))}, which no number opens."
        yield "Widen an end, free another number, or widen a band."

    @property
    def plot(self) -> TunedPlots:
        """Charts: ``frontier()``."""
        from kokoromichi.experiments.plots import TunedPlots  # noqa: PLC0415 - matplotlib is slow

        return TunedPlots(self)

    def __repr__(self) -> str:
        """How many trials there are, and whether one meets the targets."""
        return f"<Tuned {len(self.trials)} trials: {'found' if self.found else 'not found'}>"

    def _repr_html_(self) -> str:
        return f"{self.explain()._repr_html_()}{self.table().head(10)._repr_html_()}"


def _finite(distance: float) -> float | None:
    return distance if np.isfinite(distance) else None


def _reading(metric: str, value: float | None) -> str:
    """A number with its title, and its unit where it has a value."""
    measure = measure_of(metric)
    unit = "" if value is None or not np.isfinite(value) else measure.unit
    return f"{measure.title} {spelled(value)} {unit}".rstrip()


def _why(row: dict[str, Any]) -> str:
    """Why a number is out of reach."""
    if row["lowest"] is None:
        return "no run has one"
    ends = f"{spelled(row['lowest'])} and {spelled(row['highest'])}"
    return f"the surfaces put it between {ends}, wanted {row['target']}"


def best_of(candidates: Sequence[Candidate], replications: int = 50, seed: int = 998) -> Candidate:
    """The candidate nearest to the targets under fresh seeds, rather than by the search's own runs."""
    fresh = [Trial(0, (), one.fresh(replications, seed)).pooled() for one in candidates]
    distances = [one.targets.distance(numbers) for one, numbers in zip(candidates, fresh, strict=True)]
    return candidates[int(np.argmin(distances))]
