"""The data folder: where what is, who holds it, and whose it is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from kokoromichi.core.errors import StorageError
from kokoromichi.core.validation import RESERVED_SECTIONS

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.core.providers.local.files import Files

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
CHECKPOINT: Final = "checkpoint.json"


def journal_folder(folder: Path) -> Path:
    """Where the journal of a data folder is."""
    return folder / "journal"


def is_ours(files: Files, folder: Path) -> bool:
    """Whether the local provider has written this folder; blocks.

    Somebody else's folder of that name shows nothing.
    """
    names = files.names(journal_folder(folder))
    return any(name == CHECKPOINT or name.endswith(".journal") for name in names)


def of_existing_installation(files: Files, folder: Path) -> str | None:
    """What shows that a folder holds the data of an existing installation, or None; blocks.

    The economy's own files show nothing: they may lie in any data folder.
    """
    if is_ours(files, folder):
        return None
    shipped = {f"{name}.json" for name in RESERVED_SECTIONS}
    for name in files.names(folder):
        if name in _REFERENCE_FILES or (name.endswith(".json") and name not in shipped):
            return name
    for inner, suffixes in _REFERENCE_FOLDERS.items():
        for name in files.names(folder / inner):
            if name.endswith(suffixes) and not name.startswith("."):
                return f"{inner}/{name}"
    return None


def prepare(files: Files, folder: Path) -> int:
    """Make a folder ready and hold it for this process; blocks.

    Returns:
        The handle that holds it.

    Raises:
        StorageError: It is another installation's, another process holds it, or it cannot be written.
    """
    try:
        shown = of_existing_installation(files, folder)
        if shown is not None:
            message = (
                f"{folder} holds the data of an existing installation ({shown}), which is never changed. "
                "Bring it over with `kokoromichi migrate --provider local|mongo|postgres --data-dir "
                f"{folder}`, or set DATA_DIR to another folder"
            )
            raise StorageError(message)
        for inner in ("users", "ledgers", "backups", "backups/sections", "journal", "observations"):
            files.make_folder(folder / inner)
        path = journal_folder(folder) / "lock"
        handle = files.lock(path)
        if handle is None:
            holder = files.read(path).decode("ascii", "replace").strip() or "unknown"
            message = f"{folder} is in use by process {holder}: stop it, or set DATA_DIR to another folder"
            raise StorageError(message)
        files.truncate(handle, 0)
        files.write(handle, f"{os.getpid()}\n".encode())
    except OSError as error:
        raise StorageError(unusable(folder, error)) from error
    return handle


def unusable(path: Path, error: OSError) -> str:
    """What went wrong with a file or folder, and the cure."""
    what = error.strerror or str(error)
    return (
        f"{error.filename or path} cannot be used: {what}. "
        "Make sure that the folder may be written and that the disk has room, then start again"
    )
