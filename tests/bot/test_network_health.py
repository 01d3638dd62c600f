"""The bot says that it is well while gateway and storage answer, and not when one is away."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from kokoromichi.chat.loops import BEAT_S, OUTAGE_LOOKS, PATIENCE_S, RETRY_S, Heartbeat
from kokoromichi.chat.outage import StorageWatch
from kokoromichi.core.clock import SystemClock
from kokoromichi.core.errors import StorageError
from tests.bot.bot_process import HUNG_S, ROOT, BotProcess
from tests.bot.standin import StandIn

if TYPE_CHECKING:
    from collections.abc import Callable

    from kokoromichi.chat.game import Game
    from tests.servers.postgres import PostgresServer

SCRIPT = Path(sys.executable).parent / "kokoromichi"


async def health(folder: Path, *options: str, **settings: str) -> tuple[int, str]:
    """How the health check ends, and what it says."""
    asked = await asyncio.create_subprocess_exec(
        SCRIPT,
        "health",
        *options,
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asked.communicate()
    assert asked.returncode is not None
    return asked.returncode, said.decode()


def wait_for(what: Callable[[], bool]) -> None:
    end_s = time.monotonic() + HUNG_S
    while not what():
        assert time.monotonic() < end_s, "it never happened"
        time.sleep(0.05)


async def beaten(path: Path) -> None:
    """Wait for the next heartbeat."""
    await asyncio.to_thread(path.unlink, missing_ok=True)
    await asyncio.to_thread(wait_for, path.exists)


async def test_a_bot_is_well_while_gateway_and_storage_answer(
    database: PostgresServer, tmp_path: Path
) -> None:
    path = tmp_path / "heartbeat"
    path.touch()  # Of a life before: it says nothing about this one.
    settings = {"PROVIDER": "postgres", "DATABASE_URL": database.url, "HEARTBEAT_FILE": str(path)}
    async with StandIn() as discord, BotProcess(discord, tmp_path, **settings) as bot:
        await beaten(path)
        code, said = await health(tmp_path, HEARTBEAT_FILE=str(path))
        assert (code, said[:5]) == (0, "Well ")
        database.kill()
        await asyncio.to_thread(wait_for, lambda: "the storage is away" in bot.said())
        await asyncio.to_thread(wait_for, lambda: not path.exists())
        code, said = await health(tmp_path, HEARTBEAT_FILE=str(path))
        assert (code, "the bot is not well" in said) == (1, True)
        await asyncio.to_thread(database.start)
        await beaten(path)
        await bot.stopped()
        assert "Traceback" not in bot.said()


async def test_an_old_heartbeat_is_a_bad_one(tmp_path: Path) -> None:
    path = tmp_path / "heartbeat"
    path.touch()
    past_s = SystemClock().now_us() / 1e6 - 1_004
    os.utime(path, (past_s, past_s))
    code, said = await health(tmp_path, HEARTBEAT_FILE=str(path))
    assert (code, "the bot was well 10" in said) == (1, True)
    code, said = await health(tmp_path, "--max-age", "2000", "--json", HEARTBEAT_FILE=str(path))
    assert (code, said[:13]) == (0, '{"well":true,')


async def test_a_file_that_is_not_there_is_a_bad_heartbeat_for_a_program_too(tmp_path: Path) -> None:
    code, said = await health(tmp_path, "--json", HEARTBEAT_FILE=str(tmp_path / "heartbeat"))
    assert (code, said.splitlines()[0]) == (1, '{"well":false,"age_s":null}')


class Storage:
    """Stands for a store, and for the bot that runs over it."""

    failed = None

    def __init__(self, heartbeat: Path) -> None:
        self.settings = SimpleNamespace(heartbeat_file=heartbeat)
        self.shards = {0: SimpleNamespace(is_closed=lambda: False)}
        self.storage, self.provider = StorageWatch(SystemClock()), self
        self.full = False

    async def counters(self) -> dict[str, int]:
        return {}

    async def probe(self) -> None:
        if self.full:
            message = "the disk is full"
            raise StorageError(message)


async def test_one_failure_of_the_storage_takes_no_sign_of_life_away_and_two_do(tmp_path: Path) -> None:
    path = tmp_path / "heartbeat"
    storage = Storage(path)
    heartbeat = Heartbeat(cast("Game", storage))
    seen = []
    for full in (False, True, True, False):
        storage.full = full
        storage.storage.doubted = True  # A command has just failed: it looks at once.
        await heartbeat.beat()
        seen.append(path.exists())
    assert seen == [True, True, False, True]


def test_an_outage_is_told_within_ten_seconds_also_where_nothing_answers() -> None:
    assert BEAT_S + OUTAGE_LOOKS * (PATIENCE_S + RETRY_S) <= 10


async def test_without_a_file_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    code, said = await health(tmp_path)
    assert (code, "HEARTBEAT_FILE is not set" in said) == (2, True)
