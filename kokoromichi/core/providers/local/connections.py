"""Reads beside the writer: connections that only read, each from one snapshot at a time."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final, Protocol

import apsw
import msgspec
import polars as pl

from kokoromichi.core.bulk_load import StoredResponse
from kokoromichi.core.clock import moment_of
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.models import DailyTotal, LedgerEntry
from kokoromichi.core.providers.local.committed import unpacked
from kokoromichi.core.providers.local.errors import storage_error
from kokoromichi.core.providers.local.schema import NAME_COLUMNS, PLAYER_COLUMNS, readable
from kokoromichi.core.reader import observed_frame
from kokoromichi.core.schemas import LEDGER_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator, Sequence
    from pathlib import Path

    from kokoromichi.core.data_provider import Stream
    from kokoromichi.core.reader import Wanted

FRAME_ROWS: Final = 16_384
_ROWS_TURNED: Final = 256
_ENTRY_DIGITS: Final = 19
_TX_DIGITS: Final = 12
_COLUMNS: Final = LEDGER_SCHEMA.names()
_STORED: Final = {
    "own_tx": pl.Int64,
    **{
        name: pl.UInt32 if name in PLAYER_COLUMNS + NAME_COLUMNS else kind
        for name, kind in LEDGER_SCHEMA.items()
    },
    "entry_id": pl.Int64,
    "at": pl.Int64,
}
"""The columns of ``_FRAME``: players and names as their codes."""
_FRAME: Final = """
SELECT iif(typeof(tx) = 'integer', tx, NULL), entry, iif(typeof(tx) = 'text', tx, NULL), at_us, book, kind,
    player, currency, amount, balance_after, item, quantity, counterparty, actor, request_id, reason
FROM ledger WHERE entry > ? ORDER BY entry LIMIT ?
"""

_TOTALS: Final = """
SELECT day, (SELECT name FROM names WHERE code = kind), (SELECT name FROM names WHERE code = currency), rows,
    gained, lost FROM daily_totals WHERE day >= ? ORDER BY 1, 2, 3
"""
_OBSERVED: Final = {
    "activity": "SELECT number, (SELECT name FROM players WHERE code = player), document FROM activity "
    "WHERE number > ? ORDER BY number LIMIT ?",
    "economy_history": "SELECT number, NULL, document FROM economy_history "
    "WHERE number > ? ORDER BY number LIMIT ?",
}
_ANSWERED: Final = """
SELECT rowid, request_id, digest, answer, at_us FROM requests
    WHERE rowid > ? AND answer IS NOT NULL ORDER BY rowid LIMIT 5000
"""


class Read(Protocol):
    """Answers all rows of a query."""

    def __call__(self, query: str, arguments: Sequence[Any] = ()) -> list[Any]:
        """Run it; blocks."""


def is_by_one_index(wanted: Wanted) -> bool:
    """Whether an index alone finds the rows of the ledger, so that a page reads no more than it shows."""
    return wanted.kind is None and (wanted.book is None or wanted.user_id is None)


class ReadConnections:
    """Connections that only read, each used by one thread at a time.

    Args:
        path: The database.
        snapshot: Whether everything is read from one and the same moment, that of the opening: for an audit
            or an export beside a bot that plays on. Then there is one connection, and its readers take turns.
    """

    def __init__(self, path: Path, *, snapshot: bool = False) -> None:
        self._path = path
        self._idle: deque[apsw.Connection] = deque()
        self._loop = readable(path)  # For lookups of one row, which no thread is worth.
        self._turn = threading.Lock() if snapshot else None
        self._store = ""
        if snapshot:
            self._loop.execute("BEGIN")
        (row,) = self.now("SELECT value FROM meta WHERE name = 'store'") or [("",)]
        self._store = row[0]

    def close(self) -> None:
        """Close every connection that is not in use; that of a snapshot, as soon as it is not."""
        while self._idle:
            self._idle.pop().close()
        with self._turn or nullcontext():
            self._loop.close()

    def now(self, query: str, arguments: Sequence[Any] = ()) -> list[Any]:
        """All rows of a query that takes microseconds; for the loop's thread."""
        try:
            with self._turn or nullcontext():
                return self._loop.execute(query, arguments).fetchall()
        except apsw.Error as failure:
            raise storage_error(self._path, failure) from failure

    @contextmanager
    def session(self) -> Iterator[Read]:
        """Read from one snapshot; blocks, and is to be short or to be closed."""
        if self._turn is not None:
            yield self.now
            return
        try:
            base = self._idle.pop()
        except IndexError:
            base = readable(self._path)
        try:
            base.execute("BEGIN")
            yield lambda query, arguments=(): base.execute(query, arguments).fetchall()
        except apsw.Error as failure:
            raise storage_error(self._path, failure) from failure
        finally:
            if base.in_transaction:
                base.execute("ROLLBACK")
            self._idle.append(base)

    def rows(self, query: str, arguments: Sequence[Any] = ()) -> list[Any]:
        """All rows of a query; blocks."""
        with self.session() as read:
            return read(query, arguments)

    def page(self, wanted: Wanted, limit: int, read: Read) -> list[LedgerEntry]:
        """Rows of the ledger, newest first, read by ``now`` or ``rows``; blocks.

        Raises:
            MisuseError: ``before`` is no entry id.
        """
        where, arguments = _condition(wanted)
        chosen = f"SELECT entry FROM ledger WHERE {where} ORDER BY entry DESC LIMIT ?"
        query = f"SELECT * FROM ledger_rows WHERE entry IN ({chosen}) ORDER BY entry DESC"
        return [LedgerEntry.model_validate(self.entry(row)) for row in read(query, (*arguments, limit))]

    def entry(self, row: Sequence[Any]) -> dict[str, Any]:
        """A row of ``ledger_rows`` as the columns of ``LEDGER_SCHEMA``."""
        values = dict(zip(_COLUMNS, row, strict=True))
        tx_id = self._tx_id(values["tx_id"])
        values.update(
            entry_id=f"{values['entry_id']:0{_ENTRY_DIGITS}d}",
            tx_id=tx_id,
            at=moment_of(values["at"]),
            request_id=values["request_id"] or f"~{tx_id}",
        )
        return values

    def _tx_id(self, tx: int | str) -> str:
        return tx if isinstance(tx, str) else f"{self._store}-{tx:0{_TX_DIGITS}d}"

    def daily_totals(self, since_day: int) -> list[DailyTotal]:
        """What each kind has moved on each day; for the loop's thread."""
        return [DailyTotal(*row) for row in self.now(_TOTALS, (since_day,))]

    def answered(self) -> Generator[list[StoredResponse], None, None]:
        """Every request id whose answer is kept, in batches; each step blocks."""
        last = 0
        while rows := self.rows(_ANSWERED, (last,)):
            last = rows[-1][0]
            yield [
                StoredResponse(request_id, unpacked(digest), answer.encode(), at_us)
                for _, request_id, digest, answer, at_us in rows
            ]

    def frames(self, user_ids: Collection[str] | None = None) -> Generator[pl.DataFrame, None, None]:
        """The ledger, oldest first, from one snapshot; each step blocks."""
        with self.session() as read:
            columns = _decoded(self._store, _by_code(read, "players"), _by_code(read, "names"))
            wanted = pl.lit(value=True) if user_ids is None else pl.col("user_id").is_in(list(user_ids))
            after = 0
            while rows := read(_FRAME, (after, FRAME_ROWS)):
                after = rows[-1][1]
                yield _stored_frame(rows).select(columns).filter(wanted)

    def observations(self, stream: Stream) -> Generator[pl.DataFrame, None, None]:
        """Rows of a stream, oldest first, from one snapshot; each step blocks."""
        with self.session() as read:
            after = -1
            while rows := read(_OBSERVED[stream], (after, FRAME_ROWS)):
                after = rows[-1][0]
                documents = [msgspec.json.decode(document, type=dict) for _, _, document in rows]
                for document, (_, player, _) in zip(documents, rows, strict=True):
                    document["user_id"] = player
                yield observed_frame(stream, documents, pl.String())


def _condition(wanted: Wanted) -> tuple[str, list[str]]:
    """The condition on the table ``ledger``, and its arguments."""
    if wanted.before is not None and not wanted.before.isdecimal():
        message = f"before is {wanted.before!r}, which is no entry id: take that of the page's last row"
        raise MisuseError(message)
    conditions = (
        "book = (SELECT code FROM names WHERE name = ?)",
        "player = (SELECT code FROM players WHERE name = ?)",
        "kind = (SELECT code FROM names WHERE name = ?)",
        "entry < CAST(? AS INTEGER)",
    )
    chosen = [(one, value) for one, value in zip(conditions, wanted, strict=True) if value is not None]
    return " AND ".join(["1", *(one for one, _ in chosen)]), [value for _, value in chosen]


def _stored_frame(rows: Sequence[Sequence[Any]]) -> pl.DataFrame:
    """Rows of the table as columns: a few rows at a time, since all at once miss every cache."""
    columns: list[list[Any]] = [[] for _ in _STORED]
    for first in range(0, len(rows), _ROWS_TURNED):
        for column, values in zip(
            columns, zip(*rows[first : first + _ROWS_TURNED], strict=True), strict=True
        ):
            column.extend(values)
    named = zip(_STORED.items(), columns, strict=True)
    return pl.DataFrame([pl.Series(name, values, kind) for (name, kind), values in named])


def _decoded(store: str, players: pl.Series, names: pl.Series) -> list[pl.Expr]:
    """The columns of ``LEDGER_SCHEMA``, made of those that are stored."""
    own_tx = f"{store}-" + pl.col("own_tx").cast(pl.String).str.zfill(_TX_DIGITS)
    tx_id = pl.coalesce("tx_id", own_tx)
    made = {
        "entry_id": pl.col("entry_id").cast(pl.String).str.zfill(_ENTRY_DIGITS),
        "tx_id": tx_id,
        "at": pl.col("at").cast(LEDGER_SCHEMA["at"]),
        "request_id": pl.coalesce("request_id", "~" + tx_id),
        **{name: pl.lit(players).gather(pl.col(name)) for name in PLAYER_COLUMNS},
        **{name: pl.lit(names).gather(pl.col(name)) for name in NAME_COLUMNS},
    }
    return [made.get(name, pl.col(name)).alias(name) for name in _COLUMNS]


def _by_code(read: Read, table: str) -> pl.Series:
    """The names of a table, each at the place of its code."""
    found = dict(read(f"SELECT code, name FROM {table}"))
    return pl.Series([found.get(code) for code in range(max(found, default=0) + 1)], dtype=pl.String)
