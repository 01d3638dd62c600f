"""A grown local store: how long it takes to open, to read and to leave, and how much memory each takes.

Every figure but the building is measured in a process of its own, so that its memory is its own too.
"""

from __future__ import annotations

import asyncio
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.export import Selection, export_ledger
from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.bulk_load import Batch, StoredResponse, UserSnapshot
from kokoromichi.core.clock import DAY_US
from kokoromichi.core.models import UserProfile
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.core.schemas import LEDGER_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PLAYERS: Final = 20_000
NOON_US: Final = 1_773_144_000_000_000
_STEP: Final = 50_000
_READS: Final = 500


def grants(first: int, count: int, players: int) -> pl.DataFrame:
    """Grants of one gold each, player after player, thirty days of them."""
    number = pl.int_range(first, first + count, eager=True)
    player = ("p" + (number % players).cast(pl.String).str.zfill(5)).alias("user_id")
    text = number.cast(pl.String).str.zfill(12)
    made = pl.DataFrame(
        {
            "entry_id": text,
            "tx_id": "t" + text,
            "at": (NOON_US + number % 30 * DAY_US).cast(LEDGER_SCHEMA["at"]),
            "user_id": player,
            "amount": pl.repeat(1, count, dtype=pl.Int64, eager=True),
            "balance_after": number // players + 1,
            "actor": player,
            "request_id": "r:" + text,
        }
    ).with_columns(book=pl.lit("admin"), kind=pl.lit("grant"), currency=pl.lit("gold"))
    missing = [pl.lit(None, LEDGER_SCHEMA[name]).alias(name) for name in LEDGER_SCHEMA if name not in made]
    return made.with_columns(missing).select(LEDGER_SCHEMA.names())


async def build(folder: Path, rows: int) -> None:
    """A store of so many rows and requests, killed with its last step in the WAL."""
    provider = LocalJSONProvider(folder, debounce_seconds=3_600)
    await provider.open()
    for first in range(0, rows, _STEP):
        frame = grants(first, min(_STEP, rows - first), PLAYERS)
        asked = [
            StoredResponse(name, "0" * 32, b'{"receipt":"Corrected"}', NOON_US)
            for name in frame["request_id"]
        ]
        await provider.load(Batch(rows=frame, requests=tuple(asked)))
    players = [
        UserSnapshot(0, UserProfile(f"p{number:05d}", 1, gold=len(range(number, rows, PLAYERS))))
        for number in range(PLAYERS)
    ]
    await provider.load(Batch(users=tuple(players)))
    os._exit(0)  # As kill -9 does.


async def _timed(read: Callable[[], Awaitable[object]]) -> float:
    start = time.perf_counter()
    await read()
    return (time.perf_counter() - start) * 1_000


async def opened(folder: Path) -> dict[str, float]:
    """The opening after a kill, and what a bot reads all day; milliseconds."""
    provider = LocalJSONProvider(folder, debounce_seconds=3_600)
    open_ms = await _timed(provider.open)
    rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    own = [f"p{number * 37 % PLAYERS:05d}" for number in range(_READS)]
    page_ms = sorted([await _timed(partial(provider.read_ledger, user_id=one, limit=10)) for one in own])
    richest_ms = [await _timed(lambda: provider.richest(10)) for _ in range(_READS)]
    day = NOON_US // DAY_US
    days_ms = [await _timed(lambda: provider.daily_totals(day)) for _ in range(_READS)]
    await provider.close()
    return {
        "open_s": open_ms / 1_000,
        "open_mb": rss_mb,
        "newest_ten_p99_ms": page_ms[int(_READS * 0.99)],
        "richest_ten_ms": statistics.median(richest_ms),
        "thirty_days_ms": statistics.median(days_ms),
    }


async def audited(folder: Path) -> dict[str, float]:
    """An audit beside a bot; seconds."""
    start = time.perf_counter()
    async with LocalJSONProvider(folder, read_only=True) as provider:
        assert (await audit_provider(provider)).sound
    return {"audit_s": time.perf_counter() - start, "audit_mb": _peak_mb()}


async def exported(folder: Path) -> dict[str, float]:
    """An export to Parquet beside a bot; seconds."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        async with LocalJSONProvider(folder, read_only=True) as provider:
            await export_ledger(provider, Path(place) / "out", "parquet", Selection())
    return {"export_s": time.perf_counter() - start, "export_mb": _peak_mb()}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


PARTS: Final = {"opened": opened, "audited": audited, "exported": exported}


def _in_a_process(part: str, folder: Path, rows: int) -> dict[str, float]:
    command = [sys.executable, __file__, part, str(folder), str(rows)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - itself
    return {name: float(value) for name, value in (line.split() for line in said.splitlines())}


def measured(folder: Path | None, rows: int) -> dict[str, float]:
    """Every figure of a store of so many rows."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory(dir=folder) as place:
        store = Path(place) / "data"
        _in_a_process("build", store, rows)
        for part in PARTS:
            found |= _in_a_process(part, store, rows)
    for name, value in found.items():
        print(f"  {name:20} {value:>10,.3f}")
    return {name: round(value, 3) for name, value in found.items()}


if __name__ == "__main__":
    asked, where, size = sys.argv[1:]
    if asked == "build":
        asyncio.run(build(Path(where), int(size)))
    for key, figure in asyncio.run(PARTS[asked](Path(where))).items():
        print(key, figure)
