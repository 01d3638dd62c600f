"""Gold that goes one way between players: gifts, and second accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.metrics.by_day import Day, day_of, days, share, total
from kokoromichi.analysis.options import checked_options

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations

ONE_WAY_SHARE: Final = 0.9
"""A pair counts as one-way when so much of what moved between them stays with one of them."""

_RING_SCHEMA: Final = pl.Schema(
    {
        "ring": pl.Int64(),
        "players": pl.Int64(),
        "givers": pl.Int64(),
        "net": pl.Int64(),
        "largest_taken": pl.Int64(),
        "largest_user_id": pl.String(),
    }
)


@checked_options
def transfer_pairs(
    observations: Observations, first_day: Day = 0, last_day: Day | None = None
) -> pl.LazyFrame:
    """Transfers of gold between two players, and how one-way they are.

    Args:
        observations: What was observed; only its ledger and the days of its activity are read.
        first_day: First day measured, as a date or a number of days after the first one observed.
        last_day: Last day measured; None for the last one observed.

    Returns:
        One row per pair of players with a transfer in the window, the largest net first.

        - ``user_id`` (String): who gave more; of equals the first by id.
        - ``counterparty`` (String): who took more.
        - ``transfers`` (Int64): in both directions.
        - ``given`` (Int64): gold that arrived from the first at the second, fees left out.
        - ``given_back`` (Int64): the other way.
        - ``net`` (Int64): given - given back.
        - ``one_way_share`` (Float64): net / all that moved between them, 0 to 1.
    """
    arrived = observations.ledger.filter(
        pl.col("kind") == "transfer",
        pl.col("currency") == "gold",
        pl.col("amount") > 0,
        pl.col("counterparty").is_not_null(),
    )
    arrived = arrived.select("user_id", "counterparty", "amount", day_of())
    arrived = arrived.join(days(observations, first_day, last_day), on="day", how="semi")
    first = pl.min_horizontal("user_id", "counterparty")
    second = pl.max_horizontal("user_id", "counterparty")
    forth = pl.col("counterparty") == pl.col("first")
    pairs = arrived.with_columns(first=first, second=second).with_columns(
        forth=pl.when(forth).then("amount").otherwise(0), back=pl.when(forth).then(0).otherwise("amount")
    )
    sums = pairs.group_by("first", "second").agg(
        total("forth"), total("back"), transfers=pl.len().cast(pl.Int64)
    )
    turned = pl.col("back") > pl.col("forth")
    table = sums.select(
        "transfers",
        user_id=pl.when(turned).then("second").otherwise("first"),
        counterparty=pl.when(turned).then("first").otherwise("second"),
        given=pl.max_horizontal("forth", "back"),
        given_back=pl.min_horizontal("forth", "back"),
    ).with_columns(net=pl.col("given") - pl.col("given_back"))
    one_way = share("net", pl.col("given") + pl.col("given_back"))
    columns = ["user_id", "counterparty", "transfers", "given", "given_back", "net"]
    order = ["net", "user_id", "counterparty"]
    return table.select(*columns, one_way_share=one_way).sort(order, descending=[True, False, False])


@checked_options
def transfer_rings(
    observations: Observations, first_day: Day = 0, last_day: Day | None = None
) -> pl.LazyFrame:
    """Players who are tied by one-way transfers: second accounts feed a first one so.

    Two are tied where at least nine tenths of what moved between them stays with one; who is tied with the
    same player is in the same ring. Two alone are none: see ``transfer_pairs``.

    Args:
        observations: What was observed; only its ledger and the days of its activity are read.
        first_day: First day measured, as a date or a number of days after the first one observed.
        last_day: Last day measured; None for the last one observed.

    Returns:
        One row per ring of three players or more, the largest net first.

        - ``ring`` (Int64): its number, from 1.
        - ``players`` (Int64): in it.
        - ``givers`` (Int64): of these, players who only give.
        - ``net`` (Int64): gold that moved one way in it.
        - ``largest_taken`` (Int64): what one of them took of it at most.
        - ``largest_user_id`` (String): who took it; of several the first by id.
    """
    pairs = transfer_pairs(observations, first_day, last_day)
    one_way = pairs.filter(pl.col("one_way_share") >= ONE_WAY_SHARE)
    return one_way.map_batches(_rings, schema=_RING_SCHEMA)


def _rings(pairs: pl.DataFrame) -> pl.DataFrame:
    head = _heads(pairs.select("user_id", "counterparty").rows())
    ringed = pairs.with_columns(head=pairs["user_id"].replace_strict(head, return_dtype=pl.String))
    taken = ringed.group_by("head", user_id="counterparty").agg(total("net")).sort("head", "user_id")
    largest = taken.group_by("head", maintain_order=True).agg(
        largest_taken=pl.col("net").max(), largest_user_id=pl.col("user_id").get(pl.col("net").arg_max())
    )
    members = pl.concat([ringed.select("head", "user_id"), taken.select("head", "user_id")]).unique()
    givers = ringed.join(taken, on="user_id", how="anti").select("head", "user_id").unique()
    rings = (
        members.group_by("head")
        .agg(players=pl.len().cast(pl.Int64))
        .join(givers.group_by("head").agg(givers=pl.len().cast(pl.Int64)), on="head", how="left")
        .join(ringed.group_by("head").agg(total("net")), on="head")
        .join(largest, on="head")
        .filter(pl.col("players") > 2)  # noqa: PLR2004 - two are a pair
        .sort("net", "head", descending=[True, False])
    )
    number = pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
    return rings.with_columns(pl.col("givers").fill_null(0), ring=number).select(_RING_SCHEMA.names())


def _heads(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """By player the first player, by id, of all with whom they are tied (union-find)."""
    above: dict[str, str] = {}

    def head(player: str) -> str:
        while (higher := above.setdefault(player, player)) != player:
            above[player] = player = above[higher]
        return player

    for pair in pairs:
        low, high = sorted(map(head, pair))
        above[high] = low
    return {player: head(player) for player in [*above]}
