"""What sells, and what is put aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from kokoromichi.analysis.metrics.by_day import Day, day_of, days, share, total
from kokoromichi.analysis.options import checked_options
from kokoromichi.analysis.shared import shared
from kokoromichi.core.kinds import SYSTEM

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations


@checked_options
@shared
def sales(observations: Observations, first_day: Day = 0, last_day: Day | None = None) -> pl.LazyFrame:
    """Sales: what each item of the store sold, and what it took in.

    Args:
        observations: What was observed; only its ledger and the days of its activity are read.
        first_day: First day measured, as a date or a number of days after the first one observed.
        last_day: Last day measured; None for the last one observed.

    Returns:
        One row per item sold in the window, ascending.

        - ``item_id`` (String): the item.
        - ``units`` (Int64): bought in the store.
        - ``revenue_gold`` (Int64): paid for them.
        - ``buyers`` (Int64): players who bought one or more.
    """
    rows = observations.ledger.filter(pl.col("kind") == "purchase", pl.col("item_id").is_not_null())
    rows = rows.with_columns(day_of()).join(days(observations, first_day, last_day), on="day", how="semi")
    sold = rows.with_columns(paid=-pl.col("amount")).group_by("item_id")
    buyers = pl.col("user_id").n_unique().cast(pl.Int64)
    return sold.agg(units=total("quantity"), revenue_gold=total("paid"), buyers=buyers).sort("item_id")


@checked_options
def sell_through(observations: Observations) -> pl.LazyFrame:
    """Sell-through: units sold / units that were for sale.

    The initial stock is the first one that the economy history knows, in a part of a ledger less what was
    sold of it before and with what was restocked; units sold back do not return to it.

    Args:
        observations: What was observed; the ledger and the economy history.

    Returns:
        One row per item in the history or sold, ascending.

        - ``item_id`` (String): the item.
        - ``initial_stock_units`` (Int64): null for an unlimited one.
        - ``restocked_units`` (Int64): filled up since.
        - ``sold_units`` (Int64): bought in the store.
        - ``remaining_units`` (Int64): initial + restocked - sold; null for an unlimited one.
        - ``sell_through_share`` (Float64): sold / (initial + restocked); null for an unlimited one.

    Raises:
        MissingObservationsError: No economy history was observed.
    """
    observations.require("sell_through", "economy_history")
    limited = first_stock(observations)
    kind, units = pl.col("kind"), pl.col("quantity")
    rows = observations.ledger.filter(kind.is_in(["purchase", "restock"]), pl.col("item_id").is_not_null())
    moved = rows.select(
        "item_id",
        restocked_units=pl.when(kind == "restock").then(units).otherwise(0),
        sold_units=pl.when(kind == "purchase").then(units).otherwise(0),
    )
    sums = moved.group_by("item_id").agg(total("restocked_units"), total("sold_units"))
    table = limited.join(sums, on="item_id", how="full", coalesce=True)
    table = table.with_columns(pl.col("restocked_units", "sold_units").fill_null(0))
    offered = pl.col("initial_stock_units") + pl.col("restocked_units")
    table = table.with_columns(remaining_units=offered - pl.col("sold_units"))
    return table.with_columns(sell_through_share=share("sold_units", offered)).sort("item_id")


def first_stock(observations: Observations) -> pl.LazyFrame:
    """What was for sale of each item when the observations begin.

    Returns:
        One row per item of the economy history, in no order: ``item_id`` (String), ``initial_stock_units``
        (Int64; null for an unlimited one).
    """
    stocks = observations.economy_history.filter(pl.col("measure") == "initial_stock")
    first = pl.col("value").sort_by("effective_from").first()
    initial = stocks.group_by(item_id=pl.col("key")).agg(initial=first)
    moved = observations.brought.filter(pl.col("user_id") == SYSTEM).select("item_id", before="quantity")
    units = pl.col("initial") + pl.col("before").fill_null(0)
    known = initial.join(moved, on="item_id", how="left")
    return known.select("item_id", initial_stock_units=pl.when(pl.col("initial") >= 0).then(units))


@checked_options
def hoarding(observations: Observations, first_day: Day = 0, last_day: Day | None = None) -> pl.LazyFrame:
    """Hoarding: for how many days the units held would cover their use.

    Args:
        observations: What was observed; only its ledger and the days of its activity are read.
        first_day: First day of the use, as a date or a number of days after the first one observed.
        last_day: Last day of the use, and the day whose close counts the units held; None for the last one
            observed.

    Returns:
        One row per item that any player had, ascending.

        - ``item_id`` (String): the item.
        - ``units_held`` (Int64): in all inventories at the last day's close; null in a part of a ledger that
          does not say with which inventories it begins.
        - ``units_used`` (Int64): consumed in the window.
        - ``used_per_day`` (Float64): units used / days of the window, 1/day.
        - ``cover_days`` (Float64): units held / units used a day; null when none was used.
    """
    observations.require_books("hoarding")
    rows = observations.ledger.filter(pl.col("item_id").is_not_null(), pl.col("user_id") != SYSTEM)
    rows = rows.select("item_id", "kind", "quantity", day_of())
    window = days(observations, first_day, last_day)
    moved = rows.join(days(observations, last_day=last_day), on="day", how="semi")
    before = observations.brought.filter(pl.col("item_id").is_not_null(), pl.col("user_id") != SYSTEM)
    both = pl.concat([moved, before.select("item_id", "quantity")], how="diagonal")
    held = both.group_by("item_id").agg(units_held=total("quantity"))
    held = held.join(knows_goods(observations), how="cross")
    held = held.select("item_id", units_held=pl.when("known").then("units_held"))
    used = rows.filter(pl.col("kind") == "use").join(window, on="day", how="semi")
    used = used.group_by("item_id").agg(units_used=-total("quantity"))
    table = held.join(used, on="item_id", how="left").with_columns(pl.col("units_used").fill_null(0))
    table = table.join(window.select(days=pl.len()), how="cross")
    table = table.with_columns(used_per_day=share("units_used", "days"))
    columns = ["item_id", "units_held", "units_used", "used_per_day"]
    return table.select(*columns, cover_days=share("units_held", "used_per_day")).sort("item_id")


def knows_goods(observations: Observations) -> pl.LazyFrame:
    """Whether it is known what players held before: one row with ``known`` (Boolean)."""
    part = observations.brought.select(known=pl.len() == 0)
    return part.with_columns(known=pl.col("known") | observations.has_goods)
