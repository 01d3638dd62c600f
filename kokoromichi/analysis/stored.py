"""What a provider stores, as the frames that the audit holds against the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from kokoromichi.core.kinds import CURRENCIES
from kokoromichi.core.schemas import LEDGER_SCHEMA

if TYPE_CHECKING:
    from kokoromichi.core.data_provider import DataProvider


async def read_ledger(provider: DataProvider) -> pl.DataFrame:
    """The whole ledger of a provider in memory, oldest first: a frame of ``LEDGER_SCHEMA``."""
    frames = [frame async for frame in provider.ledger_frames()]
    return pl.concat(frames) if frames else pl.DataFrame(schema=LEDGER_SCHEMA)


async def audit_provider(provider: DataProvider) -> AuditReport:
    """Hold everything that a provider stores against its ledger: the six laws of economy.md."""
    ledger = await read_ledger(provider)
    balances: list[tuple[str, str, int]] = []
    inventories: list[tuple[str, str, int]] = []
    for user_id in await provider.user_ids():
        profile = await provider.profile(user_id)
        if profile is not None:
            balances += [(user_id, currency, getattr(profile, currency)) for currency in CURRENCIES]
            inventories += [(user_id, item_id, units) for item_id, units in profile.inventory.items()]
    counters = await provider.counters()
    items = stocked_items(counters)
    stock = [
        (
            item,
            counters[first_stock_counter(item)],
            counters[stock_counter(item)],
            moment_of(counters[stock_since_counter(item)]),
        )
        for item in items
    ]
    return audit(
        ledger.lazy(),
        pl.LazyFrame(balances, BALANCES_SCHEMA, orient="row"),
        pl.LazyFrame(inventories, INVENTORIES_SCHEMA, orient="row"),
        pl.LazyFrame(stock, STOCK_SCHEMA, orient="row"),
    )
