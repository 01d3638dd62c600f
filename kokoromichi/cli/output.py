"""What every command prints: one way to answer, and to show how far it is."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

import orjson
import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from kokoromichi.operation.exits import errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


screen: Final = Console(soft_wrap=True)

Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON object on standard output.")]


def answer(values: Mapping[str, Any]) -> None:
    """One JSON object on standard output."""
    typer.echo(orjson.dumps(values).decode())


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
