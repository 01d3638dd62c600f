"""Parts of another store put into PostgreSQL: whole, as they were, and once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from kokoromichi.analysis.provider_state import audit_provider, read_ledger
from kokoromichi.core.bulk_load import Batch, StoredResponse, UserSnapshot
from kokoromichi.core.clock import ManualClock
from kokoromichi.core.errors import ConflictError, KokoroError, MisuseError, RequestMismatchError
from kokoromichi.core.models import UserProfile
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.providers.postgres import PostgresProvider
from kokoromichi.core.transactions import Committed
from tests.contract.stored import NOON_US, change, money, stored, user, with_counter, with_player
from tests.servers.postgres import fresh_schema, server_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kokoromichi.core.data_provider import DataProvider


@pytest.fixture
async def target() -> AsyncIterator[PostgresProvider]:
    clock = ManualClock(NOON_US)
    async with PostgresProvider(server_url(), schema=fresh_schema(), clock=clock, pool_size=(1, 4)) as opened:
        yield opened


@pytest.fixture
async def source() -> MemoryProvider:
    store = MemoryProvider(ManualClock(NOON_US))
    await with_counter(store, "plain", 3)
    await with_player(store, "ada", gold=100, lucky_charm=2)
    await store.save_user("bo", {"gold": 7, "pets": {"cat": "Tama"}, "businesses": {"cafe": 5}})
    await store.apply(
        change(user("ada", 1, money(-10, 90)), request_id="r-1", digest="spend", answer=(90, 0))
    )
    await store.save_game_data("events", {"days": [1, 2.5]})
    return store


async def everything(store: DataProvider) -> Batch:
    profiles = [await store.profile(user_id) for user_id in await store.user_ids()]
    sections = {name: await store.get_game_data(name) or {} for name in await store.sections()}
    return Batch(
        users=tuple(UserSnapshot(0, profile) for profile in profiles if profile is not None),
        rows=await read_ledger(store),
        counters=await store.counters(),
        requests=tuple([one async for one in store.stored_responses()]),
        sections=sections,
    )


async def test_everything_arrives_as_it_was_and_goes_on(
    source: MemoryProvider, target: PostgresProvider
) -> None:
    await target.load(await everything(source))
    assert await stored(target) == await stored(source)
    assert await target.sections() == ["events"]
    assert await target.get_game_data("events") == {"days": [1, 2.5]}
    assert await target.get_response("r-1", "spend") == Committed(90, 0)
    (kept,) = [one async for one in target.stored_responses()]
    assert (kept.request_id, kept.digest, kept.at_us) == ("r-1", "spend", NOON_US)
    await target.apply(change(user("ada", 2, money(1, 91))))
    report = await audit_provider(target)
    assert report.sound, str(report)
    ledger = await read_ledger(target)
    assert ledger["tx_id"].n_unique() == (await read_ledger(source))["tx_id"].n_unique() + 1
    assert ledger["amount"].to_list()[-1] == 1


async def test_the_same_portion_again_is_a_conflict_and_changes_nothing(
    source: MemoryProvider, target: PostgresProvider
) -> None:
    batch = await everything(source)
    await target.load(batch)
    before = await stored(target)
    with pytest.raises(ConflictError, match="player ada is not of version 0"):
        await target.load(batch)
    with pytest.raises(ConflictError, match="stored already"):
        await target.load(Batch(rows=batch.rows, counters={"plain": 9}))
    assert await stored(target) == before


async def test_a_portion_that_fails_leaves_nothing(target: PostgresProvider) -> None:
    ada = UserSnapshot(0, UserProfile("ada", version=1, gold=5))
    answer = Committed(0, 0).encoded()
    await target.load(Batch(requests=(StoredResponse("r-1", "spend", answer, NOON_US),)))
    bad: list[tuple[Batch, type[KokoroError]]] = [
        (Batch((ada, UserSnapshot(3, UserProfile("bo", version=4)))), ConflictError),
        (Batch((ada,), requests=(StoredResponse("r-1", "sell", answer, NOON_US),)), RequestMismatchError),
        (Batch((ada,), counters={"plain": -1}), MisuseError),
        (Batch((ada,), sections={"economy": {}}), MisuseError),
        (Batch((ada, UserSnapshot(0, UserProfile("system")))), MisuseError),
    ]
    for batch, error in bad:
        with pytest.raises(error):
            await target.load(batch)
        assert await stored(target) == ({}, {}, [])


async def test_a_player_is_replaced_at_the_version_expected(target: PostgresProvider) -> None:
    await target.load(Batch((UserSnapshot(0, UserProfile("ada", version=3, unknown={"a": 1})),)))
    await target.load(Batch((UserSnapshot(3, UserProfile("ada", version=9, level=4)),)))
    profile = await target.profile("ada")
    assert profile == UserProfile("ada", version=9, level=4)


async def test_no_rows_are_no_trouble(target: PostgresProvider) -> None:
    await target.load(Batch(rows=pl.DataFrame(schema=(await read_ledger(target)).schema)))
    assert (await read_ledger(target)).height == 0
