"""A draw becomes one of so many outcomes: exactly, however large the sum of their weights is."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from kokoromichi.rules.draws import below

LAST_DRAW = 2**32 - 1


@given(st.integers(0, LAST_DRAW), st.integers(1, 2**46))
@example(LAST_DRAW, 2**46)
@example(0xFFFF, 2**46 - 1)
def test_a_split_product_is_the_whole_one_and_each_half_fits_int64(draw: int, bound: int) -> None:
    assert below(draw, bound) == draw * bound >> 32
    assert (draw >> 16) * bound + ((draw & 0xFFFF) * bound >> 16) < 2**63


def test_each_outcome_has_its_share_of_the_draws() -> None:
    edges = [-(-outcome * 2**32 // 29) for outcome in range(30)]
    for outcome, (first, end) in enumerate(pairwise(edges)):
        assert below(first, 29) == below(end - 1, 29) == outcome
