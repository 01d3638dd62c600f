"""A batch that was played: its folder, its numbers, its pictures, its report."""

from __future__ import annotations

import atexit
import shutil
import weakref
from dataclasses import replace
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from kokoromichi.analysis.metrics import METRICS, first_measured_day, measured, numbered
from kokoromichi.analysis.metrics.headline import POSSIBLE, headline
from kokoromichi.analysis.observations import Observations
from kokoromichi.analysis.reading import MANIFEST, REPLICATIONS
from kokoromichi.analysis.replicated import estimate
from kokoromichi.analysis.report import (
    Explanation,
    Report,
    ReportData,
    explained,
    period_report,
    report_data,
    unmet_targets,
    write_report,
)
from kokoromichi.analysis.run_plots import RunPlots
from kokoromichi.analysis.tables import Table
from kokoromichi.analysis.targets import TARGETS, Targets
from kokoromichi.analysis.workbook import metrics_workbook
from kokoromichi.core.errors import MisuseError
from kokoromichi.options import between, day
from kokoromichi.rules.findings import Finding
from kokoromichi.simulation import replication_jobs
from kokoromichi.simulation.cards import run_card
from kokoromichi.simulation.manifest import identity_of, read_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kokoromichi.analysis.metrics import Entry, Metric
    from kokoromichi.analysis.targets import Bands

ASSUMPTIONS: Final = {
    "retention_d30": "Assumed, not predicted: an archetype leaves at its own rate, which prices hardly move."
}
"""By the name of a headline number: what the model puts in, so that no change of it is evidence."""


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
        self.manifest: Mapping[str, Any] = read_manifest(self.folder)
        self.findings = tuple(Finding(**finding) for finding in self.manifest["findings"])
        self._going: weakref.finalize[..., Run] | None = None
        self._whole: tuple[tuple[tuple[str, Entry], ...], ReportData] | None = None
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
        if missing := missing_replications(self.folder):
            named = ", ".join(target.name for target in missing)
            message = (
                f"{self.folder} lacks replications {named}: the run was interrupted, or they are another "
                "run's; give the same command again, and it goes on"
            )
            raise MisuseError(message)
        return [
            replication_jobs.replication_folder(self.folder / REPLICATIONS, number) for number in range(count)
        ]

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
            summary: dict[str, Any] = replication_jobs.summary_of(target) or {}
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
        if self._whole is not None:
            return Table(self._whole[1].headline)
        return Table(numbered(headline(seen.loaded(), self.warm_up_days) for seen in self._observed))

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
        confidence = between("confidence", confidence, 0, 1)
        found = [
            (name, estimate(self.headlines[name].to_list(), name, possible, confidence))
            for name, possible in POSSIBLE.items()
        ]
        rows = [(name, n.value, n.low, n.high, n.statistic, n.runs, n.of) for name, n in found]
        number = {"value": pl.Float64, "low": pl.Float64, "high": pl.Float64}
        counts = {"statistic": pl.String, "runs": pl.Int64, "of": pl.Int64}
        return Table(rows, {"metric": pl.String, **number, **counts}, orient="row")

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
        return Table(numbered((measured(name, seen, **options) for seen in self._observed), name))

    def to_excel(self, path: str | Path) -> Path:
        """Write the headline numbers and every metric as a sheet each; heads say what a column means.

        Args:
            path: The ``.xlsx`` file; one that is there is replaced.

        Raises:
            MisuseError: XlsxWriter is not there: it comes with the extra ``notebooks``.
            OSError: The file cannot be written.
        """
        return metrics_workbook(path, self.metrics(), self.metric, self.warm_up_days)

    def report_data(
        self, since: date | str | None = None, until: date | str | None = None, targets: Bands = TARGETS
    ) -> ReportData:
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
        held, first, end = Targets.of(targets), day("since", since), day("until", until)
        if first is not None or end is not None:
            return period_report(self._observed, first, end, targets=held, **told)
        known = tuple(METRICS.items())  # One of a designer's own may have come since.
        if self._whole is None or self._whole[0] != known:
            self._whole = known, report_data(self._observed, warm_up_days=self.warm_up_days, **told)
        return replace(self._whole[1], targets=held)

    def report(
        self,
        path: str | Path | None = None,
        *,
        since: date | str | None = None,
        until: date | str | None = None,
        targets: Bands = TARGETS,
    ) -> Report:
        """Write the report; a notebook shows a link to it.

        Args:
            path: The HTML file; ``report.html`` in the run's folder when left out.
            since: First UTC day shown; None for the first of the run.
            until: First UTC day left out; None for the end. A part is shown beside the time before it.
            targets: The bands that numbers are held to, ``km.Targets({"wait_days": (5, 9)})``; the project's
                own when left out. ``report.unmet`` says which are not met.

        Raises:
            MisuseError: No day lies in that time, or a target names what is not there.
        """
        data = self.report_data(since, until, targets)
        if path is None:
            self._stay()
        return write_report(path or self.folder / "report.html", data)

    def unmet(self, targets: Bands = TARGETS) -> tuple[str, ...]:
        """Say which targets are missed, and by what, without drawing anything.

        Args:
            targets: The bands that numbers are held to, as in ``report``.

        Raises:
            MisuseError: A target names what is not there.
        """
        return unmet_targets(self.report_data(targets=targets))

    def explain(self, targets: Bands = TARGETS) -> Explanation:
        """Say in sentences how fast supply grows, who gains by what, and which targets are missed.

        Args:
            targets: The bands that numbers are held to, as in ``report``.

        Raises:
            MisuseError: A target names what is not there.
        """
        return explained(self.report_data(targets=targets))

    def remove_folder_when_unused(self) -> None:
        """Remove the folder when nobody knows this run any more, and at the latest with the program."""
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


def missing_replications(folder: Path) -> list[Path]:
    """The folders of replications that a run's manifest promises and that are not done, or another run's.

    Returns:
        Ascending; none where the folder holds no run.

    Raises:
        MisuseError: The manifest is of another program, or torn.
    """
    if not (folder / MANIFEST).is_file():
        return []
    told = read_manifest(folder)
    every, identity = range(told["replications"]), identity_of(told)
    targets = [replication_jobs.replication_folder(folder / REPLICATIONS, number) for number in every]
    return [target for target in targets if replication_jobs.summary_of(target, identity) is None]
