"""The driver: acts by time, player and sequence, real waits handed through, nothing left half open."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.core.clock import ManualClock
from kokoromichi.simulation.driver import Driver, Pause

if TYPE_CHECKING:
    from collections.abc import Sequence

SECOND_US = 1_000_000

Log = list[tuple[int, int, int]]


async def session(log: Log, clock: ManualClock, player: int, pauses_s: Sequence[int]) -> None:
    """Note time, player and number of each act; a pause stands between two acts."""
    for number, pause_s in enumerate(pauses_s):
        log.append((clock.us, player, number))
        await Pause(pause_s)
    log.append((clock.us, player, len(pauses_s)))


async def test_acts_of_overlapping_sessions_come_in_the_order_of_time_then_player() -> None:
    clock, log = ManualClock(), list[tuple[int, int, int]]()
    driver = Driver(clock)
    driver.add(0, 2, session(log, clock, 2, [5, 5]))
    driver.add(0, 1, session(log, clock, 1, [10]))
    driver.add(5 * SECOND_US, 0, session(log, clock, 0, [5]))
    await driver
    assert log == [
        (0, 1, 0),
        (0, 2, 0),
        (5 * SECOND_US, 0, 0),
        (5 * SECOND_US, 2, 1),
        (10 * SECOND_US, 0, 1),
        (10 * SECOND_US, 1, 1),
        (10 * SECOND_US, 2, 2),
    ]


plans = st.dictionaries(
    st.integers(0, 20),
    st.tuples(st.integers(0, 30), st.lists(st.integers(0, 10), max_size=6)),
    max_size=12,
)


@given(plan=plans, backwards=st.booleans())
def test_every_act_is_played_once_in_order_whatever_the_order_of_adding(
    plan: dict[int, tuple[int, list[int]]], *, backwards: bool
) -> None:
    clock, log = ManualClock(), list[tuple[int, int, int]]()
    driver = Driver(clock)
    for player in sorted(plan, reverse=backwards):
        start_s, pauses_s = plan[player]
        driver.add(start_s * SECOND_US, player, session(log, clock, player, pauses_s))

    async def play() -> None:
        await driver

    asyncio.run(play())
    expected = [
        ((start_s + sum(pauses_s[:number])) * SECOND_US, player, number)
        for player, (start_s, pauses_s) in plan.items()
        for number in range(len(pauses_s) + 1)
    ]
    assert sorted(log) == sorted(expected)
    assert [at_us for at_us, _, _ in log] == sorted(at_us for at_us, _, _ in log)
    acts_of_one_moment_come_by_player(log)


def acts_of_one_moment_come_by_player(log: Log) -> None:
    """A pause of 0 lets others of the same moment go first only where their number is lower."""
    for (at_us, player, number), (next_us, next_player, next_number) in pairwise(log):
        if at_us == next_us and player == next_player:
            assert next_number == number + 1
        if at_us == next_us and next_player < player:
            assert next_number > 0, "a lower player that was waiting already must have come first"


async def test_what_a_store_makes_a_session_wait_for_goes_through_to_the_event_loop() -> None:
    clock, log = ManualClock(), list[str]()
    stored = asyncio.Event()

    async def waits() -> None:
        log.append(f"asks at {clock.us}")
        await asyncio.sleep(0)
        await stored.wait()
        log.append(f"is answered at {clock.us}")
        answer: int = await asyncio.wait_for(asyncio.shield(reply), timeout=60)
        log.append(f"got {answer}")
        await Pause(1)
        log.append(f"goes on at {clock.us}")

    async def other() -> None:
        log.append(f"other at {clock.us}")

    async def store() -> None:
        log.append("the store works")
        stored.set()
        reply.set_result(7)

    reply = asyncio.get_running_loop().create_future()
    working = asyncio.get_running_loop().create_task(store())
    driver = Driver(clock)
    driver.add(0, 0, waits())
    driver.add(0, 1, other())
    await driver
    await working
    assert log == [
        "asks at 0",
        "the store works",
        "is answered at 0",
        "got 7",
        "other at 0",
        f"goes on at {SECOND_US}",
    ]


async def test_an_error_that_a_session_waits_for_reaches_the_session() -> None:
    caught = []

    async def fails() -> None:
        await asyncio.sleep(0)
        message = "the disk is full"
        raise OSError(message)

    async def tries() -> None:
        try:
            await asyncio.get_running_loop().create_task(fails())
        except OSError as error:
            caught.append(str(error))
        await Pause(1)
        caught.append("goes on")

    driver = Driver(ManualClock())
    driver.add(0, 0, tries())
    await driver
    assert caught == ["the disk is full", "goes on"]


async def test_an_error_of_a_session_stops_the_drive_and_closes_the_others() -> None:
    closed = []

    async def stays(player: int) -> None:
        try:
            await Pause(60)
        finally:
            closed.append(player)

    async def breaks() -> None:
        await Pause(1)
        message = "a bug"
        raise LookupError(message)

    driver = Driver(ManualClock())
    driver.add(0, 0, stays(0))
    driver.add(0, 1, breaks())
    driver.add(0, 2, stays(2))
    driver.add(59 * SECOND_US, 3, stays(3))
    with pytest.raises(LookupError, match="a bug"):
        await driver
    assert sorted(closed) == [0, 2]
    await driver  # Nothing is left in it.
    assert sorted(closed) == [0, 2]


async def test_cancelling_closes_every_session_and_tells_the_one_that_waits() -> None:
    told: list[tuple[int, str]] = []

    async def waits(player: int) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            told.append((player, "cancelled"))
            raise
        finally:
            told.append((player, "closed"))

    async def pauses(player: int) -> None:
        try:
            await Pause(1)
        finally:
            told.append((player, "closed"))

    driver = Driver(ManualClock())
    driver.add(0, 0, pauses(0))
    driver.add(0, 1, waits(1))
    driver.add(5 * SECOND_US, 2, pauses(2))

    async def drive() -> None:
        await driver

    driving = asyncio.get_running_loop().create_task(drive())
    await asyncio.sleep(0)
    driving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await driving
    # Player 0 came to time 0 first and waits in the queue; player 2 never started.
    assert told == [(1, "cancelled"), (1, "closed"), (0, "closed")]


async def test_a_session_may_give_up_waiting_and_go_on() -> None:
    """As with ``asyncio.timeout``, which cancels the task and is caught by the session that set it."""
    clock, log = ManualClock(), list[str]()

    async def gives_up() -> None:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().call_soon(task.cancel)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            log.append("gave up")
        await Pause(1)
        log.append(f"went on at {clock.us}")

    async def other() -> None:
        log.append("other")

    driver = Driver(clock)
    driver.add(0, 0, gives_up())
    driver.add(0, 1, other())
    await driver
    assert log == ["gave up", "other", f"went on at {SECOND_US}"]
