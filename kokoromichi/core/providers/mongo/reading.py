"""What is read of a MongoDB database: as it stands, or all of one moment, in a session."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, ClassVar, Final

import polars as pl

from kokoromichi.core.models import richest_first
from kokoromichi.core.providers.mongo.bulk_load import stored_responses
from kokoromichi.core.providers.mongo.documents import plain_document, profile_of
from kokoromichi.core.providers.mongo.driver import failures
from kokoromichi.core.providers.mongo.folding import read_moved
from kokoromichi.core.providers.mongo.ledger import read_frames, read_page
from kokoromichi.core.reader import Reader, observed_frame
from kokoromichi.core.validation import checked_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection

    from kokoromichi.core.bulk_load import StoredResponse
    from kokoromichi.core.data_provider import Stream
    from kokoromichi.core.documents import Document
    from kokoromichi.core.models import DailyTotal, LedgerEntry, UserProfile
    from kokoromichi.core.providers.mongo.driver import MongoDriver, MongoSession, Stored
    from kokoromichi.core.providers.mongo.folding import Moved
    from kokoromichi.core.reader import Wanted

_BALANCES_AT_ONCE: Final = 50_000
_OBSERVED_AT_ONCE: Final = 10_000


class MongoReader(Reader):
    """Reads players, counters and the ledger.

    Args:
        ready: Answers a driver that is connected.
        session: A session whose reads are all of one moment; None reads what stands.
    """

    name: ClassVar[str] = "mongo"

    def __init__(
        self, ready: Callable[[], Awaitable[MongoDriver]], session: MongoSession | None = None
    ) -> None:
        self._ready = ready
        self._session = session

    async def _stored(self, user_id: str) -> Stored | None:
        driver = await self._ready()
        with failures(driver.where):
            users = driver.collection("users")
            stored: Stored | None = await users.find_one({"_id": user_id}, session=self._session)
        return stored

    async def profile(self, user_id: str) -> UserProfile | None:
        """The committed state of a player, or None."""
        stored = await self._stored(user_id)
        return None if stored is None else profile_of(stored)

    async def profiles(self) -> AsyncIterator[UserProfile]:
        """The committed state of every player, by id, many in one answer."""
        driver = await self._ready()
        with failures(driver.where):
            async for stored in driver.collection("users").find(session=self._session).sort("_id", 1):
                yield profile_of(stored)

    async def user_ids(self) -> list[str]:
        """Every player's id, ascending."""
        driver = await self._ready()
        with failures(driver.where):
            return sorted(
                [
                    user["_id"]
                    async for user in driver.collection("users").find({}, {"_id": 1}, session=self._session)
                ]
            )

    async def versions(self) -> dict[str, int]:
        """Every player's version by id, ascending."""
        driver = await self._ready()
        with failures(driver.where):
            found = driver.collection("users").find({}, {"version": 1}, session=self._session).sort("_id", 1)
            return {user["_id"]: int(user["version"]) async for user in found}

    async def balances(self) -> list[tuple[str, int]]:
        """Every player's id and gold, the richest first."""
        driver = await self._ready()
        with failures(driver.where):
            found = driver.collection("users").find(
                {}, {"gold": 1}, batch_size=_BALANCES_AT_ONCE, session=self._session
            )
            stored = await found.to_list(None)
        return richest_first((each["_id"], int(each["gold"])) for each in stored)

    async def counters(self) -> dict[str, int]:
        """Every counter by name, ascending."""
        driver = await self._ready()
        with failures(driver.where):
            found = [
                (each["_id"], int(each["value"]))
                async for each in driver.collection("counters").find(session=self._session)
            ]
        return dict(sorted(found))

    async def _page(self, wanted: Wanted, rows: int) -> list[LedgerEntry]:
        driver = await self._ready()
        with failures(driver.where):
            return await read_page(driver, self._session, wanted, rows)

    async def ledger_frames(self, user_ids: Collection[str] | None = None) -> AsyncIterator[pl.DataFrame]:
        """Rows, oldest first, in frames of some 60,000 at most; without a session, each book as it stands."""
        driver = await self._ready()
        with failures(driver.where):
            async for frame in read_frames(driver, user_ids, self._session):
                yield frame

    async def observation_frames(self, stream: Stream) -> AsyncIterator[pl.DataFrame]:
        """What was observed, oldest first, in frames of 10,000 rows at most."""
        driver = await self._ready()
        rows: list[Stored] = []
        with failures(driver.where):
            async for stored in driver.collection(stream).find(session=self._session).sort("_id", 1):
                rows.append({name.removesuffix("_us"): value for name, value in stored.items()})
                if len(rows) == _OBSERVED_AT_ONCE:
                    yield observed_frame(stream, rows, pl.Int64())
                    rows = []
        yield observed_frame(stream, rows, pl.Int64())

    async def get_game_data(self, section: str) -> Document | None:
        """A section's document, a copy of its own, or None."""
        checked_id(section, "section")
        driver = await self._ready()
        with failures(driver.where):
            stored = await driver.collection("game_data").find_one({"_id": section}, session=self._session)
        return None if stored is None else plain_document(stored["document"])

    async def sections(self) -> list[str]:
        """Every stored section's name, ascending."""
        driver = await self._ready()
        with failures(driver.where):
            return sorted(
                [
                    each["_id"]
                    async for each in driver.collection("game_data").find(
                        {}, {"_id": 1}, session=self._session
                    )
                ]
            )

    async def stored_responses(self) -> AsyncIterator[StoredResponse]:
        """Every request id of a caller with its receipt, ascending."""
        async for each in stored_responses(await self._ready(), self._session):
            yield each

    async def ledger_rows(self) -> int:
        """How many rows the ledger has, without counting them."""
        return sum(one.rows for one in await self.daily_totals())

    async def daily_totals(self, since_day: int = 0) -> list[DailyTotal]:
        """What each kind has moved on each day; see ``Reader.daily_totals``."""
        return (await self._moved(since_day)).totals.sorted()

    async def active_players(self, since_day: int = 0) -> dict[int, int]:
        """How many players have moved something on each day."""
        return dict(sorted((await self._moved(since_day)).active.items()))

    async def _moved(self, since_day: int) -> Moved:
        driver = await self._ready()
        with failures(driver.where):
            return await read_moved(driver, self._session, since_day)


@asynccontextmanager
async def snapshot(ready: Callable[[], Awaitable[MongoDriver]]) -> AsyncIterator[MongoReader]:
    """What stands at this moment; see ``MongoDriver.snapshot``.

    Raises:
        StorageError: The server is away.
    """
    driver = await ready()
    with failures(driver.where):
        async with driver.snapshot() as session:
            yield MongoReader(ready, session)
