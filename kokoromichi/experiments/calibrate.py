"""Fitting the players to what was seen of them: tastes by archetype, and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from kokoromichi.analysis.observations import Observations
from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.calibration import Calibration, Tastes
from kokoromichi.experiments.choices import SERVICES, seen_choices
from kokoromichi.experiments.logit import Menu, fit
from kokoromichi.experiments.presence import presence
from kokoromichi.options import between
from kokoromichi.simulation.archetypes import CATEGORIES
from kokoromichi.simulation.scenario import Scenario, require_scenario

if TYPE_CHECKING:
    from kokoromichi.analysis.live import Live
    from kokoromichi.experiments.choices import Choices
    from kokoromichi.experiments.logit import Fit, Floats
    from kokoromichi.simulation.run import Run

_HOLD_OUT: Final = 0.2


def calibrate(
    observations: Observations | Sequence[Observations] | Run | Live,
    base: Scenario | None = None,
    *,
    hold_out: float = _HOLD_OUT,
    archetype: str | None = None,
) -> Calibration:
    """Fit the demand model to spend choices that were seen, archetype by archetype.

    A simulation's activity has every choice, those that bought nothing included. A bot's has the purchases
    of a session and then a stop: its likelihood sums over where the saves were among as many slots as the
    base says; archetypes with goals, which no bot sees, are left out, and so are sessions that bought what
    the archetype would not have touched. How often players come and come back is fitted beside it where a
    simulation saw it, over all days. All else stays as the base has it: fights, reserve, slots, goals,
    leaving, the appeal of single items (which cannot be told from the liking of a category) and the prices
    that players remember. Purchases of a goal are no choices, and are left out.

    Args:
        observations: What was seen, of one economy: a run, or one replication, or several.
        base: The scenario in which it was seen; the shipped baseline when left out.
        hold_out: Share of the days, the last ones, that ``check`` predicts and no fit sees; 0 to 1.
        archetype: That of all players, where nobody knows who is who, as in a live economy.

    Raises:
        MissingObservationsError: Activity or economy history was not observed.
        MisuseError: Nobody was seen choosing, nobody knows who is who, or what was sold is not what the base
            sells.
    """
    share = between("hold_out", hold_out, 0, 1)
    scenario = Scenario.load("baseline") if base is None else base
    require_scenario("calibrate", scenario)
    runs = _runs(observations)
    if not runs or not all(isinstance(run, Observations) for run in runs):
        raise MisuseError("calibrate() is given no observations; give it a run, or what was seen of one")
    tastes = tuple(_tastes(mine, share) for mine in seen_choices(runs, scenario, archetype))
    rates = presence(runs, scenario) if tastes[0].choices.session is None else []
    return Calibration(scenario, tastes, tuple(rates), len(runs))


def _runs(observations: Observations | Sequence[Observations] | Run | Live) -> Sequence[Observations]:
    seen = getattr(observations, "observations", observations)
    return (seen,) if isinstance(seen, Observations) else seen if isinstance(seen, Sequence) else ()


def _tastes(choices: Choices, hold_out: float) -> Tastes:
    cut = np.quantile(np.unique(choices.day), 1 - hold_out)
    fitted = choices.part(np.flatnonzero(choices.day <= cut))
    menu = menu_of(fitted)
    chosen = np.bincount(np.append(menu.group, -1)[fitted.chosen] + 1, minlength=len(menu.names) - 1)[1:]
    start = _start(choices)
    return Tastes(
        choices.archetype,
        choices.alternatives,
        dict(zip(menu.names, chosen.tolist(), strict=False)),
        fit(menu, start),
        _apart(menu, fitted, start),
        fitted,
        menu_of(_first(choices.part(np.flatnonzero(choices.day > cut))), unchosen=True),
    )


def _first(choices: Choices) -> Choices:
    """The first row of each session, which alone has a known number of slots before it."""
    if choices.session is None:
        return choices
    rows = np.unique(choices.session, return_index=True)[1]
    return replace(choices.part(rows), session=None)


def _start(choices: Choices) -> Floats:
    """What the base believes, in the order of a menu's names."""
    likings = (_liking(choices, name) for name in dict.fromkeys(choices.groups))
    return np.array([*likings, choices.archetype.beta, choices.archetype.omega])


def coefficient_of(group: str) -> str:
    """The number of an archetype that is the liking for a category or a service."""
    return f"asc_{group}" if group in (*CATEGORIES, *SERVICES) else f"likings.{group}"


def _liking(choices: Choices, group: str) -> float:
    if group in SERVICES:
        liking: float = getattr(choices.archetype, f"asc_{group}")
        return liking
    return choices.archetype.liking(group)


def menu_of(choices: Choices, *, unchosen: bool = False) -> Menu:
    """The choices as the model reads them.

    Args:
        choices: What was seen.
        unchosen: Whether what nobody chose stays; without it no other odds are moved.
    """
    names = list(dict.fromkeys(choices.groups))
    group = np.array([names.index(one) for one in choices.groups])
    offset = choices.offset
    if not unchosen:
        counts = np.bincount(choices.chosen, minlength=len(group) + 1)[:-1]
        by_group = np.bincount(group, counts, minlength=len(names))
        offset = np.where(by_group[group] == 0, -np.inf, offset)
    return Menu(
        (*map(coefficient_of, names), "beta", "omega"),
        group,
        choices.chosen,
        offset,
        (choices.store_price + choices.own_cost,),  # No alternative has both.
        choices.log_purse,
        choices.slots,
        choices.session,
    )


def apart_of(menu: Menu, choices: Choices) -> Menu:
    """The same with a price sensitivity for the store's prices and one for costs that grow by themselves."""
    names = (*menu.names[:-2], "beta_store", "beta_costs", "omega")
    return menu._replace(names=names, prices=(choices.store_price, choices.own_cost))


def _apart(menu: Menu, choices: Choices, start: Floats) -> Fit:
    both = apart_of(menu, choices)
    if not np.ptp(choices.store_price, axis=0).any():  # One list of prices tells nothing of another one.
        both = both._replace(
            offset=menu.offset + start[-2] * choices.store_price,
            prices=(np.zeros_like(choices.store_price), choices.own_cost),
        )
    return fit(both, np.array([*start[:-2], start[-2], *start[-2:]]))
