from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.core.models import DAY_US, HOUR_US, NEVER
from kokoromichi.rules.codes import (
    ALREADY_ACTIVE,
    BAD_QUANTITY,
    BALANCE_CAP,
    MAX_BALANCE,
    NO_LIMIT,
    NOT_FOR_SALE,
    NOT_OWNED,
    OK,
    OVER_LIMIT,
    TOO_POOR,
)
from kokoromichi.rules.purchase import (
    MAX_DURATION_H,
    activate,
    gift,
    give_item,
    purchase,
    restocked,
    sell,
    take_item,
)

ANY = st.one_of(st.integers(-60, 60), st.integers(-(2**63), 2**63 - 1))
GOLD = st.one_of(st.integers(0, 50_000), st.integers(0, MAX_BALANCE))
UNITS = st.one_of(st.integers(0, 30), st.integers(0, MAX_BALANCE))
PRICE = st.one_of(st.integers(0, 5_000), st.integers(0, MAX_BALANCE))
LIMIT = st.one_of(st.integers(0, 30), st.just(NO_LIMIT))


def test_a_purchase_takes_the_cost_and_adds_the_units() -> None:
    assert purchase(10_000, 2, 150, 3, 20) == (OK, 9_550, 5)


def test_the_last_gold_may_be_spent() -> None:
    assert purchase(450, 0, 150, 3, NO_LIMIT) == (OK, 0, 3)
    assert purchase(449, 0, 150, 3, NO_LIMIT) == (TOO_POOR, 449, 0)


def test_the_lowest_price_is_one_gold() -> None:
    assert purchase(10, 0, 1, 10, NO_LIMIT) == (OK, 0, 10)


def test_the_limit_counts_what_is_held() -> None:
    assert purchase(10_000, 4, 500, 1, 5) == (OK, 9_500, 5)
    assert purchase(10_000, 4, 500, 2, 5) == (OVER_LIMIT, 10_000, 4)
    assert purchase(10_000, 7, 500, 1, 5) == (OVER_LIMIT, 10_000, 7)


@pytest.mark.parametrize("quantity", [0, -1, -50, -(10**18)])
def test_no_quantity_below_one_mints_gold(quantity: int) -> None:
    assert purchase(100, 5, 100, quantity, NO_LIMIT) == (BAD_QUANTITY, 100, 5)
    assert sell(100, 5, 500, 100, quantity, 40) == (BAD_QUANTITY, 100, 5)
    assert take_item(5, quantity) == (BAD_QUANTITY, 5)
    assert give_item(5, quantity, NO_LIMIT) == (BAD_QUANTITY, 5)
    assert gift(5, 5, quantity, NO_LIMIT) == (BAD_QUANTITY, 5, 5)


@pytest.mark.parametrize("quantity", [10**15, 10**18, 2**63 - 1])
def test_no_enormous_quantity_wraps_around(quantity: int) -> None:
    assert purchase(100, 5, 100, quantity, NO_LIMIT)[0] in {OVER_LIMIT, TOO_POOR}
    assert purchase(100, 5, 100, quantity, NO_LIMIT)[1:] == (100, 5)
    assert sell(100, 5, 500, 100, quantity, 40) == (NOT_OWNED, 100, 5)
    assert gift(5, 5, quantity, NO_LIMIT) == (NOT_OWNED, 5, 5)


@pytest.mark.parametrize("price", [0, -1, -100])
def test_nothing_is_sold_for_nothing(price: int) -> None:
    assert purchase(100, 0, price, 1, NO_LIMIT) == (NOT_FOR_SALE, 100, 0)


@given(GOLD, UNITS, st.one_of(ANY, PRICE), ANY, LIMIT)
def test_a_purchase_pays_exactly_or_changes_nothing(
    gold: int, owned: int, price: int, quantity: int, limit: int
) -> None:
    code, gold_left, held = purchase(gold, owned, price, quantity, limit)
    if code == OK:
        assert gold - gold_left == price * quantity > 0
        assert held - owned == quantity
        assert 0 <= gold_left < gold
        assert held <= limit
    else:
        assert (gold_left, held) == (gold, owned)
    allowed = 1 <= quantity <= limit - owned and price >= 1 and price * quantity <= gold
    assert (code == OK) == allowed


def test_a_sale_pays_each_unit_rounded_down() -> None:
    assert sell(0, 3, 450, 150, 2, 40) == (OK, 120, 1)
    assert sell(0, 3, 12, 4, 3, 40) == (OK, 3, 0)  # Three times floor(1.6), not floor(4.8).


def test_a_sale_pays_of_the_smaller_of_the_price_and_the_average_paid() -> None:
    assert sell(0, 200, 10_000, 200, 200, 40) == (OK, 4_000, 0)  # Bought at 50, sold at a list price of 200.
    assert sell(0, 200, 40_000, 50, 200, 40) == (OK, 4_000, 0)  # The other way round.
    assert sell(0, 3, 299, 200, 1, 40) == (OK, 39, 2)  # Of 99, which is 99.7 rounded down.


def test_what_is_not_held_is_not_sold() -> None:
    assert sell(5, 1, 150, 150, 2, 40) == (NOT_OWNED, 5, 1)
    assert sell(5, 0, 0, 150, 1, 40) == (NOT_OWNED, 5, 0)


def test_a_unit_worth_less_than_one_gold_is_not_sold() -> None:
    assert sell(5, 1, 100, 2, 1, 40) == (NOT_FOR_SALE, 5, 1)
    assert sell(5, 1, 100, 0, 1, 40) == (NOT_FOR_SALE, 5, 1)
    assert sell(5, 1, 2, 100, 1, 40) == (NOT_FOR_SALE, 5, 1)
    assert sell(5, 1, 0, 100, 1, 40) == (NOT_FOR_SALE, 5, 1)


def test_a_sale_stops_at_the_highest_balance() -> None:
    assert sell(MAX_BALANCE - 40, 1, 100, 100, 1, 40) == (OK, MAX_BALANCE, 0)
    assert sell(MAX_BALANCE - 39, 1, 100, 100, 1, 40) == (BALANCE_CAP, MAX_BALANCE - 39, 1)
    assert sell(MAX_BALANCE + 5, 1, 100, 100, 1, 40) == (
        BALANCE_CAP,
        MAX_BALANCE + 5,
        1,
    )  # An import may be above.


@given(GOLD, UNITS, GOLD, PRICE, ANY, st.integers(0, 100))
def test_a_sale_pays_exactly_or_changes_nothing(
    gold: int, owned: int, paid: int, price: int, quantity: int, percent: int
) -> None:
    code, gold_after, left = sell(gold, owned, paid, price, quantity, percent)
    if code == OK:
        assert gold_after - gold == min(price, paid // owned) * percent // 100 * quantity > 0
        assert owned - left == quantity > 0
        assert left >= 0
        assert gold_after <= MAX_BALANCE
    else:
        assert (gold_after, left) == (gold, owned)


@given(GOLD, PRICE, PRICE, st.integers(1, 100), st.integers(0, 99))
def test_buying_and_selling_back_never_pays(
    gold: int, price: int, later_price: int, quantity: int, percent: int
) -> None:
    _, gold_left, held = purchase(gold, 0, price, quantity, NO_LIMIT)
    code, gold_after, _ = sell(gold_left, held, gold - gold_left, later_price, quantity, percent)
    if held:
        assert gold_after < gold
    assert code != OK or gold_after <= MAX_BALANCE


def test_a_use_consumes_what_is_held() -> None:
    assert take_item(3, 1) == (OK, 2)
    assert take_item(3, 3) == (OK, 0)
    assert take_item(3, 4) == (NOT_OWNED, 3)


def test_a_receiver_has_a_limit() -> None:
    assert give_item(2, 1, 3) == (OK, 3)
    assert give_item(3, 1, 3) == (OVER_LIMIT, 3)
    assert give_item(0, 10**18, NO_LIMIT) == (OVER_LIMIT, 0)


def test_a_gift_is_whole_or_not_at_all() -> None:
    assert gift(2, 2, 1, 3) == (OK, 1, 3)
    assert gift(2, 2, 2, 3) == (OVER_LIMIT, 2, 2)
    assert gift(0, 2, 1, 3) == (NOT_OWNED, 0, 2)


@given(UNITS, UNITS, ANY, LIMIT)
def test_a_gift_makes_and_loses_no_item(giver: int, receiver: int, quantity: int, limit: int) -> None:
    code, giver_left, receiver_held = gift(giver, receiver, quantity, limit)
    assert giver_left + receiver_held == giver + receiver
    assert min(giver_left, receiver_held) >= 0
    assert (code == OK) == (giver_left != giver)


def test_a_charm_runs_for_its_hours_and_is_not_renewed_meanwhile() -> None:
    now = 1_000 * DAY_US
    assert activate(now, NEVER, 24) == (OK, now + DAY_US)
    assert activate(now + DAY_US - 1, now + DAY_US, 24) == (ALREADY_ACTIVE, now + DAY_US)
    assert activate(now + DAY_US, now + DAY_US, 24) == (OK, now + 2 * DAY_US)
    assert activate(now, NEVER, 10**18) == (OK, now + MAX_DURATION_H * HOUR_US)


@pytest.mark.parametrize(("stock", "added"), [(0, 250), (700, 250), (800, 200), (1_000, 0), (1_200, 0)])
def test_a_restock_fills_to_the_first_stock_and_no_further(stock: int, added: int) -> None:
    assert restocked(stock, 1_000, 250) == added
