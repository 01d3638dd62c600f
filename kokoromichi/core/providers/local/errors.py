"""What SQLite's errors mean for whoever runs the bot: one table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import apsw

from kokoromichi.core.errors import StorageError

if TYPE_CHECKING:
    from pathlib import Path

NOTHING_STORED: Final = (
    apsw.FullError,
    apsw.ReadOnlyError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.CantOpenError,
    apsw.ConstraintError,
)
"""A COMMIT that fails so was rolled back whole; after any other failure nobody knows."""

RESTORE: Final = "bring back a backup, or give `kokoromichi restore` the readable copy"

_UNOPENED: Final = (
    "it cannot be opened: make sure that the folder is there and may be written, even to read (an -shm file "
    "is kept beside the database), and that the disk has room"
)
_CURES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (apsw.FullError, "the disk is full: make room, and ask again"),
    (apsw.ReadOnlyError, "it cannot be written: let this account write the folder and its files"),
    (apsw.BusyError, "another program holds it locked: end that one, and ask again"),
    (apsw.LockedError, "another program holds it locked: end that one, and ask again"),
    (apsw.CantOpenError, _UNOPENED),
    (apsw.CorruptError, f"it is damaged: {RESTORE}"),
    (apsw.NotADBError, f"it is no database, or damaged: {RESTORE}"),
    (apsw.IOError, "the disk reports an error, or has no room: check it, then open the store again"),
)


def storage_error(path: Path, failure: Exception) -> StorageError:
    """The sentence, with its cure, for a failure of which nothing was stored."""
    for kind, cure in _CURES:
        if isinstance(failure, kind):
            return StorageError(f"{path}: {cure} ({failure})")
    if isinstance(failure, OSError):
        return StorageError(
            f"{failure.filename or path} cannot be used: {failure.strerror or failure}. Make sure that the "
            "folder may be written and that the disk has room, then start again"
        )
    return StorageError(f"{path} cannot be used: {str(failure) or type(failure).__name__}")
