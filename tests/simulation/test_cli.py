"""The command line: what it prints where, its exit codes, and that no wrong word ends in a traceback."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson
import polars as pl
import pytest
from typer.testing import CliRunner

from kokoromichi import __version__
from kokoromichi.cli import app
from kokoromichi.core.errors import StorageError
from kokoromichi.settings import shipped_folder
from tests.house.checkout import ROOT, SCRIPT, finished
from tests.simulation.commands import (
    PATIENCE_S,
    digests,
    done_in,
    finish,
    kill,
    start,
    wait_until_done,
    workers_of,
)

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from typer.testing import Result

DONE, TARGET_MISSED, USAGE, AUDIT_FAILED, STORAGE_FAILED, INTERRUPTED = 0, 1, 2, 3, 4, 130
TINY: Final = ("--players", "16", "--days", "4", "--replications", "2", "--seed", "7", "--workers", "serial")
COMMANDS: Final = ((), ("simulate",), ("report",), ("audit",), ("economy",), ("economy", "check"))


def invoke(*words: str | Path) -> Result:
    """Run a command in this process; an error that it does not expect comes through."""
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert "Traceback" not in result.output
    return result


@dataclass(frozen=True)
class Answered:
    """A run, and what the command said that played it."""

    folder: Path
    result: Result


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Answered:
    folder = tmp_path_factory.mktemp("cli") / "new" / "run"
    return Answered(folder, invoke("simulate", "baseline", *TINY, "--out", folder))


@pytest.fixture(scope="module")
def played(answered: Answered) -> Path:
    return answered.folder


# What is done.


def test_simulate_ends_by_saying_where_the_report_is(answered: Answered) -> None:
    said = answered.result.stdout
    assert answered.result.exit_code == DONE
    assert said.splitlines()[-1] == f"The report: {answered.folder / 'report.html'}"
    assert "The audit is sound: every law holds over" in said
    assert "sink_faucet_ratio" in said
    assert (answered.folder / "report.html").is_file()
    assert done_in(answered.folder) == 2


def test_a_single_replication_has_no_interval_to_print(tmp_path: Path) -> None:
    words = ("--players", "8", "--days", "2", "--replications", "1", "--workers", "serial", "--out", tmp_path)
    result = invoke("simulate", "baseline", *words)
    assert result.exit_code == DONE
    assert "inf" not in result.stdout.replace("info", "")


def test_json_is_one_object_and_nothing_else(played: Path) -> None:
    result = invoke("simulate", "baseline", *TINY, "--out", played, "--json")
    assert result.exit_code == DONE
    assert result.stderr == ""
    answer = orjson.loads(result.stdout)
    assert answer["folder"] == str(played)
    assert answer["report"] == str(played / "report.html")
    assert answer["sound"] is True
    assert answer["findings"] == []
    ledgers = [pl.read_parquet(path).height for path in played.glob("replications/*/ledger.parquet")]
    assert answer["ledger_rows"] == sum(ledgers)
    assert set(answer["metrics"]["supply_gold"]) == {"mean", "low", "high", "replications"}


def test_a_pipe_gets_plain_text_and_no_progress(tmp_path: Path) -> None:
    done = finished(SCRIPT, "simulate", "baseline", *TINY, "--out", tmp_path / "run", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (DONE, "")
    assert "\x1b" not in done.stdout


def test_results_go_to_the_logbook_where_no_folder_is_given(tmp_path: Path) -> None:
    done = finished(SCRIPT, "simulate", "no_sinks", *TINY, "--json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (DONE, "")
    assert orjson.loads(done.stdout)["folder"] == "simulations/results/no_sinks"
    assert done_in(tmp_path / "simulations/results/no_sinks") == 2


def test_a_scenario_file_and_an_economy_file_can_be_given(tmp_path: Path) -> None:
    scenario = tmp_path / "mine.toml"
    scenario.write_text('title = "Mine"\ndays = 2\nplayers = 8\npopulation = "default"\n', encoding="utf-8")
    words = ("--replications", "1", "--workers", "serial", "--out", tmp_path / "run", "--json")
    result = invoke("simulate", scenario, "--economy", shipped_folder("data"), *words)
    assert result.exit_code == DONE
    manifest = orjson.loads((tmp_path / "run/manifest.json").read_bytes())
    assert (manifest["scenario"], manifest["players"], manifest["days"]) == ("mine", 8, 2)


def test_report_writes_a_run_s_report_anew(played: Path, tmp_path: Path) -> None:
    before = (played / "report.html").read_bytes()
    (played / "report.html").unlink()
    result = invoke("report", played)
    assert (result.exit_code, result.stdout) == (DONE, f"The report: {played / 'report.html'}\n")
    assert (played / "report.html").read_bytes() == before
    elsewhere = tmp_path / "elsewhere.html"
    asked = invoke("report", played, "--out", elsewhere, "--json")
    assert orjson.loads(asked.stdout) == {"report": str(elsewhere)}
    assert elsewhere.read_bytes() == before


def test_report_reads_a_bare_ledger_as_well(played: Path, tmp_path: Path) -> None:
    shutil.copy(played / "replications/000/ledger.parquet", tmp_path / "ledger_2026.parquet")
    result = invoke("report", tmp_path)
    assert result.exit_code == DONE
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"The ledger in {tmp_path.name}" in page


def test_audit_of_a_sound_run(played: Path) -> None:
    result = invoke("audit", played)
    assert result.exit_code == DONE
    assert result.stdout.splitlines() == [
        f"{played}/replications/{number}: sound" for number in ("000", "001")
    ]
    asked = orjson.loads(invoke("audit", played, "--json").stdout)
    assert asked["sound"] is True
    assert len(asked["ledgers"]) == 2
    bare = invoke("audit", played / "replications/001")
    assert (bare.exit_code, bare.stdout) == (DONE, f"{played}/replications/001: sound\n")


def test_economy_check_of_the_shipped_economy() -> None:
    result = invoke("economy", "check")
    assert result.exit_code == DONE
    assert re.search(r"sound \(23 items, hash [0-9a-f]{16}\)", result.stdout)
    asked = orjson.loads(invoke("economy", "check", shipped_folder("data"), "--json").stdout)
    assert asked["sound"] is True
    assert asked["findings"] == []


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(command: tuple[str, ...]) -> None:
    result = invoke(*command, "--help")
    assert result.exit_code == DONE
    assert "Usage:" in result.stdout
    for words in COMMANDS:
        if words[:-1] == command and words:
            assert words[-1] in result.stdout


@pytest.mark.parametrize("command", [(), ("economy",)], ids=" ".join)
def test_a_command_without_words_shows_its_help(command: tuple[str, ...]) -> None:
    result = invoke(*command)
    assert result.exit_code in {DONE, USAGE}
    assert "Usage:" in result.output


def test_version() -> None:
    result = invoke("--version")
    assert (result.exit_code, result.stdout) == (DONE, f"{__version__}\n")


# What is refused: exit code 2, one sentence, the cure.


@pytest.fixture
def places(tmp_path: Path, played: Path) -> dict[str, Path]:
    """Folders and files that cannot be used, by the names that the cases below have for them."""
    taken = tmp_path / "taken"
    taken.write_text("a file", encoding="utf-8")
    full = tmp_path / "full"
    full.mkdir()
    (full / "thesis.txt").write_text("years", encoding="utf-8")
    empty = tmp_path / "empty"
    empty.mkdir()
    torn = tmp_path / "torn"
    torn.mkdir()
    (torn / "ledger.parquet").write_bytes(b"PAR1 and no more")
    odd = tmp_path / "odd"
    odd.mkdir()
    pl.DataFrame({"a": [1]}).write_parquet(odd / "ledger.parquet")
    other = tmp_path / "other"
    other.mkdir()
    (other / "manifest.json").write_text('{"name": "of another program"}', encoding="utf-8")
    cut = tmp_path / "cut"
    cut.mkdir()
    (cut / "manifest.json").write_text('{"scenario": "basel', encoding="utf-8")
    scenario = tmp_path / "scenario.toml"
    scenario.write_text('title = "T"\ndays = 3\npopulatoin = "default"\n', encoding="utf-8")
    text = tmp_path / "text.toml"
    text.write_text("this is no TOML\n", encoding="utf-8")
    return {
        "TAKEN": taken,
        "FULL": full,
        "EMPTY": empty,
        "TORN": torn,
        "ODD": odd,
        "OTHER": other,
        "CUT": cut,
        "SCENARIO": scenario,
        "TEXT": text,
        "NOWHERE": tmp_path / "nowhere.toml",
        "NEW": tmp_path / "new",
        "RUN": played,
    }


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("simulate nowhere", r"nowhere.*is unknown; known are alt_farm, baseline"),
        ("simulate NOWHERE", r"nowhere\.toml.*cannot be read \(No such file"),
        ("simulate TEXT", r"text\.toml.*is no TOML"),
        ("simulate SCENARIO", r"scenario\.toml.*populatoin.*default"),
        ("simulate baseline --players 0 --out NEW", r"--players.*greater than or equal to 1"),
        ("simulate baseline --players 99999999 --out NEW", r"players.*99999999.*must be 1 to"),
        ("simulate baseline --players many --out NEW", r"--players.*valid integer"),
        ("simulate baseline --days 0 --out NEW", r"--days.*greater than or equal to 1"),
        ("simulate baseline --days 9999999 --out NEW", r"days.*9999999.*less than"),
        ("simulate baseline --replications 0 --out NEW", r"--replications.*greater than or equal to 1"),
        ("simulate baseline --replications 1001 --out NEW", r"replications is 1001; use 1 to 1,000"),
        ("simulate baseline --workers threads --out EMPTY", r"'threads': use serial, process or process:N"),
        ("simulate baseline --workers process:0 --out EMPTY", r"'process:0': use serial"),
        ("simulate baseline --economy NOWHERE --out NEW", r"nowhere\.toml"),
        ("simulate baseline --economy EMPTY --out NEW", r"economy\.toml"),
        ("simulate baseline --colour red", r"No such option:? .*--colour"),
        ("simulate baseline --out TAKEN", r"taken is a file: choose a folder with --out"),
        ("simulate baseline --out FULL", r"full is not empty.*choose an empty folder with --out"),
        ("simulate baseline --out RUN", r"holds another run.*choose another folder with --out"),
        ("report NEW", r"new"),
        ("report EMPTY", r"needs the stream ledger"),
        ("report TORN", r"ledger\.parquet"),
        ("report ODD", r"ledger\.parquet.*missing"),
        ("report OTHER", r"manifest\.json describes no run"),
        ("report CUT", r"manifest\.json cannot be read"),
        ("report RUN --out TAKEN/report.html", r"taken"),
        ("simulate baseline --out OTHER", r"manifest\.json describes no run"),
        ("simulate baseline --out CUT", r"manifest\.json cannot be read"),
        ("audit NEW", r"needs the stream ledger"),
        ("audit EMPTY", r"needs the stream ledger"),
        ("audit TORN", r"ledger\.parquet"),
        ("audit ODD", r"ledger\.parquet.*missing"),
        ("economy check EMPTY", r"economy\.toml"),
        ("economy check NEW", r"economy\.toml"),
        ("simulte", r"No such command '?simulte"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(places: dict[str, Path], line: str, said: str) -> None:
    words = [re.sub(r"^[A-Z]+", lambda name: str(places[name[0]]), word) for word in line.split()]
    before = {
        path: path.stat().st_mtime_ns for place in places.values() for path in [place] if path.is_file()
    }
    result = invoke(*words)
    told = re.sub(r"[\s│]+", " ", result.stderr)
    assert result.exit_code == USAGE, result.output
    assert result.stdout == ""
    assert re.search(said, told), told
    assert not places["NEW"].exists()
    assert before == {path: path.stat().st_mtime_ns for path in before}


@pytest.mark.skipif(sys.platform != "linux", reason="no folder elsewhere refuses even an administrator")
def test_a_folder_that_cannot_be_written_is_said_to_be_so() -> None:
    done = finished(SCRIPT, "simulate", "baseline", *TINY, "--out", "/sys/kokoromichi", cwd=ROOT)
    assert done.returncode == USAGE
    assert re.search(r"Error: .*(not permitted|denied|Read-only).*/sys/kokoromichi", done.stderr)
    assert "Traceback" not in done.stderr


def broken(tmp_path: Path, old: str, new: str) -> Path:
    """A copy of the shipped economy with one number changed."""
    folder = tmp_path / "economy"
    shutil.copytree(shipped_folder("data"), folder, ignore=shutil.ignore_patterns("[!esw]*"))
    numbers = (folder / "economy.toml").read_text(encoding="utf-8")
    assert old in numbers
    (folder / "economy.toml").write_text(numbers.replace(old, new, 1), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("gold = 10000 ", "gold = 1.5 ", r"economy\.toml.*opening\.gold.*1\.5"),
        ("gold = 10000 ", "gold = nan ", r"economy\.toml.*opening\.gold.*nan"),
        ("gold = 10000 ", "gold = true ", r"economy\.toml.*opening\.gold.*[Tt]rue"),
        ("gold = 10000 ", "gold = -1 ", r"economy\.toml.*opening\.gold.*-1"),
        ("gold = 10000 ", "goldd = 10000 ", r"economy\.toml.*opening\.goldd?\b"),
        ("[opening]", "[opening", r"economy\.toml"),
    ],
)
def test_a_broken_economy_is_refused_with_file_field_and_value(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    folder = broken(tmp_path, old, new)
    out = tmp_path / "run"
    for words in (
        ("economy", "check", folder),
        ("economy", "check", folder, "--json"),
        ("simulate", "baseline", *TINY, "--economy", folder, "--out", out),
        ("simulate", "baseline", *TINY, "--economy", folder / "economy.toml", "--out", out),
    ):
        result = invoke(*words)
        assert (result.exit_code, result.stdout) == (USAGE, "")
        assert re.search(said, result.stderr.replace("\n", " ")), result.stderr
    assert not out.exists()


def test_an_economy_that_breaks_a_law_is_a_target_missed_and_a_finding_of_its_run(tmp_path: Path) -> None:
    folder = broken(tmp_path, "percent = 40 ", "percent = 95 ")
    result = invoke("economy", "check", folder)
    assert result.exit_code == TARGET_MISSED
    assert re.search(r"economy\.toml.*resale\.percent.*95", result.stdout)
    asked = invoke("economy", "check", folder, "--json")
    assert asked.exit_code == TARGET_MISSED
    answer = orjson.loads(asked.stdout)
    assert answer["sound"] is False
    assert len(answer["findings"]) > 0
    run = invoke("simulate", "baseline", *TINY, "--economy", folder, "--out", tmp_path / "run", "--json")
    assert run.exit_code == DONE
    assert orjson.loads(run.stdout)["findings"] == answer["findings"]


def test_a_broken_setting_is_said_as_well(tmp_path: Path) -> None:
    done = finished(SCRIPT, "economy", "check", cwd=tmp_path, LOG_LEVEL="LOUD")
    assert done.returncode == USAGE
    assert "LOG_LEVEL is 'LOUD'; there are: CRITICAL" in done.stderr
    assert "Traceback" not in done.stderr
    nowhere = finished(SCRIPT, "economy", "check", cwd=tmp_path, ECONOMY_DIR=str(tmp_path / "nowhere"))
    assert nowhere.returncode == USAGE
    assert "nowhere" in nowhere.stderr


# What failed: 3, 4, 130.


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
