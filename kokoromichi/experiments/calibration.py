"""What a calibration found: its table, its check on days that it has not seen, its population file."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
import tomlkit

from kokoromichi.analysis.tables import Table
from kokoromichi.experiments.logit import expected
from kokoromichi.simulation.archetypes import ARCHETYPES, Archetype

if TYPE_CHECKING:
    from kokoromichi.experiments.choices import Choices
    from kokoromichi.experiments.logit import Fit, Menu
    from kokoromichi.experiments.presence import Rate
    from kokoromichi.simulation.population import Population
    from kokoromichi.simulation.scenario import Scenario

RARE: Final = 10
"""Choices below which a liking is too rare to have an interval."""
_Z_95: Final = 1.959964
_DIGITS: Final = 4
_RANGES: Final = {"beta": (0.3, 3.0), "omega": (0.0, 2.0)}
_LIKINGS: Final = (-12.0, 6.0)
"""What an archetype may have; an estimate beyond is written as the end of the range."""


@dataclass(frozen=True, eq=False)
class Tastes:
    """What one archetype likes.

    Attributes:
        archetype: As the base has it.
        alternatives: Items, then services.
        chosen: How often each liking's alternatives were chosen.
        joint: The model's own coefficients, one price sensitivity for all prices.
        apart: The same with one of the store's prices and one of costs that grow by themselves.
        choices: Those that were fitted.
        held_out: Those that were not; of a bot's stream the first of each session.
    """

    archetype: Archetype
    alternatives: tuple[str, ...]
    chosen: dict[str, int]
    joint: Fit
    apart: Fit
    choices: Choices
    held_out: Menu

    @property
    def rows(self) -> int:
        """Choices that were fitted; of a bot's stream the purchases and stops."""
        return len(self.choices.chosen)

    def note(self, name: str, fit: Fit) -> str:
        """Why a coefficient has no interval, and what would give it one; empty where it has one."""
        count = self.chosen.get(name)
        if count == 0:
            return "never chosen: the base's number stays"
        if name in fit.unseen:
            others = fit.unseen[name]
            if name == "beta_store":
                return "cannot be learned from one price list: let prices differ for some weeks"
            return (
                f"cannot be told from {', '.join(others)}" if others else "cannot be learned: it never varied"
            )
        return f"too rare: chosen {count} times, below {RARE}" if count is not None and count < RARE else ""

    def changes(self) -> dict[str, object]:
        """The numbers of the archetype that the rows tell, by field, within its ranges."""
        changes: dict[str, object] = {}
        likings = dict(self.archetype.likings)
        for name, estimate in zip(self.joint.names, self.joint.estimate.tolist(), strict=True):
            if name in self.joint.unseen:
                continue
            low, high = _RANGES.get(name, _LIKINGS)
            value = round(min(max(estimate, low), high), _DIGITS)
            if name.startswith("likings."):
                likings[name.removeprefix("likings.")] = value
                changes["likings"] = likings
            else:
                changes[name] = value
        return changes


@dataclass(frozen=True, eq=False)
class Calibration:
    """Tastes by archetype, and how sure they are.

    Attributes:
        base: The scenario in which the players were seen.
        tastes: Of each archetype that was seen choosing, in the base's order.
        rates: How often they come, leave and come back.
        runs: Replications in which they were seen: so many economies, each of the same days.
    """

    base: Scenario
    tastes: tuple[Tastes, ...]
    rates: tuple[Rate, ...]
    runs: int = 1

    def table(self) -> pl.DataFrame:
        """Every coefficient with its uncertainty.

        Returns:
            One row per archetype and coefficient.

            - ``archetype``, ``coefficient`` (String): a field of ``Archetype``; ``beta_store`` and
              ``beta_costs`` are beta as the store's prices alone tell it, and as costs do that grow by
              themselves (of training, and the days until a business has repaid).
            - ``estimate`` (Float64): in utils; null where it cannot be learned.
            - ``se``, ``low``, ``high`` (Float64): standard error and 95 % interval; null where too rare too.
            - ``chosen`` (Int64): how often; null for a coefficient that is no liking.
            - ``identified`` (Boolean): whether the rows tell it, at ten choices or more.
            - ``note`` (String): why not, and what would help.
        """
        rows = [row for tastes in self.tastes for row in _rows(tastes)]
        names = {"archetype": pl.String(), "coefficient": pl.String()}
        numbers = dict.fromkeys(["estimate", "se", "low", "high"], pl.Float64())
        rest = {"chosen": pl.Int64(), "identified": pl.Boolean(), "note": pl.String()}
        return Table(rows, {**names, **numbers, **rest}, orient="row")

    def presence(self) -> pl.DataFrame:
        """How often players come, leave and come back.

        Returns:
            One row per archetype and number: ``archetype``, ``name`` (String), ``estimate``, ``se`` (Float64;
            sessions a day, or 1 / 100,000 a day), ``events`` (Int64, that were seen), ``note`` (String).
        """
        names = {"archetype": pl.String(), "name": pl.String()}
        numbers = {"estimate": pl.Float64(), "se": pl.Float64(), "events": pl.Int64(), "note": pl.String()}
        return Table(self.rates, {**names, **numbers}, orient="row")

    def check(self) -> pl.DataFrame:
        """Hold the fit against the days that it has not seen.

        Returns:
            One row per archetype and alternative, *save* last; of a bot's stream it is what a session buys
            first, and *save* is a session that buys nothing.

            - ``archetype``, ``alternative`` (String).
            - ``choices`` (Int64): occasions on those days.
            - ``chosen`` (Int64), ``expected`` (Float64): how often it was chosen, and would be by the fit.
            - ``share``, ``expected_share`` (Float64).
            - ``z`` (Float64): their distance in standard deviations of chance; null where none could be.
        """
        rows = []
        for tastes in self.tastes:
            menu = tastes.held_out
            count = len(menu.chosen)
            chosen = np.bincount(menu.chosen, minlength=len(menu.group) + 1)
            mean, variance = expected(menu, tastes.joint.estimate)
            for place, name in enumerate((*tastes.alternatives, "save")):
                seen, due, spread = int(chosen[place]), float(mean[place]), math.sqrt(variance[place])
                share, expected_share = (number / count if count else None for number in (seen, due))
                z = (seen - due) / spread if spread else None
                rows.append((tastes.archetype.name, name, count, seen, due, share, expected_share, z))
        names = {"archetype": pl.String(), "alternative": pl.String(), "choices": pl.Int64()}
        counts = {"chosen": pl.Int64(), "expected": pl.Float64()}
        shares = dict.fromkeys(["share", "expected_share", "z"], pl.Float64())
        return Table(rows, {**names, **counts, **shares}, orient="row")

    @property
    def population(self) -> Population:
        """The base's players with the tastes that were found; what cannot be learned stays."""
        population = self.base.population
        for tastes in self.tastes:
            name = tastes.archetype.name
            rates = [rate for rate in self.rates if rate.archetype == name and rate.told]
            changes = {**tastes.changes(), **{rate.name: rate.written for rate in rates}}
            population = population.with_archetype(name, changes)
        return population

    def drawn(self, dice: np.random.Generator) -> Population:
        """Players who might be the true ones: tastes drawn from the estimates' covariance."""
        population = self.population
        for tastes in self.tastes:
            known = np.nan_to_num(tastes.joint.covariance)  # What cannot be learned stays.
            estimate = dice.multivariate_normal(tastes.joint.estimate, known)
            drawn = replace(tastes, joint=replace(tastes.joint, estimate=estimate))
            population = population.with_archetype(tastes.archetype.name, drawn.changes())
        return population

    def write(self, path: str | Path) -> Path:
        """Write a population file that ``Scenario.with_population`` takes, with standard errors.

        Args:
            path: A ``.toml`` file; one that is there is replaced.

        Raises:
            OSError: The file cannot be written.
        """
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(tomlkit.dumps(self._document()), encoding="utf-8", newline="")
        return file

    def _document(self) -> tomlkit.TOMLDocument:
        told: dict[str, Any] = self.population.model_dump(mode="json", exclude={"name", "archetypes"})
        document = tomlkit.document()
        document.update({**told, "title": f"Calibrated: {self.base.population.title}"[:120]})
        tables = tomlkit.table(is_super_table=True)
        errors = {tastes.archetype.name: _errors(tastes.joint) for tastes in self.tastes}
        playing = {cohort.archetype for cohort in self.base.population.cohorts}
        for archetype in self.population.archetypes:
            if archetype.name not in playing:
                continue  # A file may say nothing of whom it has no cohort of.
            table = tomlkit.table()
            if archetype.name not in ARCHETYPES:
                table["like"] = next(iter(ARCHETYPES))  # All that differs from it is said.
            for field, value in archetype.model_dump(mode="json", exclude={"name"}).items():
                table[field] = value
                if error := errors.get(archetype.name, {}).get(field):
                    table[field].comment(f"standard error {error:.2g}")
            tables[archetype.name] = table
        document["archetypes"] = tables
        return document

    def __repr__(self) -> str:
        """How many choices were fitted, and what could not be learned."""
        rows, table = sum(tastes.rows for tastes in self.tastes), self.table()
        known = int(table["identified"].sum())
        return (
            f"<Calibration of {len(self.tastes)} archetypes on {rows:,} choices, "
            f"{known} of {table.height} coefficients identified>"
        )


def _errors(fit: Fit) -> dict[str, float]:
    found = zip(fit.names, fit.standard_error.tolist(), strict=True)
    return {name: error for name, error in found if not math.isnan(error)}


def _rows(tastes: Tastes) -> list[tuple[object, ...]]:
    shown = [(name, tastes.joint) for name in tastes.joint.names]
    shown += [(name, tastes.apart) for name in ("beta_store", "beta_costs")]
    rows: list[tuple[object, ...]] = []
    for name, fit in shown:
        place, note = fit.names.index(name), tastes.note(name, fit)
        learned = name not in fit.unseen
        estimate = float(fit.estimate[place]) if learned else None
        error = float(fit.standard_error[place]) if not note else None
        reach = None if error is None else _Z_95 * error
        low, high = (
            (None, None) if estimate is None or reach is None else (estimate - reach, estimate + reach)
        )
        chosen = tastes.chosen.get(name)
        rows.append((tastes.archetype.name, name, estimate, error, low, high, chosen, not note, note))
    return rows
