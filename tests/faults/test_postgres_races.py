"""PostgreSQL under many writers: nobody's gold is spent twice, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.errors import (
    CommitUnknownError,
    ConflictError,
    FloorError,
    KokoroError,
    RequestMismatchError,
    StorageError,
)
from kokoromichi.core.models import CounterChange
from kokoromichi.core.providers.postgres import PostgresProvider
from kokoromichi.core.transactions import Committed
from tests.contract.stored import change, entries, goods, money, rows, user, with_counter, with_player
from tests.servers.postgres import fresh_schema, server_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
def schema() -> str:
    return fresh_schema()


@pytest.fixture
async def provider(schema: str) -> AsyncIterator[PostgresProvider]:
    async with PostgresProvider(server_url(), schema=schema, pool_size=(1, 8)) as opened:
        yield opened


@pytest.fixture
async def other(schema: str, provider: PostgresProvider) -> AsyncIterator[PostgresProvider]:
    """Another process over the same tables."""
    assert provider is not None
    async with PostgresProvider(server_url(), schema=schema, pool_size=(1, 8)) as opened:
        yield opened


@pytest.fixture
async def session(schema: str) -> AsyncIterator[asyncpg.Connection]:
    """Somebody's psql."""
    connection = await asyncpg.connect(server_url(), server_settings={"search_path": f'"{schema}"'})
    yield connection
    await connection.close()


async def move(provider: PostgresProvider, user_id: str, amount: int) -> bool:
    """Deposit, or withdraw where there is enough; reads anew after a conflict, as a service does."""
    while True:
        profile = await provider.profile(user_id)
        assert profile is not None
        if (after := profile.gold + amount) < 0:
            return False
        try:
            await provider.apply(change(user(user_id, profile.version, money(amount, after))))
        except ConflictError:
            continue
        return True


async def gold_of(provider: PostgresProvider, user_id: str) -> int:
    profile = await provider.profile(user_id)
    assert profile is not None
    return profile.gold


async def test_of_ten_withdrawals_of_50_from_100_two_succeed(
    provider: PostgresProvider, other: PostgresProvider
) -> None:
    """Red-DiscordBot's bank, as a service does it, on two processes."""
    await with_player(provider, "ada", gold=100)
    done = await asyncio.gather(*(move(store, "ada", -50) for store in (provider, other) for _ in range(5)))
    assert sum(done) == 2
    assert await gold_of(provider, "ada") == 0
    assert (await audit_provider(other)).sound


async def test_ten_deposits_of_10_add_100(provider: PostgresProvider, other: PostgresProvider) -> None:
    await with_player(provider, "ada", gold=100)
    await asyncio.gather(*(move(store, "ada", 10) for store in (provider, other) for _ in range(5)))
    assert await gold_of(provider, "ada") == 200
    assert (await audit_provider(other)).sound


async def test_a_hot_player_gets_every_deposit(provider: PostgresProvider, other: PostgresProvider) -> None:
    await with_player(provider, "ada", gold=1)
    await asyncio.gather(*(move(store, "ada", 1) for store in (provider, other) for _ in range(30)))
    assert await gold_of(provider, "ada") == 61
    assert len(await rows(provider, "ada")) == 61
    assert (await audit_provider(provider)).sound


async def test_of_a_hundred_buyers_each_gets_his_item_or_is_told_that_there_is_none(
    provider: PostgresProvider, other: PostgresProvider
) -> None:
    await with_counter(provider, "stock.x", 37)
    buys = [
        store.apply(change(user(f"p{number}", 0, goods("x", 1)), counters=(CounterChange("stock.x", -1),)))
        for number in range(50)
        for store in (provider, other)
    ]
    # Each player is opened through both stores; the second opening of a pair is a conflict or out of stock.
    results = await asyncio.gather(*buys, return_exceptions=True)
    assert sum(isinstance(result, Committed) for result in results) == 37
    assert {type(result) for result in results} <= {Committed, FloorError, ConflictError}
    assert await provider.counters() == {"stock.x": 0}
    assert len(await rows(provider)) == len(await provider.user_ids()) == 37


async def test_a_hundred_different_buyers_meet_no_conflict(provider: PostgresProvider) -> None:
    await with_counter(provider, "stock.x", 37)
    buys = [
        provider.apply(change(user(f"p{number}", 0, goods("x", 1)), counters=(CounterChange("stock.x", -1),)))
        for number in range(100)
    ]
    results = await asyncio.gather(*buys, return_exceptions=True)
    assert sum(isinstance(result, Committed) for result in results) == 37
    assert sum(isinstance(result, FloorError) for result in results) == 63


async def test_transfers_against_one_another_neither_deadlock_nor_lose_gold(
    provider: PostgresProvider, other: PostgresProvider
) -> None:
    """Write skew: each act reads both players and changes both, named in either order."""
    for name in ("ada", "bo"):
        await with_player(provider, name, gold=500)

    async def transfer(store: PostgresProvider, sender: str, receiver: str) -> None:
        while True:
            profiles = [await store.profile(name) for name in (sender, receiver)]
            first, second = (profile for profile in profiles if profile is not None)
            given = user(sender, first.version, money(-7, first.gold - 7, "transfer"))
            taken = user(receiver, second.version, money(7, second.gold + 7, "transfer"))
            try:
                await store.apply(change(given, taken))
            except ConflictError:
                continue
            return

    acts = [
        transfer(store, *pair)
        for store in (provider, other)
        for _ in range(10)
        for pair in (("ada", "bo"), ("bo", "ada"))
    ]
    await asyncio.wait_for(asyncio.gather(*acts), 60)
    assert await gold_of(provider, "ada") == await gold_of(provider, "bo") == 500
    assert (await audit_provider(provider)).sound


async def test_one_request_id_from_two_processes_has_one_effect(
    provider: PostgresProvider, other: PostgresProvider
) -> None:
    await with_player(provider, "ada", gold=100)
    act = change(user("ada", 1, money(-10, 90)), request_id="r-1", digest="spend", answer=(90, 0))
    answers = await asyncio.gather(*(store.apply(act) for store in (provider, other) for _ in range(10)))
    assert answers == [Committed(90, 0)] * 20
    assert len(await entries(provider, "ada")) == 2
    act.digest = "sell"
    with pytest.raises(RequestMismatchError):
        await other.apply(act)


async def test_a_duplicate_waits_for_the_first_ones_fate(
    provider: PostgresProvider, other: PostgresProvider, session: asyncpg.Connection
) -> None:
    await with_player(provider, "ada", gold=100)
    act = change(user("ada", 1, money(-10, 90)), request_id="r-1", digest="spend", answer=(90, 0))
    async with session.transaction():
        await session.execute("SELECT FROM users FOR UPDATE")
        first, second = (asyncio.create_task(store.apply(act)) for store in (provider, other))
        await asyncio.wait((first, second), timeout=0.3)
        assert not first.done()
        assert not second.done()
    assert await first == await second == Committed(90, 0)
    assert len(await entries(provider, "ada")) == 2


async def test_a_cancelled_caller_finds_one_effect_by_asking_again(
    provider: PostgresProvider, session: asyncpg.Connection
) -> None:
    await with_player(provider, "ada", gold=100)
    act = change(user("ada", 1, money(-10, 90)), request_id="r-1", digest="spend", answer=(90, 0))
    async with session.transaction():
        await session.execute("SELECT FROM users FOR UPDATE")
        caller = asyncio.create_task(provider.apply(act))
        await asyncio.sleep(0.1)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
    assert await provider.apply(act) == Committed(90, 0)
    assert await gold_of(provider, "ada") == 90
    assert len(await entries(provider, "ada")) == 2


async def test_a_dead_client_in_a_transaction_holds_up_its_player_alone_and_not_for_ever(schema: str) -> None:
    patient = PostgresProvider(server_url(), schema=schema, pool_size=(1, 8), lock_s=0.3)
    async with patient as provider:
        for name in ("ada", "bo"):
            await with_player(provider, name)
        dead = await asyncpg.connect(server_url(), server_settings={"search_path": f'"{schema}"'})
        await dead.execute("BEGIN; SELECT FROM users WHERE user_id = 'ada' FOR UPDATE")
        held = asyncio.create_task(provider.apply(change(user("ada", 1, money(1, 101)))))
        await provider.apply(change(user("bo", 1, money(1, 101))))
        with pytest.raises(StorageError, match=r"another session has long held .* pg_stat_activity"):
            await held
        assert await gold_of(provider, "ada") == 100
        dead.terminate()
        assert await move(provider, "ada", 1)
        assert await gold_of(provider, "ada") == 101


async def test_an_exhausted_pool_is_waited_for_and_then_told(
    schema: str, session: asyncpg.Connection
) -> None:
    async with PostgresProvider(server_url(), schema=schema, pool_size=(1, 2), patience_s=0.5) as provider:
        await asyncio.gather(*(with_player(provider, f"p{number}") for number in range(60)))
        assert len(await provider.user_ids()) == 60
        async with session.transaction():
            await session.execute("SELECT FROM users FOR UPDATE")
            waiting = [
                asyncio.create_task(provider.apply(change(user(f"p{number}", 1, money(1, 101)))))
                for number in range(2)
            ]
            await asyncio.sleep(0.5)  # If they shared a call, they have got one each by now.
            with pytest.raises(StorageError, match=r"no connection was free in time.*DATABASE_POOL_MAX"):
                await provider.apply(change(user("late", 0, money(1, 1))))
        await asyncio.gather(*waiting)
        assert "late" not in await provider.user_ids()
        assert await gold_of(provider, "p0") == 101


async def test_backends_that_an_operator_ends_are_replaced_without_a_word(
    provider: PostgresProvider, session: asyncpg.Connection
) -> None:
    await with_player(provider, "ada", gold=1)
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'kokoromichi' AND pid <> pg_backend_pid()"
    )
    for _ in range(5):
        deposits = asyncio.gather(*(move(provider, "ada", 1) for _ in range(4)))
        await session.execute(end)
        assert all(await deposits)
    assert await gold_of(provider, "ada") == 21
    assert (await audit_provider(provider)).sound


LINGERING = """
CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER linger AFTER INSERT ON requests DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (new.request_id = 'slow-p0') EXECUTE FUNCTION linger();
"""
LINGERS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"


@pytest.mark.parametrize("count", [1, 3])
async def test_a_refusal_to_ask_again_says_nothing_of_the_call_that_was_lost(
    schema: str, session: asyncpg.Connection, count: int
) -> None:
    """The server is at the end of a commit when its client goes, and holds the request id for a while yet."""
    impatient = PostgresProvider(server_url(), schema=schema, pool_size=(1, 8), lock_s=0.2)
    async with impatient as provider:
        names = [f"p{number}" for number in range(count)]
        for name in names:
            await with_player(provider, name, gold=100)
        await session.execute(LINGERING)
        first = asyncio.create_task(provider.apply(change(user("first", 0, money(1, 1)))))
        await asyncio.sleep(0)  # Whoever comes behind it shares the next call.
        acts = [
            change(user(name, 1, money(-50, 50)), request_id=f"slow-{name}", digest="spend") for name in names
        ]
        told = asyncio.gather(*map(provider.apply, acts), return_exceptions=True)
        await first
        while not await session.fetchval(LINGERS):  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)
        for holder in provider._connections.check_open()._holders:  # noqa: SLF001 - a network asks nobody
            if (connection := holder._con) is not None:  # noqa: SLF001 - likewise
                connection.terminate()
        assert [type(error) for error in await told] == [CommitUnknownError] * count
        await asyncio.sleep(2)  # Now the server has come to the end of all of them.
        assert [await gold_of(provider, name) for name in names] == [50] * count
        assert list(await asyncio.gather(*map(provider.apply, acts))) == [Committed(0, 0)] * count
        assert [await gold_of(provider, name) for name in names] == [50] * count


async def test_a_refusal_among_many_acts_is_its_own(provider: PostgresProvider) -> None:
    for number in range(20):
        await with_player(provider, f"p{number}")
    acts = [change(user(f"p{number}", 1 + number % 2, money(1, 101))) for number in range(20)]
    results = await asyncio.gather(*map(provider.apply, acts), return_exceptions=True)
    assert [isinstance(result, KokoroError) for result in results] == [False, True] * 10


async def test_nobody_waits_behind_a_full_call_that_is_held_up(
    provider: PostgresProvider, session: asyncpg.Connection
) -> None:
    names = [f"p{number}" for number in range(61)]
    await asyncio.gather(*(with_player(provider, name) for name in names))
    async with session.transaction():
        held = names[:10]  # Each of them costs the call a lock's wait.
        await session.execute("SELECT FROM users WHERE user_id = ANY ($1) FOR UPDATE", held)
        acts = [change(user(name, 1, money(1, 101))) for name in names]
        first = asyncio.create_task(provider.apply(acts[0]))
        await asyncio.sleep(0)
        crowd = [asyncio.create_task(provider.apply(act)) for act in acts[1:]]
        await asyncio.wait_for(asyncio.gather(*crowd[50:]), 10)
        assert not crowd[10].done()  # In one call with those who are held.
    assert list(await asyncio.gather(first, *crowd)) == [Committed(0, 0)] * 61
    assert [await gold_of(provider, name) for name in names] == [101] * 61
    assert (await audit_provider(provider)).sound
