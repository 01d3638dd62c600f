"""A disk under SQLite that loses, tears and reorders what was not synced, and whose syncs may fail."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import apsw

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random  # noqa: TID251 - what a power cut spares is no part of a simulation
    from types import TracebackType

_SECTOR_BYTES: Final = 512
_NAME: Final = "unsafe"
_BELOW: Final = "unix"

Write: TypeAlias = "tuple[int, bytes | None]"
"""An offset and what was written there; None cuts the file off there."""


def _apply(content: bytearray, write: Write) -> None:
    offset, data = write
    if data is None:
        del content[offset:]
        return
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


class Platter:
    """What a file is for certain, and what may become of it.

    Attributes:
        durable: The content as of its last sync; None where the file itself may be gone.
        pending: What was written since, in order.
    """

    def __init__(self, durable: bytearray | None) -> None:
        self.durable = durable
        self.pending: list[Write] = []

    def sync(self) -> None:
        """Everything that was written is durable."""
        self.durable = bytearray() if self.durable is None else self.durable
        for write in self.pending:
            _apply(self.durable, write)
        self.pending = []

    def after_cut(self, chance: Random) -> bytes | None:
        """The content that a power cut leaves: of what was not synced any sectors, in any order."""
        spared = chance.choice((0.0, 0.5, 0.9, 1.0))
        if self.durable is None and chance.random() > spared:
            return None
        content = bytearray(self.durable or b"")
        writes = list(self.pending)
        if chance.random() < 0.5:
            chance.shuffle(writes)
        for offset, data in writes:
            if data is None:
                if chance.random() < spared:
                    _apply(content, (offset, None))
                continue
            for start in range(0, len(data), _SECTOR_BYTES):
                if chance.random() < spared:
                    _apply(content, (offset + start, data[start : start + _SECTOR_BYTES]))
        return bytes(content)


class UnsafeDisk(apsw.VFS):
    """SQLite's default way to the disk while it is entered.

    Attributes:
        step: Called before each write, sync, cut and removal: where power may fail.
        fails: Whether a sync fails.
    """

    def __init__(self) -> None:
        super().__init__(_NAME, _BELOW, makedefault=True)
        self.step: Callable[[], None] = lambda: None
        self.fails = False
        self._platters: dict[str, Platter] = {}
        self._lock = threading.RLock()

    def __enter__(self) -> UnsafeDisk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unregister()

    def after_cut(self, folder: Path, chance: Random) -> dict[str, bytes]:
        """What a power cut at this moment leaves of the databases of a folder, by name."""
        with self._lock:
            left = {
                Path(name).name: platter.after_cut(chance)
                for name, platter in self._platters.items()
                if Path(name).parent == folder
            }
        return {name: content for name, content in left.items() if content is not None}

    def platter(self, name: str) -> Platter:
        """What is known of a file; one that is there when it is first opened is durable."""
        with self._lock:
            if name not in self._platters:
                path = Path(name)
                self._platters[name] = Platter(bytearray(path.read_bytes()) if path.exists() else None)
            return self._platters[name]

    def stepping(self) -> threading.RLock:
        """Begin a step; what is done under the lock is whole or not done when power fails."""
        with self._lock:
            self.step()
        return self._lock

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's word
        """Open a file whose writes are watched; temporary ones have no name."""
        if name is None:
            return super().xOpen(name, flags)
        plain = name.filename() if isinstance(name, apsw.URIFilename) else name
        return WatchedFile(self, name, plain, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802, FBT001 - SQLite's own
        """Remove a file, for good."""
        with self.stepping():
            super().xDelete(filename, syncdir)
            self._platters.pop(filename, None)


class WatchedFile(apsw.VFSFile):
    """A file of an unsafe disk."""

    def __init__(self, disk: UnsafeDisk, uri: Any, name: str, flags: list[int]) -> None:
        self._disk = disk
        self._platter = disk.platter(name)
        super().__init__(_BELOW, uri, flags)

    def xLock(self, level: int) -> None:  # noqa: N802 - SQLite's word
        """Lock; who only reads tries at closing what only writers may, which SQLite itself passes over."""
        try:
            super().xLock(level)
        except apsw.IOError as refused:
            raise apsw.BusyError from refused

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's word
        """Write, which is not durable yet."""
        with self._disk.stepping():
            super().xWrite(data, offset)
            self._platter.pending.append((offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's word
        """Cut off, which is not durable yet."""
        with self._disk.stepping():
            super().xTruncate(newsize)
            self._platter.pending.append((newsize, None))

    def xSync(self, flags: int) -> None:  # noqa: ARG002, N802 - SQLite's own
        """Make what was written durable, or fail."""
        with self._disk.stepping():
            if self._disk.fails:
                message = "the disk failed to sync"
                raise apsw.IOError(message)
            self._platter.sync()
