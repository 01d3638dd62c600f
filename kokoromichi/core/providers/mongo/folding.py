"""Daily totals: each commit leaves what it moved beside its request id, and the background adds that up.

A total that every commit would write is a document that every commit would fight for. So a commit writes a
``queued`` part into the document of its request, which it inserts anyway; ``fold`` takes these parts into
``daily_totals`` and ``active_days``, and a reader adds those that wait.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import polars as pl
from pymongo import ReplaceOne, UpdateOne
from pymongo.errors import PyMongoError

from kokoromichi.core.kinds import SYSTEM
from kokoromichi.core.models import DAY_US, MOST_INT, DailyTotal
from kokoromichi.core.providers.mongo.driver import is_transient, storage_error
from kokoromichi.core.providers.mongo.ledger import read_frames
from kokoromichi.core.reader import totals_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kokoromichi.core.models import AnswerT, ChangeSet
    from kokoromichi.core.providers.mongo.driver import MongoDriver, MongoSession, Stored

_LOG: Final = logging.getLogger(__name__)

AT_ONCE: Final = 1_000
"""Commits that one transaction folds."""

WAITING: Final[Mapping[str, Any]] = {"waits": True}
"""Requests whose part is not folded yet; a sparse index finds them."""

NO_DAY: Final = -1
_TOLD_ROWS: Final = 500_000


class Moved(NamedTuple):
    """What rows have moved.

    Attributes:
        totals: Rows, gained and lost by day, kind and currency.
        active: Players who were not active before, by day.
    """

    totals: dict[tuple[int, str, str | None], tuple[int, int, int]]
    active: Counter[int]

    @classmethod
    def nothing(cls) -> Moved:
        """Of no row."""
        return cls({}, Counter())

    def add(self, totals: Iterable[DailyTotal], active: Mapping[int, int]) -> None:
        """Add more, each sum at most ``MOST_INT``."""
        for one in totals:
            key = one.day, one.kind, one.currency
            rows, gained, lost = self.totals.get(key, (0, 0, 0))
            sums = min(gained + one.gained, MOST_INT), min(lost + one.lost, MOST_INT)
            self.totals[key] = rows + one.rows, *sums
        self.active.update(active)

    def sorted(self) -> list[DailyTotal]:
        """The totals, ascending."""
        keys = sorted(self.totals, key=lambda key: (key[0], key[1], key[2] or ""))
        return [DailyTotal(*key, *self.totals[key]) for key in keys]


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
    moved = Moved.nothing()
    for row in (row for rows in books.values() for row in rows):
        amount = row.get("amount", 0)
        day, currency = row["at_us"] // DAY_US, row.get("currency")
        moved.add([DailyTotal(day, row["kind"], currency, 1, max(amount, 0), max(-amount, 0))], {})
    totals = [list(msgspec.structs.astuple(one)) for one in moved.sorted()]
    return {
        "waits": True,
        "queued": {"totals": totals, "days": [list(day) for day in sorted(active.items())]},
    }


def _taken(requests: Iterable[Stored]) -> Moved:
    moved = Moved.nothing()
    for request in requests:
        totals = (DailyTotal(*map(_plain, one)) for one in request["queued"]["totals"])
        moved.add(totals, {int(day): int(players) for day, players in request["queued"]["days"]})
    return moved


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, int) else value


async def read_moved(driver: MongoDriver, session: MongoSession | None, since_day: int) -> Moved:
    """What was folded and what waits, of one moment."""
    if session is None:
        async with driver.transaction() as own:
            return await read_moved(driver, own, since_day)
    since = {"$gte": since_day}
    moved = await _folded(driver, session, {"day": since}, {"_id": since})
    waiting = _taken(await driver.collection("requests").find(WAITING, session=session).to_list(None))
    moved.add(
        [one for one in waiting.sorted() if one.day >= since_day],
        {day: players for day, players in waiting.active.items() if day >= since_day},
    )
    return moved


async def _folded(driver: MongoDriver, session: MongoSession, totals: Stored, days: Stored) -> Moved:
    moved = Moved.nothing()
    for one in await driver.collection("daily_totals").find(totals, session=session).to_list(None):
        numbers = (int(one[name]) for name in ("rows", "gained", "lost"))
        moved.add([DailyTotal(int(one["day"]), one["kind"], one["currency"], *numbers)], {})
    for one in await driver.collection("active_days").find(days, session=session).to_list(None):
        moved.add([], {int(one["_id"]): int(one["players"])})
    return moved


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
        await _add(driver, _taken(waiting), session)
        same = {**WAITING, "_id": {"$lte": waiting[-1]["_id"]}}  # Of this transaction's moment.
        await requests.update_many(same, {"$unset": {"waits": "", "queued": ""}}, session=session)
        await session.commit_transaction()
    return len(waiting)


async def _add(driver: MongoDriver, moved: Moved, session: MongoSession) -> None:
    """Add to what was folded before."""
    ids = {"_id": {"$in": [_id(*key) for key in moved.totals]}}
    days = {"_id": {"$in": list(moved.active)}}
    before = await _folded(driver, session, ids, days)
    before.add(moved.sorted(), moved.active)
    totals = [
        ReplaceOne({"_id": _id(*key)}, {"_id": _id(*key), **_named(key, sums)}, upsert=True)
        for key, sums in before.totals.items()
    ]
    if totals:
        await driver.collection("daily_totals").bulk_write(totals, session=session)
    active = [
        UpdateOne({"_id": day}, {"$set": {"players": players}}, upsert=True)
        for day, players in before.active.items()
    ]
    if active:
        await driver.collection("active_days").bulk_write(active, session=session)


def _id(day: int, kind: str, currency: str | None) -> str:
    return f"{day}-{kind}-{currency or ''}"


def _named(key: tuple[int, str, str | None], sums: tuple[int, int, int]) -> Stored:
    day, kind, currency = key
    rows, gained, lost = sums
    return {"day": day, "kind": kind, "currency": currency, "rows": rows, "gained": gained, "lost": lost}


async def add_loaded(driver: MongoDriver, rows: pl.DataFrame, session: MongoSession) -> None:
    """Add rows that are put as they were, in the transaction that puts them and their players."""
    moved, users = Moved.nothing(), driver.collection("users")
    moved.add(totals_of([rows], 0), {})
    wanted = {"_id": {"$in": rows["user_id"].unique().to_list()}}
    known = await users.find(wanted, {"active_day": 1}, session=session).to_list(None)
    last = {each["_id"]: int(each.get("active_day", NO_DAY)) for each in known}
    moved.add([], _newly_active(rows, last))
    await _add(driver, moved, session)
    days = [UpdateOne({"_id": user_id}, {"$set": {"active_day": day}}) for user_id, day in last.items()]
    if days:
        await users.bulk_write(days, session=session)


def _newly_active(rows: pl.DataFrame, last: dict[str, int]) -> Counter[int]:
    """Players by the days on which they were active for the first time; ``last`` is moved on by it.

    Args:
        rows: Each player's, oldest first.
        last: The newest day of each player on which they were active.
    """
    active: Counter[int] = Counter()
    day = pl.col("at").dt.timestamp("us") // DAY_US
    players = rows.filter(pl.col("user_id") != SYSTEM).select("user_id", day).unique(maintain_order=True)
    for user_id, on in players.iter_rows():
        if on > last.get(user_id, NO_DAY):
            last[user_id] = on
            active[on] += 1
    return active


async def add_up(driver: MongoDriver, before: Stored, after: Stored) -> None:
    """Add up a ledger of before there were totals, once.

    Args:
        driver: The database; nobody else writes to it.
        before: The document of the schema's version, to be found as it was.
        after: What is set of it in the moment in which the totals are there.
    """
    moved, last, told = Moved.nothing(), dict[str, int](), 0
    async for frame in read_frames(driver):
        moved.add(totals_of([frame], 0), _newly_active(frame, last))
        rows = sum(rows for rows, _, _ in moved.totals.values())
        if rows - told >= _TOLD_ROWS:
            told = rows
            _LOG.info("existing ledger: %d rows are added up so far", rows)
    users = driver.collection("users")
    for user_id, day in last.items():
        await users.update_one({"_id": user_id}, {"$max": {"active_day": day}})
    async with driver.transaction() as session:
        done = await driver.collection("schema_version").update_one(before, {"$set": after}, session=session)
        if done.matched_count:  # Else another process was faster.
            await _add(driver, moved, session)
            await session.commit_transaction()
