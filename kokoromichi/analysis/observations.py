"""What was seen of an economy, as one value: the only argument that every metric takes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import polars as pl

from kokoromichi.analysis.brought import (
    BROUGHT_SCHEMA,
    books_in,
    brought_in,
    carried,
    derived,
    together,
)
from kokoromichi.analysis.casting import UnfitColumnError, fitted
from kokoromichi.analysis.reading import files_of, lazy_file, one_economy
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.schemas import (
    ACTIVITY_SCHEMA,
    ECONOMY_HISTORY_SCHEMA,
    LATER_COLUMNS,
    LEDGER_SCHEMA,
    PLAYERS_SCHEMA,
)
from kokoromichi.options import day
from kokoromichi.rules.acts import FORMER

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Hashable, Sequence

Frame: TypeAlias = "pl.DataFrame | pl.LazyFrame"
Stream: TypeAlias = Literal["ledger", "activity", "economy_history", "players"]

SCHEMAS: Final[dict[Stream, pl.Schema]] = {
    "ledger": LEDGER_SCHEMA,
    "activity": ACTIVITY_SCHEMA,
    "economy_history": ECONOMY_HISTORY_SCHEMA,
    "players": PLAYERS_SCHEMA,
}
"""The streams of an ``Observations`` value; a folder keeps each in files ``<stream>*.parquet``."""

_CURES: Final[dict[Stream, str]] = {
    "ledger": "scan a folder with ledger*.parquet, or pass the ledger",
    "activity": "pass the activity stream; a ledger holds no refusals and no sessions without a movement",
    "economy_history": "pass the economy history; a ledger holds no stock and no prices of the unsold",
    "players": "pass the players; a ledger does not say who follows which archetype",
}


class MissingObservationsError(MisuseError):
    """A metric, or a scan, needs a stream that was not observed.

    Attributes:
        metric: The metric's name, or what asked.
        missing: The stream that is missing.
    """

    def __init__(self, metric: str, missing: Stream) -> None:
        super().__init__(metric, missing)  # Both stay in args, so that a worker's error survives its pickle.
        self.metric = metric
        self.missing: Stream = missing

    def __str__(self) -> str:
        """What is missing, for what, and the cure."""
        return (
            f"{self.metric} needs the stream {self.missing}, which was not observed: {_CURES[self.missing]}."
        )


class MissingBooksError(MissingObservationsError):
    """A metric needs all books of a ledger, of which some were not exported."""

    def __str__(self) -> str:
        """What is missing, for what, and the cure."""
        return f"{self.metric} needs every book, and this ledger has only some: export it without --book."


class FrameSchemaError(MisuseError):
    """A frame lacks a column of its schema, or has it in another type.

    Attributes:
        source: Which frame, and which file where it came from one.
        column: The first column that is wrong.
    """

    def __init__(self, source: str, column: str, cure: str) -> None:
        super().__init__(source, column, cure)
        self.source = source
        self.column = column

    def __str__(self) -> str:
        """The frame, the column, and the cure."""
        return ": ".join(self.args)


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """Ledger, activity, economy history and players of one economy, lazily.

    Frames have exactly the columns of their schemas in ``kokoromichi.core.schemas``; rows stand in any order.
    A stream that was not observed is an empty frame, and its flag is False: nothing seen is not the same as
    nothing happened.

    Attributes:
        ledger: One row per movement (``LEDGER_SCHEMA``).
        activity: One row per act or decision (``ACTIVITY_SCHEMA``).
        economy_history: One row per number and date (``ECONOMY_HISTORY_SCHEMA``).
        players: One row per player (``PLAYERS_SCHEMA``).
        has_activity: Whether the activity stream was observed.
        has_history: Whether the economy history was observed.
        has_players: Whether archetypes and cohorts are known.
        period: First and last UTC day that were watched, rows or not; None where only the rows tell.
        brought: What a part of a ledger begins with (``BROUGHT_SCHEMA``); empty of a whole one.
        has_goods: Whether what is brought forward holds inventories and stock: a ledger alone tells balances.
        whole_books: Whether every book is there.
        computed: What ``shared`` functions have read so far, by the call; None where frames are not in
            memory.
        grouped_by: By what behaviour players are grouped, where archetypes are not known; else empty.
    """

    ledger: pl.LazyFrame
    activity: pl.LazyFrame
    economy_history: pl.LazyFrame
    players: pl.LazyFrame
    has_activity: bool
    has_history: bool
    has_players: bool
    period: tuple[dt.date, dt.date] | None = None
    brought: pl.LazyFrame = field(default_factory=lambda: pl.LazyFrame(schema=BROUGHT_SCHEMA))
    has_goods: bool = True
    whole_books: bool = True
    computed: dict[Hashable, pl.DataFrame] | None = field(default=None, repr=False)
    grouped_by: str = ""

    @classmethod
    def from_frames(
        cls,
        ledger: Frame,
        *,
        activity: Frame | None = None,
        economy_history: Frame | None = None,
        players: Frame | None = None,
        brought: Frame | None = None,
        whole_books: bool = True,
    ) -> Observations:
        """Take frames in memory or lazy ones; None is a stream that was not observed.

        Acts of an older activity get their present names.

        Args:
            ledger: All rows, or a part of them.
            activity: The acts and decisions.
            economy_history: The numbers in force.
            players: Who follows which archetype.
            brought: What the part begins with (``BROUGHT_SCHEMA``); None reads the balances from each
                player's first row, which tells of no inventories.
            whole_books: Whether the ledger has every book.

        Raises:
            FrameSchemaError: A frame lacks a column or has it in another type; further columns are left out.
        """
        rows = checked(ledger, "ledger")
        return cls(
            ledger=rows,
            activity=_checked_or_empty(activity, "activity").with_columns(pl.col("act").replace(FORMER)),
            economy_history=_checked_or_empty(economy_history, "economy_history"),
            players=_checked_or_empty(players, "players"),
            has_activity=activity is not None,
            has_history=economy_history is not None,
            has_players=players is not None,
            brought=derived(rows) if brought is None else brought.lazy(),
            has_goods=brought is not None,
            whole_books=whole_books,
        )

    @classmethod
    def scan(cls, folder: str | Path) -> Observations:
        """Scan a folder's ``ledger*``, ``activity*``, ``economy_history*`` and ``players*``.

        Args:
            folder: One folder, of one economy: Parquet, CSV or JSON lines, a ledger also by folders that are
                named by a key (``book=shop``); or a run of one replication.

        Raises:
            MissingObservationsError: The folder has no ledger.
            MisuseError: There is no such folder, or it is a run of several replications.
            FrameSchemaError: A file lacks a column or has it in another type.
        """
        if not Path(folder).is_dir():
            raise MisuseError(f"{folder} is no folder: name that of a run, or of exported Parquet files")
        economy = one_economy(Path(folder))
        found = {stream: files_of(economy, stream) for stream in SCHEMAS}
        frames = {stream: scan_files(files, stream) for stream, files in found.items() if files}
        if "ledger" not in frames:
            raise MissingObservationsError(f"a scan of {folder}", "ledger")
        return cls.from_frames(
            frames["ledger"],
            activity=frames.get("activity"),
            economy_history=frames.get("economy_history"),
            players=frames.get("players"),
            brought=brought_in(Path(folder), frames["ledger"]),
            whole_books=not books_in(Path(folder)),
        )

    @classmethod
    def empty(cls) -> Observations:
        """All four streams were observed, and nothing happened."""
        blank = {stream: pl.LazyFrame(schema=schema) for stream, schema in SCHEMAS.items()}
        return cls.from_frames(
            blank["ledger"],
            activity=blank["activity"],
            economy_history=blank["economy_history"],
            players=blank["players"],
        )

    def over(self, first_day: dt.date, last_day: dt.date) -> Observations:
        """The same, known to have been watched from one day to another: days without a row count as well.

        Raises:
            MisuseError: They are no days, or the wrong way round.
        """
        return replace(self, period=_days_of(first_day, last_day), computed=None)

    def between(self, first_day: dt.date, last_day: dt.date) -> Observations:
        """The part from one UTC day to another, both included: what lies before it is brought forward.

        Its metrics are those of the whole on its days, as far as a part can know: whoever was there before
        has no day of arrival, a wait begins no earlier than the part, and who did nothing in it was not
        there.

        Raises:
            MisuseError: They are no days, or the wrong way round.
        """
        first_day, last_day = _days_of(first_day, last_day)
        at_day = pl.col("at").dt.date()
        inside = at_day.is_between(first_day, last_day)
        before = carried(self.ledger.filter(at_day < first_day))
        known = pl.col("effective_from").dt.date() <= last_day
        return replace(
            self,
            ledger=self.ledger.filter(inside),
            activity=self.activity.filter(inside),
            economy_history=self.economy_history.filter(known),
            brought=together([self.brought, before]),
            has_goods=self.has_goods or self.brought.head(1).collect().is_empty(),
            period=(first_day, last_day),
            computed=None,
        )

    def grouped(self, groups: pl.DataFrame, by: str) -> Observations:
        """The same with groups in the place of archetypes.

        Args:
            groups: Columns of ``PLAYERS_SCHEMA``; the archetype is the group.
            by: What the groups are made by.
        """
        return replace(self, players=checked(groups, "players"), has_players=False, grouped_by=by)

    def loaded(self) -> Observations:
        """The same with every frame read into memory: for many metrics over files."""
        return self.mapped(lambda frame: frame)

    def mapped(self, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Observations:
        """The same with a change made to every frame, which is read into memory; schemas must stay."""
        lazy = [self.ledger, self.activity, self.economy_history, self.players, self.brought]
        try:
            frames = pl.collect_all(lazy)
        except pl.exceptions.ComputeError as error:
            raise MisuseError(f"a file of the observations is damaged: {error}") from error
        changed = (change(frame).lazy() for frame in frames)
        ledger, activity, economy_history, players, brought = changed
        return replace(
            self,
            ledger=ledger,
            activity=activity,
            economy_history=economy_history,
            players=players,
            brought=brought,
            computed={},
        )

    def require_books(self, metric: str) -> None:
        """Refuse a metric of a ledger that lacks books.

        Raises:
            MissingBooksError: It lacks some.
        """
        if not self.whole_books:
            raise MissingBooksError(metric, "ledger")

    def require(self, metric: str, *streams: Stream) -> None:
        """Refuse a metric whose streams were not observed.

        Raises:
            MissingObservationsError: The first of ``streams`` that was not observed.
        """
        absent = {
            "activity": not self.has_activity,
            "economy_history": not self.has_history,
            "players": not self.has_players,
        }
        for stream in streams:
            if absent.get(stream, False):
                raise MissingObservationsError(metric, stream)


def _days_of(first_day: object, last_day: object) -> tuple[dt.date, dt.date]:
    first, last = day("first_day", first_day), day("last_day", last_day)
    if first is None or last is None or last < first:
        raise MisuseError(f"{first} to {last} is no period: give two days, the first of them first")
    return first, last


def checked(frame: Frame, stream: Stream, source: str | None = None) -> pl.LazyFrame:
    """The frame, lazy, with exactly the columns of its stream; Enums become text.

    Args:
        frame: In memory or lazy; columns in any order, further columns are left out.
        stream: Which schema it must have.
        source: What the error calls it; the stream's name by default.

    Raises:
        FrameSchemaError: A column is missing, or cannot be taken for its type without a loss.
    """
    rows, schema = frame.lazy(), SCHEMAS[stream]
    absent = {*LATER_COLUMNS} & schema.keys() - rows.collect_schema().keys()
    blank = [pl.lit(None, schema[name]).alias(name) for name in absent]
    try:
        return fitted(rows.with_columns(blank), schema)
    except UnfitColumnError as error:
        raise FrameSchemaError(source or stream, error.column, error.cure) from None


def scan_files(files: Sequence[Path], stream: Stream) -> pl.LazyFrame:
    """Scan files of one stream, each of them checked before a row is read.

    Raises:
        FrameSchemaError: A file lacks a column or has it in another type; the error names the file.
        MisuseError: A file is none of Parquet, CSV and JSON lines, or only the beginning of one.
    """
    return pl.concat([checked(lazy_file(file), stream, f"{stream} ({file.name})") for file in files])


def _checked_or_empty(frame: Frame | None, stream: Stream) -> pl.LazyFrame:
    return pl.LazyFrame(schema=SCHEMAS[stream]) if frame is None else checked(frame, stream)
