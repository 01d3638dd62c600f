"""What a ledger says of each player and book, in numbers that two stores can be held against."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import polars as pl

from kokoromichi.core.schemas import LEDGER_SCHEMA

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

Key: TypeAlias = "tuple[str, str]"
"""A player and a book."""

_KEYS: Final = ("user_id", "book")
_COLUMNS: Final = tuple(name for name in LEDGER_SCHEMA if name not in ("entry_id", "tx_id"))
"""What a row says; the two others a store may number anew."""
_PLACES: Final = pl.Schema({"user_id": pl.String(), "book": pl.String(), "before": pl.Int64()})
_WIDE: Final = pl.Int128()


@dataclass(slots=True)
class Tally:
    """The rows of one player in one book.

    Attributes:
        rows: How many.
        gold: Sum of the amounts of gold; ``gems`` likewise.
        digest: Of all rows in their order.
        prefix: The same of the first rows only, as many as the other store has.
    """

    rows: int = 0
    gold: int = 0
    gems: int = 0
    digest: int = 0
    prefix: int = 0


class Places:
    """Numbers the rows of each player and book, from frame to frame."""

    def __init__(self) -> None:
        self._counts: dict[Key, int] = {}

    def number(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame in its order, with ``place`` (Int64): its number in its player and book, from 0."""
        known = _by_key({key: self._counts.get(key, 0) for key in frame.select(_KEYS).unique().rows()})
        snapshot = frame.join(known, on=_KEYS, how="left", maintain_order="left")
        within = pl.int_range(pl.len(), dtype=pl.Int64).over(_KEYS)
        snapshot = snapshot.with_columns(place=within + pl.col("before")).drop("before")
        for user_id, book, rows in frame.group_by(_KEYS).len().rows():
            self._counts[user_id, book] = self._counts.get((user_id, book), 0) + rows
        return snapshot


def _by_key(numbers: Mapping[Key, int]) -> pl.DataFrame:
    rows = [(user_id, book, number) for (user_id, book), number in numbers.items()]
    return pl.DataFrame(rows, schema=_PLACES, orient="row")


def rows_between(
    snapshot: pl.DataFrame, first: Mapping[Key, int], last: Mapping[Key, int], user_ids: set[str]
) -> pl.DataFrame:
    """The rows of these players from place ``first`` up to ``last``, in their order, without ``place``."""
    keys = snapshot.select(_KEYS).unique().rows()
    low = _by_key({key: first.get(key, 0) for key in keys}).rename({"before": "low"})
    high = _by_key({key: last.get(key, 0) for key in keys if key[0] in user_ids}).rename({"before": "high"})
    bound = snapshot.join(low, on=_KEYS, how="left", maintain_order="left")
    bound = bound.join(high, on=_KEYS, how="left", maintain_order="left")
    wanted = (pl.col("place") >= pl.col("low")) & (pl.col("place") < pl.col("high"))
    return bound.filter(wanted).select(LEDGER_SCHEMA.names())


async def tally(
    frames: AsyncIterator[pl.DataFrame], prefixes: Mapping[Key, int] | None = None
) -> dict[Key, Tally]:
    """Count, sum and digest a ledger, player by player and book by book.

    Args:
        frames: The rows, oldest first.
        prefixes: How many first rows of each count for ``prefix``.
    """
    found: dict[Key, Tally] = {}
    places = Places()
    async for frame in frames:
        snapshot = places.number(frame)
        low = _by_key({key: (prefixes or {}).get(key, 0) for key in frame.select(_KEYS).unique().rows()})
        sums = (
            snapshot.join(low, on=_KEYS, how="left", maintain_order="left")
            .with_columns(digest=pl.struct(*_COLUMNS, "place").hash(seed=1).cast(_WIDE))
            .group_by(_KEYS)
            .agg(
                rows=pl.len(),
                gold=pl.col("amount").filter(pl.col("currency") == "gold").cast(_WIDE).sum(),
                gems=pl.col("amount").filter(pl.col("currency") == "gems").cast(_WIDE).sum(),
                digest=pl.col("digest").sum(),
                prefix=pl.col("digest").filter(pl.col("place") < pl.col("before")).sum(),
            )
        )
        for user_id, book, rows, gold, gems, digest, prefix in sums.rows():
            one = found.setdefault((user_id, book), Tally())
            one.rows += rows
            one.gold += int(gold)
            one.gems += int(gems)
            one.digest += int(digest)
            one.prefix += int(prefix)
    return found


def by_book(tallies: Mapping[Key, Tally]) -> dict[str, dict[str, int | str]]:
    """Rows, sums and one digest for each book."""
    books: dict[str, dict[str, int | str]] = {}
    for book in sorted({key[1] for key in tallies}):
        ours = sorted((key, one) for key, one in tallies.items() if key[1] == book)
        text = "\n".join(f"{key[0]} {one.rows} {one.digest}" for key, one in ours)
        books[book] = {
            "rows": sum(one.rows for _key, one in ours),
            "gold": sum(one.gold for _key, one in ours),
            "gems": sum(one.gems for _key, one in ours),
            "digest": hashlib.blake2b(text.encode(), digest_size=16).hexdigest(),
        }
    return books
