"""What the rich and the poor spend their gold on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.metrics.by_day import SPENDING, Day, days, movements, share, total
from kokoromichi.analysis.metrics.prices import last_prices
from kokoromichi.analysis.metrics.wealth import balances
from kokoromichi.analysis.options import checked_options

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations

UNKNOWN: Final = "unknown"
"""The category of items that the economy history does not name."""


@checked_options
def engel_shares(observations: Observations, first_day: Day = 0, last_day: Day | None = None) -> pl.LazyFrame:
    """Engel shares: what each tenth of the players, by wealth, spends its gold on.

    Wealth is the closing gold balance of the last day. Players are ranked by it, ties by their id, and player
    i of n (from 0, poorest first) is in decile 1 + 10 i // n, so that ten players make ten deciles. Purchases
    count under the item's category, other sinks under their kind: a decile's shares sum to 1.

    Args:
        observations: What was observed; the ledger and the economy history.
        first_day: First day of the spending, as a date or a number of days after the first one observed.
        last_day: Last day of the spending, and the day of the wealth; None for the last one observed.

    Returns:
        One row per decile and category that anybody spent on, ascending.

        - ``decile`` (Int64): 1 the poorest, 10 the richest.
        - ``category`` (String): an item category, a ledger kind, or unknown.
        - ``players`` (Int64): players in the decile.
        - ``spending_gold`` (Int64): what they spent on it.
        - ``share`` (Float64): of the decile's spending; null when the decile spent nothing.

    Raises:
        MissingObservationsError: No economy history was observed.
    """
    observations.require("engel_shares", "economy_history")
    ranked = balances(observations, last_day).filter(pl.col("currency") == "gold").sort("balance", "user_id")
    place = pl.int_range(pl.len(), dtype=pl.Int64)
    deciles = ranked.select("user_id", decile=1 + 10 * place // pl.len().cast(pl.Int64))
    spent = _spending(observations, first_day, last_day).join(deciles, on="user_id")
    spent = spent.group_by("decile", "category").agg(total("spending_gold"))
    sizes = deciles.group_by("decile").agg(players=pl.len().cast(pl.Int64))
    table = sizes.join(spent.select("category").unique(), how="cross")
    table = table.join(spent, on=["decile", "category"], how="left").with_columns(
        pl.col("spending_gold").fill_null(0)
    )
    whole = pl.col("spending_gold").cast(pl.Int128).sum().over("decile")
    columns = ["decile", "category", "players", "spending_gold"]
    return table.select(*columns, share=share("spending_gold", whole)).sort("decile", "category")


def _spending(observations: Observations, first_day: Day, last_day: Day | None) -> pl.LazyFrame:
    """Per ledger row that spent gold: user_id, category, spending_gold."""
    rows = movements(observations, "gold").filter(
        pl.col("kind").is_in(SPENDING), pl.col("direction") == "sink"
    )
    rows = rows.join(days(observations, first_day, last_day), on="day", how="semi")
    rows = rows.join(last_prices(observations).select("item_id", "category"), on="item_id", how="left")
    bought = pl.col("kind") == "purchase"
    category = pl.when(bought).then(pl.col("category").fill_null(UNKNOWN)).otherwise("kind")
    return rows.select("user_id", category=category, spending_gold=-pl.col("amount"))
