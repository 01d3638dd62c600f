"""Experiments on the command line: compare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from kokoromichi.cli.output import Json, answer, progress, screen
from kokoromichi.operation.exits import exit_on_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kokoromichi.experiments.compare import Comparison
    from kokoromichi.experiments.seed_runs import SeedRun
    from kokoromichi.simulation.scenario import Scenario


def compare(
    base: Annotated[str, typer.Argument(help="Name of a shipped scenario, or a .toml file.")] = "baseline",
    others: Annotated[
        list[str] | None, typer.Argument(help="Scenarios to hold against it, by name or file.")
    ] = None,
    what_if: Annotated[
        list[str] | None,
        typer.Option(
            help="A change of the base's numbers, with a name if you like: "
            '"potion +20 %: store.health_potion.price_gold * 1.2, opening.gold = 9000". May be given again.'
        ),
    ] = None,
    players: Annotated[int | None, typer.Option(min=1, help="Size of the population.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Horizon in days.")] = None,
    replications: Annotated[int, typer.Option(min=2, help="Runs of each scenario.")] = 20,
    precision: Annotated[
        list[str] | None,
        typer.Option(help="Half-width wanted, such as supply_gold=0.02; runs are added up to --most."),
    ] = None,
    most: Annotated[int, typer.Option(min=2, help="Where runs stop being added.")] = 60,
    primary: Annotated[str, typer.Option(help="The number that it is about.")] = "supply_gold",
    seed: Annotated[int, typer.Option(help="The same one gives the same numbers.")] = 1,
    workers: Annotated[str, typer.Option(help="serial, process (one a core) or process:N.")] = "process",
    engine: Annotated[str, typer.Option(help="auto, faithful, compiled or both.")] = "auto",
    economy: Annotated[
        Path | None, typer.Option(help="A folder with an economy, or a TOML file of its numbers.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The page that is written.")] = Path("decision.html"),
    as_json: Json = False,
) -> None:
    """Hold scenarios against a base under the same seeds: what changes, and how surely."""
    with exit_on_error():
        from kokoromichi.experiments.compare import compare as hold  # noqa: PLC0415 - --help stays fast
        from kokoromichi.experiments.what_if import read_amounts, read_change  # noqa: PLC0415 - as above
        from kokoromichi.settings import Settings  # noqa: PLC0415 - as above
        from kokoromichi.simulation.scenario import Scenario  # noqa: PLC0415 - as above

        named = economy or Settings().chosen_economy_dir

        def load(name: str) -> Scenario:
            return Scenario.load(name, days=days, players=players, economy=named)

        chosen = load(base)
        arms = {Path(name).stem: load(name) for name in others or ()}
        for text in what_if or ():
            change = read_change(text)
            arms[change.name] = change.applied(chosen)
        with progress(f"Comparing with {chosen.name}", replications * (1 + len(arms)), "runs done") as (
            bar,
            task,
        ):

            def done(_run: SeedRun) -> None:
                bar.update(task, description=f"Comparing with {chosen.name}", advance=1)

            def step(what: str) -> None:
                bar.update(task, description=what)

            comparison = hold(
                chosen,
                arms,
                precision=read_amounts(precision or ()),
                primary=primary,
                replications=replications,
                most_replications=max(most, replications),
                seed=seed,
                workers=workers,
                engine=engine,
                on_done=done,
                on_step=step,
            )
        page = comparison.report(out)
        if as_json:
            answer(
                {
                    "report": str(page),
                    "engine": comparison.asked.engine,
                    "table": comparison.table().to_dicts(),
                }
            )
        else:
            _show(comparison, page)


def _show(comparison: Comparison, page: Path) -> None:
    for name in comparison.others:
        table = Table(title=f"{escape(name)} against {comparison.base.name}", title_justify="left")
        for head in ("number", "before", "after", "change", "interval", "verdict"):
            table.add_column(head, justify="left" if head in {"number", "verdict"} else "right")
        for row in comparison.table().filter(scenario=name).iter_rows(named=True):
            table.add_row(*_cells(row))
        screen.print(table)
    screen.print(f"The page: {page}", highlight=False)


def _cells(row: Mapping[str, float | str | None]) -> tuple[str, ...]:
    interval = "-" if row["low"] is None else f"{_number(row['low'])} to {_number(row['high'])}"
    verdict = str(row["verdict"] or "shown, not tested")
    return (
        str(row["metric"]),
        *(_number(row[name]) for name in ("before", "after", "change")),
        interval,
        verdict,
    )


def _number(value: float | str | None) -> str:
    if not isinstance(value, (int, float)):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:,.3f}"  # noqa: PLR2004 - as people write numbers
