"""A migration that is killed midway, and given again, ends as one that never was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from kokoromichi.analysis.provider_state import audit_provider, read_ledger
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

pytestmark = pytest.mark.slow

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


DYING: Final = """
import asyncio, os, signal, sys
from kokoromichi.cli.app import app
from kokoromichi.core.providers import provider_class

left, after_s = int(sys.argv[1]), float(sys.argv[2])
kind = provider_class(sys.argv[5])
apply = kind.apply

async def dying(self, change):
    global left
    left -= 1
    if not left:
        asyncio.get_running_loop().call_later(after_s, os.kill, os.getpid(), signal.SIGKILL)
    return await apply(self, change)

kind.apply = dying
app(["migrate", "--data-dir", *sys.argv[3:]])
"""
"""A migration that is killed so many seconds after it has begun its n-th commit; n = 0 is never."""


def migrate(source: Path, target: Target, commits: int = 0, after_s: float = 0.0) -> int:
    """Run a migration, and say how it ended."""
    words = [str(commits), str(after_s), str(source), "--provider", *target.words]
    return subprocess.run(
        [sys.executable, "-c", DYING, *words],
        env={**os.environ, **target.environment},  # noqa: TID251 - a process of its own
        stdout=subprocess.DEVNULL,
        check=False,
    ).returncode


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
    ("name", "deaths"),
    [
        ("local", ((1, 0.0), (200, 0.0), (150, 0.001))),
        ("local", ((300, 0.0), (299, 0.0005), (1, 0.002))),
        ("postgres", ((1, 0.01), (200, 0.0), (150, 0.01))),
        ("mongo", ((200, 0.01),)),  # What a dead client has begun holds its players for a minute.
    ],
)
async def test_a_migration_killed_and_given_again_ends_equal(
    tmp_path: Path, name: str, deaths: tuple[tuple[int, float], ...]
) -> None:
    source = old_folder(tmp_path / "old")
    before = snapshot(source)
    whole, target = await TARGETS[name](tmp_path / "whole"), await TARGETS[name](tmp_path / "target")
    assert migrate(source, whole) == 0
    ends = [migrate(source, target, *death) for death in deaths]
    assert set(ends) == {-signal.SIGKILL}
    assert migrate(source, target) == 0
    assert await all_of(target) == await all_of(whole)
    assert snapshot(source) == before
