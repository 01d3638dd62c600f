"""A pseudonym in the place of a player's id: in every table, and again in whatever older state comes back."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

import apsw

from kokoromichi.core.errors import StorageError
from kokoromichi.core.providers.local.documents import decode_profile
from kokoromichi.core.providers.local.groups import PUT_USER, user_row
from kokoromichi.core.providers.local.readable_copy import copied_marks
from kokoromichi.core.providers.local.schema import GUARDS, NO_GUARDS, SET_META, rows_of
from kokoromichi.core.providers.local.seals import Key
from kokoromichi.core.validation import FORGOTTEN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kokoromichi.core.providers.local.background import Background
    from kokoromichi.core.providers.local.store import OpenStore

LIST: Final = "erasures.log"
KEY: Final = "erasures.key"
_MARK: Final = re.compile("[0-9a-f]{32} [0-9A-Za-z_-]{1,64}")
_CUT_OFF: Final = re.compile("[0-9a-f]{0,32}")
_KEY: Final = re.compile("[0-9a-f]{64}")

_FORGET_REQUESTS: Final = """
UPDATE requests SET digest = :digest, answer = NULL
WHERE instr(answer, :quoted) OR request_id IN (SELECT request_id FROM ledger
    WHERE :code IN (player, counterparty, actor) OR instr(reason, :name))
"""
_NAMES: Final = "SELECT user_id FROM users UNION SELECT name FROM players"
_TABLES: Final = (
    "users",
    "counters",
    "requests",
    "sections",
    "ledger",
    "activity",
    "economy_history",
    "daily_totals",
    "active_players",
    "active_days",
    "players",
    "names",
)


class ErasureList:
    """Which players were erased, as keyed hashes in a file that no backup of the database holds.

    A database that lacks a mark of the list is older than that erasure: it is carried out once more. One that
    knows the pseudonym is not, as a copy of a store that keeps no marks shows it.
    """

    def __init__(self, folder: Path) -> None:
        self._list = folder / LIST
        self._key_file = folder / KEY

    def note(self, user_id: str, pseudonym: str) -> str:
        """Write an erasure down durably before it begins; answers its mark. Blocks."""
        self._list.parent.mkdir(parents=True, exist_ok=True)
        mark = f"{_hash(self._key(), user_id)} {pseudonym}"
        _append_durably(self._list, f"\n{mark}\n".encode(), 0o600)  # What was cut off before stays apart.
        return mark

    def missing_in(self, base: apsw.Connection) -> list[str]:
        """The marks that a database does not have, oldest first; blocks.

        Raises:
            StorageError: A line of the list is none.
        """
        known = {mark for (mark,) in base.execute("SELECT mark FROM erasures")}
        return [mark for mark in self._marks() if mark not in known]

    def carry_out(self, base: apsw.Connection) -> list[str]:
        """Erase in an older database who has been erased since; answers the pseudonyms. Blocks.

        Raises:
            StorageError: Nobody knows whom the list names: its key is missing, or a line is none.
        """
        missing = self.missing_in(base)
        if not missing:
            return []
        key, pseudonyms = self._key(), []
        for mark in missing:
            digest, pseudonym = mark.split()
            names = [name for (name,) in rows_of(base, _NAMES)]
            found = [] if pseudonym in names else [name for name in names if _hash(key, name) == digest]
            base.execute("BEGIN IMMEDIATE")
            for user_id in found:
                erase_rows(base, user_id, pseudonym)
                pseudonyms.append(pseudonym)
            base.execute("INSERT OR IGNORE INTO erasures VALUES (?)", (mark,))
            base.execute("COMMIT")
        return pseudonyms

    def pseudonyms_of(self, user_ids: Iterable[str]) -> dict[str, str]:
        """Who of these was erased, and the newest pseudonym of each; blocks.

        Raises:
            StorageError: Nobody knows whom the list names; see ``carry_out``.
        """
        hidden = dict(mark.split() for mark in self._marks())
        if not hidden:
            return {}
        key = self._key()
        found = ((user_id, hidden.get(_hash(key, user_id))) for user_id in user_ids)
        return {user_id: pseudonym for user_id, pseudonym in found if pseudonym is not None}

    def copy_to(self, folder: Path) -> None:
        """Take the list along to another folder that has none; blocks."""
        if self._list.exists() and not (folder / LIST).exists():
            (folder / KEY).unlink(missing_ok=True)  # One without a list has hidden nobody.
            for path in filter(Path.exists, (self._key_file, self._list)):
                _append_durably(folder / path.name, path.read_bytes(), 0o600)

    def _marks(self) -> list[str]:
        """Whole lines; one that was cut off as it was written is of an erasure that never began."""
        if not self._list.exists():
            return []
        lines = self._list.read_text("utf-8", "replace").splitlines()
        marks = [line.strip() for line in lines if not _CUT_OFF.fullmatch(line.strip())]
        for mark in marks:
            if not _MARK.fullmatch(mark):
                message = (
                    f"{self._list} has the line {mark[:64]!r}, which is no erasure: bring back the list as "
                    "it was, or whoever that line named may not stay erased"
                )
                raise StorageError(message)
        return marks

    def _key(self) -> bytes:
        key = self._key_file.read_text("utf-8", "replace").strip() if self._key_file.exists() else ""
        if not _KEY.fullmatch(key):
            if self._marks():
                message = (
                    f"{self._key_file} is missing or damaged, without which nobody knows whom "
                    f"{self._list.name} names: bring it back, or whoever was erased may be back"
                )
                raise StorageError(message)
            key = secrets.token_hex(32)
            self._key_file.unlink(missing_ok=True)
            _append_durably(self._key_file, key.encode(), 0o600)
        return bytes.fromhex(key)


def _append_durably(path: Path, content: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, mode)
    try:
        os.write(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)


def _hash(key: bytes, user_id: str) -> str:
    return hashlib.blake2b(user_id.encode(), digest_size=16, key=key).hexdigest()


def _is_known(base: apsw.Connection, name: str) -> bool:
    """Whether anything stands under a player's name."""
    query = "SELECT 1 FROM users WHERE user_id = ?1 UNION SELECT 1 FROM players WHERE name = ?1"
    return base.execute(query, (name,)).fetchone() is not None


def erase_rows(base: apsw.Connection, user_id: str, pseudonym: str) -> None:
    """Put a pseudonym in the place of a player's id, inside of a transaction; sums stay."""
    run = base.execute
    code = run("SELECT code FROM players WHERE name = ?", (user_id,)).fetchone() or (None,)
    names = {"digest": FORGOTTEN, "quoted": f'"{user_id}"', "code": code[0], "name": user_id}
    run(_FORGET_REQUESTS, names)
    run(NO_GUARDS)
    run("UPDATE ledger SET reason = replace(reason, ?1, ?2) WHERE instr(reason, ?1)", (user_id, pseudonym))
    run(GUARDS)
    run("UPDATE players SET name = ? WHERE name = ?", (pseudonym, user_id))
    stored = run("SELECT document FROM users WHERE user_id = ?", (user_id,)).fetchone()
    if stored is not None:
        profile = decode_profile(stored[0])
        profile.user_id, profile.name, profile.unknown = pseudonym, "", {}
        run("DELETE FROM users WHERE user_id = ?", (user_id,))
        run(PUT_USER, user_row(profile))
    run(SET_META, ("residue", 1))


def empty_tables(base: apsw.Connection) -> None:
    """Delete everything that a store holds, inside of a transaction."""
    base.execute(NO_GUARDS + "".join(f"DELETE FROM {table};" for table in _TABLES) + GUARDS)
    base.execute("DELETE FROM meta WHERE name = 'mirrored_us' OR name LIKE 'copied.%'")
    base.execute(SET_META, ("residue", 1))


async def erase_player(store: OpenStore, background: Background, user_id: str, pseudonym: str) -> None:
    """Erase a player from everything that lies in a folder; nothing happens under a known pseudonym.

    Files go before the commit, so that a kill leaves none that the database does not know of. Once it is in
    the list the erasure is finished, if not now then at the next opening.

    Raises:
        StorageError: The database cannot be written, or a file cannot be removed.
    """
    folder, copy = store.path.parent, store.copy
    async with background.files:
        await background.flush()
        if await store.do(lambda: _is_known(store.writer.base, pseudonym)):
            return
        books = await asyncio.to_thread(copy.naming, user_id)
        anew = {path.stem: 0 for path in books if path.suffix == ".log"}
        await store.write(lambda base: base.executemany(SET_META, copied_marks(anew)))
        mark = await asyncio.to_thread(ErasureList(folder).note, user_id, pseudonym)

        def write(base: apsw.Connection) -> None:
            erase_rows(base, user_id, pseudonym)
            base.execute("INSERT INTO erasures VALUES (?)", (mark,))

        background.due((Key("user", user_id), Key("user", pseudonym)))
        await asyncio.to_thread(copy.forget, user_id, books)
        await store.rewrite(write)
    store.cache.drop((user_id,))


def sweep(base: apsw.Connection) -> None:
    """Leave no byte of what was erased: index pages and the WAL keep an id until then.

    Raises:
        apsw.Error: A reader is in the way, or the disk; what is left is swept at the next opening.
    """
    base.execute("VACUUM")
    base.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    base.execute("DELETE FROM meta WHERE name = 'residue'")
