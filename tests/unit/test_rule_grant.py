from __future__ import annotations

import pytest

from kokoromichi.rules.codes import (
    BAD_AMOUNT,
    BALANCE_CAP,
    MAX_BALANCE,
    NO_LIMIT,
    NOT_OWNED,
    OK,
    OVER_LIMIT,
    TOO_POOR,
)
from kokoromichi.rules.grant import (
    Balances,
    ItemGrant,
    MoneyGrant,
    grant_item,
    grant_money,
    is_opening_due,
    open_account,
    reset_item,
    reset_money,
)
from kokoromichi.rules.holding import PAID_UNKNOWN


def test_an_opening_is_due_once() -> None:
    assert [is_opening_due(*one) for one in ((0, 0), (0, 1), (3, 1), (1, 0))] == [1, 1, 1, 0]


def test_an_opening_is_added_to_what_others_have_sent() -> None:
    assert open_account(0, 0, 10_000, 100) == Balances(OK, 10_000, 100, 10_000, 100)
    assert open_account(7, 0, 10_000, 0) == Balances(OK, 10_007, 0, 10_000, 0)


def test_no_opening_passes_the_highest_balance() -> None:
    assert open_account(MAX_BALANCE - 1, MAX_BALANCE + 5, 10_000, 100) == Balances(
        *(OK, MAX_BALANCE, MAX_BALANCE + 5),
        *(1, 0),
    )


def test_a_reset_moves_what_differs_from_the_opening() -> None:
    assert reset_money(12_345, 40, 10_000, 100) == Balances(OK, 10_000, 100, -2_345, 60)
    assert reset_item(7) == ItemGrant(OK, 0, 0, -7)


@pytest.mark.parametrize(
    ("balance", "amount", "granted"),
    [
        (10, 5, MoneyGrant(OK, 15, 5)),
        (10, -10, MoneyGrant(OK, 0, -10)),
        (10, 0, MoneyGrant(BAD_AMOUNT, 10, 0)),
        (10, -11, MoneyGrant(TOO_POOR, 10, 0)),
        (10, -(2**63), MoneyGrant(TOO_POOR, 10, 0)),
        (MAX_BALANCE - 1, 1, MoneyGrant(OK, MAX_BALANCE, 1)),
        (MAX_BALANCE - 1, 2, MoneyGrant(BALANCE_CAP, MAX_BALANCE - 1, 0)),
        (MAX_BALANCE + 5, -5, MoneyGrant(OK, MAX_BALANCE, -5)),
    ],
)
def test_a_grant_of_money_adds_and_takes_within_what_a_balance_holds(
    balance: int, amount: int, granted: MoneyGrant
) -> None:
    assert grant_money(balance, amount) == granted


@pytest.mark.parametrize(
    ("owned", "paid", "amount", "limit", "granted"),
    [
        (2, 50, 3, NO_LIMIT, ItemGrant(OK, 5, 650, 3)),
        (2, PAID_UNKNOWN, 3, 5, ItemGrant(OK, 5, 1_000, 3)),
        (2, 50, 4, 5, ItemGrant(OVER_LIMIT, 2, 50, 0)),
        (2, 51, -1, 5, ItemGrant(OK, 1, 25, -1)),
        (2, PAID_UNKNOWN, -2, 1, ItemGrant(OK, 0, 0, -2)),
        (2, 50, -3, 5, ItemGrant(NOT_OWNED, 2, 50, 0)),
        (2, 50, 0, 5, ItemGrant(BAD_AMOUNT, 2, 50, 0)),
    ],
)
def test_granted_units_enter_at_the_list_price_and_leave_with_their_share(
    owned: int, paid: int, amount: int, limit: int, granted: ItemGrant
) -> None:
    assert grant_item(owned, paid, 200, amount, limit) == granted
