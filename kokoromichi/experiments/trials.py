"""The trials of a search, kept as they are played, so that a search goes on where it stopped."""

from __future__ import annotations

import math
from statistics import fmean, median
from typing import TYPE_CHECKING, Final, NamedTuple

import orjson

from kokoromichi.core.errors import MisuseError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from kokoromichi.experiments.seed_runs import Numbers

TRIALS: Final = "trials.jsonl"
MAY_BE_BEYOND: Final = ("wait_days",)
"""Numbers that are infinite where they lie beyond the horizon."""
_INFINITE: Final = "infinite"
"""What stands for such a number in JSON, which has none."""


class Trial(NamedTuple):
    """A point, and what its runs showed.

    Attributes:
        number: From 0, in the order of play.
        point: In the cube.
        runs: The numbers of each run, in the order of the seeds.
    """

    number: int
    point: tuple[float, ...]
    runs: tuple[Numbers, ...]

    def pooled(self) -> Numbers:
        """The mean of each number over the runs that have it; of a wait, maybe infinite, the median."""
        return {name: _pooled(name, [run[name] for run in self.runs]) for name in self.runs[0]}


def _pooled(name: str, values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return median(known) if name in MAY_BE_BEYOND else fmean(known)


class Journal:
    """The runs that were played, on disk.

    Args:
        folder: Where they are kept; None for nowhere.
        question: What is searched; a folder that answers another question is refused.

    Raises:
        MisuseError: The folder holds another search.
    """

    def __init__(self, folder: Path | None, question: Mapping[str, object]) -> None:
        self._path = None if folder is None else folder / TRIALS
        self._known: dict[tuple[tuple[float, ...], int], Numbers] = {}
        if self._path is None:
            return
        asked = orjson.loads(orjson.dumps(question))
        if not self._path.is_file():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_bytes(orjson.dumps(asked) + b"\n")
            return
        text = self._path.read_bytes()
        whole, newline, cut = text.rpartition(b"\n")
        if cut:  # The last line was being written when the search ended.
            self._path.write_bytes(whole + newline)
        first, *lines = whole.splitlines()
        if orjson.loads(first) != asked:
            message = (
                f"{self._path} holds another search: choose an empty folder, or ask what was asked there "
                "(base, free numbers, targets, seed)"
            )
            raise MisuseError(message)
        for line in lines:
            row = orjson.loads(line)
            numbers = {
                name: math.inf if value == _INFINITE else value for name, value in row["numbers"].items()
            }
            self._known[tuple(row["point"]), row["seed_number"]] = numbers

    def find(self, point: tuple[float, ...], seed_number: int) -> Numbers | None:
        """The numbers of a run that was played already."""
        return self._known.get((point, seed_number))

    def keep(self, point: tuple[float, ...], seed_number: int, numbers: Numbers) -> None:
        """Write a run down."""
        self._known[point, seed_number] = numbers
        if self._path is not None:
            plain = {name: _INFINITE if value == math.inf else value for name, value in numbers.items()}
            row = {"point": point, "seed_number": seed_number, "numbers": plain}
            with self._path.open("ab") as file:
                file.write(orjson.dumps(row) + b"\n")
