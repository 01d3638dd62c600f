"""Who goes and who comes back, and with what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.metrics.by_day import days, holdings, total
from kokoromichi.analysis.metrics.presence import active_days
from kokoromichi.analysis.metrics.supply import ACTIVE_WITHIN_DAYS
from kokoromichi.analysis.options import checked_options

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations

_COUNTS: Final = ("left_players", "left_gold", "returned_players", "returned_gold")


@checked_options
def leavers(observations: Observations) -> pl.LazyFrame:
    """Gold that players take away and bring back, who were not active for a week.

    Somebody leaves on the seventh day after the last active one, and returns with the next active day: the
    supply that ``active_supply`` loses and wins. Whoever was not active while observed does neither.

    Args:
        observations: What was observed; the ledger, and the activity for who is active.

    Returns:
        One row per UTC day, ascending, from the first day observed to the last.

        - ``day`` (Date): the day.
        - ``left_players`` (Int64): players who count as away from this day on.
        - ``left_gold`` (Int64): what they hold at its close.
        - ``returned_players`` (Int64): players who are active again.
        - ``returned_gold`` (Int64): what they held when the day before closed.
        - ``away_players`` (Int64): left and not returned so far.
    """
    observations.require_books("leavers")
    watched = days(observations)
    active = active_days(observations).join(watched, on="day", how="semi")
    spells = active.with_columns(returned=pl.col("day").shift(-1).over("user_id", order_by="day"))
    spells = spells.with_columns(left=pl.col("day") + pl.duration(days=ACTIVE_WITHIN_DAYS))
    away = spells.filter(pl.col("returned").is_null() | (pl.col("returned") > pl.col("left")))
    held = holdings(observations, "gold").select("user_id", "day", "balance")
    gone = away.select("user_id", day="left").join(held, on=["user_id", "day"], how="left")
    back = away.filter(pl.col("returned").is_not_null()).select(
        "user_id", day=pl.col("returned") - pl.duration(days=1)
    )
    back = back.join(held, on=["user_id", "day"], how="left").with_columns(pl.col("day").dt.offset_by("1d"))
    series = watched
    for name, moved in (("left", gone), ("returned", back)):
        sums = {f"{name}_players": pl.len().cast(pl.Int64), f"{name}_gold": total("balance")}
        series = series.join(moved.group_by("day").agg(**sums), on="day", how="left")
    series = series.with_columns(pl.col(_COUNTS).fill_null(0)).sort("day")
    return series.with_columns(away_players=(pl.col("left_players") - pl.col("returned_players")).cum_sum())
