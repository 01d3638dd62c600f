"""A terminal's own time: the machine's, and the days that its players have skipped."""

from __future__ import annotations

from kokoromichi.core.clock import SystemClock
from kokoromichi.core.models import DAY_US


class SkippingClock(SystemClock):
    """The machine's clock, set forward by hand.

    Attributes:
        ahead_us: By how much, in microseconds.
    """

    def __init__(self) -> None:
        self.ahead_us = 0

    def now_us(self) -> int:
        """The present moment of the terminal, in microseconds since the epoch."""
        return super().now_us() + self.ahead_us

    def skip(self, days: int) -> None:
        """Go on ``days`` later, at the same time of the day."""
        self.ahead_us += days * DAY_US

    def catch_up(self, at_us: int) -> None:
        """Go on where a session before ended: never before ``at_us``."""
        self.ahead_us = max(self.ahead_us, at_us - super().now_us())
