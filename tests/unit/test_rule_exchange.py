from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.rules.codes import BAD_QUANTITY, BALANCE_CAP, MAX_BALANCE, NOT_FOR_SALE, OK, TOO_POOR
from kokoromichi.rules.exchange import gems_for_gold

ANY = st.one_of(st.integers(-60, 60), st.integers(-(2**63), 2**63 - 1))


def exchanged(gold: int, gems: int, price_gold: int, pack_gems: int, packs: int) -> tuple[int, int, int]:
    """Buy packs: code and both balances."""
    seen = gems_for_gold(gold, gems, price_gold, pack_gems, packs)
    assert (seen.gold, seen.gems) == (gold + seen.moved_gold, gems + seen.moved_gems)
    return seen.code, seen.gold, seen.gems


def test_packs_have_a_price() -> None:
    assert exchanged(10_000, 100, 4_000, 100, 2) == (OK, 2_000, 300)
    assert exchanged(8_000, 0, 4_000, 100, 2) == (OK, 0, 200)
    assert exchanged(3, 0, 1, 1, 3) == (OK, 0, 3)
    assert exchanged(7_999, 0, 4_000, 100, 2) == (TOO_POOR, 7_999, 0)


@pytest.mark.parametrize("packs", [0, -1, -50, -(10**18)])
def test_the_way_back_is_closed(packs: int) -> None:
    assert exchanged(10_000, 1_000, 4_000, 100, packs) == (BAD_QUANTITY, 10_000, 1_000)


@pytest.mark.parametrize(("price", "pack"), [(0, 100), (-4_000, 100), (4_000, 0), (4_000, -100)])
def test_a_pack_without_price_or_gems_is_not_sold(price: int, pack: int) -> None:
    assert exchanged(10_000, 0, price, pack, 1) == (NOT_FOR_SALE, 10_000, 0)


def test_enormous_numbers_are_refused() -> None:
    assert exchanged(10_000, 0, 4_000, 100, 10**18) == (TOO_POOR, 10_000, 0)
    assert exchanged(MAX_BALANCE, 0, 1, 2, MAX_BALANCE) == (BALANCE_CAP, MAX_BALANCE, 0)
    assert exchanged(4_000, MAX_BALANCE - 100, 4_000, 100, 1) == (OK, 0, MAX_BALANCE)
    assert exchanged(4_000, MAX_BALANCE - 99, 4_000, 100, 1) == (BALANCE_CAP, 4_000, MAX_BALANCE - 99)


@given(
    st.integers(0, MAX_BALANCE),
    st.integers(0, MAX_BALANCE),
    st.integers(1, 10**6),
    st.integers(1, 10**6),
    ANY,
)
def test_gold_pays_for_every_gem(gold: int, gems: int, price: int, pack: int, packs: int) -> None:
    code, gold_left, gems_held = exchanged(gold, gems, price, pack, packs)
    assert 0 <= gold_left <= gold
    assert gems <= gems_held <= MAX_BALANCE
    assert (gold - gold_left) * pack == (gems_held - gems) * price
    assert (code == OK) == (gems_held > gems)
