"""How fast changes reach PostgreSQL, and how fast its ledger leaves: ratios to the server's own tools.

    python benchmarks/storage_postgres.py [--rounds 5] [--seconds 4] [--rows 1000000]

Purchases a second at 20 callers, against pgbench with 20 clients that runs the same function with the same
arguments on the same server; in turns, each player on either side buying one purchase after the other.
pgbench sends it both as plain text and prepared, and its faster way counts. Then the export of a ledger as
polars frames against a bare COPY of the same rows, and the memory that it takes. The last line is JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import resource
import statistics
import subprocess
import time
from typing import Final

import asyncpg

from kokoromichi.core.models import ChangeSet, Movement, UserChange
from kokoromichi.core.providers.postgres import PostgresProvider
from kokoromichi.core.providers.postgres.wire import encode_change
from kokoromichi.core.transactions import Committed
from tests.servers.postgres import PASSWORD, USER, PostgresServer

CALLERS: Final = 20
GOAL_COMMITS: Final = 0.6
GOAL_EXPORT: Final = 1.5
GOAL_EXPORT_MB: Final = 200
START_US: Final = 1_767_571_200_000_000
FILL: Final = """
INSERT INTO ledger SELECT
    lpad((1767571200000000 + n)::text, 16, '0') || '-' || lpad(n::text, 12, '0') || '-000000',
    lpad(n::text, 12, '0'), timestamptz '2026-01-05' + n * interval '1 microsecond', 'purchases', 'purchase',
    'p' || lpad((n % 5000)::text, 5, '0'), 'gold', -30, 1000, 'lucky_charm', 1, NULL,
    'p' || lpad((n % 5000)::text, 5, '0'), '~' || md5(n::text), NULL
FROM generate_series(1, $1::int) AS n
"""


def purchase(user_id: str, version: int, request_id: str) -> ChangeSet[Committed]:
    """One purchase of a player who has bought ``version`` times; the gold comes from nowhere."""
    after = (version + 1) * 5
    row = Movement("sale", "gold", 5, after, "lucky_charm", 1)
    user = UserChange(user_id, version, (row,), {"level": 3})
    return ChangeSet(START_US + version, (user,), Committed(after, 0), request_id=request_id, digest="0" * 32)


async def ours(provider: PostgresProvider, turn: int, seconds: float) -> float:
    """Purchases a second through the provider."""
    end = time.perf_counter() + seconds

    async def buy(caller: int) -> int:
        bought = 0
        while time.perf_counter() < end:
            user_id = f"ours{turn}-{caller}"
            await provider.apply(purchase(user_id, bought, f"{user_id}.{bought}"))
            bought += 1
        return bought

    began = time.perf_counter()
    done = await asyncio.gather(*map(buy, range(CALLERS)))
    return sum(done) / (time.perf_counter() - began)


def script(turn: int, way: str) -> str:
    """The same purchases for pgbench: ``encode_change``'s own text, with its numbers left open."""
    act = encode_change(purchase("PLAYER", 777, "PLAYER.777"), "PLAYER.777").decode().replace('":', '": ')
    holes = {
        "PLAYER": f"{way}{turn}-:client_id",
        "777": ":v",
        str(START_US + 777): ":at",
        str(778 * 5): ":gold",
    }
    assert all(hole in act for hole in holes)
    numbers = f"\\set at {START_US} + :v\n\\set gold (:v + 1) * 5\n"
    if way == "simple":
        text = _filled(act, holes)
        call = f"SELECT apply_change('{text}');\n"
    else:
        places = dict(zip(holes.values(), (f"{way}{turn}-%1$s", "%2$s", "%3$s", "%4$s"), strict=True))
        text = _filled(act, {hole: places[name] for hole, name in holes.items()})
        numbers_of = ":client_id::int, :v::int, :at::bigint, :gold::int"
        call = f"SELECT apply_change(format('{text}', {numbers_of})::jsonb);\n"
    return numbers + call + "\\set v :v + 1\n"


def _filled(text: str, holes: dict[str, str]) -> str:
    longest_first = "|".join(sorted(holes, key=len, reverse=True))
    return re.sub(longest_first, lambda found: holes[found[0]], text)


def theirs(server: PostgresServer, turn: int, way: str, seconds: float) -> float:
    """Purchases a second through pgbench."""
    command = [
        *(str(server.bin / "pgbench"), "--no-vacuum", "--client", str(CALLERS), "--jobs", "1"),
        *("--time", f"{seconds:.0f}", "--protocol", way, "--define", "v=0", "--file", "/dev/stdin"),
        *("--host", "127.0.0.1", "--port", str(server.port), "--username", USER, "postgres"),
    ]
    done = subprocess.run(  # noqa: S603 - the program that came with the server
        command,
        input=script(turn, way),
        env={"PGPASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    assert done.returncode == 0, done.stderr
    assert found is not None, done.stdout
    assert "number of failed transactions: 0 " in done.stdout, done.stdout
    return float(found[1])


async def commits(server: PostgresServer, rounds: int, seconds: float) -> dict[str, float]:
    """Rates of both sides, and the median of the rounds' ratios."""
    ratios, rates = [], []
    async with PostgresProvider(server.url) as provider:
        await ours(provider, rounds, 1)
        for turn in range(rounds):
            pgbench = max(
                [
                    await asyncio.to_thread(theirs, server, turn, way, seconds)
                    for way in ("simple", "prepared")
                ]
            )
            rate = await ours(provider, turn, seconds)
            ratios.append(rate / pgbench)
            rates.append((rate, pgbench))
            print(
                f"commits/s at {CALLERS} callers: {rate:6.0f}   pgbench {pgbench:6.0f}   "
                f"ratio {ratios[-1]:.2f}"
            )
    return {
        "commits_per_s": round(statistics.median(rate for rate, _ in rates)),
        "pgbench_per_s": round(statistics.median(rate for _, rate in rates)),
        "commits_ratio": round(statistics.median(ratios), 3),
        "commits_goal": GOAL_COMMITS,
    }


async def export(server: PostgresServer, rounds: int, rows: int) -> dict[str, float]:
    """Seconds of both sides, the median of the rounds' ratios, and the memory that the export added."""
    session = await asyncpg.connect(server.url)
    await session.execute("TRUNCATE ledger")
    await session.execute(FILL, rows)
    await session.execute("VACUUM ANALYZE ledger")
    ratios, times = [], []
    before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    async with PostgresProvider(server.url) as provider:
        for _ in range(rounds):
            began = time.perf_counter()
            found = sum([frame.height async for frame in provider.ledger_frames()])
            ours_s = time.perf_counter() - began
            assert found == rows
            began = time.perf_counter()
            await session.copy_from_query("SELECT * FROM ledger", output=_dropped)
            bare_s = time.perf_counter() - began
            ratios.append(ours_s / bare_s)
            times.append((ours_s, bare_s))
            print(
                f"export of {rows} rows: {ours_s:.2f} s   bare COPY {bare_s:.2f} s   ratio {ratios[-1]:.2f}"
            )
    await session.close()
    return {
        "export_s": round(statistics.median(ours_s for ours_s, _ in times), 2),
        "bare_copy_s": round(statistics.median(bare_s for _, bare_s in times), 2),
        "export_ratio": round(statistics.median(ratios), 3),
        "export_goal": GOAL_EXPORT,
        "export_added_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024 - before_mb),
        "export_added_goal_mb": GOAL_EXPORT_MB,
    }


async def _dropped(_data: bytes) -> None:
    """A reader who keeps nothing."""


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rows", type=int, default=1_000_000)
    asked = parser.parse_args()
    server = PostgresServer()
    try:
        server.start()
        measured = asyncio.run(commits(server, asked.rounds, asked.seconds))
        measured |= asyncio.run(export(server, asked.rounds, asked.rows))
    finally:
        server.remove()
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
