"""What enters and leaves, by kind: faucets and sinks, what is left between them, who gains and who loses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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
from kokoromichi.analysis.metrics.presence import active_days
from kokoromichi.analysis.options import checked_options
from kokoromichi.analysis.shared import shared

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations

_FLOW: Final = ("day", "currency", "direction", "kind")


@checked_options
def flows(observations: Observations, first_day: Day = 0, last_day: Day | None = None) -> pl.LazyFrame:
    """Faucets and sinks by kind and day.

    A transfer counts once, where it arrives. An exchange is a sink of gold and a faucet of gems; a grant, an
    import or a correction is what its sign says.

    Args:
        observations: What was observed; only its ledger and the days of its activity are read.
        first_day: First day measured, as a date or a number of days after the first one observed.
        last_day: Last day measured; None for the last one observed.

    Returns:
        One row per UTC day, currency, direction and kind with a movement, ascending.

        - ``day`` (Date): the day.
        - ``currency`` (String): gold or gems.
        - ``direction`` (String): faucet, sink or transfer.
        - ``kind`` (String): the ledger's code, opening included.
        - ``amount`` (Int64): what moved, at least 0, in units of the currency.
        - ``rows`` (Int64): ledger rows.
    """
    inside = days(observations, first_day, last_day)
    return _every_flow(observations).join(inside, on="day", how="semi").sort(_FLOW)


@shared
def _every_flow(observations: Observations) -> pl.LazyFrame:
    """As ``flows``, of every row that has a day, in no order."""
    moved = movements(observations).filter((pl.col("direction") != "transfer") | (pl.col("amount") > 0))
    sums = moved.with_columns(pl.col("amount").abs()).group_by(_FLOW)
    return sums.agg(total("amount"), rows=pl.len().cast(pl.Int64))


@checked_options
@shared
def flows_total(observations: Observations, first_day: Day = 0, last_day: Day | None = None) -> pl.LazyFrame:
    """Faucets and sinks by kind over a window, with their shares.

    Args:
        observations: What was observed; only its ledger and the days of its activity are read.
        first_day: First day measured, as a date or a number of days after the first one observed.
        last_day: Last day measured; None for the last one observed.

    Returns:
        One row per currency, direction and kind, the largest amount of a direction first.

        - ``currency`` (String): gold or gems.
        - ``direction`` (String): faucet, sink or transfer.
        - ``kind`` (String): the ledger's code, opening included.
        - ``amount`` (Int64): what moved, at least 0, in units of the currency.
        - ``rows`` (Int64): ledger rows.
        - ``share`` (Float64): of the direction's amount, opening left out; null for the opening itself.
        - ``share_of_faucets`` (Float64): of the faucets, opening left out; null for the opening itself.
    """
    observations.require_books("flows_total")
    keys = ["currency", "direction", "kind"]
    sums = flows(observations, first_day, last_day).group_by(keys).agg(total("amount"), total("rows"))
    counted = sums.with_columns(counted=pl.when(pl.col("kind") != OPENING).then("amount"))
    exact = pl.col("counted").cast(pl.Int128)
    whole = exact.sum().over("currency", "direction")
    faucets = pl.when(pl.col("direction") == "faucet").then(exact).sum().over("currency")
    shares = counted.with_columns(share=share("counted", whole), share_of_faucets=share("counted", faucets))
    order = ["currency", "direction", "amount", "kind"]
    return shares.drop("counted").sort(order, descending=[False, False, True, False])


@checked_options
@shared
def net_flow(observations: Observations) -> pl.LazyFrame:
    """Gold that entered less gold that left, per day, the opening apart.

    Args:
        observations: What was observed; the ledger, and the activity for who is active.

    Returns:
        One row per UTC day, ascending, from the first day observed to the last.

        - ``day`` (Date): the day.
        - ``opening_gold`` (Int64): openings.
        - ``faucets_gold`` (Int64): what entered, opening left out.
        - ``sinks_gold`` (Int64): what left.
        - ``net_gold`` (Int64): faucets - sinks; with the opening, the change of the supply.
        - ``active_players`` (Int64): players active that day.
        - ``faucets_gold_per_active_player`` (Float64): null when nobody was active.
        - ``sinks_gold_per_active_player`` (Float64): null when nobody was active.
        - ``net_gold_per_active_player`` (Float64): null when nobody was active.
    """
    observations.require_books("net_flow")
    opens, enters = pl.col("kind") == OPENING, pl.col("direction") == "faucet"
    gold = flows(observations).filter(pl.col("currency") == "gold", pl.col("direction") != "transfer")
    daily = gold.select(
        "day",
        opening_gold=pl.when(opens).then("amount").otherwise(0),
        faucets_gold=pl.when(enters & ~opens).then("amount").otherwise(0),
        sinks_gold=pl.when(~enters).then("amount").otherwise(0),
    )
    amounts = ("opening_gold", "faucets_gold", "sinks_gold")
    daily = daily.group_by("day").agg(total(name) for name in amounts)
    active = active_days(observations).group_by("day").agg(active_players=pl.len().cast(pl.Int64))
    series = days(observations).join(daily, on="day", how="left").join(active, on="day", how="left")
    series = series.with_columns(pl.exclude("day").fill_null(0))
    series = series.select(
        "day", *amounts, "active_players", net_gold=pl.col("faucets_gold") - pl.col("sinks_gold")
    )
    parts = ("faucets_gold", "sinks_gold", "net_gold")
    rates = [share(name, "active_players").alias(f"{name}_per_active_player") for name in parts]
    return series.select("day", *amounts, "net_gold", "active_players", *rates).sort("day")


@checked_options
@shared
def sink_faucet_ratio(
    observations: Observations, first_day: Day = 0, last_day: Day | None = None
) -> pl.LazyFrame:
    """Sinks / faucets over a window, opening left out.

    A weak alarm, since spending follows the purse: read it beside supply, wait and balances.

    Args:
        observations: What was observed; only its ledger and the days of its activity are read.
        first_day: First day measured, as a date or a number of days after the first one observed.
        last_day: Last day measured; None for the last one observed.

    Returns:
        One row per currency that moved in the window, ascending.

        - ``currency`` (String): gold or gems.
        - ``faucets`` (Int64): what entered, opening left out, in units of the currency.
        - ``sinks`` (Int64): what left.
        - ``sink_faucet_ratio`` (Float64): sinks / faucets; null when nothing entered.
    """
    observations.require_books("sink_faucet_ratio")
    moved = flows(observations, first_day, last_day).filter(
        pl.col("kind") != OPENING, pl.col("direction") != "transfer"
    )
    enters = pl.col("direction") == "faucet"
    parts = moved.select(
        "currency",
        faucets=pl.when(enters).then("amount").otherwise(0),
        sinks=pl.when(~enters).then("amount").otherwise(0),
    )
    sums = parts.group_by("currency").agg(total("faucets"), total("sinks"))
    return sums.with_columns(sink_faucet_ratio=share("sinks", "faucets")).sort("currency")


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
