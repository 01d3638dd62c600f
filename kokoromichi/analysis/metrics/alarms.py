"""Days that are not like the month before them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.metrics.by_day import OPENING
from kokoromichi.analysis.metrics.flows import flows, net_flow
from kokoromichi.analysis.options import checked_options

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations

TRAILING_DAYS: Final = 30
FEWEST_DAYS: Final = 7
ALARM_SCORE: Final = 3.0
"""So many standard deviations from the mean of the trailing days is an alarm."""


@checked_options
def alarms(observations: Observations) -> pl.LazyFrame:
    """Each day's flows against the thirty days before it.

    A number is an alarm three standard deviations from its mean; fewer than seven days before it judge
    nothing, and days that were all the same have no deviation to judge by.

    Args:
        observations: What was observed; the ledger, and the activity for who is active.

    Returns:
        One row per number and UTC day, ascending.

        - ``number`` (String): active_players, or the direction and kind of a flow of gold, such as
          faucet_battle, per player active that day.
        - ``day`` (Date): the day.
        - ``value`` (Float64): the number; null where nobody was active.
        - ``trailing_mean`` (Float64): of the days before, at most thirty; null where fewer than seven have
          one.
        - ``trailing_deviation`` (Float64): their standard deviation.
        - ``score`` (Float64): (value - mean) / deviation; null where the deviation is 0.
        - ``alarm`` (Boolean): whether it is three or more away.
    """
    observations.require_books("alarms")
    daily = net_flow(observations).select("day", "active_players")
    moved = flows(observations).filter(
        pl.col("currency") == "gold", pl.col("direction") != "transfer", pl.col("kind") != OPENING
    )
    named = moved.select("day", "amount", number=pl.format("{}_{}", "direction", "kind"))
    grid = daily.join(named.select("number").unique(), how="cross").join(
        named, on=["day", "number"], how="left"
    )
    present = pl.col("active_players") > 0
    rate = pl.when(present).then(pl.col("amount").fill_null(0) / pl.col("active_players"))
    active = pl.col("active_players").cast(pl.Float64)
    values = pl.concat(
        [
            daily.select(pl.lit("active_players").alias("number"), "day", value=active),
            grid.select("number", "day", value=rate),
        ]
    )
    before = pl.col("value").shift(1)
    scored = values.with_columns(
        trailing_mean=before.rolling_mean(TRAILING_DAYS, min_samples=FEWEST_DAYS).over(
            "number", order_by="day"
        ),
        trailing_deviation=before.rolling_std(TRAILING_DAYS, min_samples=FEWEST_DAYS).over(
            "number", order_by="day"
        ),
    )
    apart = (pl.col("value") - pl.col("trailing_mean")) / pl.col("trailing_deviation")
    scored = scored.with_columns(score=pl.when(pl.col("trailing_deviation") > 0).then(apart))
    alarm = (pl.col("score").abs() >= ALARM_SCORE).fill_null(value=False)
    return scored.with_columns(alarm=alarm).sort("number", "day")
