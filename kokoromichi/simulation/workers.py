"""Processes that play the jobs of a batch, and end with it however it ends."""

from __future__ import annotations

import ast
import inspect
import os
import re
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, ParamSpec, TypeVar

from kokoromichi.core.errors import MisuseError
from kokoromichi.simulation.functions import travels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Future
    from types import TracebackType

P = ParamSpec("P")
T = TypeVar("T")


SERIAL: Final = "serial"
THREAD: Final = "thread"
PROCESS: Final = "process"
DASK: Final = "dask"
_COUNTED: Final = re.compile(rf"({THREAD}|{PROCESS}|{DASK})(?::([1-9]\d*))?")
_SCHEDULER: Final = re.compile(r"(?:tcp|tls)://.+:\d+")


class Asked(NamedTuple):
    """What a ``--workers`` word asks for.

    Attributes:
        kind: SERIAL, THREAD, PROCESS or DASK.
        size: How many; None is one a core, or as many as the cluster has.
        address: Of the scheduler of a cluster that is running.
    """

    kind: str
    size: int | None = None
    address: str | None = None

    @property
    def apart(self) -> bool:
        """Whether jobs are played in other processes, so that all they need must be sent there."""
        return self.kind in {PROCESS, DASK}


def pool_of(workers: object) -> Asked:
    """Read a ``--workers`` word.

    Raises:
        MisuseError: It is none of serial, thread[:N], process[:N], dask[:N] and tcp://host:port, or a worker
            would start workers.
    """
    word = str(workers)
    if word == SERIAL:
        return Asked(SERIAL, 1)
    if _SCHEDULER.fullmatch(word):
        return Asked(DASK, address=word)
    if (found := _COUNTED.fullmatch(word)) is None:
        message = (
            f"workers {workers!r}: use serial, process or process:N, thread or thread:N, dask or dask:N, "
            "or a Dask scheduler's tcp://host:port"
        )
        raise MisuseError(message)
    asked = Asked(found[1], int(found[2]) if found[2] else None)
    if asked.apart and parent_process() is not None:
        message = (
            "this process is a worker itself: in a script, call simulate() under "
            'if __name__ == "__main__": or with workers="serial"'
        )
        raise MisuseError(message)
    return asked


def require_sendable(workers: str, functions: Mapping[str, Callable[..., object]]) -> None:
    """Refuse workers to whom the script, or a function of one's own, cannot be sent.

    Args:
        workers: A word that ``pool_of`` takes.
        functions: By what they are called in the message, such as ``stage 'spend'``.

    Raises:
        MisuseError: The word is none, the script has no guard, or a function cannot be written.
    """
    asked = pool_of(workers)
    if not asked.apart:
        return
    if asked.address is None and (script := unguarded_script()) is not None:
        raise MisuseError(
            f"each worker process runs {script} anew: put what it does under "
            'if __name__ == "__main__":, or use workers="serial"'
        )
    for name, function in functions.items():
        if not travels(function):
            message = (
                f"{name} cannot be sent to other processes, for something that it holds cannot be written: "
                'leave that out, or use workers="serial"'
            )
            raise MisuseError(message)


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
        with _interrupts_held_back():
            return super().submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - as above
        """End the pool; with ``cancel_futures`` the jobs that are played now end as well."""
        if cancel_futures:
            self._lifeline.close()
        super().shutdown(wait, cancel_futures=cancel_futures)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for all jobs, but for none of them where an error or a Ctrl-C ends the block."""
        self.shutdown(cancel_futures=kind is not None)


class Threads(ThreadPoolExecutor):
    """A pool of threads whose waiting jobs are dropped where an error or a Ctrl-C ends the block."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for all jobs; where the block failed, for those alone that are played now."""
        self.shutdown(cancel_futures=kind is not None)


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
def _interrupts_held_back() -> Iterator[None]:
    """Hold a Ctrl-C back while processes are started, who are deaf to it from their first moment on.

    They inherit which signals are blocked. Ignoring it would make them as deaf, and lose it for this process.
    """
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _frame: held.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
    if held:
        signal.raise_signal(signal.SIGINT)
