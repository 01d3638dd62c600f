"""How long a price keeps players waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from kokoromichi.analysis import statistics
from kokoromichi.analysis.metrics.daily import OPENING, movements, total, with_archetypes
from kokoromichi.analysis.metrics.presence import presence
from kokoromichi.analysis.metrics.prices import last_prices, price_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from kokoromichi.analysis.observations import Observations

_CASE = ["user_id", "item_id"]
_GROUP = ["item_id", "archetype"]


def days_to_afford(seen: Observations) -> pl.LazyFrame:
    """Days to afford: the wait for each item's price, by archetype.

    The wait runs from the first day that closes below the price to the first later day that closes at or
    above it. It is censored at the player's leaving, or at the end of the horizon; medians are
    Kaplan-Meier's. The price of a day is the one in force when the day closes. Two measures stand beside it,
    both counted from arrival: the days until earnings (all faucets but the opening) reach the price, and the
    days until a balance first does, which the opening makes 0 for everything that it affords.

    Args:
        seen: What was observed; the ledger and the economy history, the activity for who left, and the
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
        - ``wait_days`` (Float64): median wait; null when nobody waited or fewer than half ever afford it.
        - ``never_share`` (Float64): share still waiting after the longest wait seen; null when nobody waited.
        - ``earned_days`` (Float64): median days until earnings reach the price; null when fewer than half do.
        - ``first_days`` (Float64): median days until a balance first reaches the price; null when fewer than
          half do.

    Raises:
        MissingObservationsError: No economy history was observed.
    """
    seen.require("days_to_afford", "economy_history")
    cases = _cases(seen)
    estimates = (
        with_archetypes(cases, seen)
        .group_by(_GROUP)
        .agg(
            players=pl.len().cast(pl.Int64),
            waiting=pl.col("below").is_not_null().sum().cast(pl.Int64),
            afforded=pl.col("wait_ended").sum().cast(pl.Int64),
            wait_days=_median("wait"),
            never_share=_never_share("wait"),
            earned_days=_median("earned"),
            first_days=_median("first"),
        )
    )
    named = estimates.join(last_prices(seen), on="item_id", how="left")
    columns = ["category", "price_gold", "players", "waiting", "afforded"]
    return named.select(*_GROUP, *columns, "wait_days", "never_share", "earned_days", "first_days").sort(
        _GROUP
    )


def _cases(seen: Observations) -> pl.LazyFrame:
    """Per player and item: user_id, item_id, below (Date), and for wait, earned, first: their length and end.

    ``x_length`` (Int64) is in days and null where the case is not at risk; ``x_ended`` (Boolean) is False
    where the case is censored.
    """
    closes = _closes(seen).join(price_list(seen), on="day").join(presence(seen), on="user_id")
    closes = closes.filter(pl.col("day") <= pl.col("until"))
    short, price = pl.col("balance") < pl.col("price_gold"), pl.col("price_gold")
    below = closes.filter(short).group_by(_CASE).agg(below=pl.col("day").min())
    closes = closes.join(below, on=_CASE, how="left")
    crossed = closes.group_by(*_CASE, "arrival", "until", "below").agg(
        afforded=pl.when(~short & (pl.col("day") > pl.col("below"))).then("day").min(),
        earned=pl.when(pl.col("earnings") >= price).then("day").min(),
        first=pl.when(pl.col("highest") >= price).then("day").min(),
    )
    return crossed.select(
        *_CASE,
        "below",
        *_length("wait", "below", "afforded"),
        *_length("earned", "arrival", "earned"),
        *_length("first", "arrival", "first"),
    )


def _closes(seen: Observations) -> pl.LazyFrame:
    """The days on which a player's standing against a price can change: of a movement or a new price.

    Columns: user_id, day, balance (at the close), highest (of the day), earnings (so far, opening left out).
    """
    rows = movements(seen, "gold")
    earns = (pl.col("direction") == "faucet") & (pl.col("kind") != OPENING)
    rows = rows.select(
        "user_id", "day", "amount", peak="balance_after", earned=pl.when(earns).then("amount").otherwise(0)
    )
    yesterday = pl.col("price_gold").shift(1).over("item_id", order_by="day")
    price_days = price_list(seen).filter(pl.col("price_gold").ne_missing(yesterday))
    arrivals = rows.group_by("user_id").agg(arrival=pl.col("day").min())
    new_prices = arrivals.join(price_days.select("day").unique(), how="cross").filter(
        pl.col("day") > pl.col("arrival")
    )
    moments = pl.concat([rows, new_prices.select("user_id", "day")], how="diagonal")
    daily = moments.group_by("user_id", "day").agg(total("amount"), total("earned"), pl.col("peak").max())
    daily = daily.with_columns(
        balance=pl.col("amount").cum_sum().over("user_id", order_by="day"),
        earnings=pl.col("earned").cum_sum().over("user_id", order_by="day"),
    )
    opened = pl.col("balance") - pl.col("amount")
    return daily.select(
        "user_id", "day", "balance", "earnings", highest=pl.max_horizontal("peak", "balance", opened)
    )


def _length(name: str, start: str, end: str) -> list[pl.Expr]:
    length = pl.coalesce(end, "until") - pl.col(start)
    return [
        length.dt.total_days().alias(f"{name}_length"),
        pl.col(end).is_not_null().alias(f"{name}_ended"),
    ]


def _median(name: str) -> pl.Expr:
    return _estimate(name, lambda lengths: lengths.median)


def _never_share(name: str) -> pl.Expr:
    return _estimate(name, lambda lengths: lengths.never_share)


def _estimate(name: str, read: Callable[[statistics.KaplanMeier], float | None]) -> pl.Expr:
    """Read one number from the Kaplan-Meier estimate of a group's lengths."""

    def estimate(cases: pl.Series) -> float | None:
        lengths, ended = cases.drop_nulls().struct.unnest().drop_nulls().get_columns()
        return read(statistics.kaplan_meier(lengths.to_numpy(), ended.to_numpy()))

    cases = pl.struct(pl.col(f"{name}_length"), pl.col(f"{name}_ended"))
    return cases.map_batches(estimate, return_dtype=pl.Float64, returns_scalar=True)
