"""The ledger's collections as one: pages, newest first, and frames, oldest first, in bounded memory."""

from __future__ import annotations

from heapq import nlargest
from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.core.clock import moment_of
from kokoromichi.core.kinds import BOOKS, KINDS
from kokoromichi.core.models import LedgerEntry
from kokoromichi.core.schemas import LEDGER_SCHEMA

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence

    from kokoromichi.core.providers.mongo.driver import MongoDriver, MongoSession, Stored
    from kokoromichi.core.reader import Wanted

_BATCH_ROWS: Final = 10_000
_STORED_COLUMNS: Final = {
    **{name: kind for name, kind in LEDGER_SCHEMA.items() if name not in {"entry_id", "at", "book"}},
    "_id": pl.String(),
    "at_us": pl.Int64(),
}


async def read_page(
    driver: MongoDriver, session: MongoSession | None, wanted: Wanted, rows: int
) -> list[LedgerEntry]:
    """A page of rows, newest first; see ``DataProvider.read_ledger``."""
    query: Stored = {}
    books = set(BOOKS if wanted.book is None else (wanted.book,)) & set(BOOKS)
    if wanted.user_id is not None:
        query["user_id"] = wanted.user_id
    if wanted.kind is not None:
        query["kind"] = wanted.kind
        books &= {KINDS[wanted.kind].book} if wanted.kind in KINDS else set()
    if wanted.before is not None:
        query["_id"] = {"$lt": wanted.before}
    found: list[tuple[str, Stored]] = []
    for name in sorted(books):
        cursor = driver.collection(f"ledger_{name}").find(query, session=session).sort("_id", -1).limit(rows)
        found += [(name, row) for row in await cursor.to_list(rows)]
    return [_entry(name, row) for name, row in nlargest(rows, found, key=lambda each: each[1]["_id"])]


def _entry(book: str, row: Stored) -> LedgerEntry:
    columns = {name: row.get(name) for name in _STORED_COLUMNS if name not in {"_id", "at_us"}}
    return LedgerEntry.model_validate(
        {**columns, "entry_id": row["_id"], "at": moment_of(row["at_us"]), "book": book}
    )


async def read_frames(
    driver: MongoDriver, user_ids: Collection[str] | None = None, session: MongoSession | None = None
) -> AsyncIterator[pl.DataFrame]:
    """Rows of these players or of all, oldest first, in frames of some 60,000: the books, merged as read."""
    wanted: Stored = {} if user_ids is None else {"user_id": {"$in": sorted(user_ids)}}
    sources = {book: _read_book(driver, book, wanted, session) for book in BOOKS}
    held = {book: pl.DataFrame(schema=LEDGER_SCHEMA) for book in BOOKS}
    opened = list(sources.values())
    try:
        while sources:
            for book in [book for book in sources if held[book].is_empty()]:
                held[book] = await anext(sources[book], held[book])
                if held[book].is_empty():
                    del sources[book]
            if not sources:
                return
            end = min(str(held[book]["entry_id"][-1]) for book in sources)
            known = pl.col("entry_id") <= end  # Nothing older can still come.
            yield pl.concat([rows.filter(known) for rows in held.values()]).sort("entry_id")
            held = {book: rows.filter(~known) for book, rows in held.items()}
    finally:
        for source in opened:  # Those that wait are not closed by whoever ends this one.
            await source.aclose()


async def _read_book(
    driver: MongoDriver, book: str, wanted: Stored, session: MongoSession | None
) -> AsyncGenerator[pl.DataFrame, None]:
    """The rows of one book that are wanted, oldest first."""
    rows_of = driver.collection(f"ledger_{book}")
    cursor = rows_of.find(wanted, batch_size=_BATCH_ROWS, session=session).sort("_id", 1)
    try:
        while rows := await cursor.to_list(_BATCH_ROWS):
            yield _frame(rows, book)
    finally:
        await cursor.close()


def _frame(rows: Sequence[Stored], book: str) -> pl.DataFrame:
    columns = {
        name: pl.Series(name, [row.get(name) for row in rows], dtype=kind)
        for name, kind in _STORED_COLUMNS.items()
    }
    frame = pl.DataFrame(list(columns.values())).with_columns(
        entry_id=pl.col("_id"),
        at=pl.col("at_us").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        book=pl.lit(book),
    )
    return frame.select(LEDGER_SCHEMA.names()).match_to_schema(LEDGER_SCHEMA)
