"""What a provider stores, as the frames that the audit holds against the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.audit import (
    BALANCES_SCHEMA,
    INVENTORIES_SCHEMA,
    STOCK_SCHEMA,
    AuditReport,
    audit,
)
from kokoromichi.core.clock import moment_of
from kokoromichi.core.counters import (
    first_stock_counter,
    stock_counter,
    stock_since_counter,
    stocked_items,
)
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.kinds import CURRENCIES
from kokoromichi.core.schemas import LEDGER_SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.reader import Reader

_FOLDER: Final = "stored"
_NAMES: Final = ("balances", "inventories", "stock")
_UNREAD: Final = [
    pl.lit(None, pl.String).alias(name) for name in ("entry_id", "book", "counterparty", "actor", "reason")
]
"""Columns of text that no law reads: an audit of a grown ledger is smaller by a third without them."""


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

    def audit(self, ledger: pl.DataFrame | pl.LazyFrame) -> AuditReport:
        """Hold them against a ledger: the six laws of economy.md."""
        return audit(ledger.lazy(), self.balances.lazy(), self.inventories.lazy(), self.stock.lazy())

    def write(self, folder: Path) -> None:
        """Write them beside the ``ledger.parquet`` of a folder, as ``stored/<name>.parquet``."""
        (folder / _FOLDER).mkdir()
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
            frames = [pl.read_parquet(folder / _FOLDER / f"{name}.parquet") for name in _NAMES]
        except (OSError, pl.exceptions.ComputeError) as error:
            message = (
                f"{folder / _FOLDER} cannot be read ({error}): play the run again, or audit the ledger alone"
            )
            raise MisuseError(message) from error
        return cls(*frames)


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


async def audit_provider(provider: DataProvider) -> AuditReport:
    """Hold everything that a provider stores at one moment against its ledger: the six laws of economy.md."""
    async with provider.snapshot() as reader:
        frames = [frame.with_columns(_UNREAD) async for frame in reader.ledger_frames()]
        states = await stored_states(reader)
    return states.audit(pl.concat(frames) if frames else pl.DataFrame(schema=LEDGER_SCHEMA))
