"""Experiments on the command line: compare, tune and sensitivity."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kokoromichi.cli.output import Json, Wanted, answer, listing, number, progress, say, screen
from kokoromichi.operation.exits import TARGET_MISSED, exit_on_error, fail
from kokoromichi.options import once

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from kokoromichi.experiments.candidate import Candidate
    from kokoromichi.experiments.comparison import Comparison
    from kokoromichi.experiments.tuned import Tuned
    from kokoromichi.simulation.scenario import Scenario


Players = Annotated[int | None, typer.Option(min=1, help="Size of the population; the scenario's own.")]
Days = Annotated[int | None, typer.Option(min=1, help="Horizon in days; the scenario's own.")]
Seed = Annotated[int, typer.Option(help="The same one gives the same numbers.")]
Workers = Annotated[
    str, typer.Option(help="serial, process[:N] or dask[:N], one a core; or tcp://host:port.")
]
EngineName = Annotated[str, typer.Option(help="auto, faithful, compiled or both.")]
EconomyPath = Annotated[
    Path | None, typer.Option(help="A folder with an economy, or a TOML file of its numbers; ECONOMY_DIR.")
]
WhatIf = Annotated[
    list[str] | None,
    typer.Option(
        help="A change of the base's numbers, with a name if you like: "
        '"training +20 %: train.price_gold * 1.2, opening.gold = 9000". May be given again. '
        "docs/economy.md has the names."
    ),
]
Precision = Annotated[
    list[str] | None,
    typer.Option(help="Half-width wanted, such as supply_gold=0.02; runs are added up to --most."),
]


def compare(
    base: Annotated[str, typer.Argument(help="Name of a shipped scenario, or a .toml file.")] = "baseline",
    others: Annotated[
        list[str] | None, typer.Argument(help="Scenarios to hold against it, by name or file.")
    ] = None,
    what_if: WhatIf = None,
    players: Players = None,
    days: Days = None,
    replications: Annotated[
        int, typer.Option(min=2, help="Runs of each scenario; of fewer than 5 nothing is certain.")
    ] = 20,
    precision: Precision = None,
    most: Annotated[int, typer.Option(min=2, help="Where runs stop being added.")] = 60,
    primary: Annotated[str, typer.Option(help="The number that it is about.")] = "supply_gold",
    seed: Seed = 1,
    workers: Workers = "process",
    engine: EngineName = "auto",
    economy: EconomyPath = None,
    out: Annotated[Path, typer.Option(help="The page that is written.")] = Path("decision.html"),
    as_json: Json = False,
) -> None:
    """Hold scenarios against a base under the same seeds: what changes, and how surely."""
    with exit_on_error():
        from kokoromichi.experiments.compare import compare as hold  # noqa: PLC0415 - --help stays fast
        from kokoromichi.experiments.what_if import read_amounts  # noqa: PLC0415 - as above

        chosen, arms = _arms(base, others or (), what_if or (), days, players, economy)
        wanted = f"Comparing with {chosen.name}"
        with progress(wanted, replications * (1 + len(arms)), "runs done") as (bar, task):
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
                on_done=lambda _run: bar.update(task, description=wanted, advance=1),
                on_step=lambda what: bar.update(task, description=what),
            )
        page = comparison.report(out).path
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


def _arms(
    base: str,
    others: Sequence[str],
    changes: Sequence[str],
    days: int | None,
    players: int | None,
    economy: Path | None,
) -> tuple[Scenario, dict[str, Scenario]]:
    """The base, and what is held against it by name."""
    from kokoromichi.experiments.what_if import read_change  # noqa: PLC0415 - --help stays fast
    from kokoromichi.settings import Settings  # noqa: PLC0415 - as above
    from kokoromichi.simulation.scenario import Scenario  # noqa: PLC0415 - as above

    named = economy or Settings().chosen_economy_dir
    chosen, *loaded = (
        Scenario.load(name, days=days, players=players, economy=named) for name in (base, *others)
    )
    asked = [(change.name, change.applied(chosen)) for change in map(read_change, changes)]
    return chosen, once([*((other.name, other) for other in loaded), *asked])


def _show(comparison: Comparison, page: Path) -> None:
    for name in comparison.others:
        heads = ("number", "before", "after", "change", "interval", "verdict")
        shown = listing(f"{name} against {comparison.base.name}", *heads, texts=("verdict",))
        for row in comparison.table().filter(scenario=name).iter_rows(named=True):
            shown.add_row(*_cells(row))
        screen.print(shown)
    say(f"The page: {page}")


Free = Annotated[
    list[str] | None,
    typer.Option(
        help="A number to turn: opening.gold=5000:30000, or by factors, daily.gold=*0.1:1.2. "
        "docs/economy.md has the names."
    ),
]
Kept = Annotated[
    Path | None, typer.Option(help="Folder that keeps every run: the same question goes on there.")
]
Written = Annotated[
    Path | None, typer.Option(help="The economy.toml into which the best numbers are written.")
]


def tune(
    base: Annotated[str, typer.Argument(help="Name of a shipped scenario, or a .toml file.")] = "baseline",
    free: Free = None,
    target: Wanted = None,
    players: Players = None,
    days: Days = None,
    rounds: Annotated[int, typer.Option(min=0, help="Of two points each, after the first 16.")] = 6,
    trials: Annotated[
        int, typer.Option(min=0, help="Points that Optuna proposes after the rounds, for wild spaces.")
    ] = 0,
    robust: Annotated[
        int, typer.Option(min=0, help="Populations a little different that the best five are held against.")
    ] = 0,
    seed: Seed = 1,
    engine: EngineName = "auto",
    economy: EconomyPath = None,
    validate: Annotated[int, typer.Option(min=1, help="Runs under other seeds for the best five.")] = 50,
    out: Kept = None,
    write: Written = None,
    as_json: Json = False,
) -> None:
    """Search for numbers under which targets are met; ends with 1 where none are found."""
    with exit_on_error():
        from kokoromichi.analysis.targets import Targets  # noqa: PLC0415 - --help stays fast
        from kokoromichi.experiments.robustness import plausible  # noqa: PLC0415 - as above
        from kokoromichi.experiments.tune import planned_runs  # noqa: PLC0415 - --help stays fast
        from kokoromichi.experiments.tune import tune as search  # noqa: PLC0415
        from kokoromichi.experiments.what_if import read_free  # noqa: PLC0415 - as above
        from kokoromichi.experiments.writing import economy_of  # noqa: PLC0415 - as above

        if write is not None:
            economy_of(write)
        chosen, _ = _arms(base, (), (), days, players, economy)
        wanted = f"Tuning {chosen.name}"
        with progress(wanted, planned_runs(rounds, trials), "runs done") as (bar, task):
            tuned = search(
                chosen,
                read_free(free or ()),
                Targets.parse(target or ()),
                rounds=rounds,
                trials=trials,
                robust=plausible(chosen, robust) if robust else (),
                seed=seed,
                engine=engine,
                out=out,
                on_done=lambda runs: bar.update(task, description=wanted, completed=runs),
                on_step=lambda what: bar.update(task, description=what),
            )
            bar.update(task, description="Validating the best five")
            best, checked = _validated(tuned, validate, seed)
        met = tuned.found and bool(checked["met"].all())
        written = best.write(write) if write is not None and met else None
        if as_json:
            answer(_tuned(tuned, best, checked, written))
        else:
            _show_tuned(str(tuned.explain()), best, checked, written)
    if not met:
        fail("no numbers that meet every target were found", TARGET_MISSED)


def _validated(tuned: Tuned, replications: int, seed: int) -> tuple[Candidate, pl.DataFrame]:
    """The best under other seeds, and what it shows under others still: that choice was by luck, too."""
    from kokoromichi.experiments.tuned import best_of  # noqa: PLC0415 - --help stays fast

    met = [one for one in tuned.candidates() if one.met]
    best = tuned.best if tuned.robust else best_of(met or [tuned.best], replications, seed + 1)
    return best, best.validate(replications, seed + 2)


def _tuned(tuned: Tuned, best: Candidate, checked: pl.DataFrame, written: Path | None) -> dict[str, object]:
    return {
        "met": tuned.found and bool(checked["met"].all()),
        "explanation": " ".join(tuned.explain()),
        "values": dict(best.values),
        "validated": checked.to_dicts(),
        "trials": tuned.table().to_dicts(),
        "written": None if written is None else str(written),
    }


def _show_tuned(said: str, best: Candidate, checked: pl.DataFrame, written: Path | None) -> None:
    say(said)
    heads = ("number", "wanted", "found", "runs that meet it")
    shown = listing("Under seeds that the search has not seen", *heads, texts=("wanted",))
    for row in checked.iter_rows(named=True):
        shown.add_row(
            row["metric"], row["target"], number(row["value"]), f"{row['runs_met']} of {row['runs']}"
        )
    screen.print(shown)
    turned = (f"{path} {value:,.10g}" for path, value in best.values.items())
    say(f"Its numbers: {', '.join(turned)}.")
    if written is not None:
        say(f"Written to {written}")


def sensitivity(
    base: Annotated[str, typer.Argument(help="Name of a shipped scenario, or a .toml file.")] = "baseline",
    free: Free = None,
    metric: Annotated[str, typer.Option(help="A number of the headline.")] = "supply_gold",
    players: Players = None,
    days: Days = None,
    trajectories: Annotated[int, typer.Option(min=2, help="Walks through the numbers' ends.")] = 20,
    seeds: Annotated[int, typer.Option(min=1, help="Under which each point is played.")] = 2,
    seed: Seed = 1,
    engine: EngineName = "auto",
    economy: EconomyPath = None,
    chart: Annotated[Path | None, typer.Option(help="An SVG or PNG file for the tornado chart.")] = None,
    as_json: Json = False,
) -> None:
    """Screen which numbers of the economy move a metric most."""
    with exit_on_error():
        from kokoromichi.analysis.plots.showing import figure_of  # noqa: PLC0415 - --help stays fast
        from kokoromichi.experiments.sensitivity import sensitivity as screen_numbers  # noqa: PLC0415 - as above
        from kokoromichi.experiments.what_if import read_free  # noqa: PLC0415 - --help stays fast

        chosen, _ = _arms(base, (), (), days, players, economy)
        wanted, ends = f"Screening {chosen.name}", read_free(free or ())
        with progress(wanted, trajectories * (len(ends) + 1) * seeds, "runs done") as (bar, task):
            found = screen_numbers(
                chosen,
                ends,
                trajectories=trajectories,
                seeds=seeds,
                seed=seed,
                engine=engine,
                on_done=lambda runs: bar.update(task, description=wanted, completed=runs),
                on_step=lambda what: bar.update(task, description=what),
            )
        table = found.table(metric)
        if chart is not None:
            figure_of(found.plot.tornado(metric)).savefig(chart)
        if as_json:
            answer({"engine": str(found.engine), "metric": metric, "table": table.to_dicts()})
        else:
            _show_ranks(table, metric)


def _show_ranks(table: pl.DataFrame, metric: str) -> None:
    title = f"What moves {metric}; numbers that cannot be told apart share a rank"
    heads = ("rank", "number", "effect over its span", "95 % interval", "mean, with its sign")
    shown = listing(title, *heads, texts=("number",))
    for row in table.iter_rows(named=True):
        interval = f"{number(row['low'])} to {number(row['high'])}"
        shown.add_row(str(row["rank"]), row["path"], number(row["effect"]), interval, number(row["signed"]))
    screen.print(shown)


def _cells(row: Mapping[str, float | str | None]) -> tuple[str, ...]:
    interval = "-" if row["low"] is None else f"{number(row['low'])} to {number(row['high'])}"
    of = "" if row["pairs"] == row["runs"] else f", {row['pairs']} of {row['runs']} runs"
    return (
        str(row["metric"]),
        *(number(row[name]) for name in ("before", "after", "change")),
        interval,
        f"{row['verdict']}{of}",
    )
