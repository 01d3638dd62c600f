"""How fast changes reach PostgreSQL, and how fast its ledger leaves: ratios to the server's own tools.

Changes a second at 20 callers and at 100, against pgbench with 20 clients that runs the same function with
the same arguments on the same server; in turns, each player on either side buying one purchase after the
other. At 100 callers a call is full: many changes, each in its own subtransaction and with its own result.
pgbench sends its own both as plain text and prepared, and its faster way counts. Then the export of a ledger
as polars frames against a bare COPY of the same rows, and the memory that it takes.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import subprocess
import time
from typing import Final

import asyncpg
from _memory import forget_peak, peak_mb

from kokoromichi.core.models import ChangeSet, Movement, UserChange
from kokoromichi.core.providers.postgres import PostgresProvider
from kokoromichi.core.providers.postgres.wire import encode_change
from kokoromichi.core.transactions import Committed
from tests.servers.postgres import PASSWORD, USER, PostgresServer

CLIENTS: Final = 20
MANY: Final = 100
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


async def ours(provider: PostgresProvider, turn: int, callers: int, seconds: float) -> float:
    """Purchases a second through the provider."""
    end = time.perf_counter() + seconds

    async def buy(caller: int) -> int:
        bought = 0
        while time.perf_counter() < end:
            user_id = f"ours{turn}-{callers}-{caller}"
            await provider.apply(purchase(user_id, bought, f"{user_id}.{bought}"))
            bought += 1
        return bought

    began = time.perf_counter()
    done = await asyncio.gather(*map(buy, range(callers)))
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
        *(str(server.bin / "pgbench"), "--no-vacuum", "--client", str(CLIENTS), "--jobs", "1"),
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
    rates: dict[str, list[float]] = {"": [], "many_": [], "pgbench_": []}
    async with PostgresProvider(server.url) as provider:
        await ours(provider, rounds, CLIENTS, 1)
        for turn in range(rounds):
            ways = [
                await asyncio.to_thread(theirs, server, turn, way, seconds) for way in ("simple", "prepared")
            ]
            rates["pgbench_"].append(max(ways))
            rates[""].append(await ours(provider, turn, CLIENTS, seconds))
            rates["many_"].append(await ours(provider, turn, MANY, seconds))
            few, many, pgbench = (found[-1] for found in rates.values())
            print(
                f"  changes/s at {CLIENTS} callers {few:.0f}, at {MANY} {many:.0f}; pgbench {pgbench:.0f}; "
                f"ratios {few / pgbench:.2f}, {many / pgbench:.2f}"
            )

    def ratio(side: str) -> float:
        pairs = zip(rates[side], rates["pgbench_"], strict=True)
        return round(statistics.median(mine / pgbench for mine, pgbench in pairs), 3)

    middle = {f"{side}per_s": round(statistics.median(found)) for side, found in rates.items()}
    return {**middle, "to_pgbench": ratio(""), "many_to_pgbench": ratio("many_")}


async def export(server: PostgresServer, rounds: int, rows: int) -> dict[str, float]:
    """Seconds of both sides, the median of the rounds' ratios, and the memory that the export added."""
    session = await asyncpg.connect(server.url)
    await session.execute("TRUNCATE ledger")
    await session.execute(FILL, rows)
    await session.execute("VACUUM ANALYZE ledger")
    ratios, times = [], []
    before_mb = forget_peak()
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
            print(f"  export of {rows:,} rows: {ours_s:.2f} s; COPY {bare_s:.2f} s; ratio {ratios[-1]:.2f}")
    await session.close()
    return {
        "export_s": round(statistics.median(ours_s for ours_s, _ in times), 2),
        "copy_s": round(statistics.median(bare_s for _, bare_s in times), 2),
        "export_to_copy": round(statistics.median(ratios), 3),
        "export_added_mb": round(peak_mb() - before_mb),
    }


async def _dropped(_data: bytes) -> None:
    """A reader who keeps nothing."""


def measured(rounds: int, seconds: float, rows: int) -> dict[str, float]:
    """Both parts, on a server of their own."""
    server = PostgresServer()
    try:
        server.start()
        return asyncio.run(commits(server, rounds, seconds)) | asyncio.run(export(server, rounds, rows))
    finally:
        server.remove()
