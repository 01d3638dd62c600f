"""A pseudonym in the place of a player's id, in every file of a closed folder: begun once, and finished.

What is to be done is written down first; whoever opens the folder next does it, or what is left of it, before
anything else is read. Each step may be done twice. Until the note is on the disk nothing has begun.
"""

from __future__ import annotations

import logging
from itertools import count
from typing import TYPE_CHECKING, Final

import msgspec

from kokoromichi.core.errors import StorageError
from kokoromichi.core.providers.local.files import put, write_all
from kokoromichi.core.providers.local.folder import CHECKPOINT, journal_folder
from kokoromichi.core.providers.local.frames import NO_ANSWER, Request, line_of, payload_of
from kokoromichi.core.providers.local.keeping import document_of
from kokoromichi.core.providers.local.ledgers import encode_line, line_of_raw
from kokoromichi.core.providers.local.opening import (
    ADOPT,
    profile_of,
    read_checkpoint,
    sweep,
    write_checkpoint,
)
from kokoromichi.core.providers.local.snapshots import Key, sealed, unsealed
from kokoromichi.core.validation import FORGOTTEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kokoromichi.core.providers.local.files import Files

_LOG: Final = logging.getLogger(__name__)
_NOTE: Final = "erasure.json"
_BLOCK_BYTES: Final = 1 << 24


class Erasure(msgspec.Struct):
    """What is to be done.

    Attributes:
        user_id: Whom to replace, or nothing: then the folder is emptied.
        pseudonym: By what.
    """

    user_id: str
    pseudonym: str


def note_erasure(files: Files, folder: Path, erasure: Erasure) -> None:
    """Write down what is to be done to a closed folder whose journal is all in its files; blocks."""
    put(files, journal_folder(folder) / _NOTE, line_of(erasure), 0)
    files.sync_folder(journal_folder(folder))


def finish_erasure(files: Files, folder: Path) -> None:
    """Do what is written down, or what is left of it; nothing where there is no note. Blocks.

    Raises:
        StorageError: A file cannot be read; nothing of it is lost.
        OSError: The disk says no; the note stays.
    """
    journal = journal_folder(folder)
    if files.signature(journal / _NOTE) is None:
        return
    sweep(files, folder)
    payload = payload_of(files.read(journal / _NOTE).removesuffix(b"\n"))
    if payload is None:
        message = f"{journal / _NOTE} is damaged: put back the whole folder from your own copy"
        raise StorageError(message)
    erasure = msgspec.json.decode(payload, type=Erasure)
    if erasure.user_id:
        _LOG.info("%s: a player is erased", folder)
        _Erasing(files, folder, erasure).carry_out()
    else:
        _LOG.info("%s: the folder is emptied", folder)
        _empty(files, folder)
    files.remove(journal / _NOTE)
    files.sync_folder(journal)


class _Erasing:
    """One player's erasure from a closed folder."""

    def __init__(self, files: Files, folder: Path, erasure: Erasure) -> None:
        self._files = files
        self._folder = folder
        self._user_id, self._pseudonym = erasure.user_id, erasure.pseudonym
        self._marks = tuple(f'"{name}"'.encode() for name in (self._user_id, self._pseudonym))
        self._names = self._user_id.encode(), self._pseudonym.encode()
        self._touched: set[str] = set()
        self._numbers = count(1)

    def carry_out(self) -> None:
        """Every step, in an order in which a power cut leaves the note or a finished folder."""
        files, folder, journal = self._files, self._folder, journal_folder(self._folder)
        checkpoint = read_checkpoint(files, folder)
        if checkpoint is None:
            message = f"{journal} has no checkpoint: put back the whole folder from your own copy"
            raise StorageError(message)
        sizes = {}
        for name in files.names(folder / "ledgers"):
            if name.endswith(".log"):
                path = folder / "ledgers" / name
                sizes[name.removesuffix(".log")] = self._rewrite(path, self._without_row, self._names)
        requests_bytes = self._rewrite(journal / checkpoint.requests_file, self._without_answer)
        for name in files.names(folder / "observations"):
            self._rewrite(folder / "observations" / name, self._without_sight, self._names)
        self._move_player()
        for name in files.names(journal):
            if name.endswith(".journal"):  # All of it is in the files, and it names him.
                files.remove(journal / name)
        for inner in ("ledgers", "observations", "users", "backups", "journal"):
            files.sync_folder(folder / inner)
        users = dict(checkpoint.users)
        if self._user_id in users:
            users[self._pseudonym] = users.pop(self._user_id)
        replaced = msgspec.structs.replace(
            checkpoint, books=sizes, requests_bytes=requests_bytes, users=users
        )
        write_checkpoint(files, folder, replaced, next(self._numbers))

    def _rewrite(
        self, path: Path, without: Callable[[bytes], bytes], named: tuple[bytes, ...] = (b"",)
    ) -> int:
        """Put every line of a file through ``without``, and answer the file's size then; blocks.

        A file in which nothing of ``named`` stands is left as it is.
        """
        signature = self._files.signature(path)
        if signature is None:
            return 0
        if not any(name in block for block in self._blocks(path, signature[1]) for name in named):
            return signature[1]
        temporary = path.with_name(f".{path.name}.{next(self._numbers)}.tmp")
        size, changed = 0, False
        handle = self._files.append(temporary)
        try:
            for block in self._blocks(path, signature[1]):
                lines = b"".join(without(line) for line in block.splitlines(keepends=True))
                changed |= lines != block
                size += len(lines)
                write_all(self._files, handle, lines)
            self._files.sync(handle)
        finally:
            self._files.close(handle)
        if changed:
            self._files.replace(temporary, path)
        else:
            self._files.remove(temporary)
        return size

    def _blocks(self, path: Path, size: int) -> Iterator[bytes]:
        """A file in blocks of whole lines."""
        start = 0
        while start < size:
            block = self._files.read(path, start, min(start + _BLOCK_BYTES, size))
            block = block[: block.rfind(b"\n") + 1] or block
            start += len(block)
            yield block

    def _without_row(self, line: bytes) -> bytes:
        if not any(name in line for name in self._names):
            return line
        row = line_of_raw(line)
        self._touched.add(row.request_id)
        row.user_id, row.actor = self._named(row.user_id), self._named(row.actor)
        row.counterparty = row.counterparty and self._named(row.counterparty)
        row.reason = row.reason and row.reason.replace(self._user_id, self._pseudonym)
        return encode_line(row) + b"\n"

    def _named(self, name: str) -> str:
        return self._pseudonym if name == self._user_id else name

    def _without_answer(self, line: bytes) -> bytes:
        payload = payload_of(line.removesuffix(b"\n"))
        if payload is None:
            where = journal_folder(self._folder)
            message = (
                f"a file of requests in {where} is damaged: put back the whole folder from your own copy"
            )
            raise StorageError(message)
        request = msgspec.json.decode(payload, type=Request)
        if request.request_id in self._touched or self._marks[0] in bytes(request.answer):
            request.digest, request.answer = FORGOTTEN, NO_ANSWER
        return line_of(request)

    def _without_sight(self, line: bytes) -> bytes:
        return line.replace(b'"user_id":' + self._marks[0], b'"user_id":' + self._marks[1])

    def _move_player(self) -> None:
        """His file under the pseudonym, nameless; then his own file and its backups go."""
        files, users = self._files, self._folder / "users"
        key, target = Key("user", self._user_id), Key("user", self._pseudonym)
        path = users / f"{key.name}.json"
        if files.signature(path) is not None:
            found = unsealed(key, files.read(path))
            if found is None or not found.sound:
                message = f"{path} was edited externally: {ADOPT}, or put the former file back"
                raise StorageError(message)
            profile = profile_of(found)
            profile.user_id, profile.name = self._pseudonym, ""
            profile.unknown.clear()
            content = sealed(target, found.sequence, document_of(profile))
            put(files, users / f"{target.name}.json", content, next(self._numbers))
            files.sync_folder(users)
            files.remove(path)
        for name in files.names(self._folder / "backups"):
            if name.startswith(f"{key.name}."):
                files.remove(self._folder / "backups" / name)


def _empty(files: Files, folder: Path) -> None:
    """Remove everything that the provider has written, but for its lock and the note."""
    journal = journal_folder(folder)
    checkpoint = read_checkpoint(files, folder)
    for name in () if checkpoint is None else checkpoint.sections:
        files.remove(folder / f"{name}.json")
    for inner in ("users", "ledgers", "observations", "backups/sections", "backups"):
        for name in files.names(folder / inner):
            if name != "sections":
                files.remove(folder / inner / name)
        files.sync_folder(folder / inner)
    files.sync_folder(folder)
    for name in files.names(journal):
        if name.endswith((".journal", ".log")):
            files.remove(journal / name)
    files.sync_folder(journal)
    files.remove(journal / CHECKPOINT)
