"""What a part of a ledger begins with: balances, inventories and stock brought forward from before it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import orjson
import polars as pl

from kokoromichi.analysis.audit import traded_units
from kokoromichi.analysis.reading import parquet_file
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.kinds import SYSTEM
from kokoromichi.core.schemas import LEDGER_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

BROUGHT_SCHEMA: Final = pl.Schema(
    {
        "user_id": pl.String(),
        "currency": pl.String(),
        "amount": pl.Int64(),
        "item_id": pl.String(),
        "quantity": pl.Int64(),
    }
)
"""One row per player and currency, or player and item, that moved before the part begins; item rows of
``system`` are what stock was restocked less what of it was sold. Null where the other of the two is not."""

BROUGHT_FILE: Final = "brought_forward.parquet"

EXPORT_FILE: Final = "export.json"
"""What an export says of itself beside its files: since, until, books."""

_KEYS: Final = ("user_id", "currency", "item_id")
_EXACT: Final = pl.Int128()


def carried(rows: pl.LazyFrame, stock: pl.LazyFrame | None = None) -> pl.LazyFrame:
    """Sum up the rows of a ledger that lie before a part of it.

    Args:
        rows: Columns of ``LEDGER_SCHEMA``, in any order.
        stock: ``item_id`` and ``since`` of the items whose stock counts, from that moment on; None for all
            that was ever sold or restocked.

    Returns:
        ``BROUGHT_SCHEMA``, in no order.
    """
    players = rows.filter(pl.col("user_id") != SYSTEM)
    money = players.filter(pl.col("currency").is_not_null()).select("user_id", "currency", "amount")
    goods = players.filter(pl.col("item_id").is_not_null()).select("user_id", "item_id", "quantity")
    units = traded_units(rows, stock).select(pl.lit(SYSTEM).alias("user_id"), "item_id", quantity="moved")
    return together([money, goods, units])


def together(parts: Iterable[pl.LazyFrame]) -> pl.LazyFrame:
    """Add up what several parts bring forward, one row a key; columns that a part lacks are null there."""
    blank = pl.LazyFrame(schema=BROUGHT_SCHEMA)
    grouped = pl.concat([blank, *parts], how="diagonal_relaxed").group_by(_KEYS)
    sums = grouped.agg(pl.col("amount", "quantity").cast(_EXACT).sum().cast(pl.Int64))
    amount = pl.when(pl.col("currency").is_not_null()).then("amount")
    quantity = pl.when(pl.col("item_id").is_not_null()).then("quantity")
    return sums.select("user_id", "currency", "item_id", amount=amount, quantity=quantity).select(
        BROUGHT_SCHEMA.names()
    )


def derived(ledger: pl.LazyFrame) -> pl.LazyFrame:
    """Read the balances that a ledger begins with from the first row of each player and currency.

    A whole ledger begins with none, and nothing lies before an opening. Inventories cannot be read so, since
    no row says how many were held.

    Returns:
        ``BROUGHT_SCHEMA``, in no order: balances that are not 0.
    """
    rows = ledger.filter(pl.all_horizontal(pl.col("currency", "amount", "balance_after").is_not_null()))
    first = rows.group_by("user_id", "currency").agg(
        pl.col("balance_after", "amount", "kind").sort_by("entry_id").first()
    )
    first = first.filter(pl.col("kind").ne_missing("opening"))
    before = (pl.col("balance_after").cast(_EXACT) - pl.col("amount")).cast(pl.Int64, strict=False)
    balances = first.select("user_id", "currency", amount=before).filter(pl.col("amount") != 0)
    return pl.concat([pl.LazyFrame(schema=BROUGHT_SCHEMA), balances], how="diagonal")


def as_rows(brought: pl.LazyFrame) -> pl.LazyFrame:
    """What players bring forward as rows of a ledger, for who adds one up: kind ``import``, at no time."""
    players = brought.filter(pl.col("user_id") != SYSTEM)
    blank = pl.LazyFrame(schema=LEDGER_SCHEMA)
    return pl.concat([blank, players.with_columns(kind=pl.lit("import"))], how="diagonal")


def brought_in(folder: Path, ledger: pl.LazyFrame) -> pl.LazyFrame | None:
    """What an export says that its part begins with.

    Args:
        folder: Of the export.
        ledger: The rows that lie there now.

    Returns:
        ``BROUGHT_SCHEMA``; None where nothing says so, or rows of an earlier time were put beside the part's.

    Raises:
        MisuseError: What the export says of itself is torn, or a file of the ledger is damaged.
    """
    path = folder / BROUGHT_FILE
    since: str | None = _told(folder).get("since")
    if not path.is_file():
        return None
    try:
        if since is not None:
            first = ledger.select(pl.col("at").min()).collect().item()
            if first is not None and first < dt.datetime.fromisoformat(since):
                return None
        return parquet_file(path)
    except pl.exceptions.ComputeError as error:
        raise MisuseError(f"a file of the ledger in {folder} is damaged: {error}") from error


def books_in(folder: Path) -> list[str]:
    """The only books that an export left in a folder; none where it left all.

    Raises:
        MisuseError: What the export says of itself is torn.
    """
    books: list[str] = _told(folder).get("books", [])
    return books


def _told(folder: Path) -> dict[str, Any]:
    path = folder / EXPORT_FILE
    try:
        told: dict[str, Any] = orjson.loads(path.read_bytes()) if path.is_file() else {}
    except orjson.JSONDecodeError as error:
        raise MisuseError(f"{path} cannot be read ({error}): export the ledger again") from error
    return told
