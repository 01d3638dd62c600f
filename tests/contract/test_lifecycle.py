"""Opening, closing, the streams outside the promise, and the calls that need a remote store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from kokoromichi.core.clock import moment_of
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.schemas import ACTIVITY_SCHEMA, ECONOMY_HISTORY_SCHEMA
from tests.contract.stored import NOON_US, rows, with_player

if TYPE_CHECKING:
    from kokoromichi.core.data_provider import DataProvider


async def test_async_with_opens_and_closes(closed: DataProvider) -> None:
    async with closed as opened:
        assert opened is closed
        await with_player(opened, "ada")
        assert len(await rows(opened)) == 1


async def test_an_error_inside_passes_through_the_closing(closed: DataProvider) -> None:
    with pytest.raises(ZeroDivisionError):
        async with closed:
            raise ZeroDivisionError


async def test_closing_twice_is_harmless(closed: DataProvider) -> None:
    await closed.open()
    await with_player(closed, "ada")
    await closed.close()
    await closed.close()
    assert closed.name


async def test_streams_are_taken_and_move_nothing(provider: DataProvider) -> None:
    seen = {"user_id": "ada", "session": 1, "at": moment_of(NOON_US), "act": "buy", "code": "too_poor"}
    await provider.append_observations("activity", [seen, {**seen, "session": 2}])
    await provider.append_observations("activity", [])
    held = {"economy_hash": "0", "effective_from": moment_of(NOON_US), "measure": "price_gold", "key": "x"}
    await provider.append_observations("economy_history", [held])
    assert await provider.user_ids() == []
    assert await rows(provider) == []


async def test_what_was_observed_is_read_back_in_its_order(closed: DataProvider) -> None:
    later = moment_of(NOON_US + 1_500_000)
    act = {"user_id": "ada", "session": 1, "at": moment_of(NOON_US), "act": "buy", "code": "too_poor"}
    choice = {**act, "at": later, "act": "choice", "code": None, "gold": 5, "units_held": [0, 2]}
    held = {"economy_hash": "0", "effective_from": later, "measure": "price_gold", "key": "x", "value": 7}
    async with closed:
        await closed.append_observations("activity", [act, choice])
        await closed.append_observations("economy_history", [held])
    async with closed, closed.snapshot() as reader:
        await closed.append_observations("economy_history", [{**held, "value": 8}])
        activity = pl.concat([frame async for frame in reader.observation_frames("activity")])
        history = pl.concat([frame async for frame in reader.observation_frames("economy_history")])
    assert (activity.schema, history.schema) == (ACTIVITY_SCHEMA, ECONOMY_HISTORY_SCHEMA)
    assert [{**dict.fromkeys(ACTIVITY_SCHEMA), **row} for row in (act, choice)] == activity.to_dicts()
    assert [{**held, "category": None}] == history.select(*held, "category").to_dicts()


async def test_a_remote_store_opens_with_the_newest_activity_alone(
    closed: DataProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    if closed.name not in ("mongo", "postgres"):
        return  # Memory keeps what a process does; a local store forgets as it goes on.
    monkeypatch.setattr(f"kokoromichi.core.providers.{closed.name}.provider.ACTIVITY_ROWS_KEPT", 2)
    held = {"economy_hash": "0", "effective_from": moment_of(NOON_US), "measure": "price_gold", "key": "x"}
    act = {"user_id": "ada", "at": moment_of(NOON_US), "act": "buy"}
    async with closed:
        await closed.append_observations("economy_history", [held])
        await closed.append_observations("activity", [{**act, "session": number} for number in range(5)])
    async with closed:
        activity = pl.concat([frame async for frame in closed.observation_frames("activity")])
        history = pl.concat([frame async for frame in closed.observation_frames("economy_history")])
    assert activity["session"].to_list() == [3, 4]
    assert history.height == 1


@pytest.mark.parametrize("call", ["sync_local_to_remote", "sync_remote_to_local", "migrate_local_to_remote"])
async def test_where_one_side_of_a_sync_is_missing_it_says_so(provider: DataProvider, call: str) -> None:
    with pytest.raises(MisuseError, match=f"{call}: {missing_side(provider)}"):
        await getattr(provider, call)()


def missing_side(provider: DataProvider) -> str:
    """What a provider says that was built alone."""
    if provider.name in ("mongo", "postgres"):
        return "this provider was built without a local folder; build_provider gives it one"
    return f"the provider '{provider.name}' has no remote store; set PROVIDER to mongo or postgres"


@pytest.mark.parametrize("dry_run", [True, False])
async def test_migrate_takes_the_references_argument_both_ways(
    provider: DataProvider, *, dry_run: bool
) -> None:
    with pytest.raises(MisuseError, match=missing_side(provider)):
        await provider.migrate_local_to_remote(dry_run)
    with pytest.raises(MisuseError, match=missing_side(provider)):
        await provider.migrate_local_to_remote(dry_run=dry_run)
