"""What players do, and what the game refuses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from kokoromichi.analysis.metrics.by_day import Day, day_of, days, share
from kokoromichi.analysis.metrics.presence import active_days
from kokoromichi.analysis.options import checked_options
from kokoromichi.analysis.shared import shared
from kokoromichi.core.schemas import DECISIONS, SIGHTINGS

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations


@checked_options
@shared
def acts(observations: Observations, first_day: Day = 0, last_day: Day | None = None) -> pl.LazyFrame:
    """Acts per active player-day, by act.

    An act counts when it went through; sessions, choices, wishes, leaving, coming back and looking at the
    store are no acts.

    Args:
        observations: What was observed; the activity, and the ledger for who is active.
        first_day: First day measured, as a date or a number of days after the first one observed.
        last_day: Last day measured; None for the last one observed.

    Returns:
        One row per act tried in the window, ascending.

        - ``act`` (String): claim, battle, buy ...
        - ``acts`` (Int64): how many went through.
        - ``refused`` (Int64): how many were refused.
        - ``active_player_days`` (Int64): days of players who were active, the same for every act.
        - ``acts_per_active_player_day`` (Float64): acts / active player-days.

    Raises:
        MissingObservationsError: No activity was observed.
    """
    observations.require("acts", "activity")
    window = days(observations, first_day, last_day)
    tried = _tried(observations).join(window, on="day", how="semi").group_by("act")
    times, refused = pl.col("times"), pl.col("code").is_not_null()
    counts = tried.agg(acts=times.filter(~refused).sum(), refused=times.filter(refused).sum())
    active = (
        active_days(observations)
        .join(window, on="day", how="semi")
        .select(active_player_days=pl.len().cast(pl.Int64))
    )
    table = counts.join(active, how="cross")
    return table.with_columns(acts_per_active_player_day=share("acts", "active_player_days")).sort("act")


@checked_options
def refusals(observations: Observations, first_day: Day = 0, last_day: Day | None = None) -> pl.LazyFrame:
    """Refusals by act and code.

    Args:
        observations: What was observed; only its activity and the days of its ledger are read.
        first_day: First day measured, as a date or a number of days after the first one observed.
        last_day: Last day measured; None for the last one observed.

    Returns:
        One row per act and code, ascending.

        - ``act`` (String): claim, battle, buy ...
        - ``code`` (String): why it was refused.
        - ``refusals`` (Int64): how often.
        - ``tried`` (Int64): how often the act was tried, with any outcome.
        - ``refused_share`` (Float64): refusals / tried.

    Raises:
        MissingObservationsError: No activity was observed.
    """
    observations.require("refusals", "activity")
    tried = _tried(observations).join(days(observations, first_day, last_day), on="day", how="semi")
    counts = tried.group_by("act", "code").agg(refusals=pl.col("times").sum())
    counts = counts.with_columns(tried=pl.col("refusals").sum().over("act"))
    refused = counts.filter(pl.col("code").is_not_null())
    return refused.with_columns(refused_share=share("refusals", "tried")).sort("act", "code")


@shared
def _tried(observations: Observations) -> pl.LazyFrame:
    """Per act, code (null where it went through) and day: act, code, day, times (Int64)."""
    acts = observations.activity.filter(~pl.col("act").is_in((*DECISIONS, *SIGHTINGS)))
    return acts.group_by("act", "code", day_of()).agg(times=pl.len().cast(pl.Int64))
