"""What working designers look at every day, against examples that are counted by hand."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from kokoromichi.analysis.metrics.price_events import price_events
from kokoromichi.analysis.metrics.sessions import session_flows
from kokoromichi.analysis.observations import Observations
from kokoromichi.analysis.plots import event
from kokoromichi.core.errors import MisuseError
from tests.analysis.books import Book, activity, day, history


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
    legend = [text.get_text() for text in event(sold, "charm").get_legend().get_texts()]
    assert legend == [
        f"{day(2)}: 100 → 150 gold: 0.5 → 0.5",
        f"{day(3)}: 150 → 120 gold: 0.5 → 1",
    ]
    with pytest.raises(MisuseError, match="item_id 'chrm' is unknown; near it: charm"):
        event(sold, "chrm")


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
