"""Files of a stream, in every form in which they are written: Parquet, folders by key, CSV, JSON lines."""

from __future__ import annotations

import glob
from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.core.errors import MisuseError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_TEXT: Final = (".csv", ".jsonl")
_FORMS: Final = (".parquet", *_TEXT)
MANIFEST: Final = "manifest.json"
"""What a run of a simulation is, within its folder."""
REPLICATIONS: Final = "replications"
"""Folder of all replications, within the run's."""


def files_of(folder: Path, stream: str) -> list[Path]:
    """The files of a stream in a folder: ``<stream>*.parquet``, ``.csv`` or ``.jsonl``.

    Parquet files below folders that are named by a key, such as ``book=shop``, are the ledger's.
    """
    named = sorted(file for file in folder.glob(f"{stream}*") if file.suffix in _FORMS and file.is_file())
    if named or stream != "ledger":
        return named
    return sorted(file for file in folder.rglob("*.parquet") if "=" in str(file.parent.relative_to(folder)))


def one_economy(folder: Path) -> Path:
    """The folder of the one economy that a folder holds: its own, or a run's only replication.

    Raises:
        MisuseError: It is a run of several replications.
    """
    if not (folder / MANIFEST).is_file():
        return folder
    played = sorted((folder / REPLICATIONS).glob("[0-9]*"))
    if len(played) == 1:
        return played[0]
    raise MisuseError(
        f"{folder} is a run of {len(played)} replications, each with a ledger of its own: "
        f"read all of them by km.Run, or scan one, such as {folder / REPLICATIONS / '000'}"
    )


def lazy_file(file: Path) -> pl.LazyFrame:
    """Scan one file by its ending; its path is read as it stands, whatever signs are in it.

    Raises:
        MisuseError: It is none of Parquet, CSV and JSON lines, or only the beginning of one.
    """
    try:
        frame = _scanned(file)
        frame.collect_schema()
    except (pl.exceptions.ComputeError, pl.exceptions.NoDataError) as error:
        raise MisuseError(f"{file.name} cannot be read: {error}") from error
    return frame


def _scanned(file: Path) -> pl.LazyFrame:
    if file.suffix == ".csv":
        return pl.scan_csv(file, glob=False, infer_schema=False)
    if file.suffix == ".jsonl":
        return pl.scan_ndjson(glob.escape(str(file)), infer_schema_length=None)
    return parquet_file(file, hive_partitioning=_is_keyed(file.parts[:-1]))


def parquet_file(file: Path, *, hive_partitioning: bool = False) -> pl.LazyFrame:
    """Scan a Parquet file; one without rows is read, which costs nothing.

    The optimizer of polars 2.0, the last one for Python 3.10, panics where groups of a scan that is known to
    be empty are joined.
    """
    frame = pl.scan_parquet(file, glob=False, hive_partitioning=hive_partitioning)
    return frame if frame.select(pl.len()).collect().item() else frame.collect().lazy()


def _is_keyed(folders: Iterable[str]) -> bool:
    return any("=" in folder for folder in folders)
