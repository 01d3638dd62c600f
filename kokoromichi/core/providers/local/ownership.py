"""One owner at a time: a lock on the folder itself, which nobody can remove."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Final

from kokoromichi.core.errors import StorageError

if TYPE_CHECKING:
    from pathlib import Path

_HELD_HERE: Final[set[tuple[int, int]]] = set()
"""Device and inode of the folders that this process holds: what tells a second provider from a second bot."""


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
        return f"{folder} is in use by another process: stop it, or set DATA_DIR to another folder"

    def release(self) -> None:
        """Let go."""
        _HELD_HERE.discard(self._folder)
        os.close(self._handle)
