"""Request ids that more than one transaction carries, looked for in a ledger of any age in bounded memory."""

from __future__ import annotations

from typing import Final

import apsw
import polars as pl

_CACHE_KB: Final = 4_096
_SHARED: Final = "SELECT request FROM carried GROUP BY request HAVING min(tx) <> max(tx)"
_REQUEST: Final = pl.col("request_id").hash().reinterpret(signed=True)
_TX: Final = pl.col("tx_id").hash().reinterpret(signed=True)


class RequestIds:
    """Hashes of every request and its transaction, in a private database that ends with this.

    The system's temporary folder keeps it: some 20 bytes a transaction, twice that while they are sorted.
    """

    def __init__(self) -> None:
        self._base = apsw.Connection("")
        self._base.execute(f"PRAGMA cache_size = -{_CACHE_KB}; CREATE TABLE carried (request INT, tx INT)")
        self._base.execute("BEGIN")

    def add(self, rows: pl.DataFrame) -> None:
        """Add a part of a ledger."""
        pairs = rows.select(_REQUEST, _TX).unique()
        self._base.executemany("INSERT INTO carried VALUES (?, ?)", pairs.iter_rows())

    def suspects(self) -> pl.Expr | None:
        """Which rows have a request id whose hash is of several transactions; None where no row has."""
        found = [request for (request,) in self._base.execute(_SHARED)]
        return _REQUEST.is_in(found) if found else None

    def close(self) -> None:
        """Let go of the database."""
        self._base.close()
