"""Sell-through, hoarding, acts and refusals, against examples that are counted by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kokoromichi.analysis.metrics.acts import acts, refusals
from kokoromichi.analysis.metrics.goods import hoarding, sales, sell_through
from kokoromichi.analysis.observations import MissingObservationsError, Observations
from tests.analysis.books import Book, activity, history, restock

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.analysis.metrics import Metric


def shop() -> Book:
    """A week of one shop: prints are limited, potions are not, and charms stay on the shelf."""
    book = Book().opening(0, "ada").opening(0, "bo")
    book.move(0, "ada", "purchase", -300, item="potion", units=3).move(
        0, "bo", "purchase", -900, item="print", units=1
    )
    book.move(1, "ada", "purchase", -1_800, item="print", units=2).hand(2, "ada", "use", "potion", -1)
    restock(book, 3, "print", 2)
    book.move(3, "ada", "sale", 360, item="print", units=-1).hand(3, "ada", "use", "potion", -1)
    return book


STOCK = history([
    (0, "initial_stock", "print", "collectible", 4),
    (0, "initial_stock", "potion", "potion", -1),
    (0, "initial_stock", "charm", "charm", 10),
    (2, "initial_stock", "print", "collectible", 99),
])  # fmt: skip


def test_sell_through_of_limited_and_unlimited_items() -> None:
    # Prints: 4 and 2 more for sale, 3 sold; one sold back does not return, and a reload changes nothing.
    assert sell_through(shop().observations(history=STOCK)).collect().rows() == [
        ("charm", 10, 0, 0, 10, 0.0),
        ("potion", None, 0, 3, None, None),
        ("print", 4, 2, 3, 3, 0.5),
    ]


def test_sell_through_names_items_that_the_history_does_not_know() -> None:
    table = sell_through(shop().observations(history=history([]))).collect()
    assert table.rows() == [("potion", None, 0, 3, None, None), ("print", None, 2, 3, None, None)]


def test_sales_are_units_and_gold_of_the_window() -> None:
    assert sales(shop().observations()).collect().rows() == [("potion", 3, 300, 1), ("print", 3, 2_700, 2)]
    assert sales(shop().observations(), first_day=1).collect().rows() == [("print", 2, 1_800, 1)]


def test_hoarding_is_days_of_cover() -> None:
    # One potion left, 2 used in 4 days: 1 / 0.5 = 2 days. Two prints left, none used.
    assert hoarding(shop().observations()).collect().rows() == [
        ("potion", 1, 2, 0.5, 2.0),
        ("print", 2, 0, 0.0, None),
    ]


def test_hoarding_of_a_window() -> None:
    # Days 1 and 2: at day 2's close two potions, one used in two days; three prints.
    table = hoarding(shop().observations(), first_day=1, last_day=2).collect()
    assert table.rows() == [("potion", 2, 1, 0.5, 4.0), ("print", 3, 0, 0.0, None)]


def stream() -> Observations:
    """Two players over two days: three active player-days, four acts, two refusals."""
    book = Book().opening(0, "ada").opening(0, "bo")
    rows = [
        (0, "ada", "session", None),
        (0, "ada", "claim", None),
        (0, "ada", "choice", None),
        (0, "ada", "buy", None),
        (0, "ada", "buy", "too_poor"),
        (0, "ada", "wish", None),
        (1, "bo", "session", None),
        (1, "bo", "claim", None),
        (1, "bo", "buy", None),
        (1, "bo", "battle", "cooling_down"),
        (1, "ada", "leave", None),
    ]
    return book.observations(activity=activity(rows))


def test_acts_per_active_player_day_count_what_went_through() -> None:
    assert acts(stream()).collect().rows() == [
        ("battle", 0, 1, 3, 0.0),
        ("buy", 2, 1, 3, pytest.approx(2 / 3)),
        ("claim", 2, 0, 3, pytest.approx(2 / 3)),
    ]


def test_acts_after_a_warm_up() -> None:
    assert acts(stream(), first_day=1).collect().rows() == [
        ("battle", 0, 1, 1, 0.0),
        ("buy", 1, 0, 1, 1.0),
        ("claim", 1, 0, 1, 1.0),
    ]


def test_an_act_of_an_older_activity_counts_under_its_present_name(tmp_path: Path) -> None:
    rows = [(0, "ada", "daily", None), (1, "ada", "claim", None), (1, "bo", "daily", "already_claimed")]
    activity(rows).write_parquet(tmp_path / "activity.parquet")
    Book().opening(0, "ada").frame().write_parquet(tmp_path / "ledger.parquet")
    seen = Observations.scan(tmp_path)
    assert acts(seen).collect().select("act", "acts", "refused").rows() == [("claim", 2, 1)]
    assert refusals(seen).collect().select("act", "code").rows() == [("claim", "already_claimed")]


def test_refusals_by_act_and_code() -> None:
    assert refusals(stream()).collect().rows() == [
        ("battle", "cooling_down", 1, 1, 1.0),
        ("buy", "too_poor", 1, 3, pytest.approx(1 / 3)),
    ]


@pytest.mark.parametrize(
    ("metric", "missing"), [(acts, "activity"), (refusals, "activity"), (sell_through, "economy_history")]
)
def test_what_a_ledger_does_not_hold_is_not_guessed(metric: Metric, missing: str) -> None:
    with pytest.raises(MissingObservationsError, match=f"{metric.__name__} needs the stream {missing}"):
        metric(shop().observations())


def test_a_stock_of_nothing_is_limited() -> None:
    table = sell_through(
        shop().observations(history=history([(0, "initial_stock", "relic", "charm", 0)]))
    ).collect()
    assert table.filter(item_id="relic").rows() == [("relic", 0, 0, 0, 0, None)]
