"""Time is an argument: a clock is passed in, and all of it is aware UTC."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta, timezone
from typing import Final, Protocol

from kokoromichi.core.models import DAY_US, SECOND_US

__all__ = ["DAY_US", "EPOCH", "Clock", "ManualClock", "SystemClock", "midnight_us", "moment_of", "us_of"]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Clock(Protocol):
    """Whatever can tell the time, in microseconds since the epoch, UTC."""

    def now_us(self) -> int:
        """The present moment, in microseconds since the epoch."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_us(self) -> int:
        """The present moment, in microseconds since the epoch."""
        return time.time_ns() // 1_000


class ManualClock:
    """A clock that stands still until it is set: simulations and tests.

    Attributes:
        us: The present moment, in microseconds since the epoch.
    """

    def __init__(self, us: int = 0) -> None:
        self.us = us

    def now_us(self) -> int:
        """The present moment, in microseconds since the epoch."""
        return self.us

    def advance(self, seconds: int) -> None:
        """Move forward by ``seconds``."""
        self.us += seconds * SECOND_US


def us_of(moment: datetime) -> int:
    """Microseconds since the epoch of an aware moment, exact."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def midnight_us(day: date) -> int:
    """Microseconds since the epoch at which a UTC day begins."""
    return (day - EPOCH.date()).days * DAY_US


def moment_of(us: int) -> datetime:
    """The aware UTC moment of ``us`` microseconds since the epoch, exact."""
    return EPOCH + timedelta(0, 0, us)  # By position: twice as fast, and every ledger row has one.
