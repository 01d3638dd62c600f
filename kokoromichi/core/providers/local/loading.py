"""Parts of another store, put into this one as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from kokoromichi.core.clock import DAY_US
from kokoromichi.core.errors import ConflictError, RequestMismatchError
from kokoromichi.core.kinds import SYSTEM
from kokoromichi.core.providers.local.committed import SPENT, packed
from kokoromichi.core.providers.local.groups import (
    NO_CURRENCY,
    PUT_COUNTER,
    PUT_USER,
    user_row,
)
from kokoromichi.core.providers.local.schema import NAME_COLUMNS, PLAYER_COLUMNS
from kokoromichi.core.schemas import LEDGER_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import apsw

    from kokoromichi.core.bulk_load import Batch, StoredResponse, UserSnapshot
    from kokoromichi.core.providers.local.committed import Codes, Committed
    from kokoromichi.core.providers.local.writer import Writer

Row: TypeAlias = "tuple[Any, ...]"
"""A row in the order of ``LEDGER_SCHEMA``, its time in microseconds; its entry id says nothing."""

PUT_SECTION: Final = (
    "INSERT INTO sections VALUES (?, ?) ON CONFLICT DO UPDATE SET document = excluded.document"
)
_INSERT_ROW: Final = f"INSERT OR IGNORE INTO ledger VALUES ({','.join('?' * len(LEDGER_SCHEMA))})"
_PUT_REQUEST: Final = """
INSERT INTO requests VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET at_us = excluded.at_us,
    digest = excluded.digest, answer = excluded.answer
"""
_SPEND: Final = """
INSERT OR IGNORE INTO requests SELECT request_id, at_us, ?, NULL FROM ledger
    WHERE entry > ? AND request_id NOT LIKE '~%'
"""
_COUNT_DAYS: Final = """
INSERT INTO daily_totals SELECT at_us / ?, kind, coalesce(currency, ?), count(*),
    CAST(sum(gained >> 32) * 4294967296 + sum(gained & 4294967295) AS INTEGER),
    CAST(sum(lost >> 32) * 4294967296 + sum(lost & 4294967295) AS INTEGER)
    FROM (SELECT at_us, kind, currency, max(coalesce(amount, 0), 0) AS gained,
        max(-coalesce(amount, 0), 0) AS lost FROM ledger WHERE entry > ?)
    GROUP BY 1, 2, 3
    ON CONFLICT DO UPDATE SET rows = rows + excluded.rows,
    gained = CAST(gained + excluded.gained AS INTEGER), lost = CAST(lost + excluded.lost AS INTEGER)
"""
"""Halves are summed: a bare sum fails at 63 bits, where the CAST stops it."""
_COUNT_ACTIVE: Final = """
INSERT OR IGNORE INTO active_players SELECT DISTINCT at_us / ?, player FROM ledger
    WHERE entry > ? AND player IS NOT (SELECT code FROM players WHERE name = ?)
"""
_FORGET_DAYS: Final = "DELETE FROM daily_totals; DELETE FROM active_players; DELETE FROM active_days"


def load_portion(writer: Writer, batch: Batch, documents: Mapping[str, str], now_us: int) -> None:
    """Store a part of another store in one transaction; the writer's work.

    Raises:
        ConflictError: A player has another version than the one expected.
        RequestMismatchError: A request id is remembered for another act.
    """
    try:
        writer.transaction(lambda base: _write_portion(base, writer.committed, batch, documents, now_us))
    finally:
        writer.committed.reread()  # More than a group has changed it, or codes were given out for nothing.


def _write_portion(
    base: apsw.Connection,
    committed: Committed,
    batch: Batch,
    documents: Mapping[str, str],
    now_us: int,
) -> None:
    for snapshot in batch.users:
        _check_version(committed, snapshot)
    used = committed.requests([asked.request_id for asked in batch.requests])
    fresh = [_request_row(used.get(asked.request_id), asked, now_us) for asked in batch.requests]
    base.executemany(PUT_USER, [user_row(snapshot.profile) for snapshot in batch.users])
    base.executemany(PUT_COUNTER, list(batch.counters.items()))
    base.executemany(_PUT_REQUEST, [row for row in fresh if row is not None])
    base.executemany(PUT_SECTION, list(documents.items()))
    if batch.rows is not None and batch.rows.height:
        frame = batch.rows.select(LEDGER_SCHEMA.names()).with_columns(batch.rows["at"].dt.timestamp("us"))
        insert_rows(base, committed, enumerate(frame.iter_rows(), committed.entry + 1))
        count_rows(base, committed.entry)


def _check_version(committed: Committed, snapshot: UserSnapshot) -> None:
    user_id = snapshot.profile.user_id
    stored = committed.profile(user_id)
    if (stored.version if stored else 0) != snapshot.expected_version:
        message = f"player {user_id} is not of version {snapshot.expected_version}"
        raise ConflictError(message)


def _request_row(known: tuple[Any, ...] | None, asked: StoredResponse, now_us: int) -> tuple[Any, ...] | None:
    """The row to be written, or None where it is remembered already."""
    digest = packed(asked.digest)
    if known is not None and known[0] not in (digest, SPENT):
        raise RequestMismatchError(asked.request_id)
    if known is not None and known[0] == digest:
        return None
    at_us = asked.at_us if asked.at_us >= 0 else now_us
    return asked.request_id, at_us, digest, bytes(asked.answer).decode()


def insert_rows(base: apsw.Connection, committed: Committed, rows: Iterable[tuple[int, Row]]) -> None:
    """Append ledger rows, each under its number; one whose number is taken is left out."""
    tables = dict.fromkeys(PLAYER_COLUMNS, committed.players) | dict.fromkeys(NAME_COLUMNS, committed.names)
    codes = [tables.get(name) for name in LEDGER_SCHEMA.names()[1:]]
    found = [(entry, *map(_coded, codes, row[1:])) for entry, row in rows]
    committed.write_codes(base)  # Once every one is given out.
    base.executemany(_INSERT_ROW, found)


def count_rows(base: apsw.Connection, after: int) -> None:
    """Let the rows behind an entry count in the days, and spend their request ids."""
    base.execute(_SPEND, (SPENT, after))
    _count_days(base, after)


def recount_days(base: apsw.Connection) -> None:
    """Add up the days anew, inside of a transaction: they are derived of the ledger."""
    base.execute(_FORGET_DAYS)
    _count_days(base, 0)


def _count_days(base: apsw.Connection, after: int) -> None:
    base.execute(_COUNT_DAYS, (DAY_US, NO_CURRENCY, after))
    base.execute(_COUNT_ACTIVE, (DAY_US, after, SYSTEM))


def _coded(codes: Codes | None, value: Any) -> Any:
    """A value as its column has it: the code of a name where the column has codes."""
    return value if codes is None or value is None else codes[value]
