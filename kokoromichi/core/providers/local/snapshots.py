"""One file for each player and section: sealed, so that what another hand changed is known; with backups."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from kokoromichi.core.clock import DAY_US, moment_of, us_of
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.providers.local.files import put, write_new

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.core.clock import Clock
    from kokoromichi.core.data_provider import Document
    from kokoromichi.core.providers.local.files import Files

_STAMP: Final = "%Y%m%dT%H%M%S%fZ"
_BACKUP_NAME: Final = re.compile(r"[0-9A-Za-z_-]{1,64}\.\d{8}T\d{12}Z\.json")


class Sealed(msgspec.Struct):
    """A file's content.

    Attributes:
        kind: ``user`` or ``section``.
        name: Whose, or which.
        sequence: The newest frame that is in it.
        seal: Of all the rest.
        document: The content proper, byte by byte.
    """

    kind: str
    name: str
    sequence: int
    seal: str
    document: msgspec.Raw

    @property
    def sound(self) -> bool:
        """Whether nobody changed it since it was written."""
        return self.seal == _seal(self.kind, self.name, self.sequence, bytes(self.document))


_SEALED: Final = msgspec.json.Decoder(Sealed)


class Key(NamedTuple):
    """What a file is of."""

    kind: str
    name: str


def sealed(key: Key, sequence: int, document: bytes) -> bytes:
    """The content of a file, for people to read."""
    pretty = msgspec.json.format(document, indent=2)
    head = msgspec.json.encode(
        {
            "kind": key.kind,
            "name": key.name,
            "sequence": sequence,
            "seal": _seal(*key, sequence, pretty),
        }
    )
    return b'%b,"document":%b}\n' % (head[:-1], pretty)


def _seal(kind: str, name: str, sequence: int, document: bytes) -> str:
    return hashlib.blake2b(f"{kind} {name} {sequence} ".encode() + document, digest_size=16).hexdigest()


def unsealed(key: Key, content: bytes) -> Sealed | None:
    """A file's content, or None when it cannot be read, or is of another player or section."""
    try:
        found = _SEALED.decode(content)
        msgspec.json.decode(found.document)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found if (found.kind, found.name) == key else None


def plain_json(document: Document, what: str) -> bytes:
    """A document as JSON that reads back as the same.

    Raises:
        MisuseError: It holds what JSON cannot.
    """
    try:
        encoded = msgspec.json.encode(document)
        same = msgspec.json.decode(encoded) == document
    except (TypeError, ValueError, RecursionError) as unfit:
        message = f"{what} holds what JSON cannot: {unfit}"
        raise MisuseError(message) from None
    if not same:
        message = f"{what} holds what JSON cannot: a number that is none, or a key that is no text"
        raise MisuseError(message)
    return encoded


class Snapshots:
    """The files of players and sections, and their backups.

    Args:
        files: The disk.
        folder: The data folder.
        clock: What stamps the backups.
        backups_kept: Backups of one file that are kept, at least 1.
        backup_days: Backups older than so many days go, but for the newest one.
    """

    def __init__(self, files: Files, folder: Path, clock: Clock, backups_kept: int, backup_days: int) -> None:
        self._files = files
        self._folder = folder
        self._clock = clock
        self._kept = max(1, backups_kept)
        self._days = backup_days
        self._numbers = count(1)
        self._signatures: dict[Key, tuple[int, ...] | None] = {}
        self._backups: dict[Key, list[str]] = {}
        for kind in ("user", "section"):
            for name in files.names(self.backup_folder(kind)):
                if _BACKUP_NAME.fullmatch(name):
                    self._backups.setdefault(Key(kind, name.split(".")[0]), []).append(name)

    def backup_folder(self, kind: str) -> Path:
        """Where the backups of players or of sections are: both may have the same names."""
        return self._folder / "backups" if kind == "user" else self._folder / "backups" / "sections"

    def path(self, key: Key) -> Path:
        """The file of a player or section."""
        folder = self._folder / "users" if key.kind == "user" else self._folder
        return folder / f"{key.name}.json"

    def read(self, key: Key) -> Sealed | None:
        """A file as it is, sound or not; None where there is none or nothing to be read. Blocks.

        Raises:
            OSError: The disk says no.
        """
        signature = self._files.signature(self.path(key))
        if signature is None:
            return None
        found = unsealed(key, self._files.read(self.path(key)))
        self._signatures[key] = signature
        return found

    def content(self, key: Key) -> bytes:
        """The bytes of a file. Blocks."""
        return self._files.read(self.path(key))

    def exists(self, key: Key) -> bool:
        """Whether there is a file. Blocks."""
        return self._files.signature(self.path(key)) is not None

    def untouched(self, key: Key) -> bool:
        """Whether the file is as this process wrote or read it last. Blocks."""
        return self._files.signature(self.path(key)) == self._signatures.get(key)

    def write(self, key: Key, content: bytes) -> None:
        """Replace a file, whose former content has its backup; the new content gets one too. Blocks."""
        put(self._files, self.path(key), content, next(self._numbers))
        self._signatures[key] = self._files.signature(self.path(key))
        self.back_up(key, content)

    def back_up(self, key: Key, content: bytes) -> None:
        """Keep a copy of a content that is about to be, or cannot be, the file's. Blocks."""
        names = self._backups.setdefault(key, [])
        moment_us = self._clock.now_us()
        name = self._backup_name(key, moment_us)
        while names and name <= names[-1]:
            moment_us = max(moment_us, _moment_us(names[-1])) + 1
            name = self._backup_name(key, moment_us)
        write_new(self._files, self.backup_folder(key.kind) / name, content, sync=False)
        names.append(name)
        oldest = self._backup_name(key, moment_us - self._days * DAY_US)
        while len(names) > self._kept or (len(names) > 1 and names[0] < oldest):
            self._files.remove(self.backup_folder(key.kind) / names.pop(0))

    def set_aside(self, key: Key) -> None:
        """Move a file that cannot be used to the backups: it is never overwritten. Blocks."""
        self._files.replace(self.path(key), self._aside(key))
        self._signatures[key] = None

    def keep_aside(self, key: Key) -> None:
        """Copy a file to the backups as another hand left it. Blocks."""
        write_new(self._files, self._aside(key), self.content(key))

    def _aside(self, key: Key) -> Path:
        stamp = moment_of(self._clock.now_us()).strftime(_STAMP)
        return self.backup_folder(key.kind) / f"{key.name}.{stamp}.{next(self._numbers)}.unused"

    def newest_backup(self, key: Key) -> Sealed | None:
        """The newest backup that is sound, or None. Blocks."""
        folder = self.backup_folder(key.kind)
        found = [
            backup
            for name in self._backups.get(key, [])
            if (backup := unsealed(key, self._files.read(folder / name))) and backup.sound
        ]
        return max(found, key=lambda backup: backup.sequence, default=None)

    def _backup_name(self, key: Key, moment_us: int) -> str:
        return f"{key.name}.{moment_of(moment_us).strftime(_STAMP)}.json"


def _moment_us(name: str) -> int:
    stamp = name.split(".")[1].removesuffix("Z")
    return us_of(datetime.strptime(f"{stamp}+0000", f"{_STAMP.removesuffix('Z')}%z"))
