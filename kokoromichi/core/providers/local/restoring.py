"""A database made anew from the readable copy: what it cannot bring back is said."""

from __future__ import annotations

import math
from collections import defaultdict
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import apsw
import msgspec
from pydantic import ValidationError

from kokoromichi.core.clock import moment_of, us_of
from kokoromichi.core.documents import checked_document
from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.core.kinds import CURRENCIES, KINDS, SYSTEM
from kokoromichi.core.models import UserProfile
from kokoromichi.core.providers.local.backups import stamp_of
from kokoromichi.core.providers.local.committed import Committed
from kokoromichi.core.providers.local.erasing import ErasureList
from kokoromichi.core.providers.local.errors import storage_error
from kokoromichi.core.providers.local.groups import PUT_COUNTER, PUT_USER, user_row
from kokoromichi.core.providers.local.loading import PUT_SECTION, Row, count_rows, insert_rows
from kokoromichi.core.providers.local.opening import (
    close_database,
    database_of,
    is_there,
    refuse_loss,
    refuse_others_wal,
    wal_of,
)
from kokoromichi.core.providers.local.ownership import FolderLock
from kokoromichi.core.providers.local.readable_copy import COUNTERS, CopyFolder
from kokoromichi.core.providers.local.schema import rows_of, scalar, upgrade, writable
from kokoromichi.core.providers.local.seals import Key, read_sealed
from kokoromichi.core.reference.files import has_our_copy
from kokoromichi.core.validation import checked_section

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from kokoromichi.core.clock import Clock

_BATCH: Final = 10_000
_REASON: Final = "restored from the readable copy"
_MONEY: Final = """
SELECT (SELECT name FROM players WHERE code = player), (SELECT name FROM names WHERE code = currency),
    sum(amount), balance_after, max(entry) FROM ledger WHERE currency NOT NULL GROUP BY player, currency
"""
_HELD: Final = """
SELECT 1 FROM ledger WHERE player = (SELECT code FROM players WHERE name = ?)
    AND currency = (SELECT code FROM names WHERE name = ?) AND balance_after = ? LIMIT 1
"""
"""Whether a balance is one that a row has led to."""
_ITEMS: Final = """
SELECT (SELECT name FROM players WHERE code = player), (SELECT name FROM names WHERE code = item),
    sum(quantity) FROM ledger WHERE item NOT NULL GROUP BY player, item
"""


class Line(msgspec.Struct):
    """A line of a book's file."""

    entry_id: str
    tx_id: str
    at: datetime
    book: str
    kind: str
    user_id: str
    currency: str | None
    amount: int | None
    balance_after: int | None
    item_id: str | None
    quantity: int | None
    counterparty: str | None
    actor: str
    request_id: str
    reason: str | None

    def row(self) -> Row:
        """As ``insert_rows`` takes it."""
        values = msgspec.structs.astuple(self)
        return (*values[:2], us_of(self.at), *values[3:])


@dataclass(slots=True)
class Restored:
    """What came back and what did not.

    Attributes:
        until: The moment of the newest row; what was played after it is lost.
        rows_missing: Rows that stood in no file, or could not be read; those behind the newest nobody counts.
        edited: Files that were edited externally; a player's then stands in with their newest backup.
        rebuilt: Players without a file, made of their rows.
        corrected: Rows of ``system`` that make up for rows that are missing.
        lost: Parts that were not there.
    """

    players: int = 0
    rows: int = 0
    sections: int = 0
    counters: int = 0
    until: datetime | None = None
    rows_missing: int = 0
    edited: list[str] = field(default_factory=list)
    rebuilt: list[str] = field(default_factory=list)
    corrected: int = 0
    lost: list[str] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """For a program."""
        return {**asdict(self), "until": None if self.until is None else self.until.isoformat()}

    def sentences(self) -> list[str]:
        """For a person: what came back, and everything that did not."""
        until = "no row" if self.until is None else f"the row of {self.until:%Y-%m-%d %H:%M:%S} UTC"
        parts = f"{self.players:,} players, {self.rows:,} rows, {self.counters:,} counters"
        said = [
            f"Restored: {parts} and {self.sections:,} sections, up to {until}.",
            "What was played after it is lost. Every request id of the ledger is spent; its answer is gone.",
        ]
        said += [f"{name} was edited externally." for name in self.edited]
        said += [f"Player {name} had no file: money and items come from the ledger." for name in self.rebuilt]
        said += [f"Missing: {name}." for name in self.lost]
        if self.rows_missing or self.corrected:
            lacking = f"{self.rows_missing:,} rows" if self.rows_missing else "Rows"
            said.append(
                f"{lacking} are in no file: {self.corrected:,} corrections by the system make up for them. "
                "See `kokoromichi audit`."
            )
        return said


def restore(source: Path, target: Path, clock: Clock) -> Restored:
    """Make a folder's database anew from a readable copy; blocks.

    Every request id of the ledger is spent then: who sends one again is refused, and nothing is done twice.

    Args:
        source: The folder with the copy; it is only read, unless it is the target.
        target: The folder to fill: the same, whose damaged database is set aside, or one without a database.
        clock: What stamps what is set aside, and corrections.

    Raises:
        MisuseError: There is no copy, or the target has a database that is sound.
        StorageError: The target is in use, or the disk says no.
    """
    if not has_our_copy(source):
        message = (
            f"{source} holds no readable copy of a store: name the folder with users/ and ledgers/ in it"
        )
        raise MisuseError(message)
    path = database_of(target)
    try:
        target.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(target)
        try:
            _set_aside(path, clock)
            return _Restoring(CopyFolder(source, clock), path, clock).carry_out()
        finally:
            lock.release()
    except (OSError, apsw.Error) as failure:
        raise storage_error(path, failure) from failure


def _set_aside(path: Path, clock: Clock) -> None:
    if is_there(path):
        with suppress(StorageError, apsw.Error):
            refuse_others_wal(path)
            refuse_loss(path, 0, math.inf)
            message = f"{path} is a sound database, and is not replaced: name another --target-dir"
            raise MisuseError(message)
    stamp = stamp_of(clock.now_us())
    for one in (path, wal_of(path), path.with_name(f"{path.name}-shm")):
        if one.exists():
            one.replace(one.with_name(f"{one.name}.{stamp}.damaged"))


def _is_explained(base: apsw.Connection, profile: UserProfile, moved: Collection[str]) -> bool:
    """Whether rows have led to what a player's file says: else some are gone behind the newest one.

    Args:
        base: With every row that was found.
        profile: What the file says.
        moved: The currencies of which the player has rows; of others they have nothing without one.
    """
    held = {currency: getattr(profile, currency) for currency in CURRENCIES}
    return all(
        base.execute(_HELD, (profile.user_id, currency, balance)).fetchone()
        for currency, balance in held.items()
        if balance or currency in moved
    )


class _Restoring:
    def __init__(self, copy: CopyFolder, path: Path, clock: Clock) -> None:
        self._copy = copy
        self._path = path
        self._clock = clock
        self._done = Restored()

    def carry_out(self) -> Restored:
        unfinished = self._path.with_name(f".{self._path.name}.restoring")
        for one in (unfinished, wal_of(unfinished)):
            one.unlink(missing_ok=True)
        base = writable(unfinished)
        with closing(base):
            upgrade(base)
            base.execute("BEGIN IMMEDIATE")
            self._fill(base, Committed(base, 0))
            base.execute("COMMIT")
            base.execute("INSERT INTO meta VALUES ('store', hex(randomblob(4)))")
            close_database(base, cleanly=True)
        ErasureList(self._copy.folder).copy_to(self._path.parent)
        unfinished.replace(self._path)
        return self._done

    def _fill(self, base: apsw.Connection, committed: Committed) -> None:
        done, lines = self._done, self._lines()
        while batch := list(islice(lines, _BATCH)):
            insert_rows(base, committed, ((int(line.entry_id), line.row()) for line in batch))
            committed.keep_codes()
        done.rows = scalar(base, "SELECT count(*) FROM ledger")
        newest, at_us = rows_of(base, "SELECT coalesce(max(entry), 0), max(at_us) FROM ledger")[0]
        done.until = None if at_us is None else moment_of(at_us)
        done.rows_missing = newest - done.rows
        self._place_players(base, committed, newest)
        count_rows(base, 0)
        self._place_counters(base)
        self._place_sections(base)
        base.executemany(
            "INSERT OR IGNORE INTO erasures VALUES (?)",
            [(mark,) for mark in ErasureList(self._copy.folder).missing_in(base)],
        )

    def _lines(self) -> Iterator[Line]:
        decode = msgspec.json.Decoder(Line).decode
        for path in sorted((self._copy.folder / "ledgers").glob("*.log*")):
            with suppress(IsADirectoryError), path.open("rb") as file:
                for line in file:
                    with suppress(msgspec.DecodeError, UnicodeDecodeError):  # It counts as missing.
                        yield decode(line)

    def _place_players(self, base: apsw.Connection, committed: Committed, newest: int) -> None:
        booked: defaultdict[str, UserProfile] = defaultdict(lambda: UserProfile(user_id=SYSTEM))
        last: dict[tuple[str, str], int] = {}
        for user_id, currency, amount, after, _ in rows_of(base, _MONEY):
            setattr(booked[user_id], currency, amount)
            last[user_id, currency] = after
        for user_id, item_id, units in rows_of(base, _ITEMS):
            booked[user_id].inventory[item_id] = units
        booked.pop(SYSTEM, None)
        rows: list[Row] = []
        files = {key.name for key in self._copy.present() if key.kind == "user"}
        for user_id in sorted(booked.keys() | files):
            profile = self._profile(user_id)
            if profile is None and user_id not in booked:
                continue  # Somebody else's file, as is told.
            own = booked[user_id]
            # The books are written first, so that they know what a file does not know yet.
            moved = [currency for currency in CURRENCIES if (user_id, currency) in last]
            is_behind = profile is None or _is_explained(base, profile, moved)
            if profile is None:
                self._done.rebuilt.append(user_id)
                profile = UserProfile(user_id=user_id, version=1, inventory=dict(own.inventory))
            if is_behind:
                for currency in CURRENCIES:
                    setattr(profile, currency, last.get((user_id, currency), 0))
                if not self._done.rows_missing:
                    profile.inventory = own.inventory
            profile.inventory = {item: units for item, units in profile.inventory.items() if units}
            rows += self._corrections(profile, own)
            base.execute(PUT_USER, user_row(profile))
            self._done.players += 1
        insert_rows(base, committed, enumerate(rows, newest + 1))
        self._done.corrected = len(rows)

    def _profile(self, user_id: str) -> UserProfile | None:
        """What a player's file says, or their newest sound backup; None without either."""
        key = Key("user", user_id)
        path = self._copy.path(key)
        for candidate in (path, *self._copy.backups(key).all_of(user_id)):
            found = read_sealed(candidate)
            if found is not None and found.is_sound and found.is_of(key):
                with suppress(ValidationError):
                    return UserProfile.of_document(found.document)
            if candidate == path and path.exists():
                self._done.edited.append(self._copy.name(key))
        return None

    def _corrections(self, profile: UserProfile, booked: UserProfile) -> list[Row]:
        """Rows that make up for those that are missing, so that the sums are what the player holds."""
        at_us, kind = self._clock.now_us(), "correction"
        rows: list[Row] = []
        head = ("", f"restored-{profile.user_id}", at_us, KINDS[kind].book, kind, profile.user_id)
        tail = (None, SYSTEM, f"~restored-{profile.user_id}", _REASON)
        for currency in CURRENCIES:
            amount = getattr(profile, currency) - getattr(booked, currency)
            if amount:
                rows.append((*head, currency, amount, getattr(profile, currency), None, None, *tail))
        for item_id in sorted(profile.inventory.keys() | booked.inventory.keys()):
            units = profile.inventory.get(item_id, 0) - booked.inventory.get(item_id, 0)
            if units:
                rows.append((*head, None, None, None, item_id, units, *tail))
        return rows

    def _place_counters(self, base: apsw.Connection) -> None:
        found = read_sealed(self._copy.path(COUNTERS))
        if found is None:
            self._done.lost.append("counters.json (what is left of limited items)")
            return
        if not found.is_sound:
            self._done.edited.append(self._copy.name(COUNTERS))
        whole = [(name, value) for name, value in found.document.items() if type(value) is int]
        base.executemany(PUT_COUNTER, whole)
        self._done.counters = len(whole)

    def _place_sections(self, base: apsw.Connection) -> None:
        for key in self._copy.present():
            found = read_sealed(self._copy.path(key)) if key.kind == "section" else None
            if found is None:
                continue
            if not found.is_sound:
                self._done.edited.append(self._copy.name(key))
            try:
                checked_document(found.document, f"section {checked_section(key.name)}")
            except MisuseError as unfit:
                self._done.lost.append(f"{self._copy.name(key)} ({unfit})")
                continue
            base.execute(PUT_SECTION, (key.name, msgspec.json.encode(found.document).decode()))
            self._done.sections += 1
