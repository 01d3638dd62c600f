"""Changes on their way to the server: each gets its own fate, whatever happens to the connection."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Final

import asyncpg

from kokoromichi.core.answers import decode_answer
from kokoromichi.core.data_provider import AnswerT, checked_request_id
from kokoromichi.core.errors import CommitUnknownError, KokoroError, RequestMismatchError, StorageError
from kokoromichi.core.providers.postgres.connections import LOST, PAUSE_S, RETRIED, TIMED_OUT
from kokoromichi.core.providers.postgres.wire import MADE_UP, encode_change, storage_error

if TYPE_CHECKING:
    from kokoromichi.core.data_provider import Document
    from kokoromichi.core.models import ChangeSet
    from kokoromichi.core.providers.postgres.connections import Connections

_APPLY: Final = "SELECT apply_change($1)"

_ANSWER_S: Final = 10.0
"""The server's time for one change, after which its connection counts as lost; more than a lock's wait."""


class Commits:
    """The one way in which changes reach the server.

    Args:
        connections: Where they are sent.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._in_flight: dict[str, tuple[str, asyncio.Task[str | None]]] = {}

    async def apply(self, change: ChangeSet[AnswerT], unknown: Document | None = None) -> AnswerT:
        """Store a change whole, or raise and store nothing; see ``DataProvider.apply``.

        A caller that is cancelled leaves its change on the way: the same request id asks for its fate.
        """
        if change.request_id is None:
            request_id = f"{MADE_UP}{uuid.uuid4().hex}"
        else:
            request_id = checked_request_id(change.request_id)
        if (under_way := self._in_flight.get(request_id)) is None:
            call = asyncio.create_task(self._store(encode_change(change, request_id, unknown), request_id))
            self._in_flight[request_id] = change.digest, call
            call.add_done_callback(lambda _: self._in_flight.pop(request_id))
        else:
            digest, call = under_way  # The second caller waits for the first one's fate.
            if digest != change.digest:
                raise RequestMismatchError(request_id)
        remembered = await asyncio.shield(call)
        if not remembered:
            return change.answer
        return decode_answer(remembered)  # type: ignore[return-value] # The digest says that it is of this act.

    async def close(self) -> None:
        """Wait for what is on its way."""
        await asyncio.gather(*(call for _, call in self._in_flight.values()), return_exceptions=True)

    async def _store(self, encoded: bytes, request_id: str) -> str | None:
        """Ask until the server has said yes or no, with the same id each time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._connections.patience_s
        may_have_happened = False
        while True:
            sent = False
            try:
                async with self._connections.connection(max(deadline - loop.time(), PAUSE_S)) as connection:
                    sent = True
                    answer: str | None = await connection.fetchval(_APPLY, encoded, timeout=_ANSWER_S)
                    return answer
            except (*LOST, *TIMED_OUT, *RETRIED) as error:
                may_have_happened |= sent and not isinstance(error, RETRIED)
                if loop.time() + PAUSE_S >= deadline:
                    raise self._fate(request_id, error, unknown=may_have_happened) from error
                await asyncio.sleep(PAUSE_S)
            except asyncpg.PostgresError as error:
                raise self._refused(error, request_id) from error

    def _fate(self, request_id: str, error: Exception, *, unknown: bool) -> StorageError:
        return CommitUnknownError(request_id) if unknown else self._connections.failed(error)

    def _refused(self, error: asyncpg.PostgresError, request_id: str) -> KokoroError:
        known = storage_error(error.sqlstate, str(error.args[0]), error.detail, request_id)
        return known or self._connections.failed(error)
