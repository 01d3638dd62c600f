"""Which share of a number's variance each free number makes: Sobol's indices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from kokoromichi.analysis.tables import Table
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.options import whole
from kokoromichi.experiments.measures import MEASURES, require_measures
from kokoromichi.experiments.sensitivity import TESTED, play_points
from kokoromichi.experiments.space import Space, sobol_points
from kokoromichi.simulation import engines

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from kokoromichi.experiments.space import Free
    from kokoromichi.simulation.scenario import Scenario

Floats = NDArray[np.float64]

_RESAMPLES: Final = 999


@dataclass(frozen=True, eq=False)
class Indices:
    """What a sampling of the whole cube showed.

    Attributes:
        names: The paths that were turned.
        values: Of shape (2 + paths, points, ``TESTED``), means over the seeds: of the first sample, of the
            second, and of the first with one path from the second.
        engine: What played, and why.
    """

    names: tuple[str, ...]
    values: Floats
    engine: str

    def table(self, metric: str) -> pl.DataFrame:
        """The indices of a metric.

        Args:
            metric: A number of the headline.

        Returns:
            One row per path, the one of most effect first: ``path`` (String); ``first``, ``first_low``,
            ``first_high`` (Float64): share of the variance that the number makes by itself, and its 95 %
            interval over resampled points; ``total``, ``total_low``, ``total_high``: with all its
            interactions.

        Raises:
            MisuseError: There is no such number, some run has none, or nothing moves it.
        """
        require_measures([metric], {name: MEASURES[name] for name in TESTED}, "sobol")
        found = self.values[..., TESTED.index(metric)]
        if not np.isfinite(found).all() or not np.ptp(found):
            raise MisuseError(f"{metric} is the same in all runs, or missing in some: take another number")
        dice, points = np.random.default_rng(0), found.shape[1]
        drawn = np.array([_indices(found[:, dice.integers(0, points, points)]) for _ in range(_RESAMPLES)])
        low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
        columns = {
            name + suffix: values[place]
            for place, name in enumerate(("first", "total"))
            for suffix, values in (("", _indices(found)), ("_low", low), ("_high", high))
        }
        return Table({"path": self.names, **columns}).sort("total", descending=True)

    def __repr__(self) -> str:
        """How many numbers were turned, and how often."""
        return f"<Sobol's indices of {len(self.names)} numbers, {self.values.shape[1]} points>"


def _indices(found: Floats) -> Floats:
    """Of shape (2, paths): first (Saltelli et al. 2010) and total (Jansen 1999) shares of the variance."""
    centred = found - found[:2].mean()
    one, other, mixed = centred[0], centred[1], centred[2:]
    variance = centred[:2].var()
    first = (other * (mixed - one)).mean(axis=1)
    total = ((one - mixed) ** 2).mean(axis=1) / 2
    shares: Floats = np.stack([first, total]) / variance
    return shares


def sobol(
    base: Scenario,
    free: Free,
    *,
    points: int = 64,
    seeds: int = 2,
    seed: int = 1,
    engine: str = engines.AUTO,
    on_done: Callable[[int], None] | None = None,
    on_step: Callable[[str], None] | None = None,
) -> Indices:
    """Share the variance of every number out among the free ones, by samples of the whole cube (Sobol 1993).

    Args:
        base: What is turned.
        free: The numbers, by path, with their ends: what ``tune`` takes.
        points: Of each of two samples, a power of 2; (numbers + 2) x points x seeds runs are played.
        seeds: Under how many seeds each point is played; their mean is read, so that chance is no effect.
        seed: Of the samples and of the runs.
        engine: As in ``simulate``.
        on_done: Called with how many runs are done.
        on_step: Called with what is done before the first one, where that takes a while.

    Raises:
        MisuseError: Nothing is free, a count is wrong, or scipy is not installed.
        EconomyError: A path is unknown, or the economy refuses an end.
    """
    points = whole("points", points, 2, 2**20)
    if points & (points - 1):
        raise MisuseError(f"points is {points}; use a power of 2, such as 64")
    space = Space(base, free)
    sides = len(space.names)
    sample = sobol_points(2 * sides, points, seed)
    first, second = sample[:, :sides], sample[:, sides:]
    mixed = [np.where(np.arange(sides) == side, second, first) for side in range(sides)]
    asked = np.concatenate([first, second, *mixed])
    values, chosen = play_points(space, asked.tolist(), seeds, seed, engine, on_done, on_step)
    shape = (2 + sides, points, len(TESTED))
    return Indices(tuple(space.names), values.mean(axis=1).reshape(shape), chosen)
