"""What a designer wants of an economy: a band for each number, and how far a run lies from it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from kokoromichi.analysis.metrics.headline import POSSIBLE, WAITS
from kokoromichi.core.errors import MisuseError
from kokoromichi.options import ends, near, once

if TYPE_CHECKING:
    from collections.abc import Iterable

REPORTED: Final = (
    "supply_per_opening",
    "largest_sink_share",
    "lowest_median_per_opening",
    "highest_median_per_opening",
)
"""Numbers of a report that are no columns of the headline."""

_ITEM_AND_GROUP: Final = 2
_WHOLE_FROM: Final = 1_000
_ONE_SIDED_SHARE: Final = 0.05
"""Tolerance of a band with one end, as a share of that end."""


def spelled(number: float | None) -> str:
    """Write a number with its thousands apart: whole ones and large ones to the unit, others to 4 digits.

    One that nobody has, and one beyond the horizon (infinite), are said in words.
    """
    if number is None:
        return "of nobody"
    if not math.isfinite(number):
        return "beyond the horizon"
    whole = number == round(number) or abs(number) >= _WHOLE_FROM
    return f"{number:,.0f}" if whole else f"{number:.4g}"


@dataclass(frozen=True, slots=True)
class Band:
    """Where a number should lie, both ends included.

    Attributes:
        low: Lowest value wanted, in the number's unit; minus infinity for none.
        high: Highest value wanted; infinity for none.
    """

    low: float = -math.inf
    high: float = math.inf

    def holds(self, value: float | None) -> bool:
        """Whether a value lies in the band; a number that nobody has does not, nor does an endless wait."""
        return value is not None and math.isfinite(value) and self.low <= value <= self.high

    @property
    def tolerance(self) -> float:
        """The unit of distance: half the width, or a share of the only end (of 1, where that is 0)."""
        if math.isfinite(self.low) and math.isfinite(self.high):
            return (self.high - self.low) / 2
        end = self.low if math.isfinite(self.low) else self.high
        return _ONE_SIDED_SHARE * (abs(end) or 1.0)

    def miss(self, value: float) -> float:
        """How far a value lies from the middle, in tolerances: at most 1 within the band.

        A band with one end has its middle a tolerance inside, and nothing beyond that is missed. Within the
        band the number still falls, so that it goes on guiding a search.
        """
        if math.isfinite(self.low) and math.isfinite(self.high):
            return abs(value - (self.low + self.high) / 2) / self.tolerance
        if not math.isfinite(value):
            return math.inf
        inside = value - self.low if math.isfinite(self.low) else self.high - value
        return max(0.0, 1 - inside / self.tolerance)

    def outside(self, value: float) -> float:
        """How far a value lies beyond the nearer end, in tolerances; not above 0 within the band."""
        return self.miss(value) - 1

    def __str__(self) -> str:
        """In words."""
        if math.isinf(self.low):
            return f"at most {spelled(self.high)}"
        if math.isinf(self.high):
            return f"at least {spelled(self.low)}"
        return f"{spelled(self.low)} to {spelled(self.high)}"


class Targets(Mapping[str, Band]):
    """Bands by the name of the number: ``Targets({"wait_days": (5, 9), "gini": (None, 0.6)})``.

    Args:
        bands: Lowest and highest value wanted, None for no end, by the columns of ``headline`` and the names
            of ``REPORTED``. A wait may name its item, and the archetype of those who wait:
            ``wait_days.treasure_chest.casual``; without one, it is that of all players.

    Raises:
        MisuseError: No run has such a number, or a band is none.
    """

    def __init__(self, bands: Mapping[str, tuple[float | None, float | None]]) -> None:
        if not (isinstance(bands, Mapping) and bands):  # type: ignore[redundant-expr] # A notebook may give anything.
            raise MisuseError('targets need a band at least, such as {"wait_days": (5, 9)}')
        for name in bands:
            _require_known(name)
        self._bands = {name: Band(*ends(f"the band of {name}", given)) for name, given in bands.items()}

    @classmethod
    def of(cls, bands: Bands) -> Targets:
        """Take targets, or the bands that make them.

        Raises:
            MisuseError: As when they are made.
        """
        return bands if isinstance(bands, Targets) else cls(bands)

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Targets:
        """Read bands as they are typed: ``wait_days=5:9``, ``gini=:0.6``.

        Raises:
            MisuseError: One of them is none.
        """
        bands = []
        for text in texts:
            name, _, ends = text.partition("=")
            low, colon, high = ends.partition(":")
            try:
                band = (float(low) if low.strip() else None, float(high) if high.strip() else None)
            except ValueError:
                colon = ""
            if not colon:
                raise MisuseError(f"{text!r} is no band; write it like wait_days=5:9 or gini=:0.6")
            bands.append((name.strip(), band))
        return cls(once(bands))

    def __getitem__(self, name: str) -> Band:
        """The band of a number."""
        return self._bands[name]

    def __iter__(self) -> Iterator[str]:
        """The numbers, in the order in which they were given."""
        return iter(self._bands)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._bands)

    def __repr__(self) -> str:
        """What makes them."""
        bands = {
            name: tuple(end if math.isfinite(end) else None for end in (band.low, band.high))
            for name, band in self.items()
        }
        return f"Targets({bands})"

    def met(self, numbers: Mapping[str, float | None]) -> bool:
        """Whether every number lies in its band."""
        return all(band.holds(numbers.get(name)) for name, band in self.items())

    def distance(self, numbers: Mapping[str, float | None]) -> float:
        """Root mean square of the misses, in tolerances; infinite where a number is not there."""
        misses = []
        for name, band in self.items():
            value = numbers.get(name)
            if value is None:
                return math.inf
            misses.append(band.miss(value) ** 2)
        return math.sqrt(sum(misses) / len(misses))


Bands: TypeAlias = Targets | Mapping[str, tuple[float | None, float | None]]
"""Targets, or what they are made of."""


def _require_known(name: str) -> None:
    number, *who = name.split(".")
    if number not in (*POSSIBLE, *REPORTED) or len(who) > _ITEM_AND_GROUP or (who and number not in WAITS):
        raise MisuseError(f"no run has a number {name!r}; {near(name, (*POSSIBLE, *REPORTED))}")


TARGETS: Final = Targets(
    {
        "sink_faucet_ratio": (0.85, 1.05),
        "supply_per_opening": (0.5, 4.0),
        "wait_days": (5.0, 15.0),
        "largest_sink_share": (None, 0.5),
        "lowest_median_per_opening": (0.2, None),
        "highest_median_per_opening": (None, 20.0),
        "gini": (None, 0.7),
        "top_10_share": (None, 0.7),
        "retention_d30": (0.65, None),
    }
)
"""The project's bands, which a report judges by where a designer gives none.

The ratio, the wait, the largest sink and the medians are those that the shipped baseline is held to; supply,
inequality and retention are guard rails around it, wide enough for an even or an uneven economy and too
narrow for one without sinks or with rings of second accounts."""
