"""Who owns what, on one day and day by day, and how unequally."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis import statistics
from kokoromichi.analysis.metrics.by_day import (
    SPENDING,
    Day,
    archetypes,
    changes,
    days,
    holdings,
    movements,
    total,
    with_archetypes,
)
from kokoromichi.analysis.options import checked_options
from kokoromichi.analysis.shared import shared

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from kokoromichi.analysis.observations import Observations

TOP_SHARES: Final = (0.01, 0.1)


@checked_options
@shared
def balances(observations: Observations, day: Day | None = None) -> pl.LazyFrame:
    """Closing balance of every player on one day.

    Args:
        observations: What was observed; the ledger, and the players for their archetypes.
        day: The day, as a date or a number of days after the first one observed; None for the last one.

    Returns:
        One row per player and currency that the player had by that day, ascending.

        - ``user_id`` (String): the player.
        - ``archetype`` (String): null where it is not known.
        - ``currency`` (String): gold or gems.
        - ``balance`` (Int64): at the day's close, in units of the currency.
    """
    observations.require_books("balances")
    rows = changes(observations).join(days(observations, last_day=day), on="day", how="semi")
    held = rows.rename({"amount": "balance"}).group_by("user_id", "currency").agg(total("balance"))
    named = held.join(archetypes(observations), on="user_id", how="left")
    return named.select("user_id", "archetype", "currency", "balance").sort("user_id", "currency")


@checked_options
def balance_percentiles(observations: Observations, day: Day | None = None) -> pl.LazyFrame:
    """Closing balances on one day: the poorest tenth, the middle, the richest tenth, by archetype.

    Percentiles between two players are interpolated linearly.

    Args:
        observations: What was observed; the ledger, and the players for their archetypes.
        day: The day, as a date or a number of days after the first one observed; None for the last one.

    Returns:
        One row per archetype and currency, ascending; archetype ``all`` counts every player.

        - ``archetype`` (String): the archetype, or all.
        - ``currency`` (String): gold or gems.
        - ``players`` (Int64): players who had a balance by that day.
        - ``p10`` (Float64): a tenth hold less, in units of the currency.
        - ``p50`` (Float64): the median.
        - ``p90`` (Float64): a tenth hold more.
    """
    keys = ["archetype", "currency"]
    grouped = with_archetypes(balances(observations, day).drop("archetype"), observations).group_by(keys)
    return grouped.agg(pl.len().cast(pl.Int64).alias("players"), *percentiles("balance")).sort(keys)


@checked_options
@shared
def gini(
    observations: Observations, currency: str = "gold", first_day: Day = 0, last_day: Day | None = None
) -> pl.LazyFrame:
    """Gini coefficient of wealth and of spending: 0 when all have the same, or nobody has anything.

    Everybody counts who ever had the currency, also at a balance of 0 or without spending.

    Args:
        observations: What was observed; only its ledger and the days of its activity are read.
        currency: gold or gems.
        first_day: First day of the spending, as a date or a number of days after the first one observed.
        last_day: Day of the balances and last day of the spending; None for the last one observed.

    Returns:
        One row per measure, ascending.

        - ``measure`` (String): balance or spending.
        - ``players`` (Int64): players counted.
        - ``total`` (Int64): what they have together, in units of the currency.
        - ``gini`` (Float64): 0 to 1; null where somebody has less than nothing, as in a broken ledger alone.
    """
    values = _wealth(observations, currency, first_day, last_day)
    numbers = {
        "players": pl.len().cast(pl.Int64),
        "total": total("value"),
        "gini": _of_owned(statistics.gini),
    }
    return values.group_by("measure").agg(**numbers).sort("measure")


@checked_options
def lorenz(
    observations: Observations, currency: str = "gold", first_day: Day = 0, last_day: Day | None = None
) -> pl.LazyFrame:
    """Lorenz curve of wealth and of spending: what the poorest own together.

    Args:
        observations: What was observed; only its ledger and the days of its activity are read.
        currency: gold or gems.
        first_day: First day of the spending, as a date or a number of days after the first one observed.
        last_day: Day of the balances and last day of the spending; None for the last one observed.

    Returns:
        One row per measure and point of the curve, ascending: the origin, then one point per player; none
        where somebody has less than nothing.

        - ``measure`` (String): balance or spending.
        - ``population_share`` (Float64): share of the players, poorest first, 0 to 1.
        - ``value_share`` (Float64): share of everything that they have; the diagonal when nobody has
          anything.
    """
    schema = {"measure": pl.String(), "population_share": pl.Float64(), "value_share": pl.Float64()}
    values = _wealth(observations, currency, first_day, last_day).group_by("measure").agg("value")
    return values.map_batches(_curves, schema=schema).sort("measure", "population_share", "value_share")


@checked_options
@shared
def top_shares(
    observations: Observations, currency: str = "gold", first_day: Day = 0, last_day: Day | None = None
) -> pl.LazyFrame:
    """Share of wealth and of spending that the richest 1 % and 10 % have.

    Where that is no whole number of players, the last one counts by the fraction: 10 % of 25 players are the
    two richest and half of the third. When nobody has anything, all have the same.

    Args:
        observations: What was observed; only its ledger and the days of its activity are read.
        currency: gold or gems.
        first_day: First day of the spending, as a date or a number of days after the first one observed.
        last_day: Day of the balances and last day of the spending; None for the last one observed.

    Returns:
        One row per measure and top, ascending.

        - ``measure`` (String): balance or spending.
        - ``top`` (Float64): which share of the players, 0.01 or 0.1.
        - ``players`` (Float64): how many players that is, fractions included.
        - ``share`` (Float64): share of everything that they have, 0 to 1; null where somebody has less than
          nothing.
    """
    values = _wealth(observations, currency, first_day, last_day)
    tops = [values.group_by("measure").agg(**_top(part)) for part in TOP_SHARES]
    return pl.concat(tops).select("measure", "top", "players", "share").sort("measure", "top")


def percentiles(column: str) -> list[pl.Expr]:
    """p10, p50 and p90 of a column, interpolated linearly."""
    levels = {"p10": 0.1, "p50": 0.5, "p90": 0.9}
    return [pl.col(column).quantile(level, "linear").alias(name) for name, level in levels.items()]


@shared
def _wealth(observations: Observations, currency: str, first_day: Day, last_day: Day | None) -> pl.LazyFrame:
    """Per measure and player: measure, user_id, value (Int64)."""
    held = (
        balances(observations, last_day)
        .filter(pl.col("currency") == currency)
        .select("user_id", value="balance")
    )
    rows = movements(observations, currency).join(
        days(observations, first_day, last_day), on="day", how="semi"
    )
    spent = rows.filter(pl.col("kind").is_in(SPENDING), pl.col("direction") == "sink")
    spending = spent.group_by("user_id").agg(spent=-total("amount"))
    spends = held.join(spending, on="user_id", how="left").select(
        "user_id", value=pl.col("spent").fill_null(0)
    )
    return pl.concat(
        [
            held.select(pl.lit("balance").alias("measure"), "user_id", "value"),
            spends.select(pl.lit("spending").alias("measure"), "user_id", "value"),
        ]
    )


def _curves(values: pl.DataFrame) -> pl.DataFrame:
    points = [
        pl.DataFrame({"population_share": people, "value_share": owned}).select(
            pl.lit(measure).alias("measure"), pl.all()
        )
        for measure, value in values.iter_rows()
        if min(value) >= 0
        for people, owned in [statistics.lorenz(value)]
    ]
    blank = pl.DataFrame(
        schema={"measure": pl.String(), "population_share": pl.Float64(), "value_share": pl.Float64()}
    )
    return pl.concat([blank, *points])


def _top(part: float) -> dict[str, pl.Expr]:
    held = _of_owned(lambda owned: statistics.top_share(owned, part))
    return {"top": pl.lit(part), "players": pl.len() * part, "share": held}


def _of_owned(measure: Callable[[NDArray[np.int64]], float]) -> pl.Expr:
    """What a measure of inequality says of ``value``; null where somebody has less than nothing."""

    def measured(owned: pl.Series) -> float | None:
        values = owned.to_numpy()
        return measure(values) if (values >= 0).all() else None

    return pl.col("value").map_batches(measured, return_dtype=pl.Float64, returns_scalar=True)


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
