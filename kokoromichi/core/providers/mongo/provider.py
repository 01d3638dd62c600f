"""Players, counters and the ledger in MongoDB, for several processes at once."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pymongo.errors import DuplicateKeyError, PyMongoError

from kokoromichi.core.clock import Clock, SystemClock, us_of
from kokoromichi.core.documents import checked_document, correction
from kokoromichi.core.errors import ConfigurationError, ConflictError, RequestMismatchError
from kokoromichi.core.kinds import BOOKS
from kokoromichi.core.models import ANSWERS_KEPT_DAYS, DAY_US, richest_first
from kokoromichi.core.providers.mongo.bulk_load import stored_responses
from kokoromichi.core.providers.mongo.commits import Act, MongoCommits
from kokoromichi.core.providers.mongo.documents import plain_document, profile_of
from kokoromichi.core.providers.mongo.driver import MongoDriver, failures
from kokoromichi.core.providers.mongo.ledger import read_frames, read_page
from kokoromichi.core.providers.opening import Opening
from kokoromichi.core.providers.remote import RemoteProvider
from kokoromichi.core.validation import (
    checked_id,
    checked_pseudonym,
    checked_request_id,
    checked_section,
    checked_user_id,
)
from kokoromichi.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    import polars as pl

    from kokoromichi.core.bulk_load import Batch, StoredResponse
    from kokoromichi.core.data_provider import DataProvider, Document, Stream
    from kokoromichi.core.models import AnswerT, ChangeSet, LedgerEntry, Receipt, UserProfile
    from kokoromichi.core.providers.mongo.driver import Stored

_LOG: Final = logging.getLogger(__name__)
_VERSION: Final = 1
"""Of the documents' shapes; what reads older ones raises it."""
_OBSERVATIONS_HELD: Final = 1_000
_BALANCES_AT_ONCE: Final = 50_000
_COLLECTIONS: Final = ("users", "game_data", "counters", "requests", "schema_version")


class MongoDBProvider(RemoteProvider):
    """Profiles, counters and the ledger in MongoDB; durable by majority and journal when a commit returns.

    It connects when it is opened, or with the first call. Collections: ``users``, ``game_data``,
    ``counters``, ``requests``, ``ledger_<book>``, and the streams ``activity`` and ``economy_history``.

    Args:
        uri: ``mongodb://user:password@host:port/database?options``; timeouts may be set there.
            ``MONGO_URI`` when left out.
        clock: Dates corrections and remembered receipts; the machine's own by default.
        patience_s: How long a commit is tried again when the server aborts it or is away, in seconds.
        beside: The folder that it is copied to and from; see ``RemoteProvider``.
    """

    name: ClassVar[str] = "mongo"

    def __init__(
        self,
        uri: str | None = None,
        clock: Clock | None = None,
        *,
        patience_s: float = 15.0,
        beside: DataProvider | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        super().__init__(beside, self._clock)
        self._driver = MongoDriver(Settings().mongo_uri.get_secret_value() if uri is None else uri)
        self._patience_s = patience_s
        self._commits = MongoCommits(self._driver, self._clock, patience_s)
        self._opening = Opening(
            f"the provider of MongoDB at {self._driver.where}", self._connect, self._driver.drop
        )
        self._in_flight: dict[str, tuple[str, asyncio.Future[Any]]] = {}  # Receipts, each of its act.
        self._buffers: dict[Stream, list[Stored]] = {"activity": [], "economy_history": []}

    async def open(self) -> None:
        """Connect, make sure of transactions, and create what is missing.

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
                await self._prepare()
        except BaseException:
            await self._driver.close()
            raise

    async def _prepare(self) -> None:
        ledgers = [f"ledger_{book}" for book in BOOKS]
        await self._driver.make([*_COLLECTIONS, *ledgers])
        for name in ledgers:
            await self._driver.collection(name).create_index([("user_id", 1), ("_id", -1)])
        await self._check_version()
        requests = self._driver.collection("requests")
        await requests.create_index([("at_us", 1)])
        old = {"at_us": {"$lt": self._clock.now_us() - ANSWERS_KEPT_DAYS * DAY_US}}
        await requests.delete_many({**old, "_id": {"$gte": "~"}})  # Nobody can send these again.
        await requests.update_many({**old, "answer": {"$exists": True}}, {"$unset": {"answer": ""}})

    async def _check_version(self) -> None:
        """Refuse documents of a newer version of this package, and say of which version ours are."""
        versions = self._driver.collection("schema_version")
        stored = await versions.find_one({"_id": "schema"})
        if stored is None:
            with suppress(DuplicateKeyError):  # Somebody else opens a fresh database at the same moment.
                await versions.insert_one({"_id": "schema", "version": _VERSION})
        elif stored["version"] > _VERSION:
            message = (
                f"MongoDB at {self._driver.where} has documents of version {stored['version']}, and this "
                f"code knows {_VERSION}: upgrade the package kokoromichi, or restore an older backup"
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

    async def _ready(self) -> MongoDriver:
        await self._opening.ready()
        return self._driver

    async def _stored(self, user_id: str) -> Stored | None:
        driver = await self._ready()
        with failures(driver.where):
            stored: Stored | None = await driver.collection("users").find_one({"_id": user_id})
        if stored is not None:
            self._commits.keep(stored)
        return stored

    async def profile(self, user_id: str) -> UserProfile | None:
        """The committed state of a player, or None."""
        stored = await self._stored(user_id)
        return None if stored is None else profile_of(stored)

    async def user_ids(self) -> list[str]:
        """Every player's id, ascending."""
        driver = await self._ready()
        with failures(driver.where):
            return sorted([user["_id"] async for user in driver.collection("users").find({}, {"_id": 1})])

    async def versions(self) -> dict[str, int]:
        """Every player's version by id, ascending."""
        driver = await self._ready()
        with failures(driver.where):
            found = driver.collection("users").find({}, {"version": 1}).sort("_id", 1)
            return {user["_id"]: int(user["version"]) async for user in found}

    async def balances(self) -> list[tuple[str, int]]:
        """Every player's id and gold, the richest first."""
        driver = await self._ready()
        with failures(driver.where):
            found = driver.collection("users").find({}, {"gold": 1}, batch_size=_BALANCES_AT_ONCE)
            stored = await found.to_list(None)
        return richest_first((each["_id"], int(each["gold"])) for each in stored)

    async def counters(self) -> dict[str, int]:
        """Every counter by name, ascending."""
        driver = await self._ready()
        with failures(driver.where):
            found = [(each["_id"], int(each["value"])) async for each in driver.collection("counters").find()]
        return dict(sorted(found))

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

    async def read_ledger(
        self,
        *,
        book: str | None = None,
        user_id: str | None = None,
        kind: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> list[LedgerEntry]:
        """A page of ledger rows, newest first; see ``DataProvider.read_ledger``."""
        driver = await self._ready()
        with failures(driver.where):
            return await read_page(driver, book=book, user_id=user_id, kind=kind, before=before, limit=limit)

    async def ledger_frames(self, user_ids: Collection[str] | None = None) -> AsyncIterator[pl.DataFrame]:
        """Rows, oldest first, in frames of some 60,000 rows at most."""
        driver = await self._ready()
        with failures(driver.where):
            async for frame in read_frames(driver, user_ids):
                yield frame

    async def ledger_rows(self) -> int:
        """How many rows the ledger has, as the collections' own counts say."""
        driver = await self._ready()
        with failures(driver.where):
            counts = [await driver.collection(f"ledger_{book}").estimated_document_count() for book in BOOKS]
        return sum(counts)

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
        await self._commits.erase(user_id, pseudonym)

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

    async def get_user(self, user_id: str | int) -> Document | None:
        """A player as a document of the caller's own, or None."""
        profile = await self.profile(checked_user_id(user_id))
        return None if profile is None else profile.document()

    async def save_user(self, user_id: str | int, data: Document) -> None:
        """Store a player's document; see ``DataProvider.save_user``."""
        known = checked_user_id(user_id)
        while True:
            stored = await self.profile(known)
            change, unknown = correction(stored, known, data, self._clock.now_us())
            try:
                await self._committed(self._commits.act(change, {known: unknown}))
            except ConflictError:
                if "version" in data:
                    raise
            else:
                return

    async def get_game_data(self, section: str) -> Document | None:
        """A section's document, a copy of its own, or None."""
        checked_id(section, "section")
        driver = await self._ready()
        with failures(driver.where):
            stored = await driver.collection("game_data").find_one({"_id": section})
        return None if stored is None else plain_document(stored["document"])

    async def save_game_data(self, section: str, data: Document) -> None:
        """Store a section's document."""
        checked_document(data, f"section {checked_section(section)}")
        stored = {"_id": section, "document": data}
        driver = await self._ready()
        with failures(driver.where):
            await driver.collection("game_data").replace_one({"_id": section}, stored, upsert=True)

    async def sections(self) -> list[str]:
        """Every stored section's name, ascending."""
        driver = await self._ready()
        with failures(driver.where):
            return sorted([each["_id"] async for each in driver.collection("game_data").find({}, {"_id": 1})])

    async def stored_responses(self) -> AsyncIterator[StoredResponse]:
        """Every request id of a caller with its receipt, ascending."""
        async for each in stored_responses(await self._ready()):
            yield each

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
