"""The audit: a ledger against the states that are stored beside it, law by law, to the unit.

Whether a ledger is read whole or in parts, it comes down to the same sums, which the laws are held against.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl
import polars.selectors as cs

from kokoromichi.core.errors import MisuseError
from kokoromichi.core.kinds import KINDS, SYSTEM
from kokoromichi.core.reader import ActiveDays, Totals, totals_of
from kokoromichi.core.schemas import BALANCES_SCHEMA, INVENTORIES_SCHEMA, LEDGER_SCHEMA, STOCK_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kokoromichi.core.models import DailyTotal

LAWS: Final[dict[int, str]] = {
    1: "the sum of amounts by user and currency is the stored balance",
    2: "the sum of quantities by user and item is the stored inventory",
    3: "money supply = faucets - sinks",
    4: "no balance, no inventory and no stock is negative",
    5: "no two transactions carry one request id",
    6: "initial stock + restocks - units sold = the counter",
    7: "daily totals and active players are what the ledger has moved; cure: `kokoromichi audit --recount`",
}
"""Law 7 is of stores alone: exported rows have no totals beside them."""

_TOTALS_SCHEMA: Final = pl.Schema(
    {
        "day": pl.Int64(),
        "kind": pl.String(),
        "currency": pl.String(),
        "rows": pl.Int64(),
        "gained": pl.Int64(),
        "lost": pl.Int64(),
        "players": pl.Int64(),
    }
)

_TOTALS_LAW: Final = 7
_TRANSFERS: Final = tuple(name for name, kind in KINDS.items() if kind.role == "transfer")
_EXACT: Final = pl.Int128()


@dataclass(frozen=True, slots=True, eq=False)
class AuditReport:
    """What an audit found.

    Attributes:
        rows: Ledger rows that were read.
        violations: By number of the law, one row per violation; an empty frame where the law holds. Columns:
            law 1 user_id, currency, ledger, stored; law 2 user_id, item_id, ledger, stored; law 3 currency,
            ledger (faucets - sinks), stored (sum of the balances); law 4 what, name, detail, value; law 5
            request_id, transactions; law 6 item_id, ledger, stored; law 7 the columns of ``DailyTotal``,
            what the stored totals lack, or day and players, what the stored numbers of active players lack.
            Sums are Int128, so that none can wrap.
    """

    rows: int
    violations: dict[int, pl.DataFrame]

    @property
    def sound(self) -> bool:
        """Whether every law holds."""
        return all(found.is_empty() for found in self.violations.values())

    @property
    def sound_but_for_totals(self) -> bool:
        """Whether every law holds but perhaps the last one, of totals that a recount makes right."""
        return all(found.is_empty() for law, found in self.violations.items() if law != _TOTALS_LAW)

    @property
    def counts(self) -> dict[int, int]:
        """Violations by number of the law."""
        return {law: found.height for law, found in self.violations.items()}

    def __str__(self) -> str:
        """One sentence a law that is broken, or that none is."""
        if self.sound:
            return f"sound: {len(self.violations)} laws hold over {self.rows:,} rows"
        broken = [
            f"law {law} ({LAWS[law]}): {found.height:,} violations, the first {found.row(0, named=True)}"
            for law, found in self.violations.items()
            if not found.is_empty()
        ]
        return "\n".join(broken)


def audit(
    ledger: pl.LazyFrame, balances: pl.LazyFrame, inventories: pl.LazyFrame, stock: pl.LazyFrame
) -> AuditReport:
    """Check the laws 1 to 6 of a ledger that is at hand as one frame.

    Args:
        ledger: Every row ever booked (``LEDGER_SCHEMA``), in any order; names may be Enums that hold all of
            them, and are then counted by their codes.
        balances: Stored balances (``BALANCES_SCHEMA``); one that is not stored counts as 0.
        inventories: Stored inventories (``INVENTORIES_SCHEMA``); one that is not stored counts as 0.
        stock: Counters of items with limited stock (``STOCK_SCHEMA``); sales of other items are not counted.

    Returns:
        A report; ``sound`` when every law holds.

    Raises:
        MisuseError: A stored frame does not have its schema.
    """
    stored = {"balances": (balances, BALANCES_SCHEMA), "inventories": (inventories, INVENTORIES_SCHEMA)}
    for name, (frame, schema) in {**stored, "stock": (stock, STOCK_SCHEMA)}.items():
        if dict(found := frame.collect_schema()) != dict(schema):
            raise MisuseError(f"the audit needs {name} with the columns {dict(schema)}, not {dict(found)}")
    types = ledger.collect_schema()
    balances, inventories, stock = (named_as(types, frame) for frame in (balances, inventories, stock))
    states = [balances, inventories, stock, traded_units(ledger, stock)]
    frames = _violations(_summed(ledger), states, reused_requests(ledger))
    rows, *violations = pl.collect_all([ledger.select(pl.len()), *frames])
    return AuditReport(rows=int(rows.item()), violations=dict(zip(LAWS, violations, strict=False)))


class LedgerSums:
    """What a ledger adds up to that comes in parts: as large as players and items are many, at any age."""

    def __init__(self) -> None:
        self._rows = 0
        self._types = LEDGER_SCHEMA
        self._sums: list[list[pl.DataFrame]] = []

    def add(self, rows: pl.DataFrame) -> None:
        """Add the next part (``LEDGER_SCHEMA``); names may be Enums, the same ones in every part."""
        self._rows += rows.height
        self._types = rows.schema
        self._sums.append(pl.collect_all(_summed(rows.lazy())))
        whole, *parts = (sum(frame.height for frame in frames) for frames in self._sums)
        if sum(parts) >= whole:  # Each row is so grouped a few times, however many parts there are.
            self._sums = [self._together()]

    def _together(self) -> list[pl.DataFrame]:
        return pl.collect_all([_added(pl.concat(parts).lazy()) for parts in zip(*self._sums, strict=True)])

    def against(
        self,
        balances: pl.DataFrame,
        inventories: pl.DataFrame,
        stock: pl.DataFrame,
        units: pl.DataFrame,
        reused: pl.DataFrame,
    ) -> AuditReport:
        """Hold the sums against what is stored: the laws 1 to 6.

        Args:
            balances: As of ``audit``.
            inventories: As of ``audit``.
            stock: As of ``audit``.
            units: What ``traded_units`` finds, of the whole or part by part.
            reused: What ``reused_requests`` finds.
        """
        if not self._sums:
            self.add(LEDGER_SCHEMA.to_frame())
        frames = [frame.lazy() for frame in (balances, inventories, stock, units)]
        stored = [named_as(self._types, frame) for frame in frames]
        sums = [frame.lazy() for frame in self._together()]
        violations = pl.collect_all(_violations(sums, stored, reused.lazy()))
        return AuditReport(self._rows, dict(zip(LAWS, violations, strict=False)))


class MovedByDay:
    """What a ledger that comes in parts, oldest first, has moved by day: what law 7 is about."""

    def __init__(self) -> None:
        self._totals = Totals()
        self._active = ActiveDays()

    def add(self, rows: pl.DataFrame) -> None:
        """Add the next part (``LEDGER_SCHEMA``)."""
        self._totals.add(totals_of([rows], 0))
        self._active.add(rows)

    def against(
        self, report: AuditReport, totals: Iterable[DailyTotal], active: Mapping[int, int]
    ) -> AuditReport:
        """A report of the other laws with this one.

        Args:
            report: What was found.
            totals: Of every day (``Reader.daily_totals``).
            active: Of every day (``Reader.active_players``).
        """
        lacking = [msgspec.structs.asdict(one) for one in self._totals.less(totals)]
        lacking += [{"day": day, "players": players} for day, players in self._active.lacking_in(active)]
        found = {**report.violations, _TOTALS_LAW: pl.DataFrame(lacking, _TOTALS_SCHEMA)}
        return AuditReport(report.rows, found)


def reused_requests(ledger: pl.LazyFrame) -> pl.LazyFrame:
    """The request ids that more than one transaction carries.

    What callers gave is read at once, so that the ledger is gone through for it and then for what was made
    up: a join would hold the one in memory until the other is read.

    Returns:
        One row per such id, ascending: ``request_id`` (String), ``transactions`` (Int64).
    """
    # What ends in its transaction's own id is no other's, unless that one was given it: so few need a look.
    request, own = pl.col("request_id"), pl.col("request_id").str.ends_with(pl.col("tx_id"))
    made_up = own & (request.str.len_bytes() == pl.col("tx_id").str.len_bytes() + 1)
    pairs = ledger.select("request_id", "tx_id")
    given = pairs.filter(~made_up).collect()
    taken = pairs.filter(made_up, request.is_in(given["request_id"].unique().implode()))
    # Hashes find the few suspects five times faster than the texts; the texts then decide.
    hashed = pl.concat([given.lazy(), taken]).with_columns(request=request.hash(), tx=pl.col("tx_id").hash())
    spread = hashed.group_by("request").agg(first=pl.col("tx").min(), last=pl.col("tx").max())
    suspects = hashed.join(spread.filter(pl.col("first") != pl.col("last")), on="request", how="semi")
    pairs = suspects.select("request_id", "tx_id").unique()
    carried = pairs.group_by("request_id").agg(transactions=pl.len().cast(pl.Int64))
    return carried.filter(pl.col("transactions") > 1).sort("request_id")


def traded_units(ledger: pl.LazyFrame, stock: pl.LazyFrame | None = None) -> pl.LazyFrame:
    """Units that moved of limited stock since it began.

    Args:
        ledger: Rows (``LEDGER_SCHEMA``), names perhaps as Enums.
        stock: As of ``audit``, its ids of the ledger's type; None for all that was ever sold or restocked.

    Returns:
        One row per item that moved: ``item_id``, ``moved`` (Int128).
    """
    moved = pl.when(pl.col("kind") == "purchase").then(-pl.col("quantity")).otherwise("quantity")
    traded = ledger.filter(pl.col("kind").is_in(["purchase", "restock"]), pl.col("item_id").is_not_null())
    if stock is not None:
        counted = pl.col("since").is_null() | (pl.col("at") >= pl.col("since"))
        traded = traded.join(stock.select("item_id", "since"), on="item_id").filter(counted)
    return traded.group_by("item_id").agg(moved=moved.cast(_EXACT).sum())


def _summed(ledger: pl.LazyFrame) -> list[pl.LazyFrame]:
    """What the laws need of rows; columns of Int128 are sums, all others keys.

    Returns:
        Money by player and currency, goods by player and item, and what is below zero.
    """
    players = ledger.filter(pl.col("user_id") != SYSTEM)
    amount, units = pl.col("amount").cast(_EXACT), pl.col("quantity").cast(_EXACT)
    made = pl.when(~pl.col("kind").is_in(_TRANSFERS)).then(amount)
    return [
        players.filter(pl.col("currency").is_not_null())
        .group_by("user_id", "currency")
        .agg(amount=amount.sum(), made=made.sum()),
        players.filter(pl.col("item_id").is_not_null())
        .group_by("user_id", "item_id")
        .agg(quantity=units.sum()),
        _below_zero("ledger", players, "user_id", "entry_id", "balance_after"),
    ]


def named_as(types: Mapping[str, pl.DataType], frame: pl.LazyFrame) -> pl.LazyFrame:
    """A frame whose columns have the types of a ledger's columns of their names."""
    return frame.cast({name: types[name] for name in frame.collect_schema() if name in types})


def _added(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Sums of several parts as those of their whole."""
    sums = cs.by_dtype(_EXACT)
    return frame.group_by(~sums).agg(sums.sum())


def _violations(
    sums: list[pl.LazyFrame], stored: list[pl.LazyFrame], reused: pl.LazyFrame
) -> list[pl.LazyFrame]:
    """What breaks the laws 1 to 6, in their order, names as text."""
    money, goods, negative = sums
    balances, inventories, stock, units = stored
    below = [
        _below_zero("balance", balances, "user_id", "currency", "balance"),
        _below_zero("inventory", inventories, "user_id", "item_id", "quantity"),
        _below_zero("stock", stock.with_columns(detail=pl.lit("counter")), "item_id", "detail", "now"),
        negative,
    ]
    found = [
        _differences(money, "amount", balances, "balance", "user_id", "currency"),
        _differences(goods, "quantity", inventories, "quantity", "user_id", "item_id"),
        _differences(money, "made", balances, "balance", "currency"),
        pl.concat(below).sort("what", "name", "detail"),
        reused,
        _counters(units, stock),
    ]
    return [frame.with_columns(cs.enum().cast(pl.String)) for frame in found]


def _differences(
    booked: pl.LazyFrame, sums: str, stored: pl.LazyFrame, states: str, *keys: str
) -> pl.LazyFrame:
    """Where the ledger's sum is not what is stored: keys, ledger, stored (Int128)."""
    booked = booked.group_by(keys).agg(ledger=pl.col(sums).sum())
    stored = stored.group_by(keys).agg(stored=pl.col(states).cast(_EXACT).sum())
    both = booked.join(stored, on=keys, how="full", coalesce=True)
    both = both.select(*keys, pl.col("ledger", "stored").fill_null(0))
    return both.filter(pl.col("ledger") != pl.col("stored")).sort(keys)


def _below_zero(what: str, frame: pl.LazyFrame, name: str, detail: str, value: str) -> pl.LazyFrame:
    """What is below zero: what (String), name, detail, value (Int64)."""
    return frame.filter(pl.col(value) < 0).select(
        what=pl.lit(what),
        name=pl.col(name).cast(pl.String),
        detail=pl.col(detail).cast(pl.String),
        value=pl.col(value),
    )


def _counters(units: pl.LazyFrame, stock: pl.LazyFrame) -> pl.LazyFrame:
    """Where a counter is not what the ledger leaves of the stock: item_id, ledger, stored (Int128)."""
    moved = units.group_by("item_id").agg(pl.col("moved").sum())
    left = stock.join(moved, on="item_id", how="left").select(
        "item_id",
        ledger=pl.col("initial").cast(_EXACT) + pl.col("moved").fill_null(0),
        stored=pl.col("now").cast(_EXACT),
    )
    return left.filter(pl.col("ledger") != pl.col("stored")).sort("item_id")
