"""What players earn and spend each time they are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.metrics.by_day import OPENING, SPENDING, Day, day_of, days, share, total
from kokoromichi.analysis.metrics.presence import NO_PRESENCE, active_days, presence
from kokoromichi.analysis.options import checked_options
from kokoromichi.core.kinds import SYSTEM
from kokoromichi.rules.acts import SESSION_GAP_S

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations

_WEEK_DAYS: Final = 7


def sessions(observations: Observations) -> pl.LazyFrame:
    """The sessions that players began: half an hour without an act ends one.

    Returns:
        One row per session, in no order: ``user_id`` (String), ``day`` (Date, of its first act).
    """
    acted = observations.activity.filter(~pl.col("act").is_in(NO_PRESENCE))
    times = pl.concat([rows.select("user_id", "at") for rows in (_asked_for(observations), acted)]).sort("at")
    quiet = pl.col("at").diff().over("user_id")
    begins = quiet.is_null() | (quiet >= pl.duration(seconds=SESSION_GAP_S))
    return times.filter(begins).select("user_id", day_of())


def _asked_for(observations: Observations) -> pl.LazyFrame:
    """The ledger's rows that players asked for themselves."""
    return observations.ledger.filter(pl.col("user_id") != SYSTEM, pl.col("actor") == pl.col("user_id"))


@checked_options
def session_flows(
    observations: Observations, currency: str = "gold", first_day: Day = 0, last_day: Day | None = None
) -> pl.LazyFrame:
    """What a session earns and spends, by the player's age in weeks.

    A session ends with half an hour without an act. Only what the player asked for counts, openings left out,
    and only players who arrive while observed. A level is no column of a ledger; age stands for it.

    Args:
        observations: What was observed; the ledger, and the activity for sessions that moved nothing.
        currency: gold or gems.
        first_day: First day measured, as a date or a number of days after the first one observed.
        last_day: Last day measured; None for the last one observed.

    Returns:
        One row per week of age in which anybody played, ascending.

        - ``age_weeks`` (Int64): full weeks since the player's first day.
        - ``players`` (Int64): players who did anything.
        - ``sessions`` (Int64): sessions that began.
        - ``earned`` (Int64): what entered by them, in units of the currency.
        - ``spent`` (Int64): what left by them, at least 0.
        - ``earned_per_session`` (Float64): earned / sessions.
        - ``spent_per_session`` (Float64): spent / sessions.
    """
    observations.require_books("session_flows")
    own = (pl.col("currency") == currency) & (pl.col("kind") != OPENING)
    spent = own & pl.col("kind").is_in(SPENDING) & (pl.col("amount") < 0)
    earned = own & (pl.col("amount") > 0)
    moved = _asked_for(observations).filter(earned | spent)
    moved = moved.select(
        "user_id",
        day_of(),
        earned=pl.when(earned).then("amount").otherwise(0),
        spent=pl.when(spent).then(-pl.col("amount")).otherwise(0),
    )
    begun = sessions(observations).with_columns(sessions=pl.lit(1, pl.Int64))
    sums = [total(name) for name in ("sessions", "earned", "spent")]
    rows = pl.concat([active_days(observations), begun, moved], how="diagonal")
    by_day = rows.group_by("user_id", "day").agg(sums)
    came = presence(observations).filter("arrived").select("user_id", "arrival")
    window = days(observations, first_day, last_day)
    aged = by_day.join(window, on="day", how="semi").join(came, on="user_id")
    age = (pl.col("day") - pl.col("arrival")).dt.total_days() // _WEEK_DAYS
    players = pl.col("user_id").n_unique().cast(pl.Int64)
    table = aged.with_columns(age_weeks=age).group_by("age_weeks").agg(players.alias("players"), *sums)
    rates = {f"{name}_per_session": share(name, "sessions") for name in ("earned", "spent")}
    return table.with_columns(**rates).sort("age_weeks")
