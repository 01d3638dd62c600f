"""What does not grow for ever: answers after their time, and the activity of long ago."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kokoromichi.core.models import ACTIVITY_ROWS_KEPT, ANSWERS_KEPT_DAYS, DAY_US
from kokoromichi.core.providers.local.schema import SET_META, meta_of, rows_of, scalar

if TYPE_CHECKING:
    import apsw

_BATCH: Final = 5_000
_MARK: Final = "answers_kept_from"


def forget_answers(base: apsw.Connection, now_us: int) -> bool:
    """Null a batch of answers older than their time, inside of a transaction; their ids stay used.

    Returns:
        Whether there may be more.
    """
    mark = int(meta_of(base).get(_MARK, 0))
    query = "SELECT rowid, at_us FROM requests WHERE rowid > ? ORDER BY rowid LIMIT ?"
    last, oldest_us = mark, now_us - ANSWERS_KEPT_DAYS * DAY_US
    for row, at_us in rows_of(base, query, (mark, _BATCH)):
        if at_us >= oldest_us:
            break
        last = row
    if last == mark:
        return False
    base.execute("UPDATE requests SET answer = NULL WHERE rowid > ? AND rowid <= ?", (mark, last))
    base.execute(SET_META, (_MARK, last))
    return bool(last - mark >= _BATCH)


def forget_activity(base: apsw.Connection, keep: int = ACTIVITY_ROWS_KEPT) -> None:
    """Delete all but the newest rows of activity, inside of a transaction."""
    newest = scalar(base, "SELECT coalesce(max(number), 0) FROM activity")
    base.execute("DELETE FROM activity WHERE number <= ?", (newest - keep,))
