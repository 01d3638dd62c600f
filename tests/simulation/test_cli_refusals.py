"""The command line refuses with exit code 2, one sentence and its cure; no wrong word ends in a traceback."""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING

import orjson
import polars as pl
import pytest

from kokoromichi.settings import shipped_folder
from tests.project.checkout import ROOT, SCRIPT, finished
from tests.simulation.commands import DONE, TARGET_MISSED, TINY, USAGE, invoke

if TYPE_CHECKING:
    from pathlib import Path


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
        ("simulate nowhere", r"nowhere.*is unknown; there are alt_farm, baseline"),
        ("simulate NOWHERE", r"nowhere\.toml.*cannot be read \(No such file"),
        ("simulate TEXT", r"text\.toml.*is no TOML"),
        ("simulate SCENARIO", r"scenario\.toml.*populatoin.*default"),
        ("simulate baseline --players 0 --out NEW", r"--players.*greater than or equal to 1"),
        (
            "simulate baseline --players 99999999 --out NEW",
            r"players.*99999999.*must be a whole number, 1 to",
        ),
        ("simulate baseline --players many --out NEW", r"--players.*valid integer"),
        ("simulate baseline --days 0 --out NEW", r"--days.*greater than or equal to 1"),
        ("simulate baseline --days 9999999 --out NEW", r"days.*9999999.*less than"),
        ("simulate baseline --replications 0 --out NEW", r"--replications.*greater than or equal to 1"),
        (
            "simulate baseline --replications 1001 --out NEW",
            r"replications is 1001; use a whole number from 1 to 1,000",
        ),
        (
            "simulate baseline --seed 9223372036854775808 --out NEW",
            r"seed is 9223372036854775808; use a whole",
        ),
        ("simulate baseline --workers threads --out EMPTY", r"'threads': use serial, process or process:N"),
        ("simulate baseline --workers process:0 --out EMPTY", r"'process:0': use serial"),
        ("simulate baseline --economy NOWHERE --out NEW", r"nowhere\.toml"),
        ("simulate baseline --economy EMPTY --out NEW", r"economy\.toml"),
        ("tune baseline --free opening.gold=1:2 --target gini=:1 --write NEW", r"new is no file; name an"),
        (
            "simulate baseline --target net_flow=-20:20 --out NEW",
            r"'net_flow'; near it: net_flow_gold_per_active_player_day",
        ),
        (
            "compare baseline --what-if health_potion.price*2 --out NEW",
            r"near it: store\.health_potion\.price_gold[^;]*\[known_path\]",
        ),
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
        ("audit NEW", r"is no folder: name that of a run"),
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
