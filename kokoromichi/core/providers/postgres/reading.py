"""What is read of a PostgreSQL database: by the pool as it stands, or all of one moment."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final, Protocol, TypeVar

import asyncpg
import polars as pl
from pydantic import ValidationError

from kokoromichi.core.errors import InvalidProfileError
from kokoromichi.core.models import ID_PATTERN, DailyTotal, LedgerEntry, UserProfile
from kokoromichi.core.providers.postgres import bulk_load, folding, ledger
from kokoromichi.core.providers.postgres.connections import LOST, TIMED_OUT
from kokoromichi.core.reader import Reader, observed_frame
from kokoromichi.core.validation import checked_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection

    from kokoromichi.core.bulk_load import StoredResponse
    from kokoromichi.core.data_provider import Stream
    from kokoromichi.core.documents import Document
    from kokoromichi.core.providers.postgres.connections import Connections
    from kokoromichi.core.reader import Wanted

T = TypeVar("T")

_PROFILE: Final = (
    "SELECT user_id, version, gold, gems, inventory, fields, unknown FROM users WHERE user_id = $1"
)
_OBSERVED: Final = (
    "SELECT number, seen FROM observations WHERE stream = $1 AND number > $2 ORDER BY number LIMIT $3"
)
_OBSERVED_AT_ONCE: Final = 10_000
_BEGIN: Final = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "SET LOCAL idle_in_transaction_session_timeout = '10min'",  # What is read may be written elsewhere first.
)


class Reads(Protocol):
    """Hands out connections, and tells of a failure in a sentence."""

    @property
    def where(self) -> str:
        """The database, without the password."""

    async def read(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """Do what takes a moment; see ``Connections.read``."""

    async def stream(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """Do what hands out results on the way, while others read; see ``Connections.stream``."""


class PostgresReader(Reader):
    """Reads players, counters and the ledger.

    Args:
        reads: What it reads by.
    """

    name: ClassVar[str] = "postgres"

    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    async def profile(self, user_id: str) -> UserProfile | None:
        """The committed state of a player, or None."""
        if not ID_PATTERN.fullmatch(user_id):
            return None
        row = await self._reads.read(lambda connection: connection.fetchrow(_PROFILE, user_id))
        if row is None:
            return None
        values = {**dict(row), **row["fields"]}
        del values["fields"]
        try:
            return UserProfile(**values)
        except (ValidationError, TypeError) as invalid:
            message = (
                f"player {user_id} in {self._reads.where} is no valid profile, so it was edited by "
                f"another hand: correct the row of table users. {invalid}"
            )
            raise InvalidProfileError(message) from invalid

    async def user_ids(self) -> list[str]:
        """Every player's id, ascending."""
        rows = await self._reads.read(lambda c: c.fetch("SELECT user_id FROM users ORDER BY user_id"))
        return [user_id for (user_id,) in rows]

    async def versions(self) -> dict[str, int]:
        """Every player's version by id, ascending."""
        every = "SELECT user_id, version FROM users ORDER BY user_id"
        rows = await self._reads.read(lambda connection: connection.fetch(every))
        return {row["user_id"]: row["version"] for row in rows}

    async def balances(self) -> list[tuple[str, int]]:
        """Every player's id and gold, the richest first."""
        every = "SELECT user_id, gold FROM users ORDER BY gold DESC, user_id"
        return [tuple(row) for row in await self._reads.read(lambda c: c.fetch(every))]

    async def counters(self) -> dict[str, int]:
        """Every counter by name, ascending."""
        every = "SELECT name, value FROM counters ORDER BY name"
        rows = await self._reads.read(lambda connection: connection.fetch(every))
        return {row["name"]: row["value"] for row in rows}

    async def _page(self, wanted: Wanted, rows: int) -> list[LedgerEntry]:
        return await ledger.read_page(self._reads, wanted, rows)

    def ledger_frames(self, user_ids: Collection[str] | None = None) -> AsyncIterator[pl.DataFrame]:
        """Rows, oldest first, in frames of a few megabytes."""
        return ledger.frames(self._reads, user_ids)

    async def observation_frames(self, stream: Stream) -> AsyncIterator[pl.DataFrame]:
        """What was observed, oldest first, in frames of 10,000 rows at most."""
        last = 0
        while True:
            rows = await self._reads.read(partial(_observed_after, stream, last))
            if not rows:
                return
            last = rows[-1]["number"]
            yield observed_frame(stream, [row["seen"] for row in rows], pl.String())

    async def ledger_rows(self) -> int:
        """How many rows the ledger has."""
        return await folding.ledger_rows(self._reads)

    async def daily_totals(self, since_day: int = 0) -> list[DailyTotal]:
        """What each kind has moved on each day; see ``Reader.daily_totals``."""
        return await folding.daily_totals(self._reads, since_day)

    async def active_players(self, since_day: int = 0) -> dict[int, int]:
        """How many players have moved something on each day."""
        return await folding.active_players(self._reads, since_day)

    async def get_game_data(self, section: str) -> Document | None:
        """A section's document, a copy of its own, or None."""
        checked = checked_id(section, "section")
        asked = "SELECT document FROM game_data WHERE section = $1"
        document: Document | None = await self._reads.read(lambda c: c.fetchval(asked, checked))
        return document

    async def sections(self) -> list[str]:
        """Every stored section's name, ascending."""
        every = "SELECT section FROM game_data ORDER BY section"
        rows = await self._reads.read(lambda connection: connection.fetch(every))
        return [section for (section,) in rows]

    def stored_responses(self) -> AsyncIterator[StoredResponse]:
        """Every request id of a caller whose receipt is kept."""
        return bulk_load.stored_responses(self._reads)


async def _observed_after(
    stream: Stream, number: int, connection: asyncpg.Connection
) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await connection.fetch(_OBSERVED, stream, number, _OBSERVED_AT_ONCE)
    return rows


class _Moment:
    """Reads by connections of its own that share one snapshot, outside of the pool.

    Args:
        connections: Where they come from.
        first: A connection in a transaction, which keeps the snapshot.
        snapshot_id: What the server calls it.
    """

    def __init__(self, connections: Connections, first: asyncpg.Connection, snapshot_id: str) -> None:
        self._connections = connections
        self._first = first
        self._snapshot_id = snapshot_id
        self._turn = asyncio.Lock()

    @property
    def where(self) -> str:
        """The database, without the password."""
        return self._connections.where

    async def read(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """Do what takes a moment; a lost connection has lost the snapshot too."""
        try:
            async with self._turn:
                return await work(self._first)
        except (asyncpg.PostgresError, *LOST, *TIMED_OUT) as error:
            raise self._connections.failed(error) from error

    async def stream(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """Do what hands out results on the way, on a connection that sees the same."""
        try:
            async with _transaction(self._connections) as connection:
                await connection.execute(f"SET TRANSACTION SNAPSHOT '{self._snapshot_id}'")
                return await work(connection)
        except (asyncpg.PostgresError, *LOST, *TIMED_OUT) as error:
            raise self._connections.failed(error) from error


@asynccontextmanager
async def snapshot(connections: Connections) -> AsyncIterator[PostgresReader]:
    """What stands at this moment, read by connections that no act waits for.

    Raises:
        StorageError: The database is away, or has no connection left.
    """
    async with AsyncExitStack() as held:
        try:
            first = await held.enter_async_context(_transaction(connections))
            snapshot_id = await first.fetchval("SELECT pg_export_snapshot()")
        except (asyncpg.PostgresError, *LOST, *TIMED_OUT) as error:
            raise connections.failed(error) from error
        yield PostgresReader(_Moment(connections, first, snapshot_id))


@asynccontextmanager
async def _transaction(connections: Connections) -> AsyncIterator[asyncpg.Connection]:
    """A connection beside the pool, in a transaction that only reads; it ends with the block."""
    connection = await connections.connect()
    try:
        for statement in _BEGIN:
            await connection.execute(statement)
        yield connection
        await connection.close(timeout=connections.patience_s)
    finally:
        connection.terminate()  # Nothing happens where it is closed.
