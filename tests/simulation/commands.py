"""Commands that are called, started, watched, killed and finished, and what they leave on disk."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from typer.testing import CliRunner

from kokoromichi.cli.app import app
from kokoromichi.simulation.scenario import Scenario
from kokoromichi.simulation.simulate import simulate
from tests.project.checkout import SCRIPT

if TYPE_CHECKING:
    from typer.testing import Result

DONE, TARGET_MISSED, USAGE, AUDIT_FAILED, STORAGE_FAILED, INTERRUPTED = 0, 1, 2, 3, 4, 130
"""The exit codes that the command line promises."""
NO_REPORT: Final = "--no-report"
"""A report takes longer than a tiny run."""
ONE_PLAYED: Final = ("--replications", "1", "--workers", "serial", NO_REPORT)
TINY: Final = (
    "--players",
    "16",
    "--days",
    "4",
    "--replications",
    "2",
    "--seed",
    "7",
    "--workers",
    "serial",
    NO_REPORT,
)
"""Options of a run that takes no time."""

SEED: Final = 11
PLAYERS: Final = 60
PATIENCE_S: Final = 240
"""A machine that is shared says nothing about a command by being slow."""


LONG: Final = ("--engine", "faithful")
"""A replication that lasts: compiled, it is over before anybody interrupts it."""


def invoke(*words: str | Path) -> Result:
    """Run a command in this process; an error that it does not expect comes through."""
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert "Traceback" not in result.output
    return result


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a run but the report, by its path within the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "report.html")
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def start(folder: Path, workers: str, replications: int = 4, *, days: int = 40) -> subprocess.Popen[str]:
    """Start a batch in a process group of its own; a replication takes it a while."""
    options = {"--players": PLAYERS, "--days": days, "--replications": replications, "--seed": SEED}
    words = [str(word) for option in options.items() for word in option]
    return subprocess.Popen(
        [SCRIPT, "simulate", "baseline", *words, *LONG, "--workers", workers, "--out", folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_until_done(folder: Path, count: int) -> None:
    """Wait until at least so many replications stand in a folder."""
    give_up_at = time.monotonic() + PATIENCE_S
    while done_in(folder) < count:
        assert time.monotonic() < give_up_at, "the command played nothing"
        time.sleep(0.02)


def done_in(folder: Path) -> int:
    """How many replications are done in a folder."""
    return len(list(folder.glob("replications/[0-9]*/summary.json")))


def kill(command: subprocess.Popen[str]) -> None:
    """Kill what is left of a command and of its workers, and close its pipes."""
    if command.poll() is None:
        os.killpg(command.pid, signal.SIGKILL)
    command.communicate()


def finish(folder: Path, workers: str, replications: int = 4, *, days: int = 40) -> None:
    """Play the batch of ``start`` to its end, in this process: a command would draw a report as well."""
    scenario = Scenario.load("baseline", players=PLAYERS, days=days)
    simulate(scenario, replications=replications, seed=SEED, workers=workers, out=folder, engine="faithful")


def workers_of(parent: int) -> list[int]:
    """The processes that play for a command, by Linux's own account."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            parent_of = int((process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
        except OSError:
            continue  # It ended meanwhile.
        if parent_of == parent and b"spawn_main" in command:
            found.append(int(process.name))
    return found


def lives(process: int) -> bool:
    """Whether a process runs, by Linux's own account; one that only waits to be buried has no command."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes() != b""
    except OSError:
        return False
