"""``kokoromichi ...``: the laboratory and the operator's tools on the command line.

Exit codes: 0 done, 1 target missed, 2 usage, 3 audit failed, 4 storage or Discord failed, 130 interrupted.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from kokoromichi import __version__
from kokoromichi.cli import (
    audit,
    batches,
    calibrate,
    data,
    experiments,
    keeping,
    migrate,
    operate,
    play,
    simulate,
)
from kokoromichi.core.logging_config import configure_logging
from kokoromichi.operation.exits import exit_on_error

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="The laboratory of a Discord RPG economy: simulate, read, check.",
)
economy_app = typer.Typer(no_args_is_help=True, help="The numbers of the economy.")
app.add_typer(economy_app, name="economy")
app.command()(migrate.migrate)
data.register(app)
for command in (
    simulate.simulate,
    experiments.compare,
    experiments.tune,
    batches.batch,
    batches.replay,
    calibrate.calibrate,
    calibrate.plan_prices,
    experiments.sensitivity,
    simulate.report,
    audit.audit,
    operate.bot,
    operate.health,
    operate.doctor,
    keeping.backup,
    keeping.restore,
    play.play,
):
    app.command()(command)
economy_app.command("check")(simulate.economy_check)


def _version(asked: bool) -> None:  # noqa: FBT001 - a callback's signature is typer's
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def main_options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Set up logging as LOG_LEVEL says."""
    with exit_on_error():
        configure_logging()


def main() -> None:
    """The console script."""
    sys.exit(app())
