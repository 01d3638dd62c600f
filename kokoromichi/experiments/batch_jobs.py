"""One run of a batch: what a worker plays, what it measures, and what it keeps."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from kokoromichi.analysis.metrics import METRICS, first_measured_day, metric
from kokoromichi.analysis.metrics.headline import POSSIBLE, headline
from kokoromichi.analysis.observations import Observations
from kokoromichi.core.errors import MisuseError
from kokoromichi.options import near
from kokoromichi.simulation import engines
from kokoromichi.simulation.totals import observed, play_totals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kokoromichi.analysis.metrics import Metric
    from kokoromichi.experiments.seed_runs import Numbers
    from kokoromichi.simulation.scenario import Scenario

SUMMARY: Final = "summary"
LEDGER: Final = "ledger"
ALL: Final = "all"
KEEPS: Final = (SUMMARY, LEDGER, ALL)
"""Of a run: its row alone; its ledger, prices and players too; everything, as ``simulate`` does."""
RUNS: Final = "runs"
"""Folder of what is kept of the runs, within the batch's."""
_OF_A_LEDGER: Final = ("ledger.parquet", "economy_history.parquet", "players.parquet")


class OwnNumber(NamedTuple):
    """A measure of one's own that answers one number a run, as it is sent to the workers."""

    name: str
    measure: Metric
    after_warm_up: bool


class Job(NamedTuple):
    """One run: its number in the batch, everything that decides it, and what is wanted of it."""

    run: int
    name: str
    scenario: Scenario
    seed: int
    engine: str
    own: tuple[OwnNumber, ...] = ()
    keep: str = SUMMARY
    folder: Path = Path()

    @property
    def target(self) -> Path:
        """Where what is kept of it lies."""
        return run_folder(self.folder, self.run)


def run_folder(folder: Path, run: int) -> Path:
    """Where what is kept of a run lies, within the folder of its batch."""
    return folder / RUNS / f"{run:06d}"


def own_numbers(names: Sequence[str]) -> tuple[OwnNumber, ...]:
    """The measures of one's own with these names.

    Raises:
        MisuseError: ``@km.metric`` registered none of that name.
    """
    known = [name for name, entry in METRICS.items() if entry.own]
    for name in names:
        if name not in known or name in POSSIBLE:
            raise MisuseError(f"there is no metric of your own {name!r}; {near(name, known)}")
    return tuple(OwnNumber(name, metric(name), METRICS[name].after_warm_up) for name in names)


def numbers_of_run(job: Job) -> Numbers:
    """Play a run, keep what is wanted, and answer its headline and the numbers of one's own.

    Raises:
        MisuseError: A measure of one's own answers more than one number.
    """
    if job.keep != SUMMARY:
        return _kept(job)
    if job.own:
        played = engines.play(job.scenario, job.seed, job.engine)
        return _numbers(job, observed(job.scenario, played))
    numbers: Numbers = play_totals(job.scenario, job.seed, job.engine).headline.row(0, named=True)
    return numbers


def _kept(job: Job) -> Numbers:
    runs = job.target.parent
    runs.mkdir(parents=True, exist_ok=True)
    # Not named by the worker: one that was killed may have left such a folder, and its number comes again.
    with tempfile.TemporaryDirectory(prefix=f".{job.target.name}.", dir=runs) as temporary:
        played = Path(temporary) / job.target.name
        played.mkdir()
        engines.play_into(job.scenario, job.seed, job.engine, played)
        last_day = job.scenario.start + dt.timedelta(days=job.scenario.days - 1)
        seen = Observations.scan(played).over(job.scenario.start, last_day).loaded()
        numbers = _numbers(job, seen)
        if job.keep == LEDGER:
            _leave_the_ledger(played)
        shutil.rmtree(job.target, ignore_errors=True)  # Of a run whose row was lost.
        played.rename(job.target)
    return numbers


def _leave_the_ledger(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in _OF_A_LEDGER:
            path.unlink()


def _numbers(job: Job, seen: Observations) -> Numbers:
    first_day = first_measured_day(job.scenario.days)
    numbers: Numbers = headline(seen, first_day).row(0, named=True)
    return {**numbers, **{own.name: _one(own, seen, first_day) for own in job.own}}


def _one(own: OwnNumber, seen: Observations, first_day: int) -> float | None:
    options: Mapping[str, int] = {"first_day": first_day} if own.after_warm_up else {}
    found = own.measure(seen, **options).collect()
    if found.shape != (1, 1):
        raise MisuseError(
            f"metric {own.name} answered {found.height} rows of {found.width} columns; a batch keeps metrics "
            "that answer one number"
        )
    value = found.item()
    return None if value is None else float(value)
