"""The doors of a copy: parts of another store put as they were, and the receipts handed on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import asyncpg
import polars as pl

from kokoromichi.core.bulk_load import StoredResponse
from kokoromichi.core.clock import moment_of, us_of
from kokoromichi.core.documents import check_batch
from kokoromichi.core.errors import ConflictError, MisuseError, RequestMismatchError
from kokoromichi.core.models import SET_FIELDS
from kokoromichi.core.providers.postgres.wire import encode_document
from kokoromichi.core.schemas import LEDGER_SCHEMA

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kokoromichi.core.bulk_load import Batch, UserSnapshot
    from kokoromichi.core.providers.postgres.connections import Connections
    from kokoromichi.core.providers.postgres.reading import Reads

_PAGE: Final = 2_000
_REMEMBERED: Final = (
    "SELECT request_id, digest, answer::text, at FROM requests "
    "WHERE request_id > $1 AND request_id NOT LIKE '~%' AND answer IS NOT NULL ORDER BY request_id LIMIT $2"
)
_VERSIONS: Final = (
    "SELECT user_id, version FROM users WHERE user_id = ANY($1) ORDER BY user_id FOR NO KEY UPDATE"
)
_PUT_USER: Final = (
    "INSERT INTO users (user_id, version, gold, gems, inventory, fields, unknown) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (user_id) DO UPDATE SET version = excluded.version, "
    "gold = excluded.gold, gems = excluded.gems, inventory = excluded.inventory, fields = excluded.fields, "
    "unknown = excluded.unknown WHERE users.version = $8 RETURNING true"
)
_PUT_COUNTER: Final = (
    "INSERT INTO counters VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_PUT_REQUEST: Final = "INSERT INTO requests VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
_PUT_SECTION: Final = (
    "INSERT INTO game_data VALUES ($1, $2) ON CONFLICT (section) DO UPDATE SET document = excluded.document"
)
_STAMP: Final = (
    "UPDATE users SET stamped_us = greatest(stamped_us, newest.us) "
    "FROM unnest($1::text[], $2::bigint[]) AS newest(id, us) WHERE user_id = newest.id"
)
_NUMBER: Final = "SELECT setval('ledger_tx', greatest((SELECT last_value FROM ledger_tx), $1))"


async def stored_responses(reads: Reads) -> AsyncIterator[StoredResponse]:
    """Every request id of a caller whose receipt is kept, ascending."""
    last = ""
    while True:
        after = last
        rows = await reads.read(lambda connection: connection.fetch(_REMEMBERED, after, _PAGE))  # noqa: B023 - awaited at once
        for row in rows:
            yield StoredResponse(row["request_id"], row["digest"], row["answer"].encode(), us_of(row["at"]))
        if len(rows) < _PAGE:
            return
        last = rows[-1]["request_id"]


async def load(connections: Connections, batch: Batch, now_us: int) -> None:
    """Store a part of another store as it was, in one transaction; see ``DataProvider.load``.

    Args:
        connections: Where to.
        batch: What.
        now_us: When a request id counts as used whose own time is not known, in microseconds.
    """
    check_batch(batch)

    async def put(connection: asyncpg.Connection) -> None:
        async with connection.transaction():
            await _put_users(connection, batch.users)
            if batch.rows is not None and batch.rows.height:
                await _put_rows(connection, batch.rows)
            await connection.executemany(_PUT_COUNTER, sorted(batch.counters.items()))
            await _put_requests(connection, batch, now_us)
            sections = [
                (name, encode_document(dict(document)))  # type: ignore[arg-type] # JSON, as it was read.
                for name, document in sorted(batch.sections.items())
            ]
            await connection.executemany(_PUT_SECTION, sections)

    try:
        await connections.stream(put)
    except asyncpg.UniqueViolationError as twice:
        message = f"a row of this portion is stored already: {twice.detail}"
        raise ConflictError(message) from twice
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, ValueError) as wrong:
        message = f"the database cannot hold this portion: {wrong}"
        raise MisuseError(message) from wrong


async def _put_users(connection: asyncpg.Connection, users: tuple[UserSnapshot, ...]) -> None:
    found = await connection.fetch(_VERSIONS, [snapshot.profile.user_id for snapshot in users])
    stored = dict(map(tuple, found))
    for snapshot in sorted(users, key=lambda one: one.profile.user_id):
        profile = snapshot.profile
        values = (
            *(profile.user_id, profile.version, profile.gold, profile.gems),
            encode_document(dict(profile.inventory)),
            encode_document({name: getattr(profile, name) for name in sorted(SET_FIELDS)}),
            encode_document(profile.unknown),
            snapshot.expected_version,
        )
        fits = stored.get(profile.user_id, 0) == snapshot.expected_version
        if not (fits and await connection.fetchval(_PUT_USER, *values)):
            message = f"player {profile.user_id} is not of version {snapshot.expected_version}"
            raise ConflictError(message)


async def _put_rows(connection: asyncpg.Connection, rows: pl.DataFrame) -> None:
    """The rows as they are; our own numbers go on behind theirs, and our stamps behind their times."""
    await connection.copy_records_to_table("ledger", records=rows.iter_rows(), columns=list(LEDGER_SCHEMA))
    time_part = pl.col("entry_id").str.extract(r"^(\d{16})-").cast(pl.Int64)
    newest = rows.group_by("user_id").agg((time_part.max() + 1).alias("us")).drop_nulls().sort("user_id")
    await connection.execute(_STAMP, newest["user_id"].to_list(), newest["us"].to_list())
    number = rows["tx_id"].str.extract(r"^(\d{1,18})$").cast(pl.Int64).max()
    if number is not None:
        await connection.execute(_NUMBER, number)


async def _put_requests(connection: asyncpg.Connection, batch: Batch, now_us: int) -> None:
    digests = {asked.request_id: asked.digest for asked in batch.requests}
    known = await connection.fetch(
        "SELECT request_id, digest FROM requests WHERE request_id = ANY($1)", list(digests)
    )
    for request_id, digest in known:
        if digests[request_id] != digest:
            raise RequestMismatchError(request_id)
    answers = [
        (
            asked.request_id,
            asked.digest,
            asked.answer,
            moment_of(asked.at_us if asked.at_us >= 0 else now_us),
        )
        for asked in sorted(batch.requests, key=lambda one: one.request_id)
    ]
    await connection.executemany(_PUT_REQUEST, answers)
