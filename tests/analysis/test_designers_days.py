"""What working designers look at every day, against examples that are counted by hand."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from kokoromichi.analysis.metrics.alarms import alarms
from kokoromichi.analysis.metrics.concentration import faucet_concentration, sink_use
from kokoromichi.analysis.metrics.goods import stock_outs
from kokoromichi.analysis.metrics.price_events import price_events
from kokoromichi.analysis.metrics.retention import cohort_retention, leavers
from kokoromichi.analysis.metrics.sessions import session_flows
from kokoromichi.analysis.metrics.transfers import transfer_pairs, transfer_rings
from kokoromichi.analysis.metrics.wealth import balance_bands
from kokoromichi.analysis.observations import Observations
from kokoromichi.analysis.plots.prices import event
from kokoromichi.core.errors import MisuseError
from tests.analysis.books import Book, activity, day, history, players, restock


def charm_sold() -> pl.DataFrame:
    """A charm of 100 gold that costs 150 from day 2 on and 120 from day 3, while potions stay as they are."""
    book = Book().opening(0, "ada").opening(0, "bo")
    book.move(0, "ada", "purchase", -200, item="charm", units=2).move(1, "bo", "daily", 10)
    book.move(2, "bo", "purchase", -150, item="charm", units=1).move(2, "ada", "daily", 10)
    book.move(3, "ada", "purchase", -120, item="charm", units=1)
    listed = [
        (0, "price_gold", "charm", "charm", 100),
        (2, "price_gold", "charm", "charm", 150),
        (3, "price_gold", "charm", "charm", 120),
        *((number, "price_gold", "potion", "potion", 10) for number in (0, 2)),
    ]
    return price_events(book.observations(history=history(listed))).collect()


def test_days_around_a_change_of_price_belong_to_one_price_each() -> None:
    columns = ("changed", "old_price_gold", "new_price_gold", "days_after", "units", "revenue_gold")
    assert charm_sold().select(*columns, "buyers", "units_per_active_player").rows() == [
        (day(2), 100, 150, -2, 2, 200, 1, 1.0),
        (day(2), 100, 150, -1, 0, 0, 0, 0.0),
        (day(2), 100, 150, 0, 1, 150, 1, 0.5),
        (day(3), 150, 120, -1, 1, 150, 1, 0.5),
        (day(3), 150, 120, 0, 1, 120, 1, 1.0),
    ]


def test_the_chart_of_an_event_says_both_means() -> None:
    sold = charm_sold()
    _, legend = event(sold, item_id="charm").get_legend_handles_labels()
    assert legend == [
        f"{day(2)}: 100 → 150 gold: 0.5 → 0.5",
        f"{day(3)}: 150 → 120 gold: 0.5 → 1",
    ]
    with pytest.raises(MisuseError, match="item_id 'chrm' is unknown; near it: charm"):
        event(sold, item_id="chrm")


def test_what_a_session_earns_and_spends_by_weeks_of_age() -> None:
    book = Book().opening(0, "ada").move(0, "ada", "daily", 100).move(0, "ada", "purchase", -40)
    book.move(1, "ada", "daily", 50).move(1, "ada", "grant", 900, actor="boss")
    book.opening(2, "bo").move(9, "bo", "train", -30)
    seen = activity([(8, "ada", "claim", "already_claimed")])
    # Ada plays on days 0, 1 and 8, Bo on 2 and 9; openings and what an admin grants are nobody's earnings.
    assert session_flows(book.observations(activity=seen)).collect().rows() == [
        (0, 2, 3, 150, 40, 50.0, 40 / 3),
        (1, 2, 2, 0, 30, 0.0, 15.0),
    ]


def test_half_an_hour_without_an_act_ends_a_session() -> None:
    rows = Book().opening(0, "ada").move(0, "ada", "daily", 60).move(0, "ada", "daily", 60).frame()
    for apart_s, sessions in ((1_799, 1), (1_800, 3)):
        at = pl.int_range(pl.len()) * dt.timedelta(seconds=apart_s)
        spread = rows.filter(pl.col("currency") == "gold").with_columns(pl.col("at").first() + at)
        found = session_flows(Observations.from_frames(spread)).collect()
        assert (found["sessions"].item(), found["earned"].item()) == (sessions, 120)


def test_balances_of_each_day_in_bands_and_by_group() -> None:
    book = Book().opening(0, "ada", 100).opening(0, "bo", 200).move(1, "bo", "train", -50).opening(1, "cy", 0)
    seen = book.observations(players=players({"ada": "casual", "bo": "whale"}))
    assert balance_bands(seen).collect().rows() == [
        (day(0), "all", 2, 300, 110.0, 150.0, 190.0),
        (day(0), "casual", 1, 100, 100.0, 100.0, 100.0),
        (day(0), "whale", 1, 200, 200.0, 200.0, 200.0),
        (day(1), "all", 3, 250, 20.0, 100.0, 140.0),
        (day(1), "casual", 1, 100, 100.0, 100.0, 100.0),
        (day(1), "whale", 1, 150, 150.0, 150.0, 150.0),
    ]


def test_a_faucet_that_pays_one_player_most_stands_out() -> None:
    book = Book().opening(0, "ada").opening(0, "bo").opening(0, "cy")
    for user, gold in (("ada", 10), ("bo", 20), ("cy", 970)):
        book.move(1, user, "battle", gold).move(1, user, "daily", 100)
    found = faucet_concentration(book.observations()).collect()
    assert found.drop("top_10_share").rows() == [
        ("battle", 1_000, 3, 970, 0.97, 48.5, "cy"),
        ("daily", 300, 3, 100, 1 / 3, 1.0, "ada"),
    ]
    # A tenth of three players is three tenths of the one who got most.
    assert found["top_10_share"].to_list() == pytest.approx([0.3 * 0.97, 0.1])


def test_a_sink_reaches_a_share_of_the_day_s_players() -> None:
    book = Book().opening(0, "ada").opening(0, "bo").move(0, "ada", "train", -10).move(0, "ada", "train", -5)
    book.move(1, "bo", "purchase", -30, item="charm", units=1).move(2, "bo", "grant", -7, actor="boss")
    assert sink_use(book.observations()).collect().rows() == [
        (day(0), "purchase", 0, 0, 2, 0.0),
        (day(0), "train", 15, 1, 2, 0.5),
        (day(1), "purchase", 30, 1, 1, 1.0),
        (day(1), "train", 0, 0, 1, 0.0),
        (day(2), "purchase", 0, 0, 0, None),
        (day(2), "train", 0, 0, 0, None),
    ]


def test_gold_leaves_with_who_is_quiet_for_a_week_and_comes_back_with_them() -> None:
    book = Book().opening(0, "ada", 100).opening(0, "bo", 40)
    book.move(3, "ada", "grant", 5, actor="boss").move(7, "bo", "daily", 1)  # A week, and back in time.
    book.move(9, "ada", "daily", 10).move(10, "bo", "daily", 1)
    moved = leavers(book.observations()).collect()
    assert moved["day"].to_list() == [day(number) for number in range(11)]
    assert moved.filter(pl.col("away_players") > 0)["day"].to_list() == [day(7), day(8)]
    assert moved.row(7) == (day(7), 1, 105, 0, 0, 1)
    assert moved.row(9) == (day(9), 0, 0, 1, 105, 0)
    assert moved["left_players"].sum() == 1


def test_days_that_close_with_an_empty_shelf() -> None:
    book = Book().opening(0, "ada").move(0, "ada", "purchase", -9, item="print", units=1)
    book.move(1, "ada", "purchase", -9, item="print", units=1)
    restock(book, 3, "print", 2).move(4, "ada", "purchase", -9, item="charm", units=1)
    stock = history([
        (0, "initial_stock", "print", "collectible", 2),
        (0, "initial_stock", "charm", "charm", 5),
        (0, "initial_stock", "potion", "potion", -1),
    ])  # fmt: skip
    assert stock_outs(book.observations(history=stock)).collect().rows() == [
        ("charm", 5, 0, 0.0, None, 4),
        ("print", 5, 2, 0.4, day(1), 0),
    ]


def test_gold_between_two_players_and_rings_of_those_who_only_give() -> None:
    book = Book()
    for user in ("ada", "alt", "bis", "cy", "di"):
        book.opening(0, user)
    book.transfer(0, "alt", "ada", 1_050, 50).transfer(1, "bis", "ada", 500, 0).transfer(
        1, "ada", "bis", 20, 0
    )
    book.transfer(1, "cy", "di", 300, 0).transfer(1, "di", "cy", 100, 0).transfer(1, "cy", "ada", 10, 0)
    seen = book.observations()
    assert transfer_pairs(seen).collect().rows() == [
        ("alt", "ada", 1, 1_000, 0, 1_000, 1.0),
        ("bis", "ada", 2, 500, 20, 480, 480 / 520),
        ("cy", "di", 2, 300, 100, 200, 0.5),
        ("cy", "ada", 1, 10, 0, 10, 1.0),
    ]
    assert transfer_rings(seen).collect().rows() == [(1, 4, 3, 1_490, 1_490, "ada")]


def test_a_day_unlike_the_month_before_it_is_an_alarm() -> None:
    book = Book().opening(0, "ada")
    for number, gold in enumerate([100, 110, 90, 100, 110, 90, 100, 100, 160]):
        book.move(number, "ada", "daily", gold)
    found = alarms(book.observations()).collect()
    daily = found.filter(number="faucet_daily")
    assert daily["value"].to_list() == [100, 110, 90, 100, 110, 90, 100, 100, 160]
    assert daily["trailing_mean"].to_list()[6:] == [None, 100.0, 100.0]
    assert daily["trailing_deviation"][7] == pytest.approx((400 / 6) ** 0.5)
    assert daily["score"][8] == pytest.approx(60 / (400 / 7) ** 0.5)
    assert daily["alarm"].to_list() == [False] * 8 + [True]
    same = found.filter(number="active_players")
    assert (same["trailing_deviation"][8], same["score"][8], same["alarm"].any()) == (0.0, None, False)


def test_the_share_of_a_week_s_newcomers_who_are_active_in_each_week_of_age() -> None:
    book = Book().opening(0, "ada").opening(6, "bo").opening(7, "cy")
    book.move(8, "ada", "daily", 1).move(14, "bo", "daily", 1).move(20, "ada", "daily", 1)
    assert cohort_retention(book.observations()).collect().rows() == [
        (day(0), 0, 2, 2, 1.0),
        (day(0), 1, 2, 2, 1.0),  # Bo's second week is of days 13 to 19.
        (day(0), 2, 1, 1, 1.0),  # Bo's third was not observed whole.
        (day(7), 0, 1, 1, 1.0),
        (day(7), 1, 1, 0, 0.0),
    ]
