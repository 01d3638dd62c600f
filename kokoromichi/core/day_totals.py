"""Totals of a day out of ledger rows, for stores that keep none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.core.clock import DAY_US
from kokoromichi.core.kinds import SYSTEM
from kokoromichi.core.models import MOST_INT, DailyTotal
from kokoromichi.core.schemas import LEDGER_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable

_KEYS: Final = ("day", "kind", "currency")
_AMOUNT: Final = pl.col("amount").fill_null(0).cast(pl.Int128)


def totals_of(frames: Iterable[pl.DataFrame], since_day: int) -> list[DailyTotal]:
    """What each kind has moved on each day, ascending."""
    summed = (
        _with_day(frames, since_day)
        .group_by(_KEYS)
        .agg(
            pl.len().alias("rows"),
            _AMOUNT.clip(lower_bound=0).sum().alias("gained"),
            _AMOUNT.clip(upper_bound=0).sum().alias("lost"),
        )
        .sort(_KEYS, nulls_last=False)
    )
    return [
        DailyTotal(day, kind, currency, rows, min(gained, MOST_INT), min(-lost, MOST_INT))
        for day, kind, currency, rows, gained, lost in summed.iter_rows()
    ]


def active_of(frames: Iterable[pl.DataFrame], since_day: int) -> dict[int, int]:
    """How many players have moved something on each day, ascending."""
    players = _with_day(frames, since_day).filter(pl.col("user_id") != SYSTEM)
    return dict(players.group_by("day").agg(pl.col("user_id").n_unique()).sort("day").iter_rows())


def _with_day(frames: Iterable[pl.DataFrame], since_day: int) -> pl.DataFrame:
    rows = pl.concat([LEDGER_SCHEMA.to_frame(), *frames])
    day = pl.col("at").dt.timestamp("us") // DAY_US
    return rows.with_columns(day.alias("day")).filter(pl.col("day") >= since_day)
