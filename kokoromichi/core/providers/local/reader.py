"""What is read of a local store: as it stands, or all of one moment."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import apsw
import msgspec

from kokoromichi.core.providers.local.connections import ReadConnections, is_by_one_index
from kokoromichi.core.providers.local.documents import decode_profile
from kokoromichi.core.providers.local.errors import storage_error
from kokoromichi.core.reader import Reader
from kokoromichi.core.validation import checked_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Generator, Sequence
    from pathlib import Path

    import polars as pl

    from kokoromichi.core.bulk_load import StoredResponse
    from kokoromichi.core.data_provider import Stream
    from kokoromichi.core.documents import Document
    from kokoromichi.core.models import DailyTotal, LedgerEntry, UserProfile
    from kokoromichi.core.reader import Wanted

T = TypeVar("T")

_MOST_ROWS_AT_ONCE: Final = 50
"""A page up to this size takes less time than its way to a thread and back, where an index finds it."""


class LocalReader(Reader):
    """Reads players, counters and the ledger.

    Args:
        ready: Answers the connections to read by.
    """

    name: ClassVar[str] = "local"

    def __init__(self, ready: Callable[[], Awaitable[ReadConnections]]) -> None:
        self._ready = ready

    async def profile(self, user_id: str) -> UserProfile | None:
        """The committed state of a player, or None."""
        rows = (await self._ready()).now("SELECT document FROM users WHERE user_id = ?", (user_id,))
        return decode_profile(rows[0][0]) if rows else None

    async def _rows(self, query: str, arguments: Sequence[Any] = ()) -> list[Any]:
        reading = await self._ready()
        return await asyncio.to_thread(reading.rows, query, arguments)

    async def user_ids(self) -> list[str]:
        """Every player's id, ascending."""
        return [user_id for (user_id,) in await self._rows("SELECT user_id FROM users ORDER BY user_id")]

    async def versions(self) -> dict[str, int]:
        """Every player's version by id, ascending."""
        return dict(await self._rows("SELECT user_id, version FROM users ORDER BY user_id"))

    async def balances(self) -> list[tuple[str, int]]:
        """Every player's id and gold, the richest first."""
        return await self._rows("SELECT user_id, gold FROM users ORDER BY gold DESC, user_id")

    async def counters(self) -> dict[str, int]:
        """Every counter by name, ascending."""
        return dict(await self._rows("SELECT name, value FROM counters ORDER BY name"))

    async def _page(self, wanted: Wanted, rows: int) -> list[LedgerEntry]:
        reading = await self._ready()
        if is_by_one_index(wanted) and rows <= _MOST_ROWS_AT_ONCE:
            return reading.page(wanted, rows, reading.now)
        return await asyncio.to_thread(reading.page, wanted, rows, reading.rows)

    async def ledger_frames(self, user_ids: Collection[str] | None = None) -> AsyncIterator[pl.DataFrame]:
        """Rows, oldest first, in frames of 16,384 rows of one snapshot."""
        async for frame in _stepped((await self._ready()).frames(user_ids)):
            yield frame

    async def observation_frames(self, stream: Stream) -> AsyncIterator[pl.DataFrame]:
        """What was observed, oldest first, in frames of 16,384 rows of one snapshot."""
        async for frame in _stepped((await self._ready()).observations(stream)):
            yield frame

    async def ledger_rows(self) -> int:
        """How many rows the ledger has."""
        rows: int = (await self._ready()).now("SELECT coalesce(sum(rows), 0) FROM daily_totals")[0][0]
        return rows

    async def daily_totals(self, since_day: int = 0) -> list[DailyTotal]:
        """What each kind has moved on each day; see ``DataProvider.daily_totals``."""
        return (await self._ready()).daily_totals(since_day)

    async def active_players(self, since_day: int = 0) -> dict[int, int]:
        """How many players have moved something on each day."""
        query = "SELECT day, players FROM active_days WHERE day >= ? ORDER BY day"
        return dict((await self._ready()).now(query, (since_day,)))

    async def sections(self) -> list[str]:
        """Every stored section's name, ascending."""
        return [name for (name,) in await self._rows("SELECT name FROM sections ORDER BY name")]

    async def stored_responses(self) -> AsyncIterator[StoredResponse]:
        """Every request id of a caller whose receipt is kept."""
        async for batch in _stepped((await self._ready()).answered()):
            for asked in batch:
                yield asked

    async def get_game_data(self, section: str) -> Document | None:
        """A section's document, a copy of its own, or None."""
        checked_id(section, "section")
        found = (await self._ready()).now("SELECT document FROM sections WHERE name = ?", (section,))
        return msgspec.json.decode(found[0][0], type=dict) if found else None


@asynccontextmanager
async def snapshot(path: Path) -> AsyncIterator[LocalReader]:
    """What a database holds at this moment, by a connection of its own.

    Raises:
        StorageError: It cannot be read.
    """
    try:
        reading = await asyncio.to_thread(partial(ReadConnections, path, snapshot=True))
    except apsw.Error as failure:
        raise storage_error(path, failure) from failure

    async def ready() -> ReadConnections:
        return reading

    try:
        yield LocalReader(ready)
    finally:
        await asyncio.to_thread(reading.close)


async def _stepped(steps: Generator[T, None, None]) -> AsyncIterator[T]:
    """What a generator answers that blocks; whoever is cancelled waits for the step under way."""
    try:
        while True:
            step = asyncio.ensure_future(asyncio.to_thread(next, steps, None))
            try:
                found = await asyncio.shield(step)
            finally:
                await asyncio.wait([step])
            if found is None:
                return
            yield found
    finally:
        steps.close()
