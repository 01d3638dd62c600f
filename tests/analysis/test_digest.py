"""The digest of a live economy, against an example that is counted by hand, and against the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kokoromichi.analysis.digest import Digest
from kokoromichi.analysis.metrics.flows import net_flow
from kokoromichi.analysis.metrics.supply import money_supply
from kokoromichi.analysis.metrics.wealth import balances
from kokoromichi.core.reader import active_of, totals_of
from tests.analysis.books import Book, day

if TYPE_CHECKING:
    import datetime as dt


def book() -> Book:
    """Ada and Bo over four days, the third of them without a row."""
    found = Book().opening(0, "ada").move(0, "ada", "daily", 1_000)
    found.move(0, "ada", "purchase", -4_000, item="wooden_chest", units=4)
    found.opening(1, "bo").transfer(1, "ada", "bo", 1_000, 50)
    return found.exchange(3, "bo", 4_000, 100).move(3, "bo", "battle", 100)


def digested(of: Book, today: dt.date) -> Digest:
    """As a store that adds up these rows would answer."""
    observations = of.observations()
    frames = [observations.ledger.collect()]
    gold = balances(observations).collect().filter(currency="gold")["balance"].to_list()
    return Digest.of(totals_of(frames, 0), active_of(frames, 0), gold, today)


def test_a_digest_is_cut_to_its_days() -> None:
    whole = digested(book(), day(5))
    assert whole.span == (day(0), day(5))
    assert whole.days.rows() == [
        (day(0), 7_000, 1_000, 4_000, 1),
        (day(1), 16_950, 0, 50, 2),
        (day(2), 16_950, 0, 0, 0),
        (day(3), 13_050, 100, 4_000, 1),
        (day(4), 13_050, 0, 0, 0),
        (day(5), 13_050, 0, 0, 0),
    ]
    assert whole.largest("faucet", 4) == [("daily", 1_000), ("battle", 100)]
    assert whole.largest("sink", 2) == [("exchange", 4_000), ("purchase", 4_000)]
    last = whole.last(3)
    assert last.span == (day(3), day(5))
    assert last.supply_gold == whole.supply_gold == 13_050
    assert last.largest("faucet", 4) == [("battle", 100)]
    assert whole.last(99).span == whole.span


def test_what_a_clock_that_was_ahead_has_booked_does_not_hide_the_present() -> None:
    whole = digested(book(), day(2))
    assert whole.span == (day(0), day(2))
    assert whole.days["supply_gold"].to_list() == [7_000, 16_950, 13_050]
    assert whole.last(1).largest("faucet", 4) == [("battle", 100)]


def test_a_digest_knows_the_middle_and_the_top() -> None:
    found = digested(book(), day(3))
    assert found.players == 2
    assert found.median_gold == 13_050 / 2
    assert found.top_share is not None
    richest = max(6_000, 10_950 - 4_000 + 100)
    assert abs(found.top_share - 0.2 * richest / 13_050) < 1e-9


def test_supply_and_flows_are_those_of_the_metrics() -> None:
    observations = book().observations()
    supply = money_supply(observations).collect().filter(currency="gold")
    found = digested(book(), day(3))
    assert found.days["supply_gold"].to_list() == supply["supply"].to_list()
    same = ["day", "faucets_gold", "sinks_gold", "active_players"]
    assert found.days.select(same).rows() == net_flow(observations).collect().select(same).rows()


def test_a_digest_of_nothing() -> None:
    found = Digest.of([], {}, [], day(0))
    assert (found.players, found.median_gold, found.top_share, found.span) == (0, None, None, None)
    assert found.supply_gold == 0
    assert found.largest("sink", 3) == []
    assert found.last(7).span is None
