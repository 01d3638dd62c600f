"""A process that trades over a local data folder until it is killed: forked for each life, told of on a pipe.

Each line on standard input is a JSON job: ``folder``, ``life``, ``players``, and perhaps ``step`` and
``number``: then the process kills itself at that call of the disk, half way through where it is a write. Each
answer is written to standard output before the next act begins.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import TYPE_CHECKING, Final

from kokoromichi.core.errors import StorageError
from kokoromichi.core.providers.local.files import Files
from kokoromichi.core.providers.local_json import LocalJSONProvider
from tests.contract.stored import with_counter
from tests.faults.local_load import SALES, STOCK, play

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STEPS: Final = ("append", "write", "sync", "truncate", "replace", "remove", "sync_folder", "make_folder")


class DeadlyFiles(Files):
    """A real disk whose caller dies at the n-th call of a step, before or after it."""

    def __init__(self, step: str | None, number: int) -> None:
        self._step = step
        self._left = number

    def _dies(self, step: str) -> bool:
        self._left -= step == self._step
        return step == self._step and self._left <= 0

    def write(self, handle: int, data: bytes | memoryview) -> int:
        if self._dies("write"):
            super().write(handle, data[: len(data) // 2])
            _die()
        return super().write(handle, data)

    def append(self, path: Path) -> int:
        handle = super().append(path)
        self._after("append")
        return handle

    def sync(self, handle: int) -> None:
        super().sync(handle)
        self._after("sync")

    def truncate(self, handle: int, size: int) -> None:
        super().truncate(handle, size)
        self._after("truncate")

    def replace(self, source: Path, target: Path) -> None:
        self._after("replace")
        super().replace(source, target)

    def remove(self, path: Path) -> None:
        self._after("remove")
        super().remove(path)

    def sync_folder(self, folder: Path) -> None:
        self._after("sync_folder")
        super().sync_folder(folder)

    def make_folder(self, path: Path) -> None:
        super().make_folder(path)
        self._after("make_folder")

    def _after(self, step: str) -> None:
        if self._dies(step):
            _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


async def _live(job: dict[str, object]) -> None:
    files = DeadlyFiles(str(job["step"]) if job.get("step") else None, int(str(job.get("number", 0))))
    provider = LocalJSONProvider(str(job["folder"]), 0.005, 0.01, files=files, segment_bytes=20_000)
    told: Callable[[str, int], None] = lambda asked, gold: _say(f"ok {asked} {gold}")  # noqa: E731 - one line of two
    async with provider:
        if SALES not in await provider.counters():
            await with_counter(provider, SALES, STOCK)
        _say("trading")
        players = (f"p{number % 7}" for number in range(int(str(job["players"]))))
        lives = (
            play(provider, user_id, f"{job['life']}.{place}", 10_000, told, lambda asked: _say(f"no {asked}"))
            for place, user_id in enumerate(players)
        )
        await asyncio.gather(*lives)


def main() -> None:
    """Fork a process for each job, and say when it is dead."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            try:
                asyncio.run(_live(json.loads(line)))
            except StorageError as error:
                _say(f"failed {error}")
            finally:
                os._exit(0)
        _say(f"pid {child}")
        os.waitpid(child, 0)
        _say("dead")


if __name__ == "__main__":
    main()
