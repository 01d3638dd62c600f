"""How much money there is, and how fast it goes round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.metrics.by_day import (
    BROUGHT,
    OPENING,
    SPENDING,
    Day,
    changes,
    days,
    holdings,
    running_total,
    share,
    total,
)
from kokoromichi.analysis.metrics.flows import flows
from kokoromichi.analysis.metrics.presence import active_days
from kokoromichi.analysis.options import checked_options
from kokoromichi.analysis.shared import shared

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations

ACTIVE_WITHIN_DAYS: Final = 7
"""Supply counts as active while its holder was active on the day or on the six before."""


@checked_options
@shared
def money_supply(observations: Observations) -> pl.LazyFrame:
    """Money supply: the sum of all balances: brought forward + opening + faucets - sinks.

    The supply is summed from every movement and the three flows from their kinds alone, so that their
    difference is the residual of law 3. Days without a movement carry the day before. A part of a ledger
    brings the balances forward that its players began it with.

    Args:
        observations: What was observed; the ledger, and the activity for who is active.

    Returns:
        One row per UTC day and currency, ascending, from the first day observed to the last.

        - ``day`` (Date): the day, at its close.
        - ``currency`` (String): gold or gems.
        - ``supply`` (Int64): sum of the balances, in units of the currency.
        - ``brought_forward`` (Int64): the balances that a part of a ledger begins with; 0 of a whole one.
        - ``opening`` (Int64): openings so far.
        - ``faucets`` (Int64): what entered so far, opening left out.
        - ``sinks`` (Int64): what left so far.
        - ``active_supply`` (Int64): what players hold who were active on the day or the six before.
    """
    observations.require_books("money_supply")
    moved = changes(observations)
    opens, enters, leaves = (
        pl.col("kind") == OPENING,
        pl.col("direction") == "faucet",
        pl.col("direction") == "sink",
    )
    daily = moved.select(
        "day",
        "currency",
        supply=pl.col("amount"),
        brought_forward=pl.when(pl.col("direction") == BROUGHT).then("amount").otherwise(0),
        opening=pl.when(opens).then("amount").otherwise(0),
        faucets=pl.when(enters & ~opens).then("amount").otherwise(0),
        sinks=pl.when(leaves & ~opens).then(-pl.col("amount")).otherwise(0),
    )
    flows = ("supply", "brought_forward", "opening", "faucets", "sinks")
    daily = daily.group_by("day", "currency").agg(total(name) for name in flows)
    grid = days(observations).join(moved.select("currency").unique(), how="cross")
    series = grid.join(daily, on=["day", "currency"], how="left").with_columns(pl.col(flows).fill_null(0))
    series = series.with_columns(running_total(name, "currency") for name in flows)
    series = series.join(_active_supply(observations), on=["day", "currency"], how="left")
    return series.with_columns(pl.col("active_supply").fill_null(0)).sort("day", "currency")


@checked_options
@shared
def velocity(observations: Observations, first_day: Day = 0) -> pl.LazyFrame:
    """Velocity: mean spending a day / mean daily money supply.

    Spending is what left through sinks, an admin's corrections left out.

    Args:
        observations: What was observed; only its ledger and the days of its activity are read.
        first_day: First day measured, as a date or a number of days after the first one observed.

    Returns:
        One row per currency, ascending.

        - ``currency`` (String): gold or gems.
        - ``days`` (Int64): days measured.
        - ``spending_per_day`` (Float64): mean spending a day, in units of the currency.
        - ``mean_supply`` (Float64): mean of the supply at the close of each day.
        - ``velocity_per_day`` (Float64): their quotient, 1/day; null without a supply.
    """
    observations.require_books("velocity")
    window = days(observations, first_day)
    spent = flows(observations, first_day).filter(
        pl.col("kind").is_in(SPENDING), pl.col("direction") == "sink"
    )
    spending = spent.group_by("currency").agg(spent=total("amount"))
    supply = money_supply(observations).join(window, on="day", how="semi")
    means = supply.group_by("currency").agg(days=pl.len().cast(pl.Int64), mean_supply=pl.col("supply").mean())
    table = means.join(spending, on="currency", how="left").with_columns(pl.col("spent").fill_null(0))
    table = table.with_columns(spending_per_day=pl.col("spent") / pl.col("days"))
    rate = share("spending_per_day", "mean_supply")
    return table.select("currency", "days", "spending_per_day", "mean_supply", velocity_per_day=rate).sort(
        "currency"
    )


def _active_supply(observations: Observations) -> pl.LazyFrame:
    """Per day and currency, what recently active players hold: day, currency, active_supply."""
    active = active_days(observations).with_columns(last_active=pl.col("day"))
    held = holdings(observations).join(active, on=["user_id", "day"], how="left")
    latest = pl.col("last_active").forward_fill().over("user_id", "currency", order_by="day")
    idle_days = (pl.col("day") - latest).dt.total_days()
    held = held.filter(idle_days < ACTIVE_WITHIN_DAYS).rename({"balance": "active_supply"})
    return held.group_by("day", "currency").agg(total("active_supply"))
