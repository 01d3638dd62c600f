"""Batches on the command line: many scenarios under many seeds, and one of their runs played again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from kokoromichi.cli.output import Json, answer, listing, number, progress, say, screen
from kokoromichi.operation.exits import AUDIT_FAILED, STORAGE_FAILED, exit_on_error, fail

if TYPE_CHECKING:
    from kokoromichi.experiments.batch_runs import Batch

_SHOWN = ("supply_gold", "net_flow_gold_per_active_player_day", "gini", "mean_wait_days")


def batch(
    file: Annotated[str, typer.Argument(help="A .toml file of a batch, or the name of a shipped one.")],
    replications: Annotated[
        int | None, typer.Option(min=1, help="Runs of each scenario; the file's own.")
    ] = None,
    workers: Annotated[
        str | None,
        typer.Option(
            help="serial, process[:N], thread[:N], dask[:N] or a Dask scheduler's tcp://host:port; threads "
            "where all is compiled."
        ),
    ] = None,
    engine: Annotated[str, typer.Option(help="auto, faithful, compiled or both.")] = "auto",
    shard: Annotated[str, typer.Option(help="i/n: the i-th of n commands that share the folder.")] = "1/1",
    keep: Annotated[
        str, typer.Option(help="Of each run: summary (its row), ledger, or all that simulate keeps.")
    ] = "summary",
    out: Annotated[
        Path | None, typer.Option(help="Folder of the rows; simulations/results/<file> when left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Play many scenarios under many seeds, a row of totals a run; what is done is not played again."""
    with exit_on_error():
        from kokoromichi.experiments.batch_file import BatchFile  # noqa: PLC0415 - --help stays fast
        from kokoromichi.experiments.batches import batch as play  # noqa: PLC0415 - as above
        from kokoromichi.experiments.shards import Shard  # noqa: PLC0415 - as above

        read, path = BatchFile.load(file)
        scenarios, count = read.built(path), replications or read.replications
        mine = len(Shard.read(shard).of(range(len(scenarios) * count)))
        with progress(read.title, mine, "runs done") as (bar, task):
            found = play(
                scenarios,
                replications=count,
                seed=read.seed,
                workers=workers,
                engine=engine,
                out=out or Path("simulations/results") / path.stem,
                shard=shard,
                keep=keep,
                on_done=lambda _run: bar.update(task, description=read.title, advance=1),
                on_step=lambda what: bar.update(task, description=what),
            )
        failures = found.failures()
        if as_json:
            answer(_as_json(found))
        else:
            _show(found, read.title)
    if failures.height:
        first = failures.row(0, named=True)
        fail(
            f"{failures.height} runs failed, the first one (run {first['run']}) with {first['error']}: "
            f"{first['message']}; the same command plays them again",
            STORAGE_FAILED,
        )


def _as_json(found: Batch) -> dict[str, object]:
    return {
        "folder": str(found.folder),
        "planned": found.planned,
        "missing": len(found.missing()),
        "failures": found.failures().to_dicts(),
        "table": found.table().to_dicts(),
    }


def _show(found: Batch, title: str) -> None:
    shown = listing(title, "scenario", "runs", *_SHOWN)
    numbers = found.table()
    for scenario in found.scenarios:
        rows = {row["metric"]: row for row in numbers.filter(scenario=scenario).iter_rows(named=True)}
        if rows:
            cells = (number(rows[name]["value"]) for name in _SHOWN)
            shown.add_row(escape(scenario), str(rows[_SHOWN[0]]["of"]), *cells)
    screen.print(shown)
    say(f"{found!r}")


def replay(
    folder: Annotated[Path, typer.Argument(help="Folder of a batch.")],
    run: Annotated[int, typer.Option(min=0, help="Number of the run, from 0.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of its files; replay-<run> in the batch's when left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Play one run of a batch again, keep its whole ledger, and hold its totals against the batch's row."""
    with exit_on_error():
        from kokoromichi.experiments.batches import RunDiffersError  # noqa: PLC0415 - --help stays fast
        from kokoromichi.experiments.batches import replay as play  # noqa: PLC0415 - as above

        target = out or folder / f"replay-{run}"
        try:
            seen = play(folder, run, target)
        except RunDiffersError as error:
            fail(str(error), AUDIT_FAILED)
        rows = seen.ledger.collect().height
        if as_json:
            answer({"folder": str(target), "ledger_rows": rows})
        else:
            say(f"Run {run}: {rows:,} ledger rows in {target}")
