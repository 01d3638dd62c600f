"""An open data folder: what holds it, writes it and reads it, and how it is opened and closed."""

from __future__ import annotations

import asyncio
import logging
import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import apsw

from kokoromichi.core.errors import ConfigurationError, MisuseError
from kokoromichi.core.providers.local.committed import Committed
from kokoromichi.core.providers.local.connections import ReadConnections
from kokoromichi.core.providers.local.erasing import sweep
from kokoromichi.core.providers.local.errors import storage_error
from kokoromichi.core.providers.local.groups import Job
from kokoromichi.core.providers.local.opening import (
    close_database,
    database_of,
    is_there,
    open_database,
    refuse_loss,
    refuse_others,
    refuse_others_wal,
    set_former_mirror_aside,
    wal_of,
)
from kokoromichi.core.providers.local.ownership import FolderLock
from kokoromichi.core.providers.local.placing import refuse_cut_off
from kokoromichi.core.providers.local.readable_copy import CopyFolder, ReadableCopy, marks_in
from kokoromichi.core.providers.local.schema import meta_of
from kokoromichi.core.providers.local.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from kokoromichi.core.clock import Clock
    from kokoromichi.core.providers.local.backups import Retention
    from kokoromichi.core.providers.local.cache import ProfileCache
    from kokoromichi.core.providers.local.commits import Commits

T = TypeVar("T")

_LOG: Final = logging.getLogger(__name__)
_LONG_WAL_BYTES: Final = 1 << 27


def seconds(name: str, value: object) -> float:
    """A setting that is a number of seconds.

    Raises:
        MisuseError: It is none, or below 0.
    """
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not math.isfinite(value)
        or value < 0
    ):
        message = f"{name} is {value!r}: it is a number of seconds, 0 or more"
        raise MisuseError(message)
    return float(value)


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """Which folder is kept, and how.

    Attributes:
        cache_s: A profile stays in memory for so long, in seconds.
        retention: Which former states of a file are kept.
        copies: Whether there is a readable copy.
    """

    folder: Path
    clock: Clock
    cache_s: float
    retention: Retention
    copies: bool = True


@dataclass(frozen=True, slots=True)
class OpenStore:
    """A data folder that this process owns.

    Attributes:
        path: The database.
        lock: What holds the folder.
        commits: The way to the writer and back.
        writer: The thread that writes.
        reading: Connections that read.
        copy: The files for people.
        cache: Profiles at hand.
        meta: What the store knew of itself when it was opened.
    """

    path: Path
    lock: FolderLock
    commits: Commits
    writer: Writer
    reading: ReadConnections
    copy: ReadableCopy
    cache: ProfileCache
    meta: Mapping[str, int | str]

    async def do(self, work: Callable[[], T]) -> T:
        """Let the writer do something alone, in transactions of its own."""
        done: T = await self.commits.send(Job(work))
        return done

    async def write(self, write: Callable[[apsw.Connection], T]) -> T:
        """Let the writer do something in one transaction."""
        return await self.do(partial(self.writer.transaction, write))

    async def rewrite(self, write: Callable[[apsw.Connection], object]) -> None:
        """Change more than a group does in one transaction, and leave no byte of what was there before."""

        def work() -> None:
            self.writer.transaction(write)
            self.writer.committed.reread()
            try:
                sweep(self.writer.base)
            except apsw.Error as held:
                _LOG.error(
                    "what was erased in %s still has bytes there until the next opening: %s", self.path, held
                )
            self.writer.look()

        await self.do(work)

    async def close(self) -> None:
        """Wait for what is on its way, and let go of everything."""
        self.commits.queue.put(None)
        await asyncio.to_thread(self.writer.join)
        await asyncio.sleep(0)  # What the thread has delivered comes first.
        await asyncio.to_thread(self._let_go)

    def _let_go(self) -> None:
        cleanly = self.writer.failed is None and self.writer.at_its_place
        self.reading.close()
        close_database(self.writer.base, cleanly=cleanly)
        self.lock.release()

    def watch_wal(self) -> None:
        """Tell of a WAL that grows since somebody reads without an end."""
        wal = wal_of(self.path)
        if wal.exists() and wal.stat().st_size > _LONG_WAL_BYTES:
            _LOG.warning("%s grows: something reads the database without an end", wal)


def open_store(options: StoreOptions, commits: Commits, cache: ProfileCache) -> OpenStore:
    """Hold a folder and open its database, whose writer is still to be started; blocks.

    Raises:
        StorageError: It is another's, in use, damaged, has lost something, or cannot be written.
    """
    try:
        options.folder.mkdir(0o700, parents=True, exist_ok=True)
        lock = FolderLock(options.folder)
        try:
            return _open_held(options, lock, commits, cache)
        except BaseException:
            lock.release()
            raise
    except (OSError, apsw.Error) as failure:
        raise storage_error(database_of(options.folder), failure) from failure


def _open_held(options: StoreOptions, lock: FolderLock, commits: Commits, cache: ProfileCache) -> OpenStore:
    folder, clock = options.folder, options.clock
    path = database_of(folder)
    set_former_mirror_aside(folder)
    refuse_others(folder)
    refuse_cut_off(folder)
    before: Mapping[str, int | str] = {}
    if is_there(path):
        refuse_others_wal(path)
        before = refuse_loss(path, CopyFolder(folder, clock).newest_entry())
    base = open_database(folder, clock)
    try:
        meta = meta_of(base)
        reading = ReadConnections(path)
        copy = ReadableCopy(folder, reading, clock, options.retention, marks_in(meta))
        if before.get("in_use") or not marks_in(meta):
            copy.all_due()
        writer = Writer(path, base, Committed(base, options.cache_s), clock, commits)
    except BaseException:
        base.close()
        raise
    return OpenStore(path, lock, commits, writer, reading, copy, cache, meta)


def open_reading(folder: Path) -> ReadConnections:
    """Read a folder as it is at this moment, whoever owns it; blocks.

    Raises:
        StorageError: It holds no store of ours, or one that is damaged or has lost something.
    """
    path = database_of(folder)
    if not folder.is_dir():
        message = f"{folder} is no folder: name that of the local provider"
        raise ConfigurationError(message)
    try:
        refuse_others(folder)
        if not is_there(path):
            message = f"{folder} holds no store yet: nothing was ever written there"
            raise ConfigurationError(message)
        refuse_loss(path, 0)
        return ReadConnections(path, snapshot=True)
    except (OSError, apsw.Error) as failure:
        raise storage_error(path, failure) from failure
