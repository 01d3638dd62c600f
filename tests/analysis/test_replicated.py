"""What replications say together: beyond the horizon, not there, and zero are three things."""

from __future__ import annotations

import math
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from kokoromichi.analysis.metrics import measured, numbered
from kokoromichi.analysis.metrics.acts import refusals
from kokoromichi.analysis.metrics.waits import days_to_afford
from kokoromichi.analysis.plots.series import averaged, banded
from kokoromichi.analysis.replicated import estimate
from kokoromichi.analysis.report import explained, period_report, report_data, words
from kokoromichi.analysis.report.cards import headline_card as card
from kokoromichi.analysis.report.cards import headline_section, unmet_targets
from kokoromichi.analysis.report.habits import ties_section
from kokoromichi.analysis.report.numbers import HeadlineNumber, headline_numbers
from kokoromichi.analysis.report.page import Cell, PageTable
from kokoromichi.analysis.report.writing import report_page
from kokoromichi.analysis.statistics import kaplan_meier, mean_interval, median_interval
from kokoromichi.analysis.targets import Band
from kokoromichi.core.errors import MisuseError
from tests.analysis.books import Book, activity, day, prices

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations

BEYOND = math.inf


def waiting(values: list[float | None]) -> HeadlineNumber:
    """The wait as the headline shows it."""
    write = partial(words.decimal, places=1)
    return HeadlineNumber(label="Wait", values=values, write=write, says="", unit="days", column="wait_days")


def test_a_wait_beyond_the_horizon_in_seven_of_eight_runs_is_beyond_the_horizon() -> None:
    shown = card(waiting([BEYOND, 15.0, *[BEYOND] * 6]), Band(5, 15))
    assert (shown.value, shown.unit, shown.verdict) == ("beyond", "the horizon", "bad")
    assert shown.pill == "missed: met in 1 of 8 runs"
    assert shown.gauge is None


def test_a_run_without_a_value_misses_its_target() -> None:
    shown = card(waiting([6.0, None, None, 7.0, 8.0, None, None, None]), Band(5, 15))
    assert (shown.value, shown.verdict, shown.pill) == ("7.0", "bad", "missed: met in 3 of 8 runs")
    assert "3 of 8 runs" in shown.spread
    assert shown.faint


def test_a_number_that_no_run_has_is_not_judged() -> None:
    shown = card(waiting([None, None]), Band(5, 15))
    assert (shown.value, shown.verdict, shown.pill) == ("–", "plain", "not known")


def test_nobody_waited_and_fewer_than_half_can_are_told_apart() -> None:
    rich = Book().move(0, "ada", "opening", 100).move(3, "ada", "daily", 1)
    poor = Book().move(0, "ada", "opening", 10).move(3, "ada", "daily", 1)
    waits = [days_to_afford(book.observations(history=prices(chest=50))).collect() for book in (rich, poor)]
    assert [found.filter(archetype="all")["wait_days"].item() for found in waits] == [None, BEYOND]
    assert [words.decimal(value) for value in (None, BEYOND, 0.0)] == ["–", "beyond", "0.00"]


def test_nothing_refused_in_seven_runs_is_seven_zeros_in_the_mean() -> None:
    quiet, loud = (
        Book().opening(0, "ada").observations(activity=activity([(0, "ada", "buy", code)]))
        for code in (None, "too_poor")
    )
    frame = numbered((refusals(seen).collect() for seen in [*[quiet] * 7, loud]), "refusals")
    assert frame["refused_share"].to_list() == [0.0] * 7 + [1.0]
    assert banded(frame, ["act"], "refused_share").select("mean", "runs").row(0) == (0.125, 8)


def test_medians_take_infinity_as_a_value() -> None:
    frame = pl.DataFrame({"item_id": ["a"] * 4, "wait_days": [3.0, BEYOND, 5.0, None]})
    assert averaged(frame, ["item_id"], "wait_days").row(0) == ("a", 5.0)
    assert estimate([3.0, BEYOND], "wait_days").value == BEYOND


def test_an_interval_never_leaves_what_is_possible() -> None:
    retained = estimate([0.9, 1.0, 1.0, 0.7], "retention_d1", (0.0, 1.0))
    whole = mean_interval([0.9, 1.0, 1.0, 0.7])
    assert whole.high > 1
    assert (retained.low, retained.high) == (whole.low, 1.0)
    for column in ("retention_d1", "wait_days"):  # A mean, and a median.
        same = estimate([1.0] * 8, column, (0.0, 1.0))
        assert (same.value, same.low, same.high) == (1.0, None, None)


@pytest.mark.parametrize(
    ("count", "ends"),
    [(5, None), (6, (1, 6)), (8, (1, 8)), (9, (2, 8)), (20, (6, 15))],  # The printed table, two-sided 95 %.
)
def test_the_interval_of_a_median_is_the_printed_one(count: int, ends: tuple[int, int] | None) -> None:
    assert median_interval([float(value) for value in range(count, 0, -1)]) == ends


def test_the_interval_of_a_wait_reaches_beyond_the_horizon_and_never_below_the_shortest() -> None:
    found = estimate([4.0, 5.0, 6.0, 7.0, 8.0, 9.0, BEYOND, BEYOND], "wait_days")
    assert (found.value, found.low, found.high) == (7.5, 4.0, BEYOND)


def test_a_median_is_interpolated_within_its_day() -> None:
    # Of five, one ends on day 1, three on day 2, one on day 3: half of them within day 2.
    assert kaplan_meier([1, 2, 2, 2, 3], [True] * 5).grouped_median == 1.5 + (0.8 - 0.5) / 0.6
    assert kaplan_meier([0, 0, 0], [True] * 3).grouped_median == 0.0


def test_a_number_of_the_fewer_runs_is_no_sentence_and_one_of_a_place_says_of_how_many() -> None:
    assert words.span([1.0, None, None]) is None
    assert words.span([1.0, 3.0, None]) == pytest.approx((2.0, 1.2, 2.8))
    alone = Book().opening(0, "ada").opening(0, "bo")
    tied = Book().opening(0, "ada").opening(0, "bo").opening(0, "cy")
    tied.transfer(1, "bo", "ada", 1_000, 10).transfer(1, "cy", "ada", 1_000, 10)
    data = report_data([alone.observations()] * 3 + [tied.observations()], title="", manifest={})
    tables = {block.anchor: block for block in ties_section(data).blocks if isinstance(block, PageTable)}
    for anchor in ("transfer-pairs", "transfer-rings"):
        assert tables[anchor].rows[0].cells[0].text == "1 (1 of 4 runs)"
    blank = report_data([alone.observations()] * 4, title="", manifest={})
    (sink,) = [number for number in headline_numbers(blank) if number.target == "largest_sink_share"]
    assert sink.over(sink.values).counted == "0 of 4 runs"


def test_a_function_of_ones_own_may_answer_a_number_of_any_library_and_other_columns_in_each_run() -> None:
    seen = Book().opening(0, "ada").observations()
    answers: list[object] = [np.int64(3), None, Decimal("0.5"), pl.DataFrame({"replication": [7], "b": [1]})]

    def own(_seen: Observations) -> object:
        return answers.pop(0)

    frame = numbered(measured(own, seen) for _ in range(4))  # type: ignore[arg-type]  # As notebooks have it.
    assert frame.columns == ["replication", "own", "b"]
    assert frame.rows() == [(1, 3.0, None), (2, None, None), (3, 0.5, None), (4, None, 1)]
    answers.append([1])
    with pytest.raises(MisuseError, match="own answered list; answer a polars frame or a number"):
        measured(own, seen)  # type: ignore[arg-type]  # A function of a notebook.


def test_what_one_run_alone_has_is_nothing_in_the_others() -> None:
    poor = Book().move(0, "ada", "opening", 10).move(1, "ada", "daily", 1)
    rich = Book().opening(0, "ada").move(1, "ada", "train", -100)
    runs = [poor.observations(), rich.observations()]

    def mean(name: str, value: str, **row: object) -> object:
        frame = numbered((measured(name, seen) for seen in runs), name).filter(**row)
        return averaged(frame, [*row], value)[value].item()

    assert mean("money_supply", "supply", currency="gems", day=day(1)) == 50
    assert mean("flows", "amount", kind="train") == 50
    assert mean("sink_use", "share", kind="train", day=day(1)) == 0.5


def test_a_run_in_which_nothing_leaves_has_no_share_of_it() -> None:
    quiet = Book().opening(0, "ada").observations()
    trained = Book().opening(0, "ada").move(1, "ada", "train", -100).observations()
    both = (
        Book().opening(0, "ada").move(1, "ada", "train", -100).move(1, "ada", "upkeep", -300).observations()
    )
    runs = [quiet, trained, both]
    frame = numbered((measured("flows_total", seen) for seen in runs), "flows_total")
    sinks = frame.filter(currency="gold", direction="sink").sort("replication", "kind")
    assert sinks["share"].to_list() == [None, None, 1.0, 0.0, 0.25, 0.75]
    data = report_data(runs, title="", manifest={})
    (sink,) = [number for number in headline_numbers(data) if number.target == "largest_sink_share"]
    assert (sink.label, sink.values) == ("Largest sink: upkeep", [None, 0.0, 0.75])
    assert "Of the gold that leaves, 62\u00a0% by train and 38\u00a0% by upkeep." in [*explained(data)]


def test_a_part_counts_its_supply_in_what_all_its_players_opened_with() -> None:
    book = Book()
    for player in "abcd":
        book.opening(0, player)
    book.opening(31, "new").move(32, "a", "daily", 10_000)
    data = period_report([book.observations()], day(30), day(40), title="", manifest={})
    (supply,) = [number for number in headline_numbers(data) if number.target == "supply_per_opening"]
    assert (supply.values, supply.tested) == ([60_000], [1.2])


def test_a_target_of_which_the_number_is_not_known_is_none_that_is_met() -> None:
    quiet = Book().opening(0, "ada").move(9, "ada", "daily", 1).observations()
    data = report_data([quiet], title="", manifest={})
    said = "5 of 9 targets are met; 3 not known"
    assert headline_section(data).lede.startswith(f"{said}. The")
    assert f"{said}." in [*explained(data)]
    assert report_page(data).verdicts[0] == Cell(said, "bad")
    assert len(unmet_targets(data)) == 4  # Which is what a command line ends with 1 for.


def test_numbers_are_written_exactly_and_never_as_minus_zero() -> None:
    assert words.whole(2**53 + 1) == "9,007,199,254,740,993"
    assert [words.whole(-0.4), words.decimal(-0.001), words.share(-0.00001, 1)] == ["0", "0.00", "0.0\u00a0%"]
    signed = [words.signed_share(value) for value in (0.029, -0.142, 0.0001, -0.0001, None)]
    assert signed == ["+2.9\u00a0%", "−14.2\u00a0%", "0.0\u00a0%", "0.0\u00a0%", "–"]
    assert [words.short(BEYOND), words.short(-2_500_000)] == ["beyond", "−2.50\u00a0M"]
