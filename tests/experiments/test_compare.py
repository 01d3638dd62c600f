"""Comparisons of small scenarios: what they say, and what they must not say."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

import polars as pl
import pytest
from matplotlib.figure import Figure

from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.compare import compare
from kokoromichi.experiments.decision import _HEADS, _gain, _plain, _rows, _signed
from kokoromichi.experiments.plots import _forest
from kokoromichi.simulation.scenario import Scenario

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.experiments.comparison import Comparison

BASE = Scenario.load("baseline", players=12, days=6)
POTION = "store.health_potion.price_gold"


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """Two changes, one of which changes nothing."""
    others = {"dear potions": BASE.scaled({POTION: 3.0}), "the same": BASE.replace(title="Another title")}
    return compare(BASE, others, replications=4, seed=3)


def row(comparison: Comparison, scenario: str, metric: str) -> dict[str, object]:
    """One line of the table."""
    return comparison.table().filter(scenario=scenario, metric=metric).row(0, named=True)


def test_the_numbers_of_the_changed_item_come_first(comparison: Comparison) -> None:
    first = comparison.table().filter(scenario="dear potions")["metric"].to_list()[:2]
    assert first == ["health_potion.units", "health_potion.revenue_gold"]


def test_where_no_pair_differed_that_is_said_and_the_interval_is_none_of_nothing(
    comparison: Comparison,
) -> None:
    table = comparison.table().filter(scenario="the same")
    assert {*table["verdict"]} <= {"no pair differed", "shown, not tested", "no value"}
    supply = row(comparison, "the same", "supply_gold")
    assert supply["change"] == 0
    assert isinstance(supply["low"], float)
    assert supply["low"] < 0  # Never [0, 0]: a run more might differ.
    assert row(comparison, "the same", "gini")["low"] is None


def test_of_fewer_than_five_runs_nothing_is_certain_and_that_is_said(comparison: Comparison) -> None:
    found = row(comparison, "dear potions", "health_potion.units")
    assert isinstance(found["high"], float)
    assert (found["high"] < 0, found["verdict"]) == (True, "too few runs")


def test_an_interval_beside_zero_is_not_certain_among_so_many_numbers(comparison: Comparison) -> None:
    four = comparison.runs.filter(pl.col("scenario").is_in(["base", "dear potions"]))
    again = four.filter(pl.col("replication") < 3).with_columns(pl.col("replication") + 4)
    apart = pl.col("replication") / 3 * (pl.col("scenario") != "base")
    runs = pl.concat([four, again]).with_columns(gini=pl.lit(0.4), top_1_share=0.1 + 0.01 * (apart - 0.15))
    others = {"dear potions": comparison.others["dear potions"]}
    found = row(replace(comparison, runs=runs, others=others), "dear potions", "top_1_share")
    assert isinstance(found["low"], float)
    assert isinstance(found["p_value"], float)
    assert (found["low"] > 0, found["p_value"] > 0.05, found["verdict"]) == (True, True, "not certain")


def test_means_are_those_of_the_runs(comparison: Comparison) -> None:
    runs = comparison.runs
    before = runs.filter(scenario="base")["supply_gold"].mean()
    after = runs.filter(scenario="dear potions")["supply_gold"].mean()
    found = row(comparison, "dear potions", "supply_gold")
    assert (found["before"], found["after"]) == pytest.approx((before, after))


def test_runs_share_their_players_until_the_change_is_felt(comparison: Comparison) -> None:
    for number in range(1, 5):
        pair = comparison.runs.filter(replication=number, scenario="base").drop("scenario")
        same = comparison.runs.filter(replication=number, scenario="the same").drop("scenario")
        assert pair.equals(same)


def test_a_median_is_shown_and_not_tested(comparison: Comparison) -> None:
    found = row(comparison, "dear potions", "wait_days")
    assert (found["verdict"], found["low"], found["p_value"]) == ("shown, not tested", None, None)


def test_a_number_that_fewer_than_half_of_the_seeds_have_has_no_verdict(comparison: Comparison) -> None:
    few = pl.when(pl.col("replication") == 1).then("gini")
    found = row(replace(comparison, runs=comparison.runs.with_columns(gini=few)), "dear potions", "gini")
    assert (found["verdict"], found["change"], found["pairs"], found["runs"]) == ("no value", None, 1, 4)


def test_a_run_in_which_most_never_afford_it_is_longer_than_any_other(comparison: Comparison) -> None:
    beyond = pl.Series("wait_days", [inf, 2.0, inf, None, 1.0, inf, inf, 2.0], pl.Float64)
    scenario = pl.Series("scenario", ["base"] * 4 + ["dear potions"] * 4)
    runs = comparison.runs.head(8).with_columns(beyond, scenario)
    others = {"dear potions": comparison.others["dear potions"]}
    found = row(replace(comparison, runs=runs, others=others), "dear potions", "wait_days")
    assert (found["before"], found["after"], found["change"]) == (
        inf,
        inf,
        None,
    )  # Two of three, two of four.


def test_the_last_day_of_the_series_is_the_supply_of_the_headline(comparison: Comparison) -> None:
    last = comparison.by_day.filter(day=BASE.days - 1).sort("replication", "scenario")["supply_gold"]
    assert last.to_list() == comparison.runs.sort("replication", "scenario")["supply_gold"].to_list()


def test_units_by_day_are_the_units_of_the_run(comparison: Comparison) -> None:
    keys = ["scenario", "replication"]
    daily = (
        comparison.by_day.group_by(keys).agg(pl.col("health_potion.units").sum().cast(pl.Float64)).sort(keys)
    )
    assert daily.equals(comparison.runs.select(*keys, "health_potion.units").sort(keys))


def test_runs_are_added_until_the_precision_is_met_or_the_cap_is_reached() -> None:
    asked = compare(
        BASE,
        {"dear": BASE.scaled({POTION: 3.0})},
        replications=2,
        most_replications=5,
        precision={"supply_gold": 1e-9},
    )
    assert asked.runs.height == 2 * 5
    assert str(row(asked, "dear", "supply_gold")["verdict"]).startswith(("needs", "certain"))


def test_processes_give_the_same_runs(comparison: Comparison) -> None:
    others = {"dear potions": BASE.scaled({POTION: 3.0})}
    apart = compare(BASE, others, replications=2, seed=3, workers="process:2")
    expected = comparison.runs.filter(
        pl.col("scenario").is_in(["base", "dear potions"]), pl.col("replication") <= 2
    )
    assert apart.runs.equals(expected)


def test_charts_and_page_show_every_scenario(comparison: Comparison, tmp_path: Path) -> None:
    page = comparison.report(tmp_path / "out" / "decision.html").path.read_text(encoding="utf-8")
    assert page.count("<svg") == 4
    for said in ("dear potions", "the same", "no pair differed", "Health potion, units sold"):
        assert said in page
    assert page == comparison.report(tmp_path / "again.html").path.read_text(encoding="utf-8")
    assert len(comparison.plot.pairs().lines) == 2 * 4
    assert "dear potions" in comparison._repr_html_()


def test_the_verdict_stands_beside_the_number_that_it_judges(comparison: Comparison) -> None:
    assert _HEADS[:2] == ("Number", "Verdict")
    verdicts = comparison.table().filter(scenario="dear potions")["verdict"].to_list()
    assert [row.cells[1].text for row in _rows(comparison, "dear potions")] == verdicts


def test_a_certain_change_is_neither_good_nor_bad(comparison: Comparison, tmp_path: Path) -> None:
    later = comparison.runs.with_columns(pl.col("replication") + 4)
    fell = pl.when(pl.col("scenario") == "dear potions").then(50.0).otherwise(90.0) + pl.col("replication")
    eight = replace(comparison, runs=pl.concat([comparison.runs, later]).with_columns(supply_gold=fell))
    report = eight.report(tmp_path / "decision.html")
    assert "dear potions: supply at the end" in report._repr_html_()
    page = report.path.read_text(encoding="utf-8")
    assert '<span class="pill certain">dear potions: supply at the end' in page
    assert '<span class="certain-text">certain</span>' in page
    assert "✓" not in page


def test_what_reaches_beyond_the_forest_ends_in_an_arrow_head() -> None:
    far = {"title": "Far", "before": 100.0, "change_share": 9.0, "low": -900.0, "high": 2_700.0}
    near = [
        {"title": str(n), "before": 100.0, "change_share": 0.0, "low": -1.0, "high": 1.0} for n in range(9)
    ]
    axes = Figure().add_subplot()
    _forest(pl.DataFrame([{**row, "verdict": "not visible"} for row in (far, *near)]), axes)
    edge = axes.get_xlim()[1]
    heads = [
        (line.get_marker(), line.get_xdata()[0])  # type: ignore[index]  # An array, as it was drawn.
        for line in axes.lines
        if line.get_marker() in {"<", ">"}
    ]
    assert heads == [("<", -edge), (">", edge), (">", edge)]
    assert "not visible (+900 %)" in [text.get_text() for text in axes.texts]


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        ((28.63, 0.02, 64_104.2), "28.6\n(0.0 to >1,000)"),
        ((64_104.2, None, None), ">1,000"),
        ((None, None, None), "–"),
    ],
)
def test_a_gain_is_narrow_however_little_is_known_of_it(gain: tuple[float | None, ...], said: str) -> None:
    assert _gain(*gain) == said


@pytest.mark.parametrize(
    ("value", "of", "said"),
    [
        (5.55e-17, 0.5, "0"),
        (-2.8e-14, 12.0, "0"),
        (0.00012, 0.5, "0.000120"),
        (99.99, None, "100"),
        (0.9999, None, "1.00"),
        (-123.4, None, "−123"),
        (12_345.0, None, "12,345"),
        (inf, None, "beyond"),
        (None, None, "–"),
    ],
)
def test_a_number_has_three_digits_and_no_noise(value: float | None, of: float | None, said: str) -> None:
    assert _plain(value, of) == said


def test_noise_has_no_sign() -> None:
    assert [_signed(value, 0.5) for value in (5.55e-17, -5.55e-17, 0.01)] == ["0", "0", "+0.0100"]


@pytest.mark.parametrize(
    ("others", "options", "said"),
    [
        ({}, {}, "scenarios by name"),
        ({"base": BASE}, {}, "the base's own"),
        ({"x": BASE.replace(days=3)}, {}, "give both the same"),
        ({"x": BASE}, {"replications": 1}, "whole number from 2"),
        ({"x": BASE}, {"primary": "supply"}, "supply_gold"),
        ({"x": BASE}, {"precision": {"gin": 0.1}}, "gini"),
        ({"x": BASE}, {"precision": {"gini": float("nan")}}, "number between"),
        ({"x": BASE}, {"confidence": 95}, "number between 0 and 1"),
        ({"x": BASE}, {"primary": "wait_days"}, "not tested"),
        ({"x": "baseline"}, {}, "compare, by the name 'x', is given 'baseline'; give it a scenario"),
        ({1: BASE}, {}, "by names, and 1 is none"),
        ({"x": BASE}, {"precision": 0.02}, "precision is 0.02; name the number"),
        ({"x": BASE}, {"seed": 1.5}, "seed is 1.5; use a whole number of 64 bits"),
    ],
)
def test_misuse_is_one_sentence_with_the_cure(
    others: dict[str, Scenario], options: dict[str, object], said: str
) -> None:
    with pytest.raises(MisuseError, match=said):
        compare(BASE, others, **options)
