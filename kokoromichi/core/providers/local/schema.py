"""The database file: its tables, its versions, and the connections to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import apsw

from kokoromichi.core.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

GUARDS: Final = """
CREATE TRIGGER ledger_rows_are_not_changed BEFORE UPDATE ON ledger
    BEGIN SELECT RAISE(ABORT, 'ledger rows are never changed'); END;
CREATE TRIGGER ledger_rows_are_not_deleted BEFORE DELETE ON ledger
    BEGIN SELECT RAISE(ABORT, 'ledger rows are never deleted'); END;
"""
NO_GUARDS: Final = """
DROP TRIGGER ledger_rows_are_not_changed;
DROP TRIGGER ledger_rows_are_not_deleted;
"""

_FIRST: Final = f"""
CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
CREATE TABLE users (user_id TEXT PRIMARY KEY, version INTEGER NOT NULL, gold INTEGER NOT NULL,
    gems INTEGER NOT NULL, document TEXT NOT NULL) STRICT;
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL CHECK (value >= 0))
    STRICT, WITHOUT ROWID;
CREATE TABLE requests (request_id TEXT PRIMARY KEY, at_us INTEGER NOT NULL, digest ANY NOT NULL, answer TEXT)
    STRICT;
CREATE TABLE sections (name TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT;
CREATE TABLE players (code INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE names (code INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE ledger (entry INTEGER PRIMARY KEY, tx ANY NOT NULL, at_us INTEGER NOT NULL,
    book INTEGER NOT NULL, kind INTEGER NOT NULL, player INTEGER NOT NULL, currency INTEGER, amount INTEGER,
    balance_after INTEGER, item INTEGER, quantity INTEGER, counterparty INTEGER, actor INTEGER NOT NULL,
    request_id TEXT, reason TEXT) STRICT;
CREATE TABLE activity (number INTEGER PRIMARY KEY, player INTEGER, document TEXT NOT NULL) STRICT;
CREATE TABLE economy_history (number INTEGER PRIMARY KEY, document TEXT NOT NULL) STRICT;
CREATE TABLE daily_totals (day INTEGER, kind INTEGER, currency INTEGER, rows INTEGER NOT NULL,
    gained INTEGER NOT NULL, lost INTEGER NOT NULL, PRIMARY KEY (day, kind, currency)) STRICT, WITHOUT ROWID;
CREATE TABLE active_players (day INTEGER, player INTEGER, PRIMARY KEY (day, player)) STRICT, WITHOUT ROWID;
CREATE TABLE active_days (day INTEGER PRIMARY KEY, players INTEGER NOT NULL) STRICT;
CREATE TABLE erasures (mark TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_by_player ON ledger (player);
CREATE INDEX ledger_by_book ON ledger (book);
CREATE INDEX users_by_gold ON users (gold DESC, user_id);
CREATE TRIGGER active_players_are_counted AFTER INSERT ON active_players BEGIN
    INSERT INTO active_days VALUES (NEW.day, 1) ON CONFLICT DO UPDATE SET players = players + 1; END;
CREATE VIEW ledger_rows AS SELECT entry, tx, at_us,
    (SELECT name FROM names WHERE code = book) AS book,
    (SELECT name FROM names WHERE code = kind) AS kind,
    (SELECT name FROM players WHERE code = player) AS user_id,
    (SELECT name FROM names WHERE code = currency) AS currency, amount, balance_after,
    (SELECT name FROM names WHERE code = item) AS item_id, quantity,
    (SELECT name FROM players WHERE code = counterparty) AS counterparty,
    (SELECT name FROM players WHERE code = actor) AS actor, request_id, reason FROM ledger;
{GUARDS}
"""
"""Players, kinds, books, currencies and items stand in the ledger as numbers: it is smaller by half, and an
erasure is one row of ``players``. ``tx`` is the entry of the act's first row, or the text that another store
called it by; a null ``request_id`` is an act to which nobody gave one. ``ledger_rows`` is for people."""

STEPS: Final[tuple[str, ...]] = (_FIRST,)
"""``user_version`` is how many of these a database has gone through: a new version appends one."""

PLAYER_COLUMNS: Final = ("user_id", "counterparty", "actor")
NAME_COLUMNS: Final = ("book", "kind", "currency", "item_id")
"""The columns of ``LEDGER_SCHEMA`` that the ledger holds as codes of the tables ``players`` and ``names``."""

_PRAGMAS: Final = (
    "page_size=2048",
    "journal_mode=WAL",
    "synchronous=FULL",
    "secure_delete=ON",
    "recursive_triggers=ON",  # Else INSERT OR REPLACE deletes behind the ledger's guard.
    "cache_size=-32768",
    "temp_store=MEMORY",
    "wal_autocheckpoint=16384",
    "journal_size_limit=67108864",
)
_BUSY_MS: Final = 2_000


def writable(path: Path) -> apsw.Connection:
    """The owner's connection, which alone writes and checkpoints; a file that is not there is made."""
    base = apsw.Connection(str(path), statementcachesize=64)
    base.set_busy_timeout(_BUSY_MS)
    base.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)  # A store that is refused or failed keeps its WAL.
    for pragma in _PRAGMAS:
        base.execute(f"PRAGMA {pragma}").fetchall()
    return base


def readable(path: Path) -> apsw.Connection:
    """A connection that reads beside the writer."""
    return _opened(path, "mode=ro")


def at_rest(path: Path) -> apsw.Connection:
    """A connection that reads the file alone, leaves nothing beside it, and sees no WAL."""
    return _opened(path, "immutable=1")


def _opened(path: Path, how: str) -> apsw.Connection:
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    base = apsw.Connection(f"{path.absolute().as_uri()}?{how}", flags=flags)
    base.set_busy_timeout(_BUSY_MS)
    return base


def rows_of(base: apsw.Connection, query: str, arguments: Sequence[Any] = ()) -> list[Any]:
    """Every row that a query answers."""
    return base.execute(query, arguments).fetchall()


def scalar(base: apsw.Connection, query: str) -> Any:
    """The one value that a query answers."""
    return rows_of(base, query)[0][0]


def version_of(base: apsw.Connection) -> int:
    """The version of a database's tables; 0 where there are none."""
    version: int = base.pragma("user_version")
    return version


def refuse_newer(base: apsw.Connection, path: Path) -> None:
    """Refuse a database that a newer program has written.

    Raises:
        StorageError: It is one.
    """
    version = version_of(base)
    if version > len(STEPS):
        message = (
            f"{path} is of version {version}, and this program knows {len(STEPS)}: install the program that "
            "wrote it, or a newer one"
        )
        raise StorageError(message)


def is_outdated(base: apsw.Connection) -> bool:
    """Whether a database has tables of a former version."""
    return 0 < version_of(base) < len(STEPS)


def upgrade(base: apsw.Connection) -> None:
    """Make the tables, or bring them up to date, in one transaction."""
    version = version_of(base)
    if version < len(STEPS):
        base.execute(f"BEGIN IMMEDIATE; {''.join(STEPS[version:])} PRAGMA user_version={len(STEPS)}; COMMIT")


def meta_of(base: apsw.Connection) -> dict[str, int | str]:
    """What the store knows of itself; nothing of a file without tables."""
    if not version_of(base):
        return {}
    return dict(rows_of(base, "SELECT name, value FROM meta"))


SET_META: Final = "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
