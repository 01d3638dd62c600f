"""MongoDB under many writers, in two processes: nobody's gold is spent twice, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from pymongo import MongoClient

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.errors import CommitUnknownError, ConflictError, FloorError, MisuseError, StorageError
from kokoromichi.core.models import CounterChange
from kokoromichi.core.providers.mongo import MongoDBProvider
from kokoromichi.core.transactions import Committed
from tests.contract.stored import change, goods, money, rows, stored, user, with_counter, with_player
from tests.faults.mongo_stores import bought, gold_of, move
from tests.servers.mongo import fresh_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
def uri() -> str:
    return fresh_database()


@pytest.fixture
async def provider(uri: str) -> AsyncIterator[MongoDBProvider]:
    async with MongoDBProvider(uri) as opened:
        yield opened


@pytest.fixture
async def other(uri: str, provider: MongoDBProvider) -> AsyncIterator[MongoDBProvider]:
    """A second process's store over the same database: it shares no lock with the first."""
    assert provider is not None
    async with MongoDBProvider(uri) as opened:
        yield opened


async def test_of_ten_withdrawals_of_50_from_100_two_succeed(
    provider: MongoDBProvider, other: MongoDBProvider
) -> None:
    """Red-DiscordBot's bank."""
    await with_player(provider, "ada", gold=100)
    done = await asyncio.gather(*(move(store, "ada", -50) for store in (provider, other) for _ in range(5)))
    assert sum(done) == 2
    assert await gold_of(provider, "ada") == 0
    assert (await audit_provider(other)).sound


async def test_ten_deposits_of_10_add_100(provider: MongoDBProvider, other: MongoDBProvider) -> None:
    await with_player(provider, "ada", gold=100)
    await asyncio.gather(*(move(store, "ada", 10) for store in (provider, other) for _ in range(5)))
    assert await gold_of(provider, "ada") == 200
    assert (await audit_provider(other)).sound


async def test_a_hot_player_gets_every_deposit(provider: MongoDBProvider, other: MongoDBProvider) -> None:
    await with_player(provider, "ada", gold=1)
    await asyncio.gather(*(move(store, "ada", 1) for store in (provider, other) for _ in range(20)))
    assert await gold_of(provider, "ada") == 41
    assert len(await rows(provider, "ada")) == 41
    assert (await audit_provider(provider)).sound


@pytest.mark.parametrize("processes", [1, 2])
async def test_of_a_hundred_buyers_each_gets_the_item_or_is_told_that_there_is_none(
    provider: MongoDBProvider, other: MongoDBProvider, processes: int
) -> None:
    await with_counter(provider, "units.x", 37)
    stores = (provider, other)[:processes]
    buys = [
        stores[number % processes].apply(
            change(user(f"p{number}", 0, goods("x", 1)), counters=(CounterChange("units.x", -1),))
        )
        for number in range(100)
    ]
    results = await asyncio.gather(*buys, return_exceptions=True)
    assert sum(isinstance(result, Committed) for result in results) == 37
    assert sum(isinstance(result, FloorError) for result in results) == 63
    assert await provider.counters() == {"units.x": 0}
    assert len(await rows(provider)) == len(await provider.user_ids()) == 37
    assert (await audit_provider(provider)).sound


async def test_transfers_in_both_directions_neither_lose_gold_nor_wait_for_one_another(
    provider: MongoDBProvider, other: MongoDBProvider
) -> None:
    for name in ("ada", "bo"):
        await with_player(provider, name, gold=100)

    async def send(store: MongoDBProvider, sender: str, receiver: str) -> None:
        while True:
            first, second = await store.profile(sender), await store.profile(receiver)
            assert first is not None
            assert second is not None
            give = user(sender, first.version, money(-1, first.gold - 1, "transfer"))
            take = user(receiver, second.version, money(1, second.gold + 1, "transfer"))
            try:
                await store.apply(change(give, take))
            except ConflictError:
                continue
            return

    pairs = [("ada", "bo"), ("bo", "ada")]
    await asyncio.gather(
        *(send(store, *pair) for store in (provider, other) for pair in pairs for _ in range(6))
    )
    assert [await gold_of(provider, name) for name in ("ada", "bo")] == [100, 100]
    assert (await audit_provider(provider)).sound


async def test_two_acts_that_each_read_both_players_do_not_skew(
    provider: MongoDBProvider, other: MongoDBProvider
) -> None:
    """Each takes 100 of one player because both have 200 together; after one of them, they have not."""
    for name in ("ada", "bo"):
        await with_player(provider, name, gold=100)
    takes = [
        store.apply(
            change(
                *(
                    user(name, 1, *([money(-100, 0, "fee")] if name == poorer else []))
                    for name in ("ada", "bo")
                )
            )
        )
        for store, poorer in ((provider, "ada"), (other, "bo"))
    ]
    results = await asyncio.gather(*takes, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Committed", "ConflictError"]
    assert sum([await gold_of(provider, name) for name in ("ada", "bo")]) == 100
    assert (await audit_provider(provider)).sound


async def test_one_id_in_two_processes_at_the_same_moment_has_one_effect(
    provider: MongoDBProvider, other: MongoDBProvider
) -> None:
    await with_player(provider, "ada", gold=100)
    acts = [store.apply(bought(1, 90, "r-1")) for store in (provider, other) for _ in range(5)]
    assert await asyncio.gather(*acts) == [Committed(90, 0)] * 10
    assert await gold_of(provider, "ada") == 90
    assert len(await rows(provider, "ada")) == 2


async def test_a_process_that_read_before_another_wrote_is_told_of_the_conflict(
    provider: MongoDBProvider, other: MongoDBProvider
) -> None:
    await with_player(provider, "ada", gold=100)
    assert await gold_of(other, "ada") == 100
    await provider.apply(bought(1, 90))
    with pytest.raises(ConflictError, match="ada has version 2, not 1"):
        await other.apply(bought(1, 90))
    assert await other.apply(bought(2, 80)) == Committed(80, 0)
    assert (await audit_provider(other)).sound


async def test_a_document_changed_by_hand_is_never_overwritten_unseen(
    provider: MongoDBProvider, uri: str
) -> None:
    await with_player(provider, "ada", gold=100)
    with MongoClient[dict[str, Any]](uri) as shell:
        shell.get_default_database().users.update_one({"_id": "ada"}, {"$inc": {"gold": 5}})
        before = await stored(provider)
        await gold_of(provider, "ada")
        shell.get_default_database().users.update_one({"_id": "ada"}, {"$inc": {"gold": 5}})
    with pytest.raises(MisuseError, match="gold 110 -10 is not 90"):
        await provider.apply(bought(1, 90))
    assert await gold_of(provider, "ada") == 110
    assert len((await stored(provider)).ledger) == len(before.ledger)
    report = await audit_provider(provider)
    assert not report.sound


async def test_a_client_that_died_inside_a_transaction_stops_nobody_for_ever(uri: str) -> None:
    options = "?socketTimeoutMS=400&serverSelectionTimeoutMS=1500"
    async with MongoDBProvider(uri + options, patience_s=1.5) as provider:
        for name in ("ada", "bo"):
            await with_player(provider, name, gold=100)
        dead = MongoClient[dict[str, Any]](uri)
        session = dead.start_session()
        session.start_transaction()
        users = dead.get_default_database().users
        users.update_one({"_id": "ada"}, {"$set": {"gold": 1}}, session=session)
        before = await stored(provider)
        with pytest.raises(StorageError) as failed:
            await asyncio.wait_for(provider.apply(bought(1, 90, "r-1")), timeout=10)
        assert not isinstance(failed.value, CommitUnknownError)
        assert await stored(provider) == before
        assert await move(provider, "bo", 5)
        session.abort_transaction()  # As the server does by itself after a minute.
        session.end_session()
        dead.close()
        assert await provider.apply(bought(1, 90, "r-1")) == Committed(90, 0)
        assert (await audit_provider(provider)).sound
