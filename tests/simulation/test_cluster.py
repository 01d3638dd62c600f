"""Jobs on a Dask cluster: the same rows, none lost with a worker, and what is wrong told in a sentence."""

from __future__ import annotations

import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

import pytest
from polars.testing import assert_frame_equal

from kokoromichi.analysis.metrics import METRICS
from kokoromichi.analysis.own import own_metric
from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.batches import batch
from kokoromichi.simulation import cluster, dispatch
from kokoromichi.simulation.cluster import ClusterError
from kokoromichi.simulation.dispatch import each_done
from kokoromichi.simulation.scenario import Scenario
from kokoromichi.simulation.workers import pool_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kokoromichi.analysis.observations import Observations

BASE = Scenario.load("baseline", players=10, days=4)


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a cluster of two workers."""
    from distributed import LocalCluster  # noqa: PLC0415 - slow, and wanted by few tests

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as found:
        yield found.scheduler_address


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PATIENCE_S", 0.5)


def test_words_of_workers_are_read() -> None:
    assert pool_of("dask:3") == ("dask", 3, None)
    assert pool_of("dask") == ("dask", None, None)
    assert pool_of("tcp://10.0.0.7:8786") == ("dask", None, "tcp://10.0.0.7:8786")
    for word in ("dask:0", "tcp://10.0.0.7", "http://10.0.0.7:8786", 3):
        with pytest.raises(MisuseError, match="tcp://host:port"):
            pool_of(word)


def test_a_cluster_leaves_the_rows_of_this_process_and_knows_a_metric_of_ones_own(
    scheduler: str, tmp_path: Path
) -> None:
    def rows_written(seen: Observations) -> float:
        """Rows of the ledger."""
        return seen.ledger.collect().height

    own_metric(rows_written)
    try:
        here, there = (
            batch(
                {"base": BASE}, replications=3, metrics=["rows_written"], workers=workers, out=tmp_path / name
            )
            for name, workers in (("here", "serial"), ("there", scheduler))
        )
    finally:
        del METRICS["rows_written"]
    assert there.missing() == []
    assert_frame_equal(there.runs(), here.runs())


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process as POSIX does")
def test_a_killed_worker_loses_no_job(scheduler: str, tmp_path: Path) -> None:
    def square(number: int) -> int:
        mark = tmp_path / "killed"
        if number == 3 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number**2

    answers = {job: future.result() for job, future in each_done(square, range(20), scheduler)}
    assert answers == {number: number**2 for number in range(20)}
    assert (tmp_path / "killed").exists()


def test_a_job_that_fails_on_a_cluster_says_why(scheduler: str) -> None:
    def fails(_job: int) -> int:
        raise MisuseError("there is no such day")

    ((_, future),) = each_done(fails, [1], scheduler)
    assert str(future.exception()) == "there is no such day"


@pytest.mark.usefixtures("impatient")
def test_a_scheduler_that_does_not_answer_is_said_with_the_cure() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(ClusterError, match=f"no scheduler answers at {address}: start one"):
            list(each_done(abs, [1], address))


@pytest.mark.usefixtures("impatient")
def test_a_cluster_without_workers_is_said_with_the_cure() -> None:
    from distributed import LocalCluster  # noqa: PLC0415 - as above

    with (
        LocalCluster(n_workers=0, dashboard_address=":0") as empty,
        pytest.raises(ClusterError, match="has no workers: start some with dask worker"),
    ):
        list(each_done(abs, [1], empty.scheduler_address))


def test_workers_of_another_version_are_refused(scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "code_hash", lambda: str(os.getpid()))
    with pytest.raises(ClusterError, match="install the same kokoromichi there"):
        list(each_done(abs, [1], scheduler))


def test_a_worker_of_another_version_that_joins_later_plays_no_job(
    scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "code_hash", lambda: "of later")  # Who was there has been asked by then.
    ((_, future),) = each_done(abs, [-1], scheduler)
    assert "a worker that joined has another version: install the same" in str(future.exception())


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MisuseError, match=r'pip install "kokoromichi\[cluster\]"'):
        list(each_done(abs, [1], "dask:1"))
