"""A ledger alone, as it left a provider."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kokoromichi.analysis.brought import books_in, brought_in
from kokoromichi.analysis.metrics.health import ledger_health
from kokoromichi.analysis.observations import (
    SCHEMAS,
    MissingObservationsError,
    Observations,
    checked,
    scan_files,
)
from kokoromichi.analysis.provider_state import read_ledger
from kokoromichi.analysis.reading import files_of, one_economy
from kokoromichi.analysis.targets import TARGETS, Targets
from kokoromichi.options import day

if TYPE_CHECKING:
    import datetime as dt

    import polars as pl

    from kokoromichi.analysis.report import Report
    from kokoromichi.analysis.targets import Bands
    from kokoromichi.core.data_provider import DataProvider

_OTHER_STREAMS: Final = tuple(stream for stream in SCHEMAS if stream != "ledger")


@dataclass(frozen=True, slots=True, eq=False)
class Ledger:
    """The rows of a ledger, lazily.

    Attributes:
        frame: One row per movement, exactly the columns of ``LEDGER_SCHEMA``, in any order.
        brought: What a part of a ledger begins with, as its export wrote it; None where nothing says so.
        whole_books: Whether every book is there.
    """

    frame: pl.LazyFrame
    brought: pl.LazyFrame | None = None
    whole_books: bool = True

    @classmethod
    def from_frame(cls, frame: pl.DataFrame | pl.LazyFrame) -> Ledger:
        """Take rows that are in memory already, or lazy ones.

        Raises:
            FrameSchemaError: A column is missing or has another type.
        """
        return cls(checked(frame, "ledger"))

    @classmethod
    def scan(cls, path: str | Path) -> Ledger:
        """Scan files without reading a row yet: Parquet, and CSV and JSON lines as we export them.

        Args:
            path: A file; a folder, for its ``ledger*``, or for what lies beneath by folders that are named by
                a key (``book=shop``); a run of one replication; or a pattern such as ``exports/*.parquet``,
                which leaves out the files named as the other streams (activity, economy_history, players).

        Raises:
            MissingObservationsError: Nothing is there.
            FrameSchemaError: A file lacks a column of the ledger, or has it in another type.
        """
        files = _files(Path(path))
        if not files:
            raise MissingObservationsError(f"a scan of {path}", "ledger")
        frame, folder = scan_files(files, "ledger"), Path(path)
        if not folder.is_dir():
            return cls(frame)
        return cls(frame, brought_in(folder, frame), whole_books=not books_in(folder))

    @classmethod
    def export(cls, provider: DataProvider) -> Ledger:
        """Take the whole ledger of a provider into memory; ``kokoromichi ledger export`` writes large ones.

        Args:
            provider: Not open yet: it is opened, read and closed here, in a thread of its own, so that a
                notebook can call it. Where one is open already, ``await stored.read_ledger(provider)`` and
                ``from_frame`` do the same.

        Raises:
            StorageError: The store cannot be read.
        """
        with ThreadPoolExecutor(1) as thread:
            return cls(thread.submit(asyncio.run, _read(provider)).result().lazy())

    def observations(self) -> Observations:
        """The ledger as the only stream observed."""
        return Observations.from_frames(self.frame, brought=self.brought, whole_books=self.whole_books)

    def report(
        self,
        path: str | Path,
        *,
        since: dt.date | str | None = None,
        until: dt.date | str | None = None,
        title: str = "The ledger",
        targets: Bands = TARGETS,
    ) -> Report:
        """Write the report of the ledger, or of a part of it beside the time of the same length before.

        Args:
            path: The HTML file.
            since: First UTC day, a date or ``"2026-10-01"``; None for the first one observed.
            until: First UTC day that is left out; None for the day after the last one observed.
            title: The report's title.
            targets: The bands that numbers are held to; the project's own when left out.

        Returns:
            The file; a notebook shows a link to it.

        Raises:
            MisuseError: No day lies in that time.
        """
        from kokoromichi.analysis.report import period_report, write_report  # noqa: PLC0415 - a ledger needs no charts

        runs, wanted = [self.observations()], Targets.of(targets)
        first, end = day("since", since), day("until", until)
        data = period_report(runs, first, end, title=title, manifest={}, targets=wanted)
        return write_report(path, data)

    def health(self) -> pl.DataFrame:
        """Count what breaks a law of the ledger: see ``ledger_health``, whose grain and columns these are."""
        return ledger_health(self.observations()).collect()


async def _read(provider: DataProvider) -> pl.DataFrame:
    async with provider, provider.snapshot() as reader:
        return await read_ledger(reader)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if path.is_dir():
        return files_of(one_economy(path), "ledger")
    return sorted(file for file in path.parent.glob(path.name) if not file.name.startswith(_OTHER_STREAMS))
