"""The drill of docs/deploy.md on each store: back up in play, go on, erase one, destroy, restore, audit."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING, Final

import asyncpg
import polars as pl
import pytest
from pydantic import SecretStr
from pymongo import MongoClient
from typer.testing import CliRunner

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.cli.app import app
from kokoromichi.core.clock import ManualClock
from kokoromichi.core.copying.copy_all import copy_all
from kokoromichi.core.copying.marking import refuse_half_moved
from kokoromichi.core.errors import ConfigurationError, MisuseError, StorageError
from kokoromichi.core.provider_manager import build_provider
from kokoromichi.core.providers.local.ownership import FolderLock
from kokoromichi.core.providers.local.placing import place, unpack
from kokoromichi.core.providers.local.reader import snapshot
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.operation import backups
from kokoromichi.operation.backups import back_up, contents_of_backup, restore
from kokoromichi.operation.doctor import examine
from kokoromichi.settings import Settings
from tests.contract.stored import NOON_US
from tests.servers.mongo import fresh_database
from tests.servers.postgres import fresh_postgres_database
from tests.unit.service_world import ROOT, World

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kokoromichi.core.copying.report import CopyReport
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.reader import Reader

STORES: Final = ("local", "mongo", "postgres")
PLAYERS: Final = tuple(f"p{number}" for number in range(6))
GONE: Final = "p0"
NUMBERS: Final = count()


async def settings_of(store: str, folder: Path) -> Settings:
    """An empty store of a kind; its list of erasures is in the folder."""
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240 - a test's own folder
    chosen: dict[str, object] = {"provider": store, "data_dir": folder, "mirror_dir": None}
    if store == "mongo":
        chosen["mongo_uri"] = SecretStr(fresh_database())
    elif store == "postgres":
        chosen["database_url"] = SecretStr(await fresh_postgres_database())
    return Settings(_env_file=None).model_copy(update=chosen)


async def play(world: World, rounds: int) -> None:
    for number in range(rounds):
        player = PLAYERS[number % len(PLAYERS)]
        await world.services.store.purchase(player, "flower_bouquet", request_id=f"r-{next(NUMBERS)}")


async def told(reader: Reader) -> tuple[Mapping[str, object], Mapping[str, int], list[tuple[object, ...]]]:
    """Players, counters and rows, but for those of who was erased; ids of rows may be numbered anew."""
    users = {profile.user_id: profile.document() async for profile in reader.profiles()}
    kept = {name: document for name, document in users.items() if name in PLAYERS[1:]}
    frames = [frame.drop("entry_id", "tx_id") async for frame in reader.ledger_frames()]
    rows = pl.concat(frames).filter(pl.col("user_id").is_in(PLAYERS[1:]))
    return kept, await reader.counters(), rows.rows()


@pytest.mark.parametrize("store", STORES)
async def test_the_drill(store: str, tmp_path: Path) -> None:
    clock, file = ManualClock(NOON_US), tmp_path / "backup.sqlite3"
    settings = await settings_of(store, tmp_path / "data")
    async with build_provider(settings, clock=clock) as provider:
        world = await World.open(provider, clock=clock)
        await play(world, 12)
        playing = asyncio.create_task(play(world, 30))
        async with build_provider(settings, read_only=True, clock=clock) as beside:
            made = await back_up(beside, file)
        await playing
        assert made.audit.sound
        rows_then = await provider.ledger_rows()
        assert 0 < made.rows <= rows_then
        clock.advance(1)
        await play(world, 12)
        await world.services.admin.erase(GONE, actor=ROOT, reason="asked for it")
        running = "holds what the backup does not" if store == "mongo" else "in use by"
        with pytest.raises((MisuseError, StorageError), match=running):
            await restore(file, settings, clock, erased=settings.data_dir, replace=store != "mongo")
        assert await provider.ledger_rows() > rows_then

    with pytest.raises(MisuseError, match="holds what the backup does not"):
        await restore(file, settings, clock, erased=settings.data_dir)
    fresh = await settings_of(store, tmp_path / "fresh")
    done = await restore(file, fresh, clock, erased=settings.data_dir)
    assert (done.contents.rows, done.contents.players, done.erased) == (made.rows, made.players, 1)
    async with build_provider(fresh, clock=clock) as provider, snapshot(file) as then:
        assert await told(provider) == await told(then)
        assert await provider.profile(GONE) is None
        assert GONE not in str([frame.rows() async for frame in provider.ledger_frames()])
        world = await World.open(provider, clock=clock)
        await play(world, 6)
        assert (await audit_provider(provider)).sound


@pytest.mark.parametrize("store", STORES)
async def test_what_is_replaced_is_kept_aside_and_can_be_brought_back(store: str, tmp_path: Path) -> None:
    clock, file = ManualClock(NOON_US), tmp_path / "backup.sqlite3"
    settings = await settings_of(store, tmp_path / "data")
    async with build_provider(settings, clock=clock) as provider:
        world = await World.open(provider, clock=clock)
        await play(world, 6)
        await back_up(provider, file)
        await play(world, 6)
        rows = await provider.ledger_rows()
    done = await restore(file, settings, clock, erased=settings.data_dir, replace=True)
    assert done.contents.rows < rows
    assert done.aside is not None
    former = done.aside / "kokoromichi.sqlite3" if store == "local" else done.aside
    with closing(sqlite3.connect(former)) as base:
        assert base.execute("SELECT count(*) FROM ledger").fetchone() == (rows,)


REMOTE: Final = STORES[1:]
KEPT: Final = {"schema_version", "game_data", "observations", "activity", "economy_history"}
"""What clearing leaves: of the game data, the mark alone."""


async def seen(store: str, settings: Settings) -> tuple[int, int]:
    """Rows of activity, and what another program has in the same database."""
    if store == "mongo":
        client: MongoClient[dict[str, object]] = MongoClient(settings.mongo_uri.get_secret_value())
        with client:
            database = client.get_default_database()
            return database["activity"].count_documents({}), database["guestbook"].count_documents({})
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    activity = await connection.fetchval("SELECT count(*) FROM observations WHERE stream = 'activity'")
    guests = await connection.fetchval("SELECT count(*) FROM guestbook")
    await connection.close()
    return activity, guests


async def sign_guestbook(store: str, settings: Settings) -> None:
    if store == "mongo":
        other: MongoClient[dict[str, object]] = MongoClient(settings.mongo_uri.get_secret_value())
        with other:
            other.get_default_database()["guestbook"].insert_one({"_id": "somebody"})
        return
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    await connection.execute("CREATE TABLE guestbook (name text); INSERT INTO guestbook VALUES ('somebody')")
    await connection.close()


async def diverged(settings: Settings, file: Path, clock: ManualClock) -> None:
    """A backup of one past, and a store that has played on from another."""
    other = await settings_of("local", file.parent / "other")
    async with build_provider(other, clock=clock) as provider:
        await play(await World.open(provider, clock=clock), 3)
        await back_up(provider, file)
    async with build_provider(settings, clock=clock) as provider:
        world = await World.open(provider, clock=clock)
        await play(world, 6)
        await world.services.activity.note("p1", "store buy")
        await provider.fold()
        await play(world, 1)


@pytest.mark.parametrize("store", REMOTE)
async def test_replacing_leaves_other_programs_tables_and_the_observations(
    store: str, tmp_path: Path
) -> None:
    clock, file = ManualClock(NOON_US), tmp_path / "backup.sqlite3"
    settings = await settings_of(store, tmp_path / "data")
    await diverged(settings, file, clock)
    await sign_guestbook(store, settings)
    assert await seen(store, settings) == (1, 1)
    await restore(file, settings, clock, erased=settings.data_dir, replace=True)
    assert await seen(store, settings) == (1, 1)


async def filled(store: str, settings: Settings) -> set[str]:
    """Every table or collection of a database in which something is."""
    if store == "mongo":
        client: MongoClient[dict[str, object]] = MongoClient(settings.mongo_uri.get_secret_value())
        with client:
            database = client.get_default_database()
            return {name for name in database.list_collection_names() if database[name].find_one()}
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    found = {name for (name,) in names if await connection.fetchval(f'SELECT count(*) FROM "{name}"')}  # noqa: S608 - our own names
    await connection.close()
    return found


class Killed(BaseException):
    """As much as an in-process test can do of a kill."""


@pytest.mark.parametrize("store", REMOTE)
async def test_a_restore_that_is_cut_off_after_clearing_lets_no_bot_in_and_no_backup_out(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, file = ManualClock(NOON_US), tmp_path / "backup.sqlite3"
    settings = await settings_of(store, tmp_path / "data")
    await diverged(settings, file, clock)
    kind = type(build_provider(settings))
    clear = kind.clear

    async def cut_off(self: DataProvider) -> None:
        with pytest.raises(ConfigurationError, match="was being filled from a backup"):
            await refuse_half_moved(self)
        await clear(self)
        raise Killed

    assert len(await filled(store, settings)) > len(KEPT)
    monkeypatch.setattr(kind, "clear", cut_off)
    with pytest.raises(Killed):
        await restore(file, settings, clock, erased=settings.data_dir, replace=True)
    assert await filled(store, settings) <= KEPT
    async with build_provider(settings, clock=clock) as provider:
        with pytest.raises(ConfigurationError, match="was being filled from a backup"):
            await back_up(provider, tmp_path / "half.sqlite3")
    await restore(file, settings, clock, erased=settings.data_dir)
    async with build_provider(settings, clock=clock) as provider:
        await refuse_half_moved(provider)


async def test_a_bot_that_starts_before_the_mark_ends_a_restore_that_has_changed_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, file = ManualClock(NOON_US), tmp_path / "backup.sqlite3"
    settings = await settings_of("postgres", tmp_path / "data")
    await diverged(settings, file, clock)
    bot = build_provider(settings, clock=clock)
    opened = asyncio.Event()

    async def started_meanwhile(ours: DataProvider, theirs: DataProvider, *, dry_run: bool) -> CopyReport:
        assert dry_run
        await bot.open()
        opened.set()
        return await copy_all(ours, theirs, dry_run=True)

    monkeypatch.setattr(backups, "copy_all", started_meanwhile)
    with pytest.raises(StorageError, match="in use by"):
        await restore(file, settings, clock, erased=settings.data_dir, replace=True)
    assert opened.is_set()
    await refuse_half_moved(bot)
    assert await bot.user_ids() == list(PLAYERS)
    await bot.close()


async def test_a_local_restore_that_fails_brings_back_what_stood_there(tmp_path: Path) -> None:
    clock, folder = ManualClock(NOON_US), tmp_path / "data"
    async with build_provider(await settings_of("local", folder), clock=clock) as provider:
        await play(await World.open(provider, clock=clock), 6)
    before = {path.name for path in folder.iterdir()}
    with pytest.raises(StorageError, match="cannot be used: No such file or directory"):
        place(tmp_path / "missing.sqlite3", folder, clock)
    assert {path.name for path in folder.iterdir()} == before
    async with build_provider(await settings_of("local", folder), clock=clock) as provider:
        assert await provider.user_ids() == list(PLAYERS)


async def test_a_local_restore_that_was_killed_is_given_again_before_a_bot_starts(
    tmp_path: Path,
) -> None:
    clock, file = ManualClock(NOON_US), tmp_path / "backup.sqlite3"
    settings = await settings_of("local", tmp_path / "data")
    await diverged(settings, file, clock)
    aside, left = settings.data_dir / "replaced.before", settings.data_dir / ".restore-x"
    former = list(settings.data_dir.iterdir())
    for made in (aside, left):
        made.mkdir()
    unpack(file, left, settings.data_dir)
    for path in former:
        path.replace(aside / path.name)
    with pytest.raises(StorageError, match=r"a restore into .* was cut off: give the same"):
        await build_provider(settings, clock=clock).open()
    told = {one.what: one.said async for one in examine(settings, clock, (), asks_discord=False)}
    assert told["restore"] == f"{left} is of a restore that was cut off, unless one runs now"
    under_way = settings.data_dir / ".restore-y"
    under_way.mkdir()
    lock = FolderLock(under_way)
    await restore(file, settings, clock, erased=settings.data_dir)
    lock.release()
    assert (left.exists(), under_way.exists()) == (False, True)
    async with build_provider(settings, clock=clock) as provider:
        assert await provider.user_ids() == list(PLAYERS[:3])


async def test_a_file_that_is_no_backup_or_damaged_is_refused(tmp_path: Path) -> None:
    clock, file = ManualClock(NOON_US), tmp_path / "backup.sqlite3"
    settings = await settings_of("local", tmp_path / "data")
    async with build_provider(settings, clock=clock) as provider:
        await play(await World.open(provider, clock=clock), 6)
        await back_up(provider, file)
        with pytest.raises(MisuseError, match="no backup is overwritten"):
            await back_up(provider, file)
        with pytest.raises(MisuseError, match="is no backup: name a file that `kokoromichi backup` wrote"):
            await contents_of_backup(tmp_path / "data" / "kokoromichi.sqlite3")
    (tmp_path / "settings").write_text("PROVIDER=local\n" * 100, encoding="utf-8")
    with pytest.raises(MisuseError, match="is no backup, or a damaged one"):
        await contents_of_backup(tmp_path / "settings")
    with closing(sqlite3.connect(file)) as base:
        base.execute("UPDATE users SET document = json_set(document, '$.gold', 7) WHERE user_id = 'p1'")
        base.commit()
    fresh = await settings_of("local", tmp_path / "fresh")
    with pytest.raises(StorageError, match="is not sound, and nothing was restored"):
        await restore(file, fresh, clock, erased=settings.data_dir)
    with pytest.raises(MisuseError, match="is no file"):
        await restore(tmp_path / "missing", fresh, clock, erased=settings.data_dir)
    assert list((tmp_path / "fresh").iterdir()) == []


async def test_a_player_who_came_back_before_the_backup_is_not_erased_again(tmp_path: Path) -> None:
    """A remote store keeps no marks: that the pseudonym is there tells that it was done."""
    clock, file = ManualClock(NOON_US), tmp_path / "backup.sqlite3"
    settings = await settings_of("postgres", tmp_path / "data")
    async with build_provider(settings, clock=clock) as provider:
        world = await World.open(provider, clock=clock)
        await play(world, 6)
        await world.services.admin.erase(GONE, actor=ROOT, reason="asked for it")
        clock.advance(1)
        await play(world, 6)
        await back_up(provider, file)
    fresh = await settings_of("local", tmp_path / "fresh")
    done = await restore(file, fresh, clock, erased=settings.data_dir)
    assert done.erased == 0
    async with build_provider(fresh, clock=clock) as provider:
        assert await provider.profile(GONE) is not None


def test_a_backup_removes_what_a_killed_one_has_left_and_makes_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    asyncio.run(back_up(MemoryProvider(), folder / "first.sqlite3"))
    for left in ("killed", "under way"):
        (folder / f".backup-{left}").mkdir()
        (folder / f".backup-{left}" / "kokoromichi.sqlite3").write_bytes(b"every player")
    lock = FolderLock(folder / ".backup-under way")
    asyncio.run(back_up(MemoryProvider(), folder / "second.sqlite3"))
    lock.release()
    assert sorted(path.name for path in folder.iterdir()) == [
        ".backup-under way",
        "first.sqlite3",
        "second.sqlite3",
    ]


def test_the_commands_say_what_was_kept_and_what_came_back(tmp_path: Path) -> None:
    async def played() -> None:
        async with build_provider(await settings_of("local", tmp_path / "data"), clock=clock) as provider:
            await play(await World.open(provider, clock=clock), 6)

    def said(*words: object) -> tuple[int, str]:
        done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
        return done.exit_code, done.output

    clock = ManualClock(NOON_US)
    asyncio.run(played())
    where = ("--provider", "local", "--data-dir")
    file = tmp_path / "b.sqlite3"
    kept = "6 players, 18 rows, up to 2026-03-10 12:00:00 UTC; sound: 7 laws hold over 18 rows\n"
    assert said("backup", file, *where, tmp_path / "data") == (0, f"{file}: {kept}")
    assert said("backup", tmp_path, *where, tmp_path / "data", "--json")[0] == 0
    assert len(list(tmp_path.glob("kokoromichi-local.*.sqlite3"))) == 1
    (tmp_path / "new").mkdir()
    assert said("restore", file, *where, tmp_path / "new") == (0, f"Restored into local: {kept}")
    assert [made for made in (file, *(tmp_path / "new").iterdir()) if made.stat().st_mode & 0o077] == []
    code, told = said("restore", file, "--provider", "postgres", "--target-dir", tmp_path)
    assert (code, "--target-dir is of the local store" in told) == (2, True)
    assert said("restore", "--replace")[0] == 2
