"""How much faster the compiled engine plays than the faithful one, as ratios within one run.

    python benchmarks/engines.py [--repeats 3] [--players 500] [--days 90]

One replication of the baseline on both engines, held equal row by row before any clock runs. Three stretches
are timed, in CPU seconds, the engines interleaved and their order turned: the play, with every ledger row,
activity row and choice kept; the play, its frames and the audit; the whole way to a replication's folder.
Compiling is timed apart, in a process of its own where the cache is cold. The last line is JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kokoromichi.simulation import batch, engines
from kokoromichi.simulation.batch import Job
from kokoromichi.simulation.compiled.compiling import cache_folder
from kokoromichi.simulation.compiled.engine import CompiledEngine
from kokoromichi.simulation.engine import Engine
from kokoromichi.simulation.played import require_equal
from kokoromichi.simulation.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable

SEED: Final = 7
GOALS: Final = {"play": 100.0, "play and audit": 60.0, "to a folder": 40.0}
"""How many times as fast the compiled engine shall be."""


def timed(act: Callable[[], object]) -> float:
    """CPU seconds of one call, garbage collected before."""
    gc.collect()
    start = time.process_time()
    kept = act()
    seconds = time.process_time() - start
    del kept
    return seconds


def play(scenario: Scenario, engine: str) -> object:
    """Play, and keep what the engine itself keeps: packed rows, or columns of codes."""
    if engine == engines.COMPILED:
        compiled = CompiledEngine(scenario, SEED)
        compiled.play_days()
        return compiled
    faithful = Engine(scenario, SEED)
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
        return batch.play(Job(scenario, SEED, 0, Path(folder), engine))


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


def measured(scenario: Scenario, repeats: int) -> dict[str, dict[str, float]]:
    """Median CPU seconds of each stretch by engine, and their ratio, the median over the pairs."""
    found = {}
    for name, stretch in STRETCHES.items():
        seconds: dict[str, list[float]] = {engines.FAITHFUL: [], engines.COMPILED: []}
        for repeat in range(repeats):
            order = list(seconds) if repeat % 2 else list(reversed(seconds))
            for engine in order:
                seconds[engine].append(timed(lambda: stretch(scenario, engine)))  # noqa: B023 - called at once
        pairs = zip(*seconds.values(), strict=True)
        medians = {engine: statistics.median(times) for engine, times in seconds.items()}
        found[name] = {**medians, "ratio": statistics.median(slow / fast for slow, fast in pairs)}
    return found


def main() -> None:
    """Hold equal, then time; the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--players", type=int, default=500)
    parser.add_argument("--days", type=int, default=90)
    options = parser.parse_args()
    scenario = Scenario.load("baseline", players=options.players, days=options.days)
    was_cached = any(cache_folder().rglob("*.nbc"))
    compile_s = compiling(scenario)
    faithful = engines.play(scenario, SEED, engines.FAITHFUL)
    require_equal(faithful, CompiledEngine(scenario, SEED).play())
    print(f"The baseline, {options.players} players, {options.days} days, equal from both engines:")
    print(f"{faithful.ledger.height:,} ledger rows, {faithful.activity.height:,} activity rows with choices")
    print(f"Ready after {compile_s:.1f} s, {'from the cache' if was_cached else 'compiled'}")
    found = measured(scenario, options.repeats)
    for name, row in found.items():
        told = (
            f"faithful {row['faithful']:8.3f} s   compiled {row['compiled']:8.3f} s   x {row['ratio']:6.1f}"
        )
        print(f"  {name:15} {told}   (goal {GOALS[name]:.0f})")
    print(
        json.dumps(
            {
                "benchmark": "engines",
                "compiled_over_faithful_baseline": round(found["play"]["ratio"], 1),
                "audited_over_faithful": round(found["play and audit"]["ratio"], 1),
                "folder_over_faithful": round(found["to a folder"]["ratio"], 1),
                "ready_s": round(compile_s, 1),
                "from_cache": was_cached,
            }
        )
    )


if __name__ == "__main__":
    main()
