"""What sells and what runs out, what the rich and the poor spend on, and what is put aside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.metrics.by_day import (
    SPENDING,
    Day,
    day_of,
    days,
    movements,
    running_total,
    share,
    total,
)
from kokoromichi.analysis.metrics.prices import last_prices
from kokoromichi.analysis.metrics.wealth import balances
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


UNKNOWN: Final = "unknown"
"""The category of items that the economy history does not name."""


@checked_options
def engel_shares(observations: Observations, first_day: Day = 0, last_day: Day | None = None) -> pl.LazyFrame:
    """Engel shares: what each tenth of the players, by wealth, spends its gold on.

    Wealth is the closing gold balance of the last day. Players are ranked by it, ties by their id, and player
    i of n (from 0, poorest first) is in decile 1 + 10 i // n, so that ten players make ten deciles. Purchases
    count under the item's category, other sinks under their kind: a decile's shares sum to 1.

    Args:
        observations: What was observed; the ledger and the economy history.
        first_day: First day of the spending, as a date or a number of days after the first one observed.
        last_day: Last day of the spending, and the day of the wealth; None for the last one observed.

    Returns:
        One row per decile and category that anybody spent on, ascending.

        - ``decile`` (Int64): 1 the poorest, 10 the richest.
        - ``category`` (String): an item category, a ledger kind, or unknown.
        - ``players`` (Int64): players in the decile.
        - ``spending_gold`` (Int64): what they spent on it.
        - ``share`` (Float64): of the decile's spending; null when the decile spent nothing.

    Raises:
        MissingObservationsError: No economy history was observed.
    """
    observations.require("engel_shares", "economy_history")
    ranked = balances(observations, last_day).filter(pl.col("currency") == "gold").sort("balance", "user_id")
    place = pl.int_range(pl.len(), dtype=pl.Int64)
    deciles = ranked.select("user_id", decile=1 + 10 * place // pl.len().cast(pl.Int64))
    spent = _spending(observations, first_day, last_day).join(deciles, on="user_id")
    spent = spent.group_by("decile", "category").agg(total("spending_gold"))
    sizes = deciles.group_by("decile").agg(players=pl.len().cast(pl.Int64))
    table = sizes.join(spent.select("category").unique(), how="cross")
    table = table.join(spent, on=["decile", "category"], how="left").with_columns(
        pl.col("spending_gold").fill_null(0)
    )
    whole = pl.col("spending_gold").cast(pl.Int128).sum().over("decile")
    columns = ["decile", "category", "players", "spending_gold"]
    return table.select(*columns, share=share("spending_gold", whole)).sort("decile", "category")


def _spending(observations: Observations, first_day: Day, last_day: Day | None) -> pl.LazyFrame:
    """Per ledger row that spent gold: user_id, category, spending_gold."""
    rows = movements(observations, "gold").filter(
        pl.col("kind").is_in(SPENDING), pl.col("direction") == "sink"
    )
    rows = rows.join(days(observations, first_day, last_day), on="day", how="semi")
    rows = rows.join(last_prices(observations).select("item_id", "category"), on="item_id", how="left")
    bought = pl.col("kind") == "purchase"
    category = pl.when(bought).then(pl.col("category").fill_null(UNKNOWN)).otherwise("kind")
    return rows.select("user_id", category=category, spending_gold=-pl.col("amount"))


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
