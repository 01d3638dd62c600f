"""Daily totals: each commit leaves what it moved beside its request id, and the background adds that up.

A total that every commit would write is a document that every commit would fight for. So a commit writes a
``queued`` part into the document of its request, which it inserts anyway; ``fold`` takes these parts into
``daily_totals`` and ``active_days``, and a reader adds those that wait. All of that is addition, so that a
recount may add what is lacking at any time.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from pymongo import DeleteOne, ReplaceOne, UpdateOne
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError

from kokoromichi.core.models import DAY_US, DailyTotal
from kokoromichi.core.providers.mongo.driver import failures, is_transient, storage_error
from kokoromichi.core.providers.mongo.ledger import read_frames
from kokoromichi.core.reader import ActiveDays, Totals, totals_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl

    from kokoromichi.core.models import AnswerT, ChangeSet
    from kokoromichi.core.providers.mongo.driver import MongoDriver, MongoSession, Stored

_LOG: Final = logging.getLogger(__name__)

AT_ONCE: Final = 1_000
"""Commits that one transaction folds."""

WAITING: Final[Mapping[str, Any]] = {"waits": True}
"""Requests whose part is not folded yet; a sparse index finds them."""

NO_DAY: Final = -1
_TOLD_ROWS: Final = 500_000
_RECOUNTS: Final = "recounts"
"""The document of ``schema_version`` by which only one of two recounts is stored."""


class Moved(NamedTuple):
    """What rows have moved.

    Attributes:
        totals: Rows, gained and lost by day, kind and currency.
        active: Players who were not active before, by day.
    """

    totals: Totals
    active: Counter[int]


def mark_active(
    change: ChangeSet[AnswerT], before: Mapping[str, Stored], sets: Mapping[str, Stored]
) -> Counter[int]:
    """Note the day with those who have not moved anything on it before, and count them."""
    day = change.at_us // DAY_US
    active: Counter[int] = Counter()
    for user in change.users:
        if user.movements and day > before[user.user_id].get("active_day", NO_DAY):
            sets[user.user_id]["active_day"] = day
            active[day] += 1
    return active


def queued(books: Mapping[str, Sequence[Stored]], active: Mapping[int, int]) -> Stored:
    """What a commit leaves of its rows in the document of its request.

    Args:
        books: Its rows as they are stored.
        active: How many of its players were not active before, by day.
    """
    totals = Totals(_total_of(row) for rows in books.values() for row in rows).sorted()
    parts = {
        "totals": list(map(msgspec.structs.astuple, totals)),
        "days": sorted(active.items()),
    }
    return {"waits": True, "queued": parts}


def _total_of(row: Stored) -> DailyTotal:
    amount = row.get("amount", 0)
    day, currency = row["at_us"] // DAY_US, row.get("currency")
    return DailyTotal(day, row["kind"], currency, 1, max(amount, 0), max(-amount, 0))


async def read_moved(driver: MongoDriver, session: MongoSession | None, since_day: int) -> Moved:
    """What was folded and what waits, of one moment."""
    if session is None:
        async with driver.transaction() as own:
            return await read_moved(driver, own, since_day)
    since = {"$gte": since_day}
    moved = await _folded(driver, session, {"day": since}, {"_id": since})
    waiting = await driver.collection("requests").find(WAITING, session=session).to_list(None)
    _add_waiting(moved, waiting, since_day)
    return moved


def _add_waiting(moved: Moved, requests: Iterable[Stored], since_day: int = 0) -> None:
    """Add what commits have left, from a day on."""
    for request in requests:
        parts = request["queued"]
        moved.totals.add(DailyTotal(*one) for one in parts["totals"] if one[0] >= since_day)
        moved.active.update({day: players for day, players in parts["days"] if day >= since_day})


async def _folded(driver: MongoDriver, session: MongoSession, totals: Stored, days: Stored) -> Moved:
    """What was folded, of the documents that two filters find."""
    kept = await driver.collection("daily_totals").find(totals, {"_id": 0}, session=session).to_list(None)
    active = await driver.collection("active_days").find(days, session=session).to_list(None)
    return Moved(
        Totals(DailyTotal(**one) for one in kept), Counter({one["_id"]: one["players"] for one in active})
    )


async def fold(driver: MongoDriver) -> int:
    """Fold what waits, a transaction for each ``AT_ONCE`` commits; how many commits that were.

    Where another process folds at the same moment, the slower one leaves it to the other.

    Raises:
        StorageError: The server is away; what was folded stays so.
    """
    folded = 0
    try:
        while count := await _fold_some(driver):
            folded += count
    except PyMongoError as error:
        if not is_transient(error):
            raise storage_error(driver.where, error) from error
        _LOG.debug("what commits have moved is folded later: %s", type(error).__name__)
    return folded


async def _fold_some(driver: MongoDriver) -> int:
    requests = driver.collection("requests")
    async with driver.transaction() as session:
        found = requests.find(WAITING, {"queued": 1}, session=session).sort("_id", 1).limit(AT_ONCE)
        waiting = await found.to_list(None)
        if not waiting:
            return 0
        moved = Moved(Totals(), Counter())
        _add_waiting(moved, waiting)
        await _add(driver, moved, session)
        same = {**WAITING, "_id": {"$lte": waiting[-1]["_id"]}}  # Of this transaction's moment.
        await requests.update_many(same, {"$unset": {"waits": "", "queued": ""}}, session=session)
        await session.commit_transaction()
    return len(waiting)


async def _add(driver: MongoDriver, moved: Moved, session: MongoSession) -> None:
    """Add to what was folded before."""
    added = moved.totals.sorted()
    ids = {"_id": {"$in": list(map(_id, added))}}
    sums = await _folded(driver, session, ids, {"_id": {"$in": list(moved.active)}})
    sums.totals.add(added)
    sums.active.update(moved.active)
    totals = [
        ReplaceOne({"_id": _id(one)}, {"_id": _id(one), **msgspec.structs.asdict(one)}, upsert=True)
        if one.rows
        else DeleteOne({"_id": _id(one)})
        for one in sums.totals.sorted()
    ]
    if totals:
        await driver.collection("daily_totals").bulk_write(totals, session=session)
    active = [
        UpdateOne({"_id": day}, {"$set": {"players": players}}, upsert=True)
        if players
        else DeleteOne({"_id": day})
        for day, players in sums.active.items()
    ]
    if active:
        await driver.collection("active_days").bulk_write(active, session=session)


def _id(total: DailyTotal) -> str:
    return f"{total.day}-{total.kind}-{total.currency or ''}"


async def add_loaded(driver: MongoDriver, rows: pl.DataFrame, session: MongoSession) -> None:
    """Add rows that are put as they were, in the transaction that puts them and their players."""
    wanted = {"_id": {"$in": rows["user_id"].unique().to_list()}}
    known = await driver.collection("users").find(wanted, {"active_day": 1}, session=session).to_list(None)
    active = ActiveDays({each["_id"]: int(each.get("active_day", NO_DAY)) for each in known})
    active.add(rows)
    await _add(driver, Moved(Totals(totals_of([rows], 0)), active.players), session)
    await _mark_days(driver, active.last, session)


async def _mark_days(
    driver: MongoDriver, last: Mapping[str, int], session: MongoSession | None = None
) -> None:
    """Let players know the newest day on which they were active."""
    days = [UpdateOne({"_id": user_id}, {"$max": {"active_day": day}}) for user_id, day in last.items()]
    if days:
        await driver.collection("users").bulk_write(days, session=session)


async def recount(driver: MongoDriver) -> None:
    """Correct the totals by what they lack of the ledger, of one moment, while others commit and fold.

    Raises:
        StorageError: The server is away, or no longer has the moment; nothing is changed then.
    """
    marks = driver.collection("schema_version")
    with failures(driver.where):
        await _mark_active(driver)
        while True:
            async with driver.snapshot() as session:
                mark = await marks.find_one({"_id": _RECOUNTS}, session=session)
                lacking = await _lacking(driver, session)
            former = {"_id": _RECOUNTS, "done": mark["done"] if mark else 0}
            if await _store(driver, lacking, former, {"$inc": {"done": 1}}):
                break
            _LOG.info("the totals were folded or corrected meanwhile: they are counted once more")


async def count_first(driver: MongoDriver, former: Stored, version: int) -> None:
    """Count what a former version did not, and write the new version with it.

    No moment has to be kept, however long it takes: whoever plays has written the new version before, and
    then this changes nothing.

    Args:
        driver: The database.
        former: The document of the version that was found.
        version: The new one.
    """
    await _mark_active(driver)
    await _store(driver, await _lacking(driver, None), former, {"$set": {"version": version}})


async def _mark_active(driver: MongoDriver) -> None:
    """Let no commit from now on count the days that the ledger knows."""
    await _mark_days(driver, (await _booked(driver, None))[1])


async def _lacking(driver: MongoDriver, session: MongoSession | None) -> Moved:
    """What the totals lack of the ledger; below 0 where they have more."""
    booked, _ = await _booked(driver, session)
    stored = await read_moved(driver, session, 0)
    booked.active.subtract(stored.active)
    differing = {day: players for day, players in booked.active.items() if players}
    return Moved(Totals(booked.totals.less(stored.totals.sorted())), Counter(differing))


async def _store(driver: MongoDriver, lacking: Moved, mark: Stored, change: Stored) -> bool:
    """Add what was lacking and change the mark by which only one of several is stored.

    Returns:
        Whether the mark was still as it was found; nothing is stored otherwise.
    """
    marks = driver.collection("schema_version")
    async with driver.transaction() as session:
        try:
            await marks.update_one(mark, change, upsert=True, session=session)
            await _add(driver, lacking, session)
            await session.commit_transaction()
        except OperationFailure as error:
            if isinstance(error, DuplicateKeyError) or is_transient(error):
                return False
            raise
    return True


async def _booked(driver: MongoDriver, session: MongoSession | None) -> tuple[Moved, dict[str, int]]:
    """What the ledger has moved, and the newest day of each player."""
    totals, active, rows = Totals(), ActiveDays(), 0
    async for frame in read_frames(driver, session=session):
        totals.add(totals_of([frame], 0))
        active.add(frame)
        if (rows + frame.height) // _TOLD_ROWS > rows // _TOLD_ROWS:
            _LOG.info("%d rows of the ledger are added up so far", rows + frame.height)
        rows += frame.height
    return Moved(totals, active.players), active.last
