"""What happened before and after each change of a price."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.metrics.by_day import day_of, days, share, total
from kokoromichi.analysis.metrics.presence import active_days
from kokoromichi.analysis.metrics.prices import price_list
from kokoromichi.analysis.options import checked_options

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations

_EVENT: Final = ["item_id", "changed", "old_price_gold", "new_price_gold"]
_COUNTS: Final = ("units", "revenue_gold", "buyers", "active_players")


@checked_options
def price_events(observations: Observations, window_days: int = 14) -> pl.LazyFrame:
    """Before and after each change of a price: what the item sold on the days around it.

    A day belongs to one price: those before reach back to the change before, those after on to the next one.
    What else changed in these days is not told apart: only an experiment does that.

    Args:
        observations: What was observed; the ledger and the economy history, and the activity for who is
            active.
        window_days: Days on each side of a change.

    Returns:
        One row per item, change and day around it, ascending.

        - ``item_id`` (String): the item.
        - ``changed`` (Date): the first day that closes with the new price.
        - ``old_price_gold`` (Int64): the day before.
        - ``new_price_gold`` (Int64): from then on.
        - ``day`` (Date): the day.
        - ``days_after`` (Int64): days since the change; below 0 before it.
        - ``units`` (Int64): bought in the store that day.
        - ``revenue_gold`` (Int64): paid for them.
        - ``buyers`` (Int64): players who bought one or more.
        - ``active_players`` (Int64): players active that day.
        - ``units_per_active_player`` (Float64): units / active players; null when nobody was active.

    Raises:
        MissingObservationsError: No economy history was observed.
    """
    observations.require("price_events", "economy_history")
    around = days(observations).join(_changes(observations), how="cross")
    after = (pl.col("day") - pl.col("changed")).dt.total_days()
    around = around.with_columns(days_after=after).filter(
        pl.col("days_after").is_between(-window_days, window_days - 1),
        pl.col("before").is_null() | (pl.col("day") >= pl.col("before")),
        pl.col("next").is_null() | (pl.col("day") < pl.col("next")),
    )
    active = active_days(observations).group_by("day").agg(active_players=pl.len().cast(pl.Int64))
    table = around.join(_sold(observations), on=["item_id", "day"], how="left")
    table = table.join(active, on="day", how="left").with_columns(pl.col(_COUNTS).fill_null(0))
    rate = share("units", "active_players")
    columns = [*_EVENT, "day", "days_after", *_COUNTS]
    return table.select(*columns, units_per_active_player=rate).sort("item_id", "changed", "day")


def _changes(observations: Observations) -> pl.LazyFrame:
    """Per item and day with another price than the day before: _EVENT, and ``before`` and ``next`` (Date)."""
    yesterday = pl.col("price_gold").shift(1).over("item_id", order_by="day")
    listed = price_list(observations).with_columns(old_price_gold=yesterday)
    moved = listed.filter(pl.col("price_gold") != pl.col("old_price_gold"))
    moved = moved.select("item_id", "old_price_gold", changed="day", new_price_gold="price_gold")
    changed = pl.col("changed")
    return moved.with_columns(
        before=changed.shift(1).over("item_id", order_by="changed"),
        next=changed.shift(-1).over("item_id", order_by="changed"),
    )


def _sold(observations: Observations) -> pl.LazyFrame:
    rows = observations.ledger.filter(pl.col("kind") == "purchase", pl.col("item_id").is_not_null())
    rows = rows.select("item_id", "user_id", "quantity", day_of(), paid=-pl.col("amount"))
    return rows.group_by("item_id", "day").agg(
        units=total("quantity"),
        revenue_gold=total("paid"),
        buyers=pl.col("user_id").n_unique().cast(pl.Int64),
    )
