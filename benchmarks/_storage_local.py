"""Durable purchases a second in the local store, its readable copy being written, as ratios to bare SQLite's.

Every engine stores the same purchase: request id looked up, version and balance checked, player, inventory,
request with its answer and a ledger row of 15 columns written, on the disk when it is answered. SQLite (apsw;
WAL, synchronous FULL) commits each purchase, or 100 of them together.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import apsw

from kokoromichi.core.models import ChangeSet, Movement, UserChange
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.services.receipts import PurchaseReceipt

if TYPE_CHECKING:
    from collections.abc import Callable

CALLERS: Final = 100
RICH_GOLD: Final = 10**12
NOON_US: Final = 1_773_144_000_000_000
_FRAME_BYTES: Final = 700
_SCHEMA: Final = """
CREATE TABLE users (user_id TEXT PRIMARY KEY, version INTEGER, gold INTEGER, gems INTEGER, rest TEXT)
    WITHOUT ROWID;
CREATE TABLE items (user_id TEXT, item_id TEXT, units INTEGER, PRIMARY KEY (user_id, item_id)) WITHOUT ROWID;
CREATE TABLE requests (request_id TEXT PRIMARY KEY, at_us INTEGER, digest TEXT, answer TEXT) WITHOUT ROWID;
CREATE TABLE ledger (entry_id INTEGER PRIMARY KEY, tx_id TEXT, at_us INTEGER, book TEXT, kind TEXT,
    user_id TEXT, currency TEXT, amount INTEGER, balance_after INTEGER, item_id TEXT, quantity INTEGER,
    counterparty TEXT, actor TEXT, request_id TEXT, reason TEXT);
"""


def purchase(user_id: str, version: int, gold: int, request_id: str) -> ChangeSet[PurchaseReceipt]:
    """One unit for 10 gold."""
    row = Movement("purchase", "gold", -10, gold - 10, "health_potion", 1)
    answer = PurchaseReceipt("health_potion", 1, 10, gold - 10, version)
    user = UserChange(user_id, version, (row,))
    return ChangeSet(NOON_US, (user,), answer, request_id=request_id, digest="0123456789abcdef" * 2)


async def local(folder: Path, callers: int, purchases: int) -> float:
    """Purchases a second of so many callers, each waiting for its answer before it asks again."""
    async with LocalJSONProvider(folder) as provider:
        for number in range(callers):
            row = Movement("grant", "gold", RICH_GOLD, RICH_GOLD)
            opening = UserChange(f"p{number:05d}", 0, (row,))
            await provider.apply(ChangeSet(NOON_US, (opening,), PurchaseReceipt("", 0, 0, 0, 0)))

        async def call(number: int) -> None:
            user_id, gold = f"p{number:05d}", RICH_GOLD
            for act in range(purchases // callers):
                receipt = await provider.apply(purchase(user_id, act + 1, gold, f"{user_id}:{act}"))
                gold = receipt.gold

        start = time.perf_counter()
        await asyncio.gather(*map(call, range(callers)))
        seconds = time.perf_counter() - start
        counts = [frame.filter(kind="purchase").height async for frame in provider.ledger_frames()]
        assert sum(counts) == purchases // callers * callers
    return purchases / seconds


def sqlite(folder: Path, grouped: int, purchases: int) -> float:
    """Purchases a second, so many in each transaction, one player after the other."""
    base = apsw.Connection(str(folder / "base.sqlite"))
    list(base.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + _SCHEMA))
    for number in range(CALLERS):
        base.execute("INSERT INTO users VALUES (?, 1, ?, 0, '{}')", (f"p{number:05d}", RICH_GOLD))
    run = base.execute
    start = time.perf_counter()
    for act in range(purchases):
        if act % grouped == 0:
            run("BEGIN IMMEDIATE")
        _purchase(base, f"p{act % CALLERS:05d}", act)
        if act % grouped == grouped - 1:
            run("COMMIT")
    seconds = time.perf_counter() - start
    base.close()
    return purchases / seconds


def _purchase(base: apsw.Connection, user_id: str, act: int) -> None:
    run, request_id = base.execute, f"{user_id}:{act}"
    assert run("SELECT digest, answer FROM requests WHERE request_id = ?", (request_id,)).fetchone() is None
    found = run("SELECT version, gold FROM users WHERE user_id = ?", (user_id,)).fetchone()
    assert found is not None
    version, gold = found
    run(
        "UPDATE users SET version = version + 1, gold = ? WHERE user_id = ? AND version = ?",
        (gold - 10, user_id, version),
    )
    run(
        "INSERT INTO items VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET units = units + 1",
        (user_id, "health_potion"),
    )
    answer = json.dumps({"item_id": "health_potion", "quantity": 1, "cost_gold": 10, "gold": gold - 10})
    run("INSERT INTO requests VALUES (?, ?, ?, ?)", (request_id, NOON_US, "0123456789abcdef" * 2, answer))
    run(
        "INSERT INTO ledger VALUES (NULL, ?, ?, 'purchases', 'purchase', ?, 'gold', -10, ?, 'health_potion',"
        " 1, NULL, ?, ?, NULL)",
        (f"{act:012d}", NOON_US, user_id, gold - 10, user_id, request_id),
    )


def fsync_ms(folder: Path) -> float:
    """Milliseconds of one fdatasync behind an appended frame, the median of 200."""
    handle = os.open(folder / "sync", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    times = []
    for _ in range(200):
        os.write(handle, bytes(_FRAME_BYTES))
        start = time.perf_counter()
        os.fdatasync(handle)
        times.append(time.perf_counter() - start)
    os.close(handle)
    return statistics.median(times) * 1_000


def measured(folder: Path | None, rounds: int, purchases: int) -> dict[str, float]:
    """The medians of every engine's figure, and of the rounds' ratios."""
    few = max(CALLERS, purchases // 10)
    engines: dict[str, Callable[[Path], float]] = {
        "fsync ms": fsync_ms,
        "local, 100 callers": lambda place: asyncio.run(local(place, CALLERS, purchases)),
        "local, alone": lambda place: asyncio.run(local(place, 1, few)),
        "SQLite, grouped": lambda place: sqlite(place, CALLERS, purchases),
        "SQLite, each": lambda place: sqlite(place, 1, few),
    }
    found: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(rounds):
        for name, engine in engines.items():
            with tempfile.TemporaryDirectory(dir=folder) as place:
                found[name].append(engine(Path(place)))
    middle = {name: statistics.median(figures) for name, figures in found.items()}
    for name, figures in found.items():
        print(f"  {name:20} {middle[name]:>10,.2f}   ({min(figures):,.2f} to {max(figures):,.2f})")

    def ratio(mine: str, theirs: str) -> float:
        pairs = zip(found[mine], found[theirs], strict=True)
        return round(statistics.median(one / other for one, other in pairs), 2)

    return {
        "fsync_ms": round(middle["fsync ms"], 3),
        "per_s": round(middle["local, 100 callers"]),
        "alone_per_s": round(middle["local, alone"]),
        "to_grouped_sqlite": ratio("local, 100 callers", "SQLite, grouped"),
        "to_sqlite": ratio("local, 100 callers", "SQLite, each"),
        "alone_to_sqlite": ratio("local, alone", "SQLite, each"),
    }
