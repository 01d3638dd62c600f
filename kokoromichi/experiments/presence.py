"""How often players come, leave and come back, as it was seen: rates with their standard errors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import polars as pl

from kokoromichi.simulation.presence import leave_chance
from kokoromichi.simulation.streams import MAX_SESSIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kokoromichi.analysis.observations import Observations
    from kokoromichi.experiments.logit import Floats, Ints
    from kokoromichi.simulation.archetypes import Archetype
    from kokoromichi.simulation.scenario import Scenario

PER_DAY: Final = 100_000
"""Chances to leave and to return are in 1 / 100,000 a day."""
FEW: Final = 10
"""Events below which a number stays the base's."""
_RATES: Final = np.linspace(0.02, 6.0, 600)
"""Rates between which one is found by interpolation; sessions are cut at four a day long before the last."""


class Rate(NamedTuple):
    """One number of an archetype's presence.

    Attributes:
        archetype: Whose.
        name: ``rate_per_day``, ``leave_chance`` or ``return_chance``, as ``Archetype`` has it.
        estimate: In its unit; None where nobody was there to tell.
        se: Its standard error.
        events: Sessions, leavings or returns that were seen.
        note: What it is not; empty where it is the archetype's number.
    """

    archetype: str
    name: str
    estimate: float | None
    se: float | None
    events: int
    note: str

    @property
    def told(self) -> bool:
        """Whether a population may take it: it is the archetype's own number, and often enough seen."""
        return self.events >= FEW and not self.note

    @property
    def written(self) -> float | int:
        """As ``Archetype`` takes it."""
        value = self.estimate or 0.0
        return (
            round(min(max(value, 0.3), 4.0), 4) if self.name == "rate_per_day" else min(round(value), PER_DAY)
        )


class _Panel(NamedTuple):
    """Days of the players of one archetype; each [player, day]."""

    sessions: Ints
    age_days: Ints
    there: NDArray[np.bool_]
    left: NDArray[np.bool_]
    returned: NDArray[np.bool_]


def presence(runs: Sequence[Observations], base: Scenario) -> list[Rate]:
    """The presence of each archetype of a base that was seen.

    Args:
        runs: What was seen, with activity and players.
        base: When it began, and whose weekdays and activity players are believed to have.
    """
    panels = [_panels(seen, base) for seen in runs]
    found = []
    for archetype in base.population.archetypes:
        mine = [panel[archetype.name] for panel in panels if archetype.name in panel]
        if mine:
            found += [*_rate(mine, archetype, base), *_turns(mine, archetype)]
    return found


def _panels(seen: Observations, base: Scenario) -> dict[str, _Panel]:
    turns = ("session", "leave", "return")
    # Who leaves does so as the day ends: the instant may be the first one of the next day.
    day = (pl.col("at").dt.offset_by("-1us").dt.date() - pl.lit(base.start)).dt.total_days()
    acts = seen.activity.filter(pl.col("act").is_in(turns)).select(
        "user_id", "act", day=pl.when(pl.col("act") == "session").then(_day(base)).otherwise(day)
    )
    players, rows = seen.players.with_row_index("player").collect(), acts.collect()
    days = int(rows["day"].max() or 0) + 1  # type: ignore[arg-type]  # Of a column of integers.
    rows = rows.join(players.select("user_id", "player"), on="user_id")
    counts = {turn: np.zeros((players.height, days), np.int64) for turn in turns}
    for turn, table in counts.items():
        mine = rows.filter(act=turn)
        np.add.at(table, (mine["player"].to_numpy(), mine["day"].to_numpy()), 1)
    age_days = np.arange(days) - players["arrival_day"].to_numpy()[:, None]
    left, returned = counts["leave"] > 0, counts["return"] > 0
    turned = left.astype(np.int64) - returned
    away = np.cumsum(turned, axis=1) - turned > 0  # Both take effect on the day after.
    there = (age_days >= 0) & ~away
    names = players["archetype"].to_numpy()
    whole = _Panel(counts["session"], age_days, there, left, returned)
    return {name: _Panel(*(table[names == name] for table in whole)) for name in set(names)}


def _day(base: Scenario) -> pl.Expr:
    return (pl.col("at").dt.date() - pl.lit(base.start)).dt.total_days()


def _rate(panels: Sequence[_Panel], archetype: Archetype, base: Scenario) -> list[Rate]:
    """Sessions a day at usual activity; the day of arrival, which has one anyway, is left out."""
    if archetype.scripted_percent:
        return []
    population = base.population
    tables = np.array(
        [
            np.mean(
                [_mean_sessions(_RATES * week * each / 10_000) for each in population.activity_percent],
                axis=0,
            )
            for week in population.week_percent
        ]
    )
    counted = [panel.there & (panel.age_days > 0) for panel in panels]
    sessions = sum(int(panel.sessions[days].sum()) for panel, days in zip(panels, counted, strict=True))
    by_weekday = np.sum([_by_weekday(days).sum(axis=0) for days in counted], axis=0)
    total = by_weekday @ tables
    if not by_weekday.sum():
        return [Rate(archetype.name, "rate_per_day", None, None, 0, "nobody was there for a second day")]
    rate = float(np.interp(sessions, total, _RATES))
    slope = float(np.interp(rate, _RATES, np.gradient(total, _RATES)))
    means = np.array([np.interp(rate, _RATES, table) for table in tables])
    beside = [
        (np.where(days, panel.sessions, 0).sum(axis=1) - _by_weekday(days) @ means)
        for panel, days in zip(panels, counted, strict=True)
    ]  # A player's days share an activity: players, not days, are the sample.
    error = math.sqrt(float(sum((one**2).sum() for one in beside))) / slope
    return [Rate(archetype.name, "rate_per_day", rate, error, sessions, "")]


def _mean_sessions(means: Floats) -> Floats:
    """Of a Poisson number that is cut at ``MAX_SESSIONS``."""
    chances = np.array([np.exp(-means) * means**k / math.factorial(k) for k in range(MAX_SESSIONS)])
    beyond = 1 - np.cumsum(chances, axis=0)
    mean: Floats = beyond.sum(axis=0)
    return mean


def _by_weekday(days: NDArray[np.bool_]) -> Floats:
    """[player, weekday]: how many of the days, Monday first: a scenario starts on one."""
    return np.stack([days[:, weekday::7].sum(axis=1) for weekday in range(7)], axis=1).astype(float)


def _turns(panels: Sequence[_Panel], archetype: Archetype) -> list[Rate]:
    weights = np.vectorize(lambda age: leave_chance(1, age, 0, 0, 0, 0))
    left = sum(int((panel.left & panel.there).sum()) for panel in panels)
    exposed = sum(int(weights(panel.age_days)[panel.there].sum()) for panel in panels)
    returned = sum(int(panel.returned.sum()) for panel in panels)
    away = sum(int(((panel.age_days >= 0) & ~panel.there).sum()) for panel in panels)
    reasons = "all reasons together: unmet wishes and boredom as well, which the model adds to it"
    return [
        _chance(archetype.name, "leave_chance", left, exposed, reasons),
        _chance(archetype.name, "return_chance", returned, away, ""),
    ]


def _chance(archetype: str, name: str, events: int, days: int, note: str) -> Rate:
    if not days:
        return Rate(archetype, name, None, None, events, "no day tells it")
    chance = events / days
    return Rate(
        archetype, name, PER_DAY * chance, PER_DAY * math.sqrt(chance * (1 - chance) / days), events, note
    )
