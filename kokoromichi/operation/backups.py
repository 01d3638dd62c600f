"""Backups of every store: one SQLite file of one moment, and back into whichever store."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.copying.copy_all import copy_all
from kokoromichi.core.copying.marking import mark_moved, marked_unless_failed, refuse_half_moved
from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.core.provider_manager import build_provider
from kokoromichi.core.providers.local.backups import stamp_of
from kokoromichi.core.providers.local.erasing import ErasureList
from kokoromichi.core.providers.local.opening import database_of, is_there, refuse_others
from kokoromichi.core.providers.local.ownership import FolderLock
from kokoromichi.core.providers.local.placing import UNPACKING, check_backup, place, unpack
from kokoromichi.core.providers.local.reader import snapshot
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.core.reference.files import has_our_copy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from kokoromichi.analysis.audit import AuditReport
    from kokoromichi.core.clock import Clock
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.reader import Reader
    from kokoromichi.settings import Settings

_PATIENCE: Final = 10
_PAUSE_S: Final = 0.2
_PASSING: Final = ".backup-"
"""How the folder is called, beside a backup, that a database passes through on its way."""
_NEVER_S: Final = 86_400.0
"""No file follows a folder that is passed through."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a store or a backup holds.

    Attributes:
        players: How many accounts, erased ones among them.
        rows: How many ledger rows.
        until: The moment of the newest row; None where there is none.
        audit: The laws, held against it.
    """

    players: int
    rows: int
    until: datetime | None
    audit: AuditReport

    def __str__(self) -> str:
        """What is there, and up to when."""
        until = "" if self.until is None else f", up to {self.until:%Y-%m-%d %H:%M:%S} UTC"
        return f"{self.players:,} players, {self.rows:,} rows{until}"

    def plain(self) -> dict[str, Any]:
        """For a program."""
        until = None if self.until is None else self.until.isoformat()
        return {"players": self.players, "rows": self.rows, "until": until, "sound": self.audit.sound}


@dataclass(frozen=True, slots=True)
class Restoration:
    """What a restore did.

    Attributes:
        contents: What the store holds now.
        erased: Players who were erased since the backup, and are again.
        aside: Where that is which stood there before: a folder, or a backup; None where there was nothing.
    """

    contents: Contents
    erased: int
    aside: Path | None


async def contents_of(reader: Reader) -> Contents:
    """Count and audit what is read of one moment."""
    newest = await reader.read_ledger(limit=1)
    audited = await audit_provider(reader)
    return Contents(len(await reader.user_ids()), audited.rows, newest[0].at if newest else None, audited)


async def contents_of_backup(path: Path) -> Contents:
    """Count and audit a backup.

    Raises:
        MisuseError: It is none.
        StorageError: It is damaged, or of a newer program.
    """
    await asyncio.to_thread(check_backup, path)
    async with snapshot(path) as reader:
        return await contents_of(reader)


async def back_up(store: DataProvider, path: Path, *, half_moved: bool = False) -> Contents:
    """Write everything that a store holds at this moment to a new file, while others play, and audit it.

    Args:
        store: An open one; a local one may be opened to be read.
        path: A file that is not there.
        half_moved: Whether a store that was not filled to the end is backed up as well.

    Raises:
        ConfigurationError: The store was not filled to the end.
        MisuseError: The file is there already, or the store is a mirror.
        StorageError: The store or the disk says no.
    """
    if store.mirror_of is not None:
        message = f"{store.where} is a mirror of {store.mirror_of}: back that up itself"
        raise MisuseError(message)
    if await asyncio.to_thread(path.exists):
        message = f"{path} is there already, and no backup is overwritten: name a new file"
        raise MisuseError(message)
    if not half_moved:
        await refuse_half_moved(store)
    if isinstance(store, LocalJSONProvider):
        await store.backup(path)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(_remove_cut_off, path.parent, _PASSING)
        with tempfile.TemporaryDirectory(prefix=_PASSING, dir=path.parent) as folder:
            async with LocalJSONProvider(folder, _NEVER_S, copies=False) as passed:
                (await copy_all(store, passed)).raise_if_failed()
                await passed.backup(path)
    return await contents_of_backup(path)


async def restore(
    backup: Path, target: Settings, clock: Clock, *, erased: Path, replace: bool = False
) -> Restoration:
    """Fill a store from a backup: an empty one, or one that holds an earlier state of the same.

    Whoever is on the list of erasures is erased again. The store is audited before this returns.

    Args:
        backup: What ``back_up`` wrote.
        target: Which store to fill; nobody may be at work in it.
        clock: Stamps what is moved aside.
        erased: The folder with the list of erasures.
        replace: Whether a store that holds something else is emptied first; that is kept aside.

    Raises:
        MisuseError: The file is no backup, or the store holds what is not in it and ``replace`` is not given.
        StorageError: The backup is not sound, or the store is in use or says no.
    """
    found = await contents_of_backup(backup)
    if not found.audit.sound_but_for_totals:
        message = f"{backup} is not sound, and nothing was restored: {found.audit}"
        raise StorageError(message)
    target.data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=UNPACKING, dir=target.data_dir) as name:
        folder = Path(name)
        lock = FolderLock(folder)  # By which another restore knows that this one goes on.
        try:
            count = await asyncio.to_thread(unpack, backup, folder, erased)
            fill = _fill_folder if target.provider == "local" else _fill_database
            aside = await fill(folder, target, clock, replace=replace)
        finally:
            lock.release()
    await asyncio.to_thread(_remove_cut_off, target.data_dir, UNPACKING)
    if target.provider == "local":
        ErasureList(erased).copy_to(target.data_dir)
    async with build_provider(target, clock=clock) as store, store.snapshot() as reader:
        now = await contents_of(reader)
    if not now.audit.sound:
        message = f"what was restored is not sound: {now.audit}. Stop whoever writes there, and restore again"
        raise StorageError(message)
    return Restoration(now, count, aside)


def _remove_cut_off(folder: Path, prefix: str) -> None:
    """Remove what backups or restores have left that were killed; blocks."""
    for left in folder.glob(f"{prefix}*"):
        with suppress(StorageError, FileNotFoundError):  # Of one that goes on, or has just ended.
            lock = FolderLock(left)
            shutil.rmtree(left, ignore_errors=True)
            lock.release()


@asynccontextmanager
async def _read(folder: Path) -> AsyncIterator[LocalJSONProvider]:
    async with LocalJSONProvider(folder, read_only=True) as source:
        yield source


async def _fill_folder(source: Path, target: Settings, clock: Clock, *, replace: bool) -> Path | None:
    folder = target.data_dir
    lock = FolderLock(folder)
    try:
        why = await _objection(source, folder)
        if why is not None and not replace:
            raise _refused(folder, why)
        return await asyncio.to_thread(place, database_of(source), folder, clock)
    finally:
        lock.release()


async def _objection(source: Path, folder: Path) -> str | None:
    """Why a folder is not to be filled, or None: it is empty, or holds a past of the source."""
    if not is_there(database_of(folder)) and not has_our_copy(folder):
        refuse_others(folder)
        return None
    try:
        async with _read(source) as ours, _read(folder) as theirs:
            return await _difference(ours, theirs)
    except StorageError as unreadable:
        return str(unreadable)


async def _refuse_in_use(store: DataProvider) -> None:
    """Refuse a database in which a bot is at work, where the server tells.

    Raises:
        StorageError: One is.
    """
    for _ in range(_PATIENCE):  # A session that was closed a moment ago is still seen.
        if not (others := await store.others()):
            return
        await asyncio.sleep(_PAUSE_S)
    message = f"{store.where} is in use by {others} other connections: stop every process of the bot first"
    raise StorageError(message)


async def _fill_database(source: Path, target: Settings, clock: Clock, *, replace: bool) -> Path | None:
    alone = target.model_copy(update={"database_pool_min": 0, "database_pool_max": 1})
    aside = None
    async with _read(source) as ours, build_provider(alone, clock=clock) as theirs:
        await _refuse_in_use(theirs)
        why = await _difference(ours, theirs)
        if why is not None and not replace:
            raise _refused(theirs.where, why)
        async with marked_unless_failed(theirs, "a backup"):
            await _refuse_in_use(theirs)  # Who came before the mark is seen here; who comes later sees it.
            if why is not None:
                aside = target.data_dir / f"replaced.{stamp_of(clock.now_us())}.sqlite3"
                await back_up(theirs, aside, half_moved=True)
        if aside is not None:
            await theirs.clear()
        (await copy_all(ours, theirs)).raise_if_failed()
        await mark_moved(theirs)
    return aside


async def _difference(ours: DataProvider, theirs: DataProvider) -> str | None:
    """What a store holds that a source does not, in a sentence, or None."""
    if theirs.mirror_of is not None:
        return f"it is a mirror of {theirs.mirror_of}"
    planned = await copy_all(ours, theirs, dry_run=True)
    if not planned.failed:
        return None
    first = planned.failed[0]
    return f"{first.what} {first.name}: {first.why}"


def _refused(where: object, why: str) -> MisuseError:
    return MisuseError(
        f"{where} holds what the backup does not ({why}), and nothing was changed: restore into an empty "
        "store, or give --replace, which keeps aside what is there"
    )
