"""The file of a batch, and its commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest

from kokoromichi.experiments.batch_file import BatchFile
from kokoromichi.settings import shipped_folder
from kokoromichi.simulation.lines import add_line, read_lines
from kokoromichi.simulation.setup_files import SetupError
from tests.simulation.commands import AUDIT_FAILED, DONE, USAGE, invoke

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
title = "Two prices"
players = 8
days = 3
replications = 1
[scenarios]
"dear potions" = "store.health_potion.price_gold * 1.5"
[grid]
"daily.gold" = [0.5, 2]
"opening.gold" = [1]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A batch of four scenarios."""
    path = tmp_path / "prices.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_a_file_names_its_scenarios_and_spans_its_grid(file: Path) -> None:
    read, path = BatchFile.load(file)
    built = read.built(path)
    assert list(built) == [
        "base",
        "dear potions",
        "daily.gold * 0.5, opening.gold * 1",
        "daily.gold * 2, opening.gold * 1",
    ]
    daily = [scenario.economy.config.daily.gold[0] for scenario in built.values()]
    assert daily == [1_000, 1_000, 500, 2_000]
    assert {(scenario.players, scenario.days) for scenario in built.values()} == {(8, 3)}


@pytest.mark.parametrize("name", sorted(path.stem for path in shipped_folder("batches").glob("*.toml")))
def test_what_is_shipped_can_be_played(name: str) -> None:
    read, path = BatchFile.load(name)
    assert len(read.built(path)) > 3


def test_a_wrong_file_is_refused_with_the_cure(file: Path) -> None:
    file.write_text(FILE.replace("replications = 1", "replications = 0"), encoding="utf-8")
    with pytest.raises(SetupError, match=r"prices\.toml: replications = 0"):
        BatchFile.load(file)
    with pytest.raises(SetupError, match="daily_and_training"):
        BatchFile.load("dialy_and_training")


def test_a_batch_is_played_in_shards_and_one_of_its_runs_again(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = orjson.loads(invoke("batch", file, "--shard", "1/2", "--out", out, "--json").stdout)
    assert (first["planned"], first["missing"], first["failures"]) == (4, 2, [])
    shown = invoke("batch", file, "--shard", "2/2", "--out", out)
    assert shown.exit_code == DONE
    assert "4 of 4 runs" in shown.output
    again = orjson.loads(invoke("replay", out, "--run", "3", "--json").stdout)
    assert again["ledger_rows"] > 0
    assert (out / "replay-3" / "ledger.parquet").is_file()
    assert invoke("audit", out / "replay-3").exit_code == DONE
    assert invoke("replay", out, "--run", "4").exit_code == USAGE


def test_a_replay_that_shows_something_else_fails_the_audit(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    invoke("batch", file, "--shard", "1/4", "--out", out)
    rows = out / "runs-1-of-4.jsonl"
    (row,) = read_lines(rows)
    add_line(rows, {**row, "numbers": {**row["numbers"], "supply_gold": 1}})
    assert invoke("replay", out, "--run", "0").exit_code == AUDIT_FAILED
