"""What a provider stores, as the frames that the audit holds against the ledger."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.audit import (
    AuditReport,
    LedgerSums,
    MovedByDay,
    audit,
    named_as,
    reused_requests,
    traded_units,
)
from kokoromichi.analysis.brought import as_rows
from kokoromichi.analysis.request_ids import RequestIds
from kokoromichi.core.clock import moment_of
from kokoromichi.core.counters import (
    first_stock_counter,
    stock_counter,
    stock_since_counter,
    stocked_items,
)
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.kinds import CURRENCIES, SYSTEM
from kokoromichi.core.schemas import BALANCES_SCHEMA, INVENTORIES_SCHEMA, LEDGER_SCHEMA, STOCK_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kokoromichi.core.reader import Reader

_FOLDER: Final = "stored"
_NAMES: Final = ("balances", "inventories", "stock")


@dataclass(frozen=True, slots=True, eq=False)
class StoredStates:
    """What stands beside a ledger: without it a ledger that was cut short looks whole.

    Attributes:
        balances: One row per player and currency (``BALANCES_SCHEMA``).
        inventories: One row per player and item held (``INVENTORIES_SCHEMA``).
        stock: One row per item of limited stock (``STOCK_SCHEMA``).
    """

    balances: pl.DataFrame
    inventories: pl.DataFrame
    stock: pl.DataFrame

    def audit(self, ledger: pl.DataFrame | pl.LazyFrame, brought: pl.LazyFrame | None = None) -> AuditReport:
        """Hold them against a ledger: the laws 1 to 6 of ``LAWS``.

        Args:
            ledger: All rows, or a part of them.
            brought: What the part begins with (``BROUGHT_SCHEMA``).
        """
        rows = ledger.lazy() if brought is None else pl.concat([as_rows(brought), ledger.lazy()])
        return audit(rows, self.balances.lazy(), self.inventories.lazy(), self.stock.lazy())

    def audit_sums(self, sums: LedgerSums, ledger: pl.LazyFrame) -> AuditReport:
        """The same for a ledger whose rows were added up while they were at hand.

        Args:
            sums: Of all of them.
            ledger: The rows, for what needs single ones: stock and request ids.
        """
        stock = named_as(ledger.collect_schema(), self.stock.lazy())
        units, reused = traded_units(ledger, stock).collect(), reused_requests(ledger).collect()
        return sums.against(self.balances, self.inventories, self.stock, units, reused)

    def of_part(self, brought: pl.DataFrame, after: pl.DataFrame) -> StoredStates:
        """The same for a part of the ledger.

        Args:
            brought: What lies before the part (``BROUGHT_SCHEMA``): its stock is what the part begins with.
            after: What lies after it: the part ends before that.
        """
        later = after.with_columns(-pl.col("amount", "quantity"))
        players = later.filter(pl.col("user_id") != SYSTEM)
        money = players.filter(pl.col("currency").is_not_null()).select(
            "user_id", "currency", balance="amount"
        )
        goods = players.filter(pl.col("item_id").is_not_null()).select("user_id", "item_id", "quantity")
        begins = brought.filter(pl.col("user_id") == SYSTEM).select("item_id", initial="quantity")
        ends = later.filter(pl.col("user_id") == SYSTEM).select("item_id", now="quantity")
        moved = pl.concat([begins, ends], how="diagonal")
        return StoredStates(
            _added(self.balances, money, ["user_id", "currency"]),
            _added(self.inventories, goods, ["user_id", "item_id"]),
            _added(self.stock, moved, ["item_id"]).select(STOCK_SCHEMA.names()),
        )

    def renamed(self, pseudonym: Callable[[pl.Series], pl.Series]) -> StoredStates:
        """The same with other names for the players."""
        balances, inventories = (
            frame.with_columns(pseudonym(frame["user_id"])) for frame in (self.balances, self.inventories)
        )
        return StoredStates(balances, inventories, self.stock)

    def write(self, folder: Path) -> None:
        """Write them beside the ``ledger.parquet`` of a folder, as ``stored/<name>.parquet``."""
        (folder / _FOLDER).mkdir(parents=True)
        for name in _NAMES:
            getattr(self, name).write_parquet(folder / _FOLDER / f"{name}.parquet")

    @classmethod
    def read(cls, folder: Path) -> StoredStates | None:
        """What ``write`` left in a folder; None where a ledger stands alone.

        Raises:
            MisuseError: A file is missing, or no Parquet file.
        """
        if not (folder / _FOLDER).is_dir():
            return None
        try:
            frames = [pl.read_parquet(folder / _FOLDER / f"{name}.parquet", glob=False) for name in _NAMES]
        except (OSError, pl.exceptions.ComputeError) as error:
            message = (
                f"{folder / _FOLDER} cannot be read ({error}): play the run again, or audit the ledger alone"
            )
            raise MisuseError(message) from error
        return cls(*frames)


def _added(stored: pl.DataFrame, moved: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Numbers of a frame with those of another added, by key: exact, in the order of the keys."""
    both = pl.concat([stored, moved], how="diagonal")
    numbers = pl.col(pl.Int64).cast(pl.Int128).sum().cast(pl.Int64)
    return both.group_by(keys).agg(numbers, pl.exclude(pl.Int64).drop_nulls().first()).sort(keys)


async def read_ledger(reader: Reader) -> pl.DataFrame:
    """The whole ledger of a store in memory, oldest first: a frame of ``LEDGER_SCHEMA``."""
    frames = [frame async for frame in reader.ledger_frames()]
    return pl.concat(frames) if frames else pl.DataFrame(schema=LEDGER_SCHEMA)


async def stored_states(reader: Reader) -> StoredStates:
    """The balances, inventories and stock of a store, by player and item."""
    balances: list[tuple[str, str, int]] = []
    inventories: list[tuple[str, str, int]] = []
    async for profile in reader.profiles():
        user_id = profile.user_id
        balances += [(user_id, currency, getattr(profile, currency)) for currency in CURRENCIES]
        inventories += [(user_id, item_id, units) for item_id, units in profile.inventory.items()]
    counters = await reader.counters()
    stock = [
        (
            item,
            counters[first_stock_counter(item)],
            counters[stock_counter(item)],
            moment_of(counters[stock_since_counter(item)]),
        )
        for item in stocked_items(counters)
    ]
    return StoredStates(
        pl.DataFrame(balances, BALANCES_SCHEMA, orient="row").sort("user_id", maintain_order=True),
        pl.DataFrame(inventories, INVENTORIES_SCHEMA, orient="row").sort("user_id", "item_id"),
        pl.DataFrame(stock, STOCK_SCHEMA, orient="row"),
    )


async def audit_provider(store: Reader) -> AuditReport:
    """Hold everything that a store holds at one moment against its ledger: the laws of ``LAWS``.

    Memory follows the players and what they hold, not the ledger's rows, which are read a second time where
    a request id may be carried by two transactions.

    Args:
        store: A provider, or what is read of one moment already: a snapshot, a backup.

    Raises:
        NoRoomError: The temporary folder cannot hold the request ids.
    """
    async with store.snapshot() as reader:
        states = await stored_states(reader)
        sums, moved, stock = LedgerSums(), MovedByDay(), states.stock.lazy()
        rows = [LEDGER_SCHEMA.to_frame()]
        units = [traded_units(rows[0].lazy(), stock).collect()]
        with closing(RequestIds()) as requests:

            def add(frame: pl.DataFrame) -> None:
                sums.add(frame)
                moved.add(frame)
                units.append(traded_units(frame.lazy(), stock).collect())
                requests.add(frame)

            async for frame in reader.ledger_frames():
                await asyncio.to_thread(add, frame)  # A bot goes on meanwhile.
            suspects = await asyncio.to_thread(requests.suspects)
        if suspects is not None:
            rows += [frame.filter(suspects) async for frame in reader.ledger_frames()]
        reused = reused_requests(pl.concat(rows).lazy()).collect()
        report = sums.against(states.balances, states.inventories, states.stock, pl.concat(units), reused)
        return moved.against(report, await reader.daily_totals(), await reader.active_players())
