"""Copies into MongoDB and out of it, on a server that fails in the middle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from polars.testing import assert_frame_equal

from kokoromichi.analysis.provider_state import audit_provider, read_ledger
from kokoromichi.core.bulk_load import Batch, StoredResponse, UserSnapshot
from kokoromichi.core.copying.copy_all import copy_all
from kokoromichi.core.errors import ConflictError, MisuseError, RequestMismatchError, StorageError
from kokoromichi.core.models import ChangeSet, Movement, UserProfile
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.providers.mongo import MongoDBProvider
from kokoromichi.core.transactions import Committed
from tests.contract.stored import (
    NOON_US,
    change,
    entries,
    goods,
    money,
    stored,
    user,
    with_counter,
    with_player,
)
from tests.faults.mongo_stores import HURRIED, bought, failing
from tests.servers.mongo import fresh_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kokoromichi.core.data_provider import DataProvider


@pytest.fixture
async def provider() -> AsyncIterator[MongoDBProvider]:
    """An empty store that gives up after 2 seconds."""
    async with MongoDBProvider(fresh_database() + HURRIED, patience_s=2.0) as opened:
        yield opened


async def busy() -> MemoryProvider:
    """A store with players, a transfer, a system's row, a counter, an answer and a section."""
    store = MemoryProvider()
    await with_player(store, "ada", gold=100, x=2)
    await with_player(store, "bo", gold=50)
    await store.apply(bought(1, 90, "r-1"))
    send = Movement("transfer", "gold", -9, 81, counterparty="bo")
    take = Movement("transfer", "gold", 9, 59, counterparty="ada")
    await store.apply(change(user("ada", 2, send, fields={"level": 3}), user("bo", 1, take)))
    await store.apply(ChangeSet(NOON_US + 5, (), Committed(0, 0), system=(goods("x", 7, "restock"),)))
    await with_counter(store, "units.x", 5)
    await store.save_user("bo", {"pets": [{"cat": None}]})
    await store.save_game_data("events", {"days": [1, 2.5]})
    return store


async def answers(store: DataProvider) -> dict[str, tuple[str, bytes]]:
    """What each request id was answered."""
    return {asked.request_id: (asked.digest, asked.answer) async for asked in store.stored_responses()}


async def assert_alike(one: DataProvider, other: DataProvider) -> None:
    """Both store the same; ids of rows may be numbered anew."""
    left, right = await stored(one), await stored(other)
    assert (left.users, left.counters) == (right.users, right.counters)
    ids = ("entry_id", "tx_id")
    assert_frame_equal((await read_ledger(one)).drop(ids), (await read_ledger(other)).drop(ids))
    names = await one.sections()
    assert names == await other.sections()
    for name in names:
        assert await one.get_game_data(name) == await other.get_game_data(name)
    assert await answers(one) == await answers(other)
    assert (await audit_provider(other)).sound


async def test_there_and_back_is_equal_and_a_second_run_adds_nothing(provider: MongoDBProvider) -> None:
    source, back = await busy(), MemoryProvider()
    assert (await copy_all(source, provider)).complete
    await assert_alike(source, provider)
    second = await copy_all(source, provider)
    assert second.complete
    assert not second.done.total()
    assert (await copy_all(provider, back)).complete
    await assert_alike(provider, back)


async def test_a_copied_store_goes_on(provider: MongoDBProvider) -> None:
    source = await busy()
    await copy_all(source, provider)
    assert await provider.apply(bought(1, 90, "r-1")) == Committed(90, 0)
    early = change(user("ada", 3, money(-1, 80, "fee")), at_us=5)
    await provider.apply(early)
    newest = (await entries(provider, "ada"))[-1]
    assert (newest.kind, newest.balance_after) == ("fee", 80)
    assert (await audit_provider(provider)).sound


LOST_ENDS: dict[str, dict[str, Any]] = {
    "the connection dies": {"closeConnection": True},
    "the majority does not tell": {"writeConcernError": {"code": 64, "errmsg": "waiting"}},
    "the transaction is gone": {"errorCode": 251},
}


@pytest.mark.parametrize("how", LOST_ENDS.values(), ids=LOST_ENDS.keys())
async def test_a_part_whose_end_is_lost_is_stored_once(
    provider: MongoDBProvider, how: dict[str, Any]
) -> None:
    source = await busy()
    with failing({"times": 3}, "commitTransaction", **how):
        assert (await copy_all(source, provider)).complete
    await assert_alike(source, provider)


@pytest.mark.parametrize("skip", range(12))
async def test_a_copy_that_was_cut_off_goes_on(provider: MongoDBProvider, skip: int) -> None:
    source = await busy()
    with failing({"skip": skip, "times": 1}, "insert", "update", "commitTransaction", errorCode=11601):
        first = await copy_all(source, provider)
    assert first.complete or first.failed
    assert (await audit_provider(provider)).sound
    assert (await copy_all(source, provider)).complete
    await assert_alike(source, provider)


BAD: dict[str, tuple[Batch, type[Exception]]] = {
    "a player of another version": (
        Batch(users=(UserSnapshot(0, UserProfile("cy", 1)), UserSnapshot(7, UserProfile("ada", 8)))),
        ConflictError,
    ),
    "a player who is stored": (
        Batch(users=(UserSnapshot(0, UserProfile("cy", 1)), UserSnapshot(0, UserProfile("ada", 8)))),
        ConflictError,
    ),
    "an answer to another act": (
        Batch(
            users=(UserSnapshot(0, UserProfile("cy", 1)),),
            requests=(StoredResponse("r-1", "sell", b"{}", NOON_US),),
        ),
        RequestMismatchError,
    ),
    "a key that is a path": (
        Batch(users=(UserSnapshot(0, UserProfile("cy", 1)),), sections={"events": {"a.b": 1}}),
        MisuseError,
    ),
}


@pytest.mark.parametrize(("bad", "error"), BAD.values(), ids=BAD.keys())
async def test_a_part_that_does_not_fit_leaves_nothing(
    provider: MongoDBProvider, bad: Batch, error: type[Exception]
) -> None:
    await with_player(provider, "ada", gold=100)
    await provider.apply(bought(1, 90, "r-1"))
    before = await stored(provider)
    with pytest.raises(error):
        await provider.load(bad)
    assert await stored(provider) == before


async def test_rows_that_are_stored_are_a_conflict(provider: MongoDBProvider) -> None:
    await with_player(provider, "ada", gold=100)
    before = await stored(provider)
    with pytest.raises(ConflictError, match="stored already"):
        await provider.load(
            Batch(users=(UserSnapshot(1, UserProfile("ada", 2)),), rows=await read_ledger(provider))
        )
    assert await stored(provider) == before


async def test_a_part_that_fails_for_good_leaves_nothing(provider: MongoDBProvider) -> None:
    source = await busy()
    part = Batch(
        users=(UserSnapshot(0, UserProfile("cy", 1)),),
        rows=await read_ledger(source),
        counters={"units.y": 1},
    )
    with failing({"times": 1}, "insert", errorCode=96), pytest.raises(StorageError):
        await provider.load(part)
    assert await stored(provider) == ({}, {}, [])
