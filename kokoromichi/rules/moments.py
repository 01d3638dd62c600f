"""Stored moments against the clock: what a clock that was wrong has written locks nobody."""

from __future__ import annotations

from typing import Final, NamedTuple

from kokoromichi.core.models import DAY_US, NEVER, SECOND_US

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


def held_back_us(now_us: int, at_us: int) -> int:
    """Put a moment that is ahead of the clock back to the present.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        at_us: The moment; NEVER stays.
    """
    return min(now_us, at_us)


def next_us(now_us: int, last_us: int) -> int:
    """Tell the moment of a change of which the latest one holds, whatever the clock says.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        last_us: The moment of the change before; NEVER where there is none.

    Returns:
        The present, or the first microsecond after the change before.
    """
    return max(now_us, last_us + 1)


class Clocks(NamedTuple):
    """Every moment and every counter of a day that a player has, as ``UserProfile`` calls them."""

    last_claim_us: int
    battle_at_us: int
    battle_day: int
    battle_gold_today: int
    sent_day: int
    sent_gold_today: int
    hp_at_us: int
    luck_until_us: int
    guard_until_us: int


def clear_clocks(now_us: int, clocks: Clocks, charm_us: int) -> Clocks:
    """Open a player's day again: claim, battle and caps at once, and nothing is left ahead of the clock.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        clocks: The player's.
        charm_us: How long a charm or an amulet lasts.

    Returns:
        The player's then; a claim of today, or of a day to come, counts as one of yesterday, so that the
        streak goes on.
    """
    last_claim_us = clocks.last_claim_us
    if last_claim_us // DAY_US >= now_us // DAY_US:
        last_claim_us = max(NEVER, now_us - DAY_US)
    return Clocks(
        last_claim_us=last_claim_us,
        battle_at_us=NEVER,
        battle_day=NEVER,
        battle_gold_today=0,
        sent_day=NEVER,
        sent_gold_today=0,
        hp_at_us=held_back_us(now_us, clocks.hp_at_us),
        luck_until_us=clocks.luck_until_us if is_running(now_us, clocks.luck_until_us, charm_us) else NEVER,
        guard_until_us=clocks.guard_until_us
        if is_running(now_us, clocks.guard_until_us, charm_us)
        else NEVER,
    )
