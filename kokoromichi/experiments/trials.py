"""The trials of a search, kept as they are played, so that a search goes on where it stopped."""

from __future__ import annotations

from statistics import fmean, median
from typing import TYPE_CHECKING, Final, NamedTuple

import orjson

from kokoromichi.core.errors import MisuseError
from kokoromichi.simulation.lines import add_line, held, mend, read_lines, with_infinity, without_infinity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from kokoromichi.experiments.seed_runs import Numbers

TRIALS: Final = "trials.jsonl"
MAY_BE_BEYOND: Final = ("wait_days",)
"""Columns that are infinite where they lie beyond the horizon; a wait may name its item behind them."""


class Trial(NamedTuple):
    """A point, and what its runs showed.

    Attributes:
        number: From 0, in the order of play.
        point: In the cube.
        runs: The numbers of each run, in the order of the seeds.
        seeds: Numbers of the seeds.
    """

    number: int
    point: tuple[float, ...]
    runs: tuple[Numbers, ...]
    seeds: tuple[int, ...] = ()

    def pooled(self) -> Numbers:
        """The mean of each number over the runs; of a wait, maybe infinite, the median.

        None where fewer than half of the runs have the number: they do not speak for the others.
        """
        return {name: _pooled(name, [run[name] for run in self.runs]) for name in self.runs[0]}


def _pooled(name: str, values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    if not known or 2 * len(known) < len(values):
        return None
    return median(known) if name.partition(".")[0] in MAY_BE_BEYOND else fmean(known)


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
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with held(self._path):
            mend(self._path)
            first, *rows = read_lines(self._path) or [asked]
            if not self._path.stat().st_size:
                add_line(self._path, asked)
        if differs := [key for key in asked if first.get(key) != asked[key]]:
            message = (
                f"{self._path} holds another search ({', '.join(differs)} differ): choose an empty folder, "
                "or ask what was asked there"
            )
            raise MisuseError(message)
        for row in rows:
            self._known[tuple(row["point"]), row["seed_number"]] = with_infinity(row["numbers"])

    def find(self, point: tuple[float, ...], seed_number: int) -> Numbers | None:
        """The numbers of a run that was played already."""
        return self._known.get((point, seed_number))

    def keep(self, point: tuple[float, ...], seed_number: int, numbers: Numbers) -> None:
        """Write a run down."""
        self._known[point, seed_number] = numbers
        if self._path is not None:
            numbers_kept = without_infinity(numbers)
            add_line(self._path, {"point": point, "seed_number": seed_number, "numbers": numbers_kept})
