"""How a transaction ends: committed, gone, or unknown, and what is left of it on the server.

Whether a commit that was cut off has happened is told by the request id that it has inserted.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pymongo.errors import BulkWriteError, ConnectionFailure, PyMongoError

from kokoromichi.core.errors import CommitUnknownError
from kokoromichi.core.providers.mongo.driver import is_transient, storage_error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from kokoromichi.core.providers.mongo.driver import MongoDriver, MongoSession, Stored

_FIRST_PAUSE_MS: Final = 4
_LONGEST_PAUSE_MS: Final = 512
_LIFETIME_S: Final = 60.0
"""After that a server ends a transaction by itself."""


@dataclass(slots=True)
class Attempts:
    """The attempts at one commit.

    Attributes:
        request_id: The caller's, or the one that was made up.
        tx_id: Unique, and later for each later commit of this process.
        deadline_s: When the patience ends, by the loop's clock.
        tries: Pauses so far.
        uncertain: Whether one of its transactions may have been committed already.
    """

    request_id: str
    tx_id: str
    deadline_s: float = field(default=0.0, kw_only=True)
    tries: int = field(default=0, kw_only=True)
    uncertain: bool = field(default=False, kw_only=True)

    def start(self, patience_s: float) -> None:
        """Begin to be patient."""
        self.deadline_s = asyncio.get_running_loop().time() + patience_s

    def is_late(self) -> bool:
        """Whether the patience has ended."""
        return asyncio.get_running_loop().time() >= self.deadline_s

    async def pause(self) -> None:
        """Let others go first, longer each time, and each caller another while."""
        longest_ms = min(_FIRST_PAUSE_MS << min(self.tries, 16), _LONGEST_PAUSE_MS)
        self.tries += 1
        await asyncio.sleep((1 + secrets.randbelow(longest_ms)) / 1_000)


class Outcomes:
    """Ends transactions of one database."""

    def __init__(self, driver: MongoDriver) -> None:
        self._driver = driver
        self._lost: list[tuple[float, Stored]] = []

    async def retry(
        self, attempts: Attempts, write: Callable[[MongoSession], Awaitable[None]], now_us: int
    ) -> None:
        """Carry out a transaction that may be carried out again, until it is stored.

        Args:
            attempts: Its ids and its patience.
            write: Its writes; nothing else happens in them.
            now_us: When its request id counts as used, in microseconds since the epoch.

        Raises:
            BulkWriteError: A bulk of its writes was refused.
            StorageError: The store failed, or its patience ended.
        """
        mark = {"_id": attempts.request_id, "digest": "", "at_us": now_us, "tx_id": attempts.tx_id}
        while True:
            try:
                async with self.transaction() as session:
                    await write(session)
                    await self._driver.collection("requests").insert_one(mark, session=session)
                    await self.conclude(attempts, session)
            except BulkWriteError:  # noqa: PERF203 - trying again is what the loop is for
                raise
            except PyMongoError as error:
                if not is_transient(error) or attempts.is_late():
                    raise storage_error(self._driver.where, error) from error
                await attempts.pause()
                await self.abort_orphan()
            else:
                return

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MongoSession]:
        """A transaction, as of the driver; one whose connection breaks is buried later."""
        async with self._driver.transaction() as session:
            try:
                yield session
            except (ConnectionFailure, CommitUnknownError):
                session_id: Stored = {**session.session_id}  # type: ignore[dict-item] # Motor's types call it a method.
                self._lost.append((asyncio.get_running_loop().time() + _LIFETIME_S, session_id))
                raise

    async def abort_orphan(self) -> None:
        """End what lost transactions have left on the server: until then they block those who come after.

        Each is ended again while it may still begin: a server may come late to what it was sent.
        """
        now_s = asyncio.get_running_loop().time()
        self._lost = [lost for lost in self._lost if lost[0] > now_s]
        if self._lost:
            with suppress(PyMongoError):  # Whoever is blocked next tries again.
                await self._driver.kill([session_id for _, session_id in self._lost])

    async def conclude(self, attempts: Attempts, session: MongoSession) -> None:
        """Commit, and find out what became of it.

        Raises:
            CommitUnknownError: The patience ended before the server told.
            PyMongoError: The transaction is gone, and nothing of it happened.
        """
        while True:
            try:
                await session.commit_transaction()
            except PyMongoError as error:
                attempts.uncertain = True
                if error.has_error_label("UnknownTransactionCommitResult") and not attempts.is_late():
                    await attempts.pause()
                    continue
                if await self._is_committed(attempts):
                    return
                if is_gone(error):
                    raise
                raise CommitUnknownError(attempts.request_id) from error
            return

    async def _is_committed(self, attempts: Attempts) -> bool:
        """Whether the transaction is stored.

        Raises:
            CommitUnknownError: Nobody answers.
        """
        while True:
            try:
                stored = await self._driver.collection("requests").find_one({"_id": attempts.request_id})
            except PyMongoError as error:  # noqa: PERF203 - trying again is what the loop is for
                if attempts.is_late() or not is_transient(error):
                    raise CommitUnknownError(attempts.request_id) from error
                await attempts.pause()
            else:
                return stored is not None and stored["tx_id"] == attempts.tx_id


def is_gone(error: PyMongoError) -> bool:
    """Whether a commit's error says that the server has aborted the transaction."""
    return error.has_error_label("TransientTransactionError") and not error.has_error_label(
        "UnknownTransactionCommitResult"
    )
