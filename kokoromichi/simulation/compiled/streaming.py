"""A large replication to Parquet while it is played: in parts, so that memory holds one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.audit import LedgerSums
from kokoromichi.simulation.compiled.engine import CompiledEngine
from kokoromichi.simulation.compiled.frames import coded, sampled, whole_frames
from kokoromichi.simulation.played import Written, write_dimensions, write_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kokoromichi.simulation.compiled.columns import Columns
    from kokoromichi.simulation.compiled.frames import Chunk, Names
    from kokoromichi.simulation.scenario import Scenario

PART_ROWS: Final = 1 << 20


def stream(
    scenario: Scenario,
    seed: int,
    folder: Path,
    *,
    part_rows: int = PART_ROWS,
    activity_one_in: int = 1,
    on_day: Callable[[int], None] | None = None,
) -> Written:
    """Play one replication into the files that ``Played.write`` writes, ledger and activity in parts.

    Args:
        scenario: What is simulated.
        seed: Seed of the replication.
        folder: Where they go.
        part_rows: Ledger rows of a part.
        activity_one_in: Of how many players one's activity is kept; who leaves and comes back is kept of all.
        on_day: Called with each day that is done; what it raises ends the play between two days.
    """
    engine = CompiledEngine(scenario, seed)
    parts = _Parts(folder, engine.names, part_rows, activity_one_in)
    engine.play_days(on_day, parts.add)
    parts.write()
    states = engine.states()
    players = engine.participants.frame(scenario.population)
    write_dimensions(engine.history_frame(), players, folder)
    states.write(folder)
    written = sorted(folder.glob("ledger_*.parquet"))
    audit = states.audit_sums(parts.sums, pl.scan_parquet(written, glob=False))
    return Written(parts.ledger_rows, parts.activity_rows, audit)


class _Parts:
    """Chunks on their way to one file of the ledger and one of the activity after the other."""

    def __init__(self, folder: Path, names: Names, part_rows: int, activity_one_in: int) -> None:
        self._folder, self._names = folder, names
        self._part_rows, self._one_in = part_rows, activity_one_in
        self._held: list[Chunk] = []
        self._number = 0
        self.sums = LedgerSums()
        self.ledger_rows = 0
        self.activity_rows = 0

    def add(self, columns: Columns, economy_hash: str) -> None:
        """Take what the columns hold."""
        self._held.append(sampled(coded(columns, economy_hash), self._one_in))
        if sum(len(chunk.ledger["tx"]) for chunk in self._held) >= self._part_rows:
            self.write()

    def write(self) -> None:
        """Write what is held as the next part."""
        ledger, activity = whole_frames(self._held, self._names, self.ledger_rows)
        self._held.clear()
        write_rows(ledger, self._folder / f"ledger_{self._number:05d}.parquet")
        write_rows(activity, self._folder / f"activity_{self._number:05d}.parquet")
        self.sums.add(ledger)
        self._number += 1
        self.ledger_rows += ledger.height
        self.activity_rows += activity.height
