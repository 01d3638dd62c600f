"""Every number that the laboratory reads from an economy: one function of ``Observations`` each.

A metric's docstring is input of the program: ``definitions.py`` reads meaning, grain and columns out of it,
for the report and for docs/metrics.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Final, NamedTuple, TypeAlias

import polars as pl

from kokoromichi.core.errors import MisuseError
from kokoromichi.core.options import near

Metric: TypeAlias = Callable[..., pl.LazyFrame]
"""Takes an ``Observations`` value first, and options that have defaults."""

WARM_UP_DAYS: Final = 30
"""Days cut before flows are measured, since openings and arrivals fall into them."""


class Entry(NamedTuple):
    """Where a metric is, and how reports and the charts of a run take it.

    Attributes:
        module: Of this package; the function is called as the metric is.
        after_warm_up: Whether the warm-up is cut.
        function: One of a designer's own; None for one of this package's.
    """

    module: str
    after_warm_up: bool = False
    function: Metric | None = None

    @property
    def own(self) -> bool:
        """Whether a designer added it."""
        return self.function is not None

    def options(self, first_day: int) -> dict[str, int]:
        """What the metric is called with; ``first_day``, counted from 0, is the first after the warm-up."""
        return {"first_day": first_day} if self.after_warm_up else {}


METRICS: Final[dict[str, Entry]] = {
    "money_supply": Entry("supply"),
    "velocity": Entry("supply", after_warm_up=True),
    "flows": Entry("flows"),
    "flows_total": Entry("flows", after_warm_up=True),
    "net_flow": Entry("flows"),
    "sink_faucet_ratio": Entry("flows", after_warm_up=True),
    "balances": Entry("wealth"),
    "balance_percentiles": Entry("wealth"),
    "gini": Entry("wealth", after_warm_up=True),
    "lorenz": Entry("wealth", after_warm_up=True),
    "top_shares": Entry("wealth", after_warm_up=True),
    "days_to_afford": Entry("waits"),
    "engel_shares": Entry("engel", after_warm_up=True),
    "price_index": Entry("price_index"),
    "retention": Entry("retention"),
    "cohort_balances": Entry("retention"),
    "sales": Entry("goods", after_warm_up=True),
    "sell_through": Entry("goods"),
    "hoarding": Entry("goods", after_warm_up=True),
    "acts": Entry("acts", after_warm_up=True),
    "refusals": Entry("acts", after_warm_up=True),
    "ledger_health": Entry("health"),
}
"""One line a metric, by its name. docs/metrics.md lists them in this order."""


def metric(name: str | Metric) -> Metric:
    """Find a metric by its name; its module is imported now and not before. A function is one itself.

    Raises:
        MisuseError: No metric has this name; the error names the nearest ones.
    """
    if callable(name):
        return name
    if name not in METRICS:
        raise MisuseError(f"there is no metric {name!r}; {near(name, METRICS)}")
    if (own := METRICS[name].function) is not None:
        return own
    found: Metric = getattr(import_module(f"{__name__}.{METRICS[name].module}"), name)
    return found


def first_measured_day(days: int, warm_up_days: int = WARM_UP_DAYS) -> int:
    """First day after the warm-up, counted from 0; where there are no days beyond it, none is cut."""
    return warm_up_days if days > warm_up_days else 0


def numbered(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """One frame of all replications, in their order: ``replication`` (Int64, from 1), then the columns."""
    return pl.concat(
        frame.select(pl.lit(number, pl.Int64).alias("replication"), pl.all())
        for number, frame in enumerate(frames, 1)
    )
