"""Jobs played one by one, here, in a pool or on a cluster: each is answered for as soon as it is done."""

from __future__ import annotations

import os
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import contextmanager
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

import cloudpickle

from kokoromichi.core.errors import KokoroError
from kokoromichi.simulation.cluster import ClusterError, dask_executor
from kokoromichi.simulation.functions import code_hash
from kokoromichi.simulation.workers import DASK, PROCESS, SERIAL, Threads, Workers, pool_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from kokoromichi.simulation.workers import Asked

J = TypeVar("J")
R = TypeVar("R")

_AHEAD: Final = 4
"""Jobs that wait for each worker: enough to keep it busy, and few enough that thousands cost no memory."""


def each_done(
    play: Callable[[J], R], jobs: Sequence[J], workers: str
) -> Generator[tuple[J, Future[R]], None, None]:
    """Play jobs; those that a dead worker took with it are played again, as long as others get done.

    Args:
        play: What is done with each; it travels to the workers, and so does its answer.
        jobs: In the order in which they begin.
        workers: A word that ``pool_of`` takes.

    Yields:
        Each job and its future, which is done: it holds the answer, or why there is none.

    Raises:
        ClusterError: Of Dask: the scheduler does not answer, or its workers are none or of another version.
    """
    asked = pool_of(workers)
    while jobs:
        if asked.kind == SERIAL:
            for job in jobs:
                yield job, _here(play, job)
            return
        with _pool(asked) as (pool, slots):
            lost = yield from _in_pool(_submitter(asked, pool, play), slots, jobs)
        if len(lost) == len(jobs):
            yield from lost  # No worker lives long enough to be worth another try.
            return
        jobs = [job for job, _ in lost]


def _here(play: Callable[[J], R], job: J) -> Future[R]:
    future: Future[R] = Future()
    try:
        future.set_result(play(job))
    except (KokoroError, OSError) as error:
        future.set_exception(error)
    return future


@contextmanager
def _pool(asked: Asked) -> Iterator[tuple[Executor, Callable[[], int]]]:
    """A pool, and how many jobs it plays at once."""
    if asked.kind == DASK:
        with dask_executor(asked.address, asked.size) as found:
            yield found
        return
    count = asked.size or os.cpu_count() or 1
    with Workers(count) if asked.kind == PROCESS else Threads(count) as pool:
        yield pool, lambda: count


def _in_pool(
    submit: Callable[[J], Future[R]], slots: Callable[[], int], jobs: Sequence[J]
) -> Generator[tuple[J, Future[R]], None, list[tuple[J, Future[R]]]]:
    """Yields the jobs that are done, returns those that a dead worker took with it."""
    lost: list[tuple[J, Future[R]]] = []
    waiting, futures = iter(jobs), dict[Future[R], J]()
    while True:
        for job in islice(waiting, max(0, _AHEAD * max(1, slots()) - len(futures))):
            futures[_submitted(submit, job)] = job
        if not futures:
            return lost
        for future in wait(futures, return_when=FIRST_COMPLETED).done:
            job = futures.pop(future)
            if future.cancelled():
                lost.append((job, _broken(BrokenExecutor("the cluster went away"))))
            elif isinstance(future.exception(), BrokenExecutor):
                lost.append((job, future))
            else:
                yield job, future


def _submitted(submit: Callable[[J], Future[R]], job: J) -> Future[R]:
    try:
        return submit(job)
    except BrokenExecutor as error:  # A worker died while this one was still waiting.
        return _broken(error)


def _broken(error: BrokenExecutor) -> Future[R]:
    future: Future[R] = Future()
    future.set_exception(error)
    return future


def _submitter(asked: Asked, pool: Executor, play: Callable[[J], R]) -> Callable[[J], Future[R]]:
    """Hands jobs to a pool: to other processes whole, with a notebook's functions, which they cannot find.

    A worker of Dask that joins later is asked by each job for its version, since nobody else asks it.
    """
    ours = code_hash() if asked.kind == DASK else None

    def send(job: J) -> Future[R]:
        if not asked.apart:
            return pool.submit(play, job)
        answer: Callable[[bytes, str | None], R] = _unpacked
        return pool.submit(answer, cloudpickle.dumps((play, job)), ours)

    return send


def _unpacked(sent: bytes, code: str | None) -> Any:
    if code is not None and code != _own_code():
        raise ClusterError("a worker that joined has another version: install the same kokoromichi there")
    play, job = cloudpickle.loads(sent)
    return play(job)


_own_code: Final = cache(code_hash)
