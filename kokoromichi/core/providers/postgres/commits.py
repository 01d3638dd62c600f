"""Changes on their way to the server: many in one call, and each with an outcome of its own.

What a call does there is the function ``apply_change`` of ``step_001.sql``: it holds a change against what is
stored and inserts its ledger rows.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import asyncpg

from kokoromichi.core.documents import check_unknown
from kokoromichi.core.errors import (
    CommitUnknownError,
    FloorError,
    KokoroError,
    MisuseError,
    RequestMismatchError,
    StorageError,
)
from kokoromichi.core.models import Receipt
from kokoromichi.core.providers.postgres.connections import LOST, PAUSE_S, RETRIED, TIMED_OUT, cut_off
from kokoromichi.core.providers.postgres.wire import MADE_UP, encode_change, storage_error
from kokoromichi.core.validation import FENCED, check_change, checked_request_id, spent

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from kokoromichi.core.models import AnswerT, ChangeSet
    from kokoromichi.core.providers.postgres.connections import Connections

_ONE: Final = "SELECT apply_change($1)"
_MANY: Final = "SELECT apply_changes($1)"

_FENCE: Final = "INSERT INTO requests VALUES ($1, $2, NULL, now()) ON CONFLICT DO NOTHING"
"""Whoever has inserted the same id and not committed yet is waited for."""
_STORED: Final = "SELECT digest, answer::text FROM requests WHERE request_id = $1"

_MOST: Final = 50
"""Changes of one call: the server keeps the state of 64 subtransactions at hand."""

_CALLS: Final = 2
"""Calls on their way at once while the server keeps up; the second one only when it is full.

One call for all who wait means one sync for all, and nobody who waits for another call's locks.
"""

_HURRY_S: Final = 0.02
"""A change that has waited longer, for a call that hangs, gets a call of its own."""

_ANSWER_S: Final = 10.0
"""The server's time for one call, after which its connection counts as lost; more than a lock's wait."""

_LOCK_NOT_AVAILABLE: Final = "55P03"


@dataclass(slots=True, eq=False)
class _Pending:
    """A change whose outcome is open; ``outcome`` will hold the remembered receipt, or nothing for a new one.

    Attributes:
        answer: The receipt of the change when it is new. A second caller may have decided on what it has just
            stored: its own receipt would be that of an act that never happened.
        in_doubt: It was asked for on a connection that was lost, so that the server may still store it.
    """

    request_id: str
    digest: str
    encoded: bytes
    answer: Receipt
    outcome: asyncio.Future[str | None]
    in_doubt: bool = False

    def fail(self, error: KokoroError) -> None:
        self.outcome.set_exception(error)
        self.outcome.exception()  # Its caller may have gone, and then nobody else would look.


class PostgresCommits:
    """The one way in which changes reach the server.

    Args:
        connections: Where they are sent.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._in_flight: dict[str, _Pending] = {}
        self._queue: deque[_Pending] = deque()
        self._draining = 0
        self._calls: set[asyncio.Task[None]] = set()

    async def apply(self, change: ChangeSet[AnswerT]) -> AnswerT:
        """Store a change whole, or raise and store nothing; see ``DataProvider.apply``.

        A caller that is cancelled leaves its change on the way: the same request id asks for its outcome.
        """
        check_change(change)
        check_unknown(change)
        if change.request_id is None:
            request_id = f"{MADE_UP}{uuid.uuid4().hex}"
        else:
            request_id = checked_request_id(change.request_id)
        pending = self._in_flight.get(request_id)  # The second caller waits for the first one's outcome.
        if pending is None:
            outcome = asyncio.get_running_loop().create_future()
            encoded = encode_change(change, request_id)
            pending = _Pending(request_id, change.digest, encoded, change.answer, outcome)
            self._connections.check_open()
            self._in_flight[request_id] = pending
            outcome.add_done_callback(lambda _: self._in_flight.pop(request_id))
            if len(change.users) == 1:
                self._enqueue(pending)
            else:  # Several players' locks are taken in order, and never amid those of other changes.
                self._start(self._send_alone(pending))
        elif pending.digest != change.digest:
            raise RequestMismatchError(request_id)
        stored = await asyncio.shield(pending.outcome)
        return Receipt.decoded(stored) if stored else pending.answer  # type: ignore[return-value] # The digest says that it is of this act.

    async def fence(self, request_id: str, digest: str) -> str | None:
        """Spend a request id, unless its change is stored; see ``DataProvider.fence``.

        Returns:
            The remembered receipt, empty for an id that was made up; None when the id is spent.
        """

        async def spend(connection: asyncpg.Connection) -> asyncpg.Record:
            await connection.execute(_FENCE, request_id, FENCED)
            return await connection.fetchrow(_STORED, request_id)

        stored = await self._connections.read(spend)
        if stored["digest"] == FENCED:
            return None
        if stored["digest"] != digest or (stored["answer"] is None and not request_id.startswith(MADE_UP)):
            raise spent(request_id, stored["digest"])
        return stored["answer"] or ""

    @property
    def waiting(self) -> int:
        """Changes that are on their way."""
        return len(self._in_flight)

    async def close(self) -> None:
        """Wait for what is on its way."""
        while self._calls:
            await asyncio.wait(self._calls)

    def _start(self, call: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(call)
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    def _enqueue(self, pending: _Pending) -> None:
        """Send at once when nothing is on its way; else what comes meanwhile shares the next call."""
        queue = self._queue
        queue.append(pending)
        if not self._draining or (len(queue) >= _MOST and self._draining < _CALLS):
            self._start_draining()
        elif len(queue) == 1:
            self._watch(pending)

    def _watch(self, first: _Pending) -> None:
        asyncio.get_running_loop().call_later(_HURRY_S, self._hurry, first)

    def _hurry(self, waiting: _Pending) -> None:
        if self._queue and self._queue[0] is waiting:
            self._start_draining()

    def _start_draining(self) -> None:
        self._draining += 1
        self._start(self._drain())

    async def _drain(self) -> None:
        """Send what waits, call after call."""
        queue = self._queue
        try:
            while queue:
                batch = [queue.popleft() for _ in range(min(len(queue), _MOST))]
                if queue:
                    self._watch(queue[0])
                await self._send(batch)
        finally:
            self._draining -= 1

    async def _send(self, batch: list[_Pending]) -> None:
        if len(batch) == 1:
            await self._send_alone(batch[0])
            return
        try:
            encoded = b"[" + b",".join(pending.encoded for pending in batch) + b"]"
            outcomes = json.loads(await self._ask(_MANY, encoded, batch) or "[]")
        except asyncpg.PostgresError:  # One that cannot be read spoils the call for all: each for itself.
            outcomes = [[None, _LOCK_NOT_AVAILABLE, "", None]] * len(batch)
        for pending, outcome in zip(batch, outcomes, strict=False):  # None where all of them have failed.
            self._settle(pending, *outcome)

    def _settle(
        self,
        pending: _Pending,
        answer: str | None,
        code: str | None = None,
        message: str = "",
        detail: str | None = None,
    ) -> None:
        if code is None:
            pending.outcome.set_result(answer)
        elif (error := storage_error(code, message, detail, pending.request_id)) is not None:
            self._refuse(pending, error)
        else:
            self._start(self._send_alone(pending))

    def _refuse(self, pending: _Pending, error: KokoroError) -> None:
        """Tell a refusal; one that time may cure fences first what of the same change may still arrive.

        A player's version never comes back, and a row that did not fit it never will; a counter is restocked.
        """
        if pending.in_doubt and isinstance(error, FloorError):
            self._start(self._fence(pending, error))
        else:
            pending.fail(error)

    async def _fence(self, pending: _Pending, error: KokoroError) -> None:
        try:
            answer = await self.fence(pending.request_id, pending.digest)
        except StorageError:
            pending.fail(CommitUnknownError(pending.request_id))
        except MisuseError as mismatch:
            pending.fail(mismatch)
        else:
            if answer is None:
                pending.fail(error)
            else:
                pending.outcome.set_result(answer)

    async def _send_alone(self, pending: _Pending) -> None:
        try:
            answer = await self._ask(_ONE, pending.encoded, [pending])
        except asyncpg.PostgresError as error:
            said = storage_error(error.sqlstate, str(error.args[0]), error.detail, pending.request_id)
            self._refuse(pending, said or _unstored(pending, self._connections.failed(error)))
        else:
            if not pending.outcome.done():
                pending.outcome.set_result(answer)

    async def _ask(self, call: str, encoded: bytes, batch: list[_Pending]) -> str | None:
        """Ask until the server has said yes or no, with the same ids each time; else fail the whole batch.

        Raises:
            asyncpg.PostgresError: It has said no, and nothing of this call happened; of an earlier one on a
                connection that was lost it says nothing.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._connections.patience_s
        while True:
            sent = False
            try:
                async with self._connections.connection(max(deadline - loop.time(), PAUSE_S)) as connection:
                    sent = True
                    with cut_off(connection, _ANSWER_S):
                        said: str | None = await connection.fetchval(call, encoded)
                    return said
            except (*LOST, *TIMED_OUT, *RETRIED) as error:
                if sent and not isinstance(error, RETRIED):
                    for pending in batch:
                        pending.in_doubt = True
                if loop.time() + PAUSE_S >= deadline:
                    for pending in batch:
                        pending.fail(_unstored(pending, self._connections.failed(error)))
                    return None
                await asyncio.sleep(PAUSE_S)
            except MisuseError as closed:  # By somebody who did not wait for us.
                for pending in batch:
                    pending.fail(_unstored(pending, closed))
                return None


def _unstored(pending: _Pending, error: KokoroError) -> KokoroError:
    """What to tell whose change the last try did not store: one that was lost before may still do so."""
    return CommitUnknownError(pending.request_id) if pending.in_doubt else error
