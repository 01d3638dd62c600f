"""A migration that is killed midway, and given again, ends as one that never was."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

import pytest

from kokoromichi.analysis.stored import audit_provider, read_ledger
from kokoromichi.core.providers.local_json import LocalJSONProvider
from tests.unit.old_folder import snapshot, write

if TYPE_CHECKING:
    from pathlib import Path

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


def started(source: Path, target: Path) -> subprocess.Popen[bytes]:
    code = (
        "from kokoromichi.cli import app; import sys; "
        "app(['migrate', '--provider', 'local', '--data-dir', sys.argv[1], '--target-dir', sys.argv[2]])"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, str(source), str(target)],
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


async def all_of(folder: Path) -> dict[str, object]:
    """Every player, section and sum of a folder; and the audit is sound."""
    async with LocalJSONProvider(folder) as store:
        assert (await audit_provider(store)).sound
        rows = (await read_ledger(store)).select(
            "kind", "user_id", "currency", "amount", "item_id", "quantity"
        )
        return {
            "users": {user_id: await store.get_user(user_id) for user_id in await store.user_ids()},
            "section": await store.get_game_data("server_config"),
            "rows": sorted(map(str, rows.rows())),
        }


@pytest.mark.parametrize("moments", [(0.35, 0.6, 0.8), (0.5, 0.7, 0.9)])
async def test_a_migration_killed_and_given_again_ends_equal(
    tmp_path: Path, moments: tuple[float, ...]
) -> None:
    source = old_folder(tmp_path / "old")
    before = snapshot(source)
    whole, target = tmp_path / "whole", tmp_path / "target"
    begun = time.perf_counter()
    ended(started(source, whole))
    lasts_s = time.perf_counter() - begun
    killed = [await_or_kill(started(source, target), lasts_s * moment) for moment in moments]
    ended(started(source, target))
    assert any(killed)
    assert await all_of(target) == await all_of(whole)
    assert snapshot(source) == before
