"""The copy that people read: players, sections, counters, books; written behind, never read as the truth."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import msgspec

from kokoromichi.core.kinds import BOOKS
from kokoromichi.core.providers.local.backups import Backups, Retention
from kokoromichi.core.providers.local.documents import flat_document
from kokoromichi.core.providers.local.seals import Key, Sealed, read_sealed, sealed, unsealed
from kokoromichi.core.providers.local.writer import identity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from kokoromichi.core.clock import Clock
    from kokoromichi.core.providers.local.connections import Read, ReadConnections

_LOG: Final = logging.getLogger(__name__)
_ROWS_A_STEP: Final = 5_000
_TAIL_BYTES: Final = 65_536
_BLOCK_BYTES: Final = 1 << 20

EDITED: Final = "was edited externally"
FORMER: Final = "is a former one that was put back externally"


COUNTERS: Final = Key("counters", "counters")
_COPIED: Final = "copied."


def copied_marks(marks: Mapping[str, int]) -> list[tuple[str, int]]:
    """How far the books' files go, as rows of ``meta``."""
    return [(f"{_COPIED}{book}", entry) for book, entry in marks.items()]


def marks_in(meta: Mapping[str, int | str]) -> dict[str, int]:
    """How far the books' files go, as ``meta`` has it; nothing of a store that was never copied."""
    return {name.removeprefix(_COPIED): int(at) for name, at in meta.items() if name.startswith(_COPIED)}


class CopyFolder:
    """Where the files of a copy and their backups are, and which of them were edited externally."""

    def __init__(self, folder: Path, clock: Clock, retention: Retention = Retention()) -> None:  # noqa: B008 - frozen
        self.folder = folder
        self._backups = {
            "user": Backups(folder / "backups", clock, retention),
            "section": Backups(folder / "backups" / "sections", clock, retention),
        }

    def path(self, key: Key) -> Path:
        """The file of a player, a section or the counters."""
        inner = {"user": "users", "section": "sections"}.get(key.kind, "")
        return self.folder / inner / f"{key.name}.json"

    def log(self, book: str) -> Path:
        """The file of a book."""
        return self.folder / "ledgers" / f"{book}.log"

    def backups(self, key: Key) -> Backups:
        """The backups of files of this kind; those of the counters lie beside the players'."""
        return self._backups["section" if key.kind == "section" else "user"]

    def present(self) -> Iterator[Key]:
        """Every file that is there, of players and sections."""
        for kind, inner in (("user", "users"), ("section", "sections")):
            for path in sorted((self.folder / inner).glob("*.json")):
                if not path.name.startswith("."):
                    yield Key(kind, path.stem)

    def base(self, key: Key) -> Sealed | None:
        """What a file was last written as: its newest backup; blocks."""
        newest = self.backups(key).newest(key.name)
        return None if newest is None else read_sealed(newest)

    def why_foreign(self, key: Key, found: Sealed) -> str | None:
        """How a file was edited externally, or None; blocks."""
        if not found.is_sound or not found.is_of(key):
            return EDITED
        if key.kind == "user":
            base = self.base(key)
            if base is not None and base.document.get("version", 0) > found.document.get("version", 0):
                return FORMER
        return None

    def foreign(self) -> dict[Key, str]:
        """Every file of a player, a section or the counters that was edited externally; blocks."""
        changed = {}
        for key in chain(self.present(), (COUNTERS,)):
            found = read_sealed(self.path(key))
            why = None if found is None else self.why_foreign(key, found)
            if why is not None:
                changed[key] = why
        return changed

    def name(self, key: Key) -> str:
        """A file's path in messages, relative to the folder."""
        return self.path(key).relative_to(self.folder).as_posix()

    def newest_entry(self) -> int:
        """The newest ledger row that a book's file holds; 0 where there is none. Blocks."""
        return max((last_entry(self.log(book)) for book in BOOKS), default=0)


class ReadableCopy(CopyFolder):
    """Writes the files from snapshots of the database; every call blocks, and one is made at a time.

    Attributes:
        due: What is to be written next.
        marks: The newest row that each book's file holds.
        edited: Files edited externally, which are left alone until they are adopted, and why.
    """

    def __init__(
        self,
        folder: Path,
        reading: ReadConnections,
        clock: Clock,
        retention: Retention,
        marks: Mapping[str, int],
    ) -> None:
        super().__init__(folder, clock, retention)
        self._reading = reading
        self._written: dict[Key, tuple[int, ...] | None] = {}
        self.due: set[Key] = set()
        self.edited: dict[Key, str] = {}
        for inner in ("users", "sections", "ledgers", "backups"):
            (folder / inner).mkdir(exist_ok=True)
        self.marks = {book: max(marks.get(book, 0), last_entry(self.log(book))) for book in BOOKS}
        for book in BOOKS:
            _cut_torn_line(self.log(book))

    def all_due(self) -> None:
        """Everything is to be written: nobody knows what the last process has left undone."""
        users = self._reading.rows("SELECT user_id FROM users")
        sections = self._reading.rows("SELECT name FROM sections")
        self.due.update(Key("user", name) for (name,) in users)
        self.due.update(Key("section", name) for (name,) in sections)
        self.due.add(COUNTERS)

    def write(self, due: set[Key]) -> None:
        """Bring the books, and these files, up to date from one snapshot.

        Raises:
            OSError: The disk says no; what was not written is due again.
        """
        failure: OSError | None = None
        with self._reading.session() as read:
            try:
                for book in BOOKS:  # First: a restore never finds a balance that no row explains.
                    self._append(read, book)
            except OSError:
                self.due |= due
                raise
            for key in sorted(due):
                try:
                    self._put(key, self._document(read, key))
                except OSError as error:  # noqa: PERF203 - one file that fails stops no other
                    self.due.add(key)
                    failure = error
        if failure is not None:
            raise failure

    def _document(self, read: Read, key: Key) -> dict[str, Any] | None:
        if key == COUNTERS:
            return dict(read("SELECT name, value FROM counters ORDER BY name"))
        if key.kind == "user":
            found = read("SELECT document FROM users WHERE user_id = ?", (key.name,))
            return flat_document(found[0][0]) if found else None
        found = read("SELECT document FROM sections WHERE name = ?", (key.name,))
        return msgspec.json.decode(found[0][0]) if found else None

    def _put(self, key: Key, document: dict[str, Any] | None) -> None:
        path = self.path(key)
        if document is None or key in self.edited:
            return
        content = sealed(document)
        if identity(path) != self._written.get(key) and not self._is_ours(key, path, content):
            return
        temporary = path.with_name(f".{path.name}.tmp")
        temporary.write_bytes(content)
        temporary.replace(path)
        self._written[key] = identity(path)
        self.backups(key).keep(key.name, content)

    def _is_ours(self, key: Key, path: Path, content: bytes) -> bool:
        """Whether a file that is not as this process left it may be replaced, and must be."""
        try:
            there = path.read_bytes()
        except FileNotFoundError:
            return True  # A file of the copy may be deleted without harm.
        if there == content:
            self._written[key] = identity(path)
            return False
        found = unsealed(there)
        why = None if found is None else self.why_foreign(key, found)
        if why is None and found is not None:
            return True
        if found is None or key == COUNTERS:
            aside = self.backups(key).set_aside(path, "unused")
            _LOG.error("%s cannot be used as it was; it is now %s, and written anew", path, aside)
            return True
        self.edited[key] = why or EDITED
        _LOG.error("%s %s: it is left alone until `kokoromichi audit --adopt` books it", path, why)
        return False

    def adopted(self, key: Key) -> None:
        """Move a file away that was adopted, so that it is written anew."""
        self.backups(key).set_aside(self.path(key), "adopted")
        self.edited.pop(key, None)
        self.due.add(key)

    def _append(self, read: Read, book: str) -> None:
        query = (
            "SELECT * FROM ledger_rows WHERE entry IN (SELECT entry FROM ledger WHERE entry > ? AND "
            "book = (SELECT code FROM names WHERE name = ?) ORDER BY entry LIMIT ?) ORDER BY entry"
        )
        path = self.log(book)
        while rows := read(query, (self.marks[book], book, _ROWS_A_STEP)):
            lines = [msgspec.json.encode(self._reading.entry(row)) for row in rows]
            with path.open("ab", buffering=0) as file:  # Opened each time: it may be rotated as it likes.
                file.write(b"\n".join(lines) + b"\n")
            self.marks[book] = rows[-1][0]

    def naming(self, user_id: str) -> list[Path]:
        """The books' files in which a player's id stands, rotated ones among them."""
        return [
            path for path in sorted((self.folder / "ledgers").iterdir()) if _holds(path, user_id.encode())
        ]

    def forget(self, user_id: str, books: list[Path]) -> None:
        """Remove a player's file and its backups, and books' files, which are written anew."""
        key = Key("user", user_id)
        self.path(key).unlink(missing_ok=True)
        self.backups(key).forget(user_id)
        self.edited.pop(key, None)
        self._written.pop(key, None)
        for path in books:
            path.unlink(missing_ok=True)
            if path.suffix == ".log":
                self.marks[path.stem] = 0

    def clear(self) -> None:
        """Remove every file of the copy and every backup."""
        for inner in ("users", "sections", "ledgers", "backups", "backups/sections"):
            for path in (self.folder / inner).glob("*"):
                if path.is_file():
                    path.unlink(missing_ok=True)
        self.path(COUNTERS).unlink(missing_ok=True)
        for backups in self._backups.values():
            backups.forget_all()
        self.due.clear()
        self.edited.clear()
        self._written.clear()
        self.marks = dict.fromkeys(BOOKS, 0)


def last_entry(path: Path) -> int:
    """The entry of the last whole line of a book's file; 0 where there is none. Blocks."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            tail = file.read()
    except FileNotFoundError:
        return 0
    whole = tail[: tail.rfind(b"\n") + 1].splitlines()
    with suppress(msgspec.DecodeError, KeyError, ValueError, IndexError, TypeError):
        return int(msgspec.json.decode(whole[-1])["entry_id"])
    return 0


def _cut_torn_line(path: Path) -> None:
    """Cut off what a dying process has left of a line."""
    with suppress(FileNotFoundError), path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL_BYTES))
        tail = file.read()
        torn = len(tail) - (tail.rfind(b"\n") + 1)
        if torn:
            file.truncate(size - torn)


def _holds(path: Path, name: bytes) -> bool:
    with path.open("rb") as file:
        before = b""
        while block := file.read(_BLOCK_BYTES):
            if name in before + block:
                return True
            before = block[-len(name) :]
    return False
