"""A batch that was played: its folder, its numbers, its pictures, its report."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from kokoromichi.analysis.metrics import METRICS, first_measured_day, measured, numbered
from kokoromichi.analysis.metrics.headline import POSSIBLE, headline
from kokoromichi.analysis.observations import Observations
from kokoromichi.analysis.replicated import estimate
from kokoromichi.analysis.report import ReportData, period_report, report_data, write_report
from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.rules.findings import Finding
from kokoromichi.simulation import batch, engines
from kokoromichi.simulation.batch import MANIFEST, REPLICATIONS, Job
from kokoromichi.simulation.functions import travels
from kokoromichi.simulation.plots import RunPlots
from kokoromichi.simulation.rehearsal import MEMORY, store_settings
from kokoromichi.simulation.workers import PROCESS, pool_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kokoromichi.analysis.metrics import Metric
    from kokoromichi.simulation.scenario import Scenario

MOST_REPLICATIONS: Final = 1_000
_REPLICATIONS: Final = 8

ASSUMPTIONS: Final = {
    "retention_d30": "Assumed, not predicted: an archetype leaves at its own rate, which prices hardly move."
}
"""By the name of a headline number: what the model puts in, so that no change of it is evidence."""


class BatchError(StorageError):
    """Some replications failed; those that are done are kept, and a rerun plays the others."""


class Run:
    """The replications of one scenario, on disk.

    Args:
        folder: An output folder of ``simulate``.

    Attributes:
        folder: Where it is.
        manifest: Everything that decided its bytes: scenario, seed, economy hash, versions.
        findings: What the check of the economy and of the scheduled prices found.

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

    @cached_property
    def observations(self) -> tuple[Observations, ...]:
        """What each replication showed, in their order, over the whole horizon."""
        first_day = date.fromisoformat(self.manifest["definition"]["start"])
        last_day = first_day + timedelta(days=self.manifest["days"] - 1)
        return tuple(Observations.scan(target).over(first_day, last_day) for target in self._targets)

    @property
    def _targets(self) -> list[Path]:
        count = self.manifest["replications"]
        if missing := missing_replications(self.folder):
            named = ", ".join(target.name for target in missing)
            message = (
                f"{self.folder} lacks replications {named}: the run was interrupted; "
                "give the same command again, and it goes on"
            )
            raise MisuseError(message)
        return [batch.replication_folder(self.folder / REPLICATIONS, number) for number in range(count)]

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
        return pl.DataFrame(rows, schema, orient="row")

    @property
    def sound(self) -> bool:
        """Whether every law holds in every replication."""
        return bool(self.health()["sound"].all())

    @cached_property
    def headlines(self) -> pl.DataFrame:
        """One row per replication: ``replication`` (Int64, from 1), then the columns of ``headline``."""
        return numbered(headline(seen.loaded(), self.warm_up_days) for seen in self.observations)

    def metrics(self, confidence: float = 0.95) -> pl.DataFrame:
        """The headline numbers over the replications, each with its uncertainty.

        Args:
            confidence: Of the intervals, 0 to 1.

        Returns:
            One row per number in the order of ``headline``: ``metric`` (String), ``value``, ``low``, ``high``
            (Float64), ``statistic`` (String), ``runs`` (Int64, that have the number), ``of`` (Int64, all).
            The statistic is the mean of the runs that have it, with Student's t, cut where no value is
            possible; of the wait it is the median, infinite where fewer than half could afford the item in
            time, between two of the runs. An interval is null where the runs are too few, or all the same.
        """
        found = [
            (name, estimate(self.headlines[name].to_list(), name, possible, confidence))
            for name, possible in POSSIBLE.items()
        ]
        rows = [(name, n.value, n.low, n.high, n.statistic, n.runs, n.of) for name, n in found]
        number = {"value": pl.Float64, "low": pl.Float64, "high": pl.Float64}
        counts = {"statistic": pl.String, "runs": pl.Int64, "of": pl.Int64}
        return pl.DataFrame(rows, {"metric": pl.String, **number, **counts}, orient="row")

    def metric(self, name: str | Metric, **options: object) -> pl.DataFrame:
        """One metric of every replication.

        Args:
            name: A key of ``METRICS``, or a function of your own that takes ``Observations``.
            options: What the metric takes, such as ``first_day``.

        Returns:
            The metric's frame with ``replication`` (Int64, from 1) before its columns; what one replication
            has a row for, all have (``numbered``).

        Raises:
            MisuseError: There is no such metric, or a sum of it is beyond 64 bits.
        """
        return numbered((measured(name, seen, **options) for seen in self.observations), name)

    @property
    def plot(self) -> RunPlots:
        """Charts: ``run.plot.supply()``, ``flows()`` and so on (``CHARTS``), each answering its Axes."""
        return RunPlots(self.metric, self.warm_up_days)

    def report_data(self, since: date | None = None, until: date | None = None) -> ReportData:
        """Everything that the report shows, computed; of a part where ``since`` or ``until`` is given."""
        shown = {
            "scenario": self.manifest["scenario"],
            "players": f"{self.manifest['players']:,}",
            "days": str(self.manifest["days"]),
            "replications": str(self.manifest["replications"]),
            "seed": str(self.manifest["seed"]),
            "engine": self.manifest["engine"],
            "provider": self.manifest["provider"],
            "economy hash": self.manifest["economy_hash"],
            "scenario hash": self.manifest["scenario_hash"],
            "weights digest": self.manifest["weights_digest"],
            "python": self.manifest["python"],
            **self.manifest["packages"],
        }
        told: Mapping[str, Any] = {
            "title": self.manifest["title"],
            "manifest": shown,
            "findings": self.findings,
            "assumptions": ASSUMPTIONS,
        }
        if since is not None or until is not None:
            return period_report(self.observations, since, until, **told)
        return report_data(self.observations, headlines=self.headlines, **told)

    def report(
        self, path: str | Path | None = None, *, since: date | None = None, until: date | None = None
    ) -> Path:
        """Write the report, and answer its path.

        Args:
            path: The HTML file; ``report.html`` in the run's folder when left out.
            since: First UTC day shown; None for the first of the run.
            until: First UTC day left out; None for the end. A part is shown beside the time before it.

        Raises:
            MisuseError: No day lies in that time.
        """
        data = self.report_data(since, until)
        return write_report(path or self.folder / "report.html", data)


def missing_replications(folder: Path) -> list[Path]:
    """The folders of replications that a run's manifest promises and that are not done.

    Returns:
        Ascending; none where the folder holds no run.

    Raises:
        MisuseError: The manifest is of another program, or torn.
    """
    if not (folder / MANIFEST).is_file():
        return []
    every = range(batch.read_manifest(folder)["replications"])
    targets = [batch.replication_folder(folder / REPLICATIONS, number) for number in every]
    return [target for target in targets if batch.summary_of(target) is None]


def _require_sensible(replications: int, seed: int, provider: str) -> None:
    if provider != MEMORY and replications != 1:
        raise MisuseError(f"a store holds one replication: over {provider} use replications=1")
    if not 1 <= replications <= MOST_REPLICATIONS:
        message = f"replications is {replications}; use 1 to {MOST_REPLICATIONS:,}"
        raise MisuseError(message)
    if not -(2**63) <= seed < 2**63:
        message = f"seed is {seed}; use a whole number of 64 bits"
        raise MisuseError(message)


def usual_replications(provider: str) -> int:
    """How often a scenario is played where nobody says."""
    return _REPLICATIONS if provider == MEMORY else 1


def _require_travelling(scenario: Scenario, workers: str) -> None:
    elsewhere = pool_of(workers)[0] == PROCESS
    for name, stage in scenario.stages.items():
        if elsewhere and not travels(stage):
            message = (
                f"stage {name!r} cannot travel to other processes: define it at the top of a module and "
                'import it, or use workers="serial"'
            )
            raise MisuseError(message)


def _raise_first(failed: list[batch.Failed], replications: int) -> None:
    if not failed:
        return
    job, error = failed[0]
    if job.store is not None:
        raise error
    message = (
        f"{len(failed)} of {replications} replications failed, the first one (number {job.replication}) "
        f"with {type(error).__name__}: {error}; the others are in {job.folder.parent}, "
        "and a rerun plays the rest"
    )
    raise BatchError(message) from error


def simulate(  # noqa: PLR0913 - a designer names what they ask for
    scenario: Scenario,
    *,
    replications: int | None = None,
    seed: int = 1,
    workers: str = "serial",
    out: str | Path | None = None,
    replace: bool = False,
    engine: str = engines.AUTO,
    provider: str = MEMORY,
    on_done: Callable[[Job, Mapping[str, object]], None] | None = None,
    on_step: Callable[[str], None] | None = None,
) -> Run:
    """Replay a scenario's players under several seeds.

    Args:
        scenario: What is simulated.
        replications: How often, 1 to 1,000; when left out 8, or 1 over a store.
        seed: Seed of the batch; the same one gives the same bytes, whatever the workers.
        workers: ``serial``; ``process`` (one a core) or ``process:N``, in a script only under
            ``if __name__ == "__main__":``, since each worker imports the script anew; ``thread`` or
            ``thread:N``, which the compiled engine alone makes faster.
        out: Folder of the results; what is done there already is not played again. A temporary one, which
            goes with the run, when left out.
        replace: Play over another run that the folder holds; without it, that is an error.
        engine: ``faithful``, through the bot's own services; ``compiled``, twenty times as fast, for which
            numba must be there (extra ``fast``); ``both``, which stops at the first row in which they differ;
            ``auto``, compiled where that can be and is worth it. The bytes are the same; the manifest says
            which one it was, and why.
        provider: Where the players are stored: ``memory``; or ``local``, ``postgres`` or ``mongo``, an empty
            store that the bot's settings name, which keeps one replication, played in this process.
        on_done: Called with each replication that is done, and its summary.
        on_step: Called with what is done before the first one, where that takes a while.

    Returns:
        The run; ``run.health()`` says whether every law held.

    Raises:
        MisuseError: Too few or too many replications, a seed beyond 64 bits, unknown workers, an engine or
            workers that cannot play this, or the folder or the store holds something else.
        StorageError: The store cannot be used, or failed on the way.
        BatchError: A replication failed; the others are kept.
    """
    count = usual_replications(provider) if replications is None else replications
    workers = workers if provider == MEMORY else "serial"
    _require_sensible(count, seed, provider)
    store = store_settings(provider)
    _require_travelling(scenario, workers)
    chosen = engines.choose(engine, scenario, count, provider)
    folder = Path(tempfile.mkdtemp(prefix="kokoromichi-") if out is None else out)
    batch.prepare(folder, batch.manifest(scenario, seed, count, str(chosen), provider), replace=replace)
    played = folder / REPLICATIONS
    jobs = [Job(scenario, seed, number, played, chosen.name, store) for number in range(count)]
    if not all(job.target.is_dir() for job in jobs):
        engines.compile_once(scenario, chosen, on_step or (lambda _what: None))
    failed = list(batch.run_jobs(jobs, workers, on_done or (lambda _job, _summary: None)))
    _raise_first(failed, count)
    run = Run(folder)
    if out is None:
        weakref.finalize(run, shutil.rmtree, folder, ignore_errors=True)
    return run


__all__ = ["METRICS", "BatchError", "Run", "simulate"]
