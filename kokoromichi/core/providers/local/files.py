"""The few calls that reach the disk, in one place, so that tests can put a failing disk in theirs."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_APPEND: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
_LOCK: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC


class Files:
    """A real disk. Every call blocks and raises ``OSError``; a handle is a file descriptor."""

    def names(self, folder: Path) -> list[str]:
        """What a folder holds, ascending; nothing where there is no such folder."""
        try:
            return sorted(os.listdir(folder))  # noqa: PTH208 - names alone, of folders with many files
        except FileNotFoundError:
            return []

    def read(self, path: Path, start: int = 0, end: int | None = None) -> bytes:
        """The bytes of a file from ``start`` up to ``end``."""
        with path.open("rb") as file:
            file.seek(start)
            return file.read(-1 if end is None else max(0, end - start))

    def signature(self, path: Path) -> tuple[int, ...] | None:
        """What changes when anybody writes or replaces a file; None where there is none."""
        try:
            found = path.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    def make_folder(self, path: Path) -> None:
        """Create a folder and those above it, where they are missing."""
        path.mkdir(parents=True, exist_ok=True)

    def append(self, path: Path) -> int:
        """Open a file to add to it, creating it where it is missing."""
        return os.open(path, _APPEND, 0o644)

    def write(self, handle: int, data: bytes | memoryview) -> int:
        """Write, and answer how many bytes were taken: perhaps not all of them."""
        return os.write(handle, data)

    def sync(self, handle: int) -> None:
        """Return when everything that was written is on the disk."""
        os.fdatasync(handle)

    def truncate(self, handle: int, size: int) -> None:
        """Cut a file to ``size`` bytes."""
        os.ftruncate(handle, size)

    def close(self, handle: int) -> None:
        """Let go of a handle."""
        os.close(handle)

    def replace(self, source: Path, target: Path) -> None:
        """Give a file another name, in the place of what had it: wholly or not at all."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """Remove a file, where there is one."""
        path.unlink(missing_ok=True)

    def sync_folder(self, folder: Path) -> None:
        """Return when the names in a folder are on the disk."""
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def lock(self, path: Path) -> int | None:
        """Hold a file for this process alone, until its handle is closed or the process dies.

        Returns:
            The handle, or None when somebody else holds it.
        """
        handle = os.open(path, _LOCK, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        except OSError:
            os.close(handle)
            raise
        return handle


def write_all(files: Files, handle: int, data: bytes) -> None:
    """Write all of ``data``, however little each call takes."""
    rest = memoryview(data)
    while rest:
        rest = rest[files.write(handle, rest) :]


def write_new(files: Files, path: Path, data: bytes, *, sync: bool = True) -> None:
    """Write a whole file whose name nobody else has; what fails is removed again."""
    handle = files.append(path)
    try:
        write_all(files, handle, data)
        if sync:
            files.sync(handle)
    except OSError:
        files.close(handle)
        files.remove(path)
        raise
    files.close(handle)


def put(files: Files, path: Path, data: bytes, number: int) -> None:
    """Replace a file by new content that is on the disk before the name is; ``number`` is used once."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{number}.tmp")
    write_new(files, temporary, data)
    try:
        files.replace(temporary, path)
    except OSError:
        files.remove(temporary)
        raise


def lines_backward(files: Files, path: Path, end: int, block: int = 1 << 16) -> Iterator[bytes]:
    """The lines of a file that end at or before byte ``end``, last one first, in bounded memory."""
    rest = b""
    while end > 0:
        start = max(0, end - block)
        pieces = (files.read(path, start, end) + rest).split(b"\n")
        rest = pieces[0]
        yield from (piece for piece in reversed(pieces[1:]) if piece)
        end = start
    if rest:
        yield rest
