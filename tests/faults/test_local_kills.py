"""A real process on a real disk, killed under load at random moments.

``KOKORO_KILLS`` is the number of kills; a campaign takes 500.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random  # noqa: TID251 - when a process dies is no part of a simulation
from threading import Timer
from typing import TYPE_CHECKING, Final

import msgspec
import pytest

from kokoromichi.core.providers.local_json import LocalJSONProvider
from tests.faults.local_load import SALES, ProgressCallback, check
from tests.faults.local_worker import Job

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
KILLS: Final = int(os.environ.get("KOKORO_KILLS", "20"))  # noqa: TID251 - the campaign's size
SEED: Final = int(os.environ.get("KOKORO_SEED", "7"))  # noqa: TID251 - the campaign's course
LIVES_A_FOLDER: Final = 20


class Worker:
    """A process that forks one that trades, whenever it is told to."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.faults.local_worker"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def live(self, told: ProgressCallback, job: Job) -> None:
        """One life, until it is killed; note what was said."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(job).decode() + "\n")
        self._process.stdin.flush()
        end = Timer(60, self._process.kill)
        end.start()
        for line in self._process.stdout:
            word, *said = line.split()
            if word == "dead":
                break
            assert word in {"ok", "no"}, line
            if word == "ok":
                told.acknowledged[said[0]] = int(said[1])
            else:
                told.refused.add(said[0])
        else:
            pytest.fail("the worker died")
        end.cancel()

    def end(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def worker() -> Iterator[Worker]:
    found = Worker()
    yield found
    found.end()


async def test_what_was_acknowledged_survives_every_kill_once(worker: Worker, tmp_path: Path) -> None:
    chance = Random(SEED)  # noqa: S311 - no secret
    acknowledged = 0
    begun = time.monotonic()
    for kill in range(KILLS):
        if kill % LIVES_A_FOLDER == 0:
            told, folder = ProgressCallback(), tmp_path / str(kill)
        opening = chance.random() < 0.2
        after_s = chance.uniform(0, 0.1 if opening else 0.6)
        job = Job(str(folder), str(kill), chance.choice([1, 4, 10, 20, 100]), after_s, opening)
        worker.live(told, job)
        if kill % 5 == 4 or kill == KILLS - 1:
            async with LocalJSONProvider(folder) as provider:
                if SALES in await provider.counters():
                    await check(provider, told)
        if kill % LIVES_A_FOLDER == LIVES_A_FOLDER - 1 or kill == KILLS - 1:
            acknowledged += len(told.acknowledged)
    assert acknowledged > KILLS * 20
    seconds = time.monotonic() - begun
    print(f"{KILLS} kills, {seconds:.0f} s: acknowledged {acknowledged:,}, lost 0, doubled 0")  # noqa: T201 - the campaign's figure
