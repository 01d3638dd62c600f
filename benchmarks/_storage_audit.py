"""How long the audit of a ledger takes that is in memory already."""

from __future__ import annotations

import statistics
import time
from typing import Final

import polars as pl

from kokoromichi.analysis.provider_state import StoredStates
from kokoromichi.core.schemas import LEDGER_SCHEMA, STOCK_SCHEMA

PLAYERS: Final = 5_000
START_US: Final = 1_767_571_200_000_000


def ledger_of(rows: int) -> pl.DataFrame:
    """A sound ledger: every player sells again and again, each time one charm more for 5 gold."""
    number = pl.int_range(rows, dtype=pl.Int64)
    tx_id = number.cast(pl.String).str.zfill(12)
    player = "p" + (number % PLAYERS).cast(pl.String).str.zfill(5)
    at_us = START_US + number
    nothing = pl.lit(None, pl.String)
    return pl.select(
        entry_id=at_us.cast(pl.String) + "-" + tx_id + "-000000",
        tx_id=tx_id,
        at=at_us.cast(pl.Datetime("us", "UTC")),
        book=pl.lit("purchases"),
        kind=pl.lit("sale"),
        user_id=player,
        currency=pl.lit("gold"),
        amount=pl.lit(5, pl.Int64),
        balance_after=5 * (number // PLAYERS + 1),
        item_id=pl.lit("lucky_charm"),
        quantity=pl.lit(1, pl.Int64),
        counterparty=nothing,
        actor=player,
        request_id="~" + tx_id,
        reason=nothing,
    )


def measured(rounds: int, rows: int) -> dict[str, float]:
    """Seconds of one audit, by the clock and of all processors, the medians of the rounds."""
    ledger = ledger_of(rows)
    assert ledger.schema == LEDGER_SCHEMA
    stored = StoredStates(
        ledger.group_by("user_id", "currency").agg(balance=pl.col("amount").sum()),
        ledger.group_by("user_id", "item_id").agg(pl.col("quantity").sum()),
        pl.DataFrame(schema=STOCK_SCHEMA),
    )
    assert stored.audit(ledger).sound
    times, cpu_times = [], []
    for _ in range(rounds):
        began, cpu_began = time.perf_counter(), time.process_time()
        report = stored.audit(ledger)
        times.append(time.perf_counter() - began)
        cpu_times.append(time.process_time() - cpu_began)
        assert report.rows == rows
    found = {"s": round(statistics.median(times), 3), "cpu_s": round(statistics.median(cpu_times), 3)}
    print(f"  audit of {rows:,} rows: {found['s']} s, of which the processors worked {found['cpu_s']} s")
    return found
