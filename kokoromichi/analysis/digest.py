"""A live economy in a handful of numbers: read once from the ledger, then cut to any number of days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.metrics.by_day import ALL, OPENING
from kokoromichi.analysis.metrics.flows import flows, net_flow
from kokoromichi.analysis.metrics.wealth import balance_percentiles, top_shares

if TYPE_CHECKING:
    import datetime as dt

    from kokoromichi.analysis.observations import Observations

TOP_SHARE: Final = 0.1
"""The richest so many of all players, as a share."""

_GOLD: Final = pl.col("currency") == "gold"


@dataclass(frozen=True, slots=True, eq=False)
class Digest:
    """What is small enough to keep of a ledger.

    Attributes:
        days: One row per UTC day, ascending, days without a row included: ``day`` (Date), ``supply_gold`` at
            its close, ``faucets_gold``, ``sinks_gold`` (openings left out), ``active_players`` (Int64).
        kinds: One row per day, direction and kind with a movement of gold, openings and transfers left out:
            ``day``, ``direction``, ``kind``, ``amount`` (Int64, at least 0, in gold).
        players: Players who ever had gold.
        median_gold: The balance in the middle; None where nobody plays.
        top_share: What the richest ``TOP_SHARE`` hold of all gold, 0 to 1; None where nobody plays.
    """

    days: pl.DataFrame
    kinds: pl.DataFrame
    players: int
    median_gold: float | None
    top_share: float | None

    @classmethod
    def of(cls, observations: Observations) -> Digest:
        """Read a ledger, whole: the balances of today are made of all of it."""
        daily, kinds, middle, tops = pl.collect_all(
            [
                net_flow(observations).select(
                    "day",
                    supply_gold=(pl.col("opening_gold") + pl.col("net_gold")).cum_sum(),
                    faucets_gold="faucets_gold",
                    sinks_gold="sinks_gold",
                    active_players="active_players",
                ),
                flows(observations)
                .filter(_GOLD, pl.col("kind") != OPENING, pl.col("direction") != "transfer")
                .select("day", "direction", "kind", "amount"),
                balance_percentiles(observations).filter(_GOLD, pl.col("archetype") == ALL),
                top_shares(observations).filter(pl.col("measure") == "balance", pl.col("top") == TOP_SHARE),
            ]
        )
        return cls(
            daily,
            kinds,
            0 if middle.is_empty() else int(middle["players"].item()),
            None if middle.is_empty() else float(middle["p50"].item()),
            None if tops.is_empty() else tops["share"].item(),
        )

    def last(self, days: int) -> Digest:
        """The same over the last so many days; the balances stay today's."""
        kept = self.days.tail(days)
        if kept.is_empty():
            return self
        since = pl.col("day") >= kept["day"][0]
        return Digest(kept, self.kinds.filter(since), self.players, self.median_gold, self.top_share)

    def largest(self, direction: str, most: int) -> list[tuple[str, int]]:
        """Kinds of one direction with their gold, the largest first, ties by name."""
        sums = (
            self.kinds.filter(pl.col("direction") == direction).group_by("kind").agg(pl.col("amount").sum())
        )
        return sums.sort("amount", "kind", descending=[True, False]).head(most).rows()

    @property
    def supply_gold(self) -> int:
        """All balances together at the end."""
        return 0 if self.days.is_empty() else int(self.days["supply_gold"][-1])

    @property
    def span(self) -> tuple[dt.date, dt.date] | None:
        """The first and the last day; None where there is none."""
        return None if self.days.is_empty() else (self.days["day"][0], self.days["day"][-1])
