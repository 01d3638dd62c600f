"""One driver plays the acts of all sessions in the order (time, player, sequence), each session a coroutine.

A session awaits services as any caller does, and ``Pause`` where time passes: then the next act of whoever is
first comes. What a real store makes a session wait for is handed through to the event loop, during which the
simulated clock stands still. There is never a task per player: that was measured 22 to 47 times slower.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from heapq import heappop, heappush
from typing import Any, TypeAlias

from kokoromichi.core.clock import ManualClock

Session: TypeAlias = "Coroutine[Any, Any, None]"


class Pause:
    """What a session awaits to let simulated time pass.

    Args:
        seconds: Until its next act.
    """

    __slots__ = ("us",)

    def __init__(self, seconds: int) -> None:
        self.us = seconds * 1_000_000

    def __await__(self) -> Generator[Pause, None, None]:
        """Hand itself to the driver."""
        yield self


class Driver:
    """Awaiting a driver plays every session that was added, to the end of the last one.

    Args:
        clock: Is set to the time of each act before it is played.
    """

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._queue: list[tuple[int, int, int, Session]] = []

    def add(self, at_us: int, player: int, session: Session) -> None:
        """Let a player's session begin at a time, in microseconds since the epoch."""
        heappush(self._queue, (at_us, player, 0, session))

    def __await__(self) -> Generator[Any, Any, None]:
        """Play act by act."""
        queue, clock = self._queue, self._clock
        try:
            while queue:
                at_us, player, sequence, session = heappop(queue)
                clock.us = at_us
                answer: object = None
                while True:
                    try:
                        yielded = session.send(answer)
                    except StopIteration:
                        break
                    if type(yielded) is Pause:
                        heappush(queue, (at_us + yielded.us, player, sequence + 1, session))
                        break
                    answer = yield yielded  # A future of the event loop, which resumes us with its result.
        finally:
            for *_, unfinished in queue:
                unfinished.close()
            queue.clear()
