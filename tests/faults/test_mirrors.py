"""The local mirror of a remote store: it follows while others write, answers while the server is away."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import apsw
import polars as pl
import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.clock import ManualClock
from kokoromichi.core.data_manager import DataManager
from kokoromichi.core.errors import ConflictError, MisuseError, StorageError
from kokoromichi.core.models import Movement
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.providers.mongo import MongoDBProvider
from kokoromichi.core.providers.postgres import PostgresProvider
from tests.contract.stored import NOON_US, change, goods, money, user, with_counter, with_player
from tests.faults.local_folders import Disk
from tests.servers.mongo import fresh_database
from tests.servers.postgres import PostgresServer, fresh_schema, server_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from kokoromichi.core.bulk_load import Batch
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.models import UserProfile
    from kokoromichi.core.providers.remote import RemoteProvider


def folder(path: Path, clock: ManualClock) -> LocalJSONProvider:
    return LocalJSONProvider(path, clock=clock)


MAKERS: dict[str, Callable[[DataProvider, ManualClock], RemoteProvider]] = {
    "mongo": lambda local, clock: MongoDBProvider(fresh_database(), clock, beside=local),
    "postgres": lambda local, clock: PostgresProvider(
        server_url(), clock=clock, pool_size=(1, 20), schema=fresh_schema(), beside=local
    ),
}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON_US)


@pytest.fixture(params=sorted(MAKERS))
async def remote(
    request: pytest.FixtureRequest, clock: ManualClock, tmp_path: Path
) -> AsyncIterator[RemoteProvider]:
    async with MAKERS[request.param](folder(tmp_path / "mirror", clock), clock) as opened:
        yield opened


async def held(store: DataProvider) -> dict[str, object]:
    """What a mirror shares with its source: rows may be numbered anew, and answers follow later."""
    rows = [frame.drop("entry_id", "tx_id") async for frame in store.ledger_frames()]
    return {
        "users": {user_id: await store.get_user(user_id) for user_id in await store.user_ids()},
        "rows": sorted(pl.concat(rows).rows(), key=repr) if rows else [],
        "counters": await store.counters(),
        "sections": {name: await store.get_game_data(name) for name in await store.sections()},
    }


async def grant(store: DataProvider, user_id: str, gold: int) -> None:
    """Give gold, over whatever others do."""
    while True:
        profile = await store.profile(user_id)
        assert profile is not None
        after = profile.gold + gold
        try:
            await store.apply(change(user(user_id, profile.version, money(gold, after), goods("silk", 1))))
        except ConflictError:
            continue
        return


def mirror_of(remote: RemoteProvider) -> DataProvider:
    assert remote.beside is not None
    return remote.beside


async def test_a_mirror_follows_and_its_answers_carry_their_age(
    remote: RemoteProvider, clock: ManualClock
) -> None:
    await with_player(remote, "ada", 100, silk=2)
    await with_player(remote, "bo")
    await with_counter(remote, "stock.silk", 5)
    await remote.save_game_data("events", {"days": [1]})
    door = DataManager(remote, clock)
    with pytest.raises(StorageError, match=f"no mirror of {remote.name} yet: set MIRROR_DIR"):
        await door.get_user_data("ada")
    await remote.sync_remote_to_local()
    assert await held(mirror_of(remote)) == await held(remote)

    clock.us += 4 * 60_000_000
    await grant(remote, "ada", 7)
    await with_player(remote, "cy", 1)
    await remote.save_game_data("events", {"days": [1, 2]})
    known = await door.get_user_data("ada")
    assert known.value is not None
    assert (known.value["gold"], known.told) == (100, "as of 4 minutes ago")
    report = await remote.sync_remote_to_local()
    assert (report.done["users"], report.done["ledger_rows"]) == (2, 3)
    assert await held(mirror_of(remote)) == await held(remote)
    assert (await audit_provider(mirror_of(remote))).sound
    known = await door.get_user_data("ada")
    assert known.value is not None
    assert (known.value["gold"], known.told) == (107, "as of less than a minute ago")
    assert (await door.get_users_count()).value == 3
    assert (await door.get_game_data("events")).value == {"days": [1, 2]}
    assert (await door.get_user_data("nobody")).value is None


async def test_a_mirror_is_read_only_and_is_not_pushed_back(remote: RemoteProvider) -> None:
    await with_player(remote, "ada")
    await remote.sync_remote_to_local()
    sentence = f"mirror of {remote.name}, and no source: copy from {remote.name} itself"
    for call in (remote.sync_local_to_remote, remote.migrate_local_to_remote):
        with pytest.raises(MisuseError, match=sentence):
            await call()
    with pytest.raises(MisuseError, match=f"mirrors {remote.name} and is written by copies alone"):
        await mirror_of(remote).apply(change(user("ada", 1, money(5, 105))))


async def test_players_of_a_folder_s_own_move_and_the_folder_becomes_no_mirror(
    remote: RemoteProvider, clock: ManualClock
) -> None:
    await with_player(mirror_of(remote), "ada", 40, silk=1)
    planned = await remote.migrate_local_to_remote(dry_run=True)
    assert (planned.planned["users"], await remote.user_ids()) == (1, [])
    await remote.sync_local_to_remote()
    assert await held(remote) == await held(mirror_of(remote))
    with pytest.raises(MisuseError, match="has players of its own and cannot become a mirror"):
        await remote.sync_remote_to_local()
    await grant(remote, "ada", 1)
    with pytest.raises(StorageError, match="1 not copied; user ada: its ledger rows in the target"):
        await remote.sync_local_to_remote()
    assert not (await remote.migrate_local_to_remote()).complete
    with pytest.raises(StorageError, match="there is no mirror"):
        await DataManager(remote, clock).get_users_count()


async def test_a_mirror_follows_while_others_write_and_is_equal_when_they_stop(
    remote: RemoteProvider, clock: ManualClock
) -> None:
    names = [f"p{number}" for number in range(6)]
    for name in names:
        await with_player(remote, name)
    done = asyncio.Event()

    async def busy(name: str) -> int:
        count = 0
        while not done.is_set():
            await grant(remote, name, 1)
            count += 1
            await asyncio.sleep(0.2)  # Whoever never pauses is not there yet.
        return count

    writers = [asyncio.create_task(busy(name)) for name in names]
    door = DataManager(remote, clock)
    for _ in range(5):
        await remote.sync_remote_to_local()
        for name in names:  # Each player is whole, as of some moment.
            seen = (await door.mirror()).value
            profile = await seen.profile(name)
            assert profile is not None
            rows = pl.concat([frame async for frame in seen.ledger_frames({name})])
            assert profile.gold == rows["amount"].sum()
            assert profile.inventory.get("silk", 0) == rows["quantity"].sum()
    done.set()
    assert min(await asyncio.gather(*writers)) > 0
    await remote.sync_remote_to_local()
    assert await held(mirror_of(remote)) == await held(remote)
    assert (await audit_provider(mirror_of(remote))).sound


class Counting(PostgresProvider):
    """Counts the players that are asked for."""

    asked = 0

    async def profile(self, user_id: str) -> UserProfile | None:
        self.asked += 1
        return await super().profile(user_id)


async def test_only_who_has_changed_is_asked_for(tmp_path: Path, clock: ManualClock) -> None:
    mirror = folder(tmp_path, clock)
    async with Counting(server_url(), pool_size=(1, 5), schema=fresh_schema(), beside=mirror) as remote:
        for number in range(40):
            await with_player(remote, f"p{number}")
        await remote.sync_remote_to_local()
        await grant(remote, "p7", 1)
        remote.asked = 0
        report = await remote.sync_remote_to_local()
        assert report.done["users"] == 1
        assert remote.asked <= 3
        remote.asked = 0
        await remote.sync_remote_to_local()
        assert remote.asked == 0


async def test_a_mirror_goes_on_in_the_next_process(tmp_path: Path, clock: ManualClock) -> None:
    schema = fresh_schema()
    for gold in (1, 2):
        mirror = folder(tmp_path, clock)
        async with PostgresProvider(server_url(), pool_size=(1, 5), schema=schema, beside=mirror) as remote:
            if gold == 1:
                await with_player(remote, "ada")
            await grant(remote, "ada", gold)
            report = await remote.sync_remote_to_local()
            assert report.done["users"] == 1
            assert await held(mirror) == await held(remote)


async def test_a_store_that_went_back_in_time_is_told_with_the_cure(
    tmp_path: Path, clock: ManualClock
) -> None:
    for version in (2, 1):
        mirror = folder(tmp_path, clock)
        async with PostgresProvider(
            server_url(), pool_size=(1, 5), schema=fresh_schema(), beside=mirror
        ) as remote:
            await with_player(remote, "ada")
            if version == 2:
                await grant(remote, "ada", 1)
                await remote.sync_remote_to_local()
            else:
                with pytest.raises(
                    StorageError, match=r"cannot follow: user ada: .*; when no bot runs, delete the folder"
                ):
                    await remote.sync_remote_to_local()


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server of this test's own."""
    started = PostgresServer()
    started.start()
    yield started
    started.remove()


async def test_the_mirror_answers_while_the_server_is_away_and_from_the_start(
    server: PostgresServer, tmp_path: Path, clock: ManualClock
) -> None:
    def provider() -> PostgresProvider:
        local = folder(tmp_path, clock)
        return PostgresProvider(server.url, clock=clock, pool_size=(1, 5), patience_s=1, beside=local)

    async with provider() as remote:
        await with_player(remote, "ada", 40)
        await remote.sync_remote_to_local()
        server.kill()
        clock.us += 2 * 3_600_000_000
        known = await DataManager(remote, clock).get_user_data("ada")
        assert known.value is not None
        assert (known.value["gold"], known.told) == (40, "as of 2 hours ago")
        with pytest.raises(StorageError, match="cannot be reached"):
            await remote.sync_remote_to_local()
    remote = provider()
    with pytest.raises(StorageError, match="cannot be reached"):
        await remote.open()
    known = await DataManager(remote, clock).get_user_data("ada")
    assert known.value is not None
    assert known.value["gold"] == 40
    server.start()
    await remote.open()
    await grant(remote, "ada", 1)
    await remote.sync_remote_to_local()
    known = await DataManager(remote, clock).get_user_data("ada")
    assert known.value is not None
    assert (known.value["gold"], known.age_s) == (41, 0)
    await remote.close()


async def test_only_a_remote_store_has_a_mirror() -> None:
    with pytest.raises(MisuseError, match="'memory' has no mirror: only a remote one has, at MIRROR_DIR"):
        await DataManager(MemoryProvider()).get_users_count()
    alone = PostgresProvider("postgresql://127.0.0.1:1/none")
    with pytest.raises(MisuseError, match="sync_remote_to_local: this provider was built without a local"):
        await alone.sync_remote_to_local()


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
async def test_the_mirror_forgets_whom_the_store_has_forgotten(
    remote: RemoteProvider, tmp_path: Path, *, restarted: bool
) -> None:
    ada, hidden = "830121070024439972", "erased-1"
    await with_player(remote, ada)
    await with_player(remote, "bo")
    sent = Movement("transfer", "gold", -9, 91, counterparty="bo")
    received = Movement("transfer", "gold", 9, 109, counterparty=ada)
    await remote.apply(change(user(ada, 1, sent), user("bo", 1, received), request_id="r-1"))
    await remote.sync_remote_to_local()
    await remote.erase(ada, hidden)
    await with_player(remote, ada, 10_000)  # She comes back at once.
    await remote.erase(ada, "erased-2")
    if restarted:
        await remote.close()
        await remote.open()
    await remote.sync_remote_to_local()
    assert await held(mirror_of(remote)) == await held(remote)
    await grant(remote, "bo", 1)
    report = await remote.sync_remote_to_local()
    assert report.done["users"] == 1  # It follows by steps again.
    assert await held(mirror_of(remote)) == await held(remote)
    assert (await audit_provider(mirror_of(remote))).sound
    await mirror_of(remote).close()
    assert await asyncio.to_thread(_naming, tmp_path, ada) == []


async def test_a_mirror_erases_nobody_by_itself(remote: RemoteProvider) -> None:
    await with_player(remote, "ada")
    await remote.sync_remote_to_local()
    mirror = mirror_of(remote)
    with pytest.raises(
        MisuseError,
        match=f"mirrors {remote.name} and erases nobody by itself: erase in {remote.name}, and the next sync",
    ):
        await mirror.erase("ada", "erased-1")
    await grant(remote, "ada", 1)
    await remote.sync_remote_to_local()
    assert await held(mirror) == await held(remote)


def _naming(folder: Path, user_id: str) -> list[Path]:
    return [
        path
        for path in folder.rglob("*")
        if user_id in path.name or (path.is_file() and user_id.encode() in path.read_bytes())
    ]


class Lingering(LocalJSONProvider):
    """A mirror that lingers behind each step, so that a sync can be cut off there."""

    stored: asyncio.Event | None = None

    async def load(self, batch: Batch) -> None:
        await super().load(batch)
        if self.stored is not None:
            self.stored.set()
            await asyncio.sleep(60)


async def test_a_sync_that_was_cut_off_doubles_nothing(tmp_path: Path, clock: ManualClock) -> None:
    mirror = Lingering(tmp_path, clock=clock)
    async with PostgresProvider(
        server_url(), pool_size=(1, 5), schema=fresh_schema(), beside=mirror
    ) as remote:
        await with_player(remote, "ada")
        await remote.sync_remote_to_local()
        await grant(remote, "ada", 1)
        mirror.stored = asyncio.Event()
        sync = asyncio.create_task(remote.sync_remote_to_local())
        await mirror.stored.wait()
        sync.cancel()
        await asyncio.gather(sync, return_exceptions=True)
        mirror.stored = None
        await remote.sync_remote_to_local()
        assert await held(mirror) == await held(remote)


async def test_a_mirror_whose_disk_failed_follows_again(tmp_path: Path, clock: ManualClock) -> None:
    mirror = LocalJSONProvider(tmp_path, clock=clock)
    async with PostgresProvider(
        server_url(), pool_size=(1, 5), schema=fresh_schema(), beside=mirror
    ) as remote:
        await with_player(remote, "ada")
        await remote.sync_remote_to_local()
        await grant(remote, "ada", 1)
        disk = Disk.under(mirror)
        disk.failure = apsw.IOError
        with pytest.raises(StorageError, match="cannot follow: store"):
            await remote.sync_remote_to_local()
        disk.failure = None
        await remote.sync_remote_to_local()
        assert await held(mirror) == await held(remote)
