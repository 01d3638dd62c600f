"""Fitting the players to what was seen of them: tastes by archetype, and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from kokoromichi.analysis.observations import Observations
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.options import between
from kokoromichi.experiments.calibration import Calibration, Tastes
from kokoromichi.experiments.choices import SERVICES, seen_choices
from kokoromichi.experiments.logit import Menu, fit
from kokoromichi.experiments.presence import presence
from kokoromichi.simulation.archetypes import CATEGORIES
from kokoromichi.simulation.scenario import Scenario

if TYPE_CHECKING:
    from kokoromichi.analysis.live import Live
    from kokoromichi.experiments.choices import Choices
    from kokoromichi.experiments.logit import Fit, Floats, Ints
    from kokoromichi.simulation.run import Run

_HOLD_OUT: Final = 0.2


def calibrate(
    observations: Observations | Sequence[Observations] | Run | Live,
    base: Scenario | None = None,
    *,
    hold_out: float = _HOLD_OUT,
) -> Calibration:
    """Fit the demand model to spend choices that were seen, archetype by archetype.

    Every choice occasion must have been seen, those that bought nothing included, as a simulation's activity
    has them. How often players come and come back is fitted beside it, over all days. All else stays
    as the base has it: fights, reserve, goals, leaving, the appeal of single items (which cannot be told from
    the liking of a category) and the prices that players remember.
    Purchases of a goal are no choices, and are left out.

    Args:
        observations: What was seen, of one economy: a run, or one replication, or several.
        base: The scenario in which it was seen; the shipped baseline when left out.
        hold_out: Share of the days, the last ones, that ``check`` predicts and no fit sees; 0 to 1.

    Raises:
        MissingObservationsError: Activity, economy history or players were not observed.
        MisuseError: Nobody was seen choosing, or what was sold is not what the base sells.
    """
    share = between("hold_out", hold_out, 0, 1)
    scenario = Scenario.load("baseline") if base is None else base
    runs = _runs(observations)
    if not runs:
        raise MisuseError("calibrate() is given no observations; give it a run, or what was seen of one")
    tastes = tuple(_tastes(mine, share) for mine in seen_choices(runs, scenario))
    return Calibration(scenario, tastes, tuple(presence(runs, scenario)))


def _runs(observations: Observations | Sequence[Observations] | Run | Live) -> Sequence[Observations]:
    seen = observations if isinstance(observations, (Observations, Sequence)) else observations.observations
    return (seen,) if isinstance(seen, Observations) else seen


def _tastes(choices: Choices, hold_out: float) -> Tastes:
    cut = np.quantile(np.unique(choices.day), 1 - hold_out)
    fitted = choices.part(np.flatnonzero(choices.day <= cut))
    names = list(dict.fromkeys(choices.groups))
    group = np.array([names.index(one) for one in choices.groups])
    counts = np.bincount(np.append(group, len(names))[fitted.chosen], minlength=len(names) + 1)[:-1]
    labels = tuple(coefficient_of(name) for name in names)
    start = np.array(
        [*(_liking(choices, name) for name in names), choices.archetype.beta, choices.archetype.omega]
    )
    menu = _menu(fitted, labels, group, counts)
    return Tastes(
        choices.archetype,
        choices.alternatives,
        dict(zip(labels, counts.tolist(), strict=True)),
        fit(menu, start),
        _apart(menu, fitted, start),
        len(fitted.chosen),
        _menu(choices.part(np.flatnonzero(choices.day > cut)), labels, group, None),
    )


def coefficient_of(group: str) -> str:
    """The number of an archetype that is the liking for a category or a service."""
    return f"asc_{group}" if group in (*CATEGORIES, *SERVICES) else f"likings.{group}"


def _liking(choices: Choices, group: str) -> float:
    if group in SERVICES:
        liking: float = getattr(choices.archetype, f"asc_{group}")
        return liking
    return choices.archetype.liking(group)


def _menu(choices: Choices, labels: tuple[str, ...], group: Ints, counts: Ints | None) -> Menu:
    """The choices as the model reads them; what nobody chose is left out, which moves no other odds."""
    offset = choices.offset
    if counts is not None:
        offset = np.where(counts[group] == 0, -np.inf, offset)
    price = choices.store_price + choices.own_cost  # No alternative has both.
    return Menu((*labels, "beta", "omega"), group, choices.chosen, offset, (price,), choices.log_purse)


def _apart(menu: Menu, choices: Choices, start: Floats) -> Fit:
    """Price sensitivity seen from the store's prices, and from costs that grow by themselves."""
    names = (*menu.names[:-2], "beta_store", "beta_costs", "omega")
    both = menu._replace(names=names, prices=(choices.store_price, choices.own_cost))
    if not np.ptp(choices.store_price, axis=0).any():  # One list of prices tells nothing of another one.
        both = both._replace(
            offset=menu.offset + start[-2] * choices.store_price,
            prices=(np.zeros_like(choices.store_price), choices.own_cost),
        )
    return fit(both, np.array([*start[:-2], start[-2], *start[-2:]]))
