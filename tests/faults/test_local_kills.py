"""A real process on a real disk, killed under load at random moments.

``KOKORO_KILLS`` is the number of kills, half as many of a game and of erasures; a campaign takes 500.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from random import Random  # noqa: TID251 - when a process dies is no part of a simulation
from threading import Timer
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl
import pytest

from kokoromichi.analysis.provider_state import audit_provider, read_ledger
from kokoromichi.core.clock import ManualClock
from kokoromichi.core.providers.local.restoring import restore
from kokoromichi.core.providers.local_json import LocalJSONProvider
from tests.contract.stored import NOON_US, stored
from tests.faults.local_folders import DATABASE, image
from tests.faults.local_game import ask, checksum
from tests.faults.local_load import SALES, ProgressCallback, check
from tests.faults.local_worker import Job
from tests.unit.service_world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
ACTS_AGAIN: Final = 40
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


async def check_game(folder: Path, told: ProgressCallback) -> None:
    """Hold a game against what players were told: answers, single effects, every law, no id of the erased."""
    async with LocalJSONProvider(folder, clock=ManualClock(NOON_US)) as provider:
        report = await audit_provider(provider)
        assert report.sound, str(report)
        world = await World.open(provider)
        ledger = await read_ledger(provider)
        doubled = ledger.group_by("request_id").agg(pl.col("tx_id").n_unique()).filter(pl.col("tx_id") > 1)
        assert doubled.height == 0, "doubled"
        answered = {one: said for one, said in told.acknowledged.items() if not one.startswith("erased:")}
        assert answered.keys() <= set(ledger["request_id"]), "acknowledged and lost"
        for request_id in list(answered)[-ACTS_AGAIN:]:
            assert checksum(await ask(world.services, request_id)) == answered[request_id]
        assert await provider.ledger_rows() == ledger.height
        erased = [one.removeprefix("erased:") for one in told.acknowledged if one.startswith("erased:")]
    content = image(folder)
    named = [
        (name, one) for one in erased for name in content if one.encode() in content[name] or one in name
    ]
    assert named == [], "erased, and still named"


@pytest.mark.parametrize("act", ["game", "erase"])
async def test_a_game_that_is_killed_again_and_again_keeps_what_it_said(
    act: str, worker: Worker, tmp_path: Path
) -> None:
    chance = Random(SEED)  # noqa: S311 - no secret
    begun, told, acknowledged = time.monotonic(), ProgressCallback(), 0
    kills = max(KILLS // 2, 3)
    for kill in range(kills):
        if kill % LIVES_A_FOLDER == 0:
            acknowledged += len(told.acknowledged)
            told = ProgressCallback()
        folder = tmp_path / str(kill // LIVES_A_FOLDER)
        worker.live(told, Job(str(folder), str(kill), 12, chance.uniform(0.1, 0.8), opening=False, act=act))
        if kill % 5 == 4 or kill == kills - 1:
            await check_game(folder, told)
    acknowledged += len(told.acknowledged)
    assert acknowledged > kills
    assert act == "game" or any(one.startswith("erased:") for one in told.acknowledged)
    seconds = time.monotonic() - begun
    print(f"{act}: {kills} kills, {seconds:.0f} s: acknowledged {acknowledged:,}, lost 0, doubled 0")  # noqa: T201 - the campaign's figure


async def test_a_restore_that_is_killed_leaves_nothing_or_everything_and_is_made_again(
    worker: Worker, tmp_path: Path
) -> None:
    chance = Random(SEED)  # noqa: S311 - no secret
    folder, new = tmp_path / "data", tmp_path / "new"
    worker.live(ProgressCallback(), Job(str(folder), "0", 12, 1.0, opening=False, act="game"))
    async with LocalJSONProvider(folder) as provider:
        before = await stored(provider)
    whole = 0
    for kill in range(max(KILLS // 4, 5)):
        worker.live(
            ProgressCallback(),
            Job(str(folder), str(kill), 1, chance.uniform(0, 0.3), opening=False, act="restore"),
        )
        if (new / DATABASE).exists():
            whole += 1
        else:
            restore(folder, new, ManualClock(NOON_US))
        async with LocalJSONProvider(new) as provider:
            assert await stored(provider) == before
            assert (await audit_provider(provider)).sound
        shutil.rmtree(new)
    print(f"{kill + 1} kills inside of a restore: {whole} were whole, the others were made again")  # noqa: T201 - the campaign's figure
