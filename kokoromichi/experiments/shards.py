"""A share of a batch's runs: several commands, on several machines, play one batch into one folder."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from kokoromichi.core.errors import MisuseError

if TYPE_CHECKING:
    from collections.abc import Iterable


class Shard(NamedTuple):
    """One command of several: its number, from 1, and how many there are."""

    number: int
    shards: int

    @classmethod
    def read(cls, text: str) -> Shard:
        """Read ``i/n``.

        Raises:
            MisuseError: It is none.
        """
        found = re.fullmatch(r"(\d+)/(\d+)", text)
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            raise MisuseError(f"shard {text!r} is none: write it like 3/10, the third of ten")
        return cls(int(found[1]), int(found[2]))

    def of(self, runs: Iterable[int]) -> list[int]:
        """Those of the runs that are its own; neighbours go to different shards."""
        return [run for run in runs if run % self.shards == self.number - 1]

    @property
    def file_name(self) -> str:
        """Of its rows: one writer each."""
        return f"runs-{self.number}-of-{self.shards}.jsonl"
