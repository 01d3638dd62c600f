"""Every number that the laboratory reads from an economy: one function of ``Observations`` each.

A metric's docstring is input of the program: ``definitions.py`` reads meaning, grain and columns out of it,
for the report and for docs/metrics.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import polars as pl

from kokoromichi.core.errors import MisuseError
from kokoromichi.options import near, plain, real

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations

Metric: TypeAlias = Callable[..., pl.LazyFrame]
"""Takes an ``Observations`` value first, and options that have defaults."""

WARM_UP_DAYS: Final = 30
"""Days cut before flows are measured, since openings and arrivals fall into them."""


class Entry(NamedTuple):
    """Where a metric is, and how reports and the charts of a run take it.

    Attributes:
        module: Of this package; the function is called as the metric is.
        after_warm_up: Whether the warm-up is cut.
        keys: The columns by which a row of one replication is missed in another, where that is known.
        zeros: The columns that are 0 in a row that is missed; the others are null there.
        whole: Of what the column ``share`` is one: the keys within which it adds up to 1; of nothing, no row
            has a share.
        function: One of a designer's own; None for one of this package's.
    """

    module: str
    after_warm_up: bool = False
    keys: tuple[str, ...] = ()
    zeros: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    function: Metric | None = None

    @property
    def own(self) -> bool:
        """Whether a designer added it."""
        return self.function is not None

    def options(self, first_day: int) -> dict[str, int]:
        """What the metric is called with; ``first_day``, counted from 0, is the first after the warm-up."""
        return {"first_day": first_day} if self.after_warm_up else {}


METRICS: Final[dict[str, Entry]] = {
    "money_supply": Entry(
        "supply",
        keys=("day", "currency"),
        zeros=("supply", "brought_forward", "opening", "faucets", "sinks", "active_supply"),
    ),
    "velocity": Entry("supply", after_warm_up=True),
    "flows": Entry("flows", keys=("day", "currency", "direction", "kind"), zeros=("amount", "rows")),
    "flows_total": Entry(
        "flows",
        after_warm_up=True,
        keys=("currency", "direction", "kind"),
        zeros=("amount", "rows", "share", "share_of_faucets"),
        whole=("currency", "direction"),
    ),
    "net_flow": Entry("flows"),
    "sink_faucet_ratio": Entry("flows", after_warm_up=True),
    "gains": Entry("flows", after_warm_up=True, keys=("archetype", "kind"), zeros=("amount", "per_player")),
    "faucet_concentration": Entry(
        "concentration", after_warm_up=True, keys=("kind",), zeros=("amount", "players")
    ),
    "sink_use": Entry(
        "concentration",
        after_warm_up=True,
        keys=("day", "kind"),
        zeros=("amount", "players", "share"),
    ),
    "alarms": Entry("alarms"),
    "transfer_pairs": Entry("transfers", after_warm_up=True),
    "transfer_rings": Entry("transfers", after_warm_up=True),
    "balances": Entry("wealth"),
    "balance_percentiles": Entry("wealth", keys=("archetype", "currency"), zeros=("players",)),
    "balance_bands": Entry("wealth", keys=("day", "archetype"), zeros=("players", "held")),
    "gini": Entry("wealth", after_warm_up=True),
    "lorenz": Entry("wealth", after_warm_up=True),
    "top_shares": Entry("wealth", after_warm_up=True),
    "days_to_afford": Entry("waits", keys=("item_id", "archetype"), zeros=("players", "waiting", "afforded")),
    "engel_shares": Entry(
        "goods",
        after_warm_up=True,
        keys=("decile", "category"),
        zeros=("spending_gold", "share"),
        whole=("decile",),
    ),
    "price_index": Entry("price_index"),
    "price_events": Entry("price_events"),
    "session_flows": Entry(
        "sessions",
        after_warm_up=True,
        keys=("age_weeks",),
        zeros=("players", "sessions", "earned", "spent"),
    ),
    "retention": Entry("retention"),
    "cohort_retention": Entry("retention", keys=("cohort_week", "age_weeks"), zeros=("players", "active")),
    "leavers": Entry("retention"),
    "cohort_balances": Entry("retention", keys=("archetype", "age_days"), zeros=("players",)),
    "sales": Entry("goods", after_warm_up=True, keys=("item_id",), zeros=("units", "revenue_gold", "buyers")),
    "sell_through": Entry("goods", keys=("item_id",), zeros=("restocked_units", "sold_units")),
    "stock_outs": Entry("goods"),
    "hoarding": Entry(
        "goods",
        after_warm_up=True,
        keys=("item_id",),
        zeros=("units_held", "units_used", "used_per_day"),
    ),
    "acts": Entry(
        "acts", after_warm_up=True, keys=("act",), zeros=("acts", "refused", "acts_per_active_player_day")
    ),
    "refusals": Entry("acts", after_warm_up=True, keys=("act", "code"), zeros=("refusals", "refused_share")),
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


def measured(name: str | Metric, observations: Observations, **options: object) -> pl.DataFrame:
    """A metric's frame, in memory.

    Args:
        name: Its name, or a function of one's own.
        observations: What was observed.
        options: What the metric takes.

    Raises:
        MisuseError: There is no such metric, or a sum of it is beyond 64 bits.
        MissingObservationsError: It needs a stream that was not observed.
    """
    called = name if isinstance(name, str) else getattr(name, "__name__", "a metric")
    try:
        return framed(metric(name)(observations, **options), called).collect()
    except pl.exceptions.InvalidOperationError as error:
        if "i128" not in str(error):
            raise
        message = f"{called}: a sum is beyond 64 bits; run the audit, no economy holds so much"
        raise MisuseError(message) from error


def framed(found: object, name: str) -> pl.LazyFrame:
    """What a metric answered as a lazy frame; a single number, or None, becomes a row.

    Raises:
        MisuseError: It is neither a frame nor a number.
    """
    if isinstance(found, (pl.DataFrame, pl.LazyFrame)):
        return found.lazy()
    value = plain(found)
    number = value if isinstance(value, int) else real(value)
    if number is None and found is not None:
        raise MisuseError(f"metric {name} answered {type(found).__name__}; answer a polars frame or a number")
    return pl.LazyFrame({name: [number]})


def first_measured_day(days: int, warm_up_days: int = WARM_UP_DAYS) -> int:
    """First day after the warm-up, counted from 0; where there are no days beyond it, none is cut."""
    return warm_up_days if days > warm_up_days else 0


def numbered(frames: Iterable[pl.DataFrame], name: str | Metric = "") -> pl.DataFrame:
    """One frame of all replications, in their order: ``replication`` (Int64, from 1), then the columns.

    Args:
        frames: The frame of each replication; a column that one lacks is null there.
        name: The metric that they are of. What one replication has a row for, all get one for, behind their
            own rows: nothing refused is 0 refusals, or a mean would be of those that have some.
    """
    runs = [
        frame.select(pl.lit(number, pl.Int64).alias("replication"), pl.exclude("replication"))
        for number, frame in enumerate(frames, 1)
    ]
    known = pl.concat(runs, how="diagonal_relaxed")
    entry = METRICS.get(name) if isinstance(name, str) else None
    if entry is None or not entry.keys:
        return known
    number = pl.DataFrame({"replication": range(1, len(runs) + 1)}, {"replication": pl.Int64})
    every = number.join(known.select(entry.keys).unique(maintain_order=True), how="cross")
    absent = every.join(known, on=["replication", *entry.keys], how="anti", nulls_equal=True)
    zeros = (pl.lit(0, known.schema[column]).alias(column) for column in entry.zeros)
    rows = pl.concat([known, absent.with_columns(zeros)], how="diagonal")
    if entry.whole:
        something = pl.col("share").sum().over("replication", *entry.whole) > 0
        rows = rows.with_columns(share=pl.when(something).then("share"))
    return rows.sort("replication", maintain_order=True)
