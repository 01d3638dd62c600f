"""How much faster the compiled engine plays than the faithful one, as ratios within one run.

    POLARS_MAX_THREADS=1 python benchmarks/engines.py [--repeats 3] [--players 500] [--days 90]

One replication of the baseline on both engines, held equal row by row before any clock runs. Three stretches
are timed, in CPU seconds a call, the engines in turns of half a second and more, their order changing: the
play, with every ledger row, activity row and choice kept; the play, its frames and the audit; the whole way
to a replication's folder. With one thread, polars stays on one core like the rest. How long the engine took
to be ready is told, and whether it came from the cache.

Workload W besides: the compiled acts, ten columns a row, against an inlined Python loop and Mesa, and as many
gifts in mesa-frames' own wealth game, each where it is installed. ``--large 100000x30`` plays one replication
into files and tells its peak of memory; one player's activity in ten is kept. ``--lists 1000`` plays so many
price lists, 1,000 players and 90 days each, for their totals alone, on two threads. The last line is JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import resource
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from _compiled_w import compiled_engine, rows_of
from _mesa_frames import wealth_game
from _workload_w import SLOTS, Workload, inlined, mesa_engine

from kokoromichi.simulation import engines, replication_jobs
from kokoromichi.simulation.compiled.compiling import cache_folder
from kokoromichi.simulation.compiled.engine import CompiledEngine
from kokoromichi.simulation.compiled.streaming import stream
from kokoromichi.simulation.faithful import FaithfulEngine
from kokoromichi.simulation.played import require_equal
from kokoromichi.simulation.replication_jobs import Job
from kokoromichi.simulation.scenario import Scenario
from kokoromichi.simulation.totals import play_totals

if TYPE_CHECKING:
    from collections.abc import Callable

SEED: Final = 7
GOALS: Final = {"play": 100.0, "play and audit": 60.0, "to a folder": 40.0}
"""How many times as fast the compiled engine shall be."""
TURN_S: Final = 0.5
"""How long an engine is timed, at least, before it is the other's turn."""


def timed(prepare: Callable[[], Callable[[], object]]) -> float:
    """CPU seconds of one call, garbage collected before: the mean of as many as make a turn.

    A turn that ended after the first of many short calls would mostly time caches that the other engine left.

    Args:
        prepare: Answers what is timed, for one call.
    """
    seconds: list[float] = []
    while sum(seconds) < TURN_S:
        act = prepare()
        gc.collect()
        start = time.process_time()
        kept = act()
        seconds.append(time.process_time() - start)
        del kept
    return statistics.mean(seconds)


def play(scenario: Scenario, engine: str) -> object:
    """Play, and keep what the engine itself keeps: packed rows, or columns of codes."""
    if engine == engines.COMPILED:
        compiled = CompiledEngine(scenario, SEED)
        compiled.play_days()
        return compiled
    faithful = FaithfulEngine(scenario, SEED)
    asyncio.run(faithful.play_days())
    return faithful


def play_and_audit(scenario: Scenario, engine: str) -> object:
    """Play, make the frames, and hold the six laws against them."""
    played = engines.play(scenario, SEED, engine)
    report = played.states.audit(played.ledger)
    assert report.sound, str(report)
    return report


def to_a_folder(scenario: Scenario, engine: str) -> object:
    """What a batch does for one replication."""
    with tempfile.TemporaryDirectory() as folder:
        return replication_jobs.play(Job(scenario, SEED, 0, Path(folder), engine))


STRETCHES: Final[dict[str, Callable[[Scenario, str], object]]] = {
    "play": play,
    "play and audit": play_and_audit,
    "to a folder": to_a_folder,
}


def compiling(scenario: Scenario) -> float:
    """Wall seconds until the compiled engine is ready, once and then from its cache."""
    start = time.perf_counter()
    engines.compile_once(scenario, engines.choose(engines.COMPILED, scenario), lambda _what: None)
    return time.perf_counter() - start


def interleaved(runs: dict[str, Callable[[], Callable[[], object]]], repeats: int) -> dict[str, list[float]]:
    """CPU seconds of what each prepares, in turns, the order turned every time."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for repeat in range(repeats):
        for name in list(runs) if repeat % 2 else list(reversed(runs)):
            seconds[name].append(timed(runs[name]))
    return seconds


def ratio(slow: list[float], fast: list[float]) -> float:
    """The median over the pairs."""
    return statistics.median(one / other for one, other in zip(slow, fast, strict=True))


def baseline(scenario: Scenario, repeats: int) -> dict[str, float]:
    """Each stretch on both engines: tells the seconds, answers the ratios."""
    found = {}
    for name, stretch in STRETCHES.items():
        seconds = interleaved(
            {
                engine: partial(partial, stretch, scenario, engine)
                for engine in (engines.FAITHFUL, engines.COMPILED)
            },
            repeats,
        )
        slow, fast = seconds.values()
        found[name] = ratio(slow, fast)
        told = f"faithful {statistics.median(slow):8.3f} s   compiled {statistics.median(fast):8.3f} s"
        print(f"  {name:15} {told}   x {found[name]:6.1f}   (goal {GOALS[name]:.0f})")
    return found


def workload_w(repeats: int) -> float:
    """Tells every engine's rate, answers how many times as fast as the inlined loop the compiled acts are."""
    workload, mesa, frames = Workload(), mesa_engine(), wealth_game()
    expected, compiled = inlined(workload), compiled_engine(workload)
    assert rows_of(compiled()()) == expected, "the compiled ledger is not the loop's"
    runs: dict[str, Callable[[], Callable[[], object]]] = {
        "inlined loop": partial(partial, inlined, workload),
        "compiled": compiled,
    }
    if mesa is not None:
        runs["Mesa"] = partial(partial, mesa, workload)
    if frames is not None:
        runs["mesa-frames"] = partial(frames, workload.players, workload.days * (1 + SLOTS))
    seconds = interleaved(runs, repeats)
    print(f"Workload W: {workload.actions:,} actions, {len(expected):,} rows; compiled rows have ten columns")
    for name, times in seconds.items():
        rate = workload.actions / statistics.median(times)
        print(f"  {name:15} {rate:>14,.0f} actions/s   x {ratio(seconds['inlined loop'], times):.2f}")
    for rival in sorted({"Mesa", "mesa-frames"} - seconds.keys()):
        print(f"  {rival:15} not installed")
    return ratio(seconds["inlined loop"], seconds["compiled"])


def large(players: int, days: int) -> None:
    """One replication of the baseline into files: its seconds, rows, bytes and the peak of memory."""
    scenario = Scenario.load("baseline", players=players, days=days)
    with tempfile.TemporaryDirectory() as folder:
        start, cpu = time.perf_counter(), time.process_time()
        written = stream(scenario, SEED, Path(folder), activity_one_in=10)
        seconds, cpu_s = time.perf_counter() - start, time.process_time() - cpu
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.parquet"))
    assert written.audit.sound, str(written.audit)
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{players:,} players, {days} days into files, audited: {seconds:.0f} s, {cpu_s:.0f} s of CPU")
    print(f"  {written.ledger_rows:,} ledger rows, {written.activity_rows:,} activity rows, {size:,} bytes")
    print(f"  peak {peak_kb / 1024:,.0f} MB")


def price_lists(count: int) -> None:
    """All prices from half to one and a half of what they are, over so many lists: seconds of all totals."""
    base = Scenario.load("baseline", players=1_000, days=90)
    lists = [base.scaled({"store.*.price_gold": 0.5 + place / count}) for place in range(count)]
    start, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(2) as pool:
        played = list(
            pool.map(lambda scenario: play_totals(scenario, SEED, engines.COMPILED).headline, lists)
        )
    seconds, cpu_s = time.perf_counter() - start, time.process_time() - cpu
    units = [headline["units_sold"].item() for headline in played]
    print(
        f"{count:,} price lists, 1,000 players, 90 days, totals alone: {seconds:.0f} s, {cpu_s:.0f} s of CPU"
    )
    print(f"  {units[0]:,} units sold at half of the prices, {units[-1]:,} at one and a half")


def main() -> None:
    """Hold equal, then time; the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--players", type=int, default=500)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--large", metavar="PLAYERSxDAYS")
    parser.add_argument("--lists", type=int, metavar="PRICE_LISTS")
    options = parser.parse_args()
    scenario = Scenario.load("baseline", players=options.players, days=options.days)
    was_cached = any(cache_folder().rglob("*.nbc"))
    compile_s = compiling(scenario)
    faithful = engines.play(scenario, SEED, engines.FAITHFUL)
    require_equal(faithful, CompiledEngine(scenario, SEED).play())
    print(f"The baseline, {options.players} players, {options.days} days, equal from both engines:")
    print(f"{faithful.ledger.height:,} ledger rows, {faithful.activity.height:,} activity rows with choices")
    print(f"Ready after {compile_s:.1f} s, {'from the cache' if was_cached else 'compiled'}")
    found = baseline(scenario, options.repeats)
    over_inlined = workload_w(2 * options.repeats + 1)
    if options.large:
        large(*map(int, options.large.split("x")))
    if options.lists:
        price_lists(options.lists)
    print(
        json.dumps(
            {
                "benchmark": "engines",
                "compiled_over_inlined": round(over_inlined, 1),
                "compiled_over_faithful_baseline": round(found["play"], 1),
                "audited_over_faithful": round(found["play and audit"], 1),
                "folder_over_faithful": round(found["to a folder"], 1),
                "ready_s": round(compile_s, 1),
                "from_cache": was_cached,
            }
        )
    )


if __name__ == "__main__":
    main()
