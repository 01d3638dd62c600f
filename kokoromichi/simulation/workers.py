"""Processes that play the jobs of a batch, and end with it however it ends."""

from __future__ import annotations

import ast
import inspect
import os
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import connection, get_context
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

P = ParamSpec("P")
T = TypeVar("T")


class Workers(ProcessPoolExecutor):
    """A pool whose processes end when their parent is killed, and at once when waiting jobs are cancelled.

    They hold one end of a pipe in which nothing is ever written: it can be read when the other end is closed.
    They are deaf to Ctrl-C, which a terminal sends them too, because their parent decides what it means.

    Args:
        count: How many; None for one a core.
    """

    def __init__(self, count: int | None = None) -> None:
        # Spawned, not forked: polars keeps threads, and a fork copies their locks in whatever state they are.
        context = get_context("spawn")
        lifeline, self._lifeline = context.Pipe(duplex=False)
        super().__init__(count, context, _hold, (lifeline,))

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Let a worker call a function; this is where workers are started."""
        with _deaf_to_interrupts():
            return super().submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - as above
        """End the pool; with ``cancel_futures`` the jobs that are played now end as well."""
        if cancel_futures:
            self._lifeline.close()
        super().shutdown(wait, cancel_futures=cancel_futures)


def unguarded_script() -> str | None:
    """The script that calls this outside of its ``__main__`` guard: every worker would run it anew."""
    main = sys.modules["__main__"]
    file, frame = getattr(main, "__file__", None), inspect.currentframe()
    if file is None or getattr(main.__spec__, "name", "").endswith("__main__"):
        return None  # A notebook, or a package that is run by its name: neither is imported anew.
    while frame is not None and (frame.f_globals is not vars(main) or frame.f_code.co_name != "<module>"):
        frame = frame.f_back
    if frame is None:
        return None
    for statement in ast.parse(Path(file).read_text(encoding="utf-8")).body:
        if statement.lineno <= frame.f_lineno <= (statement.end_lineno or statement.lineno):
            guarded = isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test)
            return None if guarded else str(file)
    return None


def _hold(lifeline: connection.Connection) -> None:
    """Begin a worker's life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Not inherited where a thread started the worker.
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()


def _end_with(lifeline: connection.Connection) -> None:
    connection.wait([lifeline])
    os._exit(1)  # Whatever other threads do: a job's files count only under their last name.


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes that are started here ignore Ctrl-C from their first moment on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
