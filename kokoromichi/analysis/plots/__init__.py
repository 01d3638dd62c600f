"""Charts of the metrics: axes in, axes out, one palette, units on every axis.

Every function takes a metric's frame, collected, with a column ``replication`` (Int64) where there are
several runs, and draws on the axes given or on a figure of its own, which pyplot does not know and a notebook
shows by itself. An empty frame gives axes that say "no data".
"""

from kokoromichi.analysis.plots.flows import flows, net_flow, ratio
from kokoromichi.analysis.plots.goods import engel, hoarding, sell_through
from kokoromichi.analysis.plots.groups import gold_map, holders
from kokoromichi.analysis.plots.players import acts, refusals, retention
from kokoromichi.analysis.plots.prices import event, price_index
from kokoromichi.analysis.plots.style import OKABE_ITO, chart_style
from kokoromichi.analysis.plots.supply import supply
from kokoromichi.analysis.plots.waits import days_to_afford, waits
from kokoromichi.analysis.plots.wealth import balances, cohort_balances, lorenz

__all__ = [
    "OKABE_ITO",
    "acts",
    "balances",
    "chart_style",
    "cohort_balances",
    "days_to_afford",
    "engel",
    "event",
    "flows",
    "gold_map",
    "hoarding",
    "holders",
    "lorenz",
    "net_flow",
    "price_index",
    "ratio",
    "refusals",
    "retention",
    "sell_through",
    "supply",
    "waits",
]
