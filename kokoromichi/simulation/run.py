"""A batch that was played: its folder, its numbers, its pictures, its report."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import weakref
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from kokoromichi.analysis.metrics import METRICS, first_measured_day, metric, numbered
from kokoromichi.analysis.metrics.definitions import define
from kokoromichi.analysis.metrics.headline import headline
from kokoromichi.analysis.observations import Observations
from kokoromichi.analysis.report import Report, ReportData, report_data, write_report
from kokoromichi.analysis.statistics import mean_interval
from kokoromichi.analysis.tables import Table, write_workbook
from kokoromichi.core.errors import KokoroError, MisuseError
from kokoromichi.core.options import between, whole
from kokoromichi.rules.findings import Finding
from kokoromichi.simulation import batch, engines
from kokoromichi.simulation.batch import MANIFEST, REPLICATIONS, SUMMARY, Job
from kokoromichi.simulation.cards import run_card
from kokoromichi.simulation.functions import travels
from kokoromichi.simulation.plots import RunPlots
from kokoromichi.simulation.scenario import Scenario
from kokoromichi.simulation.workers import unguarded_script

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kokoromichi.analysis.metrics import Metric

MOST_REPLICATIONS: Final = 1_000


class BatchError(KokoroError):
    """Some replications failed; those that are done are kept, and a rerun plays the others."""


class Run:
    """The replications of one scenario, on disk.

    Args:
        folder: An output folder of ``simulate``.

    Attributes:
        folder: Where it is.
        manifest: Everything that decided its bytes: scenario, seed, economy hash, versions.
        findings: What the check of the economy and of the scheduled prices found.
        plot: Charts: ``run.plot.supply()``, ``flows()`` and so on (``CHARTS``), each answering its Axes.

    Raises:
        MisuseError: The folder holds no run.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        if not (self.folder / MANIFEST).is_file():
            message = f"{self.folder} holds no run: make one with kokoromichi simulate --out {self.folder}"
            raise MisuseError(message)
        self.manifest: Mapping[str, Any] = batch.read_manifest(self.folder)
        self.findings = tuple(Finding(**finding) for finding in self.manifest["findings"])
        self._going: weakref.finalize[..., Run] | None = None
        self.plot = RunPlots(self.metric, self.warm_up_days)  # No property, or completion would stop at it.

    @property
    def observations(self) -> tuple[Observations, ...]:
        """What each replication showed, in their order, over the whole horizon."""
        self._stay()
        return self._observed

    @cached_property
    def _observed(self) -> tuple[Observations, ...]:
        first_day = date.fromisoformat(self.manifest["definition"]["start"])
        last_day = first_day + timedelta(days=self.manifest["days"] - 1)
        return tuple(Observations.scan(target).over(first_day, last_day) for target in self._targets)

    @property
    def _targets(self) -> list[Path]:
        count = self.manifest["replications"]
        targets = [batch.replication_folder(self.folder / REPLICATIONS, number) for number in range(count)]
        if missing := [target.name for target in targets if not (target / SUMMARY).is_file()]:
            message = (
                f"{self.folder} lacks replications {', '.join(missing)}: the run was interrupted; "
                "give the same command again, and it goes on"
            )
            raise MisuseError(message)
        return targets

    @property
    def warm_up_days(self) -> int:
        """Days cut before flows are measured: 30, none in a run that is no longer."""
        return first_measured_day(self.manifest["days"])

    def health(self) -> pl.DataFrame:
        """Whether each replication's ledger keeps the laws of economy.md.

        Returns:
            One row per replication, ascending: ``replication`` (Int64, from 1), ``ledger_rows`` (Int64),
            ``violations`` (Int64, over all laws), ``sound`` (Boolean).
        """
        rows = []
        for target in self._targets:
            summary: dict[str, Any] = batch.summary_of(target) or {}
            violations = sum(summary["audit_violations"].values())
            rows.append(
                (summary["replication"] + 1, summary["ledger_rows"], violations, summary["audit_sound"])
            )
        schema = {
            "replication": pl.Int64,
            "ledger_rows": pl.Int64,
            "violations": pl.Int64,
            "sound": pl.Boolean,
        }
        return Table(rows, schema, orient="row")

    @property
    def sound(self) -> bool:
        """Whether every law holds in every replication."""
        return bool(self.health()["sound"].all())

    @cached_property
    def headlines(self) -> pl.DataFrame:
        """One row per replication: ``replication`` (Int64, from 1), then the columns of ``headline``."""
        return Table(numbered(headline(seen.loaded(), self.warm_up_days) for seen in self._observed))

    def metrics(self, confidence: float = 0.95) -> pl.DataFrame:
        """The headline numbers over the replications, each with its uncertainty.

        Args:
            confidence: Of the intervals, 0 to 1.

        Returns:
            One row per number in the order of ``headline``: ``metric`` (String), ``mean``, ``low``, ``high``
            (Float64; Student's t over replications, null with fewer than two), ``replications`` (Int64, that
            have the number).
        """
        confidence = between("confidence", confidence, 0, 1)
        rows = []
        for name in self.headlines.columns[1:]:
            values = self.headlines[name].drop_nulls().cast(pl.Float64).to_list()
            low = high = None
            if len(values) > 1:
                interval = mean_interval(values, confidence)
                low, high = interval.low, interval.high
            rows.append((name, fmean(values) if values else None, low, high, len(values)))
        number = {"mean": pl.Float64, "low": pl.Float64, "high": pl.Float64, "replications": pl.Int64}
        return Table(rows, {"metric": pl.String, **number}, orient="row")

    def metric(self, name: str | Metric, **options: object) -> pl.DataFrame:
        """One metric of every replication.

        Args:
            name: A key of ``METRICS``, or a function of your own that takes ``Observations``.
            options: What the metric takes, such as ``first_day``.

        Returns:
            The metric's frame with ``replication`` (Int64, from 1) before its columns.

        Raises:
            MisuseError: There is no such metric.
        """
        measure = metric(name)
        return Table(numbered(measure(seen, **options).lazy().collect() for seen in self._observed))

    def to_excel(self, path: str | Path) -> Path:
        """Write the headline numbers and every metric as a sheet each; heads say what a column means.

        Args:
            path: The ``.xlsx`` file; one that is there is replaced.

        Raises:
            MisuseError: XlsxWriter is not there: it comes with the extra ``notebooks``.
            OSError: The file cannot be written.
        """
        frames = {"headline": self.metrics()}
        for name, entry in METRICS.items():
            frames[name] = self.metric(name, **entry.options(self.warm_up_days))
        meanings = {name: define(metric(name)).columns for name, entry in METRICS.items() if not entry.own}
        return write_workbook(Path(path), frames, meanings)

    def report_data(self) -> ReportData:
        """Everything that the report shows, computed."""
        shown = {
            "scenario": self.manifest["scenario"],
            "players": f"{self.manifest['players']:,}",
            "days": str(self.manifest["days"]),
            "replications": str(self.manifest["replications"]),
            "seed": str(self.manifest["seed"]),
            "engine": self.manifest["engine"],
            "economy hash": self.manifest["economy_hash"],
            "scenario hash": self.manifest["scenario_hash"],
            "weights digest": self.manifest["weights_digest"],
            "python": self.manifest["python"],
            **self.manifest["packages"],
        }
        return report_data(
            self._observed,
            title=self.manifest["title"],
            manifest=shown,
            findings=self.findings,
            headlines=self.headlines,
        )

    def report(self, path: str | Path | None = None) -> Report:
        """Write the report, by default ``report.html`` in the run's folder; a notebook shows a link to it."""
        if path is None:
            self._stay()
        return write_report(path or self.folder / "report.html", self.report_data())

    def _go_with_me(self) -> None:
        """Let the folder go when nobody knows this run any more, and at the latest with the program."""
        self._going = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def _stay(self) -> None:
        """Let a temporary folder stay to the end of the program: something that was handed out reads it."""
        if self._going is not None and self._going.detach():
            atexit.register(shutil.rmtree, self.folder, ignore_errors=True)

    def __repr__(self) -> str:
        """What was played, and where it is."""
        told = self.manifest
        return (
            f"Run({told['scenario']!r}, {told['replications']} replications, "
            f"seed {told['seed']}, {self.folder})"
        )

    def _repr_html_(self) -> str:
        return run_card(self)


def _checked(scenario: object, replications: object, seed: object) -> tuple[int, int]:
    if not isinstance(scenario, Scenario):
        named = repr(scenario) if isinstance(scenario, str) else '"baseline"'
        raise MisuseError(
            f"simulate is given {scenario!r:.60}; give it a scenario: km.Scenario.load({named})"
        )
    return (
        whole("replications", replications, 1, MOST_REPLICATIONS),
        whole("seed", seed, -(2**63), 2**63 - 1, cure="use a whole number of 64 bits"),
    )


def _require_travelling(scenario: Scenario) -> None:
    if (script := unguarded_script()) is not None:
        raise MisuseError(
            f"each worker process runs {script} anew: put what it does under "
            'if __name__ == "__main__":, or use workers="serial"'
        )
    for name, stage in scenario.stages.items():
        if not travels(stage):
            message = (
                f"stage {name!r} cannot travel to other processes: define it at the top of a module and "
                'import it, or use workers="serial"'
            )
            raise MisuseError(message)


def simulate(  # noqa: PLR0913 - a designer names what they ask for
    scenario: Scenario,
    *,
    replications: int = 8,
    seed: int = 1,
    workers: str = "serial",
    out: str | Path | None = None,
    replace: bool = False,
    engine: str = engines.AUTO,
    on_done: Callable[[Job, Mapping[str, object]], None] | None = None,
    on_step: Callable[[str], None] | None = None,
) -> Run:
    """Replay a scenario's players under several seeds.

    Args:
        scenario: What is simulated.
        replications: How often, 1 to 1,000.
        seed: Seed of the batch; the same one gives the same bytes, whatever the workers.
        workers: ``serial``; ``process`` (one a core) or ``process:N``, in a script only under
            ``if __name__ == "__main__":``, since each worker imports the script anew.
        out: Folder of the results; what is done there already is not played again. A temporary one, which
            goes with the run, when left out.
        replace: Play over another run that the folder holds; without it, that is an error.
        engine: ``faithful``, through the bot's own services; ``compiled``, some ten times as fast, for which
            numba must be there (extra ``fast``); ``both``, which stops at the first row in which they differ;
            ``auto``, compiled where that can be and is worth it. The bytes are the same; the manifest says
            which one it was, and why.
        on_done: Called with each replication that is done, and its summary.
        on_step: Called with what is done before the first one, where that takes a while.

    Returns:
        The run; ``run.health()`` says whether every law held.

    Raises:
        MisuseError: Too few or too many replications, a seed beyond 64 bits, unknown workers, an engine or
            workers that cannot play this, or the folder holds another run.
        BatchError: A replication failed; the others are kept.
    """
    replications, seed = _checked(scenario, replications, seed)
    if batch.pool_size(workers) != 0:
        _require_travelling(scenario)
    chosen = engines.choose(engine, scenario, replications)
    folder = Path(tempfile.mkdtemp(prefix="kokoromichi-") if out is None else out)
    batch.prepare(folder, batch.manifest(scenario, seed, replications, str(chosen)), replace=replace)
    jobs = [Job(scenario, seed, number, folder / REPLICATIONS, chosen.name) for number in range(replications)]
    if not all(job.target.is_dir() for job in jobs):
        engines.compile_once(scenario, chosen, on_step or (lambda _what: None))
    failed = list(batch.run_jobs(jobs, workers, on_done or (lambda _job, _summary: None)))
    if failed:
        job, error = failed[0]
        message = (
            f"{len(failed)} of {replications} replications failed, the first one (number {job.replication}) "
            f"with {type(error).__name__}: {error}; {_what_is_left(folder, out)}"
        )
        raise BatchError(message) from error
    run = Run(folder)
    if out is None:
        run._go_with_me()  # noqa: SLF001 - its own maker
    return run


def _what_is_left(folder: Path, out: str | Path | None) -> str:
    if out is None:
        shutil.rmtree(folder, ignore_errors=True)
        return "the others are lost: name a folder, out=, and a rerun plays only the rest"
    return f"the others are in {folder}, and a rerun plays the rest"


__all__ = ["METRICS", "BatchError", "Run", "simulate"]
