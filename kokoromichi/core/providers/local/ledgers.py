"""Ledger rows as JSON lines, one file for each book: written behind the journal, read in pages and frames."""

from __future__ import annotations

import heapq
from datetime import datetime
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import msgspec
import polars as pl

from kokoromichi.core.clock import moment_of, us_of
from kokoromichi.core.kinds import BOOKS, KINDS, SYSTEM
from kokoromichi.core.models import ChangeSet, LedgerEntry, Movement, UserChange
from kokoromichi.core.providers.local.files import lines_backward, write_all
from kokoromichi.core.schemas import LEDGER_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from kokoromichi.core.data_provider import AnswerT
    from kokoromichi.core.providers.local.files import Files

Row: TypeAlias = "tuple[str, bytes]"
"""A book and a line of it."""

_BLOCK_BYTES: Final = 1 << 24
"""Of a book, so much is read at once: about 40,000 rows."""


class Line(msgspec.Struct, gc=False):
    """A ledger row as it stands in a file: the columns of ``LEDGER_SCHEMA``, and its frame's sequence."""

    entry_id: str
    tx_id: str
    at: datetime
    book: str
    kind: str
    user_id: str
    currency: str | None
    amount: int | None
    balance_after: int | None
    item_id: str | None
    quantity: int | None
    counterparty: str | None
    actor: str
    request_id: str
    reason: str | None
    sequence: int


_ENCODE: Final = msgspec.json.Encoder().encode
_ENTRIES: Final = msgspec.json.Decoder(Line)


class Numbering:
    """What entry ids are made of: a time that never falls behind the row before, and a running number.

    Attributes:
        store: What tells the transactions of this folder from those of any other.
    """

    def __init__(self) -> None:
        self.store = ""
        self.last_us = 0
        self.rows = 0

    def mark(self) -> tuple[int, int]:
        """Where it stands, to come back to."""
        return self.last_us, self.rows

    def go_to(self, mark: tuple[int, int]) -> None:
        """Go on from a mark."""
        self.last_us, self.rows = mark


def moved_rows(rows: pl.DataFrame, sequence: int, numbering: Numbering) -> list[Row]:
    """Rows of another store as they are, but for their entry ids; the numbering moves on."""
    moved: list[Row] = []
    for row in rows.select(LEDGER_SCHEMA.names()).iter_rows(named=True):
        numbering.last_us = max(numbering.last_us, us_of(row["at"]))
        row["entry_id"] = f"{numbering.last_us:016d}-{numbering.rows:010d}"
        numbering.rows += 1
        moved.append((row["book"], _ENCODE(Line(**row, sequence=sequence))))
    return moved


def mark_behind(line: Line) -> tuple[int, int]:
    """The mark of a numbering that goes on behind this row."""
    at_us, number = line.entry_id.split("-")
    return int(at_us), int(number) + 1


def rows_of(change: ChangeSet[AnswerT], sequence: int, numbering: Numbering) -> list[Row]:
    """The ledger rows of a change, each with its book, encoded; the numbering moves on."""
    at_us = change.at_us
    at = moment_of(at_us)
    numbering.last_us = stamp = max(numbering.last_us, at_us)
    tx_id = f"{numbering.store}-{sequence:012d}"
    request_id = change.request_id or f"~{tx_id}"
    actor = change.actor or (change.users[0].user_id if change.users else SYSTEM)
    rows: list[Row] = []
    for user in change.users:
        for movement in user.movements:
            money, item = movement.currency is not None, movement.item_id is not None
            book = KINDS[movement.kind].book
            line = Line(
                f"{stamp:016d}-{numbering.rows:010d}",
                tx_id,
                at,
                book,
                movement.kind,
                user.user_id,
                movement.currency,
                movement.amount if money else None,
                movement.balance_after if money else None,
                movement.item_id,
                movement.quantity if item else None,
                movement.counterparty,
                actor,
                request_id,
                change.reason,
                sequence,
            )
            numbering.rows += 1
            rows.append((book, _ENCODE(line)))
    if change.system:  # The system's rows move goods alone.
        goods = [Movement(row.kind, item_id=row.item_id, quantity=row.quantity) for row in change.system]
        rest = ChangeSet(at_us, (UserChange(SYSTEM, 0, tuple(goods)),), change.answer)
        rest.actor, rest.reason, rest.request_id = actor, change.reason, change.request_id
        rows += rows_of(rest, sequence, numbering)
    return rows


def encode_line(line: Line) -> bytes:
    """A ledger line as it stands in a file, without its newline."""
    return _ENCODE(line)


def line_of_raw(raw: bytes) -> Line:
    """A ledger line, read."""
    return _ENTRIES.decode(raw)


class Selection(NamedTuple):
    """Which rows a page shows; None is all of them."""

    book: str | None
    user_id: str | None
    kind: str | None
    before: str | None

    def takes(self, line: Line) -> bool:
        """Whether a row is among them."""
        return (
            (self.user_id is None or line.user_id == self.user_id)
            and (self.kind is None or line.kind == self.kind)
            and (self.before is None or line.entry_id < self.before)
        )


class Seen(NamedTuple):
    """The ledger at one moment: bytes of each book's file, and the lines that no file has yet."""

    sizes: dict[str, int]
    waiting: dict[str, list[bytes]]


class Ledgers:
    """The books' files, and the lines that wait to be appended to them.

    Attributes:
        sizes: Bytes of each book that are written.
    """

    def __init__(self, files: Files, folder: Path) -> None:
        self._files = files
        self._folder = folder
        self._waiting: dict[str, list[bytes]] = {}
        self.sizes: dict[str, int] = {}

    def path(self, book: str) -> Path:
        """The file of a book."""
        return self._folder / f"{book}.log"

    def add(self, book: str, line: bytes) -> None:
        """Take a durable row: it waits for the next ``append``, and readers see it."""
        waiting = self._waiting.get(book)
        if waiting is None:
            waiting = self._waiting[book] = []
        waiting.append(line)

    def seen(self) -> Seen:
        """What there is now; what comes later changes nothing of it."""
        return Seen(dict(self.sizes), {book: list(lines) for book, lines in self._waiting.items()})

    def append(self, seen: Seen, *, sync: bool) -> dict[str, int]:
        """Write the lines that wait; with ``sync``, every book is on the disk then. Blocks.

        Returns:
            The new sizes, for ``written``.
        """
        sizes = dict(seen.sizes)
        for book in sorted({*sizes, *seen.waiting} if sync else seen.waiting):
            lines, before = seen.waiting.get(book), sizes.get(book, 0)
            handle = self._files.append(self.path(book))
            try:
                if lines:
                    self._files.truncate(handle, before)  # A write that failed may have left a part.
                    data = b"\n".join(lines) + b"\n"
                    write_all(self._files, handle, data)
                    sizes[book] = before + len(data)
                if sync:
                    self._files.sync(handle)
            finally:
                self._files.close(handle)
        return sizes

    def written(self, seen: Seen, sizes: dict[str, int]) -> None:
        """Take note of what ``append`` wrote."""
        self.sizes.update(sizes)
        for book, lines in seen.waiting.items():
            del self._waiting[book][: len(lines)]

    def page(self, seen: Seen, chosen: Selection, limit: int) -> list[LedgerEntry]:
        """Rows newest first; blocks."""
        books = BOOKS if chosen.book is None else (chosen.book,)
        streams = [self._newest_first(seen, book, chosen) for book in books]
        newest = heapq.merge(*streams, key=lambda line: line.entry_id, reverse=True)
        return [_entry(line) for line in islice(newest, limit)]

    def _newest_first(self, seen: Seen, book: str, chosen: Selection) -> Iterator[Line]:
        marks = [
            _ENCODE({name: value})[1:-1]
            for name, value in (("user_id", chosen.user_id), ("kind", chosen.kind))
            if value is not None
        ]
        written = lines_backward(self._files, self.path(book), seen.sizes.get(book, 0))
        for lines in (reversed(seen.waiting.get(book, [])), written):
            for raw in lines:
                if all(mark in raw for mark in marks) and chosen.takes(line := line_of_raw(raw)):
                    yield line

    def frames(self, seen: Seen, user_ids: Collection[str] | None = None) -> Iterator[pl.DataFrame]:
        """Rows by ``entry_id``, of these players or of all, in frames of bounded size; each step blocks."""
        streams = {book: self._blocks(seen, book) for book in BOOKS}
        held = {book: frame for book, stream in streams.items() if (frame := next(stream, None)) is not None}
        while held:
            # No book's next block begins before its present one ends: up to there the rows are complete.
            limit = min(frame["entry_id"][-1] for frame in held.values())
            ready = [frame.filter(pl.col("entry_id") <= limit) for frame in held.values()]
            rows = pl.concat(ready).sort("entry_id")
            yield rows if user_ids is None else rows.filter(pl.col("user_id").is_in(list(user_ids)))
            for book, frame in list(held.items()):
                rest: pl.DataFrame | None = frame.filter(pl.col("entry_id") > limit)
                if rest is None or rest.is_empty():
                    rest = next(streams[book], None)
                if rest is None:
                    del held[book]
                else:
                    held[book] = rest

    def _blocks(self, seen: Seen, book: str) -> Iterator[pl.DataFrame]:
        start, size = 0, seen.sizes.get(book, 0)
        while start < size:
            block = self._files.read(self.path(book), start, min(start + _BLOCK_BYTES, size))
            block = block[: block.rfind(b"\n") + 1]
            start += len(block)
            yield _frame(block)
        if lines := seen.waiting.get(book):
            yield _frame(b"\n".join(lines))


def _frame(lines: bytes) -> pl.DataFrame:
    return pl.read_ndjson(BytesIO(lines), schema=LEDGER_SCHEMA)


def _entry(line: Line) -> LedgerEntry:
    values = msgspec.structs.asdict(line)
    del values["sequence"]
    return LedgerEntry.model_validate(values)
