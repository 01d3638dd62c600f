"""Copies into a local folder and out of it, over its reopening; and a folder that is a mirror."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.bulk_load import Batch, StoredResponse, UserSnapshot
from kokoromichi.core.clock import ManualClock
from kokoromichi.core.copying.copy_all import copy_all
from kokoromichi.core.errors import ConflictError, MisuseError, RequestMismatchError
from kokoromichi.core.models import UserProfile
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.transactions import Committed
from tests.contract.stored import NOON_US, change, goods, money, rows, stored, user, with_counter, with_player

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.core.data_provider import DataProvider


async def fill(provider: DataProvider) -> None:
    """Two players, a counter, a request, a section and fields that nobody knows."""
    await with_counter(provider, "plain.x", 5)
    await with_player(provider, "ada", gold=100, x=2)
    await with_player(provider, "bo", gold=50)
    act = change(
        user("ada", 1, money(-30, 70, "fee"), goods("x", -2, "use"), fields={"level": 3}),
        request_id="r-1",
        digest="spend",
        answer=(70, 0),
    )
    await provider.apply(act)
    await provider.save_user("bo", {"pets": ["cat"]})
    await provider.save_game_data("events", {"days": 3})


async def test_there_and_back_is_equal_over_every_reopening(tmp_path: Path) -> None:
    clock = ManualClock(NOON_US)
    source, back = MemoryProvider(clock), MemoryProvider(clock)
    await fill(source)
    for number in range(3):  # The second copy finds all of it; the third one what was played since.
        async with LocalJSONProvider(tmp_path, clock=clock) as local:
            report = await copy_all(source, local)
            assert report.complete
            assert bool(report.done.total()) == (number != 1)
        if number == 1:
            await source.apply(change(user("bo", 2, money(-50, 0, "fee"))))
    async with LocalJSONProvider(tmp_path, clock=clock) as local:
        assert (await stored(local)).users == (await stored(source)).users
        assert await rows(local) == await rows(source)
        assert await local.get_response("r-1", "spend") == Committed(70, 0)
        assert await local.sections() == ["events"]
        await local.apply(change(user("bo", 3, money(1, 1))))
        assert (await audit_provider(local)).sound
        assert (await copy_all(local, back)).complete
        assert (await stored(back)).users == (await stored(local)).users
        assert await rows(back) == await rows(local)


async def test_a_portion_that_does_not_fit_stores_nothing(tmp_path: Path) -> None:
    async with LocalJSONProvider(tmp_path, clock=ManualClock(NOON_US)) as local:
        await fill(local)
        before = await stored(local)
        new = UserSnapshot(0, UserProfile(user_id="cy", version=1, gold=5))
        stale = UserSnapshot(1, UserProfile(user_id="ada", version=3))
        with pytest.raises(ConflictError, match="ada is not of version 1"):
            await local.load(Batch(users=(new, stale)))
        other = StoredResponse("r-1", "sell", b"{}", NOON_US)
        with pytest.raises(RequestMismatchError):
            await local.load(Batch(users=(new,), requests=(other,)))
        assert await stored(local) == before


async def test_a_player_put_whole_keeps_nothing_of_before(tmp_path: Path) -> None:
    snapshot = UserProfile(user_id="bo", version=7, gold=50, inventory={"y": 1}, unknown={"a": 1})
    async with LocalJSONProvider(tmp_path, clock=ManualClock(NOON_US)) as local:
        await fill(local)
        await local.load(Batch(users=(UserSnapshot(2, snapshot),)))
        assert await local.profile("bo") == snapshot
        await local.apply(change(user("bo", 7, goods("y", -1, "use"))))
    async with LocalJSONProvider(tmp_path) as local:
        profile = await local.profile("bo")
        assert profile is not None
        assert (profile.version, profile.inventory, profile.unknown) == (8, {}, {"a": 1})


async def test_a_mirror_is_written_by_copies_alone_for_good(tmp_path: Path) -> None:
    clock = ManualClock(NOON_US)
    source = MemoryProvider(clock)
    await fill(source)
    async with LocalJSONProvider(tmp_path / "mirror", clock=clock) as mirror:
        await mirror.mark_mirror(source.name)
        assert (await copy_all(source, mirror)).complete
    async with LocalJSONProvider(tmp_path / "mirror", clock=clock) as mirror:
        assert mirror.mirror_of == "memory"
        for act in (
            mirror.apply(change(user("bo", 2))),
            mirror.save_user("bo", {"gold": 1}),
            mirror.save_game_data("events", {}),
        ):
            with pytest.raises(MisuseError, match="mirrors memory and is written by copies alone"):
                await act
        with pytest.raises(MisuseError, match="mirror of memory, and no source"):
            await copy_all(mirror, MemoryProvider())
    async with LocalJSONProvider(tmp_path / "own", clock=clock) as own:
        await fill(own)
        with pytest.raises(MisuseError, match="has players of its own"):
            await own.mark_mirror("memory")
