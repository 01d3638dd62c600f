"""A MongoDB server that is killed under load, is down, refuses, or has no transactions."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest
from pymongo import MongoClient
from pymongo.errors import ConfigurationError as InvalidOptionError

from kokoromichi.analysis.provider_state import audit_provider, read_ledger
from kokoromichi.core.errors import ConfigurationError, ConflictError, KokoroError, StorageError
from kokoromichi.core.models import Movement
from kokoromichi.core.provider_manager import build_provider
from kokoromichi.core.providers.mongo import MongoDBProvider
from kokoromichi.core.providers.mongo.driver import storage_error
from kokoromichi.core.reader import Reader
from kokoromichi.settings import Settings
from tests.contract.stored import change, user, with_player
from tests.faults.mongo_stores import gold_of
from tests.servers.mongo import PASSWORD, USER, MongoServer, campaign, fresh_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pymongo.database import Database

KILLS: Final = campaign("KOKORO_MONGO_KILLS", small=3)
PLAYERS: Final = 6
START_GOLD: Final = 1_000_000


@pytest.fixture
def server() -> Iterator[MongoServer]:
    """A server of the test's own that keeps what it acknowledges, not yet started."""
    made = MongoServer("--sync-on-commit")
    yield made
    made.remove()


async def test_what_was_acknowledged_outlives_every_kill_and_nothing_is_doubled(server: MongoServer) -> None:
    server.start()
    draws = np.random.default_rng(7)
    options = "?serverSelectionTimeoutMS=5000&socketTimeoutMS=3000"
    async with MongoDBProvider(fresh_database(server.uri) + options, patience_s=30) as provider:
        players = [f"p{number}" for number in range(PLAYERS)]
        for player in players:
            await with_player(provider, player, gold=START_GOLD)
        load = _Load(provider)
        buyers = [asyncio.create_task(load.buy(player)) for player in players]
        for _ in range(KILLS):
            await asyncio.sleep(float(draws.uniform(0.05, 0.6)))
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
            seen = len(load.acknowledged)
            await asyncio.wait_for(load.reaches(seen + PLAYERS), timeout=60)
        load.goes_on = False
        await asyncio.gather(*buyers)
        ledger = await read_ledger(provider)
        found = Counter(ledger.filter(ledger["kind"] == "purchase")["request_id"].to_list())
        lost = load.acknowledged - found.keys()
        doubled = [request_id for request_id, times in found.items() if times > 1]
        assert (lost, doubled) == (set(), [])
        assert len(load.acknowledged) >= PLAYERS * KILLS
        assert sum([await gold_of(provider, player) for player in players]) == (
            PLAYERS * START_GOLD - 10 * found.total()
        )
        report = await audit_provider(provider)
        assert report.sound, str(report)


class _Load:
    """Players who buy without end, each act with a request id that is sent until it is answered."""

    def __init__(self, provider: MongoDBProvider) -> None:
        self._provider = provider
        self.acknowledged: set[str] = set()
        self.goes_on = True

    async def buy(self, player: str) -> None:
        """Buy, and write down what was acknowledged."""
        number = 0
        while self.goes_on:
            number += 1
            request_id = f"{player}:{number}"
            while request_id not in self.acknowledged:
                try:
                    await self._once(player, request_id)
                except (ConflictError, StorageError):  # noqa: PERF203 - it is sent until it is answered
                    await asyncio.sleep(0.01)
                else:
                    self.acknowledged.add(request_id)

    async def reaches(self, acknowledged: int) -> None:
        """Wait until so many purchases are acknowledged."""
        while len(self.acknowledged) < acknowledged:  # noqa: ASYNC110 - counted, not signalled
            await asyncio.sleep(0.01)

    async def _once(self, player: str, request_id: str) -> None:
        if await self._provider.get_response(request_id, "buy") is None:
            profile = await self._provider.profile(player)
            assert profile is not None
            row = Movement("purchase", "gold", -10, profile.gold - 10, "lucky_charm", 1)
            act = change(user(player, profile.version, row), request_id=request_id, digest="buy")
            await self._provider.apply(act)


async def told(uri: str, *secrets: str) -> str:
    """What opening says; it must say no secret, not even in the error's causes."""
    with pytest.raises(KokoroError) as refused:
        await MongoDBProvider(uri).open()
    error: BaseException | None = refused.value
    while error is not None:
        assert not any(secret in str(error) for secret in secrets)
        error = error.__cause__
    return str(refused.value)


async def test_a_server_that_is_down_is_told_with_its_place_and_the_cure(server: MongoServer) -> None:
    uri = f"mongodb://{USER}:{PASSWORD}@127.0.0.1:{server.port}/shop?serverSelectionTimeoutMS=300"
    place = f"127.0.0.1:{server.port}/shop"
    assert await told(uri, PASSWORD) == (
        f"MongoDB at {place} does not answer: start it, or correct MONGO_URI and the network"
    )


async def test_a_server_that_goes_down_fails_reads_and_commits_and_comes_back(server: MongoServer) -> None:
    server.start()
    options = "?serverSelectionTimeoutMS=300&socketTimeoutMS=300"
    async with MongoDBProvider(fresh_database(server.uri) + options, patience_s=0.5) as provider:
        await with_player(provider, "ada", gold=100)
        act = change(
            user("ada", 1, Movement("fee", "gold", -1, 99)), request_id="r-1", digest="fee", answer=(99, 0)
        )
        server.kill()
        for call in (provider.profile("ada"), provider.user_ids(), provider.apply(act), provider.counters()):
            with pytest.raises(StorageError, match="does not answer: start it"):
                await call
        server.start()
        for _ in range(100):
            try:
                await provider.apply(act)
            except StorageError:  # noqa: PERF203 - until the client has found it again
                await asyncio.sleep(0.1)
            else:
                break
        assert await gold_of(provider, "ada") == 99
        assert (await audit_provider(provider)).sound


async def test_a_server_without_transactions_is_refused_with_the_cure() -> None:
    server = MongoServer("--standalone")
    try:
        server.start()
        sentence = await told(fresh_database(server.uri))
    finally:
        server.remove()
    assert sentence.startswith(f"MongoDB at 127.0.0.1:{server.port}/test_")
    for part in ("has no transactions", "mongod --replSet rs0", "rs.initiate()", "?replicaSet=rs0"):
        assert part in sentence


async def test_a_wrong_password_is_told_without_it(server: MongoServer) -> None:
    server.start()
    with MongoClient[dict[str, Any]](server.uri) as admin:
        admin.admin.command("createUser", USER, pwd=PASSWORD, roles=["root"])
    server.kill()
    server.start("--auth")
    place = f"127.0.0.1:{server.port}/shop"
    sentence = await told(f"mongodb://{USER}:wr0ng-7@{place}?authSource=admin", "wr0ng-7", PASSWORD)
    assert sentence == f"MongoDB at {place} refuses the user or the password: correct MONGO_URI"
    assert "MongoDB at" in await told(f"mongodb://{place}")
    async with MongoDBProvider(f"mongodb://{USER}:{PASSWORD}@{place}?authSource=admin") as provider:
        await with_player(provider, "ada", gold=100)
        assert await gold_of(provider, "ada") == 100


MALFORMED = {
    "nothing": "",
    "no scheme": "127.0.0.1:27017",
    "another scheme": f"postgresql://{USER}:{PASSWORD}@127.0.0.1/shop",
    "a port that is none": f"mongodb://{USER}:{PASSWORD}@127.0.0.1:port/shop",
    "a password that is not quoted": f"mongodb://{USER}:{PASSWORD}/@?:@127.0.0.1/shop",
    "an option without a value": f"mongodb://{USER}:{PASSWORD}@127.0.0.1/shop?replicaSet",
}


@pytest.mark.parametrize("uri", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_malformed_uri_is_told_with_an_example_and_without_the_password(uri: str) -> None:
    sentence = await told(uri, PASSWORD)
    assert sentence.startswith("MONGO_URI is malformed: it looks like mongodb://user:password@host")


def test_a_name_that_dns_does_not_know_is_told_with_the_cure() -> None:
    unknown = InvalidOptionError("The DNS query name does not exist: _mongodb._tcp.shop.")
    assert str(storage_error("shop/kokoro", unknown)).startswith(
        "MongoDB at shop/kokoro is not found by that name, or is too old for its driver: correct the host of"
    )


async def test_another_replica_set_than_the_one_named_is_told_with_both_names(server: MongoServer) -> None:
    server.start()
    uri = f"{server.uri}?replicaSet=wrong-7&serverSelectionTimeoutMS=1000"
    with pytest.raises(
        ConfigurationError, match=r"is of the replica set .*, and MONGO_URI names wrong-7: correct"
    ):
        await MongoDBProvider(uri).open()


async def test_newer_documents_are_left_alone() -> None:
    uri = fresh_database()
    async with MongoDBProvider(uri) as store:
        versions = store._driver.collection("schema_version")  # noqa: SLF001 - a newer program asks nobody
        await versions.update_one({"_id": "schema"}, {"$set": {"version": 99}})
    with pytest.raises(ConfigurationError, match=r"version 99, .* upgrade the package kokoromichi"):
        await MongoDBProvider(uri).open()


async def test_the_settings_keep_the_uri_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDER", "mongo")
    monkeypatch.setenv(
        "MONGO_URI", f"mongodb://{USER}:{PASSWORD}@127.0.0.1:9/shop?serverSelectionTimeoutMS=99"
    )
    settings = Settings(_env_file=None)
    assert PASSWORD not in repr(settings)
    provider = build_provider(settings)
    with pytest.raises(StorageError, match=r"MongoDB at 127\.0\.0\.1:9/shop does not answer"):
        await provider.open()
    await provider.close()


async def test_it_opens_with_the_first_call_and_is_opened_again_after_closing() -> None:
    provider = MongoDBProvider(fresh_database())
    await with_player(provider, "ada", gold=100)
    await provider.close()
    await provider.open()
    assert await gold_of(provider, "ada") == 100
    await provider.close()


ODD_IDS: Final[tuple[str, ...]] = ("$set", "a.b")


@pytest.mark.parametrize("item_id", ODD_IDS)
async def test_an_item_s_id_is_a_value_and_no_key_of_mongodb(item_id: str) -> None:
    async with MongoDBProvider(fresh_database()) as provider:
        await provider.apply(change(user("ada", 0, Movement("grant", item_id=item_id, quantity=2))))
        profile = await provider.profile("ada")
        assert profile is not None
        assert profile.inventory == {item_id: 2}


async def test_a_ledger_of_before_the_totals_is_added_up_once() -> None:
    uri = fresh_database()
    async with MongoDBProvider(uri) as before:
        await with_player(before, "ada", gold=100, x=1)
        await with_player(before, "bo", gold=50)
        await before.apply(change(user("ada", 1, Movement("fee", "gold", -30, 70))))
    client: MongoClient[dict[str, Any]]
    with MongoClient(uri) as client:  # As the program was before.
        base: Database[dict[str, Any]] = client.get_default_database()
        base.requests.update_many({}, {"$unset": {"waits": "", "queued": ""}})
        base.users.update_many({}, {"$unset": {"active_day": ""}})
        base.schema_version.update_one({"_id": "schema"}, {"$set": {"version": 1}})
    async with MongoDBProvider(uri) as after:
        await after.apply(change(user("ada", 2, Movement("fee", "gold", -1, 69))))
        for _ in range(2):
            assert await after.daily_totals() == await Reader.daily_totals(after)
            assert await after.active_players() == await Reader.active_players(after)
            await after.fold()
