"""Fitting players, and planning prices that tell more of them, on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kokoromichi.cli.output import Json, answer, listing, number, say, screen
from kokoromichi.operation.exits import exit_on_error

if TYPE_CHECKING:
    from kokoromichi.experiments.calibration import Calibration

Archetype = Annotated[
    str | None, typer.Option(help="That of all players, where the folder does not say who is who.")
]


def calibrate(
    folder: Annotated[Path, typer.Argument(help="Folder of a run, or of one replication's Parquet files.")],
    base: Annotated[str, typer.Option(help="The scenario that was played, by name or file.")] = "baseline",
    hold_out: Annotated[float, typer.Option(help="Share of the days, the last ones, to check on.")] = 0.2,
    archetype: Archetype = None,
    out: Annotated[Path, typer.Option(help="The population file that is written.")] = Path("calibrated.toml"),
    as_json: Json = False,
) -> None:
    """Fit the players' tastes to the spend choices in a folder, and write them as a population."""
    with exit_on_error():
        found = _fitted(folder, base, archetype, hold_out)
        path, table = found.write(out), found.table()
        if as_json:
            answer({"population": str(path), "table": table.to_dicts(), "check": found.check().to_dicts()})
            return
        heads = ("archetype", "coefficient", "estimate", "95 % interval", "note")
        shown = listing(repr(found), *heads, texts=("coefficient", "note"))
        for row in table.iter_rows(named=True):
            interval = "-" if row["low"] is None else f"{number(row['low'])} to {number(row['high'])}"
            cells = (row["archetype"], row["coefficient"], number(row["estimate"]), interval, row["note"])
            shown.add_row(*cells)
        screen.print(shown)
        say(f"The population: {path}")


def plan_prices(
    folder: Annotated[Path, typer.Argument(help="Folder of a run, or of exported files.")],
    base: Annotated[str, typer.Option(help="The scenario that was played, by name or file.")] = "baseline",
    archetype: Archetype = None,
    precision: Annotated[
        float, typer.Option(help="Standard error wanted of the store's price sensitivity, in utils.")
    ] = 0.2,
    percent: Annotated[
        int, typer.Option(help="How far a price may move, in percent of the list price.")
    ] = 20,
    weeks: Annotated[int, typer.Option(help="Of each plan.")] = 12,
    as_json: Json = False,
) -> None:
    """Predict which price lists would tell how sensitive players are to prices, and propose some."""
    with exit_on_error():
        from kokoromichi.experiments.price_plans import plan_prices as planned  # noqa: PLC0415 - --help stays fast

        mine = _fitted(folder, base, archetype, 0.2)
        plans = planned(mine, precision=precision, percent=percent, weeks=weeks)
        table, proposed = plans.table(), plans.plans["proposed"]
        if as_json:
            answer({"table": table.to_dicts(), "proposed": [dict(week) for week in proposed]})
            return
        heads = ("plan", "archetype", "standard error", "weeks needed", "note")
        shown = listing(repr(plans), *heads, texts=("archetype", "note"))
        for row in table.iter_rows(named=True):
            found = [number(row[name]) for name in ("predicted_se", "weeks_needed")]
            shown.add_row(row["plan"], row["archetype"], *found, row["note"])
        screen.print(shown)
        for place, week in enumerate(proposed, 1):
            moved = ", ".join(f"{category} {percent} %" for category, percent in week.items())
            say(f"week {place}: {moved}")


def _fitted(folder: Path, base: str, archetype: str | None, hold_out: float) -> Calibration:
    from kokoromichi.analysis.observations import Observations  # noqa: PLC0415 - --help stays fast
    from kokoromichi.analysis.reading import MANIFEST  # noqa: PLC0415 - as above
    from kokoromichi.experiments.calibrate import calibrate as fit  # noqa: PLC0415 - as above
    from kokoromichi.simulation.run import Run  # noqa: PLC0415 - as above
    from kokoromichi.simulation.scenario import Scenario  # noqa: PLC0415 - as above

    seen = Run(folder) if (folder / MANIFEST).is_file() else Observations.scan(folder)
    return fit(seen, Scenario.load(base), hold_out=hold_out, archetype=archetype)
