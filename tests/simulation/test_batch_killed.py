"""Batches whose command or workers are killed: nothing half is left, nothing plays on, a rerun completes."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kokoromichi.simulation.replication_jobs import Job, run_jobs
from kokoromichi.simulation.scenario import Scenario
from kokoromichi.simulation.simulate import simulate
from tests.simulation.commands import (
    PATIENCE_S,
    PLAYERS,
    SEED,
    digests,
    done_in,
    finish,
    kill,
    lives,
    start,
    wait_until_done,
    workers_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def unhurried(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of ``start`` that nobody killed."""
    folder = tmp_path_factory.mktemp("unhurried") / "run"
    finish(folder, "serial")
    return folder


@pytest.mark.skipif(sys.platform == "win32", reason="kills process groups as POSIX does")
@pytest.mark.parametrize("workers", ["serial", "process:2"])
def test_a_killed_batch_leaves_nothing_half_and_a_rerun_completes_it(
    unhurried: Path, tmp_path: Path, workers: str
) -> None:
    folder = tmp_path / "run"
    command = start(folder, workers)
    try:
        wait_until_done(folder, 1)
    finally:
        kill(command)
    theirs = digests(unhurried)
    counted = {name: found for name, found in digests(folder).items() if "/." not in name}
    assert not (folder / "report.html").exists()
    assert counted == {name: theirs[name] for name in counted}
    finish(folder, workers)
    assert digests(folder) == theirs


@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers as Linux lists them")
def test_a_dead_worker_costs_its_job_and_not_the_batch(unhurried: Path, tmp_path: Path) -> None:
    scenario, killed = Scenario.load("baseline", players=PLAYERS, days=40), list[int]()

    def kill_one(_job: Job, _summary: Mapping[str, object]) -> None:
        if not killed:
            killed.append(workers_of(os.getpid())[0])
            os.kill(killed[0], signal.SIGKILL)

    run = simulate(
        scenario,
        replications=4,
        seed=SEED,
        workers="process:2",
        out=tmp_path,
        engine="faithful",
        on_done=kill_one,
    )
    assert killed
    assert digests(run.folder) == digests(unhurried)


@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers as Linux lists them")
def test_workers_end_with_the_command_that_was_killed(tmp_path: Path) -> None:
    """Not with their job, and not never: a folder is then free for the same command again."""
    folder = tmp_path / "run"
    command = start(folder, "process:2", days=400)
    try:
        give_up_at = time.monotonic() + PATIENCE_S
        while len(workers := workers_of(command.pid)) < 2:
            assert time.monotonic() < give_up_at, "the command started no workers"
            time.sleep(0.02)
        os.kill(command.pid, signal.SIGKILL)
        while living := [worker for worker in workers if lives(worker)]:
            assert time.monotonic() < give_up_at, f"{living} outlived their command"
            time.sleep(0.02)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(command.pid, signal.SIGKILL)
        command.communicate()
    assert done_in(folder) == 0


class Deadly(type(Path())):  # type: ignore[misc] # The platform's own Path.
    """A folder whose arrival kills the worker, as running out of memory would."""

    def __reduce__(self) -> tuple[object, ...]:
        return (os._exit, (3,))


def test_jobs_that_kill_every_worker_fail_in_the_end(tmp_path: Path) -> None:
    scenario = Scenario.load("baseline", players=5, days=1)
    jobs = [Job(scenario, SEED, number, Deadly(tmp_path)) for number in range(2)]
    failed = list(run_jobs(jobs, "process:1", lambda _job, _summary: None))
    assert sorted(job.replication for job, _ in failed) == [0, 1]
    assert {type(error) for _, error in failed} == {BrokenProcessPool}
