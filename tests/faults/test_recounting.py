"""Daily totals that lack what a former version wrote: the audit says so, and a recount in play cures it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import asyncpg
import pytest
from pymongo import MongoClient
from typer.testing import CliRunner

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.cli.app import app
from kokoromichi.core.clock import ManualClock
from kokoromichi.core.provider_manager import build_provider
from kokoromichi.core.providers.local.opening import database_of
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.providers.mongo import MongoDBProvider, folding
from kokoromichi.core.providers.postgres import folding as counting
from kokoromichi.core.reader import Reader
from kokoromichi.operation.backups import back_up, restore
from tests.contract.stored import NOON_US, change, money, user
from tests.faults.test_drill import PLAYERS, play, settings_of
from tests.unit.service_world import World

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.providers.mongo.driver import MongoDriver, MongoSession
    from kokoromichi.settings import Settings


async def forget(settings: Settings) -> None:
    """What a former version leaves of its commits for the totals, nothing, and a day on which nobody played."""
    if settings.provider == "mongo":
        with MongoClient[dict[str, object]](settings.mongo_uri.get_secret_value()) as client:
            base = client.get_default_database()
            base.requests.update_many({}, {"$unset": {"waits": "", "queued": ""}})
            base.users.update_many({}, {"$unset": {"active_day": ""}})
            base.active_days.insert_one({"_id": 77, "players": 3})
        return
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    await connection.execute("DELETE FROM unfolded; INSERT INTO active_days VALUES (77, 3)")
    await connection.close()


async def assert_counted(store: DataProvider) -> None:
    assert (await audit_provider(store)).sound
    assert await store.daily_totals() == await Reader.daily_totals(store)
    assert await store.active_players() == await Reader.active_players(store)


@pytest.mark.parametrize("name", ["mongo", "postgres"])
async def test_totals_that_lack_rows_are_found_and_corrected_while_players_play(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, clock = await settings_of(name, tmp_path), ManualClock(NOON_US)
    monkeypatch.setenv("MONGO_URI", settings.mongo_uri.get_secret_value())
    monkeypatch.setenv("DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    async with build_provider(settings, clock=clock) as bots, build_provider(settings, clock=clock) as beside:
        world = await World.open(bots, clock=clock)
        for player in PLAYERS:
            await world.player(player, gold=100_000)
        await bots.fold()
        await play(world, 6)
        await forget(settings)
        report = await audit_provider(beside)
        assert report.counts == {1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0, 7: 2}
        assert report.violations[7].select("kind", "rows", "players").rows() == [
            ("purchase", 6, None),
            (None, None, -3),
        ]

        playing = asyncio.create_task(play(world, 24))
        command = asyncio.create_task(
            asyncio.to_thread(CliRunner().invoke, app, ["audit", "--provider", name, "--recount"])
        )
        recount = asyncio.create_task(beside.recount())
        while not (command.done() and recount.done()):
            await bots.fold()
        await asyncio.gather(playing, recount)
        assert f"{name}: sound: 7 laws hold" in (await command).output
        await assert_counted(beside)
        await forget(settings)
        seen = await bots.profile(PLAYERS[0])
        assert seen is not None
        await beside.recount()
        await bots.apply(change(user(PLAYERS[0], seen.version, money(1, seen.gold + 1))))
        await assert_counted(beside)  # What the bot remembered of them was of before the recount.
        await bots.fold()
        await assert_counted(beside)


async def test_of_two_processes_that_count_a_former_ledger_at_once_the_slower_one_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, clock = await settings_of("mongo", tmp_path), ManualClock(NOON_US)
    async with build_provider(settings, clock=clock) as before:
        await play(await World.open(before, clock=clock), 6)
    await forget(settings)
    with MongoClient[dict[str, object]](settings.mongo_uri.get_secret_value()) as client:
        client.get_default_database().schema_version.update_one({"_id": "schema"}, {"$set": {"version": 1}})
    uri, read = settings.mongo_uri.get_secret_value(), folding._booked
    slower, faster = MongoDBProvider(uri, clock), MongoDBProvider(uri, clock)

    async def booked(driver: MongoDriver, session: MongoSession | None) -> object:
        found = await read(driver, session)
        if driver is slower._driver:
            await play(await World.open(faster, clock=clock), 2)
        return found

    monkeypatch.setattr(folding, "_booked", booked)
    async with slower, faster:
        await assert_counted(slower)


async def test_a_recount_may_last_and_lets_erasures_through_until_its_last_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, clock = await settings_of("postgres", tmp_path), ManualClock(NOON_US)
    steps = list(counting._RECOUNT)
    steps.insert(steps.index("DELETE FROM daily_totals WHERE rows = 0"), "SELECT pg_sleep(2)")
    monkeypatch.setattr(counting, "_RECOUNT", steps)
    monkeypatch.setattr(counting, "_VACUUM_S", 0.5)
    async with build_provider(settings, clock=clock) as bots:
        await play(await World.open(bots, clock=clock), 6)
        await bots.fold()
        recount = asyncio.create_task(bots.recount())
        await asyncio.sleep(0.2)
        await bots.erase(PLAYERS[0], "erased-abcdefgh")
        assert not recount.done()
        await recount
        await assert_counted(bots)


@pytest.fixture
async def broken(tmp_path: Path) -> Settings:
    """A local store whose daily totals were changed by another hand."""
    settings, clock = await settings_of("local", tmp_path / "data"), ManualClock(NOON_US)
    async with build_provider(settings, clock=clock) as store:
        await play(await World.open(store, clock=clock), 6)
    with closing(sqlite3.connect(database_of(settings.data_dir))) as base:
        base.execute("UPDATE daily_totals SET rows = rows + 1")
        base.execute("UPDATE active_days SET players = 1")
        base.commit()
    return settings


def test_local_totals_are_corrected_while_the_bot_is_stopped(broken: Settings) -> None:
    command = ["audit", "--provider", "local", "--data-dir", str(broken.data_dir)]
    assert "law 7" in CliRunner().invoke(app, command).output
    said = CliRunner().invoke(app, [*command, "--recount"])
    assert "local: sound: 7 laws hold" in said.output
    assert "local: sound: 7 laws hold" in CliRunner().invoke(app, command).output


async def test_a_backup_whose_totals_alone_are_wrong_is_restored_with_right_ones(
    broken: Settings, tmp_path: Path
) -> None:
    clock, file = ManualClock(NOON_US), tmp_path / "backup"
    async with build_provider(broken, clock=clock) as store:
        assert not (await back_up(store, file)).audit.sound
    fresh = await settings_of("local", tmp_path / "fresh")
    assert (await restore(file, fresh, clock, erased=broken.data_dir)).contents.audit.sound
    async with build_provider(fresh, clock=clock) as store:
        await assert_counted(store)


async def test_a_store_that_reads_its_totals_from_the_ledger_has_nothing_to_recount() -> None:
    clock = ManualClock(NOON_US)
    async with MemoryProvider(clock) as store:
        await play(await World.open(store, clock=clock), 6)
        await store.recount()
        await assert_counted(store)
