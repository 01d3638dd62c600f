"""Stored moments against the clock: what a clock that was wrong has written locks nobody."""

from __future__ import annotations

from typing import Final

from kokoromichi.core.models import SECOND_US

CLOCK_SKEW_US: Final = 300 * SECOND_US
"""By so much the clocks of two processes over one store may differ, in microseconds: synchronised ones stay
within a second, and one that is not drifts by minutes before anybody notices. A moment further ahead than
this was written while a clock was wrong."""


def is_ahead(now_us: int, at_us: int) -> bool:
    """Whether a stored moment is further ahead of the clock than two clocks may differ.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        at_us: The moment; NEVER is not ahead.
    """
    return at_us > now_us + CLOCK_SKEW_US


def is_running(now_us: int, until_us: int, lasts_us: int) -> bool:
    """Whether an effect still runs: one that would end later than it can last has ended.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        until_us: When it ends; NEVER where it was not begun.
        lasts_us: How long it lasts from its beginning.
    """
    return now_us < until_us <= now_us + lasts_us + CLOCK_SKEW_US
