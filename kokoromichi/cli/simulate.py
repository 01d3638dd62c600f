"""The laboratory on the command line: simulate, report, and the check of an economy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from kokoromichi.cli.data import DataDirOption, ProviderOption, chosen_provider
from kokoromichi.cli.output import Json, Wanted, answer, listing, number, progress, say, screen
from kokoromichi.core.errors import MisuseError
from kokoromichi.operation.exits import AUDIT_FAILED, TARGET_MISSED, exit_on_error, fail

if TYPE_CHECKING:
    from kokoromichi.analysis.report import Report
    from kokoromichi.analysis.targets import Targets
    from kokoromichi.simulation.run import Run

EngineOption = Annotated[
    str,
    typer.Option(
        help="faithful (the bot's own services), compiled (much faster; needs numba), "
        "both (stops at the first row that differs) or auto (compiled where it can be and is worth it). "
        "The bytes are the same."
    ),
]
StoreOption = Annotated[
    str,
    typer.Option(
        help="memory; or local, postgres or mongo, a rehearsal over the empty store that DATA_DIR, "
        "DATABASE_URL or MONGO_URI names: one run, by the faithful engine, which stays there."
    ),
]
DrawOption = Annotated[
    bool, typer.Option("--report/--no-report", help="Draw the report; `report` draws it later.")
]


def simulate(
    scenario: Annotated[
        str, typer.Argument(help="Name of a shipped scenario, or a .toml file.")
    ] = "baseline",
    players: Annotated[
        int | None, typer.Option(min=1, help="Size of the population; the scenario's own.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Horizon in days; the scenario's own.")] = None,
    replications: Annotated[
        int | None, typer.Option(min=1, help="Runs under different seeds; 8, or 1 over a store.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the batch: the same one gives the same bytes.")] = 1,
    workers: Annotated[
        str, typer.Option(help="serial, process[:N], thread[:N] or dask[:N], one a core; or tcp://host:port.")
    ] = "process",
    economy: Annotated[
        Path | None,
        typer.Option(help="A folder with an economy, or a TOML file of its numbers; ECONOMY_DIR."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the results; simulations/results/<scenario> when left out.")
    ] = None,
    engine: EngineOption = "auto",
    provider: StoreOption = "memory",
    replace: Annotated[
        bool, typer.Option("--replace", help="Play over another run that the folder holds.")
    ] = False,
    target: Wanted = None,
    draw: DrawOption = True,
    as_json: Json = False,
) -> None:
    """Replay synthetic players, audit every ledger, write the report; 1 where a --target is missed."""
    with exit_on_error():
        from kokoromichi.analysis.targets import TARGETS, Targets  # noqa: PLC0415 - --help stays fast
        from kokoromichi.settings import Settings  # noqa: PLC0415 - --help stays fast
        from kokoromichi.simulation.scenario import Scenario  # noqa: PLC0415 - --help stays fast
        from kokoromichi.simulation.simulate import simulate as play  # noqa: PLC0415 - --help stays fast
        from kokoromichi.simulation.simulate import usual_replications  # noqa: PLC0415 - --help stays fast

        targets = Targets.parse(target) if target else TARGETS
        named = economy or Settings().chosen_economy_dir
        chosen = Scenario.load(scenario, days=days, players=players, economy=named)
        folder = out or Path("simulations/results") / chosen.name
        count = usual_replications(provider) if replications is None else replications
        wanted = f"Simulating {chosen.name}"
        with progress(wanted, count, "runs done") as (bar, task):
            run = play(
                chosen,
                replications=count,
                seed=seed,
                workers=workers,
                out=folder,
                replace=replace,
                engine=engine,
                provider=provider,
                on_done=lambda _job, _summary: bar.update(task, description=wanted, advance=1),
                on_step=lambda what: bar.update(task, description=what),
            )
        missed = _conclude(run, targets, draw=draw, as_json=as_json)
    _require_met(missed if target else ())


def _conclude(run: Run, targets: Targets, *, draw: bool, as_json: bool) -> tuple[str, ...]:
    from kokoromichi.analysis.reading import REPLICATIONS  # noqa: PLC0415 - --help stays fast
    from kokoromichi.simulation.replication_jobs import SUMMARY  # noqa: PLC0415 - as above

    report = run.report(targets=targets) if draw else None
    missed = report.unmet if report is not None else run.unmet(targets)
    rows = int(run.health()["ledger_rows"].sum())
    if as_json:
        answer(
            {
                "folder": str(run.folder),
                "report": None if report is None else str(report),
                "sound": run.sound,
                "ledger_rows": rows,
                "findings": [str(finding) for finding in run.findings],
                "targets_unmet": list(missed),
                "metrics": {row.pop("metric"): row for row in run.metrics().to_dicts()},
            }
        )
    else:
        _show(run, report, rows)
        if report is not None:
            say(f"{run.explain(targets=targets)}\nThe report: {report}")
    if not run.sound:
        fail(f"a ledger breaks a law; {run.folder}/{REPLICATIONS}/*/{SUMMARY} says which", AUDIT_FAILED)
    return missed


def _require_met(unmet: tuple[str, ...]) -> None:
    if unmet:
        fail(f"targets missed: {'; '.join(unmet)}", TARGET_MISSED)


def _show(run: Run, report: Report | None, rows: int) -> None:
    shown = listing(run.manifest["title"], "number", "mean or median", "95 % interval", "runs")
    for row in run.metrics().to_dicts():
        low, high = number(row["low"]), number(row["high"])
        shown.add_row(
            row["metric"],
            number(row["value"]),
            f"{low} to {high}" if row["low"] is not None else "-",
            f"{row['runs']} of {row['of']}",
        )
    screen.print(shown)
    for finding in run.findings:
        screen.print(f"[yellow]Finding:[/] {escape(str(finding))}", highlight=False)
    if run.sound:
        say(f"The audit is sound: every law holds over {rows:,} ledger rows.")
    if (provider := run.manifest["provider"]) != "memory":
        say(f"The {provider} store holds the run's players: let no bot play there.")
    if report is None:
        say(f"No report was drawn: kokoromichi report {run.folder} draws it.")


def report(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Folder of a run, of a local store, or of exported files; PROVIDER's store."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The HTML file; report.html in the folder, or here, when left out."),
    ] = None,
    provider: ProviderOption = None,
    data_dir: DataDirOption = None,
    since: Annotated[
        str | None,
        typer.Option(help="First day shown, UTC; the first one there is.", metavar="DATE"),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(help="First day that is left out, UTC; the end.", metavar="DATE"),
    ] = None,
    ids: Annotated[
        bool, typer.Option("--ids", help="Leave players their ids; without it they are keyed hashes.")
    ] = False,
    target: Wanted = None,
    as_json: Json = False,
) -> None:
    """Write the report of a run, of a store beside its bot, or of exported files; a month beside the last."""
    with exit_on_error():
        from kokoromichi.analysis.live import Live  # noqa: PLC0415 - --help stays fast
        from kokoromichi.analysis.reading import MANIFEST  # noqa: PLC0415
        from kokoromichi.analysis.targets import TARGETS, Targets  # noqa: PLC0415
        from kokoromichi.options import day  # noqa: PLC0415
        from kokoromichi.simulation.run import Run as PlayedRun  # noqa: PLC0415

        if folder is not None and (provider or data_dir):
            raise MisuseError("report reads a folder or a store: leave out --provider and --data-dir, or it")
        targets = Targets.parse(target) if target else TARGETS
        first, end = day("since", since), day("until", until)
        if folder is not None and (folder / MANIFEST).is_file():
            written = PlayedRun(folder).report(out, since=first, until=end, targets=targets)
        elif folder is not None:
            live = Live(folder, since=first, until=end, ids=ids)
            named = f"The ledger in {folder.name}"
            written = live.report(out or folder / "report.html", title=named, targets=targets)
        else:
            store = chosen_provider(provider, data_dir, read_only=True)
            live = Live(store, since=first, until=end, ids=ids)
            written = live.report(out or Path("report.html"), targets=targets)
        if as_json:
            answer({"report": str(written), "targets_unmet": list(written.unmet)})
        else:
            say(f"The report: {written}")
    if target:
        _require_met(written.unmet)


def economy_check(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Folder of economy.toml and the catalogues; ECONOMY_DIR when left out."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what breaks a law of the economy: file, field, value and cure of each finding."""
    with exit_on_error():
        from kokoromichi.rules.economy import load_economy  # noqa: PLC0415 - --help stays fast
        from kokoromichi.rules.economy_laws import economy_findings  # noqa: PLC0415 - --help stays fast
        from kokoromichi.settings import Settings  # noqa: PLC0415 - --help stays fast

        place = folder or Settings().economy_dir
        economy = load_economy(place)
        findings = economy_findings(economy)
        if as_json:
            answer(
                {
                    "folder": str(place),
                    "hash": economy.hash,
                    "sound": not findings,
                    "findings": [str(finding) for finding in findings],
                }
            )
        else:
            for finding in findings:
                say(str(finding))
            if not findings:
                say(f"{place}: sound ({len(economy.catalogue)} items, hash {economy.hash})")
        if findings:
            raise typer.Exit(TARGET_MISSED)
