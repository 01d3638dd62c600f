"""Folders that cannot be opened as they are: what, where and the cure; and nothing in them is changed."""

from __future__ import annotations

import asyncio
import errno
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from kokoromichi.core.providers.local.files import Files

from kokoromichi.analysis.stored import audit_provider
from kokoromichi.core.clock import ManualClock
from kokoromichi.core.errors import StorageError
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.settings import shipped_folder
from tests.contract.stored import (
    NOON_US,
    Row,
    change,
    goods,
    money,
    rows,
    stored,
    user,
    with_counter,
    with_player,
)

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT: Final = Path(__file__).parents[2]


def over(folder: Path) -> LocalJSONProvider:
    return LocalJSONProvider(folder, clock=ManualClock(NOON_US))


def image(folder: Path) -> dict[str, bytes]:
    """Every file of a folder but the lock."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "lock")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A closed folder: ada was written twice, bo once."""
    found = tmp_path / "data"
    async with over(found) as local:
        await with_counter(local, "plain.x", 5)
        await with_player(local, "ada", gold=100, x=2)
        await local.save_game_data("events", {"days": 3})
    async with over(found) as local:
        await local.apply(change(user("ada", 1, money(-30, 70, "fee"), fields={"level": 3})))
        await with_player(local, "bo", gold=50)
    return found


async def refusal(folder: Path) -> str:
    """What opening says, when it changes nothing."""
    before = image(folder)
    with pytest.raises(StorageError) as error:
        await over(folder).open()
    assert image(folder) == before
    return str(error.value)


async def test_everything_is_there_again(folder: Path) -> None:
    async with over(folder) as local:
        found = await stored(local)
        assert found.counters == {"plain.x": 5}
        assert list(found.users) == ["ada", "bo"]
        assert [row["balance_after"] for row in found.ledger if row["currency"]] == [100, 70, 50]
        assert await local.get_game_data("events") == {"days": 3}
        assert (await audit_provider(local)).sound


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
    for path in shipped.iterdir():
        if path.is_file():
            shutil.copy(path, tmp_path / path.name)
    before = image(tmp_path)
    async with over(tmp_path) as local:
        await with_player(local, "ada")
    assert image(tmp_path).items() >= before.items()


async def test_a_second_process_is_told_who_holds_the_folder(folder: Path) -> None:
    script = (
        "import asyncio, sys\n"
        "from kokoromichi.core.providers.local_json import LocalJSONProvider\n"
        "async def hold():\n"
        "    async with LocalJSONProvider(sys.argv[1]):\n"
        "        print('held', flush=True)\n"
        "        sys.stdin.read()\n"
        "asyncio.run(hold())\n"
    )
    command = [sys.executable, "-c", script, str(folder)]
    with subprocess.Popen(  # noqa: ASYNC220 - nothing else runs meanwhile
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        said = await refusal(folder)
        assert f"{folder} is in use by process {process.pid}: stop it, or set DATA_DIR" in said
        process.kill()
        process.wait()
        async with over(folder) as local:  # The lock of a dead process holds nobody up.
            assert await local.user_ids() == ["ada", "bo"]


async def test_a_provider_of_the_same_process_is_a_second_one_too(folder: Path) -> None:
    async with over(folder):
        assert "is in use by process" in await refusal(folder)


class ReadOnlyFiles(Files):
    def make_folder(self, path: Path) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))


async def test_a_folder_that_cannot_be_written_is_named_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot be used: Read-only file system\. Make sure") as error:
        await LocalJSONProvider(tmp_path / "data", files=ReadOnlyFiles()).open()
    assert str(tmp_path / "data") in str(error.value)


async def test_a_damaged_player_is_brought_back_from_his_backup(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with over(folder) as local:
        before = await stored(local)
    for damage in (b"", b"{", b"\x00" * 700):
        (folder / "users" / "ada.json").write_bytes(damage)
        async with over(folder) as local:
            assert await stored(local) == before
        assert f"{folder}/users/ada.json cannot be read: its backup of change" in caplog.text
        assert damage in [path.read_bytes() for path in (folder / "backups").glob("ada.*.unused")]
    (folder / "users" / "ada.json").unlink()
    async with over(folder) as local:
        assert await stored(local) == before
        assert (await audit_provider(local)).sound


async def test_a_damaged_player_without_his_last_backup_is_refused(folder: Path) -> None:
    newest = max((folder / "backups").glob("ada.*.json"))
    newest.unlink()
    (folder / "users" / "ada.json").write_bytes(b"{")
    said = await refusal(folder)
    assert f"{folder}/users/ada.json cannot be read, and no backup in {folder}/backups" in said
    assert "put the best backup in its place and run `kokoromichi audit --adopt`" in said


def edited(folder: Path, **values: object) -> None:
    path = folder / "users" / "ada.json"
    content = json.loads(path.read_bytes())
    content["document"].update(values)
    path.write_text(json.dumps(content), "utf-8")


async def test_a_file_changed_by_hand_is_refused_until_it_is_adopted(folder: Path) -> None:
    edited(folder, gold=1_000, inventory={"y": 1}, name="Ada", pets=["cat"])
    by_hand = (folder / "users" / "ada.json").read_bytes()
    async with over(folder) as local:
        for call in (local.profile("ada"), local.apply(change(user("ada", 2))), local.save_user("ada", {})):
            with pytest.raises(StorageError, match=r"users/ada\.json was edited externally") as error:
                await call
            assert "run `kokoromichi audit --adopt`" in str(error.value)
        assert (await local.profile("bo")) is not None
    assert (folder / "users" / "ada.json").read_bytes() == by_hand
    async with over(folder) as local:
        assert await local.adopt() == ["users/ada.json"]
        assert (await rows(local, "ada"))[-3:] == [
            Row("correction", "ada", "gold", 930, 1_000),
            Row("correction", "ada", item_id="x", quantity=-2),
            Row("correction", "ada", item_id="y", quantity=1),
        ]
        assert await local.adopt() == []
    async with over(folder) as local:
        document = await local.get_user("ada")
        assert document is not None
        assert (document["gold"], document["name"], document["pets"]) == (1_000, "Ada", ["cat"])
        assert (document["level"], document["inventory"]) == (3, {"y": 1})
        assert (await audit_provider(local)).sound


async def test_a_former_file_put_back_is_another_hands_too(folder: Path) -> None:
    shutil.copy(min((folder / "backups").glob("ada.*.json")), folder / "users" / "ada.json")
    async with over(folder) as local:
        with pytest.raises(StorageError, match="changed by another hand"):
            await local.profile("ada")
        await local.adopt()
        profile = await local.profile("ada")
        assert profile is not None
        assert (profile.gold, profile.level) == (100, 1)
        assert (await audit_provider(local)).sound


async def test_a_file_edited_while_the_provider_runs_is_not_overwritten(folder: Path) -> None:
    async with over(folder) as local:
        assert (await local.profile("ada")) is not None
        edited(folder, gold=1_000)
        by_hand = (folder / "users" / "ada.json").read_bytes()
        await local.apply(change(user("ada", 2, money(-70, 0, "fee"))))
    assert (folder / "users" / "ada.json").read_bytes() == by_hand
    async with over(folder) as local:
        await local.adopt()
        assert (await rows(local, "ada"))[-2:] == [
            Row("fee", "ada", "gold", -70, 0),
            Row("correction", "ada", "gold", 1_000, 1_000),
        ]
        assert (await audit_provider(local)).sound


async def test_a_player_put_there_by_hand_is_adopted_whole(folder: Path) -> None:
    (folder / "users" / "cy.json").write_text('{"gold": 7, "name": "Cy"}', "utf-8")
    (folder / "users" / "no player.json").write_text("{}", "utf-8")
    async with over(folder) as local:
        with pytest.raises(StorageError, match="put there by another hand"):
            await local.save_user("cy", {"gold": 1})
        assert await local.adopt() == ["users/cy.json"]
        assert await rows(local, "cy") == [Row("correction", "cy", "gold", 7, 7)]
    async with over(folder) as local:
        assert await local.user_ids() == ["ada", "bo", "cy"]


async def test_a_file_that_cannot_be_adopted_says_why(folder: Path) -> None:
    edited(folder, gold=-5)
    async with over(folder) as local:
        with pytest.raises(StorageError, match=r"(?s)users/ada\.json cannot be adopted: .*gold"):
            await local.adopt()


def without_checkpoint(folder: Path) -> None:
    (folder / "journal" / "checkpoint.json").unlink()
    (folder / "journal" / "0000000000000001.journal").touch()


DAMAGE: Final[dict[str, tuple[Callable[[Path], object], str]]] = {
    "checkpoint": (
        lambda folder: (folder / "journal" / "checkpoint.json").write_bytes(b"{"),
        "journal/checkpoint.json is damaged: put back the whole folder",
    ),
    "ledger": (
        lambda folder: (folder / "ledgers" / "admin.log").write_bytes(b""),
        "ledgers/admin.log is shorter than the",
    ),
    "requests": (
        lambda folder: (folder / "journal" / "requests.log").write_bytes(b""),
        "journal/requests.log is shorter than the",
    ),
    "checkpoint gone": (without_checkpoint, "journal/checkpoint.json is missing beside its journal"),
}


@pytest.mark.parametrize("damage", DAMAGE)
async def test_damage_is_named_with_the_cure(damage: str, folder: Path) -> None:
    async with over(folder) as local:
        await local.apply(change(user("bo", 1, goods("x", 1)), request_id="r-1", digest="give"))
    do, sentence = DAMAGE[damage]
    do(folder)
    said = await refusal(folder)
    assert sentence in said
    assert "own copy" in said


async def test_what_the_journal_does_not_vouch_for_is_cut_from_a_ledger(folder: Path) -> None:
    async with over(folder) as local:
        before = await stored(local)
    with (folder / "ledgers" / "admin.log").open("ab") as ledger:
        ledger.write(b'{"entry_id": "torn')
    async with over(folder) as local:
        assert await stored(local) == before


async def test_a_file_that_is_newer_than_the_journal_is_refused(tmp_path: Path) -> None:
    crashed = tmp_path / "crashed"
    async with LocalJSONProvider(tmp_path / "data", 0.0) as local:
        await with_player(local, "ada")
        while not (tmp_path / "data" / "users" / "ada.json").exists():  # noqa: ASYNC110 - another's file
            await asyncio.sleep(0.01)
        shutil.copytree(tmp_path / "data", crashed)
    (crashed / "journal" / "0000000000000001.journal").write_bytes(b"")
    said = await refusal(crashed)
    assert "users/ada.json knows of change 1, but the journal ends at 0" in said
    assert "put back the whole folder from your copy" in said
