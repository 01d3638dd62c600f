"""The command line says what failed: a broken ledger, a broken store, Ctrl-C."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import sys
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson
import polars as pl
import pytest

from kokoromichi.core.errors import StorageError
from kokoromichi.simulation.replication_jobs import Job, run_jobs
from kokoromichi.simulation.scenario import Scenario
from tests.simulation.commands import (
    AUDIT_FAILED,
    DONE,
    INTERRUPTED,
    PATIENCE_S,
    SEED,
    STORAGE_FAILED,
    TINY,
    USAGE,
    digests,
    done_in,
    finish,
    invoke,
    kill,
    start,
    wait_until_done,
    workers_of,
)

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable


@pytest.fixture
def tampered(played: Path, tmp_path: Path) -> Path:
    """A copy of a run, to be damaged."""
    return Path(shutil.copytree(played, tmp_path / "tampered"))


def mint(ledger: pl.DataFrame) -> pl.DataFrame:
    """A row has more gold than it had."""
    indexed = ledger.with_row_index()
    row = indexed.filter(pl.col("kind") == "battle")["index"][3]
    minted = pl.when(pl.col("index") == row).then(pl.col("amount") + 1_000).otherwise("amount")
    return indexed.with_columns(amount=minted).drop("index")


def rewrite(folder: Path, damage: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Damage the second replication's ledger."""
    path = folder / "replications/001/ledger.parquet"
    damage(pl.read_parquet(path)).write_parquet(path)


def forget_digests(folder: Path) -> None:
    """Leave nothing to compare but the stored balances, inventories and stock."""
    path = folder / "replications/001/summary.json"
    summary = orjson.loads(path.read_bytes())
    del summary["files"]
    path.write_bytes(orjson.dumps(summary))


def test_audit_of_a_ledger_that_was_tampered_with(tampered: Path) -> None:
    rewrite(tampered, mint)
    result = invoke("audit", tampered)
    assert result.exit_code == AUDIT_FAILED
    lines = result.stdout.splitlines()
    assert lines[0].endswith("replications/000: sound")
    assert lines[1].endswith("replications/001: broken")
    assert lines[2] == "  ledger.parquet is not what the run wrote"
    assert lines[3] == "  law 1, broken_balance_chains: 1"
    assert re.fullmatch(r"law 1: .* is the stored balance: 1 violations", lines[4])
    assert re.fullmatch(r"  user_id p\d{5}, currency gold, ledger \d+, stored \d+", lines[5])
    assert re.search(r"Error: \d+ violations", result.stderr)
    asked = invoke("audit", tampered, "--json")
    assert asked.exit_code == AUDIT_FAILED
    answer = orjson.loads(asked.stdout)
    assert answer["sound"] is False
    sound, broken = answer["ledgers"].values()
    assert (sound["changed_files"], sound["violations"]) == ([], {})
    assert (broken["changed_files"], set(broken["violations"])) == (["ledger.parquet"], {"1", "3"})


CUTS: Final[dict[str, Callable[[pl.DataFrame], pl.DataFrame]]] = {
    "the last row": lambda ledger: ledger.head(-1),
    "the last tenth": lambda ledger: ledger.head(ledger.height * 9 // 10),
    "all but a row": lambda ledger: ledger.head(1),
    "every row": lambda ledger: ledger.clear(),
    "a player": lambda ledger: ledger.filter(pl.col("user_id") != ledger["user_id"][-1]),
}


@pytest.mark.parametrize("cut", CUTS)
def test_a_ledger_that_was_cut_short_is_found_by_what_is_stored_beside_it(tampered: Path, cut: str) -> None:
    rewrite(tampered, CUTS[cut])
    forget_digests(tampered)
    result = invoke("audit", tampered, "--json")
    assert result.exit_code == AUDIT_FAILED
    sound, broken = orjson.loads(result.stdout)["ledgers"].values()
    assert (sound["violations"], broken["changed_files"]) == ({}, [])
    assert {"1", "2"} & set(broken["violations"])
    shutil.rmtree(tampered / "replications/001/stored")
    alone = invoke("audit", tampered / "replications/001")
    if cut != "a player":  # Its numbers are missing among those of the others.
        assert alone.exit_code == DONE
        assert alone.stdout.endswith("sound, as far as a ledger alone shows\n")


def test_a_replication_that_is_missing_is_no_sound_run(tampered: Path) -> None:
    shutil.rmtree(tampered / "replications/001")
    result = invoke("audit", tampered)
    assert result.exit_code == AUDIT_FAILED
    assert result.stdout.splitlines()[-1].endswith("replications/001: missing, though the manifest counts it")
    shutil.rmtree(tampered / "replications/000")
    told = orjson.loads(invoke("audit", tampered, "--json").stdout)
    assert (told["sound"], told["ledgers"], len(told["missing_replications"])) == (False, {}, 2)


@pytest.mark.parametrize("failing", ["ledger.parquet", "summary.json"])
def test_a_full_disk_is_a_sentence_and_a_storage_failure(
    failing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")

    def no_space(*_: object) -> None:
        raise pl.exceptions.ComputeError(str(full)) if failing.endswith("parquet") else full

    named = "polars.DataFrame.write_parquet" if failing.endswith("parquet") else "pathlib.Path.rename"
    monkeypatch.setattr(named, no_space)
    result = invoke("simulate", "baseline", *TINY, "--workers", "serial", "--out", tmp_path / "run")
    assert result.exit_code == STORAGE_FAILED
    assert "No space left on device" in result.stderr
    assert "a rerun plays the rest" in result.stderr.replace("\n", " ")


def test_stock_is_audited_too(tampered: Path) -> None:
    path = tampered / "replications/001/stored/stock.parquet"
    pl.read_parquet(path).with_columns(pl.col("now") - 1).write_parquet(path)
    forget_digests(tampered)
    result = invoke("audit", tampered, "--json")
    assert result.exit_code == AUDIT_FAILED
    broken = orjson.loads(result.stdout)["ledgers"][f"{tampered}/replications/001"]["violations"]
    assert set(broken) == {"6"}


FILES: Final = ("ledger", "activity", "economy_history", "players", "stored/balances", "stored/stock")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["edited", "torn", "holed", "gone"])
def test_a_file_that_is_not_what_the_run_wrote_is_found(tampered: Path, name: str, damage: str) -> None:
    """Also where every law still holds: a kind, a date, a refusal that was written over."""
    path = tampered / f"replications/001/{name}.parquet"
    if damage == "edited":
        pl.read_parquet(path).reverse().write_parquet(path)
    elif damage == "torn":
        path.write_bytes(path.read_bytes()[:-40])
    elif damage == "holed":
        whole = path.read_bytes()
        path.write_bytes(whole[:4] + bytes(60) + whole[64:])
    else:
        path.unlink()
    result = invoke("audit", tampered)
    assert result.exit_code == AUDIT_FAILED
    assert f"  {name}.parquet is not what the run wrote" in result.stdout.splitlines()


def test_a_file_too_many_is_found(tampered: Path) -> None:
    ledger = tampered / "replications/001/ledger.parquet"
    shutil.copy(ledger, ledger.with_name("ledger_2.parquet"))
    result = invoke("audit", tampered)
    assert result.exit_code == AUDIT_FAILED
    assert "  ledger_2.parquet is not what the run wrote" in result.stdout.splitlines()


def test_stored_states_that_cannot_be_read_are_no_sound_run(tampered: Path) -> None:
    (tampered / "replications/001/stored/stock.parquet").unlink()
    forget_digests(tampered)
    result = invoke("audit", tampered)
    assert result.exit_code == USAGE
    assert "stored cannot be read" in result.stderr


def test_simulate_says_that_an_audit_failed(played: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(played, folder)
    summary = folder / "replications/000/summary.json"
    told = orjson.loads(summary.read_bytes())
    summary.write_bytes(orjson.dumps({**told, "audit_sound": False, "audit_violations": {"1": 2}}))
    result = invoke("simulate", "baseline", *TINY, "--out", folder, "--json")
    assert result.exit_code == AUDIT_FAILED
    assert orjson.loads(result.stdout)["sound"] is False
    assert re.search(r"a ledger breaks a law;.*summary\.json says which", result.stderr.replace("\n", " "))


def test_a_storage_failure_has_its_own_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fails(*_: object, **__: object) -> None:
        message = "storage is unavailable, nothing was charged"
        raise StorageError(message)

    monkeypatch.setattr("kokoromichi.simulation.simulate.simulate", fails)
    result = invoke("simulate", "baseline", *TINY, "--out", tmp_path / "run")
    assert result.exit_code == STORAGE_FAILED
    assert "nothing was charged" in result.stderr


def interrupted(command: subprocess.Popen[str]) -> str:
    """Press Ctrl-C as a terminal does, for the whole group; what the command says to it."""
    try:
        os.killpg(command.pid, signal.SIGINT)
        out, err = command.communicate(timeout=PATIENCE_S)
    finally:
        kill(command)
    assert (command.returncode, out) == (INTERRUPTED, "")
    return err


SAID_ON_INTERRUPTION: Final = (
    "Error: Interrupted. What is finished is kept; give the same command again, and it goes on.\n"
)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends signals as POSIX does")
@pytest.mark.parametrize("workers", ["serial", "process:2"])
def test_control_c_keeps_what_is_finished_and_a_rerun_goes_on(tmp_path: Path, workers: str) -> None:
    folder = tmp_path / "run"
    command = start(folder, workers, 3, days=80)
    wait_until_done(folder, 1)
    time.sleep(0.3)  # Within the next one, not between the two.
    assert interrupted(command) == SAID_ON_INTERRUPTION
    kept = {name: found for name, found in digests(folder).items() if name.startswith("replications")}
    assert len(kept) >= 5
    assert all("/." not in name for name in kept)
    finish(folder, workers, 3, days=80)
    theirs = digests(folder)
    assert kept == {name: theirs[name] for name in kept}
    assert done_in(folder) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="holds signals back as POSIX does")
def test_control_c_is_heard_while_workers_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    start_process = BaseProcess.start

    def interrupted_start(process: BaseProcess) -> None:
        signal.raise_signal(signal.SIGINT)
        start_process(process)

    monkeypatch.setattr(BaseProcess, "start", interrupted_start)
    scenario = Scenario.load("baseline", players=60, days=20_000)
    jobs = [Job(scenario, SEED, number, tmp_path) for number in range(2)]
    with pytest.raises(KeyboardInterrupt):
        list(run_jobs(jobs, "process:1", lambda _job, _summary: None))
    assert workers_of(os.getpid()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers as Linux lists them")
@pytest.mark.parametrize(("workers", "after_s"), [("serial", 1), ("process:2", 0), ("process:2", 2)])
def test_control_c_does_not_wait_for_a_long_replication(tmp_path: Path, workers: str, after_s: float) -> None:
    """Many minutes are left to play; the command has one, whatever its workers were at."""
    folder = tmp_path / "run"
    command = start(folder, workers, days=20_000)
    while not (folder / "manifest.json").is_file() or (
        workers != "serial" and len(workers_of(command.pid)) < 2
    ):
        assert command.poll() is None
        time.sleep(0.02)
    time.sleep(after_s)
    os.killpg(command.pid, signal.SIGINT)
    try:
        _, err = command.communicate(timeout=60)
    finally:
        kill(command)
    assert (command.returncode, err) == (INTERRUPTED, SAID_ON_INTERRUPTION)
    assert done_in(folder) == 0
    assert not any((folder / "replications").glob(".*"))
