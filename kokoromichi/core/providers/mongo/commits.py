"""The commit loop: one change, one transaction, run again until it is stored or refused.

Every write of a transaction is conditional, and the request id is inserted with them: running all of it again
is safe.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic
from weakref import WeakValueDictionary

from pymongo.errors import DuplicateKeyError, PyMongoError

from kokoromichi.core.clock import Clock, SystemClock
from kokoromichi.core.counters import counter_overflow
from kokoromichi.core.documents import check_unknown
from kokoromichi.core.errors import (
    CommitUnknownError,
    ConflictError,
    FloorError,
    MisuseError,
    RequestFencedError,
    StorageError,
)
from kokoromichi.core.models import MOST_INT, AnswerT, Receipt
from kokoromichi.core.providers.mongo.bulk_load import Loading
from kokoromichi.core.providers.mongo.documents import changed, ledger_rows, new_player
from kokoromichi.core.providers.mongo.driver import MOST_CONNECTIONS, failures, is_transient, storage_error
from kokoromichi.core.providers.mongo.erasing import Erasing
from kokoromichi.core.providers.mongo.folding import mark_active, queued
from kokoromichi.core.providers.mongo.outcomes import Attempts, Outcomes
from kokoromichi.core.validation import FENCED, check_change, spent

if TYPE_CHECKING:
    from collections import Counter

    from kokoromichi.core.bulk_load import Batch
    from kokoromichi.core.models import ChangeSet, CounterChange
    from kokoromichi.core.providers.mongo.driver import MongoDriver, MongoSession, Stored

_KEPT_STATES: Final = 4_096


class _MissedError(Exception):
    """A player is not stored as it was planned for: read again, and see why."""


class _UsedError(Exception):
    """The request id is taken."""


@dataclass(slots=True)
class Act(Attempts, Generic[AnswerT]):
    """One change on its way.

    Attributes:
        change: What is asked for.
    """

    change: ChangeSet[AnswerT]


@dataclass(slots=True)
class _Plan:
    """The writes of one attempt.

    Attributes:
        before: The changed players' documents as the attempt expects them, by id, ascending.
        sets: What is set of each.
        rows: The ledger's new rows, by book.
        active: How many of the players were not active before, by day.
    """

    before: dict[str, Stored]
    sets: dict[str, Stored]
    rows: dict[str, list[Stored]]
    active: Counter[int]


class MongoCommits:
    """Commits changes, one transaction each.

    Args:
        driver: The database.
        clock: Dates the receipts that are remembered.
        patience_s: How long a commit is tried again, in seconds, once it is its turn.
    """

    def __init__(self, driver: MongoDriver, clock: Clock, patience_s: float) -> None:
        self._patience_s = patience_s
        self._driver = driver
        self._clock = clock
        self._machine = SystemClock()
        self._tag = secrets.token_hex(4)
        self._last_us = 0
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._room = asyncio.Semaphore(MOST_CONNECTIONS)
        self._outcomes = Outcomes(driver)
        self._states: dict[str, Stored] = {}

    def act(self, change: ChangeSet[AnswerT]) -> Act[AnswerT]:
        """A change with its ids: the order of acts is the order of their ``tx_id``, as of this process."""
        tx_id = self._next_tx_id()
        return Act(change.request_id or f"~{tx_id}", tx_id, change=change)

    def _next_tx_id(self) -> str:
        self._last_us = max(self._last_us + 1, self._machine.now_us())
        return f"{self._last_us:016d}-{self._tag}"

    async def load(self, batch: Batch) -> None:
        """Store a part of another store; see ``DataProvider.load``."""
        tx_id = self._next_tx_id()
        attempts = Attempts(f"~{tx_id}", tx_id)
        attempts.start(self._patience_s)
        loading = Loading(self._driver, batch, self._clock.now_us())
        try:
            await loading.store(attempts, self._outcomes)
        finally:
            for snapshot in batch.users:
                self._states.pop(snapshot.profile.user_id, None)

    async def erase(self, user_id: str, pseudonym: str) -> None:
        """Put a pseudonym in the place of a player's id; see ``DataProvider.erase``."""
        tx_id = self._next_tx_id()
        attempts = Attempts(f"~{tx_id}", tx_id)
        attempts.start(self._patience_s)
        erasing = Erasing(self._driver, user_id, pseudonym)
        try:
            await self._outcomes.retry(attempts, erasing.write, self._clock.now_us())
        finally:
            self._states.pop(user_id, None)

    def keep(self, stored: Stored) -> None:
        """Remember a player's document that was just read: a change of its version need not read it again."""
        self._states.pop(stored["_id"], None)
        self._states[stored["_id"]] = stored
        if len(self._states) > _KEPT_STATES:
            del self._states[next(iter(self._states))]

    async def get_response(self, request_id: str, digest: str) -> Receipt | None:
        """The receipt of a request id, or None when it was never used.

        Raises:
            RequestMismatchError: It was used for another act, or so long ago that its receipt is forgotten.
        """
        stored = await self._driver.collection("requests").find_one({"_id": request_id})
        if stored is None:
            return None
        if stored["digest"] != digest or "answer" not in stored:
            raise spent(request_id, stored["digest"])
        return Receipt.decoded(stored["answer"])

    async def fence(self, request_id: str, digest: str) -> Receipt | None:
        """Spend a request id, unless its change is stored; see ``DataProvider.fence``."""
        fence = {"_id": request_id, "digest": FENCED, "at_us": self._clock.now_us(), "tx_id": ""}
        with failures(self._driver.where):
            try:
                await self._driver.collection("requests").insert_one(fence)
            except DuplicateKeyError:
                try:
                    return await self.get_response(request_id, digest)
                except RequestFencedError:
                    return None  # By us: the server's word was lost.
        return None

    async def commit(self, act: Act[AnswerT]) -> AnswerT:
        """Commit an act, or raise; see ``DataProvider.apply``."""
        change = act.change
        names = {f"user {user.user_id}" for user in change.users}
        names.update(f"counter {counter.name}" for counter in change.counters)
        async with AsyncExitStack() as held:
            for name in sorted(names):  # Neighbours wait here: on the server they would abort one another.
                await held.enter_async_context(self._locks.setdefault(name, asyncio.Lock()))
            await held.enter_async_context(self._room)
            act.start(self._patience_s)
            try:
                return await self._retry(act)
            except FloorError:
                # A counter is restocked: what was sent before and was lost must not be stored then.
                if act.uncertain and (answer := await self._fenced(act)) is not None:
                    return answer
                raise
            except (ConflictError, MisuseError):
                if (answer := await self._answered(act)) is not None:
                    return answer
                raise
            except StorageError:
                self._forget(act)
                raise

    async def _fenced(self, act: Act[AnswerT]) -> AnswerT | None:
        try:
            return await self.fence(act.request_id, act.change.digest)  # type: ignore[return-value] # As below.
        except StorageError as error:
            raise CommitUnknownError(act.request_id) from error

    async def _answered(self, act: Act[AnswerT]) -> AnswerT | None:
        """The receipt of the act, if it is stored; a retry reads anew, so that its change may not fit."""
        if act.change.request_id is None and not act.uncertain:
            return None
        with failures(self._driver.where):
            return await self.get_response(act.request_id, act.change.digest)  # type: ignore[return-value] # Its digest says that it is of this act.

    async def _retry(self, act: Act[AnswerT]) -> AnswerT:
        """Attempt until it is committed or refused, or the patience ends."""
        while True:
            try:
                plan = await self._plan(act)
                await self._attempt(act, plan)
            except _MissedError:  # noqa: PERF203 - trying again is what the loop is for
                self._forget(act)
                if act.is_late():
                    raise ConflictError(f"others were faster than request {act.request_id}") from None
            except _UsedError:
                act.uncertain = True
                if (answer := await self._answered(act)) is not None:
                    return answer
            except PyMongoError as error:
                self._forget(act)
                if not is_transient(error) or act.is_late():
                    raise storage_error(self._driver.where, error) from error
                await act.pause()
                await self._outcomes.abort_orphan()
            else:
                for user_id, stored in plan.before.items():
                    self.keep({**stored, **plan.sets[user_id]})
                return act.change.answer

    def _forget(self, act: Act[AnswerT]) -> None:
        for user in act.change.users:
            self._states.pop(user.user_id, None)

    async def _plan(self, act: Act[AnswerT]) -> _Plan:
        """Hold a change against what is stored.

        Raises:
            ConflictError: A player has another version.
            MisuseError: A movement or a field does not fit.
        """
        change = act.change
        check_change(change)
        check_unknown(change)
        users = {user.user_id: user for user in sorted(change.users, key=lambda user: user.user_id)}
        before = {user_id: await self._state(user_id, user.version) for user_id, user in users.items()}
        sets: dict[str, Stored] = {}
        for user_id, user in users.items():
            try:
                sets[user_id] = changed(before[user_id], user, change.at_us)
            except (ConflictError, MisuseError):  # noqa: PERF203 - a change has one player or two
                if self._states.get(user_id) is not before[user_id]:
                    raise
                raise _MissedError from None  # What was kept may be old: read again before refusing.
        sorted_us = max([each["row_us"] for each in sets.values()], default=change.at_us)
        for each in sets.values():
            each["row_us"] = sorted_us
        active = mark_active(change, before, sets)
        return _Plan(before, sets, ledger_rows(change, act.tx_id, act.request_id, sorted_us), active)

    async def _state(self, user_id: str, version: int) -> Stored:
        kept = self._states.get(user_id)
        if kept is not None and kept["version"] == version:
            return kept
        new = new_player(user_id)  # Refuses an id that nobody may have.
        stored: Stored | None = await self._driver.collection("users").find_one({"_id": user_id})
        return new if stored is None else stored

    async def _attempt(self, act: Act[AnswerT], plan: _Plan) -> None:
        """One transaction: what is fought for most comes first, so that who loses has lost little."""
        collection = self._driver.collection
        async with self._outcomes.transaction() as session:
            for counter in act.change.counters:
                await self._count(counter, session)
            for user_id, before in plan.before.items():
                await self._write_user(before, plan.sets[user_id], session)
            request = {
                "_id": act.request_id,
                "digest": act.change.digest,
                "answer": act.change.answer.encoded().decode(),
                "at_us": self._clock.now_us(),
                "tx_id": act.tx_id,
                **(queued(plan.rows, plan.active) if plan.rows else {}),
            }
            try:
                await collection("requests").insert_one(request, session=session)
            except DuplicateKeyError:
                raise _UsedError from None
            for book, rows in plan.rows.items():
                ledger = collection(f"ledger_{book}")
                if len(rows) == 1:
                    await ledger.insert_one(rows[0], session=session)  # A bulk of one costs more.
                else:
                    await ledger.insert_many(rows, session=session)
            await self._outcomes.conclude(act, session)

    async def _write_user(self, before: Stored, sets: Stored, session: MongoSession) -> None:
        """Write a player who is stored as planned; the balances are asked for beside the version.

        So what was edited externally without a new version is never overwritten unseen.
        """
        users = self._driver.collection("users")
        if not before["version"]:
            try:
                await users.insert_one({**before, **sets}, session=session)
            except DuplicateKeyError:
                raise _MissedError from None
            return
        expected = {name: before[name] for name in ("_id", "version", "gold", "gems")}
        expected["active_day"] = before.get("active_day")  # Which a recount may have set.
        if "inventory" in sets:
            expected["inventory"] = before["inventory"]
        result = await users.update_one(expected, {"$set": sets}, session=session)
        if not result.matched_count:
            raise _MissedError

    async def _count(self, counter: CounterChange, session: MongoSession) -> None:
        name, delta = counter.name, counter.delta
        counters = self._driver.collection("counters")
        if counter.creates:
            if delta < 0:
                raise FloorError(name, 0)
            try:
                await counters.insert_one({"_id": name, "value": delta}, session=session)
            except DuplicateKeyError:
                raise ConflictError(f"counter {name} exists already") from None
            return
        fits = {"$gte": -delta} if delta < 0 else {"$lte": MOST_INT - delta}
        result = await counters.update_one(
            {"_id": name, "value": fits}, {"$inc": {"value": delta}}, session=session
        )
        if not result.matched_count:
            stored = await counters.find_one({"_id": name}, session=session)
            if stored is None:
                raise ConflictError(f"counter {name} does not exist")
            if delta > 0:
                raise counter_overflow(name, stored["value"], delta)
            raise FloorError(name, int(stored["value"]))
