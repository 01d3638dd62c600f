"""Replications of a scenario, each a job of its own: in this process or in several, and resumed.

A job writes its files to a temporary folder, which then takes the replication's name in one step. A rerun
finds what is there and plays only the rest; a dead worker costs its job, not the batch.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import orjson
import polars as pl

from kokoromichi.analysis.reading import MANIFEST, REPLICATIONS
from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.simulation import engines
from kokoromichi.simulation.dispatch import each_done
from kokoromichi.simulation.manifest import identity_of, read_manifest
from kokoromichi.simulation.streams import stream_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kokoromichi.settings import Settings
    from kokoromichi.simulation.scenario import Scenario

SUMMARY: Final = "summary.json"
_TOLD: Final = {"replication", "ledger_rows", "audit_sound", "audit_violations"}
_MAY_DIFFER: Final = {"replications", "engine"}
"""What a run that goes on may be asked for anew: every engine leaves the same bytes."""


def replication_folder(folder: Path, replication: int) -> Path:
    """The folder of one replication, numbered from 0, within that of all."""
    return folder / f"{replication:03d}"


@dataclass(frozen=True)
class Job:
    """One replication to play.

    Attributes:
        scenario: What is simulated.
        seed: Seed of the batch; the replication's own is made of it.
        replication: Its number, from 0.
        folder: That of all replications.
        engine: The one that plays it, FAITHFUL, COMPILED or BOTH.
        store: The settings of the store to play over; None for memory.
        identity: Of the run that it belongs to (``identity_of``).
    """

    scenario: Scenario
    seed: int
    replication: int
    folder: Path
    engine: str = engines.FAITHFUL
    store: Settings | None = None
    identity: str = ""

    @property
    def target(self) -> Path:
        """The replication's own folder."""
        return replication_folder(self.folder, self.replication)


OnDone: TypeAlias = "Callable[[Job, dict[str, object]], None]"
Failed: TypeAlias = tuple[Job, BaseException]


def replication_seed(seed: int, replication: int) -> int:
    """The seed of one replication: neighbours share nothing, scenarios under one seed are paired."""
    return stream_key(seed, f"replication {replication}")


def play(job: Job) -> dict[str, object]:
    """Play one replication and leave its files; the batch's workers run this.

    Returns:
        The summary that stands in ``summary.json``: rows, what the audit says, and the digests of the files.
    """
    temporary = job.folder / f".{job.target.name}.{os.getpid()}"
    temporary.mkdir(parents=True)
    try:
        seed = replication_seed(job.seed, job.replication)
        written = engines.play_into(job.scenario, seed, job.engine, temporary, job.store)
        summary: dict[str, object] = {
            "replication": job.replication,
            "identity": job.identity,
            "ledger_rows": written.ledger_rows,
            "activity_rows": written.activity_rows,
            "audit_sound": written.audit.sound,
            "audit": str(written.audit),
            "audit_violations": {str(law): count for law, count in written.audit.counts.items()},
        }
        summary["files"] = _digests(temporary)
        (temporary / SUMMARY).write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2))
        _require_claimed(job)
        _put(temporary, job)
    except pl.exceptions.ComputeError as error:  # What polars makes of a disk that is full.
        message = f"replication {job.replication} cannot be written: {error}"
        raise StorageError(message) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return summary


def _require_claimed(job: Job) -> None:
    """Leave nothing in a folder in which somebody began another run meanwhile.

    Raises:
        MisuseError: Somebody did.
    """
    folder = job.folder.parent
    if (folder / MANIFEST).is_file() and job.identity not in ("", identity_of(read_manifest(folder))):
        raise MisuseError(f"another run was begun in {folder} meanwhile: choose another folder with --out")


def _put(temporary: Path, job: Job) -> None:
    """Give a replication its name; the same one that somebody finished meanwhile stays, all else goes."""
    try:
        temporary.rename(job.target)
    except OSError:
        if summary_of(job.target, job.identity) is None:
            shutil.rmtree(job.target, ignore_errors=True)
            temporary.rename(job.target)


def summary_of(target: Path, identity: str = "") -> dict[str, object] | None:
    """The summary of a replication that is done; None where it is not, or torn, or another run's.

    Args:
        target: The replication's folder.
        identity: Of the run that it must belong to; any when left out.
    """
    path = target / SUMMARY
    try:
        found = orjson.loads(path.read_bytes()) if path.is_file() else None
    except orjson.JSONDecodeError:
        return None
    if not isinstance(found, dict) or not found.keys() >= _TOLD:
        return None
    return found if identity in ("", found.get("identity") or identity) else None


def _digests(target: Path) -> dict[str, str]:
    """SHA-256 of each Parquet file of a replication, by its path within the folder."""
    files = sorted(path for path in target.rglob("*.parquet"))
    return {
        path.relative_to(target).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def changed_files(target: Path) -> list[str]:
    """The files of a replication that are not what was played: cut, edited, added or gone.

    Returns:
        Their paths within the folder, ascending; none where no digests were kept.
    """
    written: object = (summary_of(target) or {}).get("files")
    if not isinstance(written, dict):
        return []
    found = _digests(target)
    return sorted(name for name in {*written, *found} if written.get(name) != found.get(name))


def prepare(folder: Path, wanted: dict[str, object], *, replace: bool = False) -> None:
    """Claim an output folder for a batch, or take up the one that was begun there.

    A batch may be extended: more replications than were asked for before keep those that are done. Another
    batch of which no replication is done gives way; one of which some are, only where ``replace`` says so.

    Raises:
        MisuseError: The folder holds another batch, or files that are none.
    """
    path = folder / MANIFEST
    if path.is_file():
        found = read_manifest(folder)
        differs = [key for key in wanted if key not in _MAY_DIFFER and found.get(key) != wanted[key]]
        played = folder / REPLICATIONS
        if not differs and any(played.glob("[0-9]*")):
            wanted = {**wanted, "engine": _both_engines(found["engine"], str(wanted["engine"]))}
        if differs and (replace or not any(played.glob("[0-9]*"))):
            shutil.rmtree(played, ignore_errors=True)
            (folder / "report.html").unlink(missing_ok=True)  # It shows the run that went.
        elif differs:
            message = (
                f"{folder} holds another run ({', '.join(differs)} differ): "
                "give --replace to play over it, or choose another folder with --out"
            )
            raise MisuseError(message)
    elif folder.is_dir() and any(folder.iterdir()):
        message = f"{folder} is not empty and holds no {MANIFEST}: choose an empty folder with --out"
        raise MisuseError(message)
    elif folder.exists() and not folder.is_dir():
        message = f"{folder} is a file: choose a folder with --out"
        raise MisuseError(message)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{MANIFEST}.{os.getpid()}"
    temporary.write_bytes(orjson.dumps(wanted, option=orjson.OPT_INDENT_2))
    temporary.replace(path)
    _clear(folder / REPLICATIONS)


def _both_engines(before: str, now: str) -> str:
    """What a manifest says when a run goes on: what is done already stays as it was played."""
    return before if before.endswith(now) else f"{before}, then {now}"


def _clear(replications: Path) -> None:
    """Take away what a job left that was interrupted; none may be playing."""
    for leftover in replications.glob(".*"):
        shutil.rmtree(leftover, ignore_errors=True)


def run_jobs(jobs: list[Job], workers: str, on_done: OnDone) -> Iterator[Failed]:
    """Play the jobs that are not done yet; those that a dead worker took with it are played again.

    Args:
        jobs: All replications of the batch.
        workers: A word that ``pool_of`` takes.
        on_done: Called with each job that is done, whether now or in an earlier run.

    Yields:
        Each job that failed, and why; the others go on.
    """
    missing = []
    for job in jobs:
        if (summary := summary_of(job.target, job.identity)) is None:
            missing.append(job)
        else:
            on_done(job, summary)
    try:
        with closing(each_done(play, missing, workers)) as done:
            for job, future in done:
                if (error := future.exception()) is None:
                    on_done(job, future.result())
                else:
                    yield job, error
    finally:
        for folder in {job.folder for job in missing}:
            _clear(folder)  # A worker that died, or was ended, could not.
