"""What every command prints: one way to answer, and to show how far it is."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

import orjson
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from kokoromichi.operation.exits import errors

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


screen: Final = Console(soft_wrap=True)

_WHOLE_FROM: Final = 1_000

Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON object on standard output.")]
Wanted = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        help="A band, either end of which may be left out: wait_days=5:9, gini=:0.6. docs/metrics.md has the "
        "names, under Targets.",
    ),
]


def answer(values: Mapping[str, Any]) -> None:
    """One JSON object on standard output; infinity, which JSON lacks, as the text ``Infinity``."""
    typer.echo(orjson.dumps(_finite(values)).decode())


def say(text: str) -> None:
    """Print a text as it stands: brackets in a path or in a name are no markup."""
    screen.print(text, highlight=False, markup=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return "Infinity" if value == math.inf else value


def number(value: object) -> str:
    """Write a number of a table; one beyond the horizon is infinite, and what is none is a dash."""
    if not isinstance(value, (int, float)):
        return "-"
    if math.isinf(value):
        return "beyond the horizon"
    return f"{value:,.0f}" if abs(value) >= _WHOLE_FROM else f"{value:,.3f}"


def listing(title: str, *heads: str, texts: Collection[str] = ()) -> Table:
    """A table without rows; where it is too wide, cells go on in a line below: a name is never cut.

    Args:
        title: What it shows.
        heads: Of the columns; the first one holds names, the others numbers.
        texts: Those of the others that hold text.
    """
    shown = Table(
        title=escape(title), title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False
    )
    for place, head in enumerate(heads):
        shown.add_column(head, justify="right" if place and head not in texts else "left", overflow="fold")
    return shown


@contextmanager
def progress(what: str, total: int | None, unit: str) -> Iterator[tuple[Progress, Any]]:
    """A bar of ``unit`` done and time left; silent where the output is no terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(f"{unit} ·"),
        TimeElapsedColumn(),
        TextColumn("· left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        yield bar, bar.add_task(what, total=total)
