"""Numbers in words: one way to write gold, shares and spreads, in cards, tables and sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from kokoromichi.analysis.replicated import estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTHING: Final = "–"
"""What stands where a number is not known."""

BEYOND: Final = "beyond"
"""What stands where a number is infinite: it lies beyond the horizon."""

_MILLION: Final = 1_000_000


def whole(value: float | int | None) -> str:
    """Write a number to the unit, with thousands separators and a true minus."""
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−")  # A float would not hold the units of a large one.
    return decimal(value, 0)


def short(value: float | None) -> str:
    """Write a number for a headline: in millions from one million on."""
    if value is None or math.isinf(value) or abs(value) < _MILLION:
        return whole(value)
    return f"{decimal(value / _MILLION)}\u00a0M"


def decimal(value: float | None, places: int = 2) -> str:
    """Write a number with so many decimals."""
    if value is None:
        return NOTHING
    if math.isinf(value):
        return BEYOND
    rounded = round(float(value), places) + 0.0  # Which is never minus zero.
    return f"{rounded:,.{places}f}".replace("-", "−")


def share(value: float | None, places: int = 0) -> str:
    """Write a share, 0 to 1, in per cent."""
    return NOTHING if value is None else f"{decimal(100 * value, places)}\u00a0%"


def signed_share(value: float | None, places: int = 1) -> str:
    """Write a change as a share, with its sign."""
    text = share(value, places)
    return f"+{text}" if value is not None and round(value, places + 2) > 0 else text


def day(value: object) -> str:
    """Write a UTC date so that no line breaks within it."""
    return str(value).replace("-", "\u2011")


def between(low: str, high: str) -> str:
    """Write a range so that no line breaks within it."""
    return f"{low}\u00a0–\u2060\u00a0{high}"  # After a dash a line may break, no-break space or not.


def span(values: Sequence[float | None], column: str = "") -> tuple[float, float, float] | None:
    """Return mean, p10 and p90 of the replications that have a value; None where fewer than half have one.

    Args:
        values: One per replication.
        column: The name of the number: of one that may lie beyond the horizon, the median.
    """
    found = estimate(values, column)
    if found.scarce or found.value is None or found.p10 is None or found.p90 is None:
        return None
    return found.value, found.p10, found.p90


def counted(number: int, one: str, many: str | None = None) -> str:
    """Write how many of a thing there are: ``1 player``, ``500 players``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(words: Sequence[str]) -> str:
    """Write a list as a sentence does: ``a, b and c``."""
    if len(words) < 2:  # noqa: PLR2004 - one word needs no comma
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
