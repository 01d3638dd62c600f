"""A snapshot is of one moment, whatever is committed while it is read, and it keeps nobody waiting."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import polars as pl
import pytest

from kokoromichi.core.models import CounterChange, Movement
from tests.contract.stored import change, money, user, with_counter, with_player

if TYPE_CHECKING:
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.reader import Reader


async def seen(reader: Reader) -> dict[str, object]:
    """All that can be read."""
    profiles = [await reader.profile(user_id) for user_id in await reader.user_ids()]
    assert profiles == [profile async for profile in reader.profiles()]
    frames = [frame async for frame in reader.ledger_frames()]
    return {
        "users": [None if profile is None else profile.document() for profile in profiles],
        "versions": await reader.versions(),
        "balances": await reader.balances(),
        "counters": await reader.counters(),
        "page": await reader.read_ledger(),
        "ledger": pl.concat(frames).rows() if frames else [],
        "rows": await reader.ledger_rows(),
        "totals": [await reader.daily_totals(), await reader.active_players()],
        "sections": {name: await reader.get_game_data(name) for name in await reader.sections()},
        "requests": sorted([asked async for asked in reader.stored_responses()], key=str),
    }


async def with_two(provider: DataProvider) -> None:
    await with_player(provider, "ada", 100, silk=2)
    await with_player(provider, "bo", 100)
    await with_counter(provider, "stock.silk", 5)
    await provider.save_game_data("events", {"days": [1]})


async def sent(provider: DataProvider) -> None:
    """Ada sends Bo 40, and everything else that can change does."""
    gives = Movement("transfer", "gold", -40, 60, counterparty="bo")
    takes = Movement("transfer", "gold", 40, 140, counterparty="ada")
    sold = (CounterChange("stock.silk", -1),)
    await provider.apply(
        change(user("ada", 1, gives), user("bo", 1, takes), counters=sold, request_id="r-1", digest="send")
    )
    await with_player(provider, "cy")
    await provider.save_game_data("events", {"days": [1, 2]})
    await provider.save_game_data("guilds", {})


async def test_a_commit_between_two_reads_is_seen_by_neither(provider: DataProvider) -> None:
    await with_two(provider)
    before = await seen(provider)
    async with provider.snapshot() as reader:
        ada = await reader.profile("ada")
        assert ada is not None
        assert ada.gold == 100
        await sent(provider)
        bo = await reader.profile("bo")
        assert bo is not None
        assert ada.gold + bo.gold == 200
        assert await seen(reader) == before
    after = await seen(provider)
    assert {name for name in before if before[name] != after[name]} == before.keys()
    async with provider.snapshot() as reader:
        assert await seen(reader) == after


async def test_the_moment_is_that_of_the_entry_and_not_of_the_first_read(provider: DataProvider) -> None:
    await with_two(provider)
    before = await seen(provider)
    async with provider.snapshot() as reader:
        await sent(provider)
        assert await seen(reader) == before


async def test_two_snapshots_are_of_two_moments(provider: DataProvider) -> None:
    await with_two(provider)
    first = await seen(provider)
    async with provider.snapshot() as older:
        await sent(provider)
        async with provider.snapshot() as newer:
            await provider.erase("ada", "erased-1")
            assert await seen(older) == first
            assert (await newer.balances())[0] == ("bo", 140)
            assert await newer.user_ids() == ["ada", "bo", "cy"]


async def test_frames_are_read_on_beside_other_reads_of_one_snapshot(provider: DataProvider) -> None:
    await with_two(provider)
    async with provider.snapshot() as reader:
        rows = 0
        async for frame in reader.ledger_frames({"ada", "bo"}):
            rows += frame.height
            found = await asyncio.gather(*(reader.profile(user_id) for user_id in ("ada", "bo") * 5))
            assert [profile.gold for profile in found if profile] == [100] * 10
        assert rows == 3


@pytest.mark.parametrize("how", ["left", "failed", "cancelled"])
async def test_whatever_ends_a_block_it_gives_back_what_it_held(provider: DataProvider, how: str) -> None:
    await with_two(provider)

    async def read() -> None:
        async with provider.snapshot() as reader:
            async for _ in reader.ledger_frames():
                if how == "failed":
                    raise EOFError
                reading.set()
                if how == "cancelled":
                    await asyncio.sleep(60)

    for _ in range(25):  # More than the connections that a pool has.
        reading = asyncio.Event()
        task = asyncio.create_task(read())
        if how == "cancelled":
            await reading.wait()
            task.cancel()
        (ended,) = await asyncio.gather(task, return_exceptions=True)
        assert type(ended) is {"left": type(None), "failed": EOFError}.get(how, asyncio.CancelledError)
    await sent(provider)
    async with provider.snapshot() as reader:
        assert (await reader.versions())["ada"] == 2


async def test_a_reader_may_be_cancelled_at_any_time(provider: DataProvider) -> None:
    await with_two(provider)

    async def read() -> None:
        async with provider.snapshot() as reader:
            await seen(reader)

    for turns in range(40):
        task = asyncio.create_task(read())
        for _ in range(turns):
            await asyncio.sleep(0.0005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with provider.snapshot() as reader:
        assert await seen(reader) == await seen(provider)


async def test_acts_go_on_while_many_snapshots_are_held(provider: DataProvider) -> None:
    await with_two(provider)
    async with provider.snapshot(), provider.snapshot(), provider.snapshot():
        for version in range(1, 21):
            await asyncio.wait_for(provider.apply(change(user("ada", version, money(1, 100 + version)))), 10)
    ada = await provider.profile("ada")
    assert ada is not None
    assert ada.gold == 120
