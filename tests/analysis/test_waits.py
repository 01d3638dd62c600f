"""Days to afford, against waits that are counted by hand."""

from __future__ import annotations

import polars as pl
import pytest

from kokoromichi.analysis.metrics.waits import days_to_afford
from kokoromichi.analysis.observations import MissingObservationsError
from tests.analysis.books import Book, activity, history, players, prices


def row(table: pl.DataFrame, item: str = "chest", archetype: str = "all") -> dict[str, object]:
    """The one row of an item and an archetype."""
    found: dict[str, object] = table.filter(item_id=item, archetype=archetype).row(0, named=True)
    return found


def saver(book: Book, user: str, start: int, *steps: tuple[int, int]) -> None:
    """A player who opens with 100, spends down to ``start`` on day 0, then earns on the days given."""
    book.move(0, user, "opening", 100)
    book.move(0, user, "train", start - 100)
    for number, gold in steps:
        book.move(number, user, "daily" if gold > 0 else "train", gold)


def test_the_wait_runs_from_the_first_close_below_to_the_first_at_or_above() -> None:
    book = Book()
    # Closes 40 on day 0, 90 from day 2, 100 on day 5, 20 on day 6, 500 on day 8: the wait is over on day 5.
    saver(book, "ada", 40, (2, 50), (5, 10), (6, -80), (8, 480))
    table = days_to_afford(book.observations(history=prices(chest=100))).collect()
    assert row(table) == {
        "item_id": "chest", "archetype": "all", "category": "chest", "price_gold": 100,
        "players": 1, "waiting": 1, "afforded": 1, "wait_days": 5.0, "mean_wait_days": 5.0,
        "never_share": 0.0,
        "earned_days": 8.0,  # 50, 60, then 540 earned.
        "first_days": 0.0,  # The opening was enough for a moment.
    }  # fmt: skip


def test_the_wait_starts_with_the_first_close_below() -> None:
    # Closes 150 on day 0: no wait yet. 30 on day 3 starts it; 130 on day 7 ends it.
    book = Book().move(0, "ada", "opening", 150).move(3, "ada", "train", -120).move(7, "ada", "daily", 100)
    result = row(days_to_afford(book.observations(history=prices(chest=100))).collect())
    assert (result["wait_days"], result["earned_days"], result["first_days"]) == (4.0, 7.0, 0.0)


def test_whoever_never_closes_below_does_not_wait() -> None:
    book = Book().move(0, "ada", "opening", 150).move(3, "ada", "daily", 10)
    result = row(days_to_afford(book.observations(history=prices(chest=100))).collect())
    assert (result["players"], result["waiting"], result["afforded"]) == (1, 0, 0)
    assert (result["wait_days"], result["never_share"], result["earned_days"]) == (None, None, None)


def test_medians_are_kaplan_meiers_and_the_rest_never() -> None:
    # Ends after 2 and 4 days; one leaves after 3 days, one after 6 (each with a last row, from day 0).
    book = Book()
    saver(book, "ada", 0, (2, 100))
    saver(book, "bo", 0, (3, 1))
    saver(book, "cy", 0, (4, 100))
    saver(book, "di", 0, (6, 1))
    result = row(days_to_afford(book.observations(history=prices(chest=100))).collect())
    # S(2) = 3/4; the third day's leaver drops out; S(4) = 3/4 x 1/2 = 3/8, which is below a half and stays.
    assert (result["players"], result["waiting"], result["afforded"]) == (4, 4, 2)
    assert (result["wait_days"], result["never_share"]) == (4.0, pytest.approx(0.375))


def test_gold_that_comes_after_leaving_ends_no_wait() -> None:
    book = Book()
    saver(book, "ada", 0, (2, 1))
    book.move(5, "ada", "grant", 1_000, actor="admin")
    result = row(days_to_afford(book.observations(history=prices(chest=100))).collect())
    assert (result["waiting"], result["afforded"], result["never_share"]) == (1, 0, 1.0)


def test_who_has_not_left_waits_to_the_end_of_the_horizon() -> None:
    book = Book()
    saver(book, "ada", 0, (1, 1))
    saver(book, "bo", 0, (1, 1))
    saver(book, "cy", 0, (6, 100))
    stream = activity([(1, "bo", "leave", None), (8, "cy", "session", None)])
    result = row(days_to_afford(book.observations(history=prices(chest=100), activity=stream)).collect())
    # Bo is censored at 1 day. Ada stays until day 8, so that at day 6 two wait: S(6) = 1/2.
    assert (result["wait_days"], result["never_share"]) == (6.0, 0.5)
    without = row(days_to_afford(book.observations(history=prices(chest=100))).collect())
    assert without["never_share"] == 0.0  # From the ledger alone Ada left on day 1, and Cy waits alone.


def test_who_came_back_has_not_left() -> None:
    book = Book()
    saver(book, "ada", 0, (1, 1))
    stream = activity([(1, "ada", "leave", None), (4, "ada", "return", None), (9, "bo", "session", None)])
    result = row(days_to_afford(book.observations(history=prices(chest=1_000), activity=stream)).collect())
    assert (result["waiting"], result["never_share"]) == (1, 1.0)
    assert result["earned_days"] is None


def test_a_price_cut_ends_a_wait_on_a_day_without_a_movement() -> None:
    book = Book()
    saver(book, "ada", 60, (9, 1))
    cut = history([(0, "price_gold", "chest", "chest", 100), (4, "price_gold", "chest", "chest", 50)])
    result = row(days_to_afford(book.observations(history=cut)).collect())
    assert (result["price_gold"], result["wait_days"], result["never_share"]) == (50, 4.0, 0.0)


def test_a_price_rise_starts_a_wait() -> None:
    book = Book()
    saver(book, "ada", 60, (9, 50))
    rise = history([(0, "price_gold", "chest", "chest", 50), (4, "price_gold", "chest", "chest", 100)])
    assert row(days_to_afford(book.observations(history=rise)).collect())["wait_days"] == 5.0


def test_a_sale_of_one_day_ends_the_waits_that_it_reaches() -> None:
    book = Book()
    saver(book, "ada", 60, (9, 1))
    sale = history(
        (number, "price_gold", "chest", "chest", price) for number, price in ((0, 100), (3, 60), (4, 100))
    )
    assert row(days_to_afford(book.observations(history=sale)).collect())["wait_days"] == 3.0


def test_an_item_that_comes_later_is_measured_from_its_first_price() -> None:
    book = Book()
    saver(book, "ada", 60, (9, 50))
    later = history([(0, "price_gold", "potion", "potion", 1), (5, "price_gold", "chest", "chest", 100)])
    assert row(days_to_afford(book.observations(history=later)).collect())["wait_days"] == 4.0


def test_earnings_leave_out_the_opening_and_what_others_send() -> None:
    book = Book().move(0, "ada", "opening", 500).move(0, "bo", "opening", 500)
    book.transfer(1, "bo", "ada", 300, 0).move(2, "ada", "daily", 60).move(3, "ada", "battle", 39)
    book.move(4, "ada", "battle", 1).move(7, "ada", "daily", 60)
    table = days_to_afford(
        book.observations(history=prices(chest=100), players=players({"ada": "casual"}))
    ).collect()
    assert row(table, archetype="casual")["earned_days"] == 4.0


def test_days_count_from_arrival() -> None:
    book = Book().move(0, "early", "opening", 0).move(3, "ada", "opening", 0).move(8, "ada", "daily", 100)
    kinds = players({"early": "lapsed", "ada": "casual"})
    table = days_to_afford(book.observations(history=prices(chest=100), players=kinds)).collect()
    assert row(table, archetype="casual")["wait_days"] == 5.0
    assert row(table, archetype="casual")["first_days"] == 5.0
    assert table["archetype"].to_list() == ["all", "casual", "lapsed"]


def test_the_first_day_counts_a_balance_that_did_not_last() -> None:
    # 130 for a moment on day 2, spent before the close.
    book = Book().move(0, "ada", "opening", 50).move(2, "ada", "daily", 80).move(2, "ada", "train", -100)
    result = row(days_to_afford(book.observations(history=prices(chest=100))).collect())
    assert (result["first_days"], result["wait_days"], result["never_share"]) == (2.0, None, 1.0)


def test_every_item_has_its_row() -> None:
    book = Book()
    saver(book, "ada", 40, (2, 50), (5, 10))
    table = days_to_afford(book.observations(history=prices(cheap=30, dear=95))).collect()
    assert table.select("item_id", "price_gold", "waiting", "wait_days").rows() == [
        ("cheap", 30, 0, None), ("dear", 95, 1, 5.0),
    ]  # fmt: skip


def test_days_to_afford_needs_prices() -> None:
    with pytest.raises(
        MissingObservationsError, match="days_to_afford needs the stream economy_history"
    ) as raised:
        days_to_afford(Book().opening(0, "ada").observations())
    assert (raised.value.metric, raised.value.missing) == ("days_to_afford", "economy_history")


def test_a_close_at_the_price_is_not_below_it() -> None:
    # Closes exactly at 100 on day 0, at 101 on day 1, at 99 on day 2, at 100 on day 6.
    book = Book().move(0, "ada", "opening", 100).move(1, "ada", "daily", 1)
    book.move(2, "ada", "train", -2).move(6, "ada", "daily", 1)
    result = row(days_to_afford(book.observations(history=prices(chest=100))).collect())
    assert (result["waiting"], result["wait_days"]) == (1, 4.0)
    at_the_price = Book().move(0, "ada", "opening", 100).move(6, "ada", "use", 0)
    assert row(days_to_afford(at_the_price.observations(history=prices(chest=100))).collect())["waiting"] == 0


def test_the_price_of_a_day_is_the_one_in_force_when_it_closes() -> None:
    book = Book()
    saver(book, "ada", 60, (9, 1))
    twice = history(
        [(0, "price_gold", "chest", "chest", 100)] + [(4, "price_gold", "chest", "chest", 50)] * 2
    )
    evening = twice.with_columns(
        effective_from=pl.col("effective_from") + pl.duration(hours=pl.int_range(pl.len()) * 6),
        value=pl.when(pl.int_range(pl.len()) == 2).then(70).otherwise("value"),
    )
    # At noon of day 4 the chest falls to 50, before its close it rises to 70: no wait of 60 gold ends.
    result = row(days_to_afford(book.observations(history=evening.reverse())).collect())
    assert (result["price_gold"], result["never_share"]) == (70, 1.0)


def test_the_mean_wait_counts_who_never_affords_it_up_to_thirty_days() -> None:
    # One waits 2 days, one is still waiting when the horizon ends after 40: (2 + 30) / 2.
    book = Book()
    saver(book, "ada", 0, (2, 100))
    saver(book, "bo", 0, (40, 1))
    result = row(days_to_afford(book.observations(history=prices(chest=100))).collect())
    assert (result["wait_days"], result["mean_wait_days"]) == (2.0, 16.0)
