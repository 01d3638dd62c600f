"""How many acts a second the faithful engine plays over each store, its ledger the same in all of them.

    python benchmarks/providers.py [--players 60] [--days 10] [--provider postgres ...] [--folder FOLDER]

One replication of the baseline over memory, the local store, PostgreSQL and MongoDB, each empty, as
``kokoromichi simulate --provider`` plays it: one act after the other, each waiting for its commit. The
databases are those of the tests (``TEST_DATABASE_URL`` and ``TEST_MONGO_URI`` name others). The last line is
one JSON object: acts a second of each.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.core.schemas import DECISIONS
from kokoromichi.simulation.faithful import FaithfulEngine
from kokoromichi.simulation.scenario import Scenario
from tests.contract.makers import MAKERS

if TYPE_CHECKING:
    from kokoromichi.simulation.played import Played

SEED: Final = 7
OWN_IDS: Final = ("entry_id", "tx_id", "request_id")
"""Each store numbers its rows and commits as it likes."""


async def played(scenario: Scenario, provider: str, folder: Path) -> tuple[Played, float]:
    """One replication over an empty store, and the seconds that its acts took."""
    engine = FaithfulEngine(scenario, SEED, lambda clock: MAKERS[provider](clock, folder))
    async with engine.provider:
        start = time.perf_counter()
        await engine.play_days()
        seconds = time.perf_counter() - start
        return await engine.left(), seconds


def main() -> None:
    """Play over each store, hold the ledgers equal, and print; the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--players", type=int, default=60)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--provider", action="append", choices=sorted(MAKERS))
    parser.add_argument("--folder", type=Path, help="on the disk to be measured; the system's temporary one")
    options = parser.parse_args()
    scenario = Scenario.load("baseline", players=options.players, days=options.days)
    first: pl.DataFrame | None = None
    acts_per_s = {}
    for provider in options.provider or ("memory", "local", "postgres", "mongo"):
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            found, seconds = asyncio.run(played(scenario, provider, Path(folder)))
        acts = found.activity.filter(~pl.col("act").is_in(DECISIONS)).height
        ledger = found.ledger.drop(OWN_IDS)
        first = ledger if first is None else first
        assert first.equals(ledger), f"the ledger of {provider} differs"
        acts_per_s[provider] = round(acts / seconds)
        told = f"{acts:,} acts, {ledger.height:,} ledger rows, {seconds:8.2f} s"
        print(f"  {provider:10} {told}   {acts_per_s[provider]:8,} acts/s")
    print("Their ledgers are equal, row by row.")
    print(json.dumps({"benchmark": "providers", "acts_per_s": acts_per_s}))


if __name__ == "__main__":
    main()
