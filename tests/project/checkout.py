"""Where the checkout is, and what it holds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from typer.testing import CliRunner

from kokoromichi.cli.app import app

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = ROOT / "kokoromichi"
SCRIPT: Final = Path(sys.executable).parent / "kokoromichi"


def modules(*folders: Path) -> list[Path]:
    """Return the Python files beneath the folders, sorted."""
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def help_of(*command: str) -> str:
    """Return what a command says of itself, without starting a process."""
    helped = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert helped.exit_code == 0, helped.output
    return helped.output


def tracked() -> list[Path]:
    """Return the files that git tracks and that are there, sorted."""
    listed = run("git", "ls-files", "-z", cwd=ROOT)
    return sorted(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


def finished(*command: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Return how a command ended, run with these environment variables on top of the present ones."""
    environment = {**os.environ, **variables}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    """Return what a command prints; fail with both of its streams when it fails."""
    done = finished(*command, cwd=cwd, **variables)
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
