"""A multinomial logit with known offsets, fitted by Newton's method, and what of it the rows can tell.

``U(row, alternative) = offset + constant of its group + beta x price + omega x log purse``; *save* has 0.

A row is a choice; or, where choices to save were not seen, what a session's purchases and its stop were made
from. Such a session of k purchases has ``slots - k`` saves somewhere between them: its likelihood is the
purchases' times the sum, over all ways to place the saves, of the product of their chances.
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
        slots: Choices of a session; 1 where each was seen.
        session: [row]: the session, ascending; its purchases stand in their order, and the stop, if it has
            one, behind them as a row that bought nothing. None where each row is a choice that was seen.
    """

    names: tuple[str, ...]
    group: Ints
    chosen: Ints
    offset: Floats
    prices: tuple[Floats, ...]
    log_purse: Floats
    slots: int = 1
    session: Ints | None = None


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


class _Stops(NamedTuple):
    """Sessions that stopped, of one number of purchases.

    Attributes:
        rows: [session, state]: the purchases' rows and the stop's.
        ways: [way, state]: saves in each state, in every way in which they may have been placed.
    """

    rows: Ints
    ways: Ints


def fit(menu: Menu, start: Floats) -> Fit:
    """Maximise the likelihood; a direction that the rows do not tell keeps its place at ``start``.

    Args:
        menu: The choices.
        start: [coefficient]: where to begin.
    """
    stops = _stops(menu)
    at, here = start, _slope(menu, stops, start)
    for _ in range(_MOST_STEPS):
        seen, _ = _directions(here.information)
        step = seen @ here.gradient
        there = _slope(menu, stops, at + step)
        while there.log_likelihood < here.log_likelihood - _CONVERGED:
            step /= 2
            there = _slope(menu, stops, at + step)
        at, here = at + step, there
        if np.abs(step).max(initial=0.0) < _CONVERGED:
            break
    covariance, blind = _directions(here.information)
    return Fit(menu.names, at, covariance, _named(menu.names, blind), here.log_likelihood)


def _named(names: tuple[str, ...], blind: list[tuple[int, ...]]) -> dict[str, tuple[str, ...]]:
    return {
        names[place]: tuple(names[other] for other in group if other != place)
        for group in blind
        for place in group
    }


def log_likelihood(menu: Menu, coefficients: Floats) -> float:
    """Of what was chosen, at some coefficients."""
    return _slope(menu, _stops(menu), coefficients).log_likelihood


def information(menu: Menu, coefficients: Floats) -> Floats:
    """[coefficient, coefficient]: what the rows tell of each, at some coefficients."""
    return _slope(menu, _stops(menu), coefficients).information


def unseen_and_errors(names: tuple[str, ...], told: Floats) -> tuple[dict[str, tuple[str, ...]], Floats]:
    """What an information does not tell, as in ``Fit``, and the standard errors of the rest."""
    covariance, blind = _directions(told)
    return _named(names, blind), np.sqrt(np.diag(covariance))


def expected(menu: Menu, coefficients: Floats) -> tuple[Floats, Floats]:
    """How often each alternative, and *save* behind them, is chosen: the mean and its variance.

    Of several ``slots`` it is what is bought first, and a session that buys nothing.
    """
    chances, _ = _chances(menu, coefficients)
    saved = 1 - chances.sum(axis=1, keepdims=True)
    bought = np.where(saved < 1, (1 - saved**menu.slots) / np.maximum(1 - saved, 1e-300), 0)
    every = np.column_stack([chances * bought, saved**menu.slots])
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


def _stops(menu: Menu) -> list[_Stops]:
    """The sessions that did not buy in every slot, by how many purchases they have."""
    stopped = np.flatnonzero(menu.chosen == len(menu.group))
    if menu.session is None:
        return [_Stops(stopped[:, None], np.ones((1, 1), np.int64))]
    first = np.searchsorted(menu.session, menu.session[stopped])
    purchases = stopped - first
    return [
        _Stops(
            first[purchases == count][:, None] + np.arange(count + 1),
            np.array(_ways(menu.slots - count, count + 1)),
        )
        for count in range(menu.slots)
        if (purchases == count).any()
    ]


def _ways(saves: int, states: int) -> list[list[int]]:
    if states == 1:
        return [[saves]]
    return [[here, *rest] for here in range(saves + 1) for rest in _ways(saves - here, states - 1)]


def _slope(menu: Menu, stops: list[_Stops], coefficients: Floats) -> _Slope:
    chances, cut = _chances(menu, coefficients)
    bought = np.flatnonzero(menu.chosen < len(menu.group))
    took = np.zeros_like(chances)
    took[bought, menu.chosen[bought]] = 1
    with np.errstate(divide="ignore"):  # Under other prices what was bought may be out of reach.
        log_likelihood = np.log(chances[bought, menu.chosen[bought]]).sum()
    log_saved = np.log(np.maximum(1 - chances.sum(axis=1), np.finfo(float).tiny))
    chances, took = np.where(cut, 0, chances), np.where(cut, 0, took)
    mean = _moments(menu, chances)
    times = (menu.chosen < len(menu.group)).astype(float)  # Choices of each row: the purchase, and saves.
    unknown = np.zeros((len(menu.names), len(menu.names)))
    for rows, ways in stops:
        logs = log_saved[rows] @ ways.T
        most = logs.max(axis=1, keepdims=True)
        shares = np.exp(logs - most)
        log_likelihood += (most[:, 0] + np.log(shares.sum(axis=1))).sum()
        shares /= shares.sum(axis=1, keepdims=True)
        saves = shares @ ways
        times[rows] += saves
        if len(ways) > 1:
            unknown += _unknown(mean[rows], shares, ways, saves)
    gradient = _moments(menu, took).sum(axis=0) - times @ mean
    seen = _second_moment(menu, chances * times[:, None]) - (mean * times[:, None]).T @ mean
    return _Slope(float(log_likelihood), gradient, seen - unknown)


def _unknown(mean: Floats, shares: Floats, ways: Ints, saves: Floats) -> Floats:
    """[coefficient, coefficient]: what is not known since nobody saw where the saves were."""
    spread = np.einsum("nw,wi,wj->nij", shares, ways, ways) - saves[:, :, None] * saves[:, None, :]
    lost: Floats = np.einsum("nij,nip,njq->pq", spread, mean, mean, optimize=True)
    return lost


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
