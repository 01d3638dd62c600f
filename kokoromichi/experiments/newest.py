"""Questions that come faster than they are answered: the newest one alone is worth an answer."""

from __future__ import annotations

from threading import Lock, Thread, current_thread
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Q = TypeVar("Q")


class Newest(Generic[Q]):
    """Answers in a thread of its own; of the questions that come meanwhile, all but the last are dropped.

    An answer that fails ends its thread, as an error does everywhere, and the next question begins another.

    Args:
        answer: Called with one question at a time.
    """

    def __init__(self, answer: Callable[[Q], None]) -> None:
        self._answer = answer
        self._lock = Lock()
        self._waiting: list[Q] = []
        self._thread: Thread | None = None

    def ask(self, question: Q) -> None:
        """Answer this next, and nothing that was still waiting."""
        with self._lock:
            self._waiting = [question]
            if self._thread is None:
                self._begin()

    def wait(self) -> None:
        """Wait until there is nothing left to answer."""
        while (thread := self._thread) is not None:
            thread.join()

    def _begin(self) -> None:
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while (question := self._taken()) is not None:
                self._answer(*question)
        finally:
            with self._lock:
                if self._thread is current_thread():  # It has failed.
                    self._thread = None
                    if self._waiting:
                        self._begin()

    def _taken(self) -> list[Q] | None:
        """The question that waits, in a list; None where there is none, and the thread is over."""
        with self._lock:
            taken, self._waiting = self._waiting, []
            if not taken:
                self._thread = None
            return taken or None
