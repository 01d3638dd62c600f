"""A player who is erased from a data folder: finished or not begun, whatever dies at whichever moment."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from random import Random  # noqa: TID251 - when the power goes is no part of a simulation
from typing import TYPE_CHECKING, Final

import pytest
from kokoromichi.core.providers.local.files import Files

from kokoromichi.analysis.stored import audit_provider
from kokoromichi.core.clock import ManualClock, moment_of
from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.core.providers.local.erasing import Erasure, note_erasure
from kokoromichi.core.providers.local_json import LocalJSONProvider
from tests.contract.stored import NOON_US, Row, rows
from tests.faults.local_disk import Disk
from tests.unit.service_world import ROOT, World

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT_FOLDER: Final = Path(__file__).parents[2]
FOLDER: Final = Path("/data")
ADA: Final = "830121070024439972"
BO: Final = "301509601067529188"
HIDDEN: Final = "erased-1"
EVERY: Final = int(os.environ.get("KOKORO_ERASURES", "1"))  # noqa: TID251 - the campaign's size
"""Courses of chance for each moment at which the power goes."""


async def lived(files: Files, folder: Path = FOLDER) -> list[Row]:
    """A folder with a journal, files, backups, requests and observations that name her; its rows."""
    clock = ManualClock(NOON_US)
    provider = LocalJSONProvider(folder, 0.001, 0.01, clock=clock, files=files)
    await provider.open()
    world = await World.open(provider, clock=clock)
    await world.services.executor.open_account(BO)
    await world.services.store.purchase(ADA, "ema_plaque", 2, request_id="r-1")
    await asyncio.sleep(0.03)
    await world.services.bank.transfer(ADA, BO, 1_000, request_id="r-2")
    await world.services.admin.grant(BO, "gold", 5, actor=ROOT, reason=f"as {ADA} said")
    seen = {"user_id": ADA, "session": 1, "at": moment_of(NOON_US), "act": "buy", "code": None}
    await provider.append_observations("activity", [seen])
    await provider.close()
    await provider.open()
    await World.open(provider, clock=clock)
    await world.services.bank.transfer(BO, ADA, 100, request_id="r-3")
    found = await rows(provider)
    await provider.close()
    return found


def renamed(before: list[Row]) -> list[Row]:
    """The rows as they are afterwards."""
    named = {ADA: HIDDEN}
    return [
        row._replace(
            user_id=named.get(row.user_id, row.user_id),
            counterparty=named.get(row.counterparty or "", row.counterparty),
        )
        for row in before
    ]


async def finished(provider: LocalJSONProvider, before: list[Row]) -> bool:
    """Whether she is erased; anything between that and nothing at all is an error."""
    report = await audit_provider(provider)
    assert report.sound, str(report)
    users = await provider.user_ids()
    if ADA in users:
        assert HIDDEN not in users
        assert await rows(provider) == before
        return False
    assert HIDDEN in users
    assert await rows(provider) == renamed(before)
    profile = await provider.profile(HIDDEN)
    assert profile is not None
    assert (profile.gold, profile.inventory) == (10_000 - 2_000 - 1_000 + 95, {"ema_plaque": 2})
    return True


def name_her(image: Mapping[Path, bytes]) -> list[str]:
    """The files in which her id stands, or whose names have it."""
    return [str(path) for path, content in image.items() if ADA in path.name or ADA.encode() in content]


async def test_nothing_in_the_folder_names_her_and_everything_works_on() -> None:
    disk = Disk(Random(1))  # noqa: S311 - no secret
    before = await lived(disk)
    assert len(name_her(disk.image())) > 6
    provider = LocalJSONProvider(FOLDER, 0.001, 0.01, files=disk)
    async with provider:
        await provider.erase(ADA, HIDDEN)
        assert await finished(provider, before)
        assert name_her(disk.image()) == []
        world = await World.open(provider)
        assert (await world.services.bank.transfer(BO, HIDDEN, 100)).amount_gold == 100
    assert name_her(disk.image()) == []
    async with LocalJSONProvider(FOLDER, files=disk) as again:
        assert [row.kind for row in await rows(again)][-3:] == ["transfer", "fee", "transfer"]
        assert (await audit_provider(again)).sound


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_the_power_goes_at_any_moment() -> None:
    done = []
    before = await lived(first := Disk(Random(1)))  # noqa: S311 - no secret
    image = first.image()
    for number in range(1, 10_000):
        for course in range(EVERY):
            disk = Disk(Random(number * 1_000 + course), image)  # noqa: S311 - no secret
            disk.short = bool(number % 2)
            provider = LocalJSONProvider(FOLDER, 3_600, 3_600, files=disk)
            await provider.open()
            disk.cut_at = disk.operations + number
            told = True
            try:
                await provider.erase(ADA, HIDDEN)
            except StorageError:
                told = False
            cut = disk.operations >= disk.cut_at
            await provider.close()
            found = disk.after_power_cut()
            async with LocalJSONProvider(FOLDER, files=found) as opened:
                done.append(await finished(opened, before))
                assert done[-1] >= told
            if done[-1]:
                assert name_her(found.image()) == []
            async with LocalJSONProvider(FOLDER, files=found) as opened:  # What was repaired stays repaired.
                assert await finished(opened, before) == done[-1]
        if not cut:
            break
    assert number > 30
    assert not done[0]
    assert done[-1]


async def test_kill_9_at_any_moment(tmp_path: Path) -> None:
    folder, copies = tmp_path / "data", tmp_path / "copies"
    before = await lived(Files(), folder)
    command = [sys.executable, "-m", "tests.faults.erasing_worker", str(folder), str(copies), ADA, HIDDEN]
    worked = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT_FOLDER, capture_output=True, text=True, check=True, timeout=300
    )
    lives = worked.stdout.split()
    assert set(lives[:-1]) == {"killed"}
    assert lives[-1] == "done"
    done = []
    for number in range(1, len(lives) + 1):
        copy = copies / f"{number:03d}"
        async with LocalJSONProvider(copy) as opened:
            done.append(await finished(opened, before))
        image = await asyncio.to_thread(_image, copy)
        assert bool(name_her(image)) != done[-1]
    assert done == sorted(done)  # Once it has begun, every later death leaves it begun.
    assert not done[0]
    assert done[-1]
    assert len(done) > 30


def _image(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_acts_of_others_wait_and_are_kept(tmp_path: Path) -> None:
    await lived(Files(), tmp_path)
    async with LocalJSONProvider(tmp_path, 0.001, 0.01) as provider:
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


async def test_a_full_disk_leaves_the_folder_open_and_her_in_it() -> None:
    disk = Disk(Random(1))  # noqa: S311 - no secret
    before = await lived(disk)
    async with LocalJSONProvider(FOLDER, 3_600, 3_600, files=disk) as provider:
        await provider.save_user(BO, {"hp": 5})
        disk.fails = {"append": (disk.operations, 28)}
        with pytest.raises(StorageError, match="No space left"):
            await provider.erase(ADA, HIDDEN)
        disk.fails = {}
        assert (await provider.profile(ADA)) is not None
        await provider.erase(ADA, HIDDEN)
        assert await provider.profile(ADA) is None
        assert len(await rows(provider)) == len(before)


async def test_who_is_no_mirror_is_not_emptied(tmp_path: Path) -> None:
    await lived(Files(), tmp_path)
    async with LocalJSONProvider(tmp_path) as provider:
        with pytest.raises(MisuseError, match="is no mirror"):
            await provider.empty()
        assert len(await provider.user_ids()) == 2


async def noted(folder: Path) -> Path:
    """A closed folder in which her erasure is written down; the folder of its journal."""
    await lived(Files(), folder)
    note_erasure(Files(), folder, Erasure(ADA, HIDDEN))
    return folder / "journal"


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def refused(folder: Path) -> str:
    """What opening the folder says; nothing of it may be changed by that."""
    before = contents(folder)
    with pytest.raises(StorageError) as said:
        await LocalJSONProvider(folder).open()
    assert contents(folder) == before
    return str(said.value)


async def test_a_damaged_note_erases_nobody(tmp_path: Path) -> None:
    note = await noted(tmp_path) / "erasure.json"
    note.write_bytes(note.read_bytes()[:-5] + b"\n")
    assert "erasure.json is damaged: put back the whole folder" in await refused(tmp_path)


async def test_without_a_checkpoint_nobody_is_erased(tmp_path: Path) -> None:
    (await noted(tmp_path) / "checkpoint.json").unlink()
    assert "checkpoint.json is missing beside its journal: put back the whole folder" in await refused(
        tmp_path
    )


async def test_a_damaged_request_is_not_passed_over(tmp_path: Path) -> None:
    (requests,) = (await noted(tmp_path)).glob("requests*.log")
    requests.write_bytes(b"0 {}\n" + requests.read_bytes())
    with pytest.raises(StorageError, match=r"a file of requests in .* is damaged: put back the whole folder"):
        await LocalJSONProvider(tmp_path).open()


async def test_a_file_that_another_hand_changed_is_not_erased(tmp_path: Path) -> None:
    await noted(tmp_path)
    path = tmp_path / "users" / f"{ADA}.json"
    path.write_bytes(path.read_bytes().replace(b'"gold":', b'"gold": 1'))
    with pytest.raises(StorageError, match="was edited externally"):
        await LocalJSONProvider(tmp_path).open()
    assert ADA in path.read_text("utf-8")


async def test_a_mirror_adopts_nothing(tmp_path: Path) -> None:
    async with LocalJSONProvider(tmp_path) as local:
        await local.mark_mirror("postgres", NOON_US)
        with pytest.raises(MisuseError, match="a mirror adopts nothing: delete the folder"):
            await local.adopt()


async def test_a_section_that_another_hand_changed_is_adopted(tmp_path: Path) -> None:
    async with LocalJSONProvider(tmp_path) as local:
        await local.save_game_data("greetings", {"hello": "a"})
    path = tmp_path / "greetings.json"
    path.write_bytes(path.read_bytes().replace(b'"a"', b'"b"'))
    async with LocalJSONProvider(tmp_path) as local:
        with pytest.raises(StorageError, match="was edited externally"):
            await local.get_game_data("greetings")
        assert await local.adopt() == ["greetings.json"]
        assert await local.get_game_data("greetings") == {"hello": "b"}
    async with LocalJSONProvider(tmp_path) as local:
        assert await local.get_game_data("greetings") == {"hello": "b"}
