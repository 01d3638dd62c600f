"""What a healthy economy is held to: bands for the headline numbers, to be replaced by a designer's own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Target:
    """A band that a number should lie in, both ends included.

    Attributes:
        low: Lowest value wanted, in the number's unit; minus infinity for none.
        high: Highest value wanted; infinity for none.
    """

    low: float = -math.inf
    high: float = math.inf

    def holds(self, value: float) -> bool:
        """Say whether a value lies in the band."""
        return self.low <= value <= self.high


TARGETS: Final[Mapping[str, Target]] = {
    "sink_faucet_ratio": Target(0.85, 1.05),
    "supply_per_opening": Target(0.5, 4.0),
    "wait_days": Target(5.0, 15.0),
    "largest_sink_share": Target(high=0.5),
    "lowest_median_per_opening": Target(low=0.2),
    "highest_median_per_opening": Target(high=20.0),
    "gini": Target(high=0.7),
    "top_10_share": Target(high=0.7),
    "retention_d30": Target(low=0.65),
}
"""The project's bands by the name of the number.

The ratio, the wait, the largest sink and the medians are those that the shipped baseline is held to; supply,
inequality and retention are guard rails around it, wide enough for an even or an uneven economy and too
narrow for one without sinks or with rings of second accounts."""
