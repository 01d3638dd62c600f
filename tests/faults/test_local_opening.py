"""Folders that cannot be opened as they are: what, where and the cure; and nothing in them is changed."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import apsw
import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.clock import ManualClock
from kokoromichi.core.errors import ConfigurationError, MisuseError, StorageError
from kokoromichi.core.providers.local import schema
from kokoromichi.core.providers.local.restoring import restore
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.settings import shipped_folder
from tests.contract.stored import NOON_US, change, money, stored, user, with_player
from tests.faults.local_folders import DATABASE, fill, image, kill, over, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT: Final = Path(__file__).parents[2]


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    return await fill(tmp_path / "data")


async def killed(folder: Path) -> Path:
    """A folder whose process was killed while it had something in its WAL."""
    local = over(folder)
    await local.open()
    await local.apply(change(user("bo", 1, money(1, 51))))
    kill(local)
    return folder


async def test_everything_is_there_again(folder: Path) -> None:
    async with over(folder) as local:
        found = await stored(local)
        assert found.counters == {"plain.x": 5}
        assert list(found.users) == ["ada", "bo"]
        assert [row["balance_after"] for row in found.ledger if row["currency"]] == [100, 70, 50]
        assert await local.get_game_data("events") == {"days": 3}
        assert (await audit_provider(local)).sound
    assert not (folder / f"{DATABASE}-wal").exists()


REFERENCE: Final[dict[str, str]] = {
    "users.json": "{}",
    "users.json.backup": "{}",
    "users/123.json": "{}",
    "users/123.tmp": "{",
    "ledgers/purchases.log": "",
    "backups/123.json.1768600000.bak.json": "{}",
    "pending_transactions.json": "[]",
    "random_events.json": "{}",
}


@pytest.mark.parametrize("name", REFERENCE)
async def test_an_existing_installation_is_pointed_to_migrate(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(REFERENCE[name], "utf-8")
    said = await refusal(tmp_path)
    assert f"{tmp_path} holds the data of an existing installation ({name})" in said
    assert f"kokoromichi migrate --provider local|mongo|postgres --data-dir {tmp_path}" in said


async def test_the_shipped_economy_in_the_folder_is_no_installation_and_never_written(tmp_path: Path) -> None:
    shipped = shipped_folder("data")
    for name in ("economy.toml", "store_catalog.json", "waifus.json"):  # Whoever plays there has more in it.
        shutil.copy(shipped / name, tmp_path)
    before = image(tmp_path)
    async with over(tmp_path) as local:
        await with_player(local, "ada")
    assert image(tmp_path).items() >= before.items()


def _lose_database(folder: Path) -> None:
    (folder / DATABASE).unlink()


def _lose_all_but_books(folder: Path) -> None:
    _lose_database(folder)
    for inner in ("users", "sections", "backups"):
        shutil.rmtree(folder / inner)
    (folder / "counters.json").unlink()


def _empty_database(folder: Path) -> None:
    (folder / DATABASE).write_bytes(b"")


@pytest.mark.parametrize("lose", [_lose_database, _lose_all_but_books, _empty_database])
async def test_a_copy_without_its_database_is_never_taken_for_an_empty_store(
    lose: Callable[[Path], None], folder: Path
) -> None:
    lose(folder)
    said = await refusal(folder)
    assert "holds the readable copy of a database, and kokoromichi.sqlite3 itself is missing" in said
    assert "bring it back" in said
    assert f"kokoromichi restore --data-dir {folder}" in said


async def test_the_journal_of_a_former_version_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "0000000000000001.journal").write_bytes(b"")
    assert "holds the journal of a version before this one" in await refusal(tmp_path)


async def test_a_mirror_in_the_former_format_is_set_aside_and_made_anew(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    (tmp_path / "users").mkdir()
    (tmp_path / "users" / "ada.json").write_text("{}", "utf-8")
    (tmp_path / "journal" / "checkpoint.json").write_bytes(b'1f {"sequence":3,"mirror":"postgres"}\n')
    async with over(tmp_path) as local:
        assert await local.user_ids() == []
        await local.mark_mirror("postgres")
    assert (tmp_path / "former" / "users" / "ada.json").read_text("utf-8") == "{}"
    assert (tmp_path / "former" / "journal" / "checkpoint.json").exists()


HOLD: Final = """
import asyncio, sys
from kokoromichi.core.providers.local_json import LocalJSONProvider
async def hold():
    async with LocalJSONProvider(sys.argv[1]):
        print('held', flush=True)
        sys.stdin.read()
asyncio.run(hold())
"""


async def test_a_second_process_is_refused_whatever_was_removed_and_may_read(folder: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(  # noqa: ASYNC220 - nothing else runs meanwhile
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        for inner in ("users", "ledgers", "backups"):
            shutil.rmtree(folder / inner)
        with pytest.raises(
            StorageError, match=f"is in use by process {process.pid}: stop it, or name another"
        ):
            await over(folder).open()
        async with LocalJSONProvider(folder, read_only=True) as reader:
            assert await reader.user_ids() == ["ada", "bo"]
            assert (await audit_provider(reader)).sound
        process.kill()
        process.wait()
        async with over(folder) as local:  # The lock of a dead process holds nobody up.
            assert await local.user_ids() == ["ada", "bo"]


async def test_a_second_provider_of_the_same_process_is_told_so(folder: Path) -> None:
    async with over(folder):
        with pytest.raises(StorageError, match="is in use by another provider of this process: use that one"):
            await over(folder).open()


async def test_a_reader_sees_one_moment_and_writes_nothing(folder: Path) -> None:
    async with over(folder) as local, LocalJSONProvider(folder, read_only=True) as reader:
        before = await stored(reader)
        await local.apply(change(user("bo", 1, money(1, 51))))
        assert await stored(reader) == before
        assert await stored(local) != before
        with pytest.raises(MisuseError, match="was opened to be read"):
            await reader.apply(change(user("bo", 2, money(1, 52))))
        with pytest.raises(MisuseError, match="was opened to be read"):
            await reader.save_game_data("events", {})


async def test_who_reads_makes_no_store(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="holds no store yet"):
        await LocalJSONProvider(tmp_path, read_only=True).open()
    with pytest.raises(ConfigurationError, match="is no folder"):
        await LocalJSONProvider(tmp_path / "nothing", read_only=True).open()
    assert image(tmp_path) == {}


async def test_a_killed_store_comes_back_whole(folder: Path) -> None:
    await killed(folder)
    assert (folder / f"{DATABASE}-wal").stat().st_size
    async with over(folder) as local:
        profile = await local.profile("bo")
        assert profile is not None
        assert profile.gold == 51
        assert (await audit_provider(local)).sound


@pytest.mark.parametrize("kills", [1, 2])
async def test_a_wal_that_was_taken_away_after_a_kill_is_missed(folder: Path, kills: int) -> None:
    await killed(folder)
    for _ in range(1, kills):
        local = over(folder)
        await local.open()
        kill(local)
    (folder / f"{DATABASE}-wal").unlink()
    said = await refusal(folder)
    assert "was not closed, and kokoromichi.sqlite3-wal, which holds its newest acts, is gone" in said
    assert "kokoromichi restore" in said


async def test_an_older_database_beside_newer_books_is_refused(folder: Path) -> None:
    older = (folder / DATABASE).read_bytes()
    async with over(folder) as local:
        await local.apply(change(user("bo", 1, money(1, 51))))
    (folder / DATABASE).write_bytes(older)
    said = await refusal(folder)
    assert "is older than the ledgers beside it, which hold row 5 where it ends with 4" in said


@pytest.mark.parametrize("how", ["a backup", "the file as it lay there"])
async def test_an_older_database_beside_a_newer_wal_is_refused_and_restored_from_the_copy(
    how: str, folder: Path, tmp_path: Path
) -> None:
    older = tmp_path / DATABASE
    if how == "a backup":
        async with over(folder) as local:
            await local.backup(older)
    else:
        shutil.copy(folder / DATABASE, older)
    async with over(folder) as local:  # What is in no WAL any more.
        for version in range(1, 40):
            await local.apply(change(user("bo", version, money(1, 50 + version))))
    local = over(folder)
    await local.open()
    await local.apply(change(user("bo", 40, money(1, 90))))
    kill(local)
    newer = (folder / DATABASE).read_bytes()
    shutil.copy(older, folder / DATABASE)
    said = await refusal(folder)
    assert "and kokoromichi.sqlite3-wal are not of one time" in said
    assert "move it alone to an empty folder" in said
    restore(folder, tmp_path / "new", ManualClock(NOON_US))
    (folder / DATABASE).write_bytes(newer)
    async with over(folder) as local:
        assert dict(await local.balances()) == {"ada": 70, "bo": 90}
        assert (await audit_provider(local)).sound


async def test_a_reader_at_the_opening_keeps_no_killed_store_from_coming_back(folder: Path) -> None:
    async with LocalJSONProvider(folder, read_only=True):
        await killed(folder)
        async with over(folder) as local:
            assert dict(await local.balances()) == {"ada": 70, "bo": 51}


async def test_a_damaged_database_is_refused_and_its_wal_is_kept(folder: Path) -> None:
    await killed(folder)
    with (folder / DATABASE).open("r+b") as file:
        file.seek(2_048 * 4)
        file.write(os.urandom(2_048 * 12))
    said = await refusal(folder)
    assert "damaged" in said
    assert "kokoromichi restore" in said


async def test_damage_that_an_opening_does_not_meet_is_found_by_an_audit(folder: Path) -> None:
    with closing(apsw.Connection(str(folder / DATABASE))) as base:
        query = "SELECT rootpage FROM sqlite_master WHERE type = 'index' AND tbl_name = 'ledger'"
        page = int(str(base.execute(query).fetchall()[0][0]))
        page_bytes = int(str(base.pragma("page_size")))
    with (folder / DATABASE).open("r+b") as file:
        file.seek(page_bytes * (page - 1) + 8)
        file.write(b"\xff" * (page_bytes // 2))
    async with over(folder) as local:
        with pytest.raises(StorageError, match="is damaged") as found:
            await local.verify()
        with pytest.raises(StorageError, match="is damaged"):
            await local.read_ledger(user_id="ada")
    assert "kokoromichi restore" in str(found.value)


async def test_what_is_no_database_is_refused(folder: Path) -> None:
    (folder / DATABASE).write_bytes(b"no database at all" * 1_000)
    assert "is no database, or damaged" in await refusal(folder)


async def test_a_newer_database_is_refused(folder: Path) -> None:
    base = apsw.Connection(str(folder / DATABASE))
    base.execute(f"PRAGMA user_version={len(schema.STEPS) + 1}")
    base.close()
    assert f"is of version {len(schema.STEPS) + 1}, and this program knows" in await refusal(folder)


async def test_an_older_database_is_upgraded_after_a_backup(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = (*schema.STEPS, "CREATE TABLE guilds (name TEXT) STRICT;")
    monkeypatch.setattr("kokoromichi.core.providers.local.schema.STEPS", steps)
    async with over(folder) as local:
        assert await local.user_ids() == ["ada", "bo"]
    base = apsw.Connection(str(folder / DATABASE))
    assert base.execute("SELECT count(*) FROM guilds").fetchall() == [(0,)]
    base.close()
    (backup,) = (folder / "backups").glob("kokoromichi.version1.*.sqlite3")
    base = apsw.Connection(str(backup))
    assert base.execute("SELECT user_id FROM users ORDER BY 1").fetchall() == [("ada",), ("bo",)]
    assert base.pragma("user_version") == 1
    base.close()


async def test_a_backup_is_one_sound_file_of_one_moment(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "kept" / DATABASE
    async with over(folder) as local:
        before = await stored(local)
        await local.backup(target)
        with pytest.raises(MisuseError, match="no backup is overwritten"):
            await local.backup(target)
    assert [path.name for path in target.parent.iterdir()] == [DATABASE]
    async with over(target.parent) as restored:
        assert await stored(restored) == before
        assert (await audit_provider(restored)).sound


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), "5", None, True])
@pytest.mark.parametrize("name", ["debounce_seconds", "cache_ttl"])
def test_a_number_of_seconds_that_is_none_is_a_misuse(name: str, value: object, tmp_path: Path) -> None:
    arguments: dict[str, object] = {name: value}
    with pytest.raises(MisuseError, match=f"{name} is .*: it is a number of seconds, 0 or more"):
        LocalJSONProvider(tmp_path, **arguments)  # type: ignore[arg-type] # That is the test.


def test_a_provider_outlives_the_event_loop_that_opened_it(tmp_path: Path) -> None:
    local = over(tmp_path)
    asyncio.run(local.save_user("1", {"gold": 5}))
    assert asyncio.run(local.get_user("1")) is not None
    asyncio.run(local.save_user("1", {"gold": 7}))
    asyncio.run(local.close())
    assert json.loads((tmp_path / "users" / "1.json").read_bytes())["gold"] == 7


async def test_another_event_loop_meanwhile_is_told_to_close_it_there(tmp_path: Path) -> None:
    async with over(tmp_path) as local:
        with pytest.raises(MisuseError, match="belongs to another event loop, which has not ended"):
            await asyncio.to_thread(asyncio.run, local.get_user("1"))


async def test_an_id_of_discord_may_be_its_number(tmp_path: Path) -> None:
    async with over(tmp_path) as local:
        number: str = 830121070024439972  # type: ignore[assignment] # As discord.py has it.
        await local.save_user(number, {"gold": 5})
        assert await local.user_ids() == ["830121070024439972"]
        document = await local.get_user(number)
        assert document is not None
        assert document["gold"] == 5
