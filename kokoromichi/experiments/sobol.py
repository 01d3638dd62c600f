"""Which share of a number's variance each free number makes: Sobol's indices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from kokoromichi.analysis.tables import Table
from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.sensitivity import TESTED, play_points, tested
from kokoromichi.experiments.space import sobol_points
from kokoromichi.options import whole
from kokoromichi.simulation.notebook import Watched

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from kokoromichi.experiments.sensitivity import Sensitivity

Floats = NDArray[np.float64]

_RESAMPLES: Final = 999


@dataclass(frozen=True, eq=False)
class Indices:
    """What a sampling of the whole cube showed.

    Attributes:
        names: The paths that were turned.
        values: Of shape (2 + paths, points, ``TESTED``), means over the seeds: of the first sample, of the
            second, and of the first with one path from the second.
    """

    names: tuple[str, ...]
    values: Floats

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
        found = self.values[..., tested(metric, "sobol")]
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
    screened: Sensitivity, *, points: int = 64, on_done: Callable[[int], None] | None = None
) -> Indices:
    """Share the variance of every number out among the free ones, by samples of the whole cube (Sobol 1993).

    Args:
        screened: What ``sensitivity`` found: the same numbers are turned, under the same seeds, whose mean is
            read, so that chance is no effect.
        points: Of each of two samples, a power of 2; (numbers + 2) x points x seeds runs are played.
        on_done: Called with how many runs are done.

    Raises:
        MisuseError: There is no such number of points, or scipy is not installed.
    """
    points = whole("points", points, 2, 2**20)
    if points & (points - 1):
        raise MisuseError(f"points is {points}; use a power of 2, such as 64")
    space, seeds = screened.space, screened.effects.shape[1]
    sides = len(space.names)
    sample = sobol_points(2 * sides, points, screened.seed)
    first, second = sample[:, :sides], sample[:, sides:]
    mixed = [np.where(np.arange(sides) == side, second, first) for side in range(sides)]
    asked = np.concatenate([first, second, *mixed]).tolist()
    watched = Watched(f"Sampling {space.base.name}", len(asked) * seeds)
    values = play_points(space, asked, seeds, screened.seed, screened.engine, on_done or watched.reach)
    return Indices(tuple(space.names), values.mean(axis=1).reshape(2 + sides, points, len(TESTED)))
