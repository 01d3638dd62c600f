"""The ledger leaves a provider: Parquet by book and month, CSV or JSON lines, in bounded memory."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final, Literal, NamedTuple

import orjson
import polars as pl

from kokoromichi.analysis.brought import BROUGHT_FILE, BROUGHT_SCHEMA, EXPORT_FILE, carried, together
from kokoromichi.analysis.provider_state import StoredStates, stored_states
from kokoromichi.analysis.pseudonyms import KEY_BYTES_LEAST, KEY_BYTES_MOST, pseudonymous, pseudonyms
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.kinds import BOOKS
from kokoromichi.core.schemas import LEDGER_SCHEMA

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime
    from pathlib import Path

    from kokoromichi.core.data_provider import Stream
    from kokoromichi.core.reader import Reader

Format = Literal["parquet", "csv", "jsonl"]

_ROWS_HELD: Final = 65_536
_STREAMS: Final[tuple[Stream, ...]] = ("activity", "economy_history")
_AT: Final = "%Y-%m-%dT%H:%M:%S%.6fZ"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows leave, and how.

    Attributes:
        since: The first moment, aware, or None.
        until: The first moment that is left out, aware, or None.
        books: Only these books; empty for all.
        key: Turns players' ids into pseudonyms; None leaves them as they are. The same key gives the same
            pseudonyms in every export, and without it they cannot be found again.
    """

    since: datetime | None = None
    until: datetime | None = None
    books: tuple[str, ...] = ()
    key: bytes | None = None

    def __post_init__(self) -> None:
        """Refuse what selects nothing by mistake.

        Raises:
            MisuseError: There is no such book, the times are the wrong way round, or the key is too short.
        """
        if unknown := sorted(set(self.books) - set(BOOKS)):
            message = f"there is no book {unknown[0]!r}; there are: {', '.join(BOOKS)}"
            raise MisuseError(message)
        if self.since is not None and self.until is not None and self.since >= self.until:
            message = (
                f"since {self.since:%Y-%m-%dT%H:%M:%SZ} is not before until {self.until:%Y-%m-%dT%H:%M:%SZ}"
            )
            raise MisuseError(message)
        if self.key is not None and not KEY_BYTES_LEAST <= len(self.key) <= KEY_BYTES_MOST:
            message = (
                f"a key for pseudonyms has {KEY_BYTES_LEAST} to {KEY_BYTES_MOST} bytes, not {len(self.key)}"
            )
            raise MisuseError(message)

    def plain(self) -> dict[str, object]:
        """What it selects, for a file: the key stays secret."""
        return {"since": self.since, "until": self.until, "books": list(self.books)}

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows of the ledger, or of a stream of observations, that leave, as they leave.

        Numbers that were in force before the time stay: some are still in force in it.
        """
        moment = "at" if "at" in frame.columns else "effective_from"
        wanted = [pl.lit(value=True)]
        if self.since is not None and moment == "at":
            wanted.append(pl.col(moment) >= self.since)
        if self.until is not None:
            wanted.append(pl.col(moment) < self.until)
        if self.books and "book" in frame.columns:
            wanted.append(pl.col("book").is_in(self.books))
        chosen = frame.filter(*wanted)
        return chosen if self.key is None else pseudonymous(chosen, self.key)


class _Sides:
    """What lies before the selected time and after it, summed up as the rows go by."""

    def __init__(self, selection: Selection, states: StoredStates) -> None:
        self._selection = selection
        self._states = states
        self._stock = states.stock.lazy()
        self.before = pl.DataFrame(schema=BROUGHT_SCHEMA)
        self.after = pl.DataFrame(schema=BROUGHT_SCHEMA)

    def take(self, frame: pl.DataFrame) -> None:
        """Take rows of any time."""
        if self._selection.since is not None:
            self.before = self._added(self.before, frame.filter(pl.col("at") < self._selection.since))
        if self._selection.until is not None:
            self.after = self._added(self.after, frame.filter(pl.col("at") >= self._selection.until))

    def _added(self, sums: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
        if rows.is_empty():
            return sums
        return together([sums.lazy(), carried(rows.lazy(), self._stock)]).collect()

    def write(self, folder: Path) -> None:
        """Leave beside the rows what they begin with, and what was stored at their end."""
        states, brought, key = self._states.of_part(self.before, self.after), self.before, self._selection.key
        if key is not None:
            states = states.renamed(lambda players: pseudonyms(players, key))
            brought = brought.with_columns(pseudonyms(brought["user_id"], key))
        brought.sort("user_id", "currency", "item_id").write_parquet(folder / BROUGHT_FILE)
        states.write(folder)


class Exported(NamedTuple):
    """What an export wrote: ``rows`` of the ledger in ``files``."""

    rows: int
    files: tuple[Path, ...]


def read_key(path: Path) -> bytes:
    """The key in a file, without blanks at its ends.

    Raises:
        OSError: It cannot be read.
    """
    return path.read_bytes().strip()


async def export_ledger(
    reader: Reader,
    out: Path,
    format_: Format = "parquet",
    selection: Selection | None = None,
    *,
    on_rows: Callable[[int], None] | None = None,
) -> Exported:
    """Write the ledger of a store; what is half written is never seen under its name.

    Args:
        reader: Read frame by frame: a snapshot, where others write meanwhile.
        out: A new or empty folder for Parquet: its files are ``ledger_<book>_<month>_<part>.parquet``, which
            ``Ledger.scan`` takes, and beside them ``activity*.parquet`` and ``economy_history*.parquet``
            (what the bot noted, if any), ``export.json`` (what was selected), and where every book
            leaves ``brought_forward.parquet`` (the balances, inventories and stock that the rows begin with)
            and ``stored/`` (those they end with), of the same moment. A new file for CSV and JSON lines.
        format_: The format.
        selection: Which rows, and how; all as they are.
        on_rows: Told how many rows have left so far.

    Raises:
        MisuseError: ``out`` is taken.
        StorageError: The store failed.
    """
    _refuse_taken(out, format_)
    chosen = selection or Selection()
    sides = _Sides(chosen, await stored_states(reader))
    frames = _selected(reader, chosen, sides, on_rows or (lambda _rows: None))
    temporary = out.with_name(f".{out.name}.part")
    try:
        if format_ == "parquet":
            rows = await _write_parquet(frames, temporary)
            await _write_streams(reader, temporary, chosen)
            (temporary / EXPORT_FILE).write_bytes(orjson.dumps(chosen.plain()))
            if not chosen.books:
                await asyncio.to_thread(sides.write, temporary)
        else:
            rows = await _write_lines(frames, temporary, format_)
        return Exported(rows, _in_place(temporary, out))
    finally:
        _drop(temporary)


def _refuse_taken(out: Path, format_: Format) -> None:
    if out.exists() and (format_ != "parquet" or out.is_file() or any(out.iterdir())):
        message = f"{out} is taken: name a new {'folder' if format_ == 'parquet' else 'file'}"
        raise MisuseError(message)
    out.parent.mkdir(parents=True, exist_ok=True)
    _drop(out.with_name(f".{out.name}.part"))  # Of an export that was killed.


def _in_place(temporary: Path, out: Path) -> tuple[Path, ...]:
    """Give what is whole its name, and answer the files."""
    if out.is_dir():
        out.rmdir()  # Empty, as was seen at first.
    temporary.replace(out)
    return tuple(sorted(out.glob("ledger*.parquet"))) if out.is_dir() else (out,)


def _drop(temporary: Path) -> None:
    if temporary.is_dir():
        shutil.rmtree(temporary)
    else:
        temporary.unlink(missing_ok=True)


async def _selected(
    reader: Reader, selection: Selection, sides: _Sides, on_rows: Callable[[int], None]
) -> AsyncIterator[pl.DataFrame]:
    rows = 0
    async for frame in reader.ledger_frames():
        await asyncio.to_thread(sides.take, frame)
        chosen = selection.of(frame)
        if chosen.height:
            yield chosen
            rows += chosen.height
            on_rows(rows)


class _Parts:
    """Rows on their way to one file for each book, month and part; of many, the largest part goes first."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._held: dict[tuple[str, str], list[pl.DataFrame]] = {}
        self._rows: dict[tuple[str, str], int] = {}
        self._files: dict[tuple[str, str], int] = {}

    def add(self, frame: pl.DataFrame) -> None:
        """Take rows."""
        named = frame.with_columns(month=pl.col("at").dt.strftime("%Y-%m"))
        parts = named.partition_by("book", "month", as_dict=True, maintain_order=True)
        for (book, month), part in parts.items():
            key = str(book), str(month)
            self._held.setdefault(key, []).append(part.drop("month"))
            self._rows[key] = self._rows.get(key, 0) + part.height
        while sum(self._rows.values()) >= _ROWS_HELD:
            self._write(max(self._rows, key=self._rows.__getitem__))

    def close(self) -> None:
        """Write what is left."""
        for key in sorted(self._rows):
            self._write(key)

    def _write(self, key: tuple[str, str]) -> None:
        number = self._files[key] = self._files.get(key, -1) + 1
        path = self._folder / f"ledger_{key[0]}_{key[1]}_{number:04d}.parquet"
        pl.concat(self._held.pop(key)).write_parquet(path, compression="zstd", compression_level=1)
        del self._rows[key]


async def _write_parquet(frames: AsyncIterator[pl.DataFrame], folder: Path) -> int:
    parts = _Parts(folder)
    rows = 0
    async for frame in frames:
        await asyncio.to_thread(parts.add, frame)  # The provider reads on meanwhile.
        rows += frame.height
    if not rows:
        pl.DataFrame(schema=LEDGER_SCHEMA).write_parquet(folder / "ledger_empty.parquet")
    parts.close()
    return rows


async def _write_streams(reader: Reader, folder: Path, selection: Selection) -> None:
    """Write what was observed beside the ledger, in files of bounded size; none of what never was."""
    for stream in _STREAMS:
        held, number = pl.DataFrame(), 0
        async for frame in reader.observation_frames(stream):
            held = pl.concat([held, selection.of(frame)]) if held.height else selection.of(frame)
            if held.height >= _ROWS_HELD:
                await asyncio.to_thread(held.write_parquet, folder / f"{stream}_{number:04d}.parquet")
                held, number = held.clear(), number + 1
        if held.height:
            await asyncio.to_thread(held.write_parquet, folder / f"{stream}_{number:04d}.parquet")


async def _write_lines(frames: AsyncIterator[pl.DataFrame], path: Path, format_: Format) -> int:
    rows = 0
    with path.open("wb") as file:
        if format_ == "csv":
            pl.DataFrame(schema=LEDGER_SCHEMA).write_csv(file)
        async for frame in frames:
            await asyncio.to_thread(_append, frame, file, format_)
            rows += frame.height
    return rows


def _append(frame: pl.DataFrame, file: IO[bytes], format_: Format) -> None:
    if format_ == "csv":
        frame.write_csv(file, include_header=False, datetime_format=_AT)
    else:
        frame.with_columns(pl.col("at").dt.strftime(_AT)).write_ndjson(file)
