"""Batches: the same bytes however they are played, resumed after any interruption, one job's loss its own."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson
import polars as pl
import pytest

from kokoromichi.core.errors import MisuseError
from kokoromichi.simulation import replication_jobs
from kokoromichi.simulation.manifest import identity_of, manifest
from kokoromichi.simulation.replication_jobs import (
    Job,
    play,
    prepare,
    replication_seed,
    run_jobs,
)
from kokoromichi.simulation.run import Run
from kokoromichi.simulation.scenario import Scenario
from kokoromichi.simulation.simulate import BatchError, simulate
from tests.project.checkout import ROOT
from tests.project.checkout import run as printed
from tests.simulation.commands import (
    SEED,
    digests,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

STREAMS: Final = ("ledger", "activity", "economy_history", "players")
STORED: Final = ("stored/balances", "stored/inventories", "stored/stock")
PLAYERS, DAYS = 24, 6


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return Scenario.load("baseline", players=PLAYERS, days=DAYS)


@pytest.fixture(scope="module")
def reference(scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three replications, played one after the other in this process."""
    folder = tmp_path_factory.mktemp("reference")
    simulate(scenario, replications=3, seed=SEED, workers="serial", out=folder).report()
    return folder


def test_a_run_leaves_what_it_says_and_nothing_else(reference: Path) -> None:
    replications = [
        f"replications/{number:03d}/{name}"
        for number in range(3)
        for name in (*(f"{file}.parquet" for file in (*STREAMS, *STORED)), "summary.json")
    ]
    assert sorted(digests(reference)) == sorted(["manifest.json", *replications])
    summary = orjson.loads((reference / "replications/001/summary.json").read_bytes())
    ledger = pl.read_parquet(reference / "replications/001/ledger.parquet")
    assert (summary["replication"], summary["ledger_rows"]) == (1, ledger.height)
    assert summary["audit_sound"] is True
    assert set(summary["audit_violations"].values()) == {0}
    written = {name.removeprefix("replications/001/"): digest for name, digest in digests(reference).items()}
    assert summary["files"].items() <= written.items()
    assert len(summary["files"]) == len(STREAMS) + len(STORED)


@pytest.mark.parametrize("workers", ["serial", "process:2", "thread:2"])
def test_the_same_seed_gives_the_same_bytes_whatever_the_workers(
    scenario: Scenario, reference: Path, tmp_path: Path, workers: str
) -> None:
    run = simulate(scenario, replications=3, seed=SEED, workers=workers, out=tmp_path / "run")
    assert digests(run.folder) == digests(reference)


def test_the_same_bytes_give_the_same_report(reference: Path, tmp_path: Path) -> None:
    run = Run(Path(shutil.copytree(reference, tmp_path / "run")))
    assert run.report(tmp_path / "report.html").path.read_bytes() == (reference / "report.html").read_bytes()


def test_another_seed_gives_another_ledger(scenario: Scenario, reference: Path, tmp_path: Path) -> None:
    simulate(scenario, replications=1, seed=SEED + 1, workers="serial", out=tmp_path)
    mine, theirs = digests(tmp_path), digests(reference)
    for stream in ("ledger", "activity"):
        assert mine[f"replications/000/{stream}.parquet"] not in theirs.values()


def test_replications_of_one_batch_differ_from_one_another(reference: Path) -> None:
    found = digests(reference)
    for stream in ("ledger", "activity", "players"):
        assert len({found[f"replications/{number:03d}/{stream}.parquet"] for number in range(3)}) == 3


def test_neighbouring_seeds_and_replications_share_nothing() -> None:
    seeds = {replication_seed(seed, number) for seed in range(-20, 20) for number in range(50)}
    assert len(seeds) == 40 * 50


def test_numbers_do_not_depend_on_the_order_of_the_jobs(
    scenario: Scenario, reference: Path, tmp_path: Path
) -> None:
    identity, folder = identity_of(manifest(scenario, SEED, 3)), tmp_path / "replications"
    jobs = [Job(scenario, SEED, number, folder, identity=identity) for number in (2, 0, 1)]
    order: list[int] = []
    assert list(run_jobs(jobs, "serial", lambda job, _: order.append(job.replication))) == []
    assert order == [2, 0, 1]
    theirs = digests(reference)
    assert {name: theirs[name] for name in digests(tmp_path)} == digests(tmp_path)


class Played:
    """Counts the jobs that a batch plays; those that are done already do not come here."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.numbers: list[int] = []
        monkeypatch.setattr(replication_jobs, "play", self.play)

    def play(self, job: Job) -> dict[str, object]:
        self.numbers.append(job.replication)
        return play(job)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    return Played(monkeypatch)


def test_a_rerun_plays_only_what_is_missing(
    scenario: Scenario, reference: Path, tmp_path: Path, played: Played
) -> None:
    done: list[int] = []

    def again() -> None:
        done.clear()
        played.numbers.clear()
        simulate(
            scenario,
            replications=3,
            seed=SEED,
            workers="serial",
            out=tmp_path,
            on_done=lambda job, _: done.append(job.replication),
        )

    again()
    assert (played.numbers, done) == ([0, 1, 2], [0, 1, 2])
    again()
    assert (played.numbers, done) == ([], [0, 1, 2])
    shutil.rmtree(tmp_path / "replications/001")
    again()
    assert (played.numbers, done) == ([1], [0, 2, 1])
    assert digests(tmp_path) == digests(reference)


def test_more_replications_extend_a_run_and_keep_what_is_done(
    scenario: Scenario, reference: Path, tmp_path: Path, played: Played
) -> None:
    simulate(scenario, replications=1, seed=SEED, workers="serial", out=tmp_path)
    simulate(scenario, replications=3, seed=SEED, workers="serial", out=tmp_path)
    assert played.numbers == [0, 1, 2]
    assert digests(tmp_path) == digests(reference)


def test_fewer_replications_read_only_those(scenario: Scenario, reference: Path, tmp_path: Path) -> None:
    simulate(scenario, replications=3, seed=SEED, workers="serial", out=tmp_path)
    fewer = simulate(scenario, replications=2, seed=SEED, workers="serial", out=tmp_path)
    assert fewer.health()["replication"].to_list() == [1, 2]
    simulate(scenario, replications=3, seed=SEED, workers="serial", out=tmp_path)
    assert digests(tmp_path) == digests(reference)


def test_what_an_interrupted_job_left_does_not_count_and_is_cleaned(
    scenario: Scenario, reference: Path, tmp_path: Path, played: Played
) -> None:
    simulate(scenario, replications=1, seed=SEED, workers="serial", out=tmp_path)
    half = tmp_path / "replications" / ".001.4194305"
    half.mkdir()
    (half / "ledger.parquet").write_bytes(b"PAR1 and no more")
    simulate(scenario, replications=3, seed=SEED, workers="serial", out=tmp_path)
    assert played.numbers == [0, 1, 2]
    assert digests(tmp_path) == digests(reference)


def test_a_job_that_another_worker_finished_meanwhile_is_done(
    scenario: Scenario, reference: Path, tmp_path: Path
) -> None:
    """Two commands on one folder, or a worker that outlived its parent: both made the same bytes."""
    identity = identity_of(manifest(scenario, SEED, 3))
    job = Job(scenario, SEED, 0, tmp_path / "replications", identity=identity)
    assert play(job) == play(job)
    theirs = digests(reference)
    assert {name: theirs[name] for name in digests(tmp_path)} == digests(tmp_path)


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no room for a file of replication 1."""
    write = pl.DataFrame.write_parquet

    def full(frame: pl.DataFrame, file: Path, **options: Any) -> None:
        if file.name == "players.parquet" and file.parent.name.startswith(".001"):
            raise OSError(28, "No space left on device")
        write(frame, file, **options)

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)


@pytest.mark.usefixtures("full_disk")
def test_a_job_that_fails_leaves_nothing(scenario: Scenario, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        play(Job(scenario, SEED, 1, tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_fails_costs_only_itself(
    scenario: Scenario, reference: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("full_disk")
    with pytest.raises(
        BatchError, match=r"1 of 3 replications failed.*\(number 1\).*No space left.*a rerun plays the rest"
    ):
        simulate(scenario, replications=3, seed=SEED, workers="serial", out=tmp_path)
    assert sorted(path.name for path in (tmp_path / "replications").iterdir()) == ["000", "002"]
    with pytest.raises(MisuseError, match=r"lacks replications 001: .*give the same command again"):
        Run(tmp_path).metrics()
    request.getfixturevalue("monkeypatch").undo()
    simulate(scenario, replications=3, seed=SEED, workers="serial", out=tmp_path)
    assert digests(tmp_path) == digests(reference)


# Another run in the folder.


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": SEED + 1}, "seed"),
        ({"scenario": "other days"}, "days"),
        ({"scenario": "other prices"}, "economy_hash"),
    ],
)
def test_the_folder_of_another_run_is_refused_with_the_cure(
    scenario: Scenario, reference: Path, change: Mapping[str, object], named: str
) -> None:
    others = {
        "other days": scenario.replace(days=DAYS + 1),
        "other prices": scenario.with_economy({"store.health_potion.price_gold": 101}),
    }
    other = others.get(str(change.get("scenario")), scenario)
    seed = SEED + 1 if "seed" in change else SEED
    before = digests(reference)
    with pytest.raises(MisuseError, match=f"holds another run .*{named}.*choose another folder with --out"):
        simulate(other, replications=3, seed=seed, workers="serial", out=reference)
    assert digests(reference) == before


def test_a_folder_of_other_files_is_refused_and_left_alone(scenario: Scenario, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(MisuseError, match=r"is not empty and holds no manifest.json.*--out"):
        prepare(tmp_path, manifest(scenario, SEED, 1))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_in_the_place_of_the_folder_is_refused(scenario: Scenario, tmp_path: Path) -> None:
    taken = tmp_path / "out"
    taken.write_text("a file", encoding="utf-8")
    with pytest.raises(MisuseError, match="is a file: choose a folder with --out"):
        prepare(taken, manifest(scenario, SEED, 1))
    assert taken.read_text(encoding="utf-8") == "a file"


def test_the_manifest_says_everything_that_decides_the_bytes(scenario: Scenario) -> None:
    base = manifest(scenario, SEED, 3)
    changed = scenario.with_economy({"daily.gold": [1] * 10})
    others = {
        "seed": manifest(scenario, SEED + 1, 3),
        "days": manifest(scenario.replace(days=DAYS + 1), SEED, 3),
        "scenario_hash": manifest(scenario.replace(leave_percent=50), SEED, 3),
        "economy_hash": manifest(changed, SEED, 3),
        "weights_digest": manifest(scenario.replace(closed=frozenset({"train"})), SEED, 3),
    }
    for key, other in others.items():
        assert other[key] != base[key], key
        assert other != base
    assert orjson.loads(orjson.dumps(base))["definition"]["economy"]["opening"]["gold"] == 10_000


def test_the_manifest_is_the_same_in_every_process() -> None:
    """Else a rerun would take its own run for another one: a set has its own order in every process."""
    program = (
        "import kokoromichi as km, orjson; from kokoromichi.simulation.manifest import manifest;"
        "print(orjson.dumps(manifest(km.Scenario.load('no_sinks'), 1, 1)).decode())"
    )
    told = {printed(sys.executable, "-c", program, cwd=ROOT, PYTHONHASHSEED=seed) for seed in "123"}
    assert len(told) == 1


@pytest.mark.parametrize(
    "word", ["", "threads", "serial:2", "process:0", "process:-1", "process:x", "process:1:2"]
)
def test_unknown_workers_are_refused_before_anything_is_played(
    scenario: Scenario, tmp_path: Path, word: str
) -> None:
    jobs = [Job(scenario, SEED, 0, tmp_path)]
    with pytest.raises(MisuseError, match="use serial, process or process:N"):
        list(run_jobs(jobs, word, lambda _job, _summary: None))
    assert list(tmp_path.iterdir()) == []


def test_a_job_knows_its_folder(scenario: Scenario, tmp_path: Path) -> None:
    assert Job(scenario, SEED, 7, tmp_path).target == tmp_path / "007"


def test_a_folder_that_is_played_over_keeps_nothing_of_the_run_before(
    scenario: Scenario, tmp_path: Path
) -> None:
    simulate(scenario.replace(days=1), replications=2, seed=SEED, out=tmp_path)
    (tmp_path / "report.html").write_text("of the run before", encoding="utf-8")
    prepare(tmp_path, manifest(scenario, SEED, 1), replace=True)
    assert list(digests(tmp_path)) == ["manifest.json"]
    assert not (tmp_path / "report.html").exists()


def test_what_another_run_left_is_no_replication_of_this_one(scenario: Scenario, tmp_path: Path) -> None:
    """A folder that was copied from another run, or a summary that was torn, is played again."""
    small = scenario.replace(days=1)
    mine, other = simulate(small, replications=2, out=tmp_path / "mine"), tmp_path / "other"
    simulate(small.scaled({"daily.gold": 5}), replications=2, out=other)
    played, right = tmp_path / "mine/replications", mine.metrics()
    shutil.rmtree(played / "000")
    shutil.copytree(other / "replications/000", played / "000")
    (played / "001/summary.json").write_bytes(b"{")
    with pytest.raises(MisuseError, match="or they are another run's"):
        Run(mine.folder).metrics()
    assert simulate(small, replications=2, out=mine.folder).metrics().equals(right)


def test_a_job_leaves_nothing_in_a_folder_in_which_another_run_was_begun(
    scenario: Scenario, tmp_path: Path
) -> None:
    told = manifest(scenario, SEED, 1)
    prepare(tmp_path, told)
    job = Job(scenario.replace(days=1), SEED, 0, tmp_path / "replications", identity=identity_of(told))
    prepare(tmp_path, manifest(scenario, SEED + 1, 1))
    with pytest.raises(MisuseError, match="another run was begun in"):
        play(job)
    assert list((tmp_path / "replications").iterdir()) == []


def test_a_run_of_which_nothing_was_played_gives_way(scenario: Scenario, tmp_path: Path) -> None:
    prepare(tmp_path, manifest(scenario, SEED, 1))
    prepare(tmp_path, manifest(scenario, SEED + 1, 1))
    assert orjson.loads((tmp_path / "manifest.json").read_bytes())["seed"] == SEED + 1
