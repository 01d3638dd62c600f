"""What each metric means, read from its docstring: the one place where it is written."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kokoromichi.core.errors import MisuseError

if TYPE_CHECKING:
    from collections.abc import Callable

_COLUMN: Final = re.compile(r"- ``(?P<name>\w+)`` \((?P<dtype>\w+)\): (?P<meaning>.+?)\.?$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a metric's frame.

    Attributes:
        name: Its name, the unit last.
        dtype: Its polars type, as text.
        meaning: What it holds.
    """

    name: str
    dtype: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Definition:
    """What a metric is: its definition, its grain and its columns.

    Attributes:
        name: The metric's name in ``METRICS``.
        summary: One sentence that defines it.
        notes: What the sentence leaves open, a paragraph each.
        grain: What one row is, and the order of the rows.
        columns: In the frame's order.
    """

    name: str
    summary: str
    notes: tuple[str, ...]
    grain: str
    columns: tuple[Column, ...]


def define(function: Callable[..., object]) -> Definition:
    """Read the definition of a metric from its docstring.

    Raises:
        MisuseError: The docstring does not say the grain or the columns.
    """
    text = inspect.getdoc(function) or ""
    head, _, rest = text.partition("\nArgs:\n")
    _, _, returns = rest.partition("\nReturns:\n")
    returns, _, _ = returns.partition("\nRaises:\n")
    summary, *notes = (_one_line(paragraph) for paragraph in head.strip().split("\n\n"))
    grain, _, listed = inspect.cleandoc(returns).partition("\n\n")
    entries = [_COLUMN.match(_one_line(entry)) for entry in re.split(r"\n(?=- )", listed.strip())]
    columns = tuple(Column(**found.groupdict()) for found in entries if found)
    if not grain or len(columns) != len(entries):
        raise MisuseError(
            f"the docstring of {getattr(function, '__name__', function)} owes its grain and columns"
        )
    return Definition(getattr(function, "__name__", ""), summary, tuple(notes), _one_line(grain), columns)


def _one_line(text: str) -> str:
    return " ".join(text.split())
