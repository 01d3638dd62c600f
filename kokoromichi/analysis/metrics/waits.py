"""How long a price keeps players waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis import statistics
from kokoromichi.analysis.metrics.by_day import OPENING, changes, running_total, total, with_archetypes
from kokoromichi.analysis.metrics.presence import presence
from kokoromichi.analysis.metrics.prices import last_prices, price_list
from kokoromichi.analysis.options import checked_options
from kokoromichi.analysis.shared import shared

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations

RESTRICTED_DAYS: Final = 30
"""The mean wait is that of the first so many days: it has a value when most never afford the price."""

_CASE = ["user_id", "item_id"]
_GROUP_SCHEMA: Final = {"item_id": pl.String(), "archetype": pl.String()}
_GROUP = list(_GROUP_SCHEMA)
_ESTIMATES_SCHEMA: Final = {
    "players": pl.Int64(),
    "waiting": pl.Int64(),
    "afforded": pl.Int64(),
    "wait_days": pl.Float64(),
    "mean_wait_days": pl.Float64(),
    "never_share": pl.Float64(),
    "earned_days": pl.Float64(),
    "first_days": pl.Float64(),
}


@checked_options
@shared
def days_to_afford(observations: Observations) -> pl.LazyFrame:
    """Days to afford: the wait for each item's price, by archetype.

    The wait runs from the first day that closes below the price to the first later day that closes at or
    above it. It is censored at the player's leaving, or at the end of the horizon; medians are
    Kaplan-Meier's, interpolated within their day. A median is infinite when fewer than half get there in
    time: it lies beyond the horizon. The price of a day is the one in force when the day closes. Two measures
    stand beside it, both counted from the arrival of those who arrive while observed: the days until earnings
    (all faucets but the opening) reach the price, and the days until a balance first does, which the opening
    makes 0 for everything that it affords.

    Args:
        observations: What was observed; the ledger, the economy history, the activity for who left, and the
            players for their archetypes.

    Returns:
        One row per item and archetype, ascending; archetype ``all`` counts every player.

        - ``item_id`` (String): the item.
        - ``archetype`` (String): the archetype, or all.
        - ``category`` (String): the item's category.
        - ``price_gold`` (Int64): the item's last price.
        - ``players`` (Int64): players who were there while the item had a price.
        - ``waiting`` (Int64): of these, players who closed a day below the price while there.
        - ``afforded`` (Int64): of these, players whose wait ended while there.
        - ``wait_days`` (Float64): median wait; infinite when fewer than half could afford it in time, null
          when nobody waited.
        - ``mean_wait_days`` (Float64): mean of the waits, each counted up to 30 days; it exists where
          the median is infinite; null when nobody waited.
        - ``never_share`` (Float64): share still waiting after the longest wait seen; null when nobody waited.
        - ``earned_days`` (Float64): median days until earnings reach the price; infinite when fewer than half
          do in time.
        - ``first_days`` (Float64): median days until a balance first reaches the price; infinite when fewer
          than half do in time.

    Raises:
        MissingObservationsError: No economy history was observed.
    """
    observations.require("days_to_afford", "economy_history")
    observations.require_books("days_to_afford")
    groups = with_archetypes(_cases(observations), observations).group_by(_GROUP)
    waits = groups.agg(
        pl.col("wait_length", "wait_ended").filter(pl.col("below").is_not_null()),
        pl.col("earned_length", "earned_ended", "first_length", "first_ended").filter("arrived"),
        players=pl.len().cast(pl.Int64),
    )
    estimates = waits.map_batches(_estimates, schema={**_GROUP_SCHEMA, **_ESTIMATES_SCHEMA})
    named = estimates.join(last_prices(observations), on="item_id", how="left")
    return named.select(*_GROUP, "category", "price_gold", *_ESTIMATES_SCHEMA).sort(_GROUP)


def _cases(observations: Observations) -> pl.LazyFrame:
    """Per player and item: user_id, item_id, below (Date), and for wait, earned, first: their length and end.

    ``x_length`` (Int64) is in days and null where the case is not at risk; ``x_ended`` (Boolean) is False
    where the case is censored.
    """
    there = presence(observations)
    price, yesterday = pl.col("price_gold"), pl.col("price_yesterday_gold")
    closes = _closes(observations).join(there, on="user_id").filter(pl.col("day") <= pl.col("until"))
    closes = closes.join(_prices_and_yesterdays(observations), on="day")
    crosses = (
        (pl.col("day") > pl.col("arrival")) & (pl.col("opened") < yesterday) & (pl.col("closed") >= price)
    )
    reached = closes.select(
        *_CASE,
        below=pl.when(pl.col("closed") < price).then("day"),
        afforded=pl.when(crosses).then("day"),
        earned=pl.when(pl.col("earnings") >= price).then("day"),
        first=pl.when(pl.col("highest") >= price).then("day"),
    )
    firsts = reached.group_by(_CASE).agg(pl.all().min())
    there = there.with_columns(came=pl.when("arrived").then("arrival"))
    return firsts.join(there, on="user_id").select(
        *_CASE,
        "below",
        "arrived",
        *_length("wait", "below", "afforded"),
        *_length("earned", "came", "earned"),
        *_length("first", "came", "first"),
    )


def _closes(observations: Observations) -> pl.LazyFrame:
    """The days on which a player's standing against a price can change: of a movement or a new price.

    Columns: user_id, day, opened and closed (the balance), highest (of the day), earnings (so far, opening
    left out).
    """
    rows = changes(observations, "gold")
    earns = (pl.col("direction") == "faucet") & (pl.col("kind") != OPENING)
    rows = rows.select(
        "user_id", "day", "amount", peak="balance_after", earned=pl.when(earns).then("amount").otherwise(0)
    )
    repriced = _prices_and_yesterdays(observations).filter(
        pl.col("price_gold").ne_missing(pl.col("price_yesterday_gold"))
    )
    first_rows = rows.group_by("user_id").agg(first=pl.col("day").min())
    new_prices = first_rows.join(repriced.select("day").unique(), how="cross")
    new_prices = new_prices.filter(pl.col("day") > pl.col("first")).select("user_id", "day")
    moments = pl.concat([rows, new_prices], how="diagonal")
    daily = moments.group_by("user_id", "day").agg(total("amount"), total("earned"), pl.col("peak").max())
    daily = daily.with_columns(
        closed=running_total("amount", "user_id"),
        earnings=running_total("earned", "user_id"),
    )
    opened = pl.col("closed") - pl.col("amount")
    highest = pl.max_horizontal("peak", "closed", opened)
    return daily.select("user_id", "day", "closed", "earnings", opened=opened, highest=highest)


def _prices_and_yesterdays(observations: Observations) -> pl.LazyFrame:
    """Per day and item: day, item_id, price_gold, price_yesterday_gold (null on an item's first day)."""
    yesterday = pl.col("price_gold").shift(1).over("item_id", order_by="day")
    return price_list(observations).select("day", "item_id", "price_gold", price_yesterday_gold=yesterday)


def _length(name: str, start: str, end: str) -> list[pl.Expr]:
    length = pl.coalesce(end, "until") - pl.col(start)
    return [
        length.dt.total_days().clip(0).alias(f"{name}_length"),  # A broken ledger may end what never began.
        pl.col(end).is_not_null().alias(f"{name}_ended"),
    ]


def _estimates(groups: pl.DataFrame) -> pl.DataFrame:
    """Read the Kaplan-Meier estimates of each group from its lists of lengths and ends."""
    waits, earned, first = (
        [
            statistics.kaplan_meier(lengths.to_numpy(), ended.to_numpy())
            for lengths, ended in zip(groups[f"{name}_length"], groups[f"{name}_ended"], strict=True)
        ]
        for name in ("wait", "earned", "first")
    )
    numbers: dict[str, pl.Series | list[float | None]] = {
        "players": groups["players"],
        "waiting": groups["wait_length"].list.len(),
        "afforded": groups["wait_ended"].list.sum(),
        "wait_days": [lengths.grouped_median for lengths in waits],
        "mean_wait_days": [lengths.restricted_mean(RESTRICTED_DAYS) for lengths in waits],
        "never_share": [lengths.never_share for lengths in waits],
        "earned_days": [lengths.grouped_median for lengths in earned],
        "first_days": [lengths.grouped_median for lengths in first],
    }
    return groups.select(_GROUP).with_columns(
        pl.Series(name, numbers[name]).cast(dtype) for name, dtype in _ESTIMATES_SCHEMA.items()
    )
