"""The campaign: its size, its runs, each played once, and what is measured on them.

Among the slow tests it is small: fewer players, seeds and items, such that each statement still holds with
room to spare. The full one is the same tests, with the sizes that ``make campaign`` sets, all in one command.
Its runs are kept, so that an interrupted one goes on; ``make campaign CAMPAIGN_PAIRS=30`` adds paired runs
to those that are there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import polars as pl
from filelock import FileLock
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

import kokoromichi as km

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FULL_PLAYERS: Final = 500
"""From this size on the statements about sizes hold, and not only those about signs."""
FULL_PAIRS: Final = 10
RAISE_PERCENT: Final = 120


class Size(BaseSettings):
    """How large a campaign is, by environment variables that begin with ``CAMPAIGN_``.

    Attributes:
        players: Of the scenarios.
        seeds: Replications of each scenario.
        sound_seeds: Replications of those scenarios that only have to be sound.
        pair_players: Of the paired runs.
        pair_days: Their horizon.
        pairs: Paired runs of each item.
        items: Whose prices are raised, one at a time, with commas between; or ``all``.
        year_players: Of the run over 365 days.
        workers: As for ``simulate``; a small run is over before a process has started.
        out: Where runs are kept; a temporary folder when left out.
    """

    model_config = SettingsConfigDict(env_prefix="CAMPAIGN_")

    players: int = 120
    seeds: int = 3
    sound_seeds: int = 1
    pair_players: int = 160
    pair_days: int = 30
    pairs: int = 5
    items: str = "health_potion,wooden_chest,ema_plaque"
    year_players: int = 80
    workers: str = "serial"
    out: str | None = Field(default=None, min_length=1)


@dataclass
class Campaign:
    """The runs of a campaign, each played when it is first asked for.

    Attributes:
        size: How large it is.
        folder: Where its runs are.
    """

    size: Size
    folder: Path
    _runs: dict[str, km.Run] = field(default_factory=dict)

    def scenario(self, name: str, *, replications: int | None = None) -> km.Run:
        """The run of a shipped scenario over 90 days."""
        return self.played(name, km.Scenario.load(name, players=self.size.players), replications)

    def played(
        self, label: str, scenario: km.Scenario, replications: int | None = None, seed: int = 1
    ) -> km.Run:
        """The run of a scenario, under the label of its folder; all runs of one seed are paired."""
        if label not in self._runs:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(
                self.folder / f"{label.replace('/', '-')}.lock"
            ):  # Who comes second finds it played.
                self._runs[label] = km.simulate(
                    scenario,
                    replications=replications or self.size.seeds,
                    seed=seed,
                    workers=self.size.workers,
                    out=self.folder / label,
                )
        return self._runs[label]

    # Elasticities: one price is raised by a fifth, with unlimited stock.

    @property
    def items(self) -> list[str]:
        """The items whose prices are raised."""
        store = km.Scenario.load("baseline").economy.config.store
        return list(store) if self.size.items == "all" else self.size.items.split(",")

    def endless(self) -> km.Scenario:
        """The baseline with unlimited stock, all archetypes in numbers that show something."""
        base = km.Scenario.load("baseline", players=self.size.pair_players, days=self.size.pair_days)
        if self.size.pair_players < FULL_PLAYERS:
            each = self.size.pair_players // len(base.population.cohorts)
            cohorts = [cohort.model_copy(update={"players": each}) for cohort in base.population.cohorts]
            base = base.with_population(base.population.model_copy(update={"cohorts": tuple(cohorts)}))
        return base.with_economy({"store.*.stock": None, "store.*.restock_units": 0})

    def base_units(self) -> list[pl.DataFrame]:
        """Units sold by archetype and item in each of the paired runs."""
        return units(self.played("pairs/base", self.endless(), self.size.pairs, seed=2))

    def raised_units(self, item: str) -> list[pl.DataFrame]:
        """The same with one price raised."""
        base = self.endless()
        dearer = base.scaled({f"store.{item}.price_gold": RAISE_PERCENT / 100})
        return units(self.played(f"pairs/{item}", dearer, self.size.pairs, seed=2))


def units(run: km.Run) -> list[pl.DataFrame]:
    """What was bought in each replication: archetype, item_id, units, gold."""
    return [
        observations.ledger.filter(pl.col("kind") == "purchase")
        .join(observations.players, on="user_id")
        .group_by("archetype", "item_id")
        .agg(units=pl.col("quantity").sum(), gold=-pl.col("amount").sum())
        .collect()
        for observations in run.observations
    ]


def log_ratio(after: float, before: float) -> float:
    """The elasticity of a quantity in a price that rose by a fifth, as logarithms measure it."""
    return math.log(after / before) / math.log(RAISE_PERCENT / 100)


def gold(run: km.Run, metric: str, column: str, **options: object) -> pl.DataFrame:
    """One column of a metric for gold, with its replication and what it is grouped by."""
    frame = run.metric(metric, **options).filter(pl.col("currency") == "gold")
    return frame.select(
        "replication", *(c for c in ("archetype", "direction", "kind") if c in frame.columns), column
    )


def headline(run: km.Run, name: str) -> Sequence[float]:
    """A number of the headline in each replication."""
    values: list[float] = run.headlines[name].to_list()
    return values


def there_at_the_end(run: km.Run) -> list[int]:
    """Players who are not away when the horizon ends, in each replication."""
    counts = []
    for observations in run.observations:
        turns = observations.activity.filter(pl.col("act").is_in(["leave", "return"])).sort(
            "at", maintain_order=True
        )
        last = turns.group_by("user_id", maintain_order=True).agg(pl.col("act").last()).collect()
        counts.append(run.manifest["players"] - last.filter(pl.col("act") == "leave").height)
    return counts
