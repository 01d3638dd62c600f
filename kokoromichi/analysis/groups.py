"""Players told apart by what they do, where nobody knows what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.metrics.by_day import SPENDING, changes, movements, total
from kokoromichi.analysis.metrics.presence import presence
from kokoromichi.analysis.metrics.sessions import sessions
from kokoromichi.core.schemas import PLAYERS_SCHEMA
from kokoromichi.options import one_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from kokoromichi.analysis.observations import Observations

_LOWER: Final = 0.5
_TOP: Final = 0.9


def behaviour_groups(observations: Observations, by: str = "sessions") -> pl.DataFrame:
    """Sort players into the lower half, the next two fifths and the top tenth.

    Those who did the same are in the same group, the lower one where they lie across two.

    Args:
        observations: What was observed.
        by: ``sessions`` (how many they had), ``spending`` (gold that left by them) or ``wealth`` (the gold
            that they hold at the end).

    Returns:
        One row per player who was there, by id: the columns of ``PLAYERS_SCHEMA``; the archetype is
        ``<by>_low``, ``<by>_middle`` or ``<by>_top``, cohort and day of arrival are null.

    Raises:
        MisuseError: Groups are not made by that.
    """
    measure = MEASURES[one_of("groups", by, MEASURES)]
    everyone = presence(observations).select("user_id").join(measure(observations), on="user_id", how="left")
    below = (pl.col("value").fill_null(0).rank("min") - 1) / pl.len()
    name = pl.when(below < _LOWER).then(pl.lit("low")).when(below < _TOP).then(pl.lit("middle"))
    groups = everyone.select(
        "user_id", archetype=pl.format("{}_{}", pl.lit(by), name.otherwise(pl.lit("top")))
    )
    blank = pl.LazyFrame(schema=PLAYERS_SCHEMA)
    return pl.concat([blank, groups], how="diagonal").sort("user_id").collect()


def _sessions(observations: Observations) -> pl.LazyFrame:
    return sessions(observations).group_by("user_id").agg(value=pl.len().cast(pl.Int64))


def _spending(observations: Observations) -> pl.LazyFrame:
    rows = movements(observations, "gold").filter(
        pl.col("kind").is_in(SPENDING), pl.col("direction") == "sink"
    )
    return rows.group_by("user_id").agg(value=-total("amount"))


def _wealth(observations: Observations) -> pl.LazyFrame:
    return changes(observations, "gold").group_by("user_id").agg(value=total("amount"))


MEASURES: Final[dict[str, Callable[[Observations], pl.LazyFrame]]] = {
    "sessions": _sessions,
    "spending": _spending,
    "wealth": _wealth,
}
"""By what players can be grouped: one number each."""
