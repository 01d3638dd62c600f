"""The bot's activity: rows of the schema, whole players in or out, and a store that may be away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from kokoromichi.core.clock import moment_of
from kokoromichi.core.errors import StorageError
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.schemas import ACTIVITY_SCHEMA
from kokoromichi.rules.acts import SESSION_GAP_S
from kokoromichi.services.bundle import Services
from kokoromichi.services.observing import ActivityService
from tests.contract.stored import NOON_US
from tests.unit.passing_providers import PassingProvider
from tests.unit.service_world import ECONOMY, World

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pytest

    from kokoromichi.core.data_provider import Stream


def seen(world: World) -> pl.DataFrame:
    assert isinstance(world.provider, MemoryProvider)
    return pl.DataFrame(world.provider.observations("activity"), ACTIVITY_SCHEMA)


async def test_acts_and_refusals_are_rows_of_the_schema() -> None:
    world = await World.open()
    activity = world.services.activity
    await activity.note("ada", "buy")
    world.clock.advance(1)
    await activity.note("ada", "buy", "too_poor")
    assert seen(world).select("user_id", "at", "act", "code", "economy_hash").rows() == [
        ("ada", moment_of(NOON_US), "buy", None, ECONOMY.hash),
        ("ada", moment_of(NOON_US + 1_000_000), "buy", "too_poor", ECONOMY.hash),
    ]
    assert (
        seen(world).select("slot", "outcome", "hold", "level", "units_held").null_count().row(0) == (2,) * 5
    )


async def test_a_command_is_noted_by_the_name_that_its_act_has_everywhere() -> None:
    world = await World.open()
    for command in ("daily", "buy", "favorite"):
        await world.services.activity.note("ada", command)
    assert seen(world)["act"].to_list() == ["claim", "buy", "favorite"]


async def test_a_session_ends_with_a_long_silence() -> None:
    world = await World.open()
    for wait_s in (0, SESSION_GAP_S - 1, SESSION_GAP_S - 1, SESSION_GAP_S, 5):
        world.clock.advance(wait_s)
        await world.services.activity.note("ada", "battle")
    await world.services.activity.note("bo", "battle")
    first = NOON_US // 1_000_000
    second = first + 3 * SESSION_GAP_S - 2
    assert seen(world)["session"].to_list() == [first, first, first, second, second, second + 5]


async def test_whole_players_are_in_or_out_by_their_share() -> None:
    world = await World.open()
    executor = world.services.executor
    names = [str(number) for number in range(2_000)]
    shares = {
        share: {name for name in names if ActivityService(executor, share).is_noted(name)}
        for share in (0, 0.1, 0.5, 1)
    }
    assert shares[0] == set()
    assert shares[1] == set(names)
    assert shares[0.1] < shares[0.5]
    assert 140 < len(shares[0.1]) < 260
    assert 900 < len(shares[0.5]) < 1_100
    activity = ActivityService(executor, 0.1)
    for name in names[:200]:
        for _ in range(2):
            await activity.note(name, "daily")
    noted = seen(world).group_by("user_id").len()
    assert set(noted["user_id"]) == shares[0.1] & set(names[:200])
    assert set(noted["len"]) == {2}


async def test_a_store_that_is_away_costs_the_note_alone(caplog: pytest.LogCaptureFixture) -> None:
    class Away(PassingProvider):
        async def append_observations(self, stream: Stream, rows: Sequence[Mapping[str, object]]) -> None:
            message = f"{stream} is away with {len(rows)} rows"
            raise StorageError(message)

    inner = await World.open()
    services = Services(Away(inner.provider), ECONOMY, inner.clock)
    await services.activity.note("ada", "buy")
    assert "activity is away with 1 rows" in caplog.text
