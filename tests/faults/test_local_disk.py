"""A disk that fills and gets room again, a folder that may not be written, and others at the database."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import apsw
import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.errors import CommitUnknownError, StorageError
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.core.transactions import Committed
from tests.contract.stored import change, money, user, with_player
from tests.faults.full_disk import file_system, fill_up
from tests.faults.local_folders import DATABASE, image, over
from tests.faults.test_local_copy import written

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    with file_system(tmp_path / "small", 4) as place:
        yield place


async def play(local: LocalJSONProvider, acts: int) -> list[str]:
    """Pay ada one gold again and again, each act with a request id of its own; what went wrong."""
    said = []
    for act in range(acts):
        profile = await local.profile("ada")
        assert profile is not None
        row = money(1, profile.gold + 1)
        paid = change(user("ada", profile.version, row), request_id=f"r-{act}", digest="d")
        try:
            await local.apply(paid)
        except CommitUnknownError:
            raise
        except StorageError as error:
            said.append(str(error))
    return said


async def test_a_disk_that_is_full_refuses_writes_answers_reads_and_recovers_by_itself(small: Path) -> None:
    async with over(small / "data", 0.01) as local:
        await with_player(local, "ada", gold=100)
        ballast = fill_up(small)
        said = await play(local, 200)
        assert said
        assert all("the disk is full: make room, and ask again" in each for each in said)
        assert local.failed is None
        profile = await local.profile("ada")
        assert profile is not None
        assert profile.gold == 100 + 200 - len(said)
        assert (await audit_provider(local)).sound
        ballast.unlink()
        assert await play(local, 200) == []  # What was paid is answered, what was refused is paid.
        assert dict(await local.balances()) == {"ada": 300}
        assert (await audit_provider(local)).sound
    assert written(small / "data", "users/ada.json")["gold"] == 300


async def test_a_store_that_is_closed_and_opened_on_a_full_disk_loses_nothing(small: Path) -> None:
    async with over(small / "data") as local:
        await with_player(local, "ada", gold=100)
        ballast = fill_up(small)
        paid = 50 - len(await play(local, 50))
    ballast.rename(small / "former")
    fill_up(small)  # Closing has freed the WAL's room.
    with pytest.raises(StorageError, match="room"):
        await over(small / "data").open()
    (small / "former").unlink()
    async with over(small / "data") as local:
        assert dict(await local.balances()) == {"ada": 100 + paid}
        assert (await audit_provider(local)).sound


AS_NOBODY: Final = """
import asyncio, os, sys, tempfile
from pathlib import Path
from kokoromichi.core.errors import KokoroError
from kokoromichi.core.providers.local_json import LocalJSONProvider
async def used(folder, wait, **how):
    async with LocalJSONProvider(folder, 0.01, **how) as local:
        if wait:
            print("open", flush=True)
            sys.stdin.readline()
        if not how:
            await local.save_user("ada", {"gold": 150})
        print((await local.get_user("ada") or {}).get("gold"), flush=True)
        if wait:
            sys.stdin.readline()
with tempfile.TemporaryDirectory() as scratch:
    asyncio.run(used(scratch, False))  # Everything is imported.
    asyncio.run(used(scratch, False, read_only=True))
os.setgid(65534)
os.setuid(65534)
try:
    how = {"read_only": True} if sys.argv[2] == "read" else {}
    asyncio.run(used(Path(sys.argv[1]), sys.argv[2] == "wait", **how))
except KokoroError as error:
    print(type(error).__name__, error, flush=True)
"""


def as_nobody(folder: Path, how: str) -> subprocess.Popen[str]:
    """A process without root's rights that uses a folder."""
    if os.getuid():
        pytest.skip("only root can become another user")
    for place in [folder, *folder.parents][:-1]:
        if place.owner() == "root" and place.name.startswith(("pytest-", "popen-", "test_")):
            place.chmod(0o755)
    command = [sys.executable, "-c", AS_NOBODY, str(folder), how]
    found = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert found.stdout is not None
    assert [found.stdout.readline(), found.stdout.readline()] == ["150\n", "150\n"]
    return found


async def test_a_folder_that_may_not_be_written_says_so_and_nothing_in_it_is_changed(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    async with over(folder) as local:
        await with_player(local, "ada", gold=100)
    before = image(folder)
    for how in ("write", "read"):
        said = as_nobody(folder, how).communicate(timeout=30)[0]
        assert said.startswith("StorageError ")
        assert str(folder) in said
        assert "may be written" in said or "let this account write the folder" in said
    assert image(folder) == before


async def test_a_folder_that_turns_read_only_stops_the_copy_alone_until_it_may_be_written(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    process = as_nobody(folder, "wait")
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    inside = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for place in inside:
        place.chmod(0o555)
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "150\n"
    assert not (folder / "users" / "ada.json").exists()
    for place in inside:
        place.chmod(0o755)
    process.communicate("\n", timeout=30)
    assert written(folder, "users/ada.json")["gold"] == 150


async def test_another_program_that_holds_the_database_locked_is_told_of_and_outlived(tmp_path: Path) -> None:
    async with over(tmp_path) as local:
        await with_player(local, "ada", gold=100)
        foreign = apsw.Connection(str(tmp_path / DATABASE))
        foreign.execute("BEGIN IMMEDIATE; UPDATE users SET gold = 5")
        (said,) = await play(local, 1)
        assert "another program holds it locked: end that one, and ask again" in said
        assert local.failed is None
        foreign.execute("ROLLBACK")
        foreign.close()
        assert await play(local, 1) == []
        assert dict(await local.balances()) == {"ada": 101}


async def test_a_reader_that_holds_on_lets_the_wal_grow_and_is_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kokoromichi.core.providers.local.store._LONG_WAL_BYTES", 1 << 20)
    async with over(tmp_path, 0.01) as local:
        await with_player(local, "ada", gold=100)
        async with LocalJSONProvider(tmp_path, read_only=True) as reader:
            for _ in range(12):
                await local.save_game_data("events", {"noise": os.urandom(100_000).hex()})
            for _ in range(500):
                if "something reads the database without an end" in caplog.text:
                    break
                await asyncio.sleep(0.01)
            else:
                pytest.fail("nobody was told of a WAL that grows")
            assert await reader.get_game_data("events") is None
            assert (await audit_provider(reader)).sound


async def test_who_is_cancelled_inside_of_a_commit_is_answered_the_same_when_they_ask_again(
    tmp_path: Path,
) -> None:
    async with over(tmp_path) as local:
        await with_player(local, "ada", gold=100)
        paid = change(user("ada", 1, money(-10, 90, "fee")), request_id="r-1", digest="d", answer=(90, 0))
        for pause_s in (0, 0.0005, 0.001, 0.003):
            asked = asyncio.create_task(local.apply(paid))
            await asyncio.sleep(pause_s)
            asked.cancel()
        assert await local.apply(paid) == Committed(90, 0)
        assert dict(await local.balances()) == {"ada": 90}
        assert await local.ledger_rows() == 2
