"""Balances, Gini, Lorenz, top shares and Engel shares, against examples that are counted by hand."""

from __future__ import annotations

import pytest

from kokoromichi.analysis.metrics.goods import engel_shares
from kokoromichi.analysis.metrics.wealth import balance_percentiles, balances, gini, lorenz, top_shares
from kokoromichi.analysis.observations import MissingObservationsError
from tests.analysis.books import Book, day, history, players


def four() -> Book:
    """Four players end day 1 with 10, 20, 30 and 40 gold, having spent 30, 0, 10 and 0."""
    book = Book()
    for user, gold in {"ada": 40, "bo": 20, "cy": 40, "di": 40}.items():
        book.move(0, user, "opening", gold)
    book.move(0, "cy", "train", -10)
    return book.move(1, "ada", "purchase", -30, item="lucky_charm", units=1)


def test_balances_at_the_last_close_and_at_an_earlier_one() -> None:
    observations = four().observations(players=players({"ada": "casual", "bo": "whale", "cy": "casual"}))
    last = [
        ("ada", "casual", "gold", 10),
        ("bo", "whale", "gold", 20),
        ("cy", "casual", "gold", 30),
        ("di", None, "gold", 40),
    ]
    assert balances(observations).collect().rows() == last
    assert balances(observations, day=0).collect()["balance"].to_list() == [40, 20, 30, 40]
    assert balances(observations, day=day(0)).collect().equals(balances(observations, day=0).collect())


def test_balances_before_a_player_arrived_leave_the_player_out() -> None:
    book = four().move(1, "eve", "opening", 5)
    assert balances(book.observations(), day=0).collect()["user_id"].to_list() == ["ada", "bo", "cy", "di"]


def test_balances_hold_one_row_a_currency() -> None:
    book = Book().opening(0, "ada").exchange(0, "ada", 4_000, 100)
    assert balances(book.observations()).collect().rows() == [
        ("ada", None, "gems", 200),
        ("ada", None, "gold", 6_000),
    ]


def test_balance_percentiles_are_interpolated_linearly() -> None:
    observations = four().observations(players=players({"ada": "casual", "bo": "whale", "cy": "casual"}))
    # Of 10 20 30 40 the tenth stands at place 0.3: 13; of 10 and 30 at place 0.1: 12.
    assert balance_percentiles(observations).collect().rows() == [
        ("all", "gold", 4, pytest.approx(13), 25, pytest.approx(37)),
        ("casual", "gold", 2, pytest.approx(12), 20, pytest.approx(28)),
        ("whale", "gold", 1, 20, 20, 20),
    ]


def test_gini_of_wealth_and_of_spending() -> None:
    # Wealth: 2 (10 + 40 + 90 + 160) / (4 x 100) - 5 / 4. Spending 0 0 10 30: 2 (30 + 120) / (4 x 40) - 5 / 4.
    assert gini(four().observations()).collect().rows() == [
        ("balance", 4, 100, 0.25),
        ("spending", 4, 40, 0.625),
    ]


def test_gini_of_a_window() -> None:
    # On day 0 they hold 20 30 40 40: 2 (20 + 60 + 120 + 160) / (4 x 130) - 5 / 4. Only Cy had spent: 3 / 4.
    table = gini(four().observations(), last_day=0).collect()
    assert table.rows() == [("balance", 4, 130, pytest.approx(720 / 520 - 1.25)), ("spending", 4, 10, 0.75)]


def test_gini_is_zero_when_nobody_owns_anything() -> None:
    book = Book().move(0, "ada", "opening", 0).move(0, "bo", "opening", 0)
    assert gini(book.observations()).collect()["gini"].to_list() == [0.0, 0.0]


def test_gini_of_gems() -> None:
    book = Book().opening(0, "ada", gems=0).opening(0, "bo", gems=50)
    assert gini(book.observations(), currency="gems").collect().rows() == [
        ("balance", 2, 50, 0.5),
        ("spending", 2, 0, 0.0),
    ]


def test_lorenz_starts_at_the_origin_and_ends_at_one() -> None:
    table = lorenz(four().observations()).collect()
    curve = table.filter(measure="balance")
    assert curve["population_share"].to_list() == [0, 0.25, 0.5, 0.75, 1]
    assert curve["value_share"].to_list() == pytest.approx([0, 0.1, 0.3, 0.6, 1])
    assert table.filter(measure="spending")["value_share"].to_list() == pytest.approx([0, 0, 0, 0.25, 1])


def test_top_shares_count_the_last_player_by_the_fraction() -> None:
    # 10 % of four players are 0.4 of the richest: 0.4 x 40 of 100; 1 % are 0.04 of the richest.
    assert top_shares(four().observations()).collect().rows() == [
        ("balance", 0.01, 0.04, pytest.approx(0.016)),
        ("balance", 0.1, 0.4, pytest.approx(0.16)),
        ("spending", 0.01, 0.04, pytest.approx(0.03)),
        ("spending", 0.1, 0.4, pytest.approx(0.3)),
    ]


def ten() -> Book:
    """Ten players who end with 10, 20 ... 100 gold; the poorest and the richest have spent."""
    book = Book()
    for rank in range(10):
        book.move(0, f"p{rank}", "opening", 10 * (rank + 1) + 400)
        book.move(0, f"p{rank}", "correction", -400, actor="admin")
    book.move(0, "p0", "opening", 40).move(0, "p0", "purchase", -30, item="silk_kimono", units=1)
    book.move(0, "p0", "train", -10).move(1, "p9", "opening", 300)
    book.move(1, "p9", "purchase", -225, item="silk_kimono", units=1)
    return book.move(1, "p9", "purchase", -75, item="mystery", units=1)


def test_engel_shares_by_decile_of_wealth() -> None:
    known = history([(0, "price_gold", "silk_kimono", "gift", 30)])
    table = engel_shares(ten().observations(history=known)).collect()
    spent = table.filter(table["spending_gold"] > 0)
    assert spent.rows() == [
        (1, "gift", 1, 30, 0.75),
        (1, "train", 1, 10, 0.25),
        (10, "gift", 1, 225, 0.75),
        (10, "unknown", 1, 75, 0.25),
    ]
    assert table.height == 10 * 3  # Every decile has a row for each category that anybody spent on.
    assert table.filter(decile=5)["share"].to_list() == [None, None, None]
    assert table.filter(decile=10, category="train")["share"].to_list() == [0.0]


def test_engel_shares_of_a_window() -> None:
    table = engel_shares(ten().observations(history=history([])), first_day=1).collect()
    assert table.filter(table["spending_gold"] > 0).rows() == [(10, "unknown", 1, 300, 1.0)]


def test_engel_shares_rank_ties_by_id_and_split_fewer_than_ten_evenly() -> None:
    book = Book()
    for user in ("ada", "bo", "cy"):
        book.move(0, user, "opening", 60).move(0, user, "train", -10)
    table = engel_shares(book.observations(history=history([]))).collect()
    assert table["decile"].to_list() == [1, 4, 7]  # 1 + 10 x 0 // 3, 1 + 10 // 3, 1 + 20 // 3


def test_engel_shares_need_categories() -> None:
    with pytest.raises(MissingObservationsError, match="engel_shares needs the stream economy_history"):
        engel_shares(ten().observations())
