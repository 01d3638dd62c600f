"""When the shelf is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from kokoromichi.analysis.metrics.by_day import day_of, days, running_total, share, total
from kokoromichi.analysis.metrics.goods import first_stock
from kokoromichi.analysis.options import checked_options

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations


@checked_options
def stock_outs(observations: Observations) -> pl.LazyFrame:
    """Days that close with nothing left of an item of limited stock.

    An item that sells out and is filled up within a day is not seen.

    Args:
        observations: What was observed; the ledger and the economy history.

    Returns:
        One row per item of limited stock, ascending.

        - ``item_id`` (String): the item.
        - ``days`` (Int64): days observed.
        - ``days_out`` (Int64): of these, days that close with none left.
        - ``out_share`` (Float64): days out / days.
        - ``first_out`` (Date): the first of them; null where there is none.
        - ``least_units`` (Int64): the least that any day closes with.

    Raises:
        MissingObservationsError: No economy history was observed.
    """
    observations.require("stock_outs", "economy_history")
    limited = first_stock(observations).drop_nulls("initial_stock_units")
    sold = pl.when(pl.col("kind") == "purchase").then(-pl.col("quantity")).otherwise("quantity")
    rows = observations.ledger.filter(pl.col("kind").is_in(["purchase", "restock"]))
    moved = rows.select("item_id", day_of(), moved=sold).group_by("item_id", "day").agg(total("moved"))
    grid = limited.join(days(observations), how="cross").join(moved, on=["item_id", "day"], how="left")
    grid = grid.with_columns(pl.col("moved").fill_null(0))
    grid = grid.with_columns(left=pl.col("initial_stock_units") + running_total("moved", "item_id"))
    out = pl.col("left") <= 0
    table = grid.group_by("item_id").agg(
        days=pl.len().cast(pl.Int64),
        days_out=out.sum().cast(pl.Int64),
        first_out=pl.col("day").filter(out).min(),
        least_units=pl.col("left").min(),
    )
    rate = share("days_out", "days")
    return table.select(
        "item_id", "days", "days_out", rate.alias("out_share"), "first_out", "least_units"
    ).sort("item_id")
