from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.rules.codes import (
    BAD_QUANTITY,
    BALANCE_CAP,
    MAX_BALANCE,
    NO_LIMIT,
    NOT_FOR_SALE,
    NOT_OWNED,
    OK,
    OVER_LIMIT,
    PRICE_CHANGED,
    TOO_POOR,
)
from kokoromichi.rules.holding import PAID_UNKNOWN
from kokoromichi.rules.purchase import ANY_PRICE, Gift, Trade, gift, purchase, sell, total_gold

ANY = st.one_of(st.integers(-60, 60), st.integers(-(2**63), 2**63 - 1))
GOLD = st.one_of(st.integers(0, 50_000), st.integers(0, MAX_BALANCE))
UNITS = st.one_of(st.integers(0, 30), st.integers(0, MAX_BALANCE))
PRICE = st.one_of(st.integers(0, 5_000), st.integers(0, MAX_BALANCE))
LIMIT = st.one_of(st.integers(0, 30), st.just(NO_LIMIT))


def bought(gold: int, owned: int, price: int, quantity: int, limit: int, expected: int = ANY_PRICE) -> Trade:
    """A purchase at the list price, upon a holding that cost 10 gold a unit."""
    return purchase(gold, owned, owned * 10, price, max(price, 0), quantity, limit, expected)


def sold(gold: int, owned: int, paid: int, price: int, quantity: int, percent: int) -> Trade:
    return sell(gold, owned, paid, price, price, quantity, percent)


def given_away(owned: int, received: int, quantity: int, limit: int) -> Gift:
    """A gift out of a holding that cost 10 gold a unit into one that cost 7."""
    return gift(owned, owned * 10, received, received * 7, 100, quantity, limit)


def test_a_purchase_takes_the_cost_and_adds_the_units() -> None:
    assert bought(10_000, 2, 150, 3, 20) == Trade(OK, 9_550, 5, 20 + 450, -450, 3)


def test_a_purchase_values_units_of_unknown_cost_at_their_list_price() -> None:
    assert purchase(10_000, 2, PAID_UNKNOWN, 150, 200, 3, 20, ANY_PRICE).paid_gold == 400 + 450
    assert purchase(10_000, 0, PAID_UNKNOWN, 150, 200, 3, 20, ANY_PRICE).paid_gold == 450


def test_the_last_gold_may_be_spent() -> None:
    assert bought(450, 0, 150, 3, NO_LIMIT) == Trade(OK, 0, 3, 450, -450, 3)
    assert bought(449, 0, 150, 3, NO_LIMIT) == Trade(TOO_POOR, 449, 0, 0, 0, 0)


def test_the_lowest_price_is_one_gold() -> None:
    assert bought(10, 0, 1, 10, NO_LIMIT)[:3] == (OK, 0, 10)


def test_the_limit_counts_what_is_held() -> None:
    assert bought(10_000, 4, 500, 1, 5)[:3] == (OK, 9_500, 5)
    assert bought(10_000, 4, 500, 2, 5) == Trade(OVER_LIMIT, 10_000, 4, 40, 0, 0)
    assert bought(10_000, 7, 500, 1, 5)[:3] == (OVER_LIMIT, 10_000, 7)


def test_without_a_limit_gold_runs_out_before_what_anybody_may_hold() -> None:
    assert bought(10_000, 0, 100, 10**18, NO_LIMIT).code == TOO_POOR
    assert bought(MAX_BALANCE, 1, 1, MAX_BALANCE, NO_LIMIT).code == OVER_LIMIT


def test_no_other_price_is_charged_than_the_one_that_was_shown() -> None:
    assert bought(10_000, 0, 150, 1, 5, 150).code == OK
    assert bought(10_000, 0, 150, 1, 5, 149) == Trade(PRICE_CHANGED, 10_000, 0, 0, 0, 0)
    assert bought(10_000, 0, 150, 0, 5, 151).code == PRICE_CHANGED


def test_a_total_is_told_whatever_was_asked_for() -> None:
    assert total_gold(100, 10**18) == 10**20


@pytest.mark.parametrize("quantity", [0, -1, -50, -(10**18)])
def test_no_quantity_below_one_mints_gold(quantity: int) -> None:
    assert bought(100, 5, 100, quantity, NO_LIMIT) == Trade(BAD_QUANTITY, 100, 5, 50, 0, 0)
    assert sold(100, 5, 500, 100, quantity, 40) == Trade(BAD_QUANTITY, 100, 5, 500, 0, 0)
    assert given_away(5, 5, quantity, NO_LIMIT) == Gift(BAD_QUANTITY, 5, 50, 5, 35, 0, 0)


@pytest.mark.parametrize("quantity", [10**15, 10**18, 2**63 - 1])
def test_no_enormous_quantity_wraps_around(quantity: int) -> None:
    assert bought(100, 5, 100, quantity, NO_LIMIT)[:3] == (TOO_POOR, 100, 5)
    assert sold(100, 5, 500, 100, quantity, 40)[:3] == (NOT_OWNED, 100, 5)
    assert given_away(5, 5, quantity, NO_LIMIT).code == NOT_OWNED


@pytest.mark.parametrize("price", [0, -2, -100])
def test_nothing_is_sold_for_nothing(price: int) -> None:
    assert bought(100, 0, price, 1, NO_LIMIT) == Trade(NOT_FOR_SALE, 100, 0, 0, 0, 0)


@given(GOLD, UNITS, st.one_of(ANY, PRICE), ANY, LIMIT)
def test_a_purchase_pays_exactly_or_changes_nothing(
    gold: int, owned: int, price: int, quantity: int, limit: int
) -> None:
    trade = bought(gold, owned, price, quantity, limit)
    if trade.code == OK:
        assert gold - trade.gold == price * quantity == -trade.moved_gold > 0
        assert trade.owned - owned == quantity == trade.moved_units
        assert 0 <= trade.gold < gold
        assert trade.owned <= limit
        assert trade.paid_gold == min(owned * 10 + price * quantity, MAX_BALANCE)
    else:
        assert trade[1:] == (gold, owned, owned * 10, 0, 0)
    allowed = 1 <= quantity <= limit - owned and price >= 1 and price * quantity <= gold
    assert (trade.code == OK) == allowed


def test_a_sale_pays_each_unit_rounded_down() -> None:
    assert sold(0, 3, 450, 150, 2, 40) == Trade(OK, 120, 1, 150, 120, -2)
    assert sold(0, 3, 12, 4, 3, 40) == Trade(OK, 3, 0, 0, 3, -3)  # Three times floor(1.6), not floor(4.8).


def test_a_sale_pays_of_the_smaller_of_the_price_and_the_average_paid() -> None:
    assert sold(0, 200, 10_000, 200, 200, 40).gold == 4_000  # Bought at 50, sold at a list price of 200.
    assert sold(0, 200, 40_000, 50, 200, 40).gold == 4_000  # The other way round.
    assert sold(0, 3, 299, 200, 1, 40)[:4] == (OK, 39, 2, 199)  # Of 99, which is 99.7 rounded down.


def test_a_sale_of_units_of_unknown_cost_pays_of_their_list_price() -> None:
    assert sell(0, 3, PAID_UNKNOWN, 1_000, 200, 1, 40) == Trade(OK, 80, 2, 400, 80, -1)


def test_what_is_not_held_is_not_sold() -> None:
    assert sold(5, 1, 150, 150, 2, 40) == Trade(NOT_OWNED, 5, 1, 150, 0, 0)
    assert sold(5, 0, 0, 150, 1, 40) == Trade(NOT_OWNED, 5, 0, 0, 0, 0)


def test_a_unit_worth_less_than_one_gold_is_not_sold() -> None:
    assert sold(5, 1, 100, 2, 1, 40) == Trade(NOT_FOR_SALE, 5, 1, 100, 0, 0)
    assert sold(5, 1, 100, 0, 1, 40).code == NOT_FOR_SALE
    assert sold(5, 1, 2, 100, 1, 40).code == NOT_FOR_SALE
    assert sold(5, 1, 0, 100, 1, 40).code == NOT_FOR_SALE


def test_a_sale_stops_at_the_highest_balance() -> None:
    assert sold(MAX_BALANCE - 40, 1, 100, 100, 1, 40)[:3] == (OK, MAX_BALANCE, 0)
    assert sold(MAX_BALANCE - 39, 1, 100, 100, 1, 40)[:3] == (BALANCE_CAP, MAX_BALANCE - 39, 1)
    above = MAX_BALANCE + 5  # An import may be.
    assert sold(above, 1, 100, 100, 1, 40)[:3] == (BALANCE_CAP, above, 1)


@given(GOLD, UNITS, GOLD, PRICE, ANY, st.integers(0, 100))
def test_a_sale_pays_exactly_or_changes_nothing(
    gold: int, owned: int, paid: int, price: int, quantity: int, percent: int
) -> None:
    trade = sold(gold, owned, paid, price, quantity, percent)
    if trade.code == OK:
        proceeds = min(price, paid // owned) * percent // 100 * quantity
        assert trade.gold - gold == proceeds == trade.moved_gold > 0
        assert owned - trade.owned == quantity == -trade.moved_units > 0
        assert trade.owned >= 0
        assert trade.gold <= MAX_BALANCE
    else:
        assert trade[1:] == (gold, owned, paid, 0, 0)


@given(GOLD, PRICE, PRICE, st.integers(1, 100), st.integers(0, 99))
def test_buying_and_selling_back_never_pays(
    gold: int, price: int, later_price: int, quantity: int, percent: int
) -> None:
    there = bought(gold, 0, price, quantity, NO_LIMIT)
    back = sold(there.gold, there.owned, there.paid_gold, later_price, quantity, percent)
    if there.owned:
        assert back.gold < gold
    assert back.code != OK or back.gold <= MAX_BALANCE


def test_a_gift_is_whole_or_not_at_all() -> None:
    assert given_away(2, 2, 1, 3) == Gift(OK, 1, 10, 3, 14 + 10, -1, 1)
    assert given_away(2, 2, 2, 3) == Gift(OVER_LIMIT, 2, 20, 2, 14, 0, 0)
    assert given_away(0, 2, 1, 3) == Gift(NOT_OWNED, 0, 0, 2, 14, 0, 0)


def test_a_receiver_has_a_limit() -> None:
    assert given_away(9, 3, 1, 3).code == OVER_LIMIT
    assert given_away(2**63 - 1, 0, 10**18, NO_LIMIT).code == OVER_LIMIT


def test_a_gift_of_units_of_unknown_cost_carries_their_list_price() -> None:
    moved = gift(3, PAID_UNKNOWN, 1, PAID_UNKNOWN, 200, 2, NO_LIMIT)
    assert (moved.paid_gold, moved.received_paid_gold) == (200, 600)


@given(UNITS, UNITS, ANY, LIMIT, GOLD, GOLD)
def test_a_gift_makes_and_loses_no_item_and_no_cost(
    giver: int, receiver: int, quantity: int, limit: int, paid: int, received_paid: int
) -> None:
    paid = paid if giver else 0
    moved = gift(giver, paid, receiver, received_paid if receiver else 0, 100, quantity, limit)
    assert moved.owned + moved.received == giver + receiver
    assert min(moved.owned, moved.received) >= 0
    assert (moved.code == OK) == (moved.owned != giver) == (moved.taken_units > 0)
    assert moved.given_units + moved.taken_units == 0
    before = paid + (received_paid if receiver else 0)
    assert moved.paid_gold + moved.received_paid_gold == before or moved.received_paid_gold == MAX_BALANCE
