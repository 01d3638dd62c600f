"""The headline, against numbers that are counted by hand."""

from __future__ import annotations

import pytest

from kokoromichi.analysis.metrics.headline import headline, wait_item
from tests.analysis.books import Book, activity, history, players, prices


def book() -> Book:
    """Ada waits from day 0 to day 2; Bo has plenty; a warm-up of one day is cut."""
    rows = Book().move(0, "ada", "opening", 6_000).move(0, "bo", "opening", 9_000)
    rows.move(0, "ada", "train", -2_000).move(1, "bo", "purchase", -1_000, item="treasure_chest", units=1)
    return rows.move(2, "ada", "daily", 2_000)


def test_the_headline_by_hand() -> None:
    stream = activity([(1, "bo", "buy", None), (1, "bo", "buy", "too_poor"), (2, "ada", "claim", None)])
    known = players({"ada": "casual", "bo": "whale"})
    observations = book().observations(activity=stream, history=prices(treasure_chest=5_000), players=known)
    row = headline(observations, first_day=1).row(0, named=True)
    # Ada ends with 6,000 and Bo with 8,000: Gini 2 (6 + 16) / (2 x 14) - 3 / 2. Supply 13, 12, 14 thousand.
    assert row == {
        "sink_faucet_ratio": 0.5,  # 1,000 / 2,000
        "net_flow_gold_per_active_player_day": 500.0,  # (2,000 - 1,000) / 2 active player-days
        "spent_gold": 1_000,
        "units_sold": 1,
        "supply_gold": 14_000,
        "active_supply_gold": 14_000,
        "velocity_per_day": pytest.approx(500 / 13_000),  # 1,000 in two days over (12,000 + 14,000) / 2
        "gini": pytest.approx(44 / 28 - 1.5),
        "top_1_share": pytest.approx(0.02 * 8 / 14),
        "top_10_share": pytest.approx(0.2 * 8 / 14),
        "wait_days": 2.0,
        "mean_wait_days": 2.0,
        "retention_d1": 1.0,
        "retention_d7": None,
        "retention_d30": None,
        "acts_per_active_player_day": 1.0,  # Two acts went through.
    }


def test_a_ledger_alone_leaves_out_what_it_does_not_hold() -> None:
    row = headline(book().observations()).row(0, named=True)
    assert (row["wait_days"], row["acts_per_active_player_day"]) == (None, None)
    assert row["supply_gold"] == 14_000


def test_without_archetypes_the_wait_is_everybodys() -> None:
    assert headline(book().observations(history=prices(treasure_chest=5_000)))["wait_days"].to_list() == [2.0]


@pytest.mark.parametrize(
    ("chests", "middle"), [([], []), (["b"], ["b"]), (["b", "a"], ["b"]), (["c", "b", "a"], ["b"])]
)
def test_the_wait_is_for_the_middle_chest_of_the_catalogue(chests: list[str], middle: list[str]) -> None:
    placed = [(0, "catalogue_place", item, "chest", place) for place, item in enumerate(chests)]
    other = (0, "catalogue_place", "potion", "potion", 9)
    for price_gold in (1, 900):  # A price never makes it another one.
        priced = (3, "price_gold", "b", "chest", price_gold) if chests else other
        seen = Book().observations(history=history([*placed, other, priced]))
        assert wait_item(seen).collect()["item_id"].to_list() == middle


def test_an_older_history_orders_chests_by_their_first_price() -> None:
    seen = Book().observations(history=prices(dear=900, cheap=5, fair=40))
    assert wait_item(seen).collect()["item_id"].to_list() == ["fair"]


def test_a_group_nobody_is_in_has_no_wait() -> None:
    observations = book().observations(
        history=prices(treasure_chest=5_000), players=players({"ada": "whale", "bo": "whale"})
    )
    assert headline(observations)["wait_days"].to_list() == [None]


def test_a_window_in_which_nobody_was_active_has_no_rates() -> None:
    rows = book().move(5, "ada", "grant", 10, actor="admin")
    row = headline(rows.observations(activity=activity([])), first_day=5).row(0, named=True)
    assert row["net_flow_gold_per_active_player_day"] is None
    assert row["acts_per_active_player_day"] is None
    assert row["velocity_per_day"] == 0.0
