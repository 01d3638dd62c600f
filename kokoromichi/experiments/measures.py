"""What is read from one run for an experiment: the headline, and what single items sold."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from kokoromichi.analysis.metrics.headline import NOT_NEGATIVE, POSSIBLE
from kokoromichi.analysis.metrics.retention import AGES_DAYS
from kokoromichi.core.errors import MisuseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A number of one run, and what may be said of it.

    Attributes:
        title: In words, for charts and reports.
        unit: Of the number, empty for a share or a ratio.
        possible: The least and the most that it can be.
        step: The smallest amount by which it can differ in one run; 0 where it has none.
        per_player: Whether ``step`` is that of one player, so that it shrinks with their number.
        absolute: The change, in the number's unit, that is too small to matter; None for a share of the base.
        assumed: Whether the players' model assumes it rather than predicts it: it hardly answers prices.
        tested: Whether a verdict is given; a median over whole days is shown alone.
    """

    title: str
    unit: str = ""
    possible: tuple[float, float] = (-math.inf, math.inf)
    step: float = 0.0
    per_player: bool = False
    absolute: float | None = None
    assumed: bool = False
    tested: bool = True

    @property
    def label(self) -> str:
        """Title and unit, for an axis or a row of a table; a title that has the unit in it stands alone."""
        return self.title if self.unit in self.title.lower() else f"{self.title}, {self.unit}"

    def smallest_step(self, players: int) -> float:
        """The smallest amount by which the number can differ in one run of so many players."""
        return self.step / players if self.per_player else self.step


_KNOWN: Final[Mapping[str, Measure]] = {
    "supply_gold": Measure(title="Supply at the end", unit="gold", step=1),
    "active_supply_gold": Measure(title="Supply of active players", unit="gold", step=1),
    "spent_gold": Measure(title="Gold spent", unit="gold", step=1),
    "net_flow_gold_per_active_player_day": Measure(
        title="Net flow", unit="gold per active player and day", absolute=1.0
    ),
    "sink_faucet_ratio": Measure(title="Sinks / faucets"),
    "velocity_per_day": Measure(title="Velocity", unit="1/day"),
    "gini": Measure(title="Gini of balances"),
    "top_1_share": Measure(title="Share of the richest 1 %"),
    "top_10_share": Measure(title="Share of the richest 10 %"),
    "mean_wait_days": Measure(title="Mean wait within 30 days", unit="days", step=1, per_player=True),
    "wait_days": Measure(title="Median wait", unit="days", step=1, tested=False),
    "units_sold": Measure(title="Units sold", unit="units", step=1),
    **{
        f"retention_d{day}": Measure(title=f"Retention on day {day}", step=1, per_player=True, assumed=True)
        for day in AGES_DAYS
    },
    "acts_per_active_player_day": Measure(title="Acts", unit="per active player and day"),
}
MEASURES: Final[Mapping[str, Measure]] = {
    name: replace(measure, possible=POSSIBLE[name]) for name, measure in _KNOWN.items()
}
"""The numbers of the headline by their names, in the order in which they are shown."""


def measure_of(metric: str) -> Measure:
    """The measure of a target, which may say whose wait it is: ``wait_days.treasure_chest.casual``."""
    column, *whose = metric.split(".")
    measure = MEASURES[column]
    return replace(measure, title=", ".join((measure.title, *whose)).replace("_", " "))


_ITEM_MEASURES: Final[Mapping[str, Measure]] = {
    "units": Measure(title="units sold", unit="units", possible=NOT_NEGATIVE, step=1),
    "revenue_gold": Measure(title="revenue", unit="gold", possible=NOT_NEGATIVE, step=1),
}


def item_measures(items: Iterable[str]) -> dict[str, Measure]:
    """The measures of single items: ``<item>.units`` and ``<item>.revenue_gold``."""
    return {
        f"{item}.{name}": replace(measure, title=f"{item.replace('_', ' ').capitalize()}, {measure.title}")
        for item in items
        for name, measure in _ITEM_MEASURES.items()
    }


def require_measures(names: Iterable[str], known: Mapping[str, Measure], asked_by: str) -> None:
    """Refuse a name that no run has a number for.

    Raises:
        MisuseError: Names the nearest ones.
    """
    for name in names:
        if name not in known:
            nearest = ", ".join(get_close_matches(name, known) or known)
            raise MisuseError(f"{asked_by}: no run has a number {name!r}; did you mean one of {nearest}?")
