"""A point of a search as an economy: validated, held against other players, told apart, written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from kokoromichi.analysis.tables import Table
from kokoromichi.analysis.targets import spelled
from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.robustness import Robustness
from kokoromichi.experiments.seed_runs import headlines, item_waits
from kokoromichi.experiments.trials import Trial
from kokoromichi.options import whole, whole_seed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kokoromichi.analysis.targets import Targets
    from kokoromichi.experiments.seed_runs import Numbers
    from kokoromichi.simulation.population import Population
    from kokoromichi.simulation.scenario import Scenario


@dataclass(frozen=True, eq=False)
class Candidate:
    """A point of the search as an economy.

    Attributes:
        values: What was turned: amounts and factors, by path.
        scenario: The base with these numbers.
        numbers: What its runs showed, pooled.
        targets: What was wanted.
        base: What was turned from.
        engine: What plays it.
        seed: Of the search that found it.
    """

    values: Mapping[str, float]
    scenario: Scenario
    numbers: Numbers
    targets: Targets
    base: Scenario
    engine: str
    seed: int

    @property
    def met(self) -> bool:
        """Whether the pooled runs of the search meet every target; ``validate`` asks runs of its own."""
        return self.targets.met(self.numbers)

    def validate(self, replications: int = 50, seed: int = 999) -> pl.DataFrame:
        """Play it under seeds that the search has not seen.

        Args:
            replications: How many.
            seed: Another one than the search's.

        Returns:
            One row per target: ``metric``, ``target`` (String), ``value`` (Float64, pooled over the runs,
            infinite beyond the horizon), ``met`` (Boolean), ``runs_met``, ``runs`` (Int64).
        """
        replications = whole("replications", replications, 1, 1_000_000)
        if whole_seed(seed) == self.seed:
            raise MisuseError(
                f"seed {seed} is the search's own: what it chose is best there; take another one"
            )
        trial = Trial(0, (), self.fresh(replications, seed))
        pooled = trial.pooled()
        rows = [
            (
                name,
                str(band),
                pooled[name],
                band.holds(pooled[name]),
                sum(band.holds(run[name]) for run in trial.runs),
                replications,
            )
            for name, band in self.targets.items()
        ]
        schema = {"metric": pl.String(), "target": pl.String(), "value": pl.Float64(), "met": pl.Boolean()}
        counts = {"runs_met": pl.Int64(), "runs": pl.Int64()}
        return Table(rows, {**schema, **counts}, orient="row")

    def fresh(
        self, replications: int, seed: int, population: Population | None = None
    ) -> tuple[Numbers, ...]:
        """What runs under a seed show, in their order; of other players where a population is given."""
        scenario = self.scenario if population is None else self.scenario.with_population(population)
        runs, waits = [((), number) for number in range(replications)], item_waits(self.targets, self.base)
        return tuple(headlines(runs, lambda _point: scenario, seed, self.engine, waits))

    def robustness(
        self, populations: Sequence[Population], replications: int = 8, seed: int = 997
    ) -> Robustness:
        """Hold it against players who are a little different: under how many of them the targets are met.

        Args:
            populations: Such as ``km.plausible(base, 40)`` or ``km.plausible(calibration, 40)``.
            replications: Runs of each, under the same seeds.
            seed: Of the runs.

        Raises:
            MisuseError: There are fewer than two populations, or a count is wrong.
        """
        if len(populations) < 2:  # noqa: PLR2004 - one says nothing of a share
            raise MisuseError("robustness needs two populations or more: km.plausible(base, 40)")
        replications = whole("replications", replications, 2, 1_000_000)
        return Robustness(
            self.targets,
            tuple(self.fresh(replications, seed, population) for population in populations),
        )

    def diff(self) -> pl.DataFrame:
        """What differs from the base: one row per number, ``path``, ``before``, ``after`` (String)."""
        changed = changed_numbers(self.base, self.scenario)
        rows = [(path, str(old), str(new)) for path, old, new in changed]
        schema = {"path": pl.String(), "before": pl.String(), "after": pl.String()}
        return Table(rows, schema, orient="row")

    def write(self, path: str | Path) -> Path:
        """Write the numbers into an economy's file, in which comments and order stay; answers its path.

        Args:
            path: An ``economy.toml`` that is there: the one that the bot loads, or a copy.

        Raises:
            EconomyError: The file with the numbers is refused, or breaks a law that it kept before; the file
                stays as it was.
            MisuseError: There is no such file.
        """
        from kokoromichi.experiments.writing import write_numbers  # noqa: PLC0415 - a notebook may never write

        return write_numbers(Path(path), list(changed_numbers(self.base, self.scenario)))

    def __repr__(self) -> str:
        """What was turned, and whether the targets are met."""
        turned = ", ".join(f"{path} {spelled(value)}" for path, value in self.values.items())
        return f"<Candidate {turned}: {'met' if self.met else 'missed'}>"


def changed_numbers(base: Scenario, other: Scenario) -> Iterator[tuple[str, object, object]]:
    """The numbers in which two economies differ: path, before, after; lists whole."""
    yield from _differing("", base.economy.config.tree(), other.economy.config.tree())


def _differing(before: str, old: Any, new: Any) -> Iterator[tuple[str, object, object]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old:
            yield from _differing(f"{before}.{key}" if before else key, old[key], new[key])
    elif old != new:
        yield before, old, new
