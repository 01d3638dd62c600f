"""What follows the commits: observations, the readable copy, and forgetting what is kept for a time only."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from kokoromichi.core.errors import StorageError
from kokoromichi.core.models import ACTIVITY_ROWS_KEPT, ANSWERS_KEPT_DAYS, DAY_US
from kokoromichi.core.providers.local.readable_copy import copied_marks
from kokoromichi.core.providers.local.schema import SET_META, meta_of, rows_of, scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import apsw

    from kokoromichi.core.clock import Clock
    from kokoromichi.core.data_provider import Stream
    from kokoromichi.core.providers.local.committed import Codes
    from kokoromichi.core.providers.local.seals import Key
    from kokoromichi.core.providers.local.store import OpenStore

_LOG: Final = logging.getLogger(__name__)
_SHORTEST_S: Final = 0.01
_PRUNE_S: Final = 3_600.0


class Background:
    """A task that brings everything behind the database up to date, again and again; no commit waits for it.

    Attributes:
        files: Held by whoever writes or removes files of the copy.
    """

    def __init__(self, store: OpenStore, clock: Clock, debounce_s: float, *, copies: bool) -> None:
        self.files = asyncio.Lock()
        self._store = store
        self._clock = clock
        self._debounce_s = max(_SHORTEST_S, debounce_s)
        self._observed: list[tuple[Stream, Mapping[str, object]]] = []
        self._copies = copies
        self._behind = True
        self._prune_at_s = 0.0
        self._running = asyncio.create_task(self._run())

    @property
    def behind(self) -> bool:
        """Whether the files are not as the database is."""
        return self._behind

    def due(self, keys: Iterable[Key] = ()) -> None:
        """These files, and the books, are to be written."""
        self._store.copy.due.update(keys)
        self._behind = True

    def observe(self, stream: Stream, rows: Iterable[Mapping[str, object]]) -> None:
        """Keep rows of a stream, to be stored a little later."""
        self._observed.extend((stream, row) for row in rows)

    async def end(self) -> None:
        """End the task, and bring everything up to date for the last time."""
        async with self.files:  # A thread that writes them goes on whoever is cancelled: it is waited for.
            self._running.cancel()
        with suppress(asyncio.CancelledError):
            await self._running
        try:
            await self.catch_up()
        except (StorageError, OSError) as error:
            _LOG.error(
                "the readable copy in %s is behind: %s. Nothing is lost", self._store.path.parent, error
            )

    async def _run(self) -> None:
        said = ""
        while True:
            await asyncio.sleep(self._debounce_s)
            self._store.cache.sweep()
            try:
                await self.catch_up()
                said = ""
            except (StorageError, OSError) as error:
                if str(error) != said:
                    said = str(error)
                    where = self._store.path.parent
                    _LOG.error("the readable copy in %s is behind: %s. Nothing is lost", where, error)

    async def catch_up(self) -> None:
        """Store what was observed, let go of what is old, and bring the files up to date.

        Raises:
            StorageError: The database cannot be written.
            OSError: A file cannot be written.
        """
        store = self._store
        if store.writer.failed is None:
            await self.flush()
            await self._prune()
        if not (self._behind and self._copies):
            return
        async with self.files:
            self._behind = False
            due, store.copy.due = store.copy.due, set()
            before = dict(store.copy.marks)
            try:
                await asyncio.to_thread(store.copy.write, due)
            except BaseException:
                self._behind = True
                raise
        if store.copy.marks != before and store.writer.failed is None:
            marks = copied_marks(store.copy.marks)
            await store.write(lambda base: base.executemany(SET_META, marks))
        store.watch_wal()

    async def flush(self) -> None:
        """Store what was observed."""
        if self._observed:
            observed, self._observed = self._observed, []
            players = self._store.writer.committed.players
            await self._store.write(partial(_insert_observed, observed, players))

    async def _prune(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s < self._prune_at_s:
            return
        self._prune_at_s = now_s + _PRUNE_S
        while await self._store.write(lambda base: forget_answers(base, self._clock.now_us())):
            pass
        await self._store.write(forget_activity)


def _insert_observed(
    observed: Sequence[tuple[Stream, Mapping[str, object]]], players: Codes, base: apsw.Connection
) -> None:
    """Store rows of both streams; a player stands beside the document, so that an erasure finds them."""
    activity, history = [], []
    for stream, row in observed:
        if stream == "economy_history":
            history.append((msgspec.json.encode(row).decode(),))
            continue
        rest = {name: value for name, value in row.items() if name != "user_id"}
        code = players[str(row["user_id"])] if row.get("user_id") is not None else None
        activity.append((code, msgspec.json.encode(rest).decode()))
    base.executemany("INSERT INTO activity (player, document) VALUES (?, ?)", activity)
    base.executemany("INSERT INTO economy_history (document) VALUES (?)", history)


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
