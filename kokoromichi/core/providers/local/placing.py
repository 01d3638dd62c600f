"""A backup put in the place of a folder's database; what stood there is moved aside whole."""

from __future__ import annotations

import shutil
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Final

import apsw

from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.core.providers.local.backups import stamp_of
from kokoromichi.core.providers.local.erasing import ErasureList, sweep
from kokoromichi.core.providers.local.errors import storage_error
from kokoromichi.core.providers.local.loading import recount_days
from kokoromichi.core.providers.local.opening import close_database, database_of, is_there, wal_of
from kokoromichi.core.providers.local.schema import at_rest, meta_of, refuse_newer, upgrade, writable

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.core.clock import Clock

UNPACKING: Final = ".restore-"
"""How the folder is called, within the one that is restored, in which its database is made ready."""

_COPY: Final = ("users", "sections", "ledgers", "backups", "counters.json")


def check_backup(path: Path) -> None:
    """Refuse a file that ``hot_backup`` did not write; blocks.

    Raises:
        MisuseError: It is none.
        StorageError: It is damaged, or of a newer program.
    """
    if not path.is_file():
        message = f"{path} is no file: name a backup that `kokoromichi backup` wrote"
        raise MisuseError(message)
    try:
        with closing(at_rest(path)) as base:
            refuse_newer(base, path)
            meta = meta_of(base)
    except apsw.NotADBError as failure:
        message = f"{path} is no backup, or a damaged one: name another file that `kokoromichi backup` wrote"
        raise MisuseError(message) from failure
    except (OSError, apsw.Error) as failure:
        raise storage_error(path, failure) from failure
    if "store" not in meta or "in_use" in meta:
        message = f"{path} is no backup: name a file that `kokoromichi backup` wrote, and no store in use"
        raise MisuseError(message)


def unpack(backup: Path, folder: Path, erased: Path) -> int:
    """Write a backup as the database of an empty folder, without whoever was erased since; blocks.

    Its daily totals are added up anew: what is derived of the ledger makes no backup worthless.

    Args:
        backup: What ``check_backup`` has let pass.
        folder: An empty folder.
        erased: The folder with the list of erasures.

    Returns:
        How many players were erased again.

    Raises:
        StorageError: The disk says no.
    """
    path = database_of(folder)
    try:
        shutil.copyfile(backup, path)
        path.chmod(0o600)
        with closing(writable(path)) as base:
            upgrade(base)
            pseudonyms = ErasureList(erased).carry_out(base)
            with base:
                recount_days(base)
            sweep(base)
            close_database(base, cleanly=True)
    except (OSError, apsw.Error) as failure:
        raise storage_error(path, failure) from failure
    return len(pseudonyms)


def place(database: Path, folder: Path, clock: Clock) -> Path | None:
    """Move a closed database into a folder that its caller holds; blocks.

    Returns:
        The folder into which the former database and its readable copy went; None where there were none.

    Raises:
        StorageError: The disk says no.
    """
    target = database_of(folder)
    former = [
        target,
        wal_of(target),
        target.with_name(f"{target.name}-shm"),
        *(folder / name for name in _COPY),
    ]
    there = [path for path in former if path.exists()]
    aside = folder / f"replaced.{stamp_of(clock.now_us())}"
    try:
        for path in there:
            aside.mkdir(exist_ok=True)
            path.replace(aside / path.name)
        database.replace(target)
    except OSError as failure:
        _move_back(there, aside)
        raise storage_error(target, failure) from failure
    return aside if there else None


def _move_back(there: list[Path], aside: Path) -> None:
    try:
        for path in there:
            if (aside / path.name).exists():
                (aside / path.name).replace(path)
    except OSError as failure:
        message = (
            f"{aside.parent} was not restored, and what stood there is in {aside.name}: move all of it back "
            f"before the bot starts ({failure})"
        )
        raise StorageError(message) from failure
    with suppress(OSError):  # It may not even have been made.
        aside.rmdir()


def refuse_cut_off(folder: Path) -> None:
    """Refuse a folder without a database in which a restore was killed: a bot would begin a new world there.

    Raises:
        StorageError: It is one; nothing of it was changed.
    """
    left = next(folder.glob(f"{UNPACKING}*"), None)
    if left is not None and not is_there(database_of(folder)):
        message = (
            f"a restore into {folder} was cut off: give the same `kokoromichi restore` again. What stood "
            f"there is in replaced.*: to go on with that, move all of it back and delete {left.name}"
        )
        raise StorageError(message)
