"""A store over the network in scripts: one asyncio.run after another, failed openings, two loops at once."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from pymongo import MongoClient
from typer.testing import CliRunner

from kokoromichi.cli.app import app
from kokoromichi.core.clock import ManualClock
from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.core.providers.mongo import MongoDBProvider
from kokoromichi.core.providers.postgres import PostgresProvider
from kokoromichi.operation.exits import USAGE
from tests.contract.makers import MAKERS
from tests.contract.stored import NOON_US
from tests.faults.test_drill import settings_of
from tests.servers.mongo import free_port, fresh_database
from tests.servers.postgres import fresh_schema, server_url

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.settings import Settings

REMOTE = ("mongo", "postgres")


@pytest.fixture(params=REMOTE)
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> DataProvider:
    """A fresh remote provider that nobody has opened, and no event loop."""
    return MAKERS[request.param](ManualClock(NOON_US), tmp_path)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_script_may_use_it_in_one_run_after_another(fresh: DataProvider) -> None:
    asyncio.run(fresh.save_user("ada", {"gold": 5}))
    document = asyncio.run(fresh.get_user("ada"))
    assert document is not None
    assert document["gold"] == 5
    asyncio.run(fresh.save_user("ada", {"gold": 7}))
    asyncio.run(fresh.close())
    with pytest.raises(MisuseError, match=r"is closed: await open\(\)"):
        asyncio.run(fresh.get_user("ada"))

    async def again() -> object:
        async with fresh:
            document = await fresh.get_user("ada")
            return None if document is None else document["gold"]

    assert asyncio.run(again()) == 7
    gc.collect()  # What an ended loop left open is warned of here, where it belongs, and in no later test.


def test_two_loops_at_once_are_told_where_it_belongs(fresh: DataProvider) -> None:
    def elsewhere() -> str:
        with pytest.raises(MisuseError) as refused:
            asyncio.run(fresh.user_ids())
        return str(refused.value)

    async def here() -> str:
        async with fresh:
            return await asyncio.to_thread(elsewhere)

    assert "is open in another event loop, which still runs: use it there, or close() it there first" in (
        asyncio.run(here())
    )


async def made_in(settings: Settings) -> list[str]:
    """The tables or collections of a database."""
    if settings.provider == "mongo":
        with MongoClient[dict[str, object]](settings.mongo_uri.get_secret_value()) as client:
            return client.get_default_database().list_collection_names()
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        made = "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('public')"
        return [name for (name,) in await connection.fetch(made)]
    finally:
        await connection.close()


@pytest.mark.parametrize("name", REMOTE)
def test_who_only_reads_an_empty_database_makes_nothing_in_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = asyncio.run(settings_of(name, tmp_path))
    monkeypatch.setenv("MONGO_URI", settings.mongo_uri.get_secret_value())
    monkeypatch.setenv("DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PROVIDER", name)
    for command in (
        ["audit", "--provider", name],
        ["ledger", "export", "--out", str(tmp_path / "out")],
        ["backup", str(tmp_path / "backup")],
        ["report", "--out", str(tmp_path / "report.html")],
    ):
        said = CliRunner().invoke(app, command)
        assert said.exit_code == USAGE, command
        assert "holds nothing of KoKoroMichi yet: the bot's first start makes what is missing" in said.stderr
    assert "holds nothing of KoKoroMichi yet" in CliRunner().invoke(app, ["doctor", "--offline"]).output
    assert asyncio.run(made_in(settings)) == []


def unreachable(name: str, local: DataProvider | None = None) -> DataProvider:
    port = free_port()
    if name == "mongo":
        return MongoDBProvider(f"mongodb://127.0.0.1:{port}/d?serverSelectionTimeoutMS=200", beside=local)
    return PostgresProvider(f"postgresql://u:p@127.0.0.1:{port}/d", patience_s=0.2, beside=local)


@pytest.mark.parametrize("name", REMOTE)
async def test_each_call_to_a_server_that_is_away_says_so_and_tries_again(name: str) -> None:
    store = unreachable(name)
    for _ in range(2):
        results = await asyncio.gather(*(store.get_user("ada") for _ in range(5)), return_exceptions=True)
        assert {type(result) for result in results} == {StorageError}
    with pytest.raises(StorageError, match=r"does not answer|cannot be reached"):
        await store.open()
    await store.close()


async def test_a_call_that_is_cancelled_while_it_opens_cuts_off_no_other(
    fresh: DataProvider,
) -> None:
    first = asyncio.create_task(fresh.user_ids())
    second = asyncio.create_task(fresh.user_ids())
    await asyncio.sleep(0)
    first.cancel()
    assert await second == []
    await fresh.close()


async def test_closing_while_it_opens_leaves_it_closed(fresh: DataProvider) -> None:
    opening = asyncio.create_task(fresh.open())
    await asyncio.sleep(0)
    await fresh.close()
    await opening
    with pytest.raises(MisuseError, match="is closed"):
        await fresh.user_ids()


@pytest.mark.parametrize("name", REMOTE)
async def test_without_an_address_the_settings_have_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database = fresh_database()
    monkeypatch.setenv("MONGO_URI", database)
    monkeypatch.setenv("DATABASE_URL", server_url())
    store: DataProvider = MongoDBProvider() if name == "mongo" else PostgresProvider()
    async with store:
        await store.save_game_data("doors", {"open": True})
        assert await store.get_game_data("doors") == {"open": True}


async def test_an_empty_database_url_is_told_at_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    with pytest.raises(StorageError, match="DATABASE_URL is empty: set it to postgresql://"):
        await PostgresProvider().get_user("ada")


def with_folder(name: str, folder: Path) -> DataProvider:
    """A fresh remote provider with a local folder beside it, neither of them open."""
    local = LocalJSONProvider(folder)
    if name == "mongo":
        return MongoDBProvider(fresh_database(), beside=local)
    return PostgresProvider(server_url(), schema=fresh_schema(), beside=local)


SYNCS = ("sync_local_to_remote", "migrate_local_to_remote")


@pytest.mark.parametrize("name", REMOTE)
@pytest.mark.parametrize("call", SYNCS)
async def test_a_sync_opens_both_sides(name: str, call: str, tmp_path: Path) -> None:
    async with LocalJSONProvider(tmp_path) as local:
        await local.save_user("ada", {"gold": 5})
    store = with_folder(name, tmp_path)
    report = await getattr(store, call)()
    assert report.complete
    assert await store.balances() == [("ada", 5)]
    await store.close()


@pytest.mark.parametrize("name", REMOTE)
async def test_a_mirror_opens_both_sides(name: str, tmp_path: Path) -> None:
    store = with_folder(name, tmp_path)
    report: Any = await store.sync_remote_to_local()
    assert report.complete
    await store.close()


@pytest.mark.parametrize("name", REMOTE)
@pytest.mark.parametrize("call", SYNCS)
async def test_a_sync_to_a_server_that_is_away_advises_to_undo_nothing(
    name: str, call: str, tmp_path: Path
) -> None:
    async with LocalJSONProvider(tmp_path) as local:
        await local.save_user("ada", {"gold": 5})
    store = unreachable(name, LocalJSONProvider(tmp_path))
    with pytest.raises(StorageError, match=r"does not answer|cannot be reached") as failed:
        await getattr(store, call)()
    assert "drop" not in str(failed.value).lower()
    await store.close()
