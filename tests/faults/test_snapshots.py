"""What becomes of a snapshot that is lost, too old or left, and of the acts beside it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import asyncpg
import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.errors import StorageError
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.core.providers.mongo import MongoDBProvider
from kokoromichi.core.providers.postgres import PostgresProvider
from tests.contract.stored import change, money, user, with_player
from tests.faults.mongo_stores import HURRIED, failing
from tests.servers.mongo import fresh_database
from tests.servers.postgres import PostgresServer, fresh_postgres_database, fresh_schema, server_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from kokoromichi.core.data_provider import DataProvider

_SNAPSHOTS: Final = (
    "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND state LIKE 'idle in transaction%'"
)


async def grown(store: DataProvider, acts: int) -> None:
    """Ada acts so often."""
    await with_player(store, "ada")
    for version in range(1, acts):
        await store.apply(change(user("ada", version, money(1, 100 + version))))


@pytest.fixture
async def database() -> str:
    return await fresh_postgres_database()


@pytest.fixture
async def session(database: str) -> AsyncIterator[asyncpg.Connection]:
    """Another program's connection to the same database."""
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


async def test_an_audit_starves_no_act_of_a_pool_of_one() -> None:
    async with PostgresProvider(server_url(), schema=fresh_schema(), pool_size=(1, 1), patience_s=1) as store:
        await grown(store, 5)
        async with store.snapshot() as reader:
            async for _ in reader.ledger_frames():
                await store.apply(change(user("ada", 5, money(1, 105))))
                assert (await reader.versions()) == {"ada": 5}
        assert (await audit_provider(store)).sound


async def test_a_lost_snapshot_is_told_in_a_sentence_and_acts_go_on(
    database: str, session: asyncpg.Connection
) -> None:
    async with PostgresProvider(database, pool_size=(1, 2)) as store:
        await grown(store, 5)
        async with store.snapshot() as reader:
            await reader.counters()
            assert await session.fetchval(f"SELECT count(pg_terminate_backend(pid)) {_SNAPSHOTS}") == 1
            for read in (reader.counters, reader.versions, lambda: anext(reader.ledger_frames())):
                with pytest.raises(StorageError, match=r"database .*: "):
                    await read()
            await store.apply(change(user("ada", 5, money(1, 105))))
        assert (await audit_provider(store)).sound


async def test_a_snapshot_leaves_no_transaction_behind(database: str, session: asyncpg.Connection) -> None:
    async with PostgresProvider(database, pool_size=(1, 2)) as store:
        await grown(store, 5)

        async def read(entered: asyncio.Event) -> None:
            async with store.snapshot() as reader:
                await reader.versions()
                entered.set()
                await asyncio.sleep(60)

        entered = asyncio.Event()
        reading = asyncio.create_task(read(entered))
        await entered.wait()
        assert await session.fetchval(f"SELECT count(*) {_SNAPSHOTS}") == 1
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        async with store.snapshot() as reader:
            await reader.versions()
        for _ in range(100):  # The server hears of it a moment later.
            if not await session.fetchval(f"SELECT count(*) {_SNAPSHOTS}"):
                break
            await asyncio.sleep(0.05)
        else:
            pytest.fail("a snapshot's transaction is still open")


async def test_a_server_that_is_away_gives_no_snapshot_and_says_so() -> None:
    server = await asyncio.to_thread(PostgresServer)
    try:
        await asyncio.to_thread(server.start)
        async with PostgresProvider(server.url, pool_size=(1, 2), patience_s=1) as store:
            await grown(store, 2)
            async with store.snapshot() as reader:
                await asyncio.to_thread(server.kill)
                with pytest.raises(StorageError, match="cannot be reached"):  # noqa: PT012 - a process ends later
                    while True:
                        await reader.profile("ada")
            with pytest.raises(StorageError, match="cannot be reached"):
                async with store.snapshot():
                    pass
    finally:
        await asyncio.to_thread(server.remove)


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ({"closeConnection": True}, "does not answer"),
        ({"errorCode": 239}, "no longer has the moment .*raise its minSnapshotHistoryWindowInSeconds"),
    ],
    ids=["lost", "too old"],
)
async def test_a_lost_snapshot_of_mongodb_is_told_in_a_sentence(
    how: dict[str, object], sentence: str
) -> None:
    async with MongoDBProvider(fresh_database() + HURRIED, patience_s=2) as store:
        await grown(store, 5)
        async with store.snapshot() as reader:
            await reader.counters()
            with failing("alwaysOn", "find", **how):
                for read in (reader.counters, reader.versions, lambda: anext(reader.ledger_frames())):
                    with pytest.raises(StorageError, match=sentence):
                        await read()
        assert (await audit_provider(store)).sound


async def test_the_wal_shrinks_again_when_a_snapshot_ends(tmp_path: Path) -> None:
    async with LocalJSONProvider(tmp_path) as store:
        await grown(store, 5)

        opened = store._life.store  # noqa: SLF001 - beneath every door
        assert opened is not None

        async def is_held() -> bool:
            """Whether somebody reads what a checkpoint would take out of the WAL."""
            done = await opened.do(
                lambda: opened.writer.base.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            )
            return bool(done[0][0])

        async with store.snapshot() as reader:
            await store.apply(change(user("ada", 5, money(1, 105))))
            assert await is_held()
            assert await reader.versions() == {"ada": 5}
        assert not await is_held()
