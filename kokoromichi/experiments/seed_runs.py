"""One scenario under one seed, played and measured: what every experiment is made of."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import polars as pl

from kokoromichi.analysis.metrics import first_measured_day
from kokoromichi.analysis.metrics.by_day import ALL, day_of
from kokoromichi.analysis.metrics.by_day import days as watched_days
from kokoromichi.analysis.metrics.flows import net_flow
from kokoromichi.analysis.metrics.goods import sales
from kokoromichi.analysis.metrics.headline import WAITS, headline
from kokoromichi.analysis.metrics.supply import money_supply
from kokoromichi.analysis.metrics.waits import days_to_afford
from kokoromichi.core.errors import KokoroError
from kokoromichi.options import one_of
from kokoromichi.simulation import engines
from kokoromichi.simulation.dispatch import each_done
from kokoromichi.simulation.replication_jobs import replication_seed
from kokoromichi.simulation.totals import observed, play_totals
from kokoromichi.simulation.workers import Threads

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from kokoromichi.analysis.observations import Observations
    from kokoromichi.simulation.engines import Chosen
    from kokoromichi.simulation.scenario import Scenario

Numbers: TypeAlias = "dict[str, float | None]"
Point: TypeAlias = "tuple[float, ...]"
"""Of a search's cube, a number from 0 to 1 a side."""

DAY_COLUMNS: Final = ("supply_gold", "spent_gold", "net_gold")


class UnsoundRunError(KokoroError):
    """A run breaks a law of the ledger, so that no number of it can be believed."""


class SeedRun(NamedTuple):
    """One run to play.

    Attributes:
        name: Of the scenario within the experiment.
        scenario: What is played.
        seed: Of the experiment.
        replication: Number of the run, from 0; the same number has the same chance under every scenario.
        items: Whose sales are told apart.
        engine: FAITHFUL, COMPILED or BOTH.
    """

    name: str
    scenario: Scenario
    seed: int
    replication: int
    items: tuple[str, ...]
    engine: str


class Measured(NamedTuple):
    """What a run showed.

    Attributes:
        numbers: The headline, and ``<item>.units`` and ``<item>.revenue_gold``; None where there is none.
        by_day: A row a day, from 0: ``day`` (Int64), ``DAY_COLUMNS`` and ``<item>.units`` (Int64).
    """

    numbers: Numbers
    by_day: pl.DataFrame


def measure(run: SeedRun) -> Measured:
    """Play a run in memory and measure it.

    Raises:
        UnsoundRunError: Its ledger breaks a law.
    """
    played = engines.play(run.scenario, replication_seed(run.seed, run.replication), run.engine)
    report = played.states.audit(played.ledger)
    if not report.sound:
        message = f"{run.name}, run {run.replication + 1}, breaks the ledger's laws: {report}"
        raise UnsoundRunError(message)
    seen = observed(run.scenario, played)
    numbers = headline(seen, first_measured_day(run.scenario.days)).row(0, named=True)
    return Measured({**numbers, **_item_numbers(seen, run.items)}, _by_day(seen, run.items))


def _item_numbers(seen: Observations, items: Sequence[str]) -> Numbers:
    """Over the whole horizon, since a sale may be early."""
    sold = {row["item_id"]: row for row in sales(seen).collect().iter_rows(named=True)}
    return {
        f"{item}.{name}": sold[item][name] if item in sold else 0
        for item in items
        for name in ("units", "revenue_gold")
    }


def _by_day(seen: Observations, items: Sequence[str]) -> pl.DataFrame:
    supply = money_supply(seen).filter(pl.col("currency") == "gold").select("day", supply_gold="supply")
    flow = net_flow(seen).select("day", "net_gold", spent_gold="sinks_gold")
    bought = seen.ledger.filter(pl.col("kind") == "purchase", pl.col("item_id").is_in(items))
    bought = bought.with_columns(day_of())
    units = [
        pl.col("quantity").filter(pl.col("item_id") == item).sum().alias(f"{item}.units") for item in items
    ]
    frame = watched_days(seen).join(supply, on="day", how="left").join(flow, on="day", how="left")
    if items:
        frame = frame.join(bought.group_by("day").agg(units), on="day", how="left")
    number = pl.int_range(pl.len()).cast(pl.Int64)
    columns = [pl.col(name).fill_null(0) for name in (*DAY_COLUMNS, *(f"{item}.units" for item in items))]
    return frame.sort("day").select(number.alias("day"), *columns).collect()


def play_all(
    runs: Sequence[SeedRun], workers: str, on_done: Callable[[SeedRun], None]
) -> Iterator[tuple[SeedRun, Measured]]:
    """Play runs, in this process or in several; yields each as it is done.

    Args:
        runs: What to play.
        workers: A word that ``pool_of`` takes.
        on_done: Called with each run that is done.
    """
    for run, future in each_done(measure, runs, workers):
        measured = future.result()
        on_done(run)
        yield run, measured


def headline_of(
    scenario: Scenario, seed: int, replication: int, engine: str, waits: Sequence[str] = ()
) -> Numbers:
    """Play a run for its totals alone, and answer its headline.

    Args:
        scenario: What is played.
        seed: Of the experiment.
        replication: Number of the run, from 0.
        engine: FAITHFUL, COMPILED or BOTH.
        waits: Waits for an item, maybe of an archetype (``wait_days.treasure_chest.casual``), that are wanted
            too; they need the run's rows.
    """
    own_seed = replication_seed(seed, replication)
    if not waits:
        numbers: Numbers = play_totals(scenario, own_seed, engine).headline.row(0, named=True)
        return numbers
    seen = observed(scenario, engines.play(scenario, own_seed, engine))
    found = headline(seen, first_measured_day(scenario.days)).row(0, named=True)
    return {**found, **_waits(days_to_afford(seen).collect(), waits)}


def headlines(
    runs: Iterable[tuple[Point, int]],
    scenario_of: Callable[[Point], Scenario],
    seed: int,
    engine: str,
    waits: Sequence[str] = (),
) -> Generator[Numbers, None, None]:
    """Play runs for their headlines, as many at once as the engine can; yields each in its order.

    Closing it drops the runs that wait.

    Args:
        runs: Points of a search, each with the number of a run, from 0.
        scenario_of: What is played at a point.
        seed: Of the experiment.
        engine: FAITHFUL, COMPILED or BOTH.
        waits: As for ``headline_of``.
    """

    def one(run: tuple[Point, int]) -> Numbers:
        point, replication = run
        return headline_of(scenario_of(point), seed, replication, engine, waits)

    # Compiled runs leave the interpreter's lock alone.
    with Threads((os.cpu_count() or 1) if engine == engines.COMPILED else 1) as pool:
        yield from pool.map(one, runs)


def item_waits(names: Iterable[str], scenario: Scenario) -> tuple[str, ...]:
    """Those of the names that are waits for an item.

    Raises:
        MisuseError: The scenario sells no such item, or nobody of that archetype plays.
    """
    found = [name for name in names if name.partition(".")[0] in WAITS and "." in name]
    for name in found:
        _, item, archetype = _wait(name)
        one_of("item", item, scenario.economy.config.store)
        one_of("archetype", archetype, [ALL, *(cohort.archetype for cohort in scenario.population.cohorts)])
    return tuple(found)


def _wait(name: str) -> tuple[str, str, str]:
    column, item, *who = name.split(".")
    return column, item, who[0] if who else ALL


def _waits(frame: pl.DataFrame, names: Sequence[str]) -> Numbers:
    waits: Numbers = {}
    for name in names:
        column, item, archetype = _wait(name)
        rows = frame.filter(item_id=item, archetype=archetype)
        waits[name] = rows[column].item() if rows.height else None
    return waits


def choose_engine(engine: str, scenarios: Sequence[Scenario], runs_each: int) -> Chosen:
    """The engine of an experiment: one for all its scenarios."""
    choices = [engines.choose(engine, scenario, runs_each * len(scenarios)) for scenario in scenarios]
    return next((chosen for chosen in choices if chosen.name == engines.FAITHFUL), choices[0])
