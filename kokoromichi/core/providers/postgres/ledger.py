"""The ledger on its way out: pages of records, and frames by COPY in bounded memory."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.core.models import LedgerEntry
from kokoromichi.core.schemas import LEDGER_SCHEMA

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    import asyncpg

    from kokoromichi.core.providers.postgres.reading import Reads
    from kokoromichi.core.reader import Wanted

_COLUMNS: Final = ", ".join(LEDGER_SCHEMA)
_WHOLE: Final = f"SELECT {_COLUMNS} FROM ledger ORDER BY entry_id"  # noqa: S608 - names of our own schema
_OWN: Final = _WHOLE.replace("ORDER", "WHERE user_id = ANY($1) ORDER")
_FRAME_BYTES: Final = 4 << 20
_READ_AHEAD: Final = 2
"""Pieces that wait for their reader: what an export holds is a few of them, however long the ledger."""

_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_PLAIN: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

_TEXT_SCHEMA: Final = {**LEDGER_SCHEMA, "at": pl.String()}


async def read_page(reads: Reads, wanted: Wanted, rows: int) -> list[LedgerEntry]:
    """A page of rows, newest first; see ``DataProvider.read_ledger``."""
    tests = ("book =", "user_id =", "kind =", "entry_id <")
    given = [(test, value) for test, value in zip(tests, wanted, strict=True) if value is not None]
    conditions = [f"{test} ${place}" for place, (test, _) in enumerate(given, start=1)]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    query = f"SELECT {_COLUMNS} FROM ledger{where} ORDER BY entry_id DESC LIMIT {rows:d}"  # noqa: S608 - values are bound
    found = await reads.read(lambda connection: connection.fetch(query, *(value for _, value in given)))
    return [LedgerEntry(**row) for row in found]


async def frames(reads: Reads, user_ids: Collection[str] | None = None) -> AsyncIterator[pl.DataFrame]:
    """Rows of these players or of all, as one moment sees them, oldest first, as ``LEDGER_SCHEMA``."""
    pieces: asyncio.Queue[bytes | None] = asyncio.Queue(_READ_AHEAD)
    copying = asyncio.create_task(_copy(reads, pieces, user_ids))
    try:
        while (piece := await pieces.get()) is not None:
            yield await asyncio.to_thread(_frame, piece)
        await copying
    finally:
        copying.cancel()
        await asyncio.gather(copying, return_exceptions=True)


async def _copy(reads: Reads, pieces: asyncio.Queue[bytes | None], user_ids: Collection[str] | None) -> None:
    """Put the ledger's text into the queue, in pieces that end with a row; then None, whatever happened."""
    gathered = bytearray()

    async def take(data: bytes) -> None:
        gathered.extend(data)
        if len(gathered) >= _FRAME_BYTES and (end := gathered.rfind(b"\n") + 1):
            await pieces.put(bytes(gathered[:end]))
            del gathered[:end]

    async def copied(connection: asyncpg.Connection) -> None:
        query = (_WHOLE,) if user_ids is None else (_OWN, sorted(user_ids))
        await connection.copy_from_query(*query, output=take)

    try:
        await reads.stream(copied)
        if gathered:
            await pieces.put(bytes(gathered))
    finally:
        await pieces.put(None)


def _frame(piece: bytes) -> pl.DataFrame:
    r"""COPY's text: a tab between fields, \N for null, and a backslash before what would break a row."""
    frame = pl.read_csv(
        piece,
        has_header=False,
        schema=_TEXT_SCHEMA,
        separator="\t",
        quote_char=None,
        null_values="\\N",
        empty_string_is_null=False,
    )
    moments = pl.col("at").str.to_datetime("%Y-%m-%d %H:%M:%S%.f+00", time_unit="us", time_zone="UTC")
    if piece.count(b"\\") > piece.count(b"\\N"):  # Else every backslash is a null's.
        texts = [name for name, kind in LEDGER_SCHEMA.items() if kind == pl.String()]
        frame = frame.with_columns(_unescaped(frame[name]) for name in texts)
    return frame.with_columns(moments)


def _unescaped(texts: pl.Series) -> pl.Series:
    """Whole texts again; few columns have a backslash, so that the others pass as they are."""
    if not texts.str.contains("\\", literal=True).any():
        return texts
    plain = [text and _ESCAPED.sub(lambda found: _PLAIN.get(found[1], found[1]), text) for text in texts]
    return pl.Series(texts.name, plain, pl.String)
