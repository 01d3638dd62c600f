"""A process that trades over a local data folder until it is killed: forked for each life, told of on a pipe.

Each line on standard input is a job; each answer is written to standard output before the next act begins.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from kokoromichi.core.clock import SystemClock
from kokoromichi.core.errors import StorageError
from kokoromichi.core.providers.local.restoring import restore
from kokoromichi.core.providers.local_json import LocalJSONProvider
from tests.contract.stored import with_counter
from tests.faults.local_game import erase_on, play_game
from tests.faults.local_load import SALES, STOCK, play

if TYPE_CHECKING:
    from collections.abc import Callable

_DEAD_ALREADY: Final = os.WEXITED | os.WNOWAIT | os.WNOHANG


class Job(msgspec.Struct):
    """One life.

    Attributes:
        life: What its request ids begin with.
        players: How many trade at once.
        act: What it does: sell, game, erase or restore.
        kill_after_s: When it is killed: after its first act, or with ``opening`` after its birth.
    """

    folder: str
    life: str
    players: int
    kill_after_s: float
    opening: bool
    act: str = "sell"


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


async def _live(job: Job, trading: Callable[[], None]) -> None:
    provider = LocalJSONProvider(job.folder, 0.005, 0.01)

    def told(asked: str, gold: int) -> None:
        _say(f"ok {asked} {gold}")

    def refused(asked: str) -> None:
        _say(f"no {asked}")

    if job.act == "restore":
        trading()
        restore(Path(job.folder), Path(job.folder).with_name("new"), SystemClock())
        _say("ok restored 0")
        return
    async with provider:
        if job.act != "sell":
            trading()
            playing = play_game(provider, job.life, job.players, told)
            await (
                playing if job.act == "game" else asyncio.gather(playing, erase_on(provider, job.life, told))
            )
        if SALES not in await provider.counters():
            await with_counter(provider, SALES, STOCK)
        trading()
        players = (f"p{number % max(7, job.players - 20)}" for number in range(job.players))
        lives = (
            play(provider, user_id, f"{job.life}.{place}", 10_000, told, refused)
            for place, user_id in enumerate(players)
        )
        await asyncio.gather(*lives)


def _born(job: Job, pipe: int) -> None:
    """Live, in the process that was forked."""
    try:
        asyncio.run(_live(job, lambda: os.close(pipe)))
    except StorageError as error:
        _say(f"failed {error}")
    finally:
        os._exit(0)


def main() -> None:
    """Fork a process for each job, kill it when its time has come, and say that it is dead."""
    for line in sys.stdin:
        job = msgspec.json.decode(line, type=Job)
        trades, tells = os.pipe()
        child = os.fork()
        if not child:
            os.close(trades)
            _born(job, tells)
        os.close(tells)
        if not job.opening:
            os.read(trades, 1)  # Until it trades, or is dead.
        end_s = time.monotonic() + job.kill_after_s
        while time.monotonic() < end_s and not os.waitid(os.P_PID, child, _DEAD_ALREADY):
            time.sleep(0.001)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)  # Only now may another process have its number.
        os.close(trades)
        _say("dead")


if __name__ == "__main__":
    main()
