"""Request ids that more than one transaction carries, looked for in a ledger of any age in bounded memory."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import apsw
import polars as pl

from kokoromichi.core.errors import NoRoomError

if TYPE_CHECKING:
    from collections.abc import Iterator

_CACHE_KB: Final = 4_096
_SHARED: Final = "SELECT request FROM carried GROUP BY request HAVING min(tx) <> max(tx)"
_REQUEST: Final = pl.col("request_id").hash().reinterpret(signed=True)
_TX: Final = pl.col("tx_id").hash().reinterpret(signed=True)


@contextmanager
def _on_disk() -> Iterator[None]:
    try:
        yield
    except (apsw.FullError, apsw.IOError, apsw.CantOpenError) as failed:
        message = (
            f"the audit's temporary file cannot be written ({failed}): make room in the temporary folder, or "
            "name another one in SQLITE_TMPDIR"
        )
        raise NoRoomError(message) from failed


class RequestIds:
    """Hashes of every request and its transaction, in a private database that ends with this.

    The system's temporary folder keeps it: some 18 bytes a transaction, twice that while they are sorted.

    Raises:
        NoRoomError: The folder has no room for it, here as in every method.
    """

    @_on_disk()
    def __init__(self) -> None:
        self._base = apsw.Connection("")
        self._base.execute(f"PRAGMA cache_size = -{_CACHE_KB}; CREATE TABLE carried (request INT, tx INT)")
        self._base.execute("BEGIN")

    @_on_disk()
    def add(self, rows: pl.DataFrame) -> None:
        """Add a part of a ledger."""
        pairs = rows.select(_REQUEST, _TX).unique()
        self._base.executemany("INSERT INTO carried VALUES (?, ?)", pairs.iter_rows())

    @_on_disk()
    def suspects(self) -> pl.Expr | None:
        """Which rows have a request id whose hash is of several transactions; None where no row has."""
        found = [request for (request,) in self._base.execute(_SHARED)]
        return _REQUEST.is_in(found) if found else None

    def close(self) -> None:
        """Let go of the database."""
        self._base.close()
