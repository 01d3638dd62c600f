"""Fitting players on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from kokoromichi.cli.output import Json, answer, number, screen
from kokoromichi.operation.exits import exit_on_error


def calibrate(
    folder: Annotated[Path, typer.Argument(help="Folder of a run, or of one replication's Parquet files.")],
    base: Annotated[str, typer.Option(help="The scenario that was played, by name or file.")] = "baseline",
    hold_out: Annotated[float, typer.Option(help="Share of the days, the last ones, to check on.")] = 0.2,
    out: Annotated[Path, typer.Option(help="The population file that is written.")] = Path("calibrated.toml"),
    as_json: Json = False,
) -> None:
    """Fit the players' tastes to the spend choices in a folder, and write them as a population."""
    with exit_on_error():
        from kokoromichi.analysis.observations import Observations  # noqa: PLC0415 - --help stays fast
        from kokoromichi.experiments.calibrate import calibrate as fit  # noqa: PLC0415 - as above
        from kokoromichi.simulation.batch import MANIFEST  # noqa: PLC0415 - as above
        from kokoromichi.simulation.run import Run  # noqa: PLC0415 - as above
        from kokoromichi.simulation.scenario import Scenario  # noqa: PLC0415 - as above

        seen = Run(folder) if (folder / MANIFEST).is_file() else Observations.scan(folder)
        found = fit(seen, Scenario.load(base), hold_out=hold_out)
        path, table = found.write(out), found.table()
        if as_json:
            answer({"population": str(path), "table": table.to_dicts(), "check": found.check().to_dicts()})
            return
        shown = Table(title=escape(repr(found)), title_justify="left")
        for head in ("archetype", "coefficient", "estimate", "95 % interval", "note"):
            shown.add_column(head)
        for row in table.iter_rows(named=True):
            interval = "-" if row["low"] is None else f"{number(row['low'])} to {number(row['high'])}"
            cells = (row["archetype"], row["coefficient"], number(row["estimate"]), interval, row["note"])
            shown.add_row(*cells)
        screen.print(shown)
        screen.print(f"The population: {path}", highlight=False)
