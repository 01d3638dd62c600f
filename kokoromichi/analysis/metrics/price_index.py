"""What a basket costs, compared with its first price."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from kokoromichi.analysis.metrics.by_day import ALL, day_of, days, share, total
from kokoromichi.analysis.metrics.prices import price_list
from kokoromichi.analysis.options import checked_options

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations

_BASE = 100
_GROUP = ["period_start", "category"]


@checked_options
def price_index(observations: Observations, period_days: int = 7) -> pl.LazyFrame:
    """Price index: what a basket of store items costs, base 100 in the first period.

    Prices are list prices, the mean of a period's daily closes; baskets are the units bought in a period.
    Laspeyres keeps the first period's basket, Paasche takes each period's own; Fisher is chained from period
    to period, each link the geometric mean of the two (of one of them where the other has no basket; 1 where
    both lack one). It measures one's own edits of the prices, so read it beside days to afford.

    Args:
        observations: What was observed; the ledger and the economy history.
        period_days: Length of a period in days, from the first day observed; the last one may be shorter.

    Returns:
        One row per period and category, ascending; category ``all`` is the whole basket.

        - ``period_start`` (Date): first day of the period.
        - ``category`` (String): the items' category, or all.
        - ``laspeyres`` (Float64): base 100; null when the first period sold none of the category.
        - ``paasche`` (Float64): base 100; null when the period sold none of the items that had a price in the
          first.
        - ``fisher_chained`` (Float64): base 100.
        - ``contribution_points`` (Float64): the category's part of Laspeyres - 100 of the whole basket: these
          sum to the row ``all``; null when the first period sold nothing.

    Raises:
        MissingObservationsError: No economy history was observed.
    """
    observations.require("price_index", "economy_history")
    costs = _basket_costs(observations, period_days)
    whole = costs.with_columns(category=pl.lit(ALL))
    sums = pl.concat([costs, whole]).group_by(_GROUP).agg(pl.exclude("item_id").sum())
    forward, backward = share("new_at_old_basket", "old_basket"), share("new_basket", "old_at_new_basket")
    both = (forward * backward).sqrt()
    link = pl.coalesce(both, forward, backward, 1.0)
    base = pl.when(pl.col("category") == ALL).then("base_basket").max().over("period_start")
    index = sums.select(
        *_GROUP,
        laspeyres=_BASE * share("base_basket_now", "base_basket"),
        paasche=_BASE * share("basket_now", "basket_at_base"),
        fisher_chained=_BASE * link.cum_prod().over("category", order_by="period_start"),
        contribution_points=_BASE * share(pl.col("base_basket_now") - pl.col("base_basket"), base),
    )
    return index.sort(_GROUP)


def _basket_costs(observations: Observations, period_days: int) -> pl.LazyFrame:
    """Per period and item, price times units of each basket that an index compares (Float64, gold)."""
    period = days(observations).select("day", period_start=_period_start(period_days))
    listed = price_list(observations).join(period, on="day").group_by("period_start", "item_id")
    prices = listed.agg(pl.col("category").sort_by("day").last(), price=pl.col("price_gold").mean())
    sold = observations.ledger.filter(pl.col("kind") == "purchase").select("item_id", "quantity", day_of())
    sold = sold.join(period, on="day").group_by("period_start", "item_id").agg(units=total("quantity"))
    grid = prices.join(sold, on=["period_start", "item_id"], how="left").with_columns(
        pl.col("units").fill_null(0)
    )
    first = period.select(base_start=pl.col("period_start").min())
    opening = grid.join(first, left_on="period_start", right_on="base_start", how="semi")
    opening = opening.select("item_id", base_price="price", base_units="units")
    grid = grid.join(opening, on="item_id", how="left")
    before = {"old_price": pl.col("price"), "old_units": pl.col("units")}
    grid = grid.with_columns(
        value.shift(1).over("item_id", order_by="period_start").alias(name) for name, value in before.items()
    )
    priced = pl.col("old_price").is_not_null()
    old_units, units = pl.col("old_units").fill_null(0), pl.when(priced).then("units").otherwise(0)
    at_base = pl.when(pl.col("base_price").is_not_null()).then("units").otherwise(0)
    return grid.select(
        *_GROUP,
        "item_id",
        base_basket=_worth("base_price", pl.col("base_units")),
        base_basket_now=_worth("price", pl.col("base_units")),
        basket_at_base=_worth("base_price", at_base),
        basket_now=_worth("price", at_base),
        old_basket=_worth("old_price", old_units),
        new_at_old_basket=_worth("price", old_units),
        old_at_new_basket=_worth("old_price", units),
        new_basket=_worth("price", units),
    )


def _period_start(period_days: int) -> pl.Expr:
    first = pl.col("day").min()
    number = (pl.col("day") - first).dt.total_days() // period_days
    return first + pl.duration(days=number * period_days)


def _worth(price: str, units: pl.Expr) -> pl.Expr:
    return pl.col(price).fill_null(0.0) * units.fill_null(0)
