"""One owner at a time: a lock on the folder itself, which nobody can remove."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from kokoromichi.core.errors import StorageError

_HELD_HERE: Final[set[tuple[int, int]]] = set()
"""Device and inode of the folders that this process holds: what tells a second provider from a second bot."""
_LOCKS: Final = Path("/proc/locks")
"""What Linux knows of every lock; nobody is named without it, or from another container."""


class FolderLock:
    """A folder, held for this process until it is let go or the process ends.

    Raises:
        StorageError: Another provider, here or in another process, holds it.
        OSError: The folder cannot be opened.
    """

    def __init__(self, folder: Path) -> None:
        self._handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        found = os.fstat(self._handle)
        self._folder = found.st_dev, found.st_ino
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._handle)
            raise StorageError(self._said(folder)) from None
        _HELD_HERE.add(self._folder)

    def _said(self, folder: Path) -> str:
        if self._folder in _HELD_HERE:
            return (
                f"{folder} is in use by another provider of this process: use that one, or close it first "
                "(what only reads may be opened with read_only=True)"
            )
        pid = _holder(self._folder)
        whose = "another process" if pid is None else f"process {pid}"
        return (
            f"{folder} is in use by {whose}: stop it, or name another folder (DATA_DIR; "
            "MIRROR_DIR where this one is a mirror's)"
        )

    def release(self) -> None:
        """Let go."""
        _HELD_HERE.discard(self._folder)
        os.close(self._handle)


def _holder(folder: tuple[int, int]) -> int | None:
    """The process that holds the lock of a folder, as far as this one may know it."""
    device, inode = folder
    held = f"{os.major(device):02x}:{os.minor(device):02x}:{inode}"
    with suppress(OSError):
        for line in _LOCKS.read_text("ascii").splitlines():
            _, kind, _, _, pid, where, *_ = line.split()
            if kind == "FLOCK" and where == held:
                return int(pid) or None  # 0 is one that this process does not see.
    return None
