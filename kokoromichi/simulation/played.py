"""What one replication leaves, whichever engine played it, and where two of them first differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from kokoromichi.core.errors import KokoroError

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.analysis.audit import AuditReport
    from kokoromichi.analysis.provider_state import StoredStates

_ACTS_SHOWN: Final = 6


class EnginesDisagreeError(KokoroError):
    """Two engines played one seed and left different rows; the message shows the first one."""


class Written(NamedTuple):
    """What a folder holds: rows of the ledger and of the activity, and what the audit found."""

    ledger_rows: int
    activity_rows: int
    audit: AuditReport


@dataclass(frozen=True, eq=False)
class Played:
    """What one replication left behind.

    Attributes:
        ledger: Columns of ``LEDGER_SCHEMA``, names as Enums, oldest first.
        states: What was stored at the end.
        activity: Columns of ``ACTIVITY_SCHEMA``, names as Enums.
        economy_history: Frame of ``ECONOMY_HISTORY_SCHEMA``.
        players: Frame of ``PLAYERS_SCHEMA``.
    """

    ledger: pl.DataFrame
    states: StoredStates
    activity: pl.DataFrame
    economy_history: pl.DataFrame
    players: pl.DataFrame

    def frames(self) -> dict[str, pl.DataFrame]:
        """Every frame by its name: activity first, since it holds a row before the ledger does."""
        return {
            "activity": self.activity,
            "ledger": self.ledger,
            "economy_history": self.economy_history,
            "players": self.players,
            "balances": self.states.balances,
            "inventories": self.states.inventories,
            "stock": self.states.stock,
        }

    def write(self, folder: Path) -> None:
        """Write the frames into a folder that ``Observations.scan`` and ``StoredStates.read`` read."""
        write_dimensions(self.economy_history, self.players, folder)
        self.states.write(folder)
        write_rows(self.ledger, folder / "ledger.parquet")
        write_rows(self.activity, folder / "activity.parquet")


def write_dimensions(economy_history: pl.DataFrame, players: pl.DataFrame, folder: Path) -> None:
    """Write what the rows refer to: the economies that were in force, and who plays."""
    economy_history.write_parquet(folder / "economy_history.parquet")
    players.write_parquet(folder / "players.parquet")


def write_rows(frame: pl.DataFrame, path: Path) -> None:
    """Write one of the two long frames: statistics and more compression would cost a third more time."""
    frame.write_parquet(path, compression_level=1, statistics=False)


def require_equal(faithful: Played, compiled: Played) -> None:
    """Hold one replication of both engines against each other, row by row.

    Raises:
        EnginesDisagreeError: Shows the first row that differs, and the player's last acts before it.
    """
    others = compiled.frames()
    for name, frame in faithful.frames().items():
        place = first_difference(frame, others[name])
        if place is not None:
            rows = [_row(found, place) for found in (frame, others[name])]
            acts = _acts_before(faithful.activity, rows[0] or rows[1] or {})
            message = (
                f"the engines differ in row {place:,} of {name}:\n"
                f"  faithful {rows[0]}\n  compiled {rows[1]}\n{acts}"
                "take engine='faithful', and report the scenario and the seed"
            )
            raise EnginesDisagreeError(message)


def first_difference(frame: pl.DataFrame, other: pl.DataFrame) -> int | None:
    """The first row in which two frames of one schema differ; None where they are equal."""
    if frame.equals(other):
        return None
    both = min(frame.height, other.height)
    mine, theirs = frame.head(both), other.head(both)
    places = [
        place
        for name in frame.columns
        if (place := mine[name].ne_missing(theirs[name]).arg_max()) is not None
        and mine[name].ne_missing(theirs[name])[place]
    ]
    return min(places, default=both)


def _row(frame: pl.DataFrame, place: int) -> dict[str, object] | None:
    return frame.row(place, named=True) if place < frame.height else None


def _acts_before(activity: pl.DataFrame, row: dict[str, object]) -> str:
    """The last acts of a row's player up to its time, a line each."""
    acts = activity.filter(pl.col("user_id") == row.get("user_id"))
    if "at" in row:
        acts = acts.filter(pl.col("at") <= pl.lit(row["at"]))
    told = acts.tail(_ACTS_SHOWN).select("at", "act", "code", "outcome").iter_rows()
    return "".join(
        f"  before: {at} {act} {code or ''} {outcome or ''}".rstrip() + "\n"
        for at, act, code, outcome in told
    )
