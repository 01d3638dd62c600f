"""Whether a ledger can be believed: what breaks its laws, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.audit import reused_requests
from kokoromichi.analysis.metrics.by_day import TRANSFERS
from kokoromichi.analysis.options import checked_options
from kokoromichi.core.kinds import KINDS, SYSTEM

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations

_RUNNING_NUMBER: Final = r"(?:^|\D)(\d{1,12})$"


@checked_options
def ledger_health(observations: Observations) -> pl.LazyFrame:
    """Ledger health: what breaks a law, counted check by check; all zero when the ledger is sound.

    A ledger alone has no stored balances to compare with: ``audit`` does that. Here each ``balance_after``
    must be the one before plus the amount, in the order of entry ids, from 0 on. Gaps are looked for where
    entry ids end in a running number; ids that do not are taken to have none.

    Args:
        observations: What was observed; only its ledger is read.

    Returns:
        One row per check, ascending by law; the same rows for every ledger, the empty one included.

        - ``law`` (Int64): number of the law in economy.md that the check guards; 0 for the form of the rows.
        - ``check`` (String): what was counted.
        - ``violations`` (Int64): how many.
    """
    ledger = observations.ledger
    checks = [
        (0, "half_movements", _rows(_half_movements(ledger))),
        (0, "unknown_kinds", _rows(ledger.filter(~pl.col("kind").is_in(tuple(KINDS))))),
        (0, "duplicate_entry_ids", _rows(_duplicate_ids(ledger))),
        (0, "missing_entry_ids", _missing_ids(ledger)),
        (1, "broken_balance_chains", _rows(_broken_chains(ledger))),
        (3, "transfers_that_do_not_cancel", _rows(_uncancelled(ledger))),
        (4, "negative_balances", _rows(ledger.filter(pl.col("balance_after") < 0))),
        (4, "negative_inventories", _rows(_negative_inventories(ledger))),
        (5, "reused_request_ids", _rows(reused_requests(ledger))),
    ]
    named = [
        count.select(law=pl.lit(law, dtype=pl.Int64), check=pl.lit(check), violations="violations")
        for law, check, count in checks
    ]
    return pl.concat(named)


def _rows(found: pl.LazyFrame) -> pl.LazyFrame:
    """How many rows were found: violations."""
    return found.select(violations=pl.len().cast(pl.Int64))


def _half_movements(ledger: pl.LazyFrame) -> pl.LazyFrame:
    """Rows with a currency and no amount, an amount and no currency, an item and no quantity, or the like."""
    blank = [pl.col(name).is_null() for name in ("currency", "amount", "balance_after")]
    half = (blank[0] != blank[1]) | (blank[1] != blank[2])
    return ledger.filter(half | (pl.col("item_id").is_null() != pl.col("quantity").is_null()))


def _duplicate_ids(ledger: pl.LazyFrame) -> pl.LazyFrame:
    """Rows beyond the first of an entry id."""
    return ledger.select("entry_id").filter(~pl.col("entry_id").is_first_distinct())


def _missing_ids(ledger: pl.LazyFrame) -> pl.LazyFrame:
    """How many numbers are missing where entry ids end in a running one: violations."""
    number = pl.col("entry_id").sort().str.extract(_RUNNING_NUMBER).cast(pl.Int64)
    numbered = ledger.select(number=number).with_columns(step=pl.col("number").diff())
    running = pl.col("number").is_not_null().all() & (pl.col("step").min() >= 0)
    skipped = pl.when(pl.col("step") > 1).then(pl.col("step") - 1).sum()
    return numbered.select(violations=pl.when(running).then(skipped).otherwise(0))


def _broken_chains(ledger: pl.LazyFrame) -> pl.LazyFrame:
    """Rows whose balance after is not the balance before plus the amount."""
    before = pl.col("balance_after").shift(1, fill_value=0).over("user_id", "currency", order_by="entry_id")
    rows = ledger.filter(pl.col("currency").is_not_null()).with_columns(before=before)
    exact = pl.col("before").cast(pl.Int128) + pl.col("amount")
    return rows.filter(exact != pl.col("balance_after"))


def _uncancelled(ledger: pl.LazyFrame) -> pl.LazyFrame:
    """Transactions whose transfers or gifts create or destroy something."""
    legs = ledger.filter(pl.col("kind").is_in(TRANSFERS))
    sums = legs.group_by("tx_id", "currency", "item_id").agg(
        pl.col("amount", "quantity").cast(pl.Int128).sum()
    )
    return sums.filter((pl.col("amount") != 0) | (pl.col("quantity") != 0)).select("tx_id").unique()


def _negative_inventories(ledger: pl.LazyFrame) -> pl.LazyFrame:
    """Rows after which a player holds fewer than no units of an item."""
    rows = ledger.filter(pl.col("item_id").is_not_null(), pl.col("user_id") != SYSTEM)
    held = pl.col("quantity").cum_sum().over("user_id", "item_id", order_by="entry_id")
    return rows.select(held=held).filter(pl.col("held") < 0)
