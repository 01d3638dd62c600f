"""A live economy in a handful of numbers, from what its store adds up: no row of the ledger is read."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from msgspec.structs import replace

from kokoromichi.analysis.metrics.by_day import OPENING, TRANSFERS
from kokoromichi.analysis.statistics import top_share

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kokoromichi.core.models import DailyTotal
    from kokoromichi.core.reader import Reader

TOP_SHARE: Final = 0.1
"""The richest so many of all players, as a share."""

_EPOCH: Final = dt.date(1970, 1, 1)
_AMOUNTS: Final = ("opening_gold", "faucets_gold", "sinks_gold")
_KINDS: Final = {"day": pl.Date(), "direction": pl.String(), "kind": pl.String(), "amount": pl.Int64()}


@dataclass(frozen=True, slots=True, eq=False)
class Digest:
    """What is small enough to keep of a ledger.

    Attributes:
        days: One row per UTC day, ascending, days without a row included: ``day`` (Date), ``supply_gold`` at
            its close, ``faucets_gold``, ``sinks_gold`` (openings left out), ``active_players`` (Int64).
        kinds: One row per day, direction and kind with a movement of gold, openings and transfers left out:
            ``day``, ``direction``, ``kind``, ``amount`` (Int64, at least 0, in gold).
        players: Players who have an account.
        median_gold: The balance in the middle; None where nobody plays.
        top_share: What the richest ``TOP_SHARE`` hold of all gold, 0 to 1; None where nobody plays.
    """

    days: pl.DataFrame
    kinds: pl.DataFrame
    players: int
    median_gold: float | None
    top_share: float | None

    @classmethod
    def of(
        cls,
        totals: Sequence[DailyTotal],
        active_players: Mapping[int, int],
        balances_gold: Sequence[int],
        today: dt.date,
    ) -> Digest:
        """Make one of what a store adds up.

        Args:
            totals: What each kind has moved on each day, of all days.
            active_players: How many players have moved something, by day.
            balances_gold: Every player's.
            today: The last day shown, with or without a row. What a clock that was ahead has booked later
                counts as of that day.
        """
        last_day = (today - _EPOCH).days
        until_now = [replace(one, day=min(one.day, last_day)) for one in totals]
        gold = [one for one in until_now if one.currency == "gold" and one.kind not in TRANSFERS]
        purses = np.array(balances_gold)
        return cls(
            _series(gold, active_players, [one.day for one in until_now], last_day),
            pl.DataFrame(_directed(gold), _KINDS, orient="row"),
            len(purses),
            float(np.median(purses)) if len(purses) else None,
            top_share(purses, TOP_SHARE) if len(purses) else None,
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


async def digest_of(reader: Reader, today: dt.date) -> Digest:
    """Ask a store for what a digest is made of.

    Raises:
        StorageError: It does not answer.
    """
    totals, active = await reader.daily_totals(), await reader.active_players()
    return Digest.of(totals, active, [gold for _, gold in await reader.balances()], today)


def _directed(gold: Iterable[DailyTotal]) -> list[tuple[dt.date, str, str, int]]:
    """Totals by direction, openings left out."""
    return [
        (_date(one.day), direction, one.kind, amount)
        for one in gold
        for direction, amount in (("faucet", one.gained), ("sink", one.lost))
        if amount and one.kind != OPENING
    ]


def _series(
    gold: Iterable[DailyTotal], active: Mapping[int, int], seen_days: Sequence[int], today: int
) -> pl.DataFrame:
    """One row per day from the first one with a row until today, as ``Digest.days``."""
    moved: dict[str, Counter[int]] = {name: Counter() for name in _AMOUNTS}
    for one in gold:
        moved["opening_gold" if one.kind == OPENING else "faucets_gold"][one.day] += one.gained
        moved["sinks_gold"][one.day] += one.lost
    days = range(min(seen_days), today + 1) if seen_days else range(0)
    columns: dict[str, list[int]] = {name: [moved[name][day] for day in days] for name in _AMOUNTS}
    frame = pl.DataFrame(
        {"day": [_date(day) for day in days], **columns, "active_players": [active.get(d, 0) for d in days]},
        {"day": pl.Date(), **dict.fromkeys((*_AMOUNTS, "active_players"), pl.Int64())},
    )
    supply = (pl.col("opening_gold") + pl.col("faucets_gold") - pl.col("sinks_gold")).cum_sum()
    return frame.select("day", supply.alias("supply_gold"), "faucets_gold", "sinks_gold", "active_players")


def _date(day: int) -> dt.date:
    return _EPOCH + dt.timedelta(days=day)
