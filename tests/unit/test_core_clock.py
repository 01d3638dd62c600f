"""Time is passed in, aware, UTC, and exact to the microsecond."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.core.clock import EPOCH, ManualClock, SystemClock, moment_of, us_of
from kokoromichi.core.models import DAY_US


def test_the_system_clock_tells_the_machines_time() -> None:
    before = time.monotonic_ns()
    first = SystemClock().now_us()
    second = SystemClock().now_us()
    assert 0 <= second - first <= (time.monotonic_ns() - before) // 1_000 + 1_000
    assert moment_of(first) > datetime(2025, 1, 1, tzinfo=timezone.utc)


def test_a_manual_clock_stands_until_it_is_moved() -> None:
    clock = ManualClock()
    assert [clock.now_us(), clock.now_us()] == [0, 0]
    clock.advance(90)
    assert clock.now_us() == 90_000_000
    clock.us = DAY_US
    assert clock.now_us() == DAY_US


@given(st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999))
def test_moments_and_microseconds_are_the_same_thing(us: int) -> None:
    moment = moment_of(us)
    assert us_of(moment) == us
    assert moment.utcoffset() == timedelta(0)


def test_a_moment_of_another_zone_is_the_same_microsecond() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert us_of(datetime(1970, 1, 2, 9, tzinfo=tokyo)) == DAY_US
    assert moment_of(0) == EPOCH


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(TypeError, match="naive"):
        us_of(datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused
