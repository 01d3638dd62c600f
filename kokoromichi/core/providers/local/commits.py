"""The way of a change from the event loop to the writer and back."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from kokoromichi.core.errors import CommitUnknownError, RequestMismatchError
from kokoromichi.core.providers.local.groups import Act
from kokoromichi.core.validation import checked_request_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kokoromichi.core.providers.local.groups import Group, Waiting


class Commits:
    """What is on its way, and who waits for it.

    Args:
        publish: Shows readers what has become durable, before anybody who waits is woken.

    Attributes:
        queue: What the writer does next.
        waiting: Commands that are on their way.
    """

    def __init__(self, publish: Callable[[Group], None]) -> None:
        self.queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self.waiting = 0
        self._loop = asyncio.get_running_loop()
        self._publish = publish
        self._in_flight: dict[str, Act] = {}
        self._unknown: set[str] = set()

    def move_to(self, loop: asyncio.AbstractEventLoop) -> None:
        """Deliver to another event loop, since the former one has ended with all who waited in it."""
        self._loop = loop
        self.waiting = 0
        self._in_flight.clear()

    def apply(self, act: Act) -> asyncio.Future[Any]:
        """Send a change on its way, or follow the one that is on its way under the same request id.

        Raises:
            RequestMismatchError: It is on its way for another act.
            CommitUnknownError: It was on its way when the disk failed; opening again tells its outcome.
        """
        request_id = act.change.request_id
        if request_id is not None:
            outcome = self.following(request_id, act.change.digest)
            if outcome is not None:
                return outcome
            self._in_flight[request_id] = act
        return self.send(act)

    def following(self, request_id: str, digest: str) -> asyncio.Future[Any] | None:
        """The outcome of a request that is on its way, for one more who asks; None when it is not."""
        if checked_request_id(request_id) in self._unknown:
            raise CommitUnknownError(request_id)
        act = self._in_flight.get(request_id)
        if act is None:
            return None
        if act.change.digest != digest:
            raise RequestMismatchError(request_id)
        return self._outcome_for(act)

    def send(self, waiting: Waiting) -> asyncio.Future[Any]:
        """Hand something to the writer, which takes all that waits when it is free."""
        outcome = self._outcome_for(waiting)
        self.waiting += 1
        self.queue.put(waiting)
        return outcome

    def _outcome_for(self, waiting: Waiting) -> asyncio.Future[Any]:
        outcome: asyncio.Future[Any] = self._loop.create_future()
        waiting.outcomes.append(outcome)
        return outcome

    def deliver(self, done: Sequence[Waiting], group: Group | None) -> None:
        """Called by the writer's thread: one wake-up of the loop for a whole group."""
        with suppress(RuntimeError):  # The loop has ended, and nobody waits in it any more.
            self._loop.call_soon_threadsafe(self._publish_outcomes, done, group)

    def _publish_outcomes(self, done: Sequence[Waiting], group: Group | None) -> None:
        self.waiting -= len(done)
        if group is not None:
            self._publish(group)
        for one in done:
            if isinstance(one, Act):
                self._forget_in_flight(one)
            for outcome in one.outcomes:
                if outcome.done():
                    continue  # Who stops waiting changes nothing.
                if one.error is None:
                    outcome.set_result(one.answer)
                else:
                    outcome.set_exception(one.error)

    def _forget_in_flight(self, act: Act) -> None:
        request_id = act.change.request_id
        if request_id is not None:
            self._in_flight.pop(request_id, None)
            if isinstance(act.error, CommitUnknownError):
                self._unknown.add(request_id)
