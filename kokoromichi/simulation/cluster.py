"""A Dask cluster that plays jobs: one of this machine's own, or one whose scheduler runs somewhere."""

from __future__ import annotations

import logging
import os
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.simulation.functions import code_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

    from distributed import Client, LocalCluster

logger = logging.getLogger(__name__)

PAGE: Final = ":8787"
"""Where a cluster of this machine's own shows what it does; another port where that one is taken."""
PATIENCE_S: Final = 10.0
"""How long a scheduler, and its first worker, may take to answer."""


class ClusterError(StorageError):
    """A cluster does not answer, has no workers, or would play other code."""


@contextmanager
def dask_executor(
    address: str | None, count: int | None = None
) -> Iterator[tuple[Executor, Callable[[], int]]]:
    """An executor over a cluster of this very code; Dask gives the jobs of a dead worker to others.

    Args:
        address: Of a scheduler, ``tcp://host:port``; None starts a cluster of this machine's own, which ends
            with the block.
        count: Workers of such a cluster; None for one a core.

    Yields:
        The executor, and how many jobs the cluster plays at once now.

    Raises:
        MisuseError: Dask is not installed.
        ClusterError: The scheduler does not answer, has no workers, or they have another version.
    """
    try:
        import distributed  # noqa: PLC0415 - slow, and of an extra
    except ModuleNotFoundError as error:
        raise MisuseError('workers of Dask need it: pip install "kokoromichi[cluster]"') from error
    if address is None:
        with _of_this_machine(count) as cluster, distributed.Client(cluster, set_as_default=False) as client:
            logger.info("Dask shows what it does at %s", cluster.dashboard_link)
            with _executor(client) as found:
                yield found
        return
    try:
        client = distributed.Client(address, timeout=PATIENCE_S, set_as_default=False)
    except (OSError, distributed.TimeoutError) as error:
        raise ClusterError(
            f"no scheduler answers at {address}: start one with dask scheduler, or use workers='process'"
        ) from error
    with client:
        _require_workers(client, address)
        with _executor(client) as found:
            yield found


@contextmanager
def _of_this_machine(count: int | None) -> Iterator[LocalCluster]:
    from distributed import LocalCluster  # noqa: PLC0415 - as above

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Port .* is already in use")
        cluster = LocalCluster(
            n_workers=count or os.cpu_count() or 1, threads_per_worker=1, dashboard_address=PAGE
        )
    with cluster:
        yield cluster


@contextmanager
def _executor(client: Client) -> Iterator[tuple[Executor, Callable[[], int]]]:
    executor = client.get_executor(pure=False)
    done = False
    try:
        yield executor, lambda: sum(client.nthreads().values())
        done = True
    finally:
        executor.shutdown(wait=done)


def _require_workers(client: Client, address: str) -> None:
    from distributed import TimeoutError as Late  # noqa: PLC0415 - as above

    try:
        client.wait_for_workers(1, timeout=PATIENCE_S)
    except Late as error:
        raise ClusterError(
            f"the scheduler at {address} has no workers: start some with dask worker {address}"
        ) from error
    try:
        theirs = client.run(code_hash)
    except ModuleNotFoundError as error:
        raise ClusterError(
            f"a worker of {address} lacks {error.name}: install the same kokoromichi there"
        ) from error
    ours = code_hash()
    if odd := [worker for worker, found in theirs.items() if found != ours]:
        raise ClusterError(f"the worker {odd[0]} has another version: install the same kokoromichi there")
