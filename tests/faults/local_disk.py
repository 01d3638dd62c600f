"""A disk in memory that forgets what was not synced, reorders names, writes short and fails as it is told."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from kokoromichi.core.providers.local.files import Files

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random  # noqa: TID251 - what a failing disk leaves is no part of a simulation

_HALF: Final = 0.5
_PAGE: Final = 512


class PowerCutError(OSError):
    """The disk is gone."""


class _File:
    """A file's bytes, and those that survive a power cut."""

    def __init__(self, content: bytes = b"") -> None:
        self.content = content
        self.safe = content
        self.changes = 0

    def survivor(self, chance: Random) -> bytes:
        """What a power cut leaves: what was synced, and of the rest any pages in any order."""
        if not self.content.startswith(self.safe):
            return self.content if chance.random() < _HALF else self.safe
        rest = self.content[len(self.safe) : len(self.safe) + chance.randint(0, len(self.content))]
        pages = [rest[first : first + _PAGE] for first in range(0, len(rest), _PAGE)]
        if chance.random() < _HALF:
            pages = [page if chance.random() < _HALF else bytes(len(page)) for page in pages]
        return self.safe + b"".join(pages)


class Disk(Files):
    """A disk.

    Args:
        chance: Decides how short writes are, and what a power cut leaves.
        files: What is on it.

    Attributes:
        operations: Calls so far that change anything or sync.
        cut_at: The power goes at this operation.
        fails: The error of each operation from a number on: ``{"sync": (7, errno.EIO)}``; it stays.
        short: Whether writes take less than they are given.
    """

    def __init__(self, chance: Random, files: dict[Path, bytes] | None = None) -> None:
        self._chance = chance
        self._now = {path: _File(content) for path, content in (files or {}).items()}
        self._safe = dict(self._now)
        self._renames: list[tuple[Path, list[tuple[Path, _File | None]]]] = []
        self._open: dict[int, _File] = {}
        self._next = 1_000
        self.operations = 0
        self.cut_at: int | None = None
        self.fails: dict[str, tuple[int, int]] = {}
        self.short = False

    def after_power_cut(self) -> Disk:
        """The disk that the next process finds: each name that was not synced came through, or did not."""
        names = dict(self._safe)
        for _folder, changes in self._renames:
            if self._chance.random() < _HALF:
                _apply(names, changes)
        return Disk(self._chance, {path: file.survivor(self._chance) for path, file in names.items()})

    def image(self) -> dict[Path, bytes]:
        """Every file's bytes now."""
        return {path: file.content for path, file in self._now.items()}

    def _step(self, operation: str) -> None:
        self.operations += 1
        if self.cut_at is not None and self.operations >= self.cut_at:
            raise PowerCutError(errno.EIO, "the power is gone")
        first, error = self.fails.get(operation, (0, 0))
        if error and self.operations >= first:
            raise OSError(error, os.strerror(error))

    def _rename(self, folder: Path, changes: list[tuple[Path, _File | None]]) -> None:
        _apply(self._now, changes)
        self._renames.append((folder, changes))

    def names(self, folder: Path) -> list[str]:
        return sorted(path.name for path in list(self._now) if path.parent == folder)

    def read(self, path: Path, start: int = 0, end: int | None = None) -> bytes:
        if path not in self._now:
            raise FileNotFoundError(errno.ENOENT, "No such file", str(path))
        return self._now[path].content[start:end]

    def signature(self, path: Path) -> tuple[int, ...] | None:
        file = self._now.get(path)
        return None if file is None else (id(file), len(file.content), file.changes)

    def make_folder(self, path: Path) -> None:
        """Folders are there when a file is."""

    def append(self, path: Path) -> int:
        self._step("append")
        if path not in self._now:
            self._rename(path.parent, [(path, _File())])
        self._next += 1
        self._open[self._next] = self._now[path]
        return self._next

    def write(self, handle: int, data: bytes | memoryview) -> int:
        file = self._open[handle]
        taken = self._chance.randint(1, len(data)) if self.short else len(data)
        try:
            self._step("write")
        except OSError:
            file.content += bytes(data[: self._chance.randint(0, len(data))])
            raise
        file.content += bytes(data[:taken])
        file.changes += 1
        return taken

    def sync(self, handle: int) -> None:
        self._step("sync")
        self._open[handle].safe = self._open[handle].content

    def truncate(self, handle: int, size: int) -> None:
        self._step("truncate")
        file = self._open[handle]
        if size != len(file.content):
            file.content = file.content[:size]
            file.changes += 1

    def close(self, handle: int) -> None:
        self._open.pop(handle, None)

    def replace(self, source: Path, target: Path) -> None:
        self._step("replace")
        self._rename(target.parent, [(target, self._now[source]), (source, None)])

    def remove(self, path: Path) -> None:
        self._step("remove")
        if path in self._now:
            self._rename(path.parent, [(path, None)])

    def sync_folder(self, folder: Path) -> None:
        self._step("sync_folder")
        for change in [change for change in self._renames if change[0] == folder]:
            _apply(self._safe, change[1])
            self._renames.remove(change)

    def lock(self, path: Path) -> int | None:
        return self.append(path)


def _apply(names: dict[Path, _File], changes: list[tuple[Path, _File | None]]) -> None:
    for path, file in changes:
        if file is None:
            names.pop(path, None)
        else:
            names[path] = file
