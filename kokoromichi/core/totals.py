"""What each kind has moved on each day, added up from parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from kokoromichi.core.models import MOST_INT, DailyTotal

if TYPE_CHECKING:
    from collections.abc import Iterable

_Key: TypeAlias = "tuple[int, str, str | None]"
_NOTHING = (0, 0, 0)


class Totals:
    """Daily totals by day, kind and currency.

    Args:
        totals: What it begins with.
    """

    def __init__(self, totals: Iterable[DailyTotal] = ()) -> None:
        self._sums: dict[_Key, tuple[int, int, int]] = {}
        self.add(totals)

    def add(self, totals: Iterable[DailyTotal]) -> None:
        """Add more, each sum of money at most ``MOST_INT``."""
        for one in totals:
            key = one.day, one.kind, one.currency
            rows, gained, lost = self._sums.get(key, _NOTHING)
            money = min(gained + one.gained, MOST_INT), min(lost + one.lost, MOST_INT)
            self._sums[key] = rows + one.rows, *money

    def sorted(self) -> list[DailyTotal]:
        """One a day, kind and currency, ascending."""
        return [DailyTotal(*key, *self._sums[key]) for key in sorted(self._sums, key=_order)]

    def less(self, others: Iterable[DailyTotal]) -> list[DailyTotal]:
        """What these have more than others, ascending; numbers are below 0 where the others have more."""
        theirs = {(one.day, one.kind, one.currency): one for one in others}
        found = []
        for key in sorted({*self._sums, *theirs}, key=_order):
            rows, gained, lost = self._sums.get(key, _NOTHING)
            other = theirs.get(key, DailyTotal(*key, *_NOTHING))
            if (rows, gained, lost) != (other.rows, other.gained, other.lost):
                found.append(DailyTotal(*key, rows - other.rows, gained - other.gained, lost - other.lost))
        return found


def _order(key: _Key) -> tuple[int, str, str]:
    day, kind, currency = key
    return day, kind, currency or ""
