"""Days and headline of replications without their rows: for searches over many price lists."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.metrics import first_measured_day
from kokoromichi.analysis.metrics.flows import net_flow
from kokoromichi.analysis.metrics.headline import headline
from kokoromichi.analysis.metrics.supply import money_supply
from kokoromichi.analysis.observations import Observations
from kokoromichi.core.errors import MisuseError
from kokoromichi.simulation import engines
from kokoromichi.simulation.batch import replication_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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


def totals_of(scenario: Scenario, played: Played) -> Totals:
    """The totals of a replication whose rows are there."""
    last_day = scenario.start + timedelta(days=scenario.days - 1)
    seen = Observations.from_frames(
        played.ledger,
        activity=played.activity,
        economy_history=played.economy_history,
        players=played.players,
    ).over(scenario.start, last_day)
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


def search(
    scenarios: Sequence[Scenario],
    *,
    replications: int = 1,
    seed: int = 1,
    engine: str = engines.AUTO,
    threads: int | None = None,
    on_done: Callable[[int], None] | None = None,
) -> pl.DataFrame:
    """Play many scenarios, such as price lists, and keep their headlines alone.

    Args:
        scenarios: What is simulated, each under the same seeds.
        replications: How often each.
        seed: Seed of them all.
        engine: As ``simulate`` takes it. The compiled engine plays in threads.
        threads: How many; one a core when left out, and one for the faithful engine.
        on_done: Called with how many of the replications are done.

    Returns:
        One row per scenario and replication, ascending: ``scenario`` (Int64, place in ``scenarios``),
        ``replication`` (Int64, from 1), then the columns of ``headline``.

    Raises:
        MisuseError: There is no scenario, or an engine that cannot play one.
    """
    if not scenarios or replications < 1:
        raise MisuseError("a search needs one scenario and one replication or more")
    together = len(scenarios) * replications
    chosen = [engines.choose(engine, scenario, together) for scenario in scenarios]
    for stages in {scenario.story(): place for place, scenario in enumerate(scenarios)}.values():
        engines.compile_once(scenarios[stages], chosen[stages], lambda _what: None)
    jobs = [(place, replication) for place in range(len(scenarios)) for replication in range(replications)]

    def play(job: tuple[int, int]) -> pl.DataFrame:
        place, replication = job
        totals = play_totals(scenarios[place], replication_seed(seed, replication), chosen[place].name)
        return totals.headline.select(
            pl.lit(place, pl.Int64).alias("scenario"),
            pl.lit(replication + 1, pl.Int64).alias("replication"),
            pl.all(),
        )

    compiled = all(choice.name == engines.COMPILED for choice in chosen)
    rows = []
    with ThreadPoolExecutor((threads or os.cpu_count()) if compiled else 1) as pool:
        for row in pool.map(play, jobs):
            rows.append(row)
            if on_done is not None:
                on_done(len(rows))
    return pl.concat(rows)
