"""Supply, velocity, flows, net flow and ratio, against examples that are counted by hand."""

from __future__ import annotations

import polars as pl
import pytest

from kokoromichi.analysis.metrics.flows import flows, flows_total, gains, net_flow, sink_faucet_ratio
from kokoromichi.analysis.metrics.supply import money_supply, velocity
from kokoromichi.analysis.observations import Observations
from tests.analysis.books import Book, activity, day, players


def week() -> Book:
    """Two players, four days, the third of them without a row.

    Gold by day:
      0  ada opens with 10,000 and claims 1,000, and buys for 4,000.     supply 7,000
      1  bo opens with 10,000; ada sends bo 1,000, of which 50 burn.     supply 16,950
      2  nothing.                                                        supply 16,950
      3  bo exchanges 4,000 for 100 gems; a battle brings bo 100;        supply 13,050
         an admin takes 200 from ada and grants ada 300.                 supply 13,150
    """
    book = Book().opening(0, "ada").move(0, "ada", "daily", 1_000)
    book.move(0, "ada", "purchase", -4_000, item="wooden_chest", units=4)
    book.opening(1, "bo").transfer(1, "ada", "bo", 1_000, 50)
    book.exchange(3, "bo", 4_000, 100).move(3, "bo", "battle", 100)
    return book.move(3, "ada", "grant", -200, actor="admin").move(3, "ada", "grant", 300, actor="admin")


def test_money_supply_is_opening_plus_faucets_less_sinks_every_day() -> None:
    table = (
        money_supply(week().observations())
        .collect()
        .filter(currency="gold")
        .drop("currency", "active_supply")
    )
    assert table.rows() == [
        (day(0), 7_000, 0, 10_000, 1_000, 4_000),
        (day(1), 16_950, 0, 20_000, 1_000, 4_050),
        (day(2), 16_950, 0, 20_000, 1_000, 4_050),
        (day(3), 13_150, 0, 20_000, 1_400, 8_250),  # faucets 1,000 + 100 + 300, sinks 4,050 + 4,000 + 200
    ]
    assert (table["opening"] + table["faucets"] - table["sinks"]).to_list() == table["supply"].to_list()


def test_an_exchange_is_a_faucet_of_gems() -> None:
    table = money_supply(week().observations()).collect().filter(currency="gems")
    assert table.select("supply", "opening", "faucets", "sinks").rows() == [
        (100, 100, 0, 0), (200, 200, 0, 0), (200, 200, 0, 0), (300, 200, 100, 0),
    ]  # fmt: skip


def test_active_supply_forgets_a_holder_after_seven_days() -> None:
    # Ada (10,000) acts on day 0, Bo (500) on days 0 and 8: both count until day 6, Bo again from day 8.
    book = Book().opening(0, "ada").opening(0, "bo", gold=500).move(8, "bo", "daily", 70)
    table = money_supply(book.observations()).collect().filter(currency="gold")
    assert table["supply"].to_list() == [10_500] * 8 + [10_570]
    assert table["active_supply"].to_list() == [10_500] * 7 + [0, 570]


def test_a_session_without_a_movement_keeps_a_holder_active() -> None:
    book = Book().opening(0, "ada").opening(0, "bo", gold=500).move(8, "bo", "daily", 70)
    observations = book.observations(
        activity=activity([(5, "ada", "session", None), (6, "ada", "leave", None)])
    )
    table = money_supply(observations).collect().filter(currency="gold")
    assert table["active_supply"].to_list() == [10_500] * 7 + [10_000, 10_570]


def test_a_grant_received_makes_nobody_active() -> None:
    book = Book().opening(0, "ada").move(7, "ada", "grant", 5, actor="admin")
    assert money_supply(book.observations()).collect().filter(currency="gold")["active_supply"].to_list() == [
        10_000
    ] * 7 + [0]


def test_a_supply_beyond_int64_is_an_error_and_not_a_wrong_number() -> None:
    book = (
        Book().move(0, "ada", "import", 2**62, actor="system").move(0, "bo", "import", 2**62, actor="system")
    )
    with pytest.raises(pl.exceptions.InvalidOperationError, match="9223372036854775808"):
        money_supply(book.observations()).collect()


def test_velocity_is_spending_a_day_over_mean_supply() -> None:
    # Spending 4,000 + 50 + 4,000 in 4 days; the admin's -200 is none. Supply (7,000 + 33,900 + 13,150) / 4.
    row = velocity(week().observations()).collect().row(by_predicate=pl.col("currency") == "gold", named=True)
    assert (row["days"], row["spending_per_day"], row["mean_supply"]) == (4, 8_050 / 4, 54_050 / 4)
    assert row["velocity_per_day"] == pytest.approx(8_050 / 54_050)


def test_velocity_after_a_warm_up() -> None:
    row = (
        velocity(week().observations(), first_day=2)
        .collect()
        .row(by_predicate=pl.col("currency") == "gold", named=True)
    )
    assert (row["days"], row["spending_per_day"], row["mean_supply"]) == (2, 2_000.0, 15_050.0)


def test_velocity_of_an_empty_supply_is_null() -> None:
    book = Book().move(0, "ada", "daily", 5).move(0, "ada", "train", -5)
    assert velocity(book.observations()).collect()["velocity_per_day"].to_list() == [None]


def test_flows_by_kind_and_day() -> None:
    table = flows(week().observations()).collect().filter(currency="gold").drop("currency")
    assert table.rows() == [
        (day(0), "faucet", "daily", 1_000, 1),
        (day(0), "faucet", "opening", 10_000, 1),
        (day(0), "sink", "purchase", 4_000, 1),
        (day(1), "faucet", "opening", 10_000, 1),
        (day(1), "sink", "fee", 50, 1),
        (day(1), "transfer", "transfer", 950, 1),  # Counted where it arrives.
        (day(3), "faucet", "battle", 100, 1),
        (day(3), "faucet", "grant", 300, 1),
        (day(3), "sink", "exchange", 4_000, 1),
        (day(3), "sink", "grant", 200, 1),
    ]


def test_flows_of_a_window() -> None:
    by_number = flows(week().observations(), first_day=1, last_day=1).collect()
    assert by_number["day"].unique().to_list() == [day(1)]
    assert by_number.equals(flows(week().observations(), first_day=day(1), last_day=day(1)).collect())


def test_flows_total_gives_shares_without_the_opening() -> None:
    table = flows_total(week().observations()).collect().filter(currency="gold").drop("currency")
    assert table.rows() == [  # Faucets 1,400, sinks 8,250.
        ("faucet", "opening", 20_000, 2, None, None),
        ("faucet", "daily", 1_000, 1, 1_000 / 1_400, 1_000 / 1_400),
        ("faucet", "grant", 300, 1, 300 / 1_400, 300 / 1_400),
        ("faucet", "battle", 100, 1, 100 / 1_400, 100 / 1_400),
        ("sink", "exchange", 4_000, 1, 4_000 / 8_250, 4_000 / 1_400),
        ("sink", "purchase", 4_000, 1, 4_000 / 8_250, 4_000 / 1_400),
        ("sink", "grant", 200, 1, 200 / 8_250, 200 / 1_400),
        ("sink", "fee", 50, 1, 50 / 8_250, 50 / 1_400),
        ("transfer", "transfer", 950, 1, 1.0, 950 / 1_400),
    ]


def test_net_flow_per_day_and_active_player() -> None:
    table = net_flow(week().observations()).collect()
    columns = ["day", "opening_gold", "faucets_gold", "sinks_gold", "net_gold", "active_players"]
    assert table.select(columns).rows() == [
        (day(0), 10_000, 1_000, 4_000, -3_000, 1),
        (day(1), 10_000, 0, 50, -50, 2),
        (day(2), 0, 0, 0, 0, 0),
        (day(3), 0, 400, 4_200, -3_800, 1),  # The admin's rows leave Ada inactive.
    ]
    assert table["net_gold_per_active_player"].to_list() == [-3_000.0, -25.0, None, -3_800.0]
    assert table["faucets_gold_per_active_player"].to_list() == [1_000.0, 0.0, None, 400.0]
    assert table["sinks_gold_per_active_player"].to_list() == [4_000.0, 25.0, None, 4_200.0]


def test_net_flow_and_opening_are_the_change_of_the_supply() -> None:
    flow = net_flow(week().observations()).collect()
    supply = money_supply(week().observations()).collect().filter(currency="gold")["supply"]
    assert (flow["opening_gold"] + flow["net_gold"]).to_list() == supply.diff().fill_null(supply[0]).to_list()


def test_sink_faucet_ratio_leaves_the_opening_out() -> None:
    table = sink_faucet_ratio(week().observations()).collect()
    assert table.rows() == [("gems", 100, 0, 0.0), ("gold", 1_400, 8_250, 8_250 / 1_400)]


def test_sink_faucet_ratio_after_a_warm_up() -> None:
    after = sink_faucet_ratio(week().observations(), first_day=3).collect()
    assert after.rows() == [("gems", 100, 0, 0.0), ("gold", 400, 4_200, 10.5)]


def test_sink_faucet_ratio_is_null_when_nothing_entered() -> None:
    book = Book().opening(0, "ada").move(0, "ada", "train", -100)
    assert sink_faucet_ratio(book.observations()).collect().rows() == [("gold", 0, 100, None)]


def test_a_transfer_is_neither_faucet_nor_sink() -> None:
    book = Book().opening(0, "ada").opening(0, "bo").transfer(0, "ada", "bo", 1_000, 0)
    assert net_flow(book.observations()).collect().select("faucets_gold", "sinks_gold").rows() == [(0, 0)]


def test_days_are_utc_days() -> None:
    book = Book().opening(0, "ada").move(0, "ada", "daily", 7)
    last_second = pl.lit("2026-01-05T23:59:59.999999").str.to_datetime(
        "%FT%T%.f", time_unit="us", time_zone="UTC"
    )
    midnight = last_second + pl.duration(microseconds=1)
    moved = book.frame().with_columns(
        at=pl.when(pl.col("kind") == "daily").then(midnight).otherwise(last_second)
    )
    table = flows(Observations.from_frames(moved)).collect().filter(currency="gold")
    assert table.select("day", "kind").rows() == [(day(0), "opening"), (day(1), "daily")]


def test_velocity_of_a_currency_that_nobody_spends_is_zero() -> None:
    gems = (
        velocity(week().observations()).collect().row(by_predicate=pl.col("currency") == "gems", named=True)
    )
    assert (gems["spending_per_day"], gems["velocity_per_day"]) == (0.0, 0.0)


def test_gains_are_by_archetype_and_kind_and_transfers_cancel_over_all() -> None:
    book = Book().opening(0, "ada").opening(0, "bo").opening(0, "cy")
    book.move(1, "ada", "daily", 1_000).transfer(1, "ada", "bo", 500, 25).move(2, "bo", "train", -300)
    known = players({"ada": "casual", "bo": "whale", "cy": "whale"})
    table = gains(book.observations(players=known)).collect()
    assert table.rows() == [
        ("all", "daily", 1_000, 3, pytest.approx(1_000 / 3)),
        ("all", "fee", -25, 3, pytest.approx(-25 / 3)),
        ("all", "train", -300, 3, -100.0),
        ("all", "transfer", 0, 3, 0.0),
        ("casual", "daily", 1_000, 1, 1_000.0),
        ("casual", "fee", -25, 1, -25.0),
        ("casual", "transfer", -475, 1, -475.0),
        ("whale", "train", -300, 2, -150.0),
        ("whale", "transfer", 475, 2, 237.5),
    ]
    assert gains(book.observations(), first_day=2).collect()["kind"].to_list() == ["train"]
