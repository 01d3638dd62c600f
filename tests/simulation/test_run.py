"""A run that was played: its numbers, its charts, its report, and how it is refused."""

from __future__ import annotations

import gc
import itertools
import math
from datetime import timedelta
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import orjson
import polars as pl
import pytest
from matplotlib.axes import Axes

import kokoromichi as km
from kokoromichi.analysis.charts import CHARTS
from kokoromichi.analysis.metrics import METRICS
from kokoromichi.analysis.statistics import mean_interval
from kokoromichi.core.errors import MisuseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLAYERS, DAYS, REPLICATIONS = 40, 34, 3


@pytest.fixture(scope="module")
def scenario() -> km.Scenario:
    """The baseline with a cap that battles meet, so that there are refusals as well."""
    base = km.Scenario.load("baseline", players=PLAYERS, days=DAYS)
    return base.with_economy({"battle.daily_cap_gold": 100})


@pytest.fixture(scope="module")
def run(scenario: km.Scenario, tmp_path_factory: pytest.TempPathFactory) -> km.Run:
    folder = tmp_path_factory.mktemp("run")
    return km.simulate(scenario, replications=REPLICATIONS, seed=3, workers="serial", out=folder)


@pytest.fixture(autouse=True)
def no_figures_left() -> Iterator[None]:
    yield
    plt.close("all")


def test_health_has_a_row_for_each_replication(run: km.Run) -> None:
    health = run.health()
    assert dict(health.schema) == {
        "replication": pl.Int64,
        "ledger_rows": pl.Int64,
        "violations": pl.Int64,
        "sound": pl.Boolean,
    }
    assert health["replication"].to_list() == [1, 2, 3]
    assert health["violations"].to_list() == [0, 0, 0]
    assert run.sound
    ledgers = [observations.ledger.select(pl.len()).collect().item() for observations in run.observations]
    assert health["ledger_rows"].to_list() == ledgers


def test_a_broken_ledger_is_said_to_be_broken(scenario: km.Scenario, tmp_path: Path) -> None:
    small = scenario.replace(days=2)
    run = km.simulate(small, replications=2, seed=3, workers="serial", out=tmp_path)
    summary = tmp_path / "replications/001/summary.json"
    told = orjson.loads(summary.read_bytes())
    summary.write_bytes(orjson.dumps({**told, "audit_sound": False, "audit_violations": {"1": 2, "3": 1}}))
    assert run.health()["violations"].to_list() == [0, 3]
    assert not run.sound


def test_a_function_of_ones_own_is_measured_as_a_metric(run: km.Run) -> None:
    def rows(seen: km.Observations) -> pl.LazyFrame:
        return seen.ledger.select(rows=pl.len())

    counted = run.metric(rows)
    assert counted.columns == ["replication", "rows"]
    assert counted["rows"].to_list() == run.health()["ledger_rows"].to_list()


def test_metrics_are_the_headlines_with_their_uncertainty(run: km.Run) -> None:
    metrics = run.metrics()
    assert dict(metrics.schema) == {
        "metric": pl.String,
        "value": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "statistic": pl.String,
        "runs": pl.Int64,
        "of": pl.Int64,
    }
    assert metrics["metric"].to_list() == run.headlines.columns[1:]
    assert run.headlines["replication"].to_list() == [1, 2, 3]
    supply = mean_interval(run.headlines["supply_gold"].to_list())
    row = metrics.row(by_predicate=pl.col("metric") == "supply_gold", named=True)
    assert (row["value"], row["low"], row["high"]) == pytest.approx((supply.mean, supply.low, supply.high))
    closing = [
        observations.ledger.filter(pl.col("currency") == "gold", pl.col("user_id") != "system")
        .select(pl.col("amount").sum())
        .collect()
        .item()
        for observations in run.observations
    ]
    assert run.headlines["supply_gold"].to_list() == closing
    wide = run.metrics(confidence=0.99)
    assert (wide["high"] - wide["low"] > metrics["high"] - metrics["low"]).sum() >= 10


def test_one_replication_has_numbers_and_no_interval(scenario: km.Scenario, tmp_path: Path) -> None:
    run = km.simulate(scenario.replace(days=3), replications=1, seed=3, workers="serial", out=tmp_path)
    metrics = run.metrics()
    assert metrics["low"].null_count() == metrics["high"].null_count() == metrics.height
    assert metrics["value"].null_count() < metrics.height
    unbounded = metrics.filter(~pl.col("value").is_finite())
    assert unbounded.select("metric", "value").rows() == [
        ("wait_days", math.inf)
    ]  # In three days nobody can.


def test_flows_are_measured_after_the_warm_up_where_there_is_one(run: km.Run, tmp_path: Path) -> None:
    assert run.warm_up_days == 30
    short = km.Scenario.load("baseline", players=5, days=30)
    assert km.simulate(short, replications=1, workers="serial", out=tmp_path).warm_up_days == 0
    flows = run.metric("flows_total", first_day=30).filter(pl.col("currency") == "gold")
    for number, frame in flows.group_by("replication", maintain_order=True):
        counted = frame.filter(pl.col("kind") != "opening")
        sums = dict(counted.group_by("direction").agg(pl.col("amount").sum()).iter_rows())
        ratio = run.headlines.row(by_predicate=pl.col("replication") == number[0], named=True)
        assert ratio["sink_faucet_ratio"] == pytest.approx(sums["sink"] / sums["faucet"])


@pytest.mark.parametrize("name", sorted(METRICS.keys() - {"price_events"}))  # No price moves here.
def test_every_metric_can_be_had_by_its_name(run: km.Run, name: str) -> None:
    frame = run.metric(name)
    assert frame.columns[0] == "replication"
    assert set(frame["replication"]) == {1, 2, 3}


def test_an_unknown_metric_names_the_nearest(run: km.Run) -> None:
    with pytest.raises(MisuseError, match="money_supply"):
        run.metric("mony_supply")


@pytest.mark.parametrize("name", sorted(CHARTS.keys() - {"event"}))
def test_every_chart_is_drawn_with_title_and_named_axes(run: km.Run, name: str) -> None:
    assert name in dir(run.plot)
    axes = getattr(run.plot, name)()
    assert isinstance(axes, Axes)
    title, texts = axes.get_title() + axes.get_title("left"), axes.get_xlabel() + axes.get_ylabel()
    assert title or texts
    assert axes.has_data()


def test_a_chart_draws_on_the_axes_that_it_is_given(run: km.Run) -> None:
    _, mine = plt.subplots()
    assert run.plot.supply(ax=mine) is mine
    assert len(plt.get_fignums()) == 1


def test_an_unknown_chart_names_its_neighbours(run: km.Run) -> None:
    with pytest.raises(MisuseError, match="no chart 'suply'; near it: supply"):
        run.plot.suply()
    assert not hasattr(run.plot, "_repr_html_")  # Jupyter asks.


def test_the_report_is_written_where_it_is_wanted_and_needs_nothing_else(run: km.Run, tmp_path: Path) -> None:
    path = run.report(tmp_path / "mine.html").path
    assert path == tmp_path / "mine.html"
    assert not (run.folder / "report.html").exists()
    page = path.read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html")
    for outside in ('src="http', "src='http", 'href="http', "@import", "url(http"):
        assert outside not in page
    assert str(run.folder) not in page
    assert run.report().path == run.folder / "report.html"
    assert (run.folder / "report.html").read_bytes() == path.read_bytes()


def test_a_run_is_explained_against_targets_of_ones_own(run: km.Run) -> None:
    said = list(run.explain(targets=km.Targets({"gini": (None, 0.01), "sink_faucet_ratio": (0, None)})))
    assert any(sentence.endswith("above its target, at most 0.01.") for sentence in said)
    assert "1 of 2 targets are met." in said


def test_a_run_is_read_again_from_its_folder(run: km.Run) -> None:
    again = km.Run(str(run.folder))
    assert again.manifest == run.manifest
    assert again.metrics().equals(run.metrics())
    assert again.findings == ()


def test_a_quiet_end_belongs_to_the_horizon(tmp_path: Path) -> None:
    """One player, who is not there every day: rows alone begin after the run does, and end before."""
    quiet = km.Scenario.load("baseline", players=1, days=33)
    run = km.simulate(quiet, replications=8, seed=6, workers="serial", out=tmp_path)
    every_day = [quiet.start + timedelta(days=number) for number in range(33)]
    spans = pl.concat(
        observations.ledger.select(
            first=pl.col("at").min().dt.date(), last=pl.col("at").max().dt.date()
        ).collect()
        for observations in run.observations
    )
    assert spans["first"].max() > every_day[0]  # type: ignore[operator] # Dates.
    assert spans["last"].min() < every_day[-1]  # type: ignore[operator] # Dates.
    gold = run.metric("money_supply").filter(pl.col("currency") == "gold")
    for _, story in gold.group_by("replication"):
        assert story["day"].to_list() == every_day
    data = run.report_data()
    assert (data.first_day, data.days, data.measured_from_day) == (quiet.start, 33, run.warm_up_days)


def test_what_the_scenario_breaks_is_a_finding_of_its_run(scenario: km.Scenario, tmp_path: Path) -> None:
    odd = scenario.replace(days=2).with_economy({"resale.percent": 95})
    run = km.simulate(odd, replications=1, workers="serial", out=tmp_path)
    assert {finding.field for finding in run.findings} != set()
    assert all("resale" in str(finding) for finding in run.findings)


def test_a_folder_without_a_run_is_refused_with_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(MisuseError, match="kokoromichi simulate --out"):
        km.Run(tmp_path / "nowhere")


@pytest.mark.parametrize("replications", [0, -1, 1_001])
def test_too_few_or_too_many_replications_are_refused(scenario: km.Scenario, replications: int) -> None:
    with pytest.raises(MisuseError, match="use a whole number from 1 to 1,000"):
        km.simulate(scenario, replications=replications, workers="serial")


def test_a_run_without_a_folder_goes_with_its_last_reader(scenario: km.Scenario) -> None:
    """Warnings are errors here: that nobody closed a folder that nobody opened is not worth one."""
    run = km.simulate(scenario.replace(days=2), replications=1, workers="serial")
    folder = run.folder
    assert folder.is_dir()
    assert run.metrics().height > 0
    del run
    gc.collect()
    assert not folder.exists()


def test_two_runs_under_one_seed_meet_the_same_players(
    scenario: km.Scenario, run: km.Run, tmp_path: Path
) -> None:
    """Common random numbers: who they are and when they come does not depend on the economy."""
    dearer = scenario.with_economy({"store.health_potion.price_gold": 120})
    other = km.simulate(dearer, replications=REPLICATIONS, seed=3, workers="serial", out=tmp_path)
    for mine, theirs in zip(run.observations, other.observations, strict=True):
        assert mine.players.collect().equals(theirs.players.collect())
        first_days = [
            observations.activity.filter(pl.col("act") == "session", pl.col("at").dt.date() == scenario.start)
            .select("user_id", "at")
            .collect()
            for observations in (mine, theirs)
        ]
        assert first_days[0].equals(first_days[1])
    supplies = itertools.chain(run.headlines["supply_gold"], other.headlines["supply_gold"])
    assert len(set(supplies)) == 2 * REPLICATIONS
