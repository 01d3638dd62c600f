"""The command line says what failed: a broken ledger, a broken store, Ctrl-C."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import time
from typing import TYPE_CHECKING, Final

import orjson
import polars as pl
import pytest

from kokoromichi.core.errors import StorageError
from tests.simulation.commands import (
    AUDIT_FAILED,
    INTERRUPTED,
    PATIENCE_S,
    STORAGE_FAILED,
    TINY,
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
    from pathlib import Path


@pytest.fixture
def tampered(played: Path, tmp_path: Path) -> Path:
    """A run of which one ledger has a row more gold than it says."""
    folder = tmp_path / "tampered"
    shutil.copytree(played, folder)
    path = folder / "replications/001/ledger.parquet"
    ledger = pl.read_parquet(path).with_row_index()
    row = ledger.filter(pl.col("kind") == "battle")["index"][3]
    minted = pl.when(pl.col("index") == row).then(pl.col("amount") + 1_000).otherwise("amount")
    ledger.with_columns(amount=minted).drop("index").write_parquet(path)
    return folder


def test_audit_of_a_ledger_that_was_tampered_with(tampered: Path) -> None:
    result = invoke("audit", tampered)
    assert result.exit_code == AUDIT_FAILED
    lines = result.stdout.splitlines()
    assert lines[0].endswith("replications/000: sound")
    assert lines[1].endswith("replications/001: broken")
    assert re.fullmatch(r"  law \d, .+: [1-9]\d*", lines[2])
    assert re.search(r"Error: [1-9]\d* violations", result.stderr)
    asked = invoke("audit", tampered, "--json")
    assert asked.exit_code == AUDIT_FAILED
    assert orjson.loads(asked.stdout)["sound"] is False


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

    monkeypatch.setattr("kokoromichi.simulation.run.simulate", fails)
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


@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers as Linux lists them")
@pytest.mark.parametrize(
    ("workers", "after_s"), [("serial", 2), ("process:2", 0), ("process:2", 0.5), ("process:2", 3)]
)
def test_control_c_does_not_wait_for_a_long_replication(tmp_path: Path, workers: str, after_s: float) -> None:
    """Minutes are left to play; the command has a quarter of one, whatever its workers were at."""
    folder = tmp_path / "run"
    command = start(folder, workers, days=20_000)
    while not (folder / "manifest.json").is_file() or (
        workers != "serial" and len(workers_of(command.pid)) < 2
    ):
        assert command.poll() is None
    time.sleep(after_s)
    os.killpg(command.pid, signal.SIGINT)
    try:
        _, err = command.communicate(timeout=15)
    finally:
        kill(command)
    assert (command.returncode, err) == (INTERRUPTED, SAID_ON_INTERRUPTION)
    assert done_in(folder) == 0
    assert not any((folder / "replications").glob(".*"))
