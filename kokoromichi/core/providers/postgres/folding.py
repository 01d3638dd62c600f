"""Daily totals: what was folded from the queue of moved amounts, and what still waits in it, read as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kokoromichi.core.models import MOST_INT, DailyTotal

if TYPE_CHECKING:
    import asyncpg

    from kokoromichi.core.providers.postgres.connections import Connections
    from kokoromichi.core.providers.postgres.reading import Reads

AT_ONCE_ROWS: Final = 20_000
"""Rows of the queue that one transaction folds."""

_VACUUM: Final = "VACUUM unfolded"
_VACUUM_S: Final = 600.0
_FOLD: Final = "SELECT fold_moved($1)"
_TOTALS: Final = f"""
SELECT day, kind, nullif(currency, '') AS currency, sum(rows)::bigint,
    least(sum(gained), {MOST_INT})::bigint, least(sum(lost), {MOST_INT})::bigint
FROM (
    SELECT * FROM daily_totals WHERE day >= $1
    UNION ALL
    SELECT day, kind, currency, count(*), sum(greatest(amount, 0)), -sum(least(amount, 0))
        FROM unfolded WHERE day >= $1 GROUP BY day, kind, currency
) AS moved GROUP BY day, kind, moved.currency ORDER BY day, kind, moved.currency
"""  # noqa: S608 - a number of our own
_ACTIVE: Final = """
SELECT day, sum(players)::bigint FROM (
    SELECT day, players FROM active_days WHERE day >= $1
    UNION ALL
    SELECT day, count(DISTINCT user_id) FROM unfolded WHERE day >= $1 AND user_id <> 'system'
        AND NOT EXISTS (
            SELECT FROM active_players AS a WHERE a.day = unfolded.day AND a.user_id = unfolded.user_id)
        GROUP BY day
) AS active GROUP BY day ORDER BY day
"""
_ROWS: Final = "SELECT (SELECT coalesce(sum(rows), 0) FROM daily_totals) + (SELECT count(*) FROM unfolded)"


_RECOUNT: Final = (
    "SET LOCAL lock_timeout = 0",  # An erasure, or another recount, may go on for long.
    "SELECT pg_advisory_xact_lock(x'4B6F4D6A'::int, hashtext(current_schema()))",  # Nobody folds meanwhile.
    """
    INSERT INTO daily_totals AS t
        SELECT day, kind, currency, sum(rows), sum(gained), sum(lost) FROM (
            SELECT floor(extract(epoch FROM at) / 86400)::int AS day, kind,
                coalesce(currency, '') AS currency, count(*) AS rows,
                sum(greatest(coalesce(amount, 0), 0)) AS gained,
                -sum(least(coalesce(amount, 0), 0)) AS lost FROM ledger GROUP BY 1, 2, 3
            UNION ALL
            SELECT day, kind, currency, -count(*), -sum(greatest(amount, 0)), sum(least(amount, 0))
                FROM unfolded GROUP BY 1, 2, 3
            UNION ALL
            SELECT day, kind, currency, -rows, -gained, -lost FROM daily_totals
        ) AS lacking GROUP BY day, kind, currency
        ON CONFLICT (day, kind, currency) DO UPDATE SET rows = t.rows + excluded.rows,
            gained = t.gained + excluded.gained, lost = t.lost + excluded.lost
    """,
    "DELETE FROM daily_totals WHERE rows = 0",
    "LOCK TABLE active_players IN EXCLUSIVE MODE",  # From here on nobody is erased.
    "DELETE FROM active_players",
    """
    INSERT INTO active_players SELECT DISTINCT floor(extract(epoch FROM at) / 86400)::int, user_id
        FROM ledger WHERE user_id <> 'system'
    """,
    "DELETE FROM active_days",
    "INSERT INTO active_days SELECT day, count(*) FROM active_players GROUP BY day",
)


async def recount(connections: Connections) -> None:
    """Correct the totals by the ledger, in one transaction, however long it takes, while others commit.

    Raises:
        StorageError: The database is away; nothing is changed then.
    """

    async def work(connection: asyncpg.Connection) -> None:
        async with connection.transaction():
            for statement in _RECOUNT:
                await connection.execute(statement)

    await connections.stream(work)


async def fold(connections: Connections) -> int:
    """Fold what waits, in transactions of ``AT_ONCE_ROWS``; how many rows that were.

    Raises:
        StorageError: The database is away; what was folded stays so.
    """
    folded = 0
    while True:
        count: int = await connections.read(lambda connection: connection.fetchval(_FOLD, AT_ONCE_ROWS))
        folded += count
        if count < AT_ONCE_ROWS:
            break
    if folded > AT_ONCE_ROWS:  # After a copy: every reader would step over what was in the queue.
        await connections.read(lambda connection: connection.execute(_VACUUM), _VACUUM_S)
    return folded


async def daily_totals(reads: Reads, since_day: int) -> list[DailyTotal]:
    """What each kind has moved on each day; see ``Reader.daily_totals``."""
    return [DailyTotal(*row) for row in await reads.read(lambda c: _rows(c, _TOTALS, since_day))]


async def active_players(reads: Reads, since_day: int) -> dict[int, int]:
    """How many players have moved something on each day; see ``Reader.active_players``."""
    return dict(map(tuple, await reads.read(lambda c: _rows(c, _ACTIVE, since_day))))


async def ledger_rows(reads: Reads) -> int:
    """How many rows the ledger has, without counting them."""
    return int(await reads.read(lambda connection: connection.fetchval(_ROWS)))


async def _rows(connection: asyncpg.Connection, query: str, since_day: int) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await connection.fetch(query, since_day)
    return rows
