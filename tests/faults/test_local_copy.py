"""The copy that people read: it follows, former states are kept, and what is edited externally is seen."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
from typing import TYPE_CHECKING

import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.clock import DAY_US, ManualClock
from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.core.providers.local.backups import Retention, superfluous
from kokoromichi.core.providers.local_json import LocalJSONProvider
from tests.contract.stored import NOON_US, Row, change, money, rows, user, with_counter, with_player
from tests.faults.local_folders import DATABASE, fill, kill, over

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.core.providers.local.seals import Key


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    return await fill(tmp_path / "data")


def written(folder: Path, name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / name).read_bytes())
    return found


def edit(folder: Path, file: str = "users/ada.json", **values: object) -> bytes:
    content = json.dumps({**written(folder, file), **values}).encode()
    (folder / file).write_bytes(content)
    return content


def entries(folder: Path, book: str) -> list[int]:
    lines = (folder / "ledgers" / f"{book}.log").read_bytes().splitlines()
    return [int(json.loads(line)["entry_id"]) for line in lines]


async def settled(local: LocalJSONProvider) -> None:
    """Until the copy has followed."""
    while local._life.background.behind:  # type: ignore[union-attr] # noqa: ASYNC110, SLF001 - no door tells when a thread has written files
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.05)


async def test_players_sections_counters_and_books_stand_in_files(folder: Path) -> None:
    ada = written(folder, "users/ada.json")
    assert (ada["gold"], ada["level"], ada["inventory"], ada["version"]) == (70, 3, {"x": 2}, 2)
    assert written(folder, "sections/events.json")["days"] == 3
    assert written(folder, "counters.json")["plain.x"] == 5
    assert entries(folder, "admin") == [1, 2, 4]
    assert entries(folder, "transfers") == [3]
    assert len(list((folder / "backups").glob("ada.*.json"))) == 2
    assert len(list((folder / "backups" / "sections").glob("events.*.json"))) == 1


async def test_a_player_and_a_section_of_the_counters_name_collide_with_nothing(tmp_path: Path) -> None:
    async with over(tmp_path) as local:
        await with_counter(local, "x", 5)
        await with_player(local, "counters", gold=7)
        await local.save_game_data("counters", {"a": 1})
        await local.save_game_data("users", {"b": 2})
    assert written(tmp_path, "counters.json")["x"] == 5
    assert written(tmp_path, "users/counters.json")["gold"] == 7
    assert written(tmp_path, "sections/counters.json")["a"] == 1
    async with over(tmp_path) as local:
        assert await local.edited_files() == {}


async def test_what_a_kill_left_behind_is_written_by_the_next_process_and_no_row_twice(folder: Path) -> None:
    local = over(folder)
    await local.open()
    await local.apply(change(user("bo", 1, money(1, 51))))
    kill(local)
    with (folder / "ledgers" / "admin.log").open("ab") as book:
        book.write(b'{"entry_id":"00000000000000')
    assert written(folder, "users/bo.json")["gold"] == 50
    async with over(folder):
        pass
    assert written(folder, "users/bo.json")["gold"] == 51
    assert entries(folder, "admin") == [1, 2, 4, 5]


async def test_a_copy_that_is_deleted_cut_or_rotated_does_no_harm(folder: Path) -> None:
    async with over(folder, 0.01) as local:
        (folder / "users" / "ada.json").unlink()
        (folder / "ledgers" / "admin.log").rename(folder / "ledgers" / "admin.log.1")
        (folder / "ledgers" / "transfers.log").write_bytes(b"")
        await local.apply(change(user("ada", 2, money(1, 71))))
        await local.apply(change(user("ada", 3, money(-1, 70, "fee"))))
        await settled(local)
        assert written(folder, "users/ada.json")["gold"] == 70
        assert entries(folder, "admin") == [5]
        assert entries(folder, "transfers") == [6]
        shutil.rmtree(folder / "users")
        assert (await audit_provider(local)).sound


async def test_an_edited_file_is_told_and_left_alone_until_it_is_adopted(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    by_hand = edit(folder, gold=1_000, inventory={"y": 1}, name="Ada", pets=["cat"])
    async with over(folder, 0.01) as local:
        assert await local.edited_files() == {"users/ada.json": "was edited externally"}
        await local.apply(change(user("ada", 2, money(5, 75), fields={"xp": 9})))
        await settled(local)
        assert (folder / "users" / "ada.json").read_bytes() == by_hand
        assert "users/ada.json was edited externally: it is left alone" in caplog.text
        assert await local.adopt() == ["users/ada.json"]
        assert (await rows(local, "ada"))[-4:] == [
            Row("grant", "ada", "gold", 5, 75),
            Row("correction", "ada", "gold", 930, 1_005),  # From 70 to 1,000 by hand, and 5 were played.
            Row("correction", "ada", item_id="x", quantity=-2),
            Row("correction", "ada", item_id="y", quantity=1),
        ]
        assert await local.adopt() == []
        assert await local.edited_files() == {}
        document = await local.get_user("ada")
        assert document is not None
        assert (document["name"], document["pets"], document["xp"], document["level"]) == (
            "Ada",
            ["cat"],
            9,
            3,
        )
        assert (await audit_provider(local)).sound
    assert written(folder, "users/ada.json")["gold"] == 1_005
    assert by_hand in [path.read_bytes() for path in (folder / "backups").glob("ada.*.adopted")]


async def test_an_adoption_that_was_cut_off_is_not_booked_twice(folder: Path) -> None:
    by_hand = edit(folder, gold=1_000)
    async with over(folder) as local:
        await local.adopt()
        (folder / "users" / "ada.json").write_bytes(by_hand)  # As if it had died before moving the file away.
        await local.adopt()
        profile = await local.profile("ada")
        assert profile is not None
        assert profile.gold == 1_000


async def test_a_former_file_put_back_takes_the_player_back(folder: Path) -> None:
    former = min((folder / "backups").glob("ada.*.json"))
    shutil.copy(former, folder / "users" / "ada.json")
    async with over(folder) as local:
        assert "that was put back externally" in (await local.edited_files())["users/ada.json"]
        await local.adopt()
        profile = await local.profile("ada")
        assert profile is not None
        assert (profile.gold, profile.level) == (100, 1)
        assert (await audit_provider(local)).sound


async def test_a_player_and_a_section_put_there_by_hand_are_adopted_whole(folder: Path) -> None:
    (folder / "users" / "cy.json").write_text('{"gold": 7, "name": "Cy"}', "utf-8")
    edit(folder, "sections/events.json", days=4)
    async with over(folder) as local:
        assert await local.adopt() == ["users/cy.json", "sections/events.json"]
        assert await rows(local, "cy") == [Row("correction", "cy", "gold", 7, 7)]
        assert await local.get_game_data("events") == {"days": 4}


async def test_a_file_that_cannot_be_adopted_says_why_and_stays(folder: Path) -> None:
    by_hand = edit(folder, gold=-5)
    async with over(folder) as local:
        with pytest.raises(StorageError, match=r"(?s)users/ada\.json cannot be adopted: .*gold"):
            await local.adopt()
        for path in (folder / "backups").glob("ada.*.json"):
            path.unlink()
        edit(folder, gold=1_000)
    async with over(folder) as local:
        with pytest.raises(StorageError, match="no backup holds what it was before"):
            await local.adopt()
        profile = await local.profile("ada")
        assert profile is not None
        assert profile.gold == 70
    assert (folder / "users" / "ada.json").read_bytes() != by_hand


async def test_the_file_of_one_player_in_the_place_of_another_ones_is_never_adopted(folder: Path) -> None:
    whole = (folder / "users" / "ada.json").read_bytes()
    for name in ("bo", "cy"):
        (folder / "users" / f"{name}.json").write_bytes(whole)
        async with over(folder) as local:
            assert list(await local.edited_files()) == [f"users/{name}.json"]
            with pytest.raises(StorageError, match=r"cannot be adopted: it is of player ada\. Take it away"):
                await local.adopt()
        (folder / "users" / f"{name}.json").unlink()


async def test_a_folder_in_the_place_of_a_file_ends_no_audit(folder: Path) -> None:
    for name in ("users/ada.json", "counters.json"):
        (folder / name).unlink()
        (folder / name).mkdir()
    async with over(folder) as local:
        assert (await local.edited_files(), await local.adopt()) == ({}, [])


async def test_a_mirror_adopts_nothing(tmp_path: Path) -> None:
    async with over(tmp_path) as local:
        await local.mark_mirror("postgres", NOON_US)
        with pytest.raises(MisuseError, match="mirrors postgres and adopts nothing: delete the folder"):
            await local.adopt()


async def test_damaged_files_and_edited_counters_are_set_aside_and_written_anew(folder: Path) -> None:
    (folder / "users" / "ada.json").write_bytes(b"\x00" * 700)
    edit(folder, "counters.json", **{"plain.x": 50})
    async with over(folder) as local:
        await local.apply(change(user("ada", 2, money(5, 75))))
        await with_counter(local, "plain.y", 1)
    assert written(folder, "users/ada.json")["gold"] == 75
    assert written(folder, "counters.json")["plain.x"] == 5
    assert [path.read_bytes() for path in (folder / "backups").glob("ada.*.unused")] == [b"\x00" * 700]
    assert len(list((folder / "backups").glob("counters.*.unused"))) == 1


async def test_closing_waits_for_the_files_that_are_being_written(folder: Path) -> None:
    local = over(folder, 0.01)
    await local.open()
    store = local._life.store  # noqa: SLF001 - no door leads there
    assert store is not None
    write, begun, gate = store.copy.write, threading.Event(), threading.Event()

    calls: list[set[Key]] = []

    def slow(due: set[Key]) -> None:
        calls.append(due)
        begun.set()
        gate.wait(30)
        write(due)

    store.copy.write = slow  # type: ignore[method-assign] # A disk that takes its time.
    await local.apply(change(user("ada", 2, money(1, 71))))
    await asyncio.to_thread(begun.wait, 30)
    closing = asyncio.create_task(local.close())
    done, _ = await asyncio.wait({closing}, timeout=0.2)
    assert not done
    assert len(calls) == 1  # Nobody else writes the same files meanwhile.
    gate.set()
    await closing
    assert written(folder, "users/ada.json")["gold"] == 71
    assert entries(folder, "admin") == [1, 2, 4, 5]
    assert not (folder / f"{DATABASE}-wal").exists()


async def test_a_copy_that_cannot_be_written_stops_nobody(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "users" / "ada.json").unlink()
    (folder / "users" / "ada.json").mkdir()
    async with over(folder, 0.01) as local:
        await local.apply(change(user("ada", 2, money(5, 75))))
        await local.apply(change(user("bo", 1, money(5, 55))))
        await asyncio.sleep(0.1)
        assert written(folder, "users/bo.json")["gold"] == 55
        assert caplog.text.count("the readable copy in") == 1
        (folder / "users" / "ada.json").rmdir()
        await settled(local)
    assert written(folder, "users/ada.json")["gold"] == 75


def test_backups_are_the_newest_few_and_then_one_a_day_for_their_days() -> None:
    noon = NOON_US
    hours = [noon - hour * DAY_US // 24 for hour in range(24 * 40)][::-1]
    gone = superfluous(hours, Retention(newest=5, days=30), noon)
    kept = [at_us for at_us in hours if at_us not in set(gone)]
    assert kept[-5:] == hours[-5:]
    days = [at_us // DAY_US for at_us in kept[:-5]]
    assert days == list(range(noon // DAY_US - 30, noon // DAY_US))
    assert all(at_us + DAY_US // 24 > (at_us // DAY_US + 1) * DAY_US - 1 for at_us in kept[:-5])


async def test_an_active_players_backups_go_back_in_time(tmp_path: Path) -> None:
    clock = ManualClock(NOON_US - 10 * DAY_US)
    async with LocalJSONProvider(tmp_path, 3_600, clock=clock) as local:
        await with_player(local, "ada", gold=0)
    for number in range(100):
        clock.us += DAY_US // 10
        async with LocalJSONProvider(tmp_path, 3_600, clock=clock) as local:
            await local.save_user("ada", {"gold": number})
    found = sorted(path.name.split(".")[1][:8] for path in (tmp_path / "backups").glob("ada.*.json"))
    assert len(found) == 15
    assert len(set(found)) == 11
