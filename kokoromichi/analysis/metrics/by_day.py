"""The ledger by UTC day: what most metrics start from."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, TypeAlias

import polars as pl

from kokoromichi.analysis.shared import shared
from kokoromichi.core.kinds import KINDS

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations

Day: TypeAlias = dt.date | int
"""A UTC date, or a number of days after the first day observed."""

OPENING: Final = "opening"
TRANSFERS: Final = tuple(name for name, kind in KINDS.items() if kind.role == "transfer")
SPENDING: Final = tuple(name for name, kind in KINDS.items() if kind.role == "sink")
_LONGEST: Final = dt.timedelta(days=20 * 365)

BROUGHT: Final = "brought"
"""The direction of what a part of a ledger begins with: it neither enters nor leaves."""

ALL: Final = "all"
"""The archetype of rows that count every player."""


def days(observations: Observations, first_day: Day = 0, last_day: Day | None = None) -> pl.LazyFrame:
    """Every day watched, days without a row included.

    Where nothing says how long that was, from the first row of ledger or activity to the last. A row that is
    more than twenty years away from the day with most rows is dated wrongly: it makes no days, and
    ``ledger_health`` counts it.

    Args:
        observations: What was observed.
        first_day: First day kept.
        last_day: Last day kept; None for the last one observed.

    Returns:
        One row per UTC day, ascending: ``day`` (Date).
    """
    return _watched(observations).filter(*_within(first_day, last_day))


@shared
def _watched(observations: Observations) -> pl.LazyFrame:
    rows = pl.concat([observations.ledger.select(day_of()), observations.activity.select(day_of())])
    counts = rows.drop_nulls().group_by("day").agg(rows=pl.len())
    busiest = pl.col("day").sort_by("rows", "day").last()
    counted = counts.filter((pl.col("day") - busiest).abs() <= _LONGEST)
    first, last = pl.col("day").min(), pl.col("day").max()
    if observations.period is not None:
        first = pl.min_horizontal(first, pl.lit(observations.period[0]))
        last = pl.max_horizontal(last, pl.lit(observations.period[1]))
    every = counted.select(first.alias("first"), last.alias("last"))
    return every.select(day=pl.date_ranges("first", "last")).explode("day").drop_nulls().sort("day")


@shared
def movements(observations: Observations, currency: str | None = None) -> pl.LazyFrame:
    """The ledger's rows that move a balance, told apart by direction.

    A transfer leaves the supply as it is; any other row with an amount above 0 is a faucet of its kind, one
    below 0 a sink of its kind, so that an exchange is a sink of gold and a faucet of gems.

    Returns:
        One row per ledger row with a currency, in the ledger's order: ``user_id``, ``currency``, ``kind``,
        ``item_id`` (String), ``day`` (Date), ``amount``, ``balance_after``, ``quantity`` (Int64),
        ``direction`` (String: faucet, sink, transfer).
    """
    rows = observations.ledger.filter(
        pl.col("currency").is_not_null() if currency is None else pl.col("currency") == currency
    )
    direction = (
        pl.when(pl.col("kind").is_in(TRANSFERS))
        .then(pl.lit("transfer"))
        .when(pl.col("amount") > 0)
        .then(pl.lit("faucet"))
        .otherwise(pl.lit("sink"))
    )
    return rows.select(
        "user_id",
        "currency",
        "kind",
        "item_id",
        day_of(),
        "amount",
        "balance_after",
        "quantity",
        direction=direction,
    )


def changes(observations: Observations, currency: str | None = None) -> pl.LazyFrame:
    """The movements, and what a part of a ledger begins with: on its first day, direction ``brought``.

    Returns:
        As ``movements``; ``kind`` and ``item_id`` are null in what is brought forward, ``balance_after`` is
        it.
    """
    first = days(observations).select(day=pl.col("day").min())
    held = observations.brought.filter(
        pl.col("currency").is_not_null() if currency is None else pl.col("currency") == currency
    )
    rows = held.select(
        "user_id", "currency", "amount", balance_after="amount", direction=pl.lit(BROUGHT)
    ).join(first, how="cross")
    return pl.concat([movements(observations, currency), rows], how="diagonal")


@shared
def holdings(observations: Observations, currency: str | None = None) -> pl.LazyFrame:
    """Closing balances, carried over days without a movement.

    Returns:
        One row per player, currency and day, from the player's first movement to the last day observed, in no
        order: ``user_id``, ``currency`` (String), ``day`` (Date), ``balance`` (Int64).
    """
    keys = ["user_id", "currency"]
    watched = days(observations)
    moved = changes(observations, currency).group_by(*keys, "day").agg(total("amount"))
    moved = moved.join(watched, on="day", how="semi")
    last = watched.select(last=pl.col("day").max())
    spans = moved.group_by(keys).agg(first=pl.col("day").min()).join(last, how="cross")
    grid = spans.select(*keys, day=pl.date_ranges("first", "last")).explode("day")
    filled = grid.join(moved, on=[*keys, "day"], how="left")
    balance = pl.col("amount").fill_null(0).cast(pl.Int128).cum_sum().over(keys, order_by="day")
    return filled.select(*keys, "day", balance=balance.cast(pl.Int64))


def with_archetypes(frame: pl.LazyFrame, observations: Observations) -> pl.LazyFrame:
    """Every row twice: under ``all``, and under its player's archetype where that is known.

    Args:
        frame: Has a column ``user_id``.
        observations: What was observed; its players are read.

    Returns:
        The rows with a column ``archetype`` (String) more.
    """
    known = frame.join(archetypes(observations), on="user_id", how="inner")
    return pl.concat([frame.with_columns(archetype=pl.lit(ALL)), known])


@shared
def archetypes(observations: Observations) -> pl.LazyFrame:
    """The archetype of every player who has one, once, however often a player is listed.

    Returns:
        One row per player, in no order: ``user_id``, ``archetype`` (String).
    """
    known = observations.players.filter(pl.col("archetype").is_not_null())
    return known.group_by("user_id").agg(pl.col("archetype").min())


def day_of(column: str = "at") -> pl.Expr:
    """The UTC date of an instant, as ``day``."""
    return pl.col(column).dt.date().alias("day")


def total(column: str) -> pl.Expr:
    """The sum of an integer column; an overflow of int64 is an error, where a plain sum wraps silently."""
    return pl.col(column).cast(pl.Int128).sum().cast(pl.Int64)


def running_total(column: str, over: str) -> pl.Expr:
    """The sum so far by day within ``over``; an overflow of int64 is an error."""
    return pl.col(column).cast(pl.Int128).cum_sum().over(over, order_by="day").cast(pl.Int64)


def share(part: str | pl.Expr, whole: str | pl.Expr) -> pl.Expr:
    """A quotient, null where the whole is 0."""
    below = pl.col(whole) if isinstance(whole, str) else whole
    above = pl.col(part) if isinstance(part, str) else part
    return pl.when(below != 0).then(above / below)


def _within(first_day: Day, last_day: Day | None) -> list[pl.Expr]:
    kept = [pl.col("day") >= _date(first_day)]
    return kept if last_day is None else [*kept, pl.col("day") <= _date(last_day)]


def _date(day: Day) -> pl.Expr:
    return pl.lit(day) if isinstance(day, dt.date) else pl.col("day").min() + pl.duration(days=day)
