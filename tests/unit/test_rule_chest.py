from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.rules.codes import MAX_BALANCE
from kokoromichi.rules.use import payout

PAYS = (20, 40, 80, 150, 300)
CHANCES = (55, 30, 11, 3, 1)
DRAWS = st.integers(0, 2**32 - 1)


def first_draw(percent: int) -> int:
    """Return the first draw at or above a share of all draws."""
    return -(-(percent << 32) // 100)


@pytest.mark.parametrize(
    ("draw", "gold"),
    [
        (0, 180),
        (first_draw(55) - 1, 180),
        (first_draw(55), 360),
        (first_draw(85) - 1, 360),
        (first_draw(85), 720),
        (first_draw(96), 1_350),
        (first_draw(99) - 1, 1_350),
        (first_draw(99), 2_700),
        (2**32 - 1, 2_700),
    ],
)
def test_a_wooden_chest_pays_its_table(draw: int, gold: int) -> None:
    assert payout(draw, 900, PAYS, CHANCES) == gold


@pytest.mark.parametrize(("worth", "mean_hundredths"), [(900, 35_370), (5_000, 196_500), (18_000, 707_400)])
def test_the_mean_is_39_3_percent_of_the_worth(worth: int, mean_hundredths: int) -> None:
    grid = [payout(first_draw(percent), worth, PAYS, CHANCES) for percent in range(100)]
    assert sum(grid) == mean_hundredths == worth * 393 // 10


def test_what_the_chances_leave_over_goes_to_the_last_share() -> None:
    assert payout(2**32 - 1, 1_000, (20, 40), (10, 10)) == 400


@given(DRAWS, st.integers(0, MAX_BALANCE))
def test_a_chest_pays_a_share_of_its_worth(draw: int, worth: int) -> None:
    assert payout(draw, worth, PAYS, CHANCES) in {worth * percent // 100 for percent in PAYS}
