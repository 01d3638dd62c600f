"""A lost or damaged database, made anew from the readable copy: what comes back, and what is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.cli.app import app
from kokoromichi.core.clock import ManualClock
from kokoromichi.core.errors import MisuseError, RequestMismatchError
from kokoromichi.core.providers.local.restoring import restore
from tests.contract.stored import NOON_US, change, money, stored, user
from tests.faults.local_folders import DATABASE, fill, image, kill, over
from tests.unit.service_world import World

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

STORAGE_FAILED, USAGE = 4, 2


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    return await fill(tmp_path / "data")


def invoke(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


async def test_a_lost_database_comes_back_with_every_balance_row_counter_and_section(folder: Path) -> None:
    async with over(folder) as local:
        before = await stored(local)
    (folder / DATABASE).unlink()
    done = restore(folder, folder, ManualClock(NOON_US))
    assert (done.players, done.rows, done.counters, done.sections) == (2, 4, 1, 1)
    assert (done.rows_missing, done.edited, done.rebuilt, done.lost) == (0, [], [], [])
    async with over(folder) as local:
        after = await stored(local)
        assert after == before
        assert await local.get_game_data("events") == {"days": 3}
        assert (await audit_provider(local)).sound
        assert len(await local.daily_totals()) == 3
        await local.apply(change(user("bo", 1, money(1, 51))))
    async with over(folder) as local:
        assert (await audit_provider(local)).sound


async def test_a_request_of_the_ledger_is_never_carried_out_again(folder: Path) -> None:
    (folder / DATABASE).unlink()
    restore(folder, folder, ManualClock(NOON_US))
    async with over(folder) as local:
        before = await stored(local)
        with pytest.raises(RequestMismatchError):
            await local.apply(change(user("ada", 2, money(-30, 40, "fee")), request_id="r-1", digest="d"))
        with pytest.raises(RequestMismatchError):
            await local.get_response("r-1", "d")
        assert await stored(local) == before


async def test_players_whose_files_are_gone_or_edited_are_made_of_their_rows(folder: Path) -> None:
    for path in (folder / "users" / "bo.json", *(folder / "backups").glob("bo.*")):
        path.unlink()
    edited = json.loads((folder / "users" / "ada.json").read_bytes())
    (folder / "users" / "ada.json").write_text(json.dumps({**edited, "gold": 10**6}), "utf-8")
    (folder / DATABASE).unlink()
    done = restore(folder, folder, ManualClock(NOON_US))
    assert (done.edited, done.rebuilt) == (["users/ada.json"], ["bo"])
    async with over(folder) as local:
        assert dict(await local.balances()) == {"ada": 70, "bo": 50}
        profile = await local.profile("ada")
        assert profile is not None
        assert (profile.level, profile.inventory) == (3, {"x": 2})
        assert (await audit_provider(local)).sound


async def test_rows_that_are_missing_are_made_up_for_and_told(folder: Path) -> None:
    (folder / "ledgers" / "transfers.log").unlink()
    book = folder / "ledgers" / "admin.log"
    book.write_bytes(book.read_bytes().split(b"\n", 1)[1] + b"\x00\x00 torn")
    (folder / DATABASE).unlink()
    done = restore(folder, folder, ManualClock(NOON_US))
    assert (done.rows, done.rows_missing, done.corrected) == (2, 2, 1)
    assert any("rows are in no file" in sentence for sentence in done.sentences())
    async with over(folder) as local:
        assert dict(await local.balances()) == {"ada": 70, "bo": 50}
        assert sum(entry.amount or 0 for entry in await local.read_ledger(user_id="ada")) == 70


async def test_an_older_file_gives_back_nothing_that_was_spent_where_rows_of_others_are_missing(
    folder: Path,
) -> None:
    async with over(folder) as local:
        await local.apply(change(user("bo", 1, money(1, 51))))
    older, newer = sorted((folder / "backups").glob("ada.*"))
    (folder / "users" / "ada.json").write_bytes(older.read_bytes())
    newer.unlink()
    book = folder / "ledgers" / "admin.log"
    lines = book.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if (json.loads(line)["user_id"], json.loads(line)["amount"]) != ("bo", 50)]
    book.write_bytes(b"".join(kept))
    (folder / DATABASE).unlink()
    done = restore(folder, folder, ManualClock(NOON_US))
    assert (done.rows_missing, done.edited, done.corrected) == (1, [], 1)
    async with over(folder) as local:
        assert dict(await local.balances()) == {"ada": 70, "bo": 51}
        assert (await audit_provider(local)).sound


@pytest.mark.parametrize("kept", [0, 1, 2, 3])
async def test_a_book_that_lost_its_newest_rows_or_all_gives_nothing_away(folder: Path, kept: int) -> None:
    async with over(folder) as local:
        before = dict(await local.balances()), [await local.get_user(user_id) for user_id in ("ada", "bo")]
    for book in (folder / "ledgers").glob("*.log"):
        lines = book.read_bytes().splitlines(keepends=True)
        book.write_bytes(b"".join(line for line in lines if int(json.loads(line)["entry_id"]) <= kept))
    (folder / DATABASE).unlink()
    done = restore(folder, folder, ManualClock(NOON_US))
    assert (done.rows, done.corrected > 0) == (kept, True)
    assert any("ows are in no file" in sentence for sentence in done.sentences())
    async with over(folder) as local:
        assert before == (
            dict(await local.balances()),
            [await local.get_user(user_id) for user_id in ("ada", "bo")],
        )
        assert (await audit_provider(local)).sound


async def test_whoever_spent_everything_gets_nothing_back_where_that_row_is_lost(folder: Path) -> None:
    async with over(folder) as local:
        await local.apply(change(user("ada", 2, money(-70, 0, "fee"))))
    book = folder / "ledgers" / "transfers.log"
    *kept, newest = book.read_bytes().splitlines(keepends=True)
    assert json.loads(newest)["balance_after"] == 0
    book.write_bytes(b"".join(kept))
    (folder / DATABASE).unlink()
    assert restore(folder, folder, ManualClock(NOON_US)).corrected == 1
    async with over(folder) as local:
        assert dict(await local.balances()) == {"ada": 0, "bo": 50}
        assert (await audit_provider(local)).sound


async def test_a_file_under_another_name_makes_no_player_and_takes_nothing_from_one(folder: Path) -> None:
    users, whole = folder / "users", (folder / "users" / "ada.json").read_bytes()
    for name in ("ada (1)", "system", "cy", "\udcff"):
        (users / f"{name}.json").write_bytes(whole)
    (users / "bo.json").unlink()
    (users / "bo.json").symlink_to("ada.json")
    (users / "dora.json").write_text('{"gold": 5}', "utf-8")
    (folder / "sections" / "events.json").write_text('{"a": "\\u0000"}', "utf-8")
    (folder / "ledgers" / "a.log").mkdir()
    (folder / DATABASE).unlink()
    done = restore(folder, folder, ManualClock(NOON_US))
    assert (done.players, done.rebuilt, len(done.edited)) == (2, [], 7)
    assert "sections/events.json (section events holds a text with a NUL" in done.lost[0]
    async with over(folder) as local:
        assert dict(await local.balances()) == {"ada": 70, "bo": 50}
        assert (await audit_provider(local)).sound
        assert "users/cy.json" in await local.edited_files()


async def test_rotated_books_count_once(folder: Path) -> None:
    book = folder / "ledgers" / "admin.log"
    (folder / "ledgers" / "admin.log.1").write_bytes(book.read_bytes())
    (folder / DATABASE).unlink()
    assert restore(folder, folder, ManualClock(NOON_US)).rows == 4
    async with over(folder) as local:
        assert (await audit_provider(local)).sound


async def test_a_whole_games_copy_is_sound_and_played_on(tmp_path: Path) -> None:
    clock = ManualClock(NOON_US)
    async with over(tmp_path / "data", clock=clock) as local:
        world = await World.open(local, clock=clock)
        for number in range(20):
            await world.services.store.purchase(f"p{number}", "health_potion", request_id=f"r-{number}")
        await world.services.bank.transfer("p1", "p2", 100)
    done = restore(tmp_path / "data", tmp_path / "new", clock)
    assert done.players == 20
    async with over(tmp_path / "new", clock=clock) as local:
        report = await audit_provider(local)
        assert report.sound, str(report)
        world = await World.open(local, clock=clock)
        with pytest.raises(RequestMismatchError):
            await world.services.store.purchase("p3", "health_potion", request_id="r-3")
        await world.services.daily.claim("p3")
        assert (await audit_provider(local)).sound


async def test_a_sound_database_is_not_replaced_and_a_damaged_one_is_set_aside(folder: Path) -> None:
    with pytest.raises(MisuseError, match="is a sound database, and is not replaced"):
        restore(folder, folder, ManualClock(NOON_US))
    (folder / DATABASE).write_bytes(b"damaged" * 1_000)
    restore(folder, folder, ManualClock(NOON_US))
    aside = [content for name, content in image(folder).items() if name.endswith(".damaged")]
    assert aside == [b"damaged" * 1_000]
    async with over(folder) as local:
        assert await local.user_ids() == ["ada", "bo"]


async def test_a_database_whose_wal_is_gone_is_restored_from_the_copy(folder: Path) -> None:
    local = over(folder)
    await local.open()
    await local.apply(change(user("bo", 1, money(1, 51))))
    kill(local)
    (folder / f"{DATABASE}-wal").unlink()
    restore(folder, folder, ManualClock(NOON_US))
    async with over(folder) as again:
        assert dict(await again.balances()) == {
            "ada": 70,
            "bo": 50,
        }  # The last debounce is lost, and said so.


async def test_an_erased_player_stays_erased_after_a_restore(folder: Path, tmp_path: Path) -> None:
    async with over(folder) as local:
        await local.backup(tmp_path / "before.sqlite3")
        await local.erase("ada", "erased-1")
    restore(folder, tmp_path / "new", ManualClock(NOON_US))
    (tmp_path / "new" / DATABASE).write_bytes((tmp_path / "before.sqlite3").read_bytes())
    async with over(tmp_path / "new") as local:
        assert await local.user_ids() == ["bo", "erased-1"]


def test_the_command_says_what_came_back_and_what_did_not(folder: Path, tmp_path: Path) -> None:
    (folder / DATABASE).unlink()
    result = invoke("restore", "--data-dir", folder)
    assert result.exit_code == 0
    said = " ".join(result.stdout.split())
    assert (
        "Restored: 2 players, 4 rows, 1 counters and 1 sections, up to the row of 2026-03-10 12:00:00" in said
    )
    assert "What was played after it is lost. Every request id of the ledger is spent" in said
    again = invoke("restore", "--data-dir", folder, "--target-dir", tmp_path / "new", "--json")
    assert json.loads(again.stdout)["players"] == 2


def test_the_command_refuses_what_it_cannot_restore(folder: Path, tmp_path: Path) -> None:
    result = invoke("restore", "--data-dir", folder)
    assert result.exit_code == USAGE
    assert "is a sound database, and is not replaced" in " ".join(result.stderr.split())
    result = invoke("restore", "--data-dir", tmp_path / "nothing")
    assert result.exit_code == USAGE
    assert "holds no readable copy of a store" in " ".join(result.stderr.split())


async def test_a_folder_that_is_in_use_is_not_restored(folder: Path) -> None:
    async with over(folder):
        (folder / DATABASE).unlink()
        result = invoke("restore", "--data-dir", folder)
        assert result.exit_code == STORAGE_FAILED
        assert "is in use" in " ".join(result.stderr.split())
