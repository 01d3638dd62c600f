"""Every chart by its name, with the metric that it draws; one's own stand beside the shipped ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kokoromichi.analysis.plots import flows, goods, groups, players, prices, supply, waits, wealth
from kokoromichi.core.errors import MisuseError
from kokoromichi.options import near

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
    "supply": ChartEntry("money_supply", supply.supply),
    "flows": ChartEntry("flows", flows.flows),
    "net_flow": ChartEntry("net_flow", flows.net_flow),
    "ratio": ChartEntry("net_flow", flows.ratio),
    "days_to_afford": ChartEntry("days_to_afford", waits.days_to_afford),
    "waits": ChartEntry("days_to_afford", waits.waits),
    "lorenz": ChartEntry("lorenz", wealth.lorenz),
    "balances": ChartEntry("balance_percentiles", wealth.balances),
    "cohort_balances": ChartEntry("cohort_balances", wealth.cohort_balances),
    "price_index": ChartEntry("price_index", prices.price_index),
    "engel": ChartEntry("engel_shares", goods.engel),
    "retention": ChartEntry("retention", players.retention),
    "sell_through": ChartEntry("sell_through", goods.sell_through),
    "hoarding": ChartEntry("hoarding", goods.hoarding),
    "refusals": ChartEntry("refusals", players.refusals),
    "acts": ChartEntry("acts", players.acts),
    "gold_map": ChartEntry("gains", groups.gold_map),
    "holders": ChartEntry("balance_bands", groups.holders),
    "event": ChartEntry("price_events", prices.event, first="item_id"),
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
