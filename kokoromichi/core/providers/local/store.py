"""An open data folder: what is held, written, read and copied, and how it is opened and closed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import apsw

from kokoromichi.core.errors import StorageError
from kokoromichi.core.providers.local.committed import Committed
from kokoromichi.core.providers.local.errors import storage_error
from kokoromichi.core.providers.local.opening import (
    close_database,
    database_of,
    is_there,
    open_database,
    refuse_loss,
    refuse_others,
    set_former_mirror_aside,
    wal_of,
)
from kokoromichi.core.providers.local.ownership import FolderLock
from kokoromichi.core.providers.local.readable_copy import CopyFolder, ReadableCopy
from kokoromichi.core.providers.local.reading import Reading
from kokoromichi.core.providers.local.schema import meta_of
from kokoromichi.core.providers.local.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from kokoromichi.core.clock import Clock
    from kokoromichi.core.providers.local.backups import Kept
    from kokoromichi.core.providers.local.groups import Group, Waiting

_LOG: Final = logging.getLogger(__name__)
_COPIED: Final = "copied."
_LONG_WAL_BYTES: Final = 1 << 27


@dataclass(frozen=True, slots=True)
class OpenFolder:
    """A data folder that this process owns.

    Attributes:
        lock: What holds it.
        writer: The thread that writes.
        reading: Connections that read.
        copy: The files for people.
        meta: What the store knew of itself when it was opened.
    """

    path: Path
    lock: FolderLock
    writer: Writer
    reading: Reading
    copy: ReadableCopy
    meta: Mapping[str, int | str]

    def close(self) -> None:
        """Let go of everything, once the writer has ended; blocks."""
        cleanly = self.writer.failed is None and self.writer.at_its_place
        self.reading.close()
        close_database(self.writer.base, cleanly=cleanly)
        self.lock.release()

    def watch_wal(self) -> None:
        """Tell of a WAL that grows since somebody reads without an end."""
        wal = wal_of(self.path)
        if wal.exists() and wal.stat().st_size > _LONG_WAL_BYTES:
            _LOG.warning("%s grows: something reads the database without an end", wal)


def open_folder(
    folder: Path,
    clock: Clock,
    cache_s: float,
    kept: Kept,
    deliver: Callable[[Sequence[Waiting], Group | None], None],
) -> OpenFolder:
    """Hold a folder and open its database; blocks.

    Raises:
        StorageError: It is another's, in use, damaged, has lost something, or cannot be written.
    """
    path = database_of(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(folder)
        try:
            return _open_held(folder, lock, clock, cache_s, kept, deliver)
        except BaseException:
            lock.release()
            raise
    except (OSError, apsw.Error) as failure:
        raise storage_error(path, failure) from failure


def _open_held(
    folder: Path,
    lock: FolderLock,
    clock: Clock,
    cache_s: float,
    kept: Kept,
    deliver: Callable[[Sequence[Waiting], Group | None], None],
) -> OpenFolder:
    path = database_of(folder)
    was_there = is_there(path)
    set_former_mirror_aside(folder)
    refuse_others(folder)
    before: Mapping[str, int | str] = {}
    if was_there:
        before = refuse_loss(path, CopyFolder(folder, clock).newest_entry())
    base = open_database(folder, clock)
    try:
        reading = Reading(path)
    except BaseException:
        base.close()
        raise
    try:
        meta = meta_of(base)
        marks = {
            name.removeprefix(_COPIED): int(value) for name, value in meta.items() if name.startswith(_COPIED)
        }
        copy = ReadableCopy(folder, reading, clock, kept, marks)
        if before.get("in_use") or not marks:
            copy.all_due()
        writer = Writer(path, base, Committed(base, cache_s), clock, deliver)
    except BaseException:
        reading.close()
        base.close()
        raise
    return OpenFolder(path, lock, writer, reading, copy, meta)


def copied_marks(marks: Mapping[str, int]) -> list[tuple[str, int]]:
    """How far the books' files go, as rows of ``meta``."""
    return [(f"{_COPIED}{book}", entry) for book, entry in marks.items()]


def open_reading(folder: Path) -> Reading:
    """Read a folder as it is at this moment, whoever owns it; blocks.

    Raises:
        StorageError: It holds no store of ours, or one that is damaged or has lost something.
    """
    path = database_of(folder)
    if not folder.is_dir():
        message = f"{folder} is no folder: name that of the local provider"
        raise StorageError(message)
    try:
        refuse_others(folder)
        if not is_there(path):
            message = f"{folder} holds no store yet: nothing was ever written there"
            raise StorageError(message)
        refuse_loss(path, 0)
        return Reading(path, snapshot=True)
    except (OSError, apsw.Error) as failure:
        raise storage_error(path, failure) from failure
