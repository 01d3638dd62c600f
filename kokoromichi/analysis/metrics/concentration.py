"""On how few a faucet falls, and how many a sink reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis import statistics
from kokoromichi.analysis.metrics.by_day import OPENING, SPENDING, Day, days, movements, share, total
from kokoromichi.analysis.metrics.presence import active_days
from kokoromichi.analysis.options import checked_options

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations

_TOP: Final = 0.1


@checked_options
def faucet_concentration(
    observations: Observations, currency: str = "gold", first_day: Day = 0, last_day: Day | None = None
) -> pl.LazyFrame:
    """How unevenly each faucet pays: an alarm for what a few have found out.

    Only players count whom the faucet paid. The richest tenth counts fractions of a player, as ``top_shares``
    does.

    Args:
        observations: What was observed; only its ledger and the days of its activity are read.
        currency: gold or gems.
        first_day: First day measured, as a date or a number of days after the first one observed.
        last_day: Last day measured; None for the last one observed.

    Returns:
        One row per kind of faucet that paid in the window, openings left out, ascending.

        - ``kind`` (String): the ledger's code.
        - ``amount`` (Int64): what it paid, in units of the currency.
        - ``players`` (Int64): players whom it paid.
        - ``top_10_share`` (Float64): what the tenth got that got most, 0 to 1.
        - ``largest`` (Int64): what one player got at most.
        - ``largest_share`` (Float64): of the amount.
        - ``largest_per_median`` (Float64): of what the player in the middle got; null where that is 0.
        - ``largest_user_id`` (String): who got it; of several the first by id.
    """
    rows = movements(observations, currency).filter(
        pl.col("direction") == "faucet", pl.col("kind") != OPENING
    )
    rows = rows.join(days(observations, first_day, last_day), on="day", how="semi")
    paid = rows.group_by("kind", "user_id").agg(total("amount")).sort("kind", "user_id")
    top = pl.col("amount").map_batches(
        lambda got: statistics.top_share(got.to_numpy(), _TOP), return_dtype=pl.Float64, returns_scalar=True
    )
    kinds = paid.group_by("kind", maintain_order=True).agg(
        players=pl.len().cast(pl.Int64),
        top_10_share=top,
        largest=pl.col("amount").max(),
        median=pl.col("amount").median(),
        largest_user_id=pl.col("user_id").get(pl.col("amount").arg_max()),
        amount=total("amount"),
    )
    return kinds.select(
        "kind",
        "amount",
        "players",
        "top_10_share",
        "largest",
        share("largest", "amount").alias("largest_share"),
        share("largest", "median").alias("largest_per_median"),
        "largest_user_id",
    ).sort("kind")


@checked_options
def sink_use(
    observations: Observations, currency: str = "gold", first_day: Day = 0, last_day: Day | None = None
) -> pl.LazyFrame:
    """Which share of a day's active players each sink reaches.

    Args:
        observations: What was observed; the ledger, and the activity for who is active.
        currency: gold or gems.
        first_day: First day measured, as a date or a number of days after the first one observed.
        last_day: Last day measured; None for the last one observed.

    Returns:
        One row per UTC day and kind of sink that anybody used in the window, ascending.

        - ``day`` (Date): the day.
        - ``kind`` (String): the ledger's code; an admin's corrections are none.
        - ``amount`` (Int64): what left by it, in units of the currency.
        - ``players`` (Int64): players who used it that day.
        - ``active_players`` (Int64): players active that day.
        - ``share`` (Float64): players / active players; null when nobody was active.
    """
    window = days(observations, first_day, last_day)
    rows = movements(observations, currency).filter(
        pl.col("kind").is_in(SPENDING), pl.col("direction") == "sink"
    )
    rows = rows.join(window, on="day", how="semi").with_columns(amount=-pl.col("amount"))
    used = rows.group_by("day", "kind").agg(
        total("amount"), players=pl.col("user_id").n_unique().cast(pl.Int64)
    )
    active = active_days(observations).group_by("day").agg(active_players=pl.len().cast(pl.Int64))
    grid = window.join(rows.select("kind").unique(), how="cross").join(used, on=["day", "kind"], how="left")
    table = grid.join(active, on="day", how="left").with_columns(
        pl.col("amount", "players", "active_players").fill_null(0)
    )
    return table.with_columns(share=share("players", "active_players")).sort("day", "kind")
