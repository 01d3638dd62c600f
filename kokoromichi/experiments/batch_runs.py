"""What the runs of a batch showed, read from its folder while it grows."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson
import polars as pl

from kokoromichi.analysis.metrics.headline import POSSIBLE, WHOLE
from kokoromichi.analysis.observations import Observations
from kokoromichi.analysis.replicated import estimate
from kokoromichi.analysis.tables import Table
from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.batch_jobs import run_folder
from kokoromichi.options import between, whole
from kokoromichi.simulation.lines import read_lines, with_infinity
from kokoromichi.simulation.manifest import rebuilt
from kokoromichi.simulation.replication_jobs import replication_seed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kokoromichi.experiments.seed_runs import Numbers
    from kokoromichi.simulation.scenario import Scenario

BATCH: Final = "batch.json"
"""Everything that decides the numbers of the batch in a folder."""
_ROWS: Final = "runs*.jsonl"
_KEY: Final = {"run": pl.Int64(), "scenario": pl.String(), "replication": pl.Int64()}


def read_batch(path: Path) -> dict[str, Any]:
    """What decides the numbers of a batch.

    Raises:
        MisuseError: The file is torn.
    """
    try:
        told: dict[str, Any] = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise MisuseError(f"{path} cannot be read ({error}): choose another folder with --out") from error
    return told


class Batch:
    """What the runs of a batch showed, as far as they are done.

    Run n is replication ``n // scenarios`` of scenario ``n % scenarios``: more replications keep the numbers.

    Args:
        folder: An output folder of ``batch``.

    Attributes:
        folder: Where it is.
        manifest: Everything that decides its numbers.

    Raises:
        MisuseError: The folder holds no batch.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        path = self.folder / BATCH
        if not path.is_file():
            raise MisuseError(
                f"{self.folder} holds no batch: make one with kokoromichi batch FILE.toml --out DIR"
            )
        self.manifest: Mapping[str, Any] = read_batch(path)
        self.scenarios: tuple[str, ...] = tuple(self.manifest["scenarios"])

    @property
    def planned(self) -> int:
        """How many runs were asked for."""
        return len(self.scenarios) * int(self.manifest["replications"])

    def runs(self) -> pl.DataFrame:
        """The runs that are done: ``run``, ``scenario``, ``replication`` (from 0), headline, own metrics."""
        types = {name: pl.Int64() if name in WHOLE else pl.Float64() for name in self._possible}
        rows = [
            {**self._address(row["run"]), **with_infinity(row["numbers"])}
            for row in self._rows().values()
            if "numbers" in row
        ]
        return Table(rows, {**_KEY, **types}, orient="row").sort("run")

    def failures(self) -> pl.DataFrame:
        """The runs that failed, to be played again by the next command: where, ``error`` and ``message``."""
        told = ("error", "message")
        rows = [
            {**self._address(row["run"]), **{name: row[name] for name in told}}
            for row in self._rows().values()
            if "error" in row
        ]
        return Table(rows, {**_KEY, **dict.fromkeys(told, pl.String())}, orient="row").sort("run")

    def missing(self) -> list[int]:
        """The runs that are not done, ascending."""
        done = {run for run, row in self._rows().items() if "numbers" in row}
        return [run for run in range(self.planned) if run not in done]

    def table(self, confidence: float = 0.95) -> pl.DataFrame:
        """Each number of each scenario over the runs that are done.

        Returns:
            One row per scenario and number, in their order: ``scenario``, ``metric`` (String), ``value``,
            ``low``, ``high`` (Float64), ``statistic`` (String), ``runs`` (Int64, that have the number),
            ``of`` (Int64, that are done); see ``Run.metrics``.
        """
        runs, rows, confidence = self.runs(), [], between("confidence", confidence, 0, 1)
        for name in self.scenarios:
            mine = runs.filter(scenario=name)
            for metric, possible in self._possible.items() if mine.height else ():
                found = estimate(mine[metric].to_list(), metric, possible, confidence)
                rows.append(
                    (name, metric, found.value, found.low, found.high, found.statistic, found.runs, found.of)
                )
        text = {"scenario": pl.String(), "metric": pl.String()}
        numbers = dict.fromkeys(["value", "low", "high"], pl.Float64())
        return Table(
            rows,
            {**text, **numbers, "statistic": pl.String(), "runs": pl.Int64(), "of": pl.Int64()},
            orient="row",
        )

    def scenario_of(self, run: int) -> Scenario:
        """The scenario of a run, rebuilt from the manifest.

        Raises:
            MisuseError: It has stages of one's own, which no file holds.
        """
        name = self.scenarios[run % len(self.scenarios)]
        told = self.manifest["scenarios"][name]
        if "stages" in told["definition"]:
            raise MisuseError(
                f"scenario {name!r} has stages of one's own, which no file holds: simulate it again in Python"
            )
        return rebuilt(told["definition"], self.manifest["words"][told["words_hash"]])

    def seed_of(self, run: int) -> int:
        """The seed of a run, as ``simulate`` gives its replications."""
        return replication_seed(self.manifest["seed"], run // len(self.scenarios))

    def numbers_of(self, run: int) -> Numbers | None:
        """The totals of a run; None where it is not done."""
        row = self._rows().get(run, {})
        return with_infinity(row["numbers"]) if "numbers" in row else None

    def observations(self, run: int) -> Observations:
        """What a run showed, as far as it was kept.

        Raises:
            MisuseError: The batch keeps rows alone, or the run is not done.
        """
        folder = run_folder(self.folder, whole("run", run, 0, self.planned - 1))
        if not folder.is_dir():
            raise MisuseError(
                f"nothing is kept of run {run}: km.replay({str(self.folder)!r}, run={run}) plays it again, "
                'and batch(keep="ledger") keeps every one'
            )
        scenario = self.manifest["scenarios"][self.scenarios[run % len(self.scenarios)]]["definition"]
        first_day = dt.date.fromisoformat(scenario["start"])
        return Observations.scan(folder).over(first_day, first_day + dt.timedelta(days=scenario["days"] - 1))

    @property
    def _possible(self) -> Mapping[str, tuple[float, float]]:
        """Between which values each number of a row can lie: the headline, then metrics of one's own."""
        return {**POSSIBLE, **dict.fromkeys(self.manifest["metrics"], (-math.inf, math.inf))}

    def _address(self, run: int) -> dict[str, object]:
        replication, place = divmod(run, len(self.scenarios))
        return {"run": run, "scenario": self.scenarios[place], "replication": replication}

    def _rows(self) -> dict[int, dict[str, Any]]:
        """What is known of each run; of one that failed and then went through, the latter."""
        rows = [row for path in sorted(self.folder.glob(_ROWS)) for row in read_lines(path)]
        rows.sort(key=lambda row: "numbers" in row)
        return {row["run"]: row for row in rows if row["run"] < self.planned}

    def __repr__(self) -> str:
        """How much of it is done."""
        done = self.planned - len(self.missing())
        return f"Batch({len(self.scenarios)} scenarios, {done:,} of {self.planned:,} runs, {self.folder})"
