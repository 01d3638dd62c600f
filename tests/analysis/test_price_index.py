"""The price index, against baskets that are counted by hand."""

from __future__ import annotations

import math

import pytest

from kokoromichi.analysis.metrics.price_index import price_index
from kokoromichi.analysis.observations import MissingObservationsError
from tests.analysis.books import Book, day, history

PRICES = history([
    (0, "price_gold", "potion", "potion", 100),
    (0, "price_gold", "chest", "chest", 1_000),
    (2, "price_gold", "potion", "potion", 150),
    (4, "price_gold", "chest", "chest", 800),
])  # fmt: skip


def buy(book: Book, number: int, item: str, units: int) -> None:
    """Book a purchase; its price does not matter here."""
    book.move(number, "ada", "purchase", -units, item=item, units=units)


def three_periods() -> Book:
    """Periods of two days: 10 potions and 1 chest; 4 potions and 1 chest; 2 potions and 5 chests."""
    book = Book().opening(0, "ada")
    for number, potions, chests in ((0, 10, 1), (2, 4, 1), (5, 2, 5)):
        buy(book, number, "potion", potions)
        buy(book, number, "chest", chests)
    return book


def test_the_index_and_its_parts() -> None:
    # Baskets cost, in the prices of period 0, 1 and 2 (100 and 1,000; 150 and 1,000; 150 and 800):
    #   of period 0: 2,000, 2,500, 2,300; of period 1: 1,400, 1,600, 1,400; of period 2: 5,200, 5,300, 4,300.
    table = price_index(three_periods().observations(history=PRICES), period_days=2).collect()
    whole = table.filter(category="all")
    assert whole["period_start"].to_list() == [day(0), day(2), day(4)]
    assert whole["laspeyres"].to_list() == pytest.approx([100, 125, 115])
    assert whole["paasche"].to_list() == pytest.approx([100, 100 * 1_600 / 1_400, 100 * 4_300 / 5_200])
    first = math.sqrt(2_500 / 2_000 * 1_600 / 1_400)
    second = math.sqrt(1_400 / 1_600 * 4_300 / 5_300)
    assert whole["fisher_chained"].to_list() == pytest.approx([100, 100 * first, 100 * first * second])
    # Potions add 10 x 50 of 2,000 from period 1 on; the chest takes away 200 of 2,000 in period 2.
    points = {
        name: table.filter(category=name)["contribution_points"].to_list()
        for name in ("all", "chest", "potion")
    }
    assert points == {"all": [0, 25, 15], "chest": [0, 0, -10], "potion": [0, 25, 25]}


def test_a_category_has_its_own_index() -> None:
    table = price_index(three_periods().observations(history=PRICES), period_days=2).collect()
    assert table.filter(category="potion")["laspeyres"].to_list() == [100, 150, 150]
    assert table.filter(category="chest")["fisher_chained"].to_list() == pytest.approx([100, 100, 80])


def test_a_price_is_the_mean_of_a_periods_closes() -> None:
    # One period of four days at 100, 100, 150, 150 follows none: it is the base. Then two days at 150.
    table = price_index(three_periods().observations(history=PRICES), period_days=4).collect()
    potion = table.filter(category="potion")
    assert potion["laspeyres"].to_list() == pytest.approx([100, 100 * 150 / 125])


def test_a_period_without_sales_keeps_the_old_basket_and_has_no_paasche() -> None:
    book = Book().opening(0, "ada")
    buy(book, 0, "potion", 10)
    book.move(5, "ada", "daily", 1)
    whole = price_index(book.observations(history=PRICES), period_days=2).collect().filter(category="all")
    assert whole["paasche"].to_list() == [100, None, None]
    # Period 1 is linked by period 0's basket, period 2 by none of its own nor of the one before.
    assert whole["fisher_chained"].to_list() == pytest.approx([100, 150, 150])


def test_an_item_that_comes_later_enters_the_chain_only() -> None:
    later = history([
        (0, "price_gold", "potion", "potion", 100),
        (2, "price_gold", "charm", "charm", 500),
        (4, "price_gold", "charm", "charm", 250),
    ])  # fmt: skip
    book = Book().opening(0, "ada")
    for number in (0, 2, 4):
        buy(book, number, "potion", 5)
    buy(book, 2, "charm", 1)
    buy(book, 4, "charm", 1)
    whole = price_index(book.observations(history=later), period_days=2).collect().filter(category="all")
    assert whole["laspeyres"].to_list() == [100, 100, 100]
    assert whole["paasche"].to_list() == [100, 100, 100]
    # From period 1 to 2 both baskets hold 5 potions and 1 charm: 750 of 1,000.
    assert whole["fisher_chained"].to_list() == pytest.approx([100, 100, 75])
    charm = price_index(book.observations(history=later), period_days=2).collect().filter(category="charm")
    assert charm["laspeyres"].to_list() == [None, None]


def test_an_index_needs_prices() -> None:
    with pytest.raises(MissingObservationsError, match="price_index needs"):
        price_index(three_periods().observations())
