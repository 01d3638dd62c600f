from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.core.models import DAY_US
from kokoromichi.rules.codes import BAD_AMOUNT, BALANCE_CAP, DAILY_CAP, MAX_BALANCE, OK, TOO_POOR
from kokoromichi.rules.moments import CLOCK_SKEW_US
from kokoromichi.rules.transfer import credit, debit, send, send_share, share_of

TODAY = 8 * DAY_US + 5
ANY = st.one_of(st.integers(-60, 30_000), st.integers(-(2**63), 2**63 - 1))
GOLD = st.one_of(st.integers(0, 50_000), st.integers(MAX_BALANCE - 30_000, MAX_BALANCE))


def transferred(
    gold: int, receiver_gold: int, amount: int, fee_percent: int, sent_today: int, cap: int
) -> tuple[int, int, int, int, int]:
    """Send: code, both balances, fee, and what was sent today then."""
    seen = send(TODAY, gold, receiver_gold, amount, 8, sent_today, fee_percent, cap)
    assert seen.sent_day == 8
    assert (seen.gold, seen.receiver_gold) == (
        gold + seen.left_gold + seen.fee_gold,
        receiver_gold + seen.arrived_gold,
    )
    assert seen.left_gold == -seen.arrived_gold
    return seen.code, seen.gold, seen.receiver_gold, -seen.fee_gold, seen.sent_gold_today


def test_a_share_is_of_what_the_sender_has() -> None:
    assert [share_of(1_001, share) for share in (1, 2, 3, 2_000)] == [1_001, 500, 333, 0]
    assert [share_of(1_001, share) for share in (0, -1, -(2**63))] == [0, 0, 0]
    for share in (1, 2, 3, 2_000, 0, -5):
        asked = (TODAY, 1_001, 7)
        rest = (8, 100, 5, 20_000)
        assert send_share(*asked, share, *rest) == send(*asked, share_of(1_001, share), *rest)


def test_the_fee_is_taken_from_what_arrives() -> None:
    assert transferred(10_000, 500, 1_000, 5, 0, 20_000) == (OK, 9_000, 1_450, 50, 1_000)
    assert transferred(1_000, 0, 1_000, 5, 0, 20_000) == (OK, 0, 950, 50, 1_000)


@pytest.mark.parametrize("amount", [0, -1, -50, -(10**18)])
def test_nothing_and_less_is_refused(amount: int) -> None:
    assert transferred(1_000, 500, amount, 5, 0, 20_000) == (BAD_AMOUNT, 1_000, 500, 0, 0)


def test_an_amount_that_its_fee_eats_is_refused() -> None:
    assert transferred(1_000, 500, 1, 5, 0, 20_000) == (BAD_AMOUNT, 1_000, 500, 0, 0)
    assert transferred(1_000, 500, 2, 5, 0, 20_000) == (OK, 998, 501, 1, 2)
    assert transferred(1_000, 500, 900, 100, 0, 20_000)[0] == BAD_AMOUNT


def test_without_a_fee_a_single_gold_may_be_sent() -> None:
    assert transferred(1, 0, 1, 0, 0, 20_000) == (OK, 0, 1, 0, 1)


def test_more_than_the_balance_is_refused() -> None:
    assert transferred(999, 0, 1_000, 5, 0, 20_000) == (TOO_POOR, 999, 0, 0, 0)
    assert transferred(999, 0, 10**18, 5, 0, 20_000) == (TOO_POOR, 999, 0, 0, 0)


def test_the_day_has_a_cap() -> None:
    assert transferred(50_000, 0, 20_000, 5, 0, 20_000) == (OK, 30_000, 19_000, 1_000, 20_000)
    assert transferred(50_000, 0, 20_001, 5, 0, 20_000) == (DAILY_CAP, 50_000, 0, 0, 0)
    assert transferred(50_000, 0, 2, 5, 19_999, 20_000) == (DAILY_CAP, 50_000, 0, 0, 19_999)
    next_day = send(TODAY + DAY_US, 50_000, 0, 2, 8, 19_999, 5, 20_000)
    assert (next_day.code, next_day.sent_day, next_day.sent_gold_today) == (OK, 9, 2)
    skewed = send(8 * DAY_US - CLOCK_SKEW_US, 50_000, 0, 2, 8, 19_999, 5, 20_000)
    assert skewed.code == DAILY_CAP  # Clocks that differ a little open no new day.
    wrong = send(TODAY - DAY_US, 50_000, 0, 2, 8, 19_999, 5, 20_000)
    assert (wrong.code, wrong.sent_day, wrong.sent_gold_today) == (OK, 7, 2)


def test_a_full_receiver_loses_nothing_for_the_sender() -> None:
    assert transferred(1_000, MAX_BALANCE - 950, 1_000, 5, 0, 20_000)[:3] == (OK, 0, MAX_BALANCE)
    full = transferred(1_000, MAX_BALANCE - 949, 1_000, 5, 0, 20_000)
    assert full == (BALANCE_CAP, 1_000, MAX_BALANCE - 949, 0, 0)


@given(GOLD, GOLD, ANY, st.integers(0, 100), st.integers(0, 30_000), st.integers(0, MAX_BALANCE))
def test_no_transfer_makes_or_loses_gold(
    sender: int, receiver: int, amount: int, fee_percent: int, sent: int, cap: int
) -> None:
    code, sender_left, receiver_held, fee, sent_today = transferred(
        sender, receiver, amount, fee_percent, sent, cap
    )
    assert sender_left + receiver_held + fee == sender + receiver
    assert min(sender_left, receiver_held, fee) >= 0
    assert receiver_held <= MAX_BALANCE
    assert sent_today - sent == sender - sender_left
    if code == OK:
        assert sender_left == sender - amount
        assert receiver_held > receiver
        assert sent_today <= cap
        assert 100 * (fee - 1) < amount * fee_percent <= 100 * fee
    else:
        assert (sender_left, receiver_held, fee) == (sender, receiver, 0)


def test_credit_and_debit_at_their_bounds() -> None:
    assert credit(5, 10) == (OK, 15)
    assert credit(MAX_BALANCE - 1, 1) == (OK, MAX_BALANCE)
    assert credit(MAX_BALANCE, 1) == (BALANCE_CAP, MAX_BALANCE)
    assert credit(5, 0) == (BAD_AMOUNT, 5)
    assert credit(5, -5) == (BAD_AMOUNT, 5)
    assert debit(5, 5) == (OK, 0)
    assert debit(5, 1) == (OK, 4)
    assert debit(5, 6) == (TOO_POOR, 5)
    assert debit(5, 0) == (BAD_AMOUNT, 5)
    assert debit(5, -5) == (BAD_AMOUNT, 5)


@given(st.integers(0, MAX_BALANCE), ANY)
def test_a_debit_undoes_a_credit(balance: int, amount: int) -> None:
    code, more = credit(balance, amount)
    assert 0 <= more <= MAX_BALANCE
    if code == OK:
        assert debit(more, amount) == (OK, balance)
    else:
        assert more == balance
