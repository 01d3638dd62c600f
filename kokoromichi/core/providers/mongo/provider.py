"""Players, counters and the ledger in MongoDB, for several processes at once."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pymongo.errors import DuplicateKeyError, PyMongoError

from kokoromichi.core.clock import Clock, SystemClock, us_of
from kokoromichi.core.copying.marking import MARK
from kokoromichi.core.documents import checked_document
from kokoromichi.core.errors import ConfigurationError, RequestMismatchError, UnpreparedError
from kokoromichi.core.kinds import BOOKS
from kokoromichi.core.models import ACTIVITY_ROWS_KEPT, ANSWERS_KEPT_DAYS, DAY_US
from kokoromichi.core.providers.mongo import folding
from kokoromichi.core.providers.mongo.commits import Act, MongoCommits
from kokoromichi.core.providers.mongo.documents import profile_of
from kokoromichi.core.providers.mongo.driver import MongoDriver, failures
from kokoromichi.core.providers.mongo.reading import MongoReader, snapshot
from kokoromichi.core.providers.remote import Opening, RemoteProvider
from kokoromichi.core.validation import (
    checked_pseudonym,
    checked_request_id,
    checked_section,
)
from kokoromichi.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from kokoromichi.core.bulk_load import Batch
    from kokoromichi.core.data_provider import DataProvider, Stream
    from kokoromichi.core.documents import Document
    from kokoromichi.core.models import AnswerT, ChangeSet, Receipt, UserProfile
    from kokoromichi.core.providers.mongo.driver import Stored
    from kokoromichi.core.providers.remote import NotesErasures

_LOG: Final = logging.getLogger(__name__)
_VERSION: Final = 2
"""Of the documents' shapes; what reads older ones raises it."""
_OBSERVATIONS_HELD: Final = 1_000
_COLLECTIONS: Final = (
    "users",
    "game_data",
    "counters",
    "requests",
    "schema_version",
    "daily_totals",
    "active_days",
)
_LEDGERS: Final = tuple(f"ledger_{book}" for book in BOOKS)


class MongoDBProvider(MongoReader, RemoteProvider):
    """Profiles, counters and the ledger in MongoDB; durable by majority and journal when a commit returns.

    It connects when it is opened, or with the first call. Collections: ``users``, ``game_data``,
    ``counters``, ``requests``, ``ledger_<book>``, and the streams ``activity`` and ``economy_history``.

    Args:
        uri: ``mongodb://user:password@host:port/database?options``; timeouts may be set there.
            ``MONGO_URI`` when left out.
        clock: Dates corrections and remembered receipts; the machine's own by default.
        patience_s: How long a commit is tried again when the server aborts it or is away, in seconds.
        beside: The folder that it is copied to and from; see ``RemoteProvider``.
        erasures: Where erasures are written down; see ``RemoteProvider``.
        read_only: Whether the opening makes no collection, and refuses where there is none.
    """

    def __init__(
        self,
        uri: str | None = None,
        clock: Clock | None = None,
        *,
        patience_s: float = 15.0,
        beside: DataProvider | None = None,
        erasures: NotesErasures | None = None,
        read_only: bool = False,
    ) -> None:
        RemoteProvider.__init__(self, beside, clock or SystemClock(), erasures)
        MongoReader.__init__(self, self._connected)
        self._driver = MongoDriver(Settings().mongo_uri.get_secret_value() if uri is None else uri)
        self._patience_s = patience_s
        self._read_only = read_only
        self._commits = MongoCommits(self._driver, self._clock, patience_s)
        self._opening = Opening(
            f"the provider of MongoDB at {self._driver.where}", self._connect, self._driver.drop
        )
        self._in_flight: dict[str, tuple[str, asyncio.Future[Any]]] = {}  # Receipts, each of its act.
        self._buffers: dict[Stream, list[Stored]] = {"activity": [], "economy_history": []}

    async def open(self) -> None:
        """Connect, make sure of transactions, and create what is missing where it is not only read.

        Raises:
            StorageError: The server is down, refuses the password, or has no transactions.
            MisuseError: The URI is malformed.
        """
        await self._opening.open()

    async def _connect(self) -> None:
        """Connect, with nothing on its way."""
        self._commits = MongoCommits(self._driver, self._clock, self._patience_s)
        self._in_flight.clear()
        await self._driver.connect()
        try:
            with failures(self._driver.where):
                await (self._look() if self._read_only else self._prepare())
        except BaseException:
            await self._driver.close()
            raise

    async def _look(self) -> None:
        stored = await self._driver.collection("schema_version").find_one({"_id": "schema"})
        version = int(stored["version"]) if stored else 0
        if version < _VERSION:
            raise UnpreparedError(f"MongoDB at {self._driver.where}", version, _VERSION)
        self._refuse_newer(version)

    async def _prepare(self) -> None:
        await self._driver.make([*_COLLECTIONS, *_LEDGERS])
        for name in _LEDGERS:
            await self._driver.collection(name).create_index([("user_id", 1), ("_id", -1)])
        await self._check_version()
        requests = self._driver.collection("requests")
        await requests.create_index([("at_us", 1)])
        await requests.create_index([("waits", 1)], sparse=True)
        old: Stored = {"at_us": {"$lt": self._clock.now_us() - ANSWERS_KEPT_DAYS * DAY_US}, "waits": None}
        await requests.delete_many({**old, "_id": {"$gte": "~"}})  # Nobody can send these again.
        await requests.update_many({**old, "answer": {"$exists": True}}, {"$unset": {"answer": ""}})
        activity = self._driver.collection("activity")
        beyond = activity.find({}, {"_id": 1}).sort("_id", -1).skip(ACTIVITY_ROWS_KEPT).limit(1)
        async for newest in beyond:
            await activity.delete_many({"_id": {"$lte": newest["_id"]}})

    async def _check_version(self) -> None:
        """Bring documents of an older version up to date, and refuse those of a newer one."""
        versions = self._driver.collection("schema_version")
        while (stored := await versions.find_one({"_id": "schema"})) is None or stored["version"] < _VERSION:
            if stored is None:
                with suppress(DuplicateKeyError):  # Somebody else opens a fresh database at the same moment.
                    await versions.insert_one({"_id": "schema", "version": _VERSION})
            else:
                _LOG.info("the ledger of MongoDB at %s is added up, once", self._driver.where)
                await folding.count_first(self._driver, stored, _VERSION)
        self._refuse_newer(stored["version"])

    def _refuse_newer(self, version: int) -> None:
        if version > _VERSION:
            message = (
                f"MongoDB at {self._driver.where} has documents of version {version}, and this code knows "
                f"{_VERSION}: upgrade the package kokoromichi, or restore an older backup"
            )
            raise ConfigurationError(message)

    async def close(self) -> None:
        """Let commits end, flush the streams and disconnect; closing twice is harmless."""
        try:
            if self._opening.is_open:
                while self._in_flight:
                    await asyncio.wait([task for _, task in self._in_flight.values()])
                for stream in self._buffers:
                    await self._flush(stream)
            await self._opening.close()
            await self._driver.close()
        finally:
            await super().close()

    async def _connected(self) -> MongoDriver:
        await self._opening.ready()
        return self._driver

    def snapshot(self) -> AbstractAsyncContextManager[MongoReader]:
        """Everything as it stands at one moment; see ``DataProvider.snapshot``.

        The server bounds how long: see ``MongoDriver.snapshot``.
        """
        return snapshot(self._connected)

    async def profile(self, user_id: str) -> UserProfile | None:
        """The committed state of a player, or None."""
        stored = await self._stored(user_id)
        if stored is None:
            return None
        self._commits.keep(stored)
        return profile_of(stored)

    async def get_response(self, request_id: str, digest: str) -> Receipt | None:
        """The receipt of a request id, or None."""
        checked_request_id(request_id)
        driver = await self._ready()
        with failures(driver.where):
            return await self._commits.get_response(request_id, digest)

    async def fence(self, request_id: str, digest: str) -> Receipt | None:
        """Spend a request id whose outcome is unknown; see ``DataProvider.fence``."""
        await self._ready()
        return await self._commits.fence(checked_request_id(request_id), digest)

    async def apply(self, change: ChangeSet[AnswerT]) -> AnswerT:
        """Store a change whole, or raise and store nothing; see ``DataProvider.apply``."""
        await self._ready()
        if change.request_id is not None:
            pending = self._in_flight.get(checked_request_id(change.request_id))
            if pending is not None:
                if pending[0] != change.digest:
                    raise RequestMismatchError(change.request_id)
                answer: Receipt = await asyncio.shield(pending[1])
                return answer  # type: ignore[return-value] # The digest says that it is of this act.
        return await self._committed(self._commits.act(change))

    async def _committed(self, act: Act[AnswerT]) -> AnswerT:
        """Commit in a task of its own: a caller who is cancelled does not cut a commit off."""
        task: asyncio.Task[AnswerT] = asyncio.create_task(self._commits.commit(act))
        self._in_flight[act.request_id] = act.change.digest, task
        task.add_done_callback(lambda done: self._landed(act.request_id, done))
        return await asyncio.shield(task)

    def _landed(self, request_id: str, done: asyncio.Task[AnswerT]) -> None:
        self._in_flight.pop(request_id, None)
        if not done.cancelled() and (error := done.exception()) is not None:
            _LOG.debug("request %s was not committed: %r", request_id, error)

    @property
    def waiting(self) -> int:  # type: ignore[override] # It is only read.
        """Commits of this process that are on their way."""
        return len(self._in_flight)

    async def erase(self, user_id: str, pseudonym: str) -> None:
        """Put a pseudonym in the place of a player's id; see ``DataProvider.erase``."""
        checked_pseudonym(user_id, pseudonym)
        await self._ready()
        for stream in self._buffers:
            await self._flush(stream)
        await self._note_erasure(user_id, pseudonym)
        await self._commits.erase(user_id, pseudonym)

    async def clear(self) -> None:
        """Delete all but observations and the mark; see ``DataProvider.clear``."""
        driver = await self._ready()
        with failures(driver.where):
            for name in (*_COLLECTIONS, *_LEDGERS):  # Players first: one without rows could not be copied.
                if name != "schema_version":
                    kept = {"_id": {"$ne": MARK}} if name == "game_data" else {}
                    await driver.collection(name).delete_many(kept)

    async def probe(self) -> None:
        """Count the probes in a document of its own; see ``DataProvider.probe``."""
        driver = await self._ready()
        with failures(driver.where):
            versions = driver.collection("schema_version")
            await versions.update_one({"_id": "probe"}, {"$inc": {"tries": 1}}, upsert=True)

    async def fold(self) -> int:
        """Fold what commits have moved into the daily totals; see ``DataProvider.fold``."""
        driver = await self._ready()
        return await folding.fold(driver)

    async def recount(self) -> None:
        """Correct the daily totals by the ledger; see ``DataProvider.recount``."""
        await folding.recount(await self._ready())

    async def append_observations(self, stream: Stream, rows: Sequence[Mapping[str, object]]) -> None:
        """Keep rows of a stream's schema: activity by the thousand, and when the provider closes."""
        buffer = self._buffers[stream]
        buffer.extend(_observation(row) for row in rows)
        if stream == "economy_history" or len(buffer) >= _OBSERVATIONS_HELD:
            await self._ready()
            await self._flush(stream)

    async def _flush(self, stream: Stream) -> None:
        """Write a stream's rows; a failure loses them, since they are outside the promise, and is logged."""
        rows, self._buffers[stream] = self._buffers[stream], []
        if rows:
            try:
                await self._driver.collection(stream).insert_many(rows, ordered=False)
            except PyMongoError as error:
                _LOG.warning("%d rows of %s are lost: %s", len(rows), stream, type(error).__name__)

    async def save_game_data(self, section: str, data: Document) -> None:
        """Store a section's document."""
        checked_document(data, f"section {checked_section(section)}")
        stored = {"_id": section, "document": data}
        driver = await self._ready()
        with failures(driver.where):
            await driver.collection("game_data").replace_one({"_id": section}, stored, upsert=True)

    async def load(self, batch: Batch) -> None:
        """Store a part of another store as it was, in one transaction; see ``DataProvider.load``."""
        await self._ready()
        await self._commits.load(batch)


def _observation(row: Mapping[str, object]) -> Stored:
    """A row as it is stored: moments as microseconds, since a date of BSON knows milliseconds only."""
    return {
        f"{name}_us" if isinstance(value, datetime) else name: (
            us_of(value) if isinstance(value, datetime) else value
        )
        for name, value in row.items()
    }
