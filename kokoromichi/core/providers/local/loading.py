"""Parts of another store, put into this one as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kokoromichi.core.clock import DAY_US
from kokoromichi.core.errors import ConflictError, RequestMismatchError
from kokoromichi.core.kinds import SYSTEM
from kokoromichi.core.providers.local.committed import SPENT, packed
from kokoromichi.core.providers.local.groups import (
    INSERT_ROW,
    NO_CURRENCY,
    PUT_COUNTER,
    PUT_USER,
    user_row,
)
from kokoromichi.core.schemas import LEDGER_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import apsw
    import polars as pl

    from kokoromichi.core.bulk_load import Batch, StoredResponse, UserSnapshot
    from kokoromichi.core.providers.local.committed import Codes, Committed

PUT_SECTION: Final = (
    "INSERT INTO sections VALUES (?, ?) ON CONFLICT DO UPDATE SET document = excluded.document"
)
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
    CAST(total(max(amount, 0)) AS INTEGER), CAST(total(max(-amount, 0)) AS INTEGER)
    FROM ledger WHERE entry > ? GROUP BY 1, 2, 3
    ON CONFLICT DO UPDATE SET rows = rows + excluded.rows,
    gained = CAST(gained + excluded.gained AS INTEGER), lost = CAST(lost + excluded.lost AS INTEGER)
"""
_COUNT_ACTIVE: Final = """
INSERT OR IGNORE INTO active_players SELECT DISTINCT at_us / ?, player FROM ledger
    WHERE entry > ? AND player <> ?
"""


def load_portion(
    base: apsw.Connection,
    committed: Committed,
    batch: Batch,
    documents: Mapping[str, str],
    now_us: int,
) -> None:
    """Write a part of another store, inside of a transaction; ``committed`` is to be read anew after it.

    Raises:
        ConflictError: A player has another version than the one expected.
        RequestMismatchError: A request id is remembered for another act.
    """
    for snapshot in batch.users:
        _check_version(committed, snapshot)
    fresh = [_request_row(committed, asked, now_us) for asked in batch.requests]
    base.executemany(PUT_USER, [user_row(snapshot.profile) for snapshot in batch.users])
    base.executemany(PUT_COUNTER, list(batch.counters.items()))
    base.executemany(_PUT_REQUEST, [row for row in fresh if row is not None])
    base.executemany(PUT_SECTION, list(documents.items()))
    if batch.rows is not None and batch.rows.height:
        load_rows(base, committed, batch.rows, range(committed.entry + 1, 2**63))


def _check_version(committed: Committed, snapshot: UserSnapshot) -> None:
    user_id = snapshot.profile.user_id
    stored = committed.profile(user_id)
    if (stored.version if stored else 0) != snapshot.expected_version:
        message = f"player {user_id} is not of version {snapshot.expected_version}"
        raise ConflictError(message)


def _request_row(committed: Committed, asked: StoredResponse, now_us: int) -> tuple[Any, ...] | None:
    """The row to be written, or None where it is remembered already."""
    digest, known = packed(asked.digest), committed.request(asked.request_id)
    if known is not None and known[0] not in (digest, SPENT):
        raise RequestMismatchError(asked.request_id)
    if known is not None and known[0] == digest:
        return None
    at_us = asked.at_us if asked.at_us >= 0 else now_us
    return asked.request_id, at_us, digest, bytes(asked.answer).decode()


def load_rows(
    base: apsw.Connection, committed: Committed, rows: pl.DataFrame, entries: Sequence[int]
) -> None:
    """Append ledger rows under given numbers: they count in the days, and their request ids are spent."""
    frame = rows.select(LEDGER_SCHEMA.names()).with_columns(rows["at"].dt.timestamp("us"))
    coded = (_coded(committed, entry, row) for entry, row in zip(entries, frame.iter_rows(), strict=False))
    found = list(coded)  # Every code is given out before the names are written.
    committed.players.write(base)
    committed.names.write(base)
    base.executemany(INSERT_ROW, found)
    before = committed.entry
    base.execute(_SPEND, (SPENT, before))
    base.execute(_COUNT_DAYS, (DAY_US, NO_CURRENCY, before))
    base.execute(_COUNT_ACTIVE, (DAY_US, before, committed.players.of(SYSTEM)))


def _coded(committed: Committed, entry: int, row: Sequence[Any]) -> tuple[Any, ...]:
    _, tx_id, at_us, book, kind, user_id, currency, amount, after, item, quantity, other, actor, *rest = row
    players, names = committed.players, committed.names
    return (
        entry,
        tx_id,
        at_us,
        names.of(book),
        names.of(kind),
        players.of(user_id),
        _maybe(names, currency),
        amount,
        after,
        _maybe(names, item),
        quantity,
        _maybe(players, other),
        players.of(actor),
        *rest,
    )


def _maybe(codes: Codes, name: str | None) -> int | None:
    return None if name is None else codes.of(name)
