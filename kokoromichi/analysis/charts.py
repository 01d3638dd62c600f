"""Every chart by its name, with the metric that it draws; one's own stand beside the shipped ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kokoromichi.analysis import plots
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.options import near

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True)
class ChartEntry:
    """A chart, and what it is drawn from.

    Attributes:
        metric: A key of ``METRICS``.
        draw: Takes the metric's frame, axes or None, and its options; answers the axes.
        own: Whether a designer added it.
        first: The option that stands first in a run's method, ``run.plot.event("lucky_charm")``; empty where
            it is the axes.
    """

    metric: str
    draw: Callable[..., Axes]
    own: bool = False
    first: str = ""


CHARTS: Final[dict[str, ChartEntry]] = {
    "supply": ChartEntry("money_supply", plots.supply),
    "flows": ChartEntry("flows", plots.flows),
    "net_flow": ChartEntry("net_flow", plots.net_flow),
    "ratio": ChartEntry("net_flow", plots.ratio),
    "days_to_afford": ChartEntry("days_to_afford", plots.days_to_afford),
    "waits": ChartEntry("days_to_afford", plots.waits),
    "lorenz": ChartEntry("lorenz", plots.lorenz),
    "balances": ChartEntry("balance_percentiles", plots.balances),
    "cohort_balances": ChartEntry("cohort_balances", plots.cohort_balances),
    "price_index": ChartEntry("price_index", plots.price_index),
    "engel": ChartEntry("engel_shares", plots.engel),
    "retention": ChartEntry("retention", plots.retention),
    "sell_through": ChartEntry("sell_through", plots.sell_through),
    "hoarding": ChartEntry("hoarding", plots.hoarding),
    "refusals": ChartEntry("refusals", plots.refusals),
    "acts": ChartEntry("acts", plots.acts),
    "gold_map": ChartEntry("gains", plots.gold_map),
    "holders": ChartEntry("balance_bands", plots.holders),
    "event": ChartEntry("price_events", plots.event, first="item_id"),
}
"""By the chart's name, which is a method of ``run.plot``."""


def chart(name: str) -> ChartEntry:
    """Find a chart by its name.

    Raises:
        MisuseError: No chart has this name; the error names the nearest ones.
    """
    if name not in CHARTS:
        raise MisuseError(f"there is no chart {name!r}; {near(name, CHARTS)}")
    return CHARTS[name]
