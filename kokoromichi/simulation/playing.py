"""Jobs played one by one, in this process or in a pool: each is answered for as soon as it is done."""

from __future__ import annotations

import os
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from kokoromichi.core.errors import KokoroError
from kokoromichi.simulation.workers import PROCESS, SERIAL, Threads, Workers, pool_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

J = TypeVar("J")
R = TypeVar("R")

_AHEAD: Final = 4
"""Jobs that wait for each worker: enough to keep it busy, and few enough that thousands cost no memory."""


def played(
    play: Callable[[J], R], jobs: Sequence[J], workers: str
) -> Generator[tuple[J, Future[R]], None, None]:
    """Play jobs; those that a dead worker took with it are played again, as long as others get done.

    Args:
        play: What is done with each; it travels to the workers, and so does its answer.
        jobs: In the order in which they begin.
        workers: A word that ``pool_of`` takes.

    Yields:
        Each job and its future, which is done: it holds the answer, or why there is none.
    """
    while True:
        kind, size = pool_of(workers)
        if kind == SERIAL:
            for job in jobs:
                yield job, _here(play, job)
            return
        count = size or os.cpu_count() or 1
        lost = yield from _in_pool(Workers(count) if kind == PROCESS else Threads(count), count, play, jobs)
        if len(lost) == len(jobs):
            yield from lost  # None, or no worker lives long enough to be worth another try.
            return
        jobs = [job for job, _ in lost]


def _here(play: Callable[[J], R], job: J) -> Future[R]:
    future: Future[R] = Future()
    try:
        future.set_result(play(job))
    except (KokoroError, OSError) as error:
        future.set_exception(error)
    return future


def _in_pool(
    pool: Workers | Threads, count: int, play: Callable[[J], R], jobs: Sequence[J]
) -> Generator[tuple[J, Future[R]], None, list[tuple[J, Future[R]]]]:
    """Yields the jobs that are done, returns those that a dead worker took with it."""
    lost: list[tuple[J, Future[R]]] = []
    waiting, futures = iter(jobs), dict[Future[R], J]()
    with pool:
        while True:
            for job in islice(waiting, _AHEAD * count - len(futures)):
                futures[_submitted(pool, play, job)] = job
            if not futures:
                return lost
            for future in wait(futures, return_when=FIRST_COMPLETED).done:
                job = futures.pop(future)
                if isinstance(future.exception(), BrokenExecutor):
                    lost.append((job, future))
                else:
                    yield job, future


def _submitted(pool: Workers | Threads, play: Callable[[J], R], job: J) -> Future[R]:
    try:
        return pool.submit(play, job)
    except BrokenExecutor as error:  # A worker died while this one was still waiting.
        future: Future[R] = Future()
        future.set_exception(error)
        return future
