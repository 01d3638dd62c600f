"""Which numbers of an economy matter most: Morris' elementary effects over seeds that all points share."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from kokoromichi.analysis.tables import Table
from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.measures import MEASURES, require_measures
from kokoromichi.experiments.seed_runs import choose_engine, headlines
from kokoromichi.experiments.space import Space
from kokoromichi.options import whole, whole_seed
from kokoromichi.simulation import engines
from kokoromichi.simulation.notebook import Watched

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kokoromichi.experiments.plots import SensitivityPlots
    from kokoromichi.experiments.space import Free
    from kokoromichi.simulation.engines import Chosen
    from kokoromichi.simulation.scenario import Scenario

Floats = NDArray[np.float64]

LEVELS: Final = 4
TESTED: Final = tuple(name for name, measure in MEASURES.items() if measure.tested)
"""The numbers that are read: those that a verdict is given for."""
_RESAMPLES: Final = 1_000
_SHARED_RANK_CONFIDENCE: Final = 0.95


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """What turning each number does to each number of the headline.

    Attributes:
        space: The paths that were turned, and their ends.
        effects: Of shape (trajectories, seeds, paths, ``TESTED``): change of the metric over the number's
            whole span, NaN where a run has no such number.
        seed: Of the walks and of the runs.
        engine: What played, and why.
    """

    space: Space
    effects: Floats
    seed: int
    engine: Chosen

    def table(self, metric: str) -> pl.DataFrame:
        """How much each number moves a metric.

        Args:
            metric: A number of the headline.

        Returns:
            One row per path, the strongest first.

            - ``path`` (String): the number that is turned.
            - ``effect`` (Float64): mean of the absolute elementary effects over trajectories and seeds (mu*),
              in the metric's unit over the whole span.
            - ``low``, ``high`` (Float64): its 95 % interval over resampled trajectories and seeds.
            - ``signed`` (Float64): mean effect (mu).
            - ``spread`` (Float64): standard deviation of the effects (sigma): bends and interactions.
            - ``rank`` (Int64): numbers that cannot be told apart share one.

        Raises:
            MisuseError: There is no such number, or some run has none.
        """
        effects = self.effects[..., tested(metric, "sensitivity")]
        if not np.isfinite(effects).all():
            raise MisuseError(f"{metric} is missing in some runs: play more days, or take another number")
        strength = np.mean(np.abs(effects), axis=(0, 1))
        drawn = self._resampled(effects)
        low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
        order = np.argsort(-strength, kind="stable")
        ranks = _shared_ranks(drawn[:, order])
        rows = [
            (
                self.space.names[place],
                float(strength[place]),
                float(low[place]),
                float(high[place]),
                float(np.mean(effects[..., place])),
                float(np.std(effects[..., place])),
                rank,
            )
            for place, rank in zip(order, ranks, strict=True)
        ]
        floats = dict.fromkeys(["effect", "low", "high", "signed", "spread"], pl.Float64())
        return Table(rows, {"path": pl.String(), **floats, "rank": pl.Int64()}, orient="row")

    @staticmethod
    def _resampled(effects: Floats) -> Floats:
        """Strengths over trajectories and seeds drawn anew, a row a resample."""
        dice = np.random.default_rng(0)
        trajectories, seeds = effects.shape[:2]
        drawn = []
        for _ in range(_RESAMPLES):
            rows, columns = dice.integers(0, trajectories, trajectories), dice.integers(0, seeds, seeds)
            drawn.append(np.mean(np.abs(effects[rows][:, columns]), axis=(0, 1)))
        return np.array(drawn)

    @property
    def plot(self) -> SensitivityPlots:
        """Charts: ``tornado(metric)``."""
        from kokoromichi.experiments.plots import SensitivityPlots  # noqa: PLC0415 - matplotlib is slow

        return SensitivityPlots(self)

    def __repr__(self) -> str:
        """How many numbers were turned, and how often."""
        trajectories, seeds = self.effects.shape[:2]
        return (
            f"<Sensitivity of {len(self.space.names)} numbers, {trajectories} trajectories x {seeds} seeds>"
        )


def tested(metric: str, asked_by: str) -> int:
    """The place of a metric in ``TESTED``.

    Raises:
        MisuseError: It is none of them.
    """
    require_measures([metric], {name: MEASURES[name] for name in TESTED}, asked_by)
    return TESTED.index(metric)


def _shared_ranks(drawn: Floats) -> list[int]:
    """Ranks of columns that fall: one shares the rank of the one before unless it is surely weaker."""
    ranks = [1]
    for place in range(1, drawn.shape[1]):
        leader = next(first for first, rank in enumerate(ranks) if rank == ranks[-1])
        weaker = np.mean(drawn[:, leader] > drawn[:, place]) >= _SHARED_RANK_CONFIDENCE
        ranks.append(place + 1 if weaker else ranks[-1])
    return ranks


def sensitivity(
    base: Scenario,
    free: Free,
    *,
    trajectories: int = 20,
    seeds: int = 2,
    seed: int = 1,
    engine: str = engines.AUTO,
    on_done: Callable[[int], None] | None = None,
    on_step: Callable[[str], None] | None = None,
) -> Sensitivity:
    """Screen which numbers matter: Morris (1991), read as Campolongo, Cariboni and Saltelli (2007) do.

    ``km.sobol`` then says which share of the variance each of them makes, for many times as many runs.

    Args:
        base: What is turned.
        free: The numbers, by path, with their ends: what ``tune`` takes.
        trajectories: Walks through the cube; each plays one point more than there are numbers.
        seeds: Under how many seeds each point is played; all points share them.
        seed: Of the walks and of the runs.
        engine: As in ``simulate``.
        on_done: Called with how many runs are done.
        on_step: Called with what is done before the first one, where that takes a while.

    Raises:
        MisuseError: Nothing is free, a count is wrong, or SALib is not installed.
        EconomyError: A path is unknown, or the economy refuses an end.
    """
    trajectories, seed = whole("trajectories", trajectories, 2, 1_000_000), whole_seed(seed)
    space = Space(base, free)
    points = _walks(len(space.names), trajectories, seed)
    seeds = whole("seeds", seeds, 1, 1_000)
    chosen = choose_engine(engine, [base], len(points) * seeds)
    watched = Watched(f"Screening {base.name}", len(points) * seeds)
    engines.compile_once(base, chosen, on_step or watched.step)
    values = play_points(space, points, seeds, seed, chosen, on_done or watched.reach)
    shape = (trajectories, len(space.names) + 1, seeds, len(TESTED))
    effects = _effects([space.realised(point) for point in points], values.reshape(shape))
    return Sensitivity(space, effects, seed, chosen)


def play_points(
    space: Space,
    points: Sequence[Sequence[float]],
    seeds: int,
    seed: int,
    engine: Chosen,
    on_done: Callable[[int], None],
) -> Floats:
    """Play points of a cube under common seeds.

    Returns:
        Of shape (points, seeds, ``TESTED``), NaN where a run has no such number.
    """
    runs = [(tuple(point), number) for point in points for number in range(seeds)]
    found: list[list[float]] = []
    with closing(headlines(runs, space.scenario, seed, engine.name)) as played:
        for numbers in played:
            found.append([_float(numbers[name]) for name in TESTED])
            on_done(len(found))
    return np.array(found).reshape(len(points), seeds, len(TESTED))


def _walks(sides: int, trajectories: int, seed: int) -> list[list[float]]:
    """Morris' trajectories, one after the other: each step turns one side."""
    try:
        from SALib.sample import morris  # type: ignore[import-untyped]  # noqa: PLC0415 - slow, and of an extra
    except ModuleNotFoundError as error:
        raise MisuseError('sensitivity needs SALib: pip install "kokoromichi[tuning]"') from error
    problem = {
        "num_vars": sides,
        "names": [str(side) for side in range(sides)],
        "bounds": [[0.0, 1.0]] * sides,
    }
    walks: list[list[float]] = morris.sample(
        problem, trajectories, num_levels=LEVELS, seed=seed & 0x7FFFFFFF
    ).tolist()
    return walks


def _effects(points: Sequence[Sequence[float]], values: Floats) -> Floats:
    """Elementary effects, of shape (trajectories, seeds, sides, metrics).

    Args:
        points: The walks, one after the other.
        values: Of shape (trajectories, points of a walk, seeds, metrics).
    """
    trajectories, steps, seeds, metrics = values.shape
    walks = np.array(points).reshape(trajectories, steps, steps - 1)
    turned = np.diff(walks, axis=1)
    side = np.abs(turned).argmax(axis=2)
    length = np.take_along_axis(turned, side[..., None], axis=2)[..., 0]
    slopes = np.diff(values, axis=1) / length[:, :, None, None]
    effects = np.empty((trajectories, seeds, steps - 1, metrics))
    for trajectory in range(trajectories):
        effects[trajectory][:, side[trajectory]] = slopes[trajectory].transpose(1, 0, 2)
    return effects


def _float(value: float | None) -> float:
    return np.nan if value is None else float(value)
