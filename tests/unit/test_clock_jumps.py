"""A clock that jumps locks nobody and pays nobody twice a day: whatever it wrote while it was wrong."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from kokoromichi.core.errors import RefusedError
from tests.contract.stored import NOON_US
from tests.unit.service_world import DAY_S, WIN, World

DAY_US: Final = DAY_S * 1_000_000
ACTS: Final = ("claim", "fight", "send", "collect", "charm", "amulet")
ANYWHERE = st.integers(-400 * DAY_US, 400 * DAY_US)
WHOLE_DAYS = st.integers(-400, 400).map(lambda days: days * DAY_US)


def steps(offsets: st.SearchStrategy[int]) -> st.SearchStrategy[list[tuple[str, int]]]:
    """Acts, passing time, and jumps of the clock to an offset from the right one; 0 puts it right."""
    return st.lists(
        st.one_of(
            st.tuples(st.sampled_from(ACTS), st.just(0)),
            st.tuples(st.just("pass"), st.integers(1, 2 * DAY_US)),
            st.tuples(st.just("jump"), st.just(0) | offsets),
        ),
        max_size=25,
    )


async def act(world: World, name: str) -> bool:
    """Let ada act; whether she may."""
    services = world.services
    asked = {
        "claim": lambda: services.daily.claim("ada"),
        "fight": lambda: services.battle.fight("ada", 1, draw=WIN),
        "send": lambda: services.bank.transfer("ada", "bo", 20_000),
        "collect": lambda: services.progress.collect("ada"),
        "charm": lambda: services.store.use("ada", "lucky_charm", draw=0),
        "amulet": lambda: services.store.use("ada", "guardian_amulet", draw=0),
    }
    try:
        await asked[name]()
    except RefusedError:
        return False
    return True


async def played(script: list[tuple[str, int]]) -> tuple[World, int, Counter[int], Counter[int]]:
    """Play a script: the world, the right time, and claims and jumps by right UTC day."""
    world = await World.open()
    items = {"lucky_charm": 10**6, "guardian_amulet": 10**6}
    await world.player("ada", gold=10**12, items=items, businesses={"cafe": NOON_US})
    await world.player("bo", gold=0)
    right_us, offset_us = NOON_US, 0
    claims, jumps = Counter[int](), Counter[int]()
    for name, number in script:
        if name == "pass":
            right_us += number
        elif name == "jump":
            offset_us = number
            jumps[right_us // DAY_US] += 1
        elif await act(world, name) and name == "claim":
            claims[right_us // DAY_US] += 1
        world.clock.us = right_us + offset_us
    return world, right_us, claims, jumps


@settings(max_examples=150, deadline=None)
@given(steps(ANYWHERE))
def test_on_the_day_after_the_clock_is_right_everything_is_open(script: list[tuple[str, int]]) -> None:
    async def run() -> None:
        world, right_us, _, _ = await played(script)
        world.clock.us = (right_us // DAY_US + 1) * DAY_US + 300_000_000
        assert await act(world, "claim")
        assert await act(world, "fight")
        assert await act(world, "send")
        world.clock.us += DAY_US + 600_000_000  # An effect may have been begun at the last moment.
        assert [await act(world, name) for name in ("collect", "charm", "amulet")] == [True] * 3

    asyncio.run(run())


@settings(max_examples=150, deadline=None)
@given(steps(WHOLE_DAYS))
def test_a_day_pays_one_claim_and_one_more_for_each_jump(script: list[tuple[str, int]]) -> None:
    async def run() -> None:
        _, _, claims, jumps = await played(script)
        assert all(count <= 1 + jumps[day] for day, count in claims.items())

    asyncio.run(run())


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40_000_000), st.integers(-150_000_000, 150_000_000)), max_size=40))
def test_clocks_that_differ_a_little_open_no_cap_and_no_claim_twice(looks: list[tuple[int, int]]) -> None:
    """Two processes around midnight: each act by a clock that is at most half the tolerance off."""

    async def run() -> None:
        world = await World.open()
        midnight_us = (NOON_US // DAY_US + 1) * DAY_US
        right_us = world.clock.us = midnight_us - 600_000_000
        await world.player("ada", gold=10**12)
        await world.player("bo", gold=0)
        claims = sent = 0
        for passed_us, off_us in looks:
            right_us += passed_us
            world.clock.us = right_us + off_us
            claims += await act(world, "claim")
            sent += await act(world, "send")
        assert claims <= 2
        assert sent <= 2

    asyncio.run(run())
