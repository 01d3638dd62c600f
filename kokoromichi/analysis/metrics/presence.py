"""Who was there, and when: arrivals, active days, leaving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.metrics.by_day import day_of, days
from kokoromichi.analysis.shared import shared
from kokoromichi.core.kinds import SYSTEM

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations

NO_PRESENCE: Final = ("leave", "return")


@shared
def active_days(observations: Observations) -> pl.LazyFrame:
    """The days on which a player did something.

    A ledger row counts for the player who asked for it (its actor), so that a transfer received or a grant
    makes nobody active; an activity row counts unless it says that the player left or came back. A refused
    act counts.

    Returns:
        One row per player and active UTC day, in no order: ``user_id`` (String), ``day`` (Date).
    """
    return _days_with_rows(observations).filter("active").select("user_id", "day").unique()


@shared
def _days_with_rows(observations: Observations) -> pl.LazyFrame:
    """Per stream, player and day with a row: user_id, day, active (whether one counts as activity)."""
    moved = observations.ledger.filter(pl.col("user_id") != SYSTEM).group_by("user_id", day_of())
    acted = observations.activity.group_by("user_id", day_of())
    return pl.concat(
        [
            moved.agg(active=(pl.col("actor") == pl.col("user_id")).any()),
            acted.agg(active=(~pl.col("act").is_in(NO_PRESENCE)).any()),
        ]
    )


@shared
def turns(observations: Observations) -> pl.LazyFrame:
    """When players left and came back, from the activity stream.

    Returns:
        One row per leaving or return, in no order: ``user_id``, ``act`` (String), ``at`` (Datetime), ``day``
        (Date).
    """
    return observations.activity.filter(pl.col("act").is_in(NO_PRESENCE)).select(
        "user_id", "act", "at", day_of()
    )


@shared
def records_leaving(observations: Observations) -> pl.LazyFrame:
    """Whether the activity stream says who left: one row with ``records_leaving`` (Boolean)."""
    return observations.activity.select(records_leaving=(pl.col("act") == "leave").any())


@shared
def presence(observations: Observations) -> pl.LazyFrame:
    """From when to when each player was there.

    A player is there until the last active day; where the activity stream records leaving, one who has not
    left is there until the last day observed.

    Returns:
        One row per player with a row, in no order: ``user_id`` (String), ``arrival`` (Date, the first day
        with a row of theirs; of a player who brings something forward, the first day observed), ``until``
        (Date), ``arrived`` (Boolean, whether they came while observed).
    """
    arrivals = _days_with_rows(observations).group_by("user_id").agg(arrival=pl.col("day").min())
    last_active = active_days(observations).group_by("user_id").agg(last_active=pl.col("day").max())
    gone = turns(observations).group_by("user_id").agg(gone=pl.col("act").sort_by("at").last() == "leave")
    ends = days(observations).select(first=pl.col("day").min(), last=pl.col("day").max())
    before = observations.brought.select("user_id").unique().with_columns(before=pl.lit(value=True))
    arrivals = arrivals.join(before, on="user_id", how="left").with_columns(
        arrived=pl.col("before").is_null()
    )
    everyone = (
        arrivals.join(last_active, on="user_id", how="left")
        .join(gone, on="user_id", how="left")
        .join(records_leaving(observations), how="cross")
        .join(ends, how="cross")
    )
    stays = pl.col("records_leaving") & ~pl.col("gone").fill_null(value=False)
    until = pl.when(stays).then("last").otherwise(pl.coalesce("last_active", "arrival"))
    arrival = pl.when("arrived").then("arrival").otherwise("first")
    return everyone.select("user_id", arrival=arrival, until=until, arrived="arrived")
