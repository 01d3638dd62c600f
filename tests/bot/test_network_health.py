"""The bot says that it is well while gateway and storage answer, and not when one is away."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from kokoromichi.chat.loops import GONE_S, Heartbeat
from kokoromichi.core.clock import SystemClock
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
        await asyncio.to_thread(wait_for, lambda: "no heartbeat: the storage does not answer" in bot.said())
        await asyncio.to_thread(wait_for, lambda: not path.exists())
        code, said = await health(tmp_path, HEARTBEAT_FILE=str(path))
        assert (code, "the bot is not well" in said) == (1, True)
        await asyncio.to_thread(database.start)
        await beaten(path)
        await bot.stopped()


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


async def test_one_slow_answer_of_the_storage_takes_no_sign_of_life_away(tmp_path: Path) -> None:
    path = tmp_path / "heartbeat"
    bot = SimpleNamespace(
        settings=SimpleNamespace(heartbeat_file=path),
        shards={0: SimpleNamespace(is_closed=lambda: False)},
        storage=SimpleNamespace(no_writes=None),
    )
    heartbeat = Heartbeat(cast("Game", bot))
    await heartbeat._touch()
    bot.storage.no_writes = "it does not answer in 3 s"
    await heartbeat._touch()
    assert path.exists()
    past_s = SystemClock().now_us() / 1e6 - GONE_S
    os.utime(path, (past_s, past_s))
    await heartbeat._touch()
    assert not path.exists()


async def test_without_a_file_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    code, said = await health(tmp_path)
    assert (code, "HEARTBEAT_FILE is not set" in said) == (2, True)
