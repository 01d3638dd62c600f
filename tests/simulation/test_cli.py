"""The command line: what it prints where, and what it leaves behind."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import orjson
import polars as pl
import pytest

from kokoromichi import __version__
from kokoromichi.settings import shipped_folder
from kokoromichi.simulation.scenario import Scenario
from kokoromichi.simulation.simulate import simulate
from tests.project.checkout import SCRIPT, finished
from tests.simulation.commands import (
    DONE,
    NO_REPORT,
    ONE_PLAYED,
    TARGET_MISSED,
    TINY,
    USAGE,
    digests,
    done_in,
    invoke,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulation.conftest import Answered

COMMANDS: Final = ((), ("simulate",), ("report",), ("audit",), ("economy",), ("economy", "check"))


def test_simulate_ends_by_saying_where_the_report_is(answered: Answered) -> None:
    said = answered.result.stdout
    assert answered.result.exit_code == DONE
    assert said.splitlines()[-1] == f"The report: {answered.folder / 'report.html'}"
    assert "The audit is sound: every law holds over" in said
    assert "sink_faucet_ratio" in said
    assert (answered.folder / "report.html").is_file()
    assert done_in(answered.folder) == 2


def test_a_single_replication_has_no_interval_to_print(tmp_path: Path) -> None:
    words = ("--players", "8", "--days", "2", *ONE_PLAYED, "--out", tmp_path)
    result = invoke("simulate", "baseline", *words)
    assert result.exit_code == DONE
    assert "inf" not in result.stdout.replace("info", "")
    told = f"No report was drawn: kokoromichi report {tmp_path} draws it."
    assert result.stdout.splitlines()[-1] == told
    assert not (tmp_path / "report.html").exists()


def test_a_missed_target_ends_with_1_and_says_which(tmp_path: Path) -> None:
    words = ("--players", "8", "--days", "7", *ONE_PLAYED, "--out", tmp_path)
    result = invoke("simulate", "baseline", *words, "--target", "gini=0.98:1")
    assert result.exit_code == TARGET_MISSED
    assert "targets missed: gini: 0." in result.stderr.replace("\n", " ")


def test_json_is_one_object_and_nothing_else(played: Path) -> None:
    result = invoke("simulate", "baseline", *TINY, "--report", "--out", played, "--json")
    assert result.exit_code == DONE
    assert result.stderr == ""
    answer = orjson.loads(result.stdout)
    assert answer["folder"] == str(played)
    assert answer["report"] == str(played / "report.html")
    assert answer["sound"] is True
    assert answer["findings"] == []
    ledgers = [pl.read_parquet(path).height for path in played.glob("replications/*/ledger.parquet")]
    assert answer["ledger_rows"] == sum(ledgers)
    assert set(answer["metrics"]["supply_gold"]) == {"value", "low", "high", "statistic", "runs", "of"}


def test_a_pipe_gets_plain_text_and_no_progress_and_the_logbook_the_results(tmp_path: Path) -> None:
    """Where no folder is given."""
    done = finished(SCRIPT, "simulate", "no_sinks", *TINY, "--report", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (DONE, "")
    assert "\x1b" not in done.stdout
    assert done.stdout.endswith("The report: simulations/results/no_sinks/report.html\n")
    assert done_in(tmp_path / "simulations/results/no_sinks") == 2


def test_a_scenario_file_and_an_economy_file_can_be_given(tmp_path: Path) -> None:
    scenario = tmp_path / "mine.toml"
    scenario.write_text('title = "Mine"\ndays = 2\nplayers = 8\npopulation = "default"\n', encoding="utf-8")
    words = (*ONE_PLAYED, "--out", tmp_path / "run", "--json")
    result = invoke("simulate", scenario, "--economy", shipped_folder("data"), *words)
    assert result.exit_code == DONE
    manifest = orjson.loads((tmp_path / "run/manifest.json").read_bytes())
    assert (manifest["scenario"], manifest["players"], manifest["days"]) == ("mine", 8, 2)


def test_report_writes_a_run_s_report_anew(played: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.html"
    asked = invoke("report", played, "--out", elsewhere, "--json")
    answered = orjson.loads(asked.stdout)
    assert answered["report"] == str(elsewhere)
    assert answered["targets_unmet"] == ["fewer than 7 days were observed: no target is judged"]
    assert elsewhere.read_bytes() == (played / "report.html").read_bytes()


def test_report_reads_a_bare_ledger_as_well(played: Path, tmp_path: Path) -> None:
    shutil.copy(played / "replications/000/ledger.parquet", tmp_path / "ledger_2026.parquet")
    result = invoke("report", tmp_path)
    assert (result.exit_code, result.stdout) == (DONE, f"The report: {tmp_path / 'report.html'}\n")
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


def test_a_folder_may_be_played_over(tmp_path: Path) -> None:
    simulate(Scenario.load("baseline", players=8, days=2), replications=1, out=tmp_path)
    before = digests(tmp_path)
    words = ("--players", "8", "--days", "2", *ONE_PLAYED, "--seed", "99")
    other = ("simulate", "baseline", *words, "--out", tmp_path)
    assert invoke(*other).exit_code == USAGE
    assert digests(tmp_path) == before
    assert invoke(*other, "--replace").exit_code == DONE
    after = digests(tmp_path)
    assert sorted(after) == sorted(before)
    assert after["replications/000/ledger.parquet"] != before["replications/000/ledger.parquet"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs a terminal, as Linux makes one")
def test_a_terminal_sees_the_progress(tmp_path: Path) -> None:
    screen, terminal = os.openpty()
    words = (
        "--players",
        "16",
        "--days",
        "4",
        "--replications",
        "3",
        "--workers",
        "serial",
        NO_REPORT,
        "--json",
    )
    with subprocess.Popen(
        [SCRIPT, "simulate", "baseline", *words, "--out", tmp_path / "run"],
        stdout=subprocess.PIPE,
        stderr=terminal,
        text=True,
    ) as command:
        os.close(terminal)
        shown = b""
        while part := read(screen):
            shown += part
        out, _ = command.communicate()
    os.close(screen)
    assert command.returncode == DONE
    assert b"Simulating baseline" in shown
    assert re.search(rb"[1-3]/3", shown)
    assert orjson.loads(out)["sound"] is True


def read(screen: int) -> bytes:
    """What was written to a terminal; nothing when its last writer is gone."""
    try:
        return os.read(screen, 4_096)
    except OSError:
        return b""
