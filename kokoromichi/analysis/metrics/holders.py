"""Who holds the supply, day by day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from kokoromichi.analysis.metrics.by_day import holdings, total, with_archetypes
from kokoromichi.analysis.metrics.wealth import percentiles
from kokoromichi.analysis.options import checked_options

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations


@checked_options
def balance_bands(observations: Observations, currency: str = "gold") -> pl.LazyFrame:
    """Closing balances day by day: the poorest tenth, the middle, the richest tenth, by archetype.

    Percentiles between two players are interpolated linearly.

    Args:
        observations: What was observed; the ledger, and the players for their archetypes.
        currency: gold or gems.

    Returns:
        One row per UTC day and archetype of which anybody is there, ascending; archetype ``all`` counts every
        player.

        - ``day`` (Date): the day, at its close.
        - ``archetype`` (String): the archetype, or all.
        - ``players`` (Int64): players who had a balance by that day.
        - ``held`` (Int64): what they hold together, in units of the currency.
        - ``p10`` (Float64): a tenth hold less.
        - ``p50`` (Float64): the median.
        - ``p90`` (Float64): a tenth hold more.
    """
    observations.require_books("balance_bands")
    keys = ["day", "archetype"]
    closes = holdings(observations, currency).select("user_id", "day", "balance")
    sums = {"players": pl.len().cast(pl.Int64), "held": total("balance")}
    grouped = with_archetypes(closes, observations).group_by(keys)
    return grouped.agg(**sums, **dict(zip(("p10", "p50", "p90"), percentiles("balance"), strict=True))).sort(
        keys
    )
