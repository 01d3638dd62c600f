"""Days and headline of replications without their rows: for batches of many price lists, and for searches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.metrics import first_measured_day
from kokoromichi.analysis.metrics.flows import net_flow
from kokoromichi.analysis.metrics.headline import headline
from kokoromichi.analysis.metrics.supply import money_supply
from kokoromichi.analysis.observations import Observations
from kokoromichi.simulation import engines

if TYPE_CHECKING:
    from kokoromichi.simulation.played import Played
    from kokoromichi.simulation.scenario import Scenario

DAYS_SCHEMA: Final = pl.Schema(
    {
        "day": pl.Date(),
        "opening_gold": pl.Int64(),
        "faucets_gold": pl.Int64(),
        "sinks_gold": pl.Int64(),
        "active_players": pl.Int64(),
        "supply_gold": pl.Int64(),
    }
)


@dataclass(frozen=True, eq=False)
class Totals:
    """What is left of one replication when its rows are not kept.

    Attributes:
        days: One row per UTC day, ascending (``DAYS_SCHEMA``); supply is that of the day's close.
        headline: One row, the columns of ``headline``, with the warm-up cut as for a ``Run``.
    """

    days: pl.DataFrame
    headline: pl.DataFrame


def observed(scenario: Scenario, played: Played) -> Observations:
    """What a replication showed, over the whole horizon."""
    last_day = scenario.start + timedelta(days=scenario.days - 1)
    seen = Observations.from_frames(
        played.ledger,
        activity=played.activity,
        economy_history=played.economy_history,
        players=played.players,
    )
    return seen.over(scenario.start, last_day).loaded()  # A metric computed once serves all others.


def totals_of(scenario: Scenario, played: Played) -> Totals:
    """The totals of a replication whose rows are there."""
    seen = observed(scenario, played)
    supply = money_supply(seen).filter(pl.col("currency") == "gold").select("day", supply_gold="supply")
    days = net_flow(seen).join(supply, on="day", how="left").with_columns(pl.col("supply_gold").fill_null(0))
    return Totals(
        days.sort("day").select(DAYS_SCHEMA.names()).collect(),
        headline(seen, first_measured_day(scenario.days)),
    )


def play_totals(scenario: Scenario, seed: int, engine: str) -> Totals:
    """Play one replication for its totals.

    Args:
        scenario: What is simulated.
        seed: Seed of the replication.
        engine: COMPILED, which keeps no rows; FAITHFUL or BOTH, which keep them while they play.

    Raises:
        EnginesDisagreeError: Both played, and left different rows.
    """
    if engine != engines.COMPILED:
        return totals_of(scenario, engines.play(scenario, seed, engine))
    from kokoromichi.simulation.compiled.totals import compiled_totals  # noqa: PLC0415 - numba may be missing

    return compiled_totals(scenario, seed)
