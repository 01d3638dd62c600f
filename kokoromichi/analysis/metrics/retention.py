"""Who stays and who leaves, and what they own as they age."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.metrics.by_day import days, holdings, share, total, with_archetypes
from kokoromichi.analysis.metrics.presence import active_days, presence, records_leaving, turns
from kokoromichi.analysis.metrics.supply import ACTIVE_WITHIN_DAYS
from kokoromichi.analysis.metrics.wealth import percentiles
from kokoromichi.analysis.options import checked_options
from kokoromichi.analysis.shared import shared

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations

AGES_DAYS: Final = (1, 7, 30)

_WEEK_DAYS: Final = 7
_CASE: Final = ["user_id", "age_days"]


@checked_options
@shared
def retention(observations: Observations) -> pl.LazyFrame:
    """Retention at D1, D7 and D30 from arrival.

    Only players count whom the observations follow for that long. A player has not left by day n who is
    active on it or later; where the activity stream records leaving, also one who has not left when it ends.

    Args:
        observations: What was observed; the ledger, and the activity where there is one.

    Returns:
        One row per age that any player reached, ascending.

        - ``age_days`` (Int64): 1, 7 or 30 days after arrival.
        - ``players`` (Int64): players observed for that long.
        - ``stayed`` (Int64): of these, not left for good by then (rolling retention).
        - ``active`` (Int64): of these, active on that very day (classic retention).
        - ``present`` (Int64): of these, not away on that day, those who came back later among the away; null
          where the activity stream does not record leaving.
        - ``rolling_share`` (Float64): stayed / players.
        - ``classic_share`` (Float64): active / players.
        - ``present_share`` (Float64): present / players; null where the activity stream does not record
          leaving.
    """
    last = days(observations).select(last=pl.col("day").max())
    ages = pl.LazyFrame({"age_days": AGES_DAYS}, schema={"age_days": pl.Int64()})
    observations.require_books("retention")
    due = presence(observations).filter("arrived").join(ages, how="cross").join(last, how="cross")
    due = due.with_columns(day=pl.col("arrival") + pl.duration(days="age_days")).filter(
        pl.col("day") <= pl.col("last")
    )
    acted = active_days(observations).with_columns(active=pl.lit(1, dtype=pl.Int64))
    due = due.join(acted, on=["user_id", "day"], how="left").join(
        _away(observations, due), on=_CASE, how="left"
    )
    counts = due.group_by("age_days").agg(
        players=pl.len().cast(pl.Int64),
        stayed=(pl.col("until") >= pl.col("day")).sum().cast(pl.Int64),
        active=pl.col("active").sum(),
        away=pl.col("away").sum().cast(pl.Int64),
    )
    counts = counts.join(records_leaving(observations), how="cross")
    table = counts.select(
        "age_days",
        "players",
        "stayed",
        "active",
        present=pl.when("records_leaving").then(pl.col("players") - pl.col("away")),
    )
    parts = {"rolling_share": "stayed", "classic_share": "active", "present_share": "present"}
    table = table.with_columns(share(part, "players").alias(name) for name, part in parts.items())
    return table.sort("age_days")


def _away(observations: Observations, due: pl.LazyFrame) -> pl.LazyFrame:
    """Who left or came back before a day that is due, and whether away on it: _CASE, away (Boolean)."""
    before = turns(observations).select("user_id", "act", "at", turned="day")
    before = due.select(*_CASE, "day").join(before, on="user_id").filter(pl.col("turned") < pl.col("day"))
    return before.group_by(_CASE).agg(away=pl.col("act").sort_by("at").last() == "leave")


@checked_options
def cohort_balances(observations: Observations, currency: str = "gold") -> pl.LazyFrame:
    """Closing balances by age: the poorest tenth, the middle, the richest tenth, by archetype.

    Only players count who arrive while observed. Players who left count with what they left behind, since it
    is part of the supply. Percentiles between two players are interpolated linearly.

    Args:
        observations: What was observed; the ledger, and the players for their archetypes.
        currency: gold or gems.

    Returns:
        One row per archetype and age that any player reached, ascending; archetype ``all`` counts every
        player.

        - ``archetype`` (String): the archetype, or all.
        - ``age_days`` (Int64): days since the player's first movement of the currency; 0 is that day's close.
        - ``players`` (Int64): players observed at that age.
        - ``p10`` (Float64): a tenth hold less, in units of the currency.
        - ``p50`` (Float64): the median.
        - ``p90`` (Float64): a tenth hold more.
    """
    keys = ["archetype", "age_days"]
    first = pl.col("day").min().over("user_id")
    observations.require_books("cohort_balances")
    newcomers = holdings(observations, currency).join(observations.brought, on="user_id", how="anti")
    aged = newcomers.with_columns(age_days=(pl.col("day") - first).dt.total_days())
    grouped = with_archetypes(aged.select("user_id", "age_days", "balance"), observations).group_by(keys)
    return grouped.agg(pl.len().cast(pl.Int64).alias("players"), *percentiles("balance")).sort(keys)


@checked_options
def cohort_retention(observations: Observations) -> pl.LazyFrame:
    """Retention by cohort: which share of those who came in a week is active in each week of age.

    Only weeks count that were observed whole, of players who arrive while observed.

    Args:
        observations: What was observed; the ledger, and the activity where there is one.

    Returns:
        One row per cohort and week of age that any of it reached, ascending.

        - ``cohort_week`` (Date): the Monday of the week in which they came.
        - ``age_weeks`` (Int64): full weeks since arrival; 0 holds the day of arrival.
        - ``players`` (Int64): players observed for that whole week.
        - ``active`` (Int64): of these, active on any of its days.
        - ``active_share`` (Float64): active / players.
    """
    observations.require_books("cohort_retention")
    last = days(observations).select(last=pl.col("day").max())
    came = presence(observations).filter("arrived").select("user_id", "arrival").join(last, how="cross")
    weeks = ((pl.col("last") - pl.col("arrival")).dt.total_days() + 1) // _WEEK_DAYS
    due = came.select("user_id", "arrival", age_weeks=pl.int_ranges(0, weeks)).explode("age_weeks")
    due = due.drop_nulls("age_weeks")
    acted = active_days(observations).join(came, on="user_id")
    age = (pl.col("day") - pl.col("arrival")).dt.total_days() // _WEEK_DAYS
    acted = acted.select("user_id", age_weeks=age, active=pl.lit(1, pl.Int64)).unique()
    due = due.join(acted, on=["user_id", "age_weeks"], how="left")
    grouped = due.group_by(pl.col("arrival").dt.truncate("1w").alias("cohort_week"), "age_weeks")
    table = grouped.agg(players=pl.len().cast(pl.Int64), active=pl.col("active").sum())
    return table.with_columns(active_share=share("active", "players")).sort("cohort_week", "age_weeks")


_COUNTS: Final = ("left_players", "left_gold", "returned_players", "returned_gold")


@checked_options
def leavers(observations: Observations) -> pl.LazyFrame:
    """Gold that players take away and bring back, who were not active for a week.

    Somebody leaves on the seventh day after the last active one, and returns with the next active day: the
    supply that ``active_supply`` loses and wins. Whoever was not active while observed does neither.

    Args:
        observations: What was observed; the ledger, and the activity for who is active.

    Returns:
        One row per UTC day, ascending, from the first day observed to the last.

        - ``day`` (Date): the day.
        - ``left_players`` (Int64): players who count as away from this day on.
        - ``left_gold`` (Int64): what they hold at its close.
        - ``returned_players`` (Int64): players who are active again.
        - ``returned_gold`` (Int64): what they held when the day before closed.
        - ``away_players`` (Int64): left and not returned so far.
    """
    observations.require_books("leavers")
    watched = days(observations)
    active = active_days(observations).join(watched, on="day", how="semi")
    spells = active.with_columns(returned=pl.col("day").shift(-1).over("user_id", order_by="day"))
    spells = spells.with_columns(left=pl.col("day") + pl.duration(days=ACTIVE_WITHIN_DAYS))
    away = spells.filter(pl.col("returned").is_null() | (pl.col("returned") > pl.col("left")))
    held = holdings(observations, "gold").select("user_id", "day", "balance")
    gone = away.select("user_id", day="left").join(held, on=["user_id", "day"], how="left")
    back = away.filter(pl.col("returned").is_not_null()).select(
        "user_id", day=pl.col("returned") - pl.duration(days=1)
    )
    back = back.join(held, on=["user_id", "day"], how="left").with_columns(pl.col("day").dt.offset_by("1d"))
    series = watched
    for name, moved in (("left", gone), ("returned", back)):
        sums = {f"{name}_players": pl.len().cast(pl.Int64), f"{name}_gold": total("balance")}
        series = series.join(moved.group_by("day").agg(**sums), on="day", how="left")
    series = series.with_columns(pl.col(_COUNTS).fill_null(0)).sort("day")
    return series.with_columns(away_players=(pl.col("left_players") - pl.col("returned_players")).cum_sum())
