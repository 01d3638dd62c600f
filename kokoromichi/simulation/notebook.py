"""How far long work is, told in a notebook: one line that is kept up to date."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from IPython.display import DisplayHandle

_PERIOD_S: Final = 0.5


class Watched:
    """A count of runs, shown where this process serves a notebook, and nowhere else.

    Args:
        what: Is done, such as ``"Simulating baseline"``.
        runs: How many there are to be; there may come more.
    """

    def __init__(self, what: str, runs: int) -> None:
        self._what, self._runs, self._done = what, runs, 0
        self._begun_s = self._shown_s = time.monotonic()
        self._line: DisplayHandle | None = None

    def step(self, what: str) -> None:
        """Tell what is done before the first run."""
        self._show(f"{self._what}: {what}")

    def done(self, *_run: object) -> None:
        """Count a run."""
        self.reach(self._done + 1)

    def reach(self, done: int) -> None:
        """Tell that so many runs are done."""
        self._done = done
        if self._done >= self._runs or time.monotonic() - self._shown_s >= _PERIOD_S:
            of = f" of {self._runs:,}" if self._done <= self._runs else ""
            passed_s = time.monotonic() - self._begun_s
            self._show(f"{self._what}: {self._done:,}{of} runs, {passed_s:,.0f} s")

    def _show(self, text: str) -> None:
        if not _is_notebook():
            return
        self._shown_s = time.monotonic()
        told = {"text/plain": text}
        if self._line is not None:
            self._line.update(told, raw=True)  # type: ignore[no-untyped-call] # IPython has no types here.
            return
        from IPython.display import display  # noqa: PLC0415 - only a notebook asks, and it is there

        self._line = display(told, raw=True, display_id=True)  # type: ignore[no-untyped-call] # As above.


def _is_notebook() -> bool:
    running = sys.modules.get("IPython")
    return running is not None and hasattr(running.get_ipython(), "kernel")
