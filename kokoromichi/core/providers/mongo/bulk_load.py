"""The doors of a copy: parts of another store put as they were, and the receipts handed on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl
from pymongo import InsertOne, ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError

from kokoromichi.core.bulk_load import StoredResponse
from kokoromichi.core.clock import us_of
from kokoromichi.core.documents import check_batch
from kokoromichi.core.errors import ConflictError, RequestMismatchError
from kokoromichi.core.providers.mongo.documents import check_size, document_of
from kokoromichi.core.providers.mongo.driver import failures, storage_error
from kokoromichi.core.providers.mongo.folding import add_loaded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from kokoromichi.core.bulk_load import Batch, UserSnapshot
    from kokoromichi.core.providers.mongo.driver import MongoDriver, MongoSession, Stored
    from kokoromichi.core.providers.mongo.outcomes import Attempts, Outcomes

_DUPLICATE_KEY: Final = 11_000


async def stored_responses(
    driver: MongoDriver, session: MongoSession | None
) -> AsyncIterator[StoredResponse]:
    """Every request id of a caller whose receipt is kept, ascending."""
    wanted = {"_id": {"$lt": "~"}, "answer": {"$exists": True}}
    with failures(driver.where):
        async for each in driver.collection("requests").find(wanted, session=session).sort("_id", 1):
            yield StoredResponse(each["_id"], each["digest"], each["answer"].encode(), int(each["at_us"]))


class Loading:
    """Stores one part of another store, in one transaction.

    Args:
        driver: Where to.
        batch: What.
        now_us: When a request id counts as used whose own time is not known, in microseconds.
    """

    def __init__(self, driver: MongoDriver, batch: Batch, now_us: int) -> None:
        check_batch(batch)
        self._driver = driver
        self._now_us = now_us
        self._requests = {asked.request_id: asked for asked in batch.requests}
        self._counters = batch.counters
        self._frame = batch.rows
        self._rows = {} if batch.rows is None else documents_by_book(batch.rows)
        self._users = [_placing(snapshot, _newest_us(batch.rows)) for snapshot in batch.users]
        self._placed = batch.users
        self._sections = [_section(name, document) for name, document in sorted(batch.sections.items())]

    async def store(self, attempts: Attempts, outcomes: Outcomes) -> None:
        """Store it whole, or raise and store nothing; see ``DataProvider.load``."""
        try:
            await outcomes.retry(attempts, self._write, self._now_us)
        except BulkWriteError as failed:
            if any(each["code"] == _DUPLICATE_KEY for each in failed.details["writeErrors"]):
                message = "a row or a player of this portion is stored already"
                raise ConflictError(message) from failed
            raise storage_error(self._driver.where, failed) from failed

    async def _write(self, session: MongoSession) -> None:
        collection = self._driver.collection
        if self._users:
            done = await collection("users").bulk_write(self._users, session=session)
            if done.matched_count + done.inserted_count != len(self._users):
                raise ConflictError(await self._stale(session))
        for book, rows in self._rows.items():
            await collection(f"ledger_{book}").insert_many(rows, session=session)
        if self._frame is not None and self._frame.height:
            await add_loaded(self._driver, self._frame, session)
        counters = [
            UpdateOne({"_id": name}, {"$set": {"value": value}}, upsert=True)
            for name, value in sorted(self._counters.items())
        ]
        if counters:
            await collection("counters").bulk_write(counters, session=session)
        if self._sections:
            await collection("game_data").bulk_write(self._sections, session=session)
        if self._requests:
            await self._write_requests(session)

    async def _stale(self, session: MongoSession) -> str:
        """Which player is of another version; what was written here already shows its own."""
        for snapshot in self._placed:
            user_id, version = snapshot.profile.user_id, snapshot.profile.version
            stored = await self._driver.collection("users").find_one({"_id": user_id}, session=session)
            if stored is None or stored["version"] != version:
                return f"player {user_id} is not of version {snapshot.expected_version}"
        return "a player is not of the expected version"

    async def _write_requests(self, session: MongoSession) -> None:
        requests = self._driver.collection("requests")
        known = requests.find({"_id": {"$in": sorted(self._requests)}}, {"digest": 1}, session=session)
        stored = {each["_id"]: each["digest"] async for each in known}
        for request_id, digest in stored.items():
            if self._requests[request_id].digest != digest:
                raise RequestMismatchError(request_id)
        new = [
            {
                "_id": asked.request_id,
                "digest": asked.digest,
                "answer": asked.answer.decode(),
                "at_us": asked.at_us if asked.at_us >= 0 else self._now_us,
                "tx_id": "",
            }
            for asked in self._requests.values()
            if asked.request_id not in stored
        ]
        if new:
            await requests.insert_many(new, session=session)


def _placing(snapshot: UserSnapshot, newest_us: Mapping[str, int]) -> InsertOne[Stored] | UpdateOne:
    """A player put whole; rows that they have here are numbered behind those that come with them."""
    user_id = snapshot.profile.user_id
    document = {**document_of(snapshot.profile), "row_us": newest_us.get(user_id, 0)}
    check_size(document, f"the document of player {user_id}")
    if not snapshot.expected_version:
        return InsertOne(document)
    row_us = document.pop("row_us")
    expected = {"_id": document.pop("_id"), "version": snapshot.expected_version}
    return UpdateOne(expected, {"$set": document, "$max": {"row_us": row_us}})


def _newest_us(rows: pl.DataFrame | None) -> dict[str, int]:
    """By player, the time in the newest of the rows' entry ids, in microseconds."""
    if rows is None or rows.is_empty():
        return {}
    time_part = pl.col("entry_id").str.extract(r"^(\d{16})-").cast(pl.Int64)
    newest = rows.group_by("user_id").agg(us=time_part.max()).drop_nulls().sort("user_id")
    return dict(zip(newest["user_id"].to_list(), newest["us"].to_list(), strict=True))


def documents_by_book(rows: pl.DataFrame) -> dict[str, Sequence[Stored]]:
    """The rows by book, as they are stored."""
    books: dict[str, list[Stored]] = {}
    for row in rows.iter_rows(named=True):
        stored: Stored = {"_id": row.pop("entry_id"), "at_us": us_of(row.pop("at"))}
        book = row.pop("book")
        stored |= {name: value for name, value in row.items() if value is not None}
        books.setdefault(book, []).append(stored)
    return dict(books)


def _section(name: str, document: Mapping[str, object]) -> ReplaceOne[Stored]:
    return ReplaceOne({"_id": name}, {"_id": name, "document": dict(document)}, upsert=True)
