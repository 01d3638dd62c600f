"""The provider over a PostgreSQL database."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from kokoromichi.core.clock import Clock, SystemClock, moment_of
from kokoromichi.core.copying.marking import MARK
from kokoromichi.core.documents import checked_document
from kokoromichi.core.errors import (
    StorageError,
)
from kokoromichi.core.models import (
    ACTIVITY_ROWS_KEPT,
    ANSWERS_KEPT_DAYS,
    ChangeSet,
    Receipt,
)
from kokoromichi.core.providers.postgres import bulk_load, erasing, folding
from kokoromichi.core.providers.postgres.commits import PostgresCommits
from kokoromichi.core.providers.postgres.connections import Connections
from kokoromichi.core.providers.postgres.reading import PostgresReader, snapshot
from kokoromichi.core.providers.postgres.schema import check, upgrade
from kokoromichi.core.providers.postgres.wire import encode_document
from kokoromichi.core.providers.remote import RemoteProvider
from kokoromichi.core.validation import (
    checked_id,
    checked_pseudonym,
    checked_request_id,
    checked_section,
    spent,
)
from kokoromichi.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    import asyncpg

    from kokoromichi.core.bulk_load import Batch
    from kokoromichi.core.data_provider import DataProvider, Stream
    from kokoromichi.core.documents import Document
    from kokoromichi.core.models import AnswerT
    from kokoromichi.core.providers.remote import NotesErasures

_LOG: Final = logging.getLogger(__name__)

_OBSERVATIONS_HELD: Final = 1_000
"""Rows of the streams that wait in memory; they are outside the promise."""

_SECTION: Final = (
    "INSERT INTO game_data VALUES ($1, $2) ON CONFLICT (section) DO UPDATE SET document = excluded.document"
)
_FORGET: Final = (
    "UPDATE requests SET answer = NULL WHERE at < $1 AND answer IS NOT NULL",
    "DELETE FROM requests WHERE at < $1 AND request_id LIKE '~%'",
)
_OTHERS: Final = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND application_name = current_setting('application_name')
"""
_CLEAR: Final = f"""
TRUNCATE users, counters, requests, ledger, daily_totals, active_players, active_days, unfolded;
DELETE FROM game_data WHERE section <> '{MARK}'
"""  # noqa: S608 - a name of our own
_PROBE: Final = """
SET LOCAL work_mem = '64kB';
SELECT count(*) FROM unnest(array_fill(repeat('-', 8192), '{32}')) AS page;
UPDATE schema_version SET version = version
"""
"""More rows than fit into memory go by a file: a row that is written anew finds room also on a full disk."""
_FORGET_ACTIVITY: Final = (
    "DELETE FROM observations WHERE stream = 'activity' AND number <= "
    "(SELECT number FROM observations WHERE stream = 'activity' ORDER BY number DESC OFFSET $1 LIMIT 1)"
)


class PostgresProvider(PostgresReader, RemoteProvider):
    """Players, counters and the ledger in PostgreSQL; several processes may share a database.

    It connects when it is opened, or with the first call.

    Args:
        database_url: ``postgresql://user:password@host:port/database``; no message repeats its password.
            ``DATABASE_URL`` when left out.
        clock: What stamps corrections; the machine's own unless given.
        pool_size: Least and most connections.
        schema: Where its tables are.
        patience_s: How long a call waits for a server that is away or busy, in seconds.
        lock_s: How long the server waits for a player, item or request that another session holds.
        beside: The folder that it is copied to and from; see ``RemoteProvider``.
        erasures: Where erasures are written down; see ``RemoteProvider``.
        read_only: Whether the opening makes no table, and refuses where one is missing.
    """

    def __init__(  # noqa: PLR0913 - what may be set of a server, each by its name
        self,
        database_url: str | None = None,
        *,
        clock: Clock | None = None,
        pool_size: tuple[int, int] = (5, 20),
        schema: str = "public",
        patience_s: float = 10.0,
        lock_s: float = 5.0,
        beside: DataProvider | None = None,
        erasures: NotesErasures | None = None,
        read_only: bool = False,
    ) -> None:
        RemoteProvider.__init__(self, beside, clock or SystemClock(), erasures)
        if database_url is None:
            database_url = Settings().database_url.get_secret_value()
        self._connections = Connections(
            database_url,
            checked_id(schema, "schema"),
            pool_size,
            self._look if read_only else self._begin,
            patience_s=patience_s,
            lock_s=lock_s,
        )
        self._schema = schema
        PostgresReader.__init__(self, self._connections)
        self._opening = self._connections.opening
        self._commits = PostgresCommits(self._connections)
        self._observed: list[tuple[Stream, bytes]] = []

    async def open(self) -> None:
        """Connect, and bring the tables up to date where they are not only read.

        Raises:
            StorageError: The database cannot be used; the sentence says why, where, and the cure.
        """
        await self._opening.open()

    async def close(self) -> None:
        """Wait for what is on its way, flush the streams and let go of the connections."""
        try:
            if self._opening.is_open:
                await self._commits.close()
                if self._observed:
                    await self._flush()
            await self._connections.close()
        finally:
            await super().close()

    async def _look(self, first: asyncpg.Connection) -> None:
        await check(first, self._schema, self._connections.where)

    async def _begin(self, first: asyncpg.Connection) -> None:
        """Begin anew, without what is kept for a time: receipts, whose ids stay used, and activity."""
        await upgrade(first, self._schema)
        self._commits = PostgresCommits(self._connections)
        before = moment_of(self._clock.now_us()) - timedelta(days=ANSWERS_KEPT_DAYS)
        for statement in _FORGET:
            await first.execute(statement, before)
        await first.execute(_FORGET_ACTIVITY, ACTIVITY_ROWS_KEPT)

    def snapshot(self) -> AbstractAsyncContextManager[PostgresReader]:
        """Everything as it stands at one moment; see ``DataProvider.snapshot``."""
        return snapshot(self._connections)

    async def get_response(self, request_id: str, digest: str) -> Receipt | None:
        """The receipt of a request id, or None; see ``DataProvider.get_response``."""
        asked = "SELECT digest, answer::text FROM requests WHERE request_id = $1"
        checked = checked_request_id(request_id)
        row = await self._connections.read(lambda connection: connection.fetchrow(asked, checked))
        if row is None:
            return None
        if row["digest"] != digest or row["answer"] is None:
            raise spent(request_id, row["digest"])
        return Receipt.decoded(row["answer"])

    async def fence(self, request_id: str, digest: str) -> Receipt | None:
        """Spend a request id whose outcome is unknown; see ``DataProvider.fence``."""
        answer = await self._commits.fence(checked_request_id(request_id), digest)
        return None if answer is None else Receipt.decoded(answer)

    async def apply(self, change: ChangeSet[AnswerT]) -> AnswerT:
        """Store a change whole, or raise and store nothing; see ``DataProvider.apply``."""
        await self._opening.ready()
        return await self._commits.apply(change)

    @property
    def waiting(self) -> int:  # type: ignore[override] # It is only read.
        """Commits of this process that are on their way."""
        return self._commits.waiting

    async def erase(self, user_id: str, pseudonym: str) -> None:
        """Put a pseudonym in the place of a player's id; see ``DataProvider.erase``."""
        checked_pseudonym(user_id, pseudonym)
        await self._flush()
        await self._note_erasure(user_id, pseudonym)
        await erasing.erase(self._connections, user_id, pseudonym)

    async def others(self) -> int:
        """Sessions of other processes in this database; see ``DataProvider.others``."""
        found: int = await self._connections.read(lambda connection: connection.fetchval(_OTHERS))
        return found

    async def clear(self) -> None:
        """Delete all but observations and the mark, in one transaction; see ``DataProvider.clear``."""
        await self._connections.read(lambda connection: connection.execute(_CLEAR))

    async def probe(self) -> None:
        """Write the tables' version anew, if the disk has room; see ``DataProvider.probe``."""
        await self._connections.read(lambda connection: connection.execute(_PROBE))

    async def fold(self) -> int:
        """Fold what commits have moved into the daily totals; see ``DataProvider.fold``."""
        return await folding.fold(self._connections)

    async def recount(self) -> None:
        """Correct the daily totals by the ledger; see ``DataProvider.recount``."""
        await folding.recount(self._connections)

    async def append_observations(self, stream: Stream, rows: Sequence[Mapping[str, object]]) -> None:
        """Keep rows of a stream's schema; activity of the last moment may be lost."""
        self._observed += [(stream, msgspec.json.encode(row)) for row in rows]
        if stream == "economy_history" or len(self._observed) >= _OBSERVATIONS_HELD:
            await self._flush()

    async def _flush(self) -> None:
        rows, self._observed = self._observed, []
        insert = "INSERT INTO observations (stream, seen) VALUES ($1, $2)"
        try:
            await self._connections.read(lambda connection: connection.executemany(insert, rows))
        except StorageError as failed:
            _LOG.warning("%d observations were lost: %s", len(rows), failed)

    async def save_game_data(self, section: str, data: Document) -> None:
        """Store a section's document."""
        checked = checked_section(section)
        encoded = encode_document(checked_document(data, f"section {section}"))
        await self._connections.read(lambda connection: connection.execute(_SECTION, checked, encoded))

    async def load(self, batch: Batch) -> None:
        """Store a part of another store as it was; see ``DataProvider.load``."""
        await bulk_load.load(self._connections, batch, self._clock.now_us())
