"""Batches of totals: resumed, shared between commands, readable on the way, each run played again whole."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from kokoromichi.analysis.metrics import METRICS
from kokoromichi.analysis.own import own_metric
from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.experiments import batches
from kokoromichi.experiments.batch_jobs import Job as RunJob
from kokoromichi.experiments.batch_jobs import numbers_of_run
from kokoromichi.experiments.batch_runs import Batch
from kokoromichi.experiments.batches import RunDiffersError, batch, replay
from kokoromichi.experiments.shards import Shard
from kokoromichi.simulation import replication_jobs
from kokoromichi.simulation.lines import add_line, read_lines
from kokoromichi.simulation.manifest import definition, rebuilt, words
from kokoromichi.simulation.replication_jobs import Job
from kokoromichi.simulation.scenario import Scenario
from kokoromichi.simulation.totals import play_totals
from tests.simulation.commands import digests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kokoromichi.analysis.observations import Observations
    from kokoromichi.experiments.seed_runs import Numbers

BASE = Scenario.load("baseline", players=10, days=4)
SCENARIOS = {"base": BASE, "dear": BASE.scaled({"store.health_potion.price_gold": 1.5})}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    """Two scenarios, twice each."""
    return batch(SCENARIOS, replications=2, seed=5, out=tmp_path_factory.mktemp("batch"))


def again(folder: Path, **changed: object) -> tuple[Batch, list[int]]:
    """The same batch in a folder, or another one, and the runs that were told as done."""
    told: list[int] = []
    asked: dict[str, object] = {"replications": 2, "seed": 5, "out": folder, "on_done": told.append}
    return batch(SCENARIOS, **{**asked, **changed}), told  # type: ignore[arg-type]  # As a notebook passes it.


def test_a_run_is_a_row_of_what_its_replication_totals(whole: Batch) -> None:
    runs = whole.runs()
    assert runs["run"].to_list() == list(range(4))
    assert runs["scenario"].to_list() == ["base", "dear"] * 2
    for row in runs[1:3].iter_rows(named=True):
        seed = replication_jobs.replication_seed(5, row["replication"])
        wanted = play_totals(SCENARIOS[row["scenario"]], seed, "faithful").headline
        assert_frame_equal(runs.filter(run=row["run"]).select(wanted.columns), wanted)
    assert len(list(whole.folder.iterdir())) == 2


def test_the_table_tells_each_scenario_apart(whole: Batch) -> None:
    supply = whole.table().filter(metric="supply_gold")
    assert supply["of"].to_list() == [2, 2]
    assert supply["value"].to_list() == [
        whole.runs().filter(scenario=name)["supply_gold"].mean() for name in SCENARIOS
    ]


def test_shards_and_threads_leave_the_same_rows(whole: Batch, tmp_path: Path) -> None:
    again(tmp_path, shard="2/2", workers="thread:2")
    assert Batch(tmp_path).missing() == [0, 2]
    both, told = again(tmp_path, shard="1/2")
    assert sorted(told) == [0, 2]
    assert_frame_equal(both.runs(), whole.runs())


def test_a_rerun_plays_only_what_is_missing(
    whole: Batch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again(tmp_path, replications=1)
    rows = tmp_path / "runs-1-of-1.jsonl"
    rows.write_bytes(rows.read_bytes()[:-9])  # A command that ended while it wrote.
    assert Batch(tmp_path).missing() == [1]
    totals, begun = numbers_of_run, list[int]()

    def watched(job: RunJob) -> Numbers:
        begun.append(job.run)
        return totals(job)

    monkeypatch.setattr(batches, "numbers_of_run", watched)
    found, told = again(tmp_path)
    assert begun == [1, 2, 3]
    assert sorted(told) == list(range(4))
    assert_frame_equal(found.runs(), whole.runs())


def test_a_run_that_fails_is_a_row_and_is_played_again(
    whole: Batch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    totals = numbers_of_run

    def fails_once(job: RunJob) -> Numbers:
        if job.run == 0:
            raise StorageError("the disk is full")
        return totals(job)

    with monkeypatch.context() as patched:
        patched.setattr(batches, "numbers_of_run", fails_once)
        found, _ = again(tmp_path, replications=1)
    assert found.failures().rows() == [(0, "base", 0, "StorageError", "the disk is full")]
    assert found.runs().height == 1
    mended, _ = again(tmp_path, replications=1)
    assert mended.failures().is_empty()
    assert_frame_equal(mended.runs(), whole.runs().filter(replication=0))


def test_a_replayed_run_is_the_replication_to_the_byte(whole: Batch, tmp_path: Path) -> None:
    seen = replay(whole.folder, run=3, out=tmp_path / "again")
    assert seen.ledger.select(pl.len()).collect().item() > 0
    job = Job(SCENARIOS["dear"], 5, 1, tmp_path / "all")
    assert replication_jobs.play(job)["files"] == digests(tmp_path / "again")


def test_a_replay_takes_nobody_s_files_away(whole: Batch, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    for folder in (tmp_path, whole.folder):
        before = sorted(folder.iterdir())
        with pytest.raises(MisuseError, match="choose an empty folder"):
            replay(whole.folder, run=0, out=folder)
        assert sorted(folder.iterdir()) == before


def test_a_replay_that_shows_something_else_is_said(tmp_path: Path) -> None:
    found = batch({"base": BASE}, out=tmp_path)
    rows = tmp_path / "runs-1-of-1.jsonl"
    (row,) = read_lines(rows)
    add_line(rows, {**row, "numbers": {**row["numbers"], "supply_gold": 1}})
    with pytest.raises(RunDiffersError, match="supply_gold"):
        replay(found.folder, run=0)


def test_a_scenario_is_rebuilt_from_what_is_written() -> None:
    sale = Scenario.load("sale_week", players=20, days=10).with_item("moon_cake", like="flower_bouquet")
    own = sale.with_archetype("streamer", like="casual", share=0.1).replace(
        closed=frozenset({"train", "buy"})
    )
    found = rebuilt(definition(own), words(own.economy))
    assert definition(found) == definition(own)
    assert found.economy == own.economy
    assert found.closed == own.closed


def test_a_folder_of_another_batch_is_refused(whole: Batch, tmp_path: Path) -> None:
    with pytest.raises(MisuseError, match=r"seed differ.*--out"):
        again(whole.folder, seed=6)
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(MisuseError, match="not empty"):
        again(tmp_path)
    with pytest.raises(MisuseError, match="holds no batch"):
        Batch(tmp_path)
    (tmp_path / "batch.json").write_bytes(b"{")
    with pytest.raises(MisuseError, match="cannot be read"):
        Batch(tmp_path)
    with pytest.raises(MisuseError, match="cannot be read"):
        again(tmp_path)


@pytest.mark.parametrize(
    "scenarios", [{}, [], [BASE, BASE], {"base": "baseline"}, ["baseline"], "baseline", BASE]
)
def test_what_is_no_batch_is_refused(scenarios: object) -> None:
    with pytest.raises(MisuseError, match="scenario"):
        batch(scenarios)  # type: ignore[arg-type]  # What a notebook may pass.


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"keep": "ledgers"}, "near it: ledger"),
        ({"workers": "dusk"}, "dask or dask:N"),
        ({"seed": 1.5}, "whole number"),
        ({"metrics": ("gini",)}, "no metric of your own"),
        ({"shard": "2"}, "3/10"),
    ],
)
def test_what_is_refused_leaves_no_folder(
    options: dict[str, object], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(MisuseError, match=said):
        batch(SCENARIOS, **options)  # type: ignore[arg-type]  # What a notebook may pass.
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_that_is_kept_is_that_of_the_replay(whole: Batch, tmp_path: Path) -> None:
    kept, _ = again(tmp_path, keep="ledger", replications=1)
    wanted = replay(whole.folder, run=1, out=tmp_path.with_name("replayed"))
    assert_frame_equal(kept.observations(1).ledger.collect(), wanted.ledger.collect())
    assert_frame_equal(kept.runs(), whole.runs().filter(replication=0), rel_tol=1e-9)
    assert not kept.observations(1).has_activity
    with pytest.raises(MisuseError, match=r"km\.replay\(.*run=1\)"):
        whole.observations(1)


def test_everything_that_is_kept_has_the_activity_too(tmp_path: Path) -> None:
    kept = batch({"base": BASE}, keep="all", out=tmp_path)
    assert kept.observations(0).activity.collect().height > 0
    assert (tmp_path / "runs" / "000000" / "stored").is_dir()


def test_what_a_killed_worker_left_hinders_no_later_one_of_its_number(tmp_path: Path) -> None:
    left = tmp_path / "runs" / f".000000.{os.getpid()}"
    left.mkdir(parents=True)
    numbers = numbers_of_run(RunJob(0, "base", BASE, 1, "faithful", keep="ledger", folder=tmp_path))
    assert numbers["supply_gold"] == play_totals(BASE, 1, "faithful").headline["supply_gold"].item()
    assert {path.name for path in left.parent.iterdir()} == {left.name, "000000"}


@pytest.fixture
def whale_share() -> Iterator[str]:
    """A metric of a notebook: a function that no other process finds by its name."""
    share = 0.1

    def whale_share(seen: Observations) -> float:
        """The tenth of the supply."""
        gold = seen.ledger.filter(pl.col("currency") == "gold")
        return share * float(gold.select(pl.col("amount").sum()).collect().item())

    own_metric(whale_share)
    yield "whale_share"
    del METRICS["whale_share"]


@pytest.mark.parametrize("workers", ["serial", "process:1"])
def test_a_metric_of_ones_own_is_a_column(whale_share: str, workers: str) -> None:
    found = batch({"base": BASE}, metrics=[whale_share], workers=workers)
    row = found.runs().row(0, named=True)
    assert row["whale_share"] == pytest.approx(0.1 * row["supply_gold"])
    assert "whale_share" in found.table()["metric"].to_list()
    replay(found.folder, run=0)


def test_a_metric_of_ones_own_of_more_than_one_number_is_said(whale_share: str) -> None:
    METRICS[whale_share] = METRICS[whale_share]._replace(function=lambda seen: seen.players)
    failed = batch({"base": BASE}, metrics=[whale_share]).failures()
    assert "a batch keeps metrics that answer one number" in failed["message"][0]


def test_stages_of_ones_own_are_not_replayed(tmp_path: Path) -> None:
    found = batch({"own": BASE.with_stage("wish", BASE.story()[0])}, out=tmp_path)
    with pytest.raises(MisuseError, match="no file holds"):
        found.scenario_of(0)


def test_shards_share_all_runs() -> None:
    parts = [Shard.read(f"{number}/3").of(range(10)) for number in (1, 2, 3)]
    assert sorted(run for part in parts for run in part) == list(range(10))
    for word in ("0/3", "4/3", "3", "a/b"):
        with pytest.raises(MisuseError, match="3/10"):
            Shard.read(word)
