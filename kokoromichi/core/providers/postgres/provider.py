"""The provider over a PostgreSQL database."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec
from pydantic import ValidationError

from kokoromichi.core.clock import Clock, SystemClock, moment_of
from kokoromichi.core.documents import checked_document, correction
from kokoromichi.core.errors import (
    ConflictError,
    InvalidProfileError,
    StorageError,
)
from kokoromichi.core.models import (
    ANSWERS_KEPT_DAYS,
    ID_PATTERN,
    ChangeSet,
    LedgerEntry,
    Receipt,
    UserProfile,
)
from kokoromichi.core.providers.postgres import bulk_load, erasing, ledger
from kokoromichi.core.providers.postgres.commits import PostgresCommits
from kokoromichi.core.providers.postgres.connections import Connections
from kokoromichi.core.providers.postgres.wire import encode_document
from kokoromichi.core.providers.remote import RemoteProvider
from kokoromichi.core.responses import decode_response
from kokoromichi.core.validation import (
    checked_id,
    checked_pseudonym,
    checked_request_id,
    checked_section,
    checked_user_id,
    spent,
)
from kokoromichi.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    import asyncpg
    import polars as pl

    from kokoromichi.core.bulk_load import Batch, StoredResponse
    from kokoromichi.core.data_provider import DataProvider, Document, Stream
    from kokoromichi.core.models import AnswerT

_LOG: Final = logging.getLogger(__name__)

_OBSERVATIONS_HELD: Final = 1_000
"""Rows of the streams that wait in memory; they are outside the promise."""

_PROFILE: Final = (
    "SELECT user_id, version, gold, gems, inventory, fields, unknown FROM users WHERE user_id = $1"
)
_SECTION: Final = (
    "INSERT INTO game_data VALUES ($1, $2) ON CONFLICT (section) DO UPDATE SET document = excluded.document"
)
_FORGET: Final = (
    "UPDATE requests SET answer = NULL WHERE at < $1 AND answer IS NOT NULL",
    "DELETE FROM requests WHERE at < $1 AND request_id LIKE '~%'",
)
_TRIES: Final = 20


class PostgresProvider(RemoteProvider):
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
    """

    name: ClassVar[str] = "postgres"

    def __init__(
        self,
        database_url: str | None = None,
        *,
        clock: Clock | None = None,
        pool_size: tuple[int, int] = (5, 20),
        schema: str = "public",
        patience_s: float = 10.0,
        lock_s: float = 5.0,
        beside: DataProvider | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        super().__init__(beside, self._clock)
        if database_url is None:
            database_url = Settings().database_url.get_secret_value()
        self._connections = Connections(
            database_url,
            checked_id(schema, "schema"),
            pool_size,
            self._begin,
            patience_s=patience_s,
            lock_s=lock_s,
        )
        self._opening = self._connections.opening
        self._commits = PostgresCommits(self._connections)
        self._observed: list[tuple[Stream, bytes]] = []

    async def open(self) -> None:
        """Connect, and bring the tables up to date.

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

    async def _begin(self, first: asyncpg.Connection) -> None:
        """Begin anew. Receipts are kept for 30 days; the ids stay, so that none is ever used again."""
        self._commits = PostgresCommits(self._connections)
        before = moment_of(self._clock.now_us()) - timedelta(days=ANSWERS_KEPT_DAYS)
        for statement in _FORGET:
            await first.execute(statement, before)

    async def profile(self, user_id: str) -> UserProfile | None:
        """The committed state of a player, or None."""
        if not ID_PATTERN.fullmatch(user_id):
            return None
        row = await self._connections.read(lambda connection: connection.fetchrow(_PROFILE, user_id))
        if row is None:
            return None
        values = {**dict(row), **row["fields"]}
        del values["fields"]
        try:
            return UserProfile(**values)
        except (ValidationError, TypeError) as invalid:
            message = (
                f"player {user_id} in {self._connections.where} is no valid profile, so it was edited by "
                f"another hand: correct the row of table users. {invalid}"
            )
            raise InvalidProfileError(message) from invalid

    async def user_ids(self) -> list[str]:
        """Every player's id, ascending."""
        rows = await self._connections.read(lambda c: c.fetch("SELECT user_id FROM users ORDER BY user_id"))
        return [user_id for (user_id,) in rows]

    async def versions(self) -> dict[str, int]:
        """Every player's version by id, ascending."""
        every = "SELECT user_id, version FROM users ORDER BY user_id"
        rows = await self._connections.read(lambda connection: connection.fetch(every))
        return {row["user_id"]: row["version"] for row in rows}

    async def balances(self) -> list[tuple[str, int]]:
        """Every player's id and gold, the richest first."""
        every = "SELECT user_id, gold FROM users ORDER BY gold DESC, user_id"
        return [tuple(row) for row in await self._connections.read(lambda c: c.fetch(every))]

    async def counters(self) -> dict[str, int]:
        """Every counter by name, ascending."""
        every = "SELECT name, value FROM counters ORDER BY name"
        rows = await self._connections.read(lambda connection: connection.fetch(every))
        return {row["name"]: row["value"] for row in rows}

    async def get_response(self, request_id: str, digest: str) -> Receipt | None:
        """The receipt of a request id, or None; see ``DataProvider.get_response``."""
        asked = "SELECT digest, answer::text FROM requests WHERE request_id = $1"
        checked = checked_request_id(request_id)
        row = await self._connections.read(lambda connection: connection.fetchrow(asked, checked))
        if row is None:
            return None
        if row["digest"] != digest or row["answer"] is None:
            raise spent(request_id, row["digest"])
        return decode_response(row["answer"])

    async def fence(self, request_id: str, digest: str) -> Receipt | None:
        """Spend a request id whose outcome is unknown; see ``DataProvider.fence``."""
        answer = await self._commits.fence(checked_request_id(request_id), digest)
        return None if answer is None else decode_response(answer)

    async def apply(self, change: ChangeSet[AnswerT]) -> AnswerT:
        """Store a change whole, or raise and store nothing; see ``DataProvider.apply``."""
        await self._opening.ready()
        return await self._commits.apply(change)

    async def read_ledger(
        self,
        *,
        book: str | None = None,
        user_id: str | None = None,
        kind: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> list[LedgerEntry]:
        """A page of ledger rows, newest first; see ``DataProvider.read_ledger``."""
        wanted = {"book": book, "user_id": user_id, "kind": kind}
        return await ledger.read_page(self._connections, wanted, before, max(1, min(limit, 1_000)))

    def ledger_frames(self, user_ids: Collection[str] | None = None) -> AsyncIterator[pl.DataFrame]:
        """Rows, oldest first, in frames of a few megabytes."""
        return ledger.frames(self._connections, user_ids)

    async def ledger_rows(self) -> int:
        """How many rows the ledger has."""
        count = "SELECT count(*) FROM ledger"
        rows: int = await self._connections.read(lambda connection: connection.fetchval(count))
        return rows

    @property
    def waiting(self) -> int:  # type: ignore[override] # It is only read.
        """Commits of this process that are on their way."""
        return self._commits.waiting

    async def erase(self, user_id: str, pseudonym: str) -> None:
        """Put a pseudonym in the place of a player's id; see ``DataProvider.erase``."""
        checked_pseudonym(user_id, pseudonym)
        await self._flush()
        await erasing.erase(self._connections, user_id, pseudonym)

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

    async def get_user(self, user_id: str | int) -> Document | None:
        """A player as a document of the caller's own, or None."""
        profile = await self.profile(checked_user_id(user_id))
        return None if profile is None else profile.document()

    async def save_user(self, user_id: str | int, data: Document) -> None:
        """Store a player's document; see ``DataProvider.save_user``."""
        known = checked_user_id(user_id)
        for left in range(_TRIES - 1, -1, -1):
            stored = await self.profile(known)
            change, unknown = correction(stored, known, data, self._clock.now_us())
            try:
                await self._commits.apply(change, unknown)
            except ConflictError:
                if "version" in data or not left:
                    raise
                continue  # It claims no version, so it holds over whatever was stored meanwhile.
            return

    async def get_game_data(self, section: str) -> Document | None:
        """A section's document, a copy of its own, or None."""
        checked = checked_id(section, "section")
        asked = "SELECT document FROM game_data WHERE section = $1"
        document: Document | None = await self._connections.read(lambda c: c.fetchval(asked, checked))
        return document

    async def save_game_data(self, section: str, data: Document) -> None:
        """Store a section's document."""
        checked = checked_section(section)
        encoded = encode_document(checked_document(data, f"section {section}"))
        await self._connections.read(lambda connection: connection.execute(_SECTION, checked, encoded))

    async def sections(self) -> list[str]:
        """Every stored section's name, ascending."""
        every = "SELECT section FROM game_data ORDER BY section"
        rows = await self._connections.read(lambda connection: connection.fetch(every))
        return [section for (section,) in rows]

    def stored_responses(self) -> AsyncIterator[StoredResponse]:
        """Every request id of a caller whose receipt is kept."""
        return bulk_load.stored_responses(self._connections)

    async def load(self, batch: Batch) -> None:
        """Store a part of another store as it was; see ``DataProvider.load``."""
        await bulk_load.load(self._connections, batch, self._clock.now_us())
