"""The numbers in force, read from the economy history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from kokoromichi.analysis.metrics.by_day import day_of, days
from kokoromichi.analysis.shared import shared

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations


@shared
def price_list(observations: Observations) -> pl.LazyFrame:
    """The price of every item on every day: the one in force when the day closes.

    Returns:
        One row per UTC day and item from the item's first price on, ascending: ``day`` (Date), ``item_id``,
        ``category`` (String), ``price_gold`` (Int64).
    """
    prices = observations.economy_history.filter(pl.col("measure") == "price_gold").select(
        "effective_from", day_of("effective_from"), "category", item_id="key", price_gold="value"
    )
    newest = pl.col("category", "price_gold").sort_by("effective_from").last()
    changes = prices.group_by("item_id", "day").agg(newest)
    grid = days(observations).join(changes.select("item_id").unique(), how="cross")
    listed = grid.sort("day").join_asof(changes.sort("day"), on="day", by="item_id", check_sortedness=False)
    return (
        listed.drop_nulls("price_gold")
        .select("day", "item_id", "category", "price_gold")
        .sort("day", "item_id")
    )


@shared
def last_prices(observations: Observations) -> pl.LazyFrame:
    """The last price of every item.

    Returns:
        One row per item that ever had a price, ascending: ``item_id``, ``category`` (String), ``price_gold``
        (Int64).
    """
    prices = observations.economy_history.filter(pl.col("measure") == "price_gold").rename(
        {"key": "item_id", "value": "price_gold"}
    )
    newest = pl.col("category", "price_gold").sort_by("effective_from").last()
    return prices.group_by("item_id").agg(newest).sort("item_id")
