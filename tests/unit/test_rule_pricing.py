from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.rules.codes import MAX_BALANCE
from kokoromichi.rules.pricing import (
    MAX_PERCENT,
    fee_gold,
    percent_of,
    percent_up,
    resale_gold,
    train_cost_gold,
)

AMOUNTS = st.integers(0, MAX_BALANCE)
PERCENTS = st.integers(0, MAX_PERCENT)


@given(AMOUNTS, PERCENTS)
def test_shares_are_exact(amount: int, percent: int) -> None:
    exact = Fraction(amount * percent, 100)
    assert percent_of(amount, percent) == floor(exact)
    assert percent_up(amount, percent) == ceil(exact)


def test_a_larger_share_counts_as_the_largest() -> None:
    assert percent_of(70, 10**18) == percent_of(70, MAX_PERCENT) == 700
    assert percent_up(70, 10**18) == 700


@pytest.mark.parametrize(("price", "gold"), [(100, 40), (150, 60), (1, 0), (2, 0), (3, 1), (40_000, 16_000)])
def test_resale_is_forty_percent_rounded_down(price: int, gold: int) -> None:
    assert resale_gold(price, 40) == gold


@given(AMOUNTS, st.integers(0, 99))
def test_resale_is_below_the_price(price: int, percent: int) -> None:
    assert resale_gold(price, percent) <= max(0, price - 1)


@pytest.mark.parametrize(
    ("amount", "fee"), [(1, 1), (20, 1), (21, 2), (100, 5), (1_000, 50), (20_000, 1_000)]
)
def test_a_fee_of_five_percent_is_rounded_up(amount: int, fee: int) -> None:
    assert fee_gold(amount, 5) == fee


@given(st.integers(0, 10**18), st.integers(0, 10**18), st.integers(0, 100))
def test_splitting_a_transfer_never_saves_a_fee(first: int, second: int, percent: int) -> None:
    assert fee_gold(first, percent) + fee_gold(second, percent) >= fee_gold(first + second, percent)


@given(st.integers(0, 2**63 - 1), st.integers(0, 100))
def test_a_fee_is_at_most_the_amount(amount: int, percent: int) -> None:
    assert 0 <= fee_gold(amount, percent) <= amount


@pytest.mark.parametrize(("level", "cost"), [(1, 100), (2, 110), (10, 190), (11, 200), (22, 310)])
def test_training_grows_by_a_tenth_of_the_first_price(level: int, cost: int) -> None:
    assert train_cost_gold(level, 100, 10) == cost


def test_training_rounds_down() -> None:
    assert train_cost_gold(2, 105, 10) == 115  # 115.5


def test_training_beyond_all_bounds_costs_more_than_anybody_may_hold() -> None:
    assert train_cost_gold(10_000, MAX_BALANCE, 1_000) == MAX_BALANCE
    assert train_cost_gold(2, MAX_BALANCE // 200, 100) == MAX_BALANCE // 200 * 2
    assert train_cost_gold(2, MAX_BALANCE // 200 + 1, 100) == MAX_BALANCE
