"""The first KoKoroMichi's script: the same options, and a JSON report."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.project.checkout import ROOT, finished

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = ROOT / "scripts" / "migrate_json_to_db.py"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder of an installation with one player."""
    folder = tmp_path / "data"
    folder.mkdir()
    player = {"123456789012345678": {"name": "Ada", "gold": 500, "gems": 3, "inventory": {}}}
    (folder / "users.json").write_text(json.dumps(player), "utf-8")
    return folder


@pytest.mark.parametrize("provider", ["mongo", "postgres"])
def test_a_dry_run_reports_and_needs_no_database(provider: str, data: Path) -> None:
    before = {path: path.read_bytes() for path in data.rglob("*")}
    words = (sys.executable, SCRIPT, "--provider", provider, "--dry-run", "--data-dir", data)
    done = finished(*words, cwd=data.parent, PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["planned"]["users"] == 1
    assert {path: path.read_bytes() for path in data.rglob("*")} == before


def test_the_folder_of_the_settings_is_the_default(data: Path) -> None:
    words = (sys.executable, SCRIPT, "--provider", "mongo", "--dry-run")
    done = finished(*words, cwd=data.parent, PYTHONPATH=str(ROOT), DATA_DIR=str(data))
    assert json.loads(done.stdout)["planned"]["users"] == 1


def test_a_provider_that_there_is_not_ends_with_usage(data: Path) -> None:
    done = finished(sys.executable, SCRIPT, "--provider", "oracle", cwd=data.parent, PYTHONPATH=str(ROOT))
    assert (done.returncode, done.stdout) == (2, "")
    assert "oracle" in done.stderr


def test_the_bot_s_module_says_what_it_needs(tmp_path: Path) -> None:
    pytest.importorskip("discord", reason="backend: discord.py is not installed")
    empty = dict.fromkeys(("DISCORD_TOKEN", "PROVIDER"), "")
    words = (sys.executable, "-m", "kokoromichi.bot")
    done = finished(*words, cwd=tmp_path, PYTHONPATH=str(ROOT), **empty)
    assert done.returncode == 2
    assert "DISCORD_TOKEN" in done.stderr
