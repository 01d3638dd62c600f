"""The dozen numbers by which one run is compared with another."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.metrics.acts import acts
from kokoromichi.analysis.metrics.by_day import ALL, Day, days, total
from kokoromichi.analysis.metrics.flows import flows, net_flow, sink_faucet_ratio
from kokoromichi.analysis.metrics.goods import sales
from kokoromichi.analysis.metrics.retention import AGES_DAYS, retention
from kokoromichi.analysis.metrics.supply import money_supply, velocity
from kokoromichi.analysis.metrics.waits import RESTRICTED_DAYS, days_to_afford
from kokoromichi.analysis.metrics.wealth import gini, top_shares
from kokoromichi.analysis.options import checked_options

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations

WAIT_ARCHETYPE: Final = "casual"
WAIT_CATEGORY: Final = "chest"
WAITS: Final = ("wait_days", "mean_wait_days")

WHOLE: Final = ("spent_gold", "units_sold", "supply_gold", "active_supply_gold")
"""The columns of ``headline`` that are Int64; the others are Float64."""

NOT_NEGATIVE: Final = (0.0, math.inf)
SHARE: Final = (0.0, 1.0)
POSSIBLE: Final[dict[str, tuple[float, float]]] = {
    "sink_faucet_ratio": NOT_NEGATIVE,
    "net_flow_gold_per_active_player_day": (-math.inf, math.inf),
    "spent_gold": NOT_NEGATIVE,
    "units_sold": NOT_NEGATIVE,
    "supply_gold": NOT_NEGATIVE,
    "active_supply_gold": NOT_NEGATIVE,
    "velocity_per_day": NOT_NEGATIVE,
    "gini": SHARE,
    "top_1_share": SHARE,
    "top_10_share": SHARE,
    "wait_days": NOT_NEGATIVE,
    "mean_wait_days": (0.0, float(RESTRICTED_DAYS)),
    "retention_d1": SHARE,
    "retention_d7": SHARE,
    "retention_d30": SHARE,
    "acts_per_active_player_day": NOT_NEGATIVE,
}
"""The columns of ``headline`` in their order: between which values each can lie."""


@checked_options
def headline(observations: Observations, first_day: Day = 0) -> pl.DataFrame:
    """The headline: one row by which runs are compared.

    Args:
        observations: What was observed; a number whose streams were not observed is null.
        first_day: First day of the flows, velocity and acts (the warm-up is cut), as a date or a number of
            days after the first one observed; supply, inequality, waits and retention are those of the whole
            run.

    Returns:
        One row; null where there is nothing to measure, and of a ledger that lacks books.

        - ``sink_faucet_ratio`` (Float64): sinks / faucets of gold from the first day on, opening left out.
        - ``net_flow_gold_per_active_player_day`` (Float64): faucets - sinks of gold from the first day on,
          opening left out, / active player-days.
        - ``spent_gold`` (Int64): sinks of gold from the first day on.
        - ``units_sold`` (Int64): units bought in the store from the first day on.
        - ``supply_gold`` (Int64): supply at the last close.
        - ``active_supply_gold`` (Int64): of it, held by players active in the last seven days.
        - ``velocity_per_day`` (Float64): of gold, from the first day on, 1/day.
        - ``gini`` (Float64): of gold balances at the last close.
        - ``top_1_share`` (Float64): share of the gold that the richest 1 % hold at the last close.
        - ``top_10_share`` (Float64): share of the gold that the richest 10 % hold at the last close.
        - ``wait_days`` (Float64): median wait of casual players for the chest in the middle of the
          catalogue's; of all players where archetypes are not known. Infinite when fewer than half could
          afford it in time, null when nobody waited.
        - ``mean_wait_days`` (Float64): mean of these waits, each counted up to 30 days.
        - ``retention_d1`` (Float64): share not away on day 1.
        - ``retention_d7`` (Float64): share not away on day 7.
        - ``retention_d30`` (Float64): share not away on day 30, which unlike the rolling share does not grow
          with the horizon; not left by then, where no stream says who is away.
        - ``acts_per_active_player_day`` (Float64): acts that went through, from the first day on.
    """
    if not observations.whole_books:
        return pl.DataFrame([dict.fromkeys(POSSIBLE)], schema=dict.fromkeys(POSSIBLE, pl.Float64())).cast(
            dict.fromkeys(WHOLE, pl.Int64())
        )
    parts = [
        _one(sink_faucet_ratio(observations, first_day), "currency", "gold", "sink_faucet_ratio"),
        _net_flow_rate(observations, first_day),
        _spent(observations, first_day),
        sales(observations, first_day).select(units_sold=total("units")),
        _last_supply(observations),
        _one(velocity(observations, first_day), "currency", "gold", "velocity_per_day"),
        _one(gini(observations), "measure", "balance", "gini"),
        _top(observations),
        _wait(observations),
        _retention(observations),
        _acts_rate(observations, first_day),
    ]
    row = pl.concat(pl.collect_all(parts), how="horizontal")
    return row.select(*POSSIBLE)


def wait_item(observations: Observations) -> pl.LazyFrame:
    """The item whose wait stands for all: of the chests, the middle one in catalogue order.

    A change of prices never makes it another one. A history without ``catalogue_place`` is ordered by the
    first price instead.

    Returns:
        One row, none where no chest is sold: ``item_id`` (String).
    """

    def first(measure: str) -> pl.Expr:
        value = pl.col("value").filter(pl.col("measure") == measure)
        return value.sort_by(pl.col("effective_from").filter(pl.col("measure") == measure)).first()

    chests = observations.economy_history.filter(pl.col("category") == WAIT_CATEGORY)
    ordered = chests.group_by(item_id="key").agg(place=first("catalogue_place"), price=first("price_gold"))
    middle = pl.int_range(pl.len()) == (pl.len().cast(pl.Int64) - 1) // 2
    return ordered.sort("place", "price", "item_id").filter(middle).select("item_id")


def _one(frame: pl.LazyFrame, column: str, value: str, number: str) -> pl.LazyFrame:
    """One row: the number of the row with this value, null where there is none."""
    return frame.filter(pl.col(column) == value).select(pl.col(number).first())


def _net_flow_rate(observations: Observations, first_day: Day) -> pl.LazyFrame:
    flow = net_flow(observations).join(days(observations, first_day), on="day", how="semi")
    player_days = pl.col("active_players").sum()
    rate = pl.when(player_days > 0).then(pl.col("net_gold").sum() / player_days)
    return flow.select(net_flow_gold_per_active_player_day=rate)


def _spent(observations: Observations, first_day: Day) -> pl.LazyFrame:
    moved = flows(observations, first_day).filter(pl.col("currency") == "gold", pl.col("direction") == "sink")
    return moved.select(spent_gold=total("amount"))


def _last_supply(observations: Observations) -> pl.LazyFrame:
    gold = money_supply(observations).filter(pl.col("currency") == "gold")
    last = pl.col("supply", "active_supply").sort_by("day").last().name.suffix("_gold")
    return gold.select(last)


def _top(observations: Observations) -> pl.LazyFrame:
    held = top_shares(observations).filter(pl.col("measure") == "balance").sort("top")
    return held.select(top_1_share=pl.col("share").first(), top_10_share=pl.col("share").last())


def _wait(observations: Observations) -> pl.LazyFrame:
    if not observations.has_history:
        return pl.LazyFrame([dict.fromkeys(WAITS)], schema=dict.fromkeys(WAITS, pl.Float64()))
    waits = days_to_afford(observations).join(wait_item(observations), on="item_id", how="semi")
    whose = WAIT_ARCHETYPE if observations.has_players else ALL
    return waits.filter(pl.col("archetype") == whose).select(pl.col(WAITS).first())


def _retention(observations: Observations) -> pl.LazyFrame:
    kept = retention(observations)
    columns = {
        f"retention_d{age}": pl.coalesce("present_share", "rolling_share")
        .filter(pl.col("age_days") == age)
        .first()
        for age in AGES_DAYS
    }
    return kept.select(**columns)


def _acts_rate(observations: Observations, first_day: Day) -> pl.LazyFrame:
    if not observations.has_activity:
        return pl.LazyFrame(
            {"acts_per_active_player_day": [None]}, schema={"acts_per_active_player_day": pl.Float64()}
        )
    rate = pl.col("acts_per_active_player_day")
    return acts(observations, first_day).select(
        pl.when(pl.len() > 0).then(rate.sum()).alias("acts_per_active_player_day")
    )
