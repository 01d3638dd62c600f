"""The rich list: ranks without doubles, pages that exist, and a list that is read once in some seconds."""

from __future__ import annotations

import asyncio

import pytest

from kokoromichi.core.errors import MisuseError
from kokoromichi.core.models import ERASED_PREFIX
from kokoromichi.services.standing import KEPT_S, Standing, StandingPage, StandingService
from tests.contract.stored import NOON_US
from tests.unit.passing_providers import PassingProvider
from tests.unit.service_world import World

BY_ID = {"cy": 500, "ada": 700, "bo": 700, "di": 0}
RANKED = (Standing(1, "ada", 700), Standing(2, "bo", 700), Standing(3, "cy", 500), Standing(4, "di", 0))


class Counting(PassingProvider):
    """Counts how often balances are read, and lets others in meanwhile."""

    reads = 0

    async def balances(self) -> list[tuple[str, int]]:
        self.reads += 1
        await asyncio.sleep(0)
        return await super().balances()


async def ranked() -> tuple[World, StandingService, Counting]:
    world = await World.open()
    for user_id, gold in BY_ID.items():
        await world.player(user_id, gold=gold)
    counting = Counting(world.provider)
    return world, StandingService(counting, world.clock), counting


async def test_the_richest_come_first_and_ties_stand_by_id() -> None:
    _world, standing, _counting = await ranked()
    assert await standing.page(1, 10) == StandingPage(RANKED, 1, 1, 4, NOON_US)
    assert [await standing.rank(user_id) for user_id in ("ada", "bo", "cy", "di")] == list(RANKED)
    assert await standing.rank("zoe") is None
    with pytest.raises(MisuseError, match="user id"):
        await standing.rank("../evil")


@pytest.mark.parametrize(
    ("page", "size", "expected"),
    [
        (1, 3, StandingPage(RANKED[:3], 1, 2, 4, NOON_US)),
        (2, 3, StandingPage(RANKED[3:], 2, 2, 4, NOON_US)),
        (9, 3, StandingPage(RANKED[3:], 2, 2, 4, NOON_US)),
        (-1, 3, StandingPage(RANKED[:3], 1, 2, 4, NOON_US)),
        (2, 2, StandingPage(RANKED[2:], 2, 2, 4, NOON_US)),
        (1, 0, StandingPage(RANKED[:1], 1, 4, 4, NOON_US)),
    ],
)
async def test_a_page_that_is_not_there_is_the_nearest_one(
    page: int, size: int, expected: StandingPage
) -> None:
    _world, standing, _counting = await ranked()
    assert await standing.page(page, size) == expected


async def test_nobody_plays() -> None:
    world = await World.open()
    assert await world.services.standing.page() == StandingPage((), 1, 1, 0, NOON_US)


async def test_a_list_is_read_once_in_some_seconds() -> None:
    world, standing, counting = await ranked()
    await asyncio.gather(*(standing.page(), standing.page(2, 2), standing.rank("ada")))
    await world.player("di", gold=900)
    world.clock.advance(int(KEPT_S) - 1)
    assert (await standing.page()).rows == RANKED
    assert counting.reads == 1
    world.clock.advance(1)
    assert (await standing.page()).rows[0] == Standing(1, "di", 900)
    assert counting.reads == 2
    world.clock.advance(-3_600)  # A clock that was put back keeps no list for an hour.
    await standing.page()
    assert counting.reads == 3


async def test_an_erased_player_is_not_shown() -> None:
    world = await World.open()
    await world.player(f"{ERASED_PREFIX}1", gold=10**9)
    await world.player("ada", gold=1)
    assert await world.services.standing.page() == StandingPage((Standing(1, "ada", 1),), 1, 1, 1, NOON_US)
