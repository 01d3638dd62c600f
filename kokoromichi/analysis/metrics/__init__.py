"""Every number that the laboratory reads from an economy: one function of ``Observations`` each."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from typing import Final, TypeAlias

import polars as pl

from kokoromichi.core.errors import MisuseError

Metric: TypeAlias = Callable[..., pl.LazyFrame]
"""Takes an ``Observations`` value first, and options that have defaults."""

METRICS: Final[dict[str, str]] = {
    "money_supply": "kokoromichi.analysis.metrics.supply:money_supply",
    "velocity": "kokoromichi.analysis.metrics.supply:velocity",
    "flows": "kokoromichi.analysis.metrics.flows:flows",
    "flows_total": "kokoromichi.analysis.metrics.flows:flows_total",
    "net_flow": "kokoromichi.analysis.metrics.flows:net_flow",
    "sink_faucet_ratio": "kokoromichi.analysis.metrics.flows:sink_faucet_ratio",
    "balances": "kokoromichi.analysis.metrics.wealth:balances",
    "balance_percentiles": "kokoromichi.analysis.metrics.wealth:balance_percentiles",
    "gini": "kokoromichi.analysis.metrics.wealth:gini",
    "lorenz": "kokoromichi.analysis.metrics.wealth:lorenz",
    "top_shares": "kokoromichi.analysis.metrics.wealth:top_shares",
    "days_to_afford": "kokoromichi.analysis.metrics.waits:days_to_afford",
    "engel_shares": "kokoromichi.analysis.metrics.engel:engel_shares",
    "price_index": "kokoromichi.analysis.metrics.price_index:price_index",
    "retention": "kokoromichi.analysis.metrics.retention:retention",
    "cohort_balances": "kokoromichi.analysis.metrics.retention:cohort_balances",
    "sell_through": "kokoromichi.analysis.metrics.goods:sell_through",
    "hoarding": "kokoromichi.analysis.metrics.goods:hoarding",
    "acts": "kokoromichi.analysis.metrics.acts:acts",
    "refusals": "kokoromichi.analysis.metrics.acts:refusals",
    "ledger_health": "kokoromichi.analysis.metrics.health:ledger_health",
}
"""One line a metric: its name, and where its function is. docs/metrics.md lists them in this order."""


def metric(name: str) -> Metric:
    """Find a metric by its name; its module is imported now and not before.

    Raises:
        MisuseError: No metric has this name; the error names the nearest ones.
    """
    if name not in METRICS:
        near = ", ".join(get_close_matches(name, METRICS)) or ", ".join(METRICS)
        raise MisuseError(f"there is no metric {name!r}; did you mean one of: {near}?")
    module, _, function = METRICS[name].partition(":")
    found: Metric = getattr(import_module(module), function)
    return found
