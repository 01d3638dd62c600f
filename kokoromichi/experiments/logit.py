"""A multinomial logit with known offsets, fitted by Newton's method, and what of it the rows can tell.

``U(row, alternative) = offset + constant of its group + beta x price + omega x log purse``; *save* has 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kokoromichi.simulation.weights import SAVE_WEIGHT, WEIGHT_CAP

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MOST_STEPS: Final = 50
_CONVERGED: Final = 1e-8
_NOTHING: Final = 1e-10
"""An eigenvalue of the scaled information below which a direction is not seen at all."""
_TAKES_PART: Final = 0.05
"""Loading from which on a coefficient belongs to a direction that is not seen."""
_HIGHEST: Final = math.log(WEIGHT_CAP / SAVE_WEIGHT)
"""Utility, in utils, at which the demand model cuts a weight."""


class Menu(NamedTuple):
    """Choices as the model reads them.

    Attributes:
        names: The coefficients: one for each group, one for each of ``prices``, and that of the purse.
        group: [alternative]: place of its constant in ``names``.
        chosen: [row]: the alternative; ``len(group)`` where nothing was bought.
        offset: [row, alternative], in utils; minus infinity where it could not be bought.
        prices: Each [row, alternative]: minus the logarithm of a price over the remembered one.
        log_purse: [row].
    """

    names: tuple[str, ...]
    group: Ints
    chosen: Ints
    offset: Floats
    prices: tuple[Floats, ...]
    log_purse: Floats


@dataclass(frozen=True, eq=False)
class Fit:
    """What a fit found.

    Attributes:
        names: The coefficients.
        estimate: [coefficient], in utils per unit of what it multiplies; the start where not learned.
        covariance: [coefficient, coefficient].
        unseen: Coefficients that the rows do not tell, each with those that it cannot be told from.
        log_likelihood: At the estimate.
    """

    names: tuple[str, ...]
    estimate: Floats
    covariance: Floats
    unseen: dict[str, tuple[str, ...]]
    log_likelihood: float

    @property
    def standard_error(self) -> Floats:
        """[coefficient]; NaN where it cannot be learned."""
        known = np.array([name not in self.unseen for name in self.names])
        return np.where(known, np.sqrt(np.diag(self.covariance)), np.nan)


class _Slope(NamedTuple):
    log_likelihood: float
    gradient: Floats
    information: Floats


def fit(menu: Menu, start: Floats) -> Fit:
    """Maximise the likelihood; a direction that the rows do not tell keeps its place at ``start``.

    Args:
        menu: The choices.
        start: [coefficient]: where to begin.
    """
    at, here = start, _slope(menu, start)
    for _ in range(_MOST_STEPS):
        seen, _ = _directions(here.information)
        step = seen @ here.gradient
        there = _slope(menu, at + step)
        while there.log_likelihood < here.log_likelihood - _CONVERGED:
            step /= 2
            there = _slope(menu, at + step)
        at, here = at + step, there
        if np.abs(step).max(initial=0.0) < _CONVERGED:
            break
    covariance, blind = _directions(here.information)
    unseen = {
        menu.names[place]: tuple(menu.names[other] for other in group if other != place)
        for group in blind
        for place in group
    }
    return Fit(menu.names, at, covariance, unseen, here.log_likelihood)


def expected(menu: Menu, coefficients: Floats) -> tuple[Floats, Floats]:
    """How often each alternative, and *save* behind them, is chosen: the mean and its variance."""
    chances, _ = _chances(menu, coefficients)
    every = np.column_stack([chances, 1 - chances.sum(axis=1)])
    return every.sum(axis=0), (every * (1 - every)).sum(axis=0)


def _chances(menu: Menu, coefficients: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """[row, alternative]: the chance of each, and whether its weight is cut, so that nothing moves it."""
    utility = menu.offset + coefficients[menu.group]
    for coefficient, value in zip(coefficients[_groups(menu) :], _values(menu), strict=True):
        utility = utility + coefficient * value
    weights = np.exp(np.minimum(utility, _HIGHEST))
    return weights / (1 + weights.sum(axis=1, keepdims=True)), utility >= _HIGHEST


def _groups(menu: Menu) -> int:
    return len(menu.names) - len(menu.prices) - 1


def _values(menu: Menu) -> list[Floats]:
    """What the coefficients behind the constants multiply, each [row, alternative]."""
    return [*menu.prices, np.broadcast_to(menu.log_purse[:, None], menu.offset.shape)]


def _slope(menu: Menu, coefficients: Floats) -> _Slope:
    chances, cut = _chances(menu, coefficients)
    bought = np.flatnonzero(menu.chosen < len(menu.group))
    took = np.zeros_like(chances)
    took[bought, menu.chosen[bought]] = 1
    saved = np.delete(1 - chances.sum(axis=1), bought)
    log_likelihood = np.log(chances[bought, menu.chosen[bought]]).sum() + np.log(saved).sum()
    chances, took = np.where(cut, 0, chances), np.where(cut, 0, took)
    mean = _moments(menu, chances)
    gradient = _moments(menu, took).sum(axis=0) - mean.sum(axis=0)
    return _Slope(float(log_likelihood), gradient, _second_moment(menu, chances) - mean.T @ mean)


def _moments(menu: Menu, weights: Floats) -> Floats:
    """[row, coefficient]: what each coefficient multiplies, summed over the alternatives by their weights."""
    member = np.eye(_groups(menu))[menu.group]
    return np.column_stack([weights @ member, *((weights * value).sum(axis=1) for value in _values(menu))])


def _second_moment(menu: Menu, weights: Floats) -> Floats:
    """[coefficient, coefficient], summed over rows; that of the constants is a diagonal: each has its own."""
    groups, values = _groups(menu), _values(menu)
    member = np.eye(groups)[menu.group]
    moment = np.zeros((len(menu.names), len(menu.names)))
    moment[:groups, :groups] = np.diag(weights.sum(axis=0) @ member)
    for place, value in enumerate(values, groups):
        weighted = weights * value
        moment[:groups, place] = moment[place, :groups] = weighted.sum(axis=0) @ member
        moment[place, groups:] = [(weighted * other).sum() for other in values]
    return moment


def _directions(information: Floats) -> tuple[Floats, list[tuple[int, ...]]]:
    """The inverse of the information, and the coefficients of each direction in which there is none."""
    scale = np.sqrt(np.maximum(np.diag(information), 0))
    scale = np.where(scale > 0, scale, 1.0)
    values, vectors = np.linalg.eigh(information / np.outer(scale, scale))
    dark = values < _NOTHING * max(1.0, float(values.max(initial=0.0)))
    lit = vectors[:, ~dark]
    inverse = (lit / values[~dark]) @ lit.T / np.outer(scale, scale)
    groups = [
        tuple(int(place) for place in np.flatnonzero(np.abs(vector) > _TAKES_PART))
        for vector in vectors[:, dark].T
    ]
    return inverse, groups
