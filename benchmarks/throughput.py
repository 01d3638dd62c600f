"""How fast synthetic players act through the real services, as ratios to a bare loop within one run.

    python benchmarks/throughput.py [--repeats 5] [--players 500] [--days 90]

Workload W first: the real StoreService and DailyService, full transactions (version check, law 1, request id,
receipt, packed ledger), against the inlined loop and Mesa. The columns that both know are compared, row by
row, before any clock runs; opening the accounts is left out on every side. Times are CPU seconds, the engines
interleaved and their order rotated. Then one replication of the whole baseline, and where its time goes. The
last line is JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import json
import pstats
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl
from _workload_w import CLAIM, ITEM_IDS, Row, Workload, economy_w, inlined, mesa_engine

from kokoromichi.analysis.provider_state import read_ledger
from kokoromichi.core.clock import ManualClock
from kokoromichi.core.errors import RefusedError
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.providers.packed_ledger import ROW_BYTES
from kokoromichi.services.bundle import Services
from kokoromichi.simulation.faithful import FaithfulEngine
from kokoromichi.simulation.memory_executor import MemoryExecutor
from kokoromichi.simulation.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable

GOAL_RATIO: Final = 7.0
START_US: Final = 1_767_571_200_000_000
_PROFILED_ROWS: Final = 12


Profiled = dict[tuple[str, int, str], tuple[int, int, float, float, object]]
"""By file, line and function: calls, primitive calls, seconds inside, seconds with callees, callers."""


class Shop(NamedTuple):
    """The services with every account of the workload open."""

    provider: MemoryProvider
    clock: ManualClock
    services: Services
    user_ids: list[str]


async def opened(workload: Workload) -> Shop:
    """Open the store and every account: not part of the workload."""
    clock = ManualClock(START_US)
    provider = MemoryProvider(clock)
    services = Services(provider, economy_w(), clock, executor_class=MemoryExecutor)
    await services.start()
    user_ids = [f"p{number:05d}" for number in range(workload.players)]
    for user_id in user_ids:
        await services.executor.open_account(user_id)
    return Shop(provider, clock, services, user_ids)


async def faithful(workload: Workload, shop: Shop) -> None:
    """Every claim and every attempt through the services that the bot runs."""
    claim, purchase = shop.services.daily.claim, shop.services.store.purchase
    item_ids = ITEM_IDS
    for day in range(workload.days):
        wanted = zip(shop.user_ids, workload.items[day], workload.quantities[day], strict=True)
        for user_id, items, quantities in wanted:
            await claim(user_id)
            for item, quantity in zip(items, quantities):  # noqa: B905 - as the loop does
                try:  # noqa: SIM105 - a context manager would be timed as well
                    await purchase(user_id, item_ids[item], quantity)
                except RefusedError:  # noqa: PERF203 - refusals belong to the workload
                    pass
        shop.clock.advance(86_400)


def rows_of(shop: Shop) -> list[Row]:
    """The ledger in the loop's six columns."""
    ledger = asyncio.run(read_ledger(shop.provider))
    item = pl.col("item_id").str.slice(5).cast(pl.Int64).fill_null(CLAIM)
    start = pl.lit(START_US).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return ledger.select(
        (pl.col("at") - start).dt.total_days().alias("day"),
        pl.col("user_id").str.slice(1).cast(pl.Int64).alias("player"),
        item.alias("item"),
        pl.col("quantity").fill_null(1),
        -pl.col("amount").alias("cost"),
        pl.col("balance_after"),
    ).rows()


def timed(act: Callable[[], object]) -> float:
    """CPU seconds of one call, garbage collected before."""
    gc.collect()
    start = time.process_time()
    kept = act()
    seconds = time.process_time() - start
    del kept
    return seconds


def workload_w(repeats: int) -> dict[str, float]:
    """Time every engine on workload W, and answer the ratios to the inlined loop."""
    workload = Workload()
    expected = inlined(workload)
    shop = asyncio.run(opened(workload))
    asyncio.run(faithful(workload, shop))
    assert rows_of(shop) == expected, "the services' ledger is not the loop's"
    mesa = mesa_engine()
    if mesa is not None:
        assert sorted(mesa(workload)) == sorted(expected), "Mesa's ledger is not the loop's"

    def services() -> float:
        fresh = asyncio.run(opened(workload))
        return timed(lambda: asyncio.run(faithful(workload, fresh)))

    engines: dict[str, Callable[[], float]] = {
        "inlined loop": lambda: timed(lambda: inlined(workload)),
        "services": services,
    }
    if mesa is not None:
        engines["Mesa"] = lambda: timed(lambda: mesa(workload))
    names = list(engines)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for repeat in range(repeats):
        for name in names[repeat % len(names) :] + names[: repeat % len(names)]:
            seconds[name].append(engines[name]())
    say(f"Workload W: {workload.actions:,} actions, {len(expected):,} ledger rows, equal in every engine")
    say(f"A row of the services: 15 columns, packed into {ROW_BYTES} bytes; of the others: a tuple of 6")
    ratios = {}
    for name in names:
        pairs = zip(seconds[name], seconds["inlined loop"], strict=True)
        ratios[name] = statistics.median(mine / loop for mine, loop in pairs)
        rate = workload.actions / statistics.median(seconds[name])
        say(f"  {name:14} {rate:>12,.0f} actions/s   x {ratios[name]:.2f}")
    return ratios


def baseline(players: int, days: int) -> dict[str, float]:
    """Play one replication of the baseline, twice: for its rate, and for where the time goes."""
    scenario = Scenario.load("baseline", players=players, days=days)
    gc.collect()
    start = time.process_time()
    played = asyncio.run(FaithfulEngine(scenario, 7).play())
    seconds = time.process_time() - start
    acts = played.activity.filter(
        ~pl.col("act").is_in(["session", "choice", "wish", "leave", "return"])
    ).height
    rate = acts / seconds
    say(f"\nThe baseline, {players} players, {days} days: {acts:,} acts in {seconds:.1f} s, {rate:,.0f}/s")
    profile = cProfile.Profile()
    profile.runcall(asyncio.run, FaithfulEngine(scenario, 7).play())
    stats: Profiled = pstats.Stats(profile).stats  # type: ignore[attr-defined] # It is documented nowhere.
    total = sum(row[2] for row in stats.values())
    say("Where its time goes (share of the time inside a function, profiled):")
    for (file, _, function), row in sorted(stats.items(), key=lambda entry: -entry[1][2])[:_PROFILED_ROWS]:
        where = "/".join(Path(file).parts[-2:]) if file != "~" else "built in"
        say(f"  {row[2] / total:6.1%}  {function:40.40} {where}")
    return {"baseline_acts_per_s": round(rate), "baseline_acts": acts}


def say(text: str) -> None:
    """Print a line."""
    print(text)


def main() -> None:
    """Run both parts; the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--players", type=int, default=500)
    parser.add_argument("--days", type=int, default=90)
    options = parser.parse_args()
    ratios = workload_w(options.repeats)
    played = baseline(options.players, options.days)
    found = {
        "benchmark": "throughput",
        "faithful_ratio": round(ratios["services"], 2),
        "goal_ratio": GOAL_RATIO,
        "mesa_ratio": round(ratios["Mesa"], 2) if "Mesa" in ratios else None,
        "row_bytes": ROW_BYTES,
        **played,
    }
    say(json.dumps(found))


if __name__ == "__main__":
    main()
