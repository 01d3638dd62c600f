"""The numbers that a search may turn, as a unit cube: each between two ends, by amount or by factor."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kokoromichi.core.errors import MisuseError
from kokoromichi.options import plain, real
from kokoromichi.simulation.scenario import require_scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kokoromichi.simulation.scenario import Scenario

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scale:
    """Factors on what a scenario has, searched by their logarithm.

    Attributes:
        low: Smallest factor, above 0.
        high: Largest factor.
    """

    low: float
    high: float


def scale(low: float, high: float) -> Scale:
    """Let a search multiply a number, from one factor to another.

    Raises:
        MisuseError: The factors are not above 0, or the wrong way round.
    """
    least, most = real(low), real(high)
    if least is None or most is None or not 0 < least < most < math.inf:
        raise MisuseError(f"scale({low!r}, {high!r}): factors are above 0, the smaller one first")
    return Scale(least, most)


Free: TypeAlias = "Mapping[str, tuple[int, int] | Scale]"
"""The numbers that may be turned, by their path in the economy."""


class Space:
    """A cube whose sides are the numbers that may be turned.

    Args:
        base: What is turned; every path must stand in its economy.
        free: Whole numbers from one end to the other, or factors.

    Raises:
        MisuseError: Nothing is free, or an end is wrong.
        EconomyError: A path is unknown.
    """

    def __init__(self, base: Scenario, free: Free) -> None:
        require_scenario("a search", base)
        if not (isinstance(free, Mapping) and free):  # type: ignore[redundant-expr] # A notebook may give anything.
            raise MisuseError('a search needs numbers to turn, such as {"opening.gold": (5_000, 30_000)}')
        self.base = base
        self.free = {path: _ends(path, given) for path, given in free.items()}
        self.scenario(
            [0.0] * len(free)
        )  # Whatever the economy refuses, it refuses before anything is played.
        self.scenario([1.0] * len(free))

    @property
    def names(self) -> list[str]:
        """The paths, in the order of the sides."""
        return list(self.free)

    def values(self, point: Sequence[float]) -> dict[str, float]:
        """What a point stands for: whole numbers, or factors to four digits, by path."""
        return {
            path: _value(ends, place) for (path, ends), place in zip(self.free.items(), point, strict=True)
        }

    def realised(self, point: Sequence[float]) -> list[float]:
        """Where a point truly lies in the cube, once its amounts are rounded."""
        return [
            _place(ends, value)
            for ends, value in zip(self.free.values(), self.values(point).values(), strict=True)
        ]

    def scenario(self, point: Sequence[float]) -> Scenario:
        """The scenario at a point of the cube.

        Raises:
            EconomyError: The economy refuses a number.
        """
        return self.changed(self.values(point))

    def changed(self, values: Mapping[str, float]) -> Scenario:
        """The scenario with amounts and factors, by path.

        Raises:
            EconomyError: The economy refuses a number.
        """
        factors = {path: value for path, value in values.items() if isinstance(self.free[path], Scale)}
        amounts = {path: int(value) for path, value in values.items() if path not in factors}
        changed = self.base.with_economy(amounts) if amounts else self.base
        return changed.scaled(factors) if factors else changed


def sobol_points(sides: int, count: int, seed: int) -> Floats:
    """Sobol's points, scrambled by the seed: they fill a cube evenly.

    Returns:
        Of shape (count, sides), each from 0 to 1.

    Raises:
        MisuseError: scipy is not installed.
    """
    try:
        from scipy.stats import qmc  # noqa: PLC0415 - slow, and of an extra
    except ModuleNotFoundError as error:
        raise MisuseError('points of a cube need scipy: pip install "kokoromichi[tuning]"') from error
    points: Floats = qmc.Sobol(sides, seed=seed & 0xFFFFFFFF).random(count)
    return points


def _value(ends: tuple[int, int] | Scale, place: float) -> float:
    if isinstance(ends, Scale):
        low, high = math.log(ends.low), math.log(ends.high)
        return float(f"{math.exp(low + place * (high - low)):.4g}")
    return round(ends[0] + place * (ends[1] - ends[0]))


def _place(ends: tuple[int, int] | Scale, value: float) -> float:
    if isinstance(ends, Scale):
        return math.log(value / ends.low) / math.log(ends.high / ends.low)
    return (value - ends[0]) / (ends[1] - ends[0])


def _ends(path: str, given: object) -> tuple[int, int] | Scale:
    if isinstance(given, Scale):
        return given
    ends = [*map(plain, given)] if isinstance(given, (tuple, list, np.ndarray)) else []
    match ends:
        case [int() as low, int() as high] if low < high and not isinstance(low, bool):
            return low, high
    raise MisuseError(
        f"{path}: {given!r} are no ends; give two whole numbers, the smaller first, or km.scale(0.5, 2)"
    )
