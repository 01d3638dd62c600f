"""The door for copies: parts of another store come in as they were, whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.bulk_load import Batch, UserSnapshot
from kokoromichi.core.errors import ConflictError, RequestMismatchError
from kokoromichi.core.models import Receipt
from kokoromichi.core.transactions import Committed
from kokoromichi.core.validation import digest_of
from tests.contract.stored import change, entries, goods, money, rows, stored, user, with_player
from tests.unit.service_world import LOSE, World

if TYPE_CHECKING:
    from kokoromichi.core.clock import ManualClock
    from kokoromichi.core.data_provider import DataProvider


async def played(clock: ManualClock) -> World:
    """A store in memory with two players, a stock that was sold from, a request and an act without rows."""
    world = await World.open(clock=clock)
    await world.services.store.purchase("ada", "lucky_charm", 2, request_id="r-1")
    await world.services.battle.fight("ada", 1, draw=LOSE)
    await world.services.daily.claim("bo")
    await world.services.bank.transfer("bo", "ada", 100)
    await world.provider.save_user("bo", {"pets": {"cat": ["Tama"]}})
    await world.provider.save_game_data("events", {"days": [1, 2]})
    return world


async def portion_of(source: DataProvider) -> Batch:
    """Everything that a store holds."""
    frames = [frame async for frame in source.ledger_frames()]
    users = [await source.profile(user_id) for user_id in await source.user_ids()]
    sections = {name: await source.get_game_data(name) or {} for name in await source.sections()}
    return Batch(
        tuple(UserSnapshot(0, profile) for profile in users if profile is not None),
        pl.concat(frames),
        await source.counters(),
        tuple([asked async for asked in source.stored_responses()]),
        sections,
    )


async def test_a_store_comes_in_as_it_was(provider: DataProvider, clock: ManualClock) -> None:
    source = (await played(clock)).provider
    await provider.load(await portion_of(source))
    there, here = await stored(source), await stored(provider)
    assert here.users == there.users
    assert here.counters == there.counters
    assert await rows(provider) == await rows(source)
    kept = [(entry.at, entry.actor, entry.reason, entry.book) for entry in await entries(provider)]
    assert kept == [(entry.at, entry.actor, entry.reason, entry.book) for entry in await entries(source)]
    assert await provider.sections() == ["economy_history", "events"]
    assert await provider.get_game_data("events") == {"days": [1, 2]}
    asked = digest_of("purchase", "ada", ("lucky_charm", 2))
    assert await provider.get_response("r-1", asked) == await source.get_response("r-1", asked)
    (remembered,) = [each async for each in provider.stored_responses() if each.request_id == "r-1"]
    assert Receipt.decoded(remembered.answer) == await source.get_response("r-1", asked)
    report = await audit_provider(provider)
    assert report.sound, str(report)


async def test_what_came_in_is_played_on_with_and_the_laws_hold(
    provider: DataProvider, clock: ManualClock
) -> None:
    source = (await played(clock)).provider
    await provider.load(await portion_of(source))
    before = await stored(provider)
    world = await World.open(provider, clock=clock)
    again = await world.services.store.purchase("ada", "lucky_charm", 2, request_id="r-1")
    assert again.owned == 2
    assert await stored(provider) == before
    for _ in range(20):
        await world.services.store.purchase("bo", "health_potion")
    await world.services.store.purchase("cy", "lucky_charm", 3)
    assert (await provider.counters())["stock.lucky_charm"] == 0
    report = await audit_provider(provider)
    assert report.sound, str(report)


async def test_a_player_of_another_version_than_expected_stores_nothing(
    provider: DataProvider, clock: ManualClock
) -> None:
    batch = await portion_of((await played(clock)).provider)
    await with_player(provider, "bo")
    before = await stored(provider)
    with pytest.raises(ConflictError):
        await provider.load(batch)
    with pytest.raises(ConflictError):
        await provider.load(
            replace(batch, users=tuple(replace(each, expected_version=3) for each in batch.users))
        )
    assert await stored(provider) == before
    assert await provider.sections() == []


async def test_an_answer_to_another_act_stores_nothing(provider: DataProvider, clock: ManualClock) -> None:
    batch = await portion_of((await played(clock)).provider)
    act = change(user("zoe", 0, money(5, 5)), request_id="r-1", digest="other", answer=(5, 0))
    await provider.apply(act)
    before = await stored(provider)
    with pytest.raises(RequestMismatchError):
        await provider.load(batch)
    assert await stored(provider) == before
    assert await provider.get_response("r-1", "other") == Committed(5, 0)


async def test_a_player_is_put_over_the_version_that_was_expected(
    provider: DataProvider, clock: ManualClock
) -> None:
    world = await played(clock)
    await provider.load(await portion_of(world.provider))
    await world.provider.apply(change(user("ada", 3, goods("ema_plaque", 1)), at_us=clock.us))
    newest = (await world.provider.read_ledger(limit=1))[0].entry_id
    frames = [frame async for frame in world.provider.ledger_frames()]
    new_rows = pl.concat(frames).filter(pl.col("entry_id") == newest)
    await provider.load(Batch((UserSnapshot(3, await world.profile("ada")),), new_rows))
    assert (await stored(provider)).users == (await stored(world.provider)).users
    assert await rows(provider) == await rows(world.provider)


async def test_what_a_copy_that_follows_asks_for(provider: DataProvider, clock: ManualClock) -> None:
    assert await provider.versions() == {}
    world = await World.open(provider, clock=clock)
    await world.services.store.purchase("ada", "lucky_charm")
    await world.services.daily.claim("bo")
    versions = await provider.versions()
    assert versions == {
        "ada": (await world.profile("ada")).version,
        "bo": (await world.profile("bo")).version,
    }
    await world.services.daily.claim("ada")
    assert await provider.versions() == {**versions, "ada": versions["ada"] + 1}
    whole = pl.concat([frame async for frame in provider.ledger_frames()])
    for wanted in ({"ada"}, {"bo", "system"}, set[str]()):
        frames = [frame async for frame in provider.ledger_frames(wanted)]
        own = pl.concat([whole.clear(), *frames])
        assert own.equals(whole.filter(pl.col("user_id").is_in(list(wanted))))
