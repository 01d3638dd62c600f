"""The charts of a run: each metric's frame, on the axes that draw it."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

from kokoromichi.analysis.metrics import METRICS
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.options import near

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from matplotlib.axes import Axes


CHARTS: Final[dict[str, str]] = {
    "supply": "money_supply",
    "flows": "flows",
    "net_flow": "net_flow",
    "ratio": "net_flow",
    "days_to_afford": "days_to_afford",
    "waits": "days_to_afford",
    "lorenz": "lorenz",
    "balances": "balance_percentiles",
    "cohort_balances": "cohort_balances",
    "price_index": "price_index",
    "engel": "engel_shares",
    "retention": "retention",
    "sell_through": "sell_through",
    "hoarding": "hoarding",
    "refusals": "refusals",
    "acts": "acts",
}
"""By the name of a function of ``kokoromichi.analysis.plots``: the metric that it draws."""


class RunPlots:
    """``plots.supply()`` and so on: every name of ``CHARTS`` is a method, and answers the Axes it drew on.

    Each takes ``ax`` (axes to draw on, None for a figure of its own) and the options of the chart's function.

    Args:
        measure: Answers a metric's frame by its name and options.
        first_day: First day of what is measured after the warm-up.
    """

    def __init__(self, measure: Callable[..., pl.DataFrame], first_day: int) -> None:
        self._measure = measure
        self._first_day = first_day

    def __dir__(self) -> list[str]:
        """The charts, for completion."""
        return sorted(CHARTS)

    def __getattr__(self, name: str) -> Callable[..., Axes]:
        """A chart's method.

        Raises:
            MisuseError: There is no such chart.
        """
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in CHARTS:
            raise MisuseError(f"there is no chart {name!r}; {near(name, CHARTS)}")
        return partial(self._draw, name)

    def _draw(self, name: str, ax: Axes | None = None, **options: object) -> Axes:
        measured = CHARTS[name]
        frame = self._measure(measured, **METRICS[measured].options(self._first_day))
        draw: Callable[..., Axes] = getattr(import_module("kokoromichi.analysis.plots"), name)
        return draw(frame, ax, **options)
