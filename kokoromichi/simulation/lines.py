"""Rows of numbers that are kept as they come, a JSON object a line: what is there is readable at any time."""

from __future__ import annotations

import math
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import orjson

from kokoromichi.core.errors import MisuseError

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_INFINITE: Final = "infinite"
"""What stands for an infinite number in JSON, which has none."""


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a file, none where there is no file; a last one that was being written does not count."""
    text = path.read_bytes() if path.is_file() else b""
    return [orjson.loads(line) for line in text.rpartition(b"\n")[0].splitlines()]


def mend(path: Path) -> None:
    """Cut off a last row that was being written when its program ended; whoever calls holds the file."""
    text = path.read_bytes() if path.is_file() else b""
    whole, newline, cut = text.rpartition(b"\n")
    if cut:
        os.truncate(path, len(whole + newline))


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Let nobody else write rows to a file meanwhile.

    Raises:
        MisuseError: Another program writes to it now.
    """
    with path.open("ab") as file:
        if sys.platform != "win32":
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                message = f"another program writes to {path} now: wait for it, or choose another folder"
                raise MisuseError(message) from None
        yield


def add_line(path: Path, row: Mapping[str, object]) -> None:
    """Write one row behind the others."""
    with path.open("ab") as file:
        file.write(orjson.dumps(row) + b"\n")


def without_infinity(numbers: Mapping[str, float | None]) -> dict[str, object]:
    """Numbers as JSON has them."""
    return {name: _INFINITE if value == math.inf else value for name, value in numbers.items()}


def with_infinity(numbers: Mapping[str, Any]) -> dict[str, float | None]:
    """The numbers again."""
    return {name: math.inf if value == _INFINITE else value for name, value in numbers.items()}
