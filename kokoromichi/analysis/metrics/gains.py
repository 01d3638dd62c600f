"""Who gains and who loses, and by what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from kokoromichi.analysis.metrics.by_day import (
    OPENING,
    Day,
    changes,
    days,
    movements,
    share,
    total,
    with_archetypes,
)
from kokoromichi.analysis.options import checked_options

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations


@checked_options
def gains(
    observations: Observations, currency: str = "gold", first_day: Day = 0, last_day: Day | None = None
) -> pl.LazyFrame:
    """What each archetype gains and loses by kind, openings left out.

    A transfer is a loss of who sends it and a gain of who receives it: over all players it is 0.

    Args:
        observations: What was observed; the ledger, and the players for their archetypes.
        currency: gold or gems.
        first_day: First day measured, as a date or a number of days after the first one observed.
        last_day: Last day measured; None for the last one observed.

    Returns:
        One row per archetype and kind that moved a balance, ascending; archetype ``all`` counts every player.

        - ``archetype`` (String): the archetype, or all.
        - ``kind`` (String): the ledger's code.
        - ``amount`` (Int64): gained, below 0 lost, in units of the currency.
        - ``players`` (Int64): players of the archetype who ever had the currency, moved by this kind or not.
        - ``per_player`` (Float64): amount / players.
    """
    observations.require_books("gains")
    window = days(observations, first_day, last_day)
    rows = movements(observations, currency).filter(pl.col("kind") != OPENING)
    rows = rows.join(window, on="day", how="semi").select("user_id", "kind", "amount")
    sums = with_archetypes(rows, observations).group_by("archetype", "kind").agg(total("amount"))
    owners = changes(observations, currency).select("user_id").unique()
    known = with_archetypes(owners, observations)
    sizes = known.group_by("archetype").agg(players=pl.len().cast(pl.Int64))
    table = sums.join(sizes, on="archetype").with_columns(per_player=share("amount", "players"))
    return table.select("archetype", "kind", "amount", "players", "per_player").sort("archetype", "kind")
