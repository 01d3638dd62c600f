"""One driver plays the acts of all sessions in the order (time, player, sequence), each session a coroutine.

A session awaits services as any caller does, and ``Pause`` where time passes: then the next act of whoever is
first comes. What a real store makes a session wait for is handed through to the event loop, during which the
simulated clock stands still. There is never a task per player: that was measured 22 to 47 times slower.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, TypeAlias

from kokoromichi.core.models import SECOND_US

if TYPE_CHECKING:
    from kokoromichi.core.clock import ManualClock

SessionRun: TypeAlias = "Coroutine[Any, Any, None]"


class Pause:
    """What a session awaits to let simulated time pass.

    Args:
        seconds: Until its next act.
    """

    __slots__ = ("us",)

    def __init__(self, seconds: int) -> None:
        self.us = seconds * SECOND_US

    def __await__(self) -> Generator[Pause, None, None]:
        """Hand itself to the driver."""
        yield self


class _Acts(Generator[Any, Any, "Pause | None"]):
    """A session as ``yield from`` takes it, turn by turn: each ends at a ``Pause``, the last one with None.

    Whatever the event loop sends or throws while the session waits for it reaches the session.
    """

    __slots__ = ("_session",)

    def __init__(self, session: SessionRun) -> None:
        self._session = session

    def __next__(self) -> object:
        yielded = self._session.send(None)
        if type(yielded) is Pause:  # Spelt out: every act of a simulation comes through here.
            raise StopIteration(yielded)
        return yielded

    def send(self, answer: object) -> object:
        return self._turn(self._session.send(answer))

    def throw(self, *error: Any) -> object:
        return self._turn(self._session.throw(*error))

    def close(self) -> None:
        self._session.close()

    @staticmethod
    def _turn(yielded: object) -> object:
        if type(yielded) is Pause:
            raise StopIteration(yielded)
        return yielded


class Driver:
    """Awaiting a driver plays every session that was added, to the end of the last one.

    Args:
        clock: Is set to the time of each act before it is played.
    """

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._queue: list[tuple[int, int, int, _Acts]] = []

    def add(self, at_us: int, player: int, session: SessionRun) -> None:
        """Let a player's session begin at a time, in microseconds since the epoch."""
        heappush(self._queue, (at_us, player, 0, _Acts(session)))

    def __await__(self) -> Generator[Any, Any, None]:
        """Play act by act."""
        queue, clock = self._queue, self._clock
        try:
            while queue:
                at_us, player, sequence, acts = heappop(queue)
                clock.us = at_us
                pause = yield from acts
                if pause is not None:
                    heappush(queue, (at_us + pause.us, player, sequence + 1, acts))
        finally:
            for *_, unfinished in queue:
                unfinished.close()
            queue.clear()
