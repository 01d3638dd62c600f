"""Numbers in words: one way to write gold, shares and spreads, in cards, tables and sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from kokoromichi.analysis.plots.series import HIGH_QUANTILE, LOW_QUANTILE

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTHING: Final = "–"
"""What stands where a number is not known."""

_MILLION: Final = 1_000_000


def whole(value: float | None) -> str:
    """Write a number to the unit, with thousands separators and a true minus."""
    return NOTHING if value is None else f"{value:,.0f}".replace("-0", "0").replace("-", "−")


def short(value: float | None) -> str:
    """Write a number for a headline: in millions from one million on."""
    if value is None or abs(value) < _MILLION:
        return whole(value)
    return f"{value / _MILLION:,.2f}\u00a0M".replace("-", "−")


def decimal(value: float | None, places: int = 2) -> str:
    """Write a number with so many decimals."""
    return NOTHING if value is None else f"{value:,.{places}f}".replace("-", "−")


def share(value: float | None, places: int = 0) -> str:
    """Write a share, 0 to 1, in per cent."""
    return NOTHING if value is None else f"{100 * value:,.{places}f}\u00a0%".replace("-", "−")


def span(values: Sequence[float | None]) -> tuple[float, float, float] | None:
    """Return mean, p10 and p90 of the replications that have a value; None where none has."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    low, high = np.quantile(known, (LOW_QUANTILE, HIGH_QUANTILE))
    return float(np.mean(known)), float(low), float(high)


def counted(number: int, one: str, many: str | None = None) -> str:
    """Write how many of a thing there are: ``1 player``, ``500 players``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(words: Sequence[str]) -> str:
    """Write a list as a sentence does: ``a, b and c``."""
    if len(words) < 2:  # noqa: PLR2004 - one word needs no comma
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
