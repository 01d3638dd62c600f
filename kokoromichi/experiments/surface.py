"""A quadratic response surface: what each number would be at a point that was not played.

Box and Wilson (1951), with a ridge on everything but the mean, so that fewer points than coefficients still
have an answer; fitted to the numbers and not to the distance from the targets, which has kinks.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kokoromichi.analysis.metrics.headline import POSSIBLE, WAITS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kokoromichi.analysis.targets import Targets

Floats: TypeAlias = NDArray[np.float64]

_RIDGE: Final = 1e-3
_LEAST_WAIT_DAYS: Final = 0.25


class Surface:
    """The surfaces of all targeted numbers.

    Args:
        targets: The numbers, and what their tolerances are.
        points: Where runs were played: one row a run, a column a side of the cube.
        numbers: By name, one value a run: infinite for a wait beyond the horizon, NaN where a run
            has none; each has one in some run.
        horizon_days: Of the runs: a longer wait counts as twice that.
    """

    def __init__(
        self, targets: Targets, points: Floats, numbers: Mapping[str, Floats], horizon_days: int
    ) -> None:
        self._targets, self._horizon_days = targets, horizon_days
        self._endless = [name for name in targets if _is_wait(name) and math.isinf(targets[name].high)]
        self._warps = {name: _warp(name, targets[name].tolerance, horizon_days) for name in targets}
        self._inverses: dict[str, Floats] = {}
        self._weights: dict[str, Floats] = {}
        self._spread: dict[str, float] = {}
        for name, (there, _) in self._warps.items():
            has_it = ~np.isnan(numbers[name])
            design, warped = _features(points[has_it]), there(numbers[name][has_it])
            ridge = _RIDGE * len(design) * np.eye(design.shape[1])
            ridge[0, 0] = 0
            inverse: Floats = np.linalg.inv(design.T @ design + ridge).astype(np.float64)
            weights = inverse @ design.T @ warped
            self._inverses[name], self._weights[name] = inverse, weights
            free = max(1, len(design) - design.shape[1])
            self._spread[name] = float(np.sqrt(((warped - design @ weights) ** 2).sum() / free))

    def predict(self, points: Floats, optimism: float = 0.0) -> dict[str, Floats]:
        """What each number would be.

        Args:
            points: One row a point.
            optimism: By how many standard errors of the surface each number may be nearer to its target.
        """
        design = _features(points)
        found = {}
        for name, (there, back) in self._warps.items():
            middle = design @ self._weights[name]
            if optimism:
                error = self._spread[name] * np.sqrt(
                    np.einsum("ij,jk,ik->i", design, self._inverses[name], design)
                )
                wanted = there(np.array([_centre(self._targets, name)]))[0]
                middle = np.where(
                    np.abs(wanted - middle) <= optimism * error,
                    wanted,
                    middle + np.sign(wanted - middle) * optimism * error,
                )
            found[name] = np.clip(back(middle), *POSSIBLE[name.partition(".")[0]])
        return found

    def distances(self, points: Floats, optimism: float = 0.0) -> Floats:
        """How far each point would lie from the targets, in tolerances."""
        predicted = self.predict(points, optimism)
        for name in self._endless:
            predicted[name] = np.where(predicted[name] > self._horizon_days, np.inf, predicted[name])
        rows = zip(*(predicted[name].tolist() for name in self._targets), strict=True)
        return np.array([self._targets.distance(dict(zip(self._targets, row, strict=True))) for row in rows])


def _is_wait(name: str) -> bool:
    return name.partition(".")[0] in WAITS


def _centre(targets: Targets, name: str) -> float:
    band = targets[name]
    if math.isfinite(band.low) and math.isfinite(band.high):
        return (band.low + band.high) / 2
    return band.low + band.tolerance if math.isfinite(band.low) else band.high - band.tolerance


def _features(points: Floats) -> Floats:
    """1, every side, every product of two sides, the squares among them; sides from -1 to 1."""
    sides = 2 * np.atleast_2d(points) - 1
    first, second = np.triu_indices(sides.shape[1])
    return np.hstack([np.ones((len(sides), 1)), sides, sides[:, first] * sides[:, second]])


def _warp(
    name: str, tolerance: float, horizon_days: int
) -> tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]:
    """How a number is straightened before it is fitted, and the way back."""
    if _is_wait(name):
        return (
            lambda values: np.log(np.clip(values, _LEAST_WAIT_DAYS, 2.0 * horizon_days)),
            np.exp,
        )
    if name.startswith("net_flow"):
        return (
            lambda values: np.arcsinh(values / tolerance),
            lambda warped: np.sinh(warped) * tolerance,
        )
    return (lambda values: values, lambda warped: warped)
