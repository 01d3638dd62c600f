"""A player who is erased from a data folder: nowhere named, nor in an older state that comes back."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING, Final

import apsw
import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.bulk_load import Batch, UserSnapshot
from kokoromichi.core.clock import ManualClock, SystemClock, moment_of
from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.core.providers.local.erasing import ErasureList
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.operation.backups import restore
from kokoromichi.settings import Settings
from tests.contract.stored import NOON_US, Row, rows
from tests.faults.local_folders import DATABASE, Disk, image, kill, over
from tests.unit.service_world import ROOT, World

if TYPE_CHECKING:
    from pathlib import Path

ADA: Final = "830121070024439972"
BO: Final = "301509601067529188"
HIDDEN: Final = "erased-1"


async def lived(folder: Path) -> list[Row]:
    """A folder whose database, files, backups, requests and observations name her; its rows."""
    clock = ManualClock(NOON_US)
    async with over(folder, 0.001, clock) as provider:
        world = await World.open(provider, clock=clock)
        await world.services.executor.open_account(BO)
        await world.services.store.purchase(ADA, "ema_plaque", 2, request_id="r-1")
        await asyncio.sleep(0.05)
        await world.services.bank.transfer(ADA, BO, 1_000, request_id="r-2")
        await world.services.admin.grant(BO, "gold", 5, actor=ROOT, reason=f"as {ADA} said")
        seen = {"user_id": ADA, "session": 1, "at": moment_of(NOON_US), "act": "buy", "code": None}
        await provider.append_observations("activity", [seen])
        await world.services.bank.transfer(BO, ADA, 100, request_id="r-3")
        return await rows(provider)


def names_her(folder: Path) -> list[str]:
    """The files in which her id stands, or whose names have it."""
    return [name for name, content in image(folder).items() if ADA in name or ADA.encode() in content]


async def test_nothing_in_the_folder_names_her_and_everything_works_on(tmp_path: Path) -> None:
    before = await lived(tmp_path)
    assert len(names_her(tmp_path)) > 6
    async with over(tmp_path, 0.001) as provider:
        await provider.erase(ADA, HIDDEN)
        assert names_her(tmp_path) == []  # The WAL and the pages of every index among them.
        assert [row._replace(user_id="", counterparty=None) for row in await rows(provider)] == [
            row._replace(user_id="", counterparty=None) for row in before
        ]
        world = await World.open(provider)
        assert (await world.services.bank.transfer(BO, HIDDEN, 100)).amount_gold == 100
        report = await audit_provider(provider)
        assert report.sound, str(report)
    assert names_her(tmp_path) == []
    kept = (tmp_path / "ledgers" / "transfers.log").read_text("utf-8")
    assert HIDDEN in kept


async def test_bytes_that_a_reader_keeps_are_swept_at_the_next_opening(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await lived(tmp_path)
    async with over(tmp_path) as provider:
        async with LocalJSONProvider(tmp_path, read_only=True) as reader:
            await provider.erase(ADA, HIDDEN)
            assert "still has bytes there until the next opening" in caplog.text
            assert await reader.profile(ADA) is not None  # It sees its own moment.
        assert await provider.profile(ADA) is None
    async with over(tmp_path):
        pass
    assert names_her(tmp_path) == []


async def test_an_older_backup_that_comes_back_is_erased_again(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    await lived(folder)
    backup = tmp_path / "backup.sqlite3"
    async with over(folder) as provider:
        await provider.backup(backup)
        await provider.erase(ADA, HIDDEN)
    assert ADA.encode() in backup.read_bytes()
    shutil.rmtree(folder / "ledgers")
    shutil.copy(backup, folder / DATABASE)
    async with over(folder) as provider:
        assert ADA not in await provider.user_ids()
        assert (await provider.profile(HIDDEN)) is not None
        assert (await audit_provider(provider)).sound
    assert names_her(folder) == []


async def test_who_came_back_after_an_erasure_is_not_erased_by_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    await lived(folder)
    backup = tmp_path / "backup.sqlite3"
    async with over(folder) as provider:
        await provider.erase(ADA, HIDDEN)
        await provider.save_user(ADA, {"gold": 3})
        await provider.backup(backup)
    shutil.copy(backup, folder / DATABASE)
    async with over(folder) as provider:
        document = await provider.get_user(ADA)
        assert document is not None
        assert document["gold"] == 3


async def with_older_backup(folder: Path) -> None:
    """A folder whose database is older than her erasure."""
    await lived(folder)
    backup = folder.parent / "backup.sqlite3"
    async with over(folder) as provider:
        await provider.backup(backup)
        await provider.erase(ADA, HIDDEN)
    shutil.rmtree(folder / "ledgers")
    shutil.copy(backup, folder / DATABASE)


@pytest.mark.parametrize("key", [None, "", "abc"])
async def test_without_the_key_of_the_list_nobody_comes_back_unsaid(tmp_path: Path, key: str | None) -> None:
    folder = tmp_path / "data"
    await with_older_backup(folder)
    path = folder / "erasures.key"
    former = path.read_text("ascii")
    path.unlink()
    if key is not None:
        path.write_text(key, "ascii")
    with pytest.raises(StorageError, match=r"erasures\.key is missing or damaged, .*: bring it back"):
        await over(folder).open()
    path.write_text(former, "ascii")
    async with over(folder) as provider:
        assert ADA not in await provider.user_ids()


async def test_a_backup_that_knows_of_every_erasure_is_restored_also_without_the_key(tmp_path: Path) -> None:
    folder, backup = tmp_path / "data", tmp_path / "after.sqlite3"
    await lived(folder)
    async with over(folder) as provider:
        await provider.erase(ADA, HIDDEN)
        await provider.backup(backup)
    (folder / "erasures.key").unlink()
    target = Settings(data_dir=tmp_path / "restored")
    await restore(backup, target, SystemClock(), erased=folder)
    async with over(target.data_dir) as provider:
        assert await provider.user_ids() == [BO, HIDDEN]


async def test_a_line_of_the_list_that_was_cut_off_is_of_an_erasure_that_never_began(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    await with_older_backup(folder)
    with (folder / "erasures.log").open("a", encoding="ascii") as file:
        file.write("\n0123abc")
    async with over(folder) as provider:
        await provider.erase(BO, "erased-2")
    async with over(folder) as provider:
        assert await provider.user_ids() == [HIDDEN, "erased-2"]


@pytest.mark.parametrize("line", [b"a word", b"\xff\xfe"])
async def test_a_line_of_the_list_that_is_none_is_not_passed_over(tmp_path: Path, line: bytes) -> None:
    folder = tmp_path / "data"
    await with_older_backup(folder)
    with (folder / "erasures.log").open("ab") as file:
        file.write(line)
    with pytest.raises(StorageError, match=r"erasures\.log has the line .*, which is no erasure: bring back"):
        await over(folder).open()


async def test_an_erasure_whose_commit_fails_is_finished_at_the_next_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lived(tmp_path)
    provider = over(tmp_path)
    await provider.open()
    await provider.profile(BO)
    disk, note = Disk.under(provider), ErasureList.note

    def noted_on_the_last_room(erased: ErasureList, user_id: str, pseudonym: str) -> str:
        mark = note(erased, user_id, pseudonym)
        disk.failure = apsw.FullError
        return mark

    monkeypatch.setattr(ErasureList, "note", noted_on_the_last_room)
    with pytest.raises(StorageError, match="the disk is full"):
        await provider.erase(ADA, HIDDEN)
    assert await provider.profile(ADA) is not None
    kill(provider)
    async with over(tmp_path) as again:
        assert await again.profile(ADA) is None
        assert await again.profile(HIDDEN) is not None
        assert (await audit_provider(again)).sound
    assert names_her(tmp_path) == []


async def test_acts_of_others_wait_and_are_kept(tmp_path: Path) -> None:
    await lived(tmp_path)
    async with over(tmp_path, 0.001) as provider:
        world = await World.open(provider)
        sends = [world.services.bank.transfer(BO, ADA, 10 + number) for number in range(40)]
        later = [world.services.executor.open_account(f"p{number}") for number in range(40)]
        found = await asyncio.gather(
            *sends[:20], provider.erase(ADA, HIDDEN), *sends[20:], *later, return_exceptions=True
        )
        refused = [str(each) for each in found if isinstance(each, BaseException)]
        assert all("has no account yet" in each for each in refused), refused
        assert len(await provider.user_ids()) == 42
        report = await audit_provider(provider)
        assert report.sound, str(report)


async def test_who_is_no_mirror_is_not_emptied(tmp_path: Path) -> None:
    await lived(tmp_path)
    async with over(tmp_path) as provider:
        with pytest.raises(MisuseError, match="is no mirror"):
            await provider.empty()
        assert len(await provider.user_ids()) == 2


async def test_a_mirror_that_is_emptied_leaves_no_byte_of_anybody(tmp_path: Path) -> None:
    async with over(tmp_path / "own") as own:
        await own.save_user(ADA, {"gold": 5})
        profile = await own.profile(ADA)
    async with over(tmp_path / "mirror", 0.01) as mirror:
        await mirror.mark_mirror("local", NOON_US)
        assert profile is not None
        await mirror.load(Batch(users=(UserSnapshot(0, profile),)))
        await asyncio.sleep(0.1)
        assert names_her(tmp_path / "mirror")
        await mirror.empty()
        assert (await mirror.user_ids(), mirror.mirror_of, mirror.mirrored_us) == ([], "local", 0)
    assert names_her(tmp_path / "mirror") == []
