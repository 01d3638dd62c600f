from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.rules.codes import MAX_BALANCE, OK
from kokoromichi.rules.holding import PAID_UNKNOWN, paid_for, paid_left, paid_with, share_gold
from kokoromichi.rules.pricing import capped_product
from kokoromichi.rules.purchase import sell

OWNED = st.one_of(st.integers(1, 30), st.integers(1, 2**63 - 1))
PAID = st.one_of(st.integers(0, 500), st.integers(0, MAX_BALANCE))
PRICE = st.one_of(st.integers(0, 500), st.integers(0, MAX_BALANCE))
PERCENT = st.integers(0, 100)


def test_what_nobody_bought_is_worth_its_list_price() -> None:
    assert paid_for(3, PAID_UNKNOWN, 200) == 600
    assert paid_for(3, 0, 200) == 0
    assert paid_for(0, PAID_UNKNOWN, MAX_BALANCE) == 0
    assert paid_for(0, 500, 200) == 0
    assert paid_for(2**63 - 1, PAID_UNKNOWN, 1) == MAX_BALANCE


@given(st.integers(0, 2**63 - 1), PRICE)
def test_a_list_worth_is_exact_up_to_the_highest_balance(quantity: int, price: int) -> None:
    assert (
        paid_for(quantity, PAID_UNKNOWN, price)
        == capped_product(quantity, price)
        == min(quantity * price, MAX_BALANCE)
    )


@given(st.integers(0, 2**63 - 1), PAID)
def test_a_holding_carries_what_entered_up_to_the_highest_balance(paid: int, entering: int) -> None:
    assert paid_with(paid, entering) == min(paid + entering, MAX_BALANCE)


def test_the_units_that_carry_one_gold_more_leave_first() -> None:
    assert [share_gold(3, 5, quantity) for quantity in (1, 2, 3)] == [2, 4, 5]
    assert [share_gold(3, 2, quantity) for quantity in (1, 2, 3)] == [1, 2, 2]


@given(OWNED, PAID, st.data())
def test_the_rest_of_a_holding_keeps_its_average(owned: int, paid: int, data: st.DataObject) -> None:
    quantity = data.draw(st.integers(1, owned))
    left = paid_left(owned, paid, quantity)
    if quantity == owned:
        assert left == 0
    else:
        assert left // (owned - quantity) == paid // owned


@given(OWNED, PAID, PRICE, PERCENT, st.data())
def test_no_sale_pays_more_than_what_leaves_with_the_units(
    owned: int, paid: int, price: int, percent: int, data: st.DataObject
) -> None:
    quantity = data.draw(st.integers(1, owned))
    trade = sell(0, owned, paid, price, price, quantity, percent)
    assert trade.code != OK or trade.gold <= share_gold(owned, paid, quantity)


@given(st.integers(2, 30), PAID, PRICE, PERCENT, st.data())
def test_a_sale_pays_the_same_however_it_is_split(
    owned: int, paid: int, price: int, percent: int, data: st.DataObject
) -> None:
    first = data.draw(st.integers(1, owned - 1))
    whole = sell(0, owned, paid, price, price, owned, percent)
    left = paid_left(owned, paid, first)
    half = sell(0, owned, paid, price, price, first, percent)
    rest = sell(half.gold, owned - first, left, price, price, owned - first, percent)
    assert rest.gold == whole.gold
