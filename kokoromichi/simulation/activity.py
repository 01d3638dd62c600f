"""The activity stream of a simulation: packed while it runs, a frame of ``ACTIVITY_SCHEMA`` afterwards."""

from __future__ import annotations

from collections import defaultdict
from struct import Struct
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from kokoromichi.core.schemas import ACTIVITY_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROW: Final = Struct("12q")
_COLUMNS: Final = (
    "user",
    "session",
    "at_us",
    "act",
    "code",
    "slot",
    "outcome",
    "gold",
    "hold",
    "level",
    "held",
    "economy",
)
_NOTHING: Final = -1
_NO_NAME: Final = 0
_NO_CHOICE: Final = (_NOTHING, _NOTHING, _NOTHING, _NO_NAME)


class ActivityRecorder:
    """Rows in the order in which they happen."""

    def __init__(self) -> None:
        self._rows = bytearray()
        self._codes: defaultdict[str | None, int] = defaultdict()
        self._codes.default_factory = self._codes.__len__
        self._codes[None] = _NO_NAME
        self._held: list[tuple[int, ...] | None] = [None]

    def __len__(self) -> int:
        """Rows so far."""
        return len(self._rows) // _ROW.size

    def record(
        self,
        user_id: str,
        session: int,
        at_us: int,
        act: str,
        economy_hash: str,
        code: str | None = None,
        outcome: str | None = None,
    ) -> None:
        """Add one act; see ``ACTIVITY_SCHEMA`` for the columns."""
        codes = self._codes
        self._rows += _ROW.pack(
            codes[user_id],
            session,
            at_us,
            codes[act],
            codes[code],
            _NOTHING,
            codes[outcome],
            *_NO_CHOICE,
            codes[economy_hash],
        )

    def record_choice(  # noqa: PLR0913, PLR0917 - the columns of a row
        self,
        user_id: str,
        session: int,
        at_us: int,
        economy_hash: str,
        slot: int,
        outcome: str,
        gold: int,
        hold_gold: int,
        level: int,
        held: Sequence[int],
    ) -> None:
        """Add one spend choice: what was chosen, from what purse, at what level, with what held."""
        codes = self._codes
        self._rows += _ROW.pack(
            codes[user_id],
            session,
            at_us,
            codes["choice"],
            _NO_NAME,
            slot,
            codes[outcome],
            gold,
            hold_gold,
            level,
            len(self._held),
            codes[economy_hash],
        )
        self._held.append(tuple(held))

    def frame(self) -> pl.DataFrame:
        """The rows so far, in their order."""
        numbers = np.frombuffer(bytes(self._rows), np.int64).reshape(-1, len(_COLUMNS))
        packed = pl.from_numpy(numbers, schema=dict.fromkeys(_COLUMNS, pl.Int64), orient="row")
        names = pl.Series(list(self._codes), dtype=pl.String)
        held = pl.Series(self._held, dtype=pl.List(pl.Int64))

        def looked_up(column: str, table: pl.Series) -> pl.Series:
            return table.gather(packed[column])

        def given(column: str) -> pl.Expr:
            return pl.when(pl.col(column) != _NOTHING).then(column).alias(column)

        return packed.select(
            looked_up("user", names).alias("user_id"),
            "session",
            pl.col("at_us").cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias("at"),
            looked_up("act", names).alias("act"),
            looked_up("code", names).alias("code"),
            given("slot"),
            looked_up("outcome", names).alias("outcome"),
            given("gold"),
            given("hold"),
            given("level"),
            looked_up("held", held).alias("units_held"),
            looked_up("economy", names).alias("economy_hash"),
        ).match_to_schema(ACTIVITY_SCHEMA)
