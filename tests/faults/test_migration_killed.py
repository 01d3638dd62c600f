"""A migration that is killed midway, and given again, ends as one that never was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from kokoromichi.analysis.stored import audit_provider, read_ledger
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.core.providers.mongo import MongoDBProvider
from kokoromichi.core.providers.postgres import PostgresProvider
from tests.servers.mongo import fresh_database
from tests.servers.postgres import fresh_postgres_database
from tests.unit.old_folder import snapshot, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kokoromichi.core.data_provider import DataProvider

_USERS: Final = 600


def old_folder(folder: Path) -> Path:
    """An installation of many users."""
    users = {
        f"{10**17 + number}": {
            "gold": number,
            "gems": 1,
            "inventory": {"Wood": number + 1},
            "x_own": [number],
        }
        for number in range(_USERS)
    }
    return write(folder, {"users.json": users, "server_config.json": {"1": {"guild_channel": "2"}}})


class Target(NamedTuple):
    """Where a migration goes: words of the command, its environment, and the store to look into."""

    words: tuple[str, ...]
    environment: dict[str, str]
    store: Callable[[], DataProvider]


async def local_target(folder: Path) -> Target:
    return Target(("local", "--target-dir", str(folder)), {}, lambda: LocalJSONProvider(folder))


async def mongo_target(_folder: Path) -> Target:
    uri = fresh_database()
    return Target(("mongo",), {"MONGO_URI": uri}, lambda: MongoDBProvider(uri))


async def postgres_target(_folder: Path) -> Target:
    url = await fresh_postgres_database()
    return Target(("postgres",), {"DATABASE_URL": url}, lambda: PostgresProvider(url, pool_size=(1, 5)))


TARGETS: Final = {"local": local_target, "mongo": mongo_target, "postgres": postgres_target}


def started(source: Path, target: Target) -> subprocess.Popen[bytes]:
    code = (
        "from kokoromichi.cli import app; import sys; "
        "app(['migrate', '--data-dir', sys.argv[1], '--provider', *sys.argv[2:]])"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, str(source), *target.words],
        env={**os.environ, **target.environment},  # noqa: TID251 - a process of its own
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def ended(process: subprocess.Popen[bytes]) -> None:
    """Wait for a migration that succeeds."""
    _, said = process.communicate()
    assert process.returncode == 0, said.decode()


def await_or_kill(process: subprocess.Popen[bytes], patience_s: float) -> bool:
    """Kill a migration that is not done by then; whether it was."""
    with process:
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            return True
        return False


async def all_of(target: Target) -> dict[str, object]:
    """Every player, section and sum of a store; and the audit is sound."""
    async with target.store() as store:
        assert (await audit_provider(store)).sound
        rows = (await read_ledger(store)).select(
            "kind", "user_id", "currency", "amount", "item_id", "quantity"
        )
        return {
            "users": {user_id: await store.get_user(user_id) for user_id in await store.user_ids()},
            "section": await store.get_game_data("server_config"),
            "rows": sorted(map(str, rows.rows())),
        }


@pytest.mark.parametrize(
    ("name", "moments"),
    [
        ("local", (0.35, 0.6, 0.8)),
        ("local", (0.5, 0.7, 0.9)),
        ("postgres", (0.5, 0.7, 0.9)),
        ("mongo", (0.6,)),  # What a dead client has begun holds its players for a minute.
    ],
)
async def test_a_migration_killed_and_given_again_ends_equal(
    tmp_path: Path, name: str, moments: tuple[float, ...]
) -> None:
    source = old_folder(tmp_path / "old")
    before = snapshot(source)
    whole, target = await TARGETS[name](tmp_path / "whole"), await TARGETS[name](tmp_path / "target")
    begun = time.perf_counter()
    ended(started(source, whole))
    lasts_s = time.perf_counter() - begun
    killed = [await_or_kill(started(source, target), lasts_s * moment) for moment in moments]
    ended(started(source, target))
    assert any(killed)
    assert await all_of(target) == await all_of(whole)
    assert snapshot(source) == before
