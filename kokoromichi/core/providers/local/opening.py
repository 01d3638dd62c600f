"""From a folder to an open database: exactly what was acknowledged, or a refusal that says what to do."""

from __future__ import annotations

import logging
import os
import secrets
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Final

import apsw
import msgspec

from kokoromichi.core.errors import StorageError
from kokoromichi.core.providers.local.backups import stamp_of
from kokoromichi.core.providers.local.erasing import ErasureList, sweep
from kokoromichi.core.providers.local.errors import RESTORE
from kokoromichi.core.providers.local.hot_backup import back_up
from kokoromichi.core.providers.local.schema import (
    SET_META,
    at_rest,
    is_outdated,
    meta_of,
    readable,
    refuse_newer,
    scalar,
    upgrade,
    version_of,
    writable,
)
from kokoromichi.core.reference.files import OUR_DATABASE, has_our_copy, is_former
from kokoromichi.core.validation import RESERVED_SECTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kokoromichi.core.clock import Clock

_LOG: Final = logging.getLogger(__name__)
_REFERENCE_FILES: Final = frozenset(
    {
        "users.json",
        "users.json.backup",
        "pending_transactions.json",
        "server_config.json",
        "game_data.json",
        "relics",
    }
)
_REFERENCE_FOLDERS: Final = {"users": (".json", ".tmp"), "ledgers": (".log",), "backups": (".bak.json",)}
SET_ASIDE: Final = "former"
CHECK_S: Final = 0.2
"""An opening looks for damage for so long at most, however large the database has grown."""
_CHECK_STEPS: Final = 10_000
_MARK_IN_USE: Final = """
INSERT INTO meta VALUES ('life_before', ?), ('life', ?), ('in_use', ?)
    ON CONFLICT DO UPDATE SET value = excluded.value
"""


def database_of(folder: Path) -> Path:
    """The database of a data folder."""
    return folder / OUR_DATABASE


def wal_of(path: Path) -> Path:
    """The write-ahead log of a database."""
    return path.with_name(f"{path.name}-wal")


def is_there(path: Path) -> bool:
    """Whether a database was ever made: a file without a byte is none."""
    return path.exists() and (path.stat().st_size > 0 or wal_of(path).exists())


def refuse_others(folder: Path) -> None:
    """Refuse a folder that is another's, or ours without its database.

    Raises:
        StorageError: It is one; nothing of it was changed.
    """
    path = database_of(folder)
    if is_there(path) and path.stat().st_size:
        return
    if is_former(folder):
        message = (
            f"{folder} holds the journal of a version before this one: copy its players to a database with "
            "the version that wrote it (`kokoromichi migrate`), or set DATA_DIR to another folder"
        )
        raise StorageError(message)
    if wal_of(path).exists() or has_our_copy(folder):
        message = (
            f"{folder} holds the readable copy of a database, and {path.name} itself is missing: bring it "
            f"back with all that lay beside it, or make it anew: `kokoromichi restore --data-dir {folder}`"
        )
        raise StorageError(message)
    shown = _of_existing_installation(folder)
    if shown is not None:
        message = (
            f"{folder} holds the data of an existing installation ({shown}), which is never changed. "
            "Bring it over with `kokoromichi migrate --provider local|mongo|postgres --data-dir "
            f"{folder}`, or set DATA_DIR to another folder"
        )
        raise StorageError(message)


def _of_existing_installation(folder: Path) -> str | None:
    """What shows it; the economy's own files do not, since they may lie in any data folder."""
    shipped = {f"{name}.json" for name in RESERVED_SECTIONS}
    for name in sorted(path.name for path in folder.iterdir()):
        if name in _REFERENCE_FILES or (name.endswith(".json") and name not in shipped):
            return name
    for inner, suffixes in _REFERENCE_FOLDERS.items():
        for path in sorted((folder / inner).glob("*")):
            if path.name.endswith(suffixes) and not path.name.startswith("."):
                return f"{inner}/{path.name}"
    return None


def set_former_mirror_aside(folder: Path) -> None:
    """Move a mirror in the format of a former version out of the way: its next sync makes it anew."""
    if not is_former(folder):
        return
    try:
        line = (folder / "journal" / "checkpoint.json").read_bytes()
        mirror = msgspec.json.decode(line.partition(b" ")[2]).get("mirror")
    except (OSError, msgspec.DecodeError):
        return
    if mirror:
        aside = folder / SET_ASIDE
        aside.mkdir(exist_ok=True)
        for inner in ("users", "ledgers", "observations", "backups", "journal"):
            if (folder / inner).exists():
                (folder / inner).replace(aside / inner)
        for path in folder.glob("*.json"):
            path.replace(aside / path.name)
        _LOG.warning("%s: a mirror of %s in a former format is now in %s", folder, mirror, aside)


def refuse_loss(path: Path, newest_copied: int, check_s: float = CHECK_S) -> Mapping[str, int | str]:
    """Refuse a database that has lost what was acknowledged, or is damaged; nothing of it is touched.

    Args:
        path: The database.
        newest_copied: The newest ledger row that its readable copy holds.
        check_s: How long damage is looked for where the database was not closed, in seconds.

    Returns:
        What the store knows of itself.

    Raises:
        StorageError: It is one.
        apsw.Error: It cannot even be read.
    """
    wal = wal_of(path).exists()
    with closing(readable(path) if wal else at_rest(path)) as base:
        refuse_newer(base, path)
        meta = meta_of(base)
        if meta.get("in_use") and not wal:
            message = (
                f"{path} was not closed, and {wal_of(path).name}, which holds its newest acts, is gone: "
                f"bring that back, or {RESTORE}"
            )
            raise StorageError(message)
        if meta.get("in_use"):
            _refuse_damage(base, path, check_s)
        newest = scalar(base, "SELECT coalesce(max(entry), 0) FROM ledger") if meta else 0
    if newest_copied > newest:
        message = (
            f"{path} is older than the ledgers beside it, which hold row {newest_copied} where it ends with "
            f"{newest}: bring the newer database back with its {wal_of(path).name}, or {RESTORE}; to go on "
            "with the older state, move it alone to an empty folder"
        )
        raise StorageError(message)
    return meta


def _refuse_damage(base: apsw.Connection, path: Path, check_s: float) -> None:
    end_s = time.monotonic() + check_s
    base.set_progress_handler(lambda: time.monotonic() > end_s, _CHECK_STEPS)
    with suppress(apsw.InterruptError):  # Nothing was found in this time.
        found = scalar(base, "PRAGMA quick_check(1)")
        if found != "ok":
            message = f"{path} is damaged: {found}. Nothing was changed: {RESTORE}"
            raise StorageError(message)
    base.set_progress_handler(None)


def refuse_others_wal(path: Path) -> None:
    """Refuse a database beside which lies the WAL of another state of it; only for who holds the folder.

    SQLite would play the newer pages into the older ones: nothing tells it that they do not belong together.

    Raises:
        StorageError: It does; nothing of it was touched.
        apsw.Error: It cannot be read with its WAL.
    """
    if not wal_of(path).exists():
        return
    try:
        with closing(at_rest(path)) as file:
            life = meta_of(file).get("life", "")
    except apsw.Error:  # Power failed in a checkpoint: only its own WAL makes such a file whole.
        return
    with closing(readable(path)) as base:
        meta = meta_of(base)
    if life in (meta.get("life", ""), meta.get("life_before")):
        return
    name = wal_of(path).name
    message = (
        f"{path} and {name} are not of one time: one of them was put there by another hand. Bring back the "
        f"database that belongs to {name}; or to go on with this one, move it alone to an empty folder"
    )
    raise StorageError(message)


def open_database(folder: Path, clock: Clock) -> apsw.Connection:
    """Open a folder's database for its owner, made or upgraded where it must be; blocks.

    Raises:
        StorageError: An erasure could not be carried out, or a backup is not sound.
        apsw.Error: The disk or the file says no.
    """
    path = database_of(folder)
    base = writable(path)
    try:
        if is_outdated(base):
            name = f"{path.stem}.version{version_of(base)}.{stamp_of(clock.now_us())}.sqlite3"
            back_up(base, folder / "backups" / name)
        upgrade(base)
        made = (("store", secrets.token_hex(4)), ("made_us", clock.now_us()))
        base.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", made)
        erased = ErasureList(folder).carry_out(base)
        if erased:
            _LOG.warning("%s was older than the erasure of %d players: erased again", path, len(erased))
        if "residue" in meta_of(base):
            with suppress(apsw.BusyError):
                sweep(base)
        _mark_in_use(base)
    except BaseException:
        base.close()
        raise
    return base


def _mark_in_use(base: apsw.Connection) -> None:
    """Let the file itself say that it is in use, and which WAL belongs to it, whatever becomes of the WAL.

    A reader that is in the way keeps both from the file: then the WAL names the state that it goes on from.
    """
    before = meta_of(base).get("life", "")
    base.execute(_MARK_IN_USE, (before, secrets.token_hex(8), os.getpid()))
    with suppress(apsw.BusyError):
        base.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_FULL)
        base.execute("DELETE FROM meta WHERE name = 'life_before'")


def close_database(base: apsw.Connection, *, cleanly: bool) -> None:
    """Close the owner's connection; only a clean close makes the WAL part of the file. Blocks."""
    if cleanly:
        with suppress(apsw.Error):
            base.execute(SET_META, ("in_use", 0))
            base.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
    base.close()
