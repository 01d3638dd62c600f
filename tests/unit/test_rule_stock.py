from __future__ import annotations

import pytest

from kokoromichi.core.counters import RETIRED_US
from kokoromichi.core.models import DAY_US, NEVER
from kokoromichi.rules.codes import BAD_QUANTITY, MAX_BALANCE, OK
from kokoromichi.rules.stock import (
    BEGUN,
    FILLED,
    KEPT,
    RENEWED,
    RETIRED,
    UNLIMITED,
    Shelf,
    StockSet,
    restock,
    set_stock,
)

NOON_US = 20_000 * DAY_US + DAY_US // 2


def looked_at(days: int, stock: int, last_day: int = 0, *, first: int = 1_000, units: int = 250) -> Shelf:
    """A stock that began on a noon with ``first`` units, ``days`` later; a period has 7 days."""
    return restock(NOON_US + days * DAY_US, 1, stock, first, NOON_US, last_day, first, units, 7)


def test_a_stock_begins_with_all_its_units_and_moves_none() -> None:
    began = restock(NOON_US, 1, NEVER, NEVER, NEVER, NEVER, 40, 10, 7)
    assert began == Shelf(OK, BEGUN, 40, 40, NOON_US, 0, 0)


def test_before_anything_is_sold_every_sale_will_be_of_the_stock() -> None:
    began = restock(NOON_US, 0, NEVER, NEVER, NEVER, NEVER, 40, 10, 7)
    assert began == Shelf(OK, BEGUN, 40, 40, 0, 20_000, 0)


def test_without_a_limit_a_stock_is_retired_once_and_begins_anew_with_one() -> None:
    retired = restock(NOON_US, 1, 3, 40, NOON_US, 7, UNLIMITED, 0, 0)
    assert retired == Shelf(OK, RETIRED, 3, 40, NOON_US + RETIRED_US, 7, 0)
    again = restock(NOON_US, 1, *retired[2:6], UNLIMITED, 0, 0)
    assert again == (OK, KEPT, *retired[2:6], 0)
    later_us = NOON_US + 3 * DAY_US
    assert restock(later_us, 1, *retired[2:6], 50, 0, 0) == Shelf(OK, RENEWED, 50, 50, later_us, 0, 0)


def test_what_never_had_a_stock_has_none_to_retire() -> None:
    assert restock(NOON_US, 1, NEVER, NEVER, NEVER, NEVER, UNLIMITED, 0, 0).step == KEPT


@pytest.mark.parametrize(("stock", "added"), [(0, 250), (700, 250), (800, 200), (1_000, 0), (1_200, 0)])
def test_a_restock_fills_to_the_first_stock_and_no_further(stock: int, added: int) -> None:
    assert looked_at(7, stock) == Shelf(OK, FILLED, stock + added, 1_000, NOON_US, 7, added)


def test_a_period_is_whole_days_and_is_served_once() -> None:
    assert looked_at(6, 0).step == KEPT
    assert looked_at(7, 0).step == FILLED
    assert looked_at(13, 250, last_day=7).step == KEPT
    assert looked_at(14, 250, last_day=7).last_day == 14


def test_periods_that_passed_are_not_made_up_for() -> None:
    assert looked_at(30, 0) == Shelf(OK, FILLED, 250, 1_000, NOON_US, 28, 250)
    assert looked_at(30, 250, last_day=28).step == KEPT


def test_a_clock_that_steps_back_fills_nothing() -> None:
    assert looked_at(-40, 0).step == KEPT


def test_without_a_period_nothing_is_filled_up() -> None:
    assert restock(NOON_US + 99 * DAY_US, 1, 0, 40, NOON_US, 0, 40, 10, 0).step == KEPT


def test_an_admin_sets_a_stock_up_or_down() -> None:
    assert set_stock(5, 8) == StockSet(OK, 8, 3)
    assert set_stock(5, 0) == StockSet(OK, 0, -5)
    assert set_stock(5, -1) == StockSet(BAD_QUANTITY, 5, 0)
    assert set_stock(5, MAX_BALANCE + 1) == StockSet(BAD_QUANTITY, 5, 0)
