"""Which lists of prices would tell how sensitive players are to them, before anybody has seen one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import polars as pl

from kokoromichi.analysis.tables import Table
from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.calibrate import apart_of, menu_of
from kokoromichi.experiments.logit import information, unseen_and_errors
from kokoromichi.options import between, whole
from kokoromichi.simulation.streams import MAX_DAYS

if TYPE_CHECKING:
    from kokoromichi.experiments.calibration import Calibration, Tastes
    from kokoromichi.experiments.logit import Floats
    from kokoromichi.simulation.scenario import Scenario

Week: TypeAlias = Mapping[str, int]
"""Percent of the list price by category of the catalogue; what is not named stays."""

WEEK_DAYS: Final = 7
_STORE: Final = "beta_store"
_DEAREST_PERCENT: Final = 1_000
_PROPOSED: Final = "proposed"
_CANNOT: Final = "cannot be learned from one price list"
_SAMPLE: Final = 4_000
"""Choices of an archetype that a proposal is searched with."""


@dataclass(frozen=True, eq=False)
class PricePlans:
    """Plans of price lists, and what each would tell of the store's price sensitivity.

    Attributes:
        base: The scenario whose players see them.
        precision: The standard error wanted.
        plans: A list of prices a week, by name; ``proposed`` is the best that was found within the guardrail.
        rows: As ``table`` has them.
    """

    base: Scenario
    precision: float
    plans: Mapping[str, Sequence[Week]]
    rows: tuple[tuple[object, ...], ...]

    def table(self) -> pl.DataFrame:
        """What each plan would tell of each archetype.

        Returns:
            One row per plan and archetype.

            - ``plan``, ``archetype`` (String).
            - ``weeks`` (Int64): of the plan.
            - ``lists`` (Int64): different lists of prices in it.
            - ``predicted_se`` (Float64): of ``beta_store`` after the plan, in utils; null where it cannot be
              learned.
            - ``weeks_needed`` (Int64): of the same plan over and over, until the standard error is as small
              as wanted; null where it never is.
            - ``note`` (String): why not.
        """
        names = {"plan": pl.String(), "archetype": pl.String(), "weeks": pl.Int64(), "lists": pl.Int64()}
        found = {"predicted_se": pl.Float64(), "weeks_needed": pl.Int64(), "note": pl.String()}
        return Table(self.rows, {**names, **found}, orient="row")

    def scenario(self, plan: str = _PROPOSED) -> Scenario:
        """The base over the weeks of a plan, with its prices.

        Raises:
            MisuseError: There is no such plan.
        """
        if plan not in self.plans:
            raise MisuseError(f"there is no plan {plan!r}; there are: {', '.join(self.plans)}")
        weeks = self.plans[plan]
        scenario = self.base.replace(days=WEEK_DAYS * len(weeks))
        for number, week in enumerate(weeks):
            for percent in sorted(set(week.values())):
                categories = [name for name, value in week.items() if value == percent]
                first = WEEK_DAYS * number
                scenario = scenario.with_sale(
                    percent=percent, from_day=first, days=WEEK_DAYS, categories=categories
                )
        return scenario

    def __repr__(self) -> str:
        """How long the proposal takes."""
        needed = self.table().filter(plan=_PROPOSED)["weeks_needed"].max()
        return f"<PricePlans: {len(self.plans)}, proposed to se {self.precision:g} in {needed!r} weeks>"


def plan_prices(
    mine: Calibration,
    *,
    precision: float = 0.2,
    percent: int = 20,
    weeks: int = 12,
    plans: Mapping[str, Sequence[Week]] | None = None,
) -> PricePlans:
    """Predict what plans of price lists would tell of the store's price sensitivity, and propose one.

    The players are those of the calibration, in the same places, with the tastes that were found; how many
    they are and how often they choose is what was seen. The proposal raises half of the categories and lowers
    the other half each week, so that the price level stays, and takes the lists one after the other that tell
    most together with those before.

    Args:
        mine: What was found of the players, by whichever prices.
        precision: Standard error wanted of ``beta_store``, in utils.
        percent: The guardrail: how far a price may move, in percent of the list price; 1 to 90.
        weeks: Of each plan.
        plans: Further ones, by name: a mapping of category to percent of the list price for each week.

    Raises:
        MisuseError: An option or a plan's price is out of its range, or a plan names what is no category.
    """
    wanted = between("precision", precision, 0.001, 10)
    moved, count = whole("percent", percent, 1, 90), whole("weeks", weeks, 1, MAX_DAYS // WEEK_DAYS)
    lists = _Lists(mine)
    every = {**_shipped(lists.categories, moved, count), **(plans or {})}
    named = {name for plan in every.values() for week in plan for name in week}
    if unknown := sorted(named - {*lists.categories}):
        raise MisuseError(f"{unknown[0]!r} is no category; there are: {', '.join(lists.categories)}")
    for one in (one for plan in every.values() for week in plan for one in week.values()):
        whole("percent of the list price", one, 1, _DEAREST_PERCENT)
    every[_PROPOSED] = _proposed(lists, moved, count)
    rows = [_row(name, plan, tastes, lists, wanted) for name, plan in every.items() for tastes in mine.tastes]
    return PricePlans(mine.base, wanted, every, tuple(rows))


def _shipped(categories: Sequence[str], percent: int, weeks: int) -> dict[str, list[Week]]:
    """What one might do without a plan."""
    turns = [{categories[week % len(categories)]: 100 - percent} for week in range(weeks)]
    sale: list[Week] = [{} for _ in range(weeks)]
    sale[weeks // 2] = dict.fromkeys(categories, 100 - percent)
    return {"one list": [{}] * weeks, "one sale week": sale, "a category a week": [*turns]}


class _Lists:
    """What a week under a list of prices tells of each archetype."""

    def __init__(self, mine: Calibration) -> None:
        self._base, self._runs = mine.base, mine.runs
        self.everyone = mine.tastes
        self.categories = tuple(dict.fromkeys(item.category for item in mine.base.economy.catalogue))
        self._of_weeks: dict[tuple[str, int, tuple[tuple[str, int], ...]], Floats] = {}

    def of_week(self, tastes: Tastes, week: Week, most: int = 0) -> Floats:
        """[coefficient, coefficient]: the information of one week.

        Args:
            tastes: Of whom.
            week: The list.
            most: Choices that are looked at; 0 for all.
        """
        key = tastes.archetype.name, most, tuple(sorted(week.items()))
        if key not in self._of_weeks:
            self._of_weeks[key] = self._information(tastes, week, most)
        return self._of_weeks[key]

    def _information(self, tastes: Tastes, week: Week, most: int) -> Floats:
        choices = tastes.choices
        days = int(np.ptp(choices.day)) + 1
        part = choices if not most else choices.part(np.arange(min(most, len(choices.chosen))))
        economy = self._base.economy
        prices = {
            f"store.{item.id}.price_gold": economy.config.store[item.id].price_gold * percent // 100
            for item in economy.catalogue
            if (percent := week.get(item.category, 100)) != 100  # noqa: PLR2004 - of the list price
        }
        under = part.under(self._base, economy.with_values(prices) if prices else economy)
        menu = apart_of(menu_of(under), under)
        at = np.array([*tastes.joint.estimate[:-1], *tastes.joint.estimate[-2:]])
        return (
            information(menu, at) * (len(choices.chosen) / len(part.chosen)) * (WEEK_DAYS / days / self._runs)
        )


def _error(tastes: Tastes, learned: Floats) -> float | None:
    """The standard error of the store's price sensitivity, or None where it cannot be learned."""
    unseen, errors = unseen_and_errors(tastes.apart.names, learned)
    return None if _STORE in unseen else float(errors[tastes.apart.names.index(_STORE)])


def _row(
    name: str, plan: Sequence[Week], tastes: Tastes, lists: _Lists, precision: float
) -> tuple[object, ...]:
    different = len({tuple(sorted(week.items())) for week in plan})
    learned = np.sum([lists.of_week(tastes, week) for week in plan], axis=0)
    error = _error(tastes, learned) if different > 1 else None
    needed = None if error is None else max(1, math.ceil(len(plan) * (error / precision) ** 2))
    note = _CANNOT if error is None else ""
    return (name, tastes.archetype.name, len(plan), different, error, needed, note)


def _proposed(lists: _Lists, percent: int, weeks: int) -> list[Week]:
    """Lists one after the other, each the one that makes the worst standard error smallest."""
    half = len(lists.categories) // 2
    up, down = 100 + percent, 100 - percent
    candidates: list[Week] = [
        {name: up if name in raised else down for name in lists.categories}
        for raised in combinations(lists.categories, half)
    ]
    chosen: list[Week] = []
    sums = [np.zeros_like(tastes.apart.covariance) for tastes in lists.everyone]
    for _ in range(weeks):
        scores = [_worst(lists, sums, week) for week in candidates]
        chosen.append(candidates[int(np.argmin(scores))])
        sums = [
            learned + lists.of_week(tastes, chosen[-1], _SAMPLE)
            for learned, tastes in zip(sums, lists.everyone, strict=True)
        ]
    return chosen


def _worst(lists: _Lists, sums: Sequence[Floats], week: Week) -> float:
    errors = [
        _error(tastes, learned + lists.of_week(tastes, week, _SAMPLE))
        for learned, tastes in zip(sums, lists.everyone, strict=True)
    ]
    return max(math.inf if error is None else error for error in errors)
