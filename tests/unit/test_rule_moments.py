"""Stored moments against the clock: what lies ahead of it, and the day that an admin opens again."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.core.models import DAY_US, HOUR_US, NEVER
from kokoromichi.rules.daily import next_claim_us, streak_at
from kokoromichi.rules.moments import (
    CLOCK_SKEW_US,
    Clocks,
    clear_clocks,
    held_back_us,
    is_ahead,
    is_running,
    next_us,
)
from kokoromichi.rules.use import CHARM_US

MIDNIGHT: Final = 20_000 * DAY_US
NOON: Final = MIDNIGHT + 12 * HOUR_US
BLANK: Final = Clocks(NEVER, NEVER, NEVER, 0, NEVER, 0, NEVER, NEVER, NEVER)


def test_only_what_two_clocks_cannot_explain_is_ahead() -> None:
    assert not is_ahead(NOON, NOON + CLOCK_SKEW_US)
    assert is_ahead(NOON, NOON + CLOCK_SKEW_US + 1)
    assert not is_ahead(NOON, NEVER)


def test_an_effect_runs_for_no_longer_than_it_lasts() -> None:
    assert is_running(NOON, NOON + 1, HOUR_US)
    assert not is_running(NOON, NOON, HOUR_US)
    assert is_running(NOON, NOON + HOUR_US + CLOCK_SKEW_US, HOUR_US)
    assert not is_running(NOON, NOON + HOUR_US + CLOCK_SKEW_US + 1, HOUR_US)
    assert not is_running(NOON, NEVER, HOUR_US)


@pytest.mark.parametrize(("at_us", "held"), [(NEVER, NEVER), (5, 5), (NOON, NOON), (NOON + 1, NOON)])
def test_a_moment_ahead_of_the_clock_is_put_back_to_it(at_us: int, held: int) -> None:
    assert held_back_us(NOON, at_us) == held


@pytest.mark.parametrize(
    ("last_us", "moment_us"), [(NEVER, NOON), (NOON - 1, NOON), (NOON, NOON + 1), (NOON + 9, NOON + 10)]
)
def test_a_change_is_later_than_the_one_before_on_any_clock(last_us: int, moment_us: int) -> None:
    assert next_us(NOON, last_us) == moment_us


def test_a_day_that_is_opened_again_has_its_caps_and_its_cooldown_anew() -> None:
    spent = Clocks(NEVER, NOON, 20_000, 5_000, 20_000, 9_000, NOON, NOON + HOUR_US, NOON + 400 * DAY_US)
    cleared = clear_clocks(NOON, spent, CHARM_US)
    assert cleared == BLANK._replace(hp_at_us=NOON, luck_until_us=NOON + HOUR_US)
    assert clear_clocks(NOON, BLANK, CHARM_US) == BLANK


@given(st.integers(MIDNIGHT, MIDNIGHT + DAY_US - 1), st.integers(-3 * DAY_US, 400 * DAY_US))
def test_a_claim_opens_again_and_a_streak_that_stands_goes_on(now_us: int, since_us: int) -> None:
    last_us = now_us + since_us
    cleared_us = clear_clocks(now_us, BLANK._replace(last_claim_us=last_us), CHARM_US).last_claim_us
    assert next_claim_us(now_us, cleared_us) <= now_us
    assert streak_at(now_us, cleared_us, 7, 36) == streak_at(now_us, last_us, 7, 36)


def test_the_window_of_a_claim_that_was_made_yesterday_stays_as_it_was() -> None:
    late = BLANK._replace(last_claim_us=MIDNIGHT - HOUR_US)
    assert clear_clocks(MIDNIGHT + HOUR_US, late, CHARM_US).last_claim_us == late.last_claim_us
