"""What one step of a copy stores: parts of another store, as they were."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from kokoromichi.core.models import UserProfile


@dataclass(frozen=True, slots=True)
class UserSnapshot:
    """A player who is put whole.

    Attributes:
        expected_version: The version that must be stored before; 0 for a player who is not stored.
        profile: Every field, its own version and the unknown ones.
    """

    expected_version: int
    profile: UserProfile


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A request id and its receipt.

    Attributes:
        request_id: The idempotency key.
        digest: The act as asked; see ``validation.digest_of``.
        answer: The receipt, as ``Receipt.encoded`` gives it.
        at_us: When it was stored, in microseconds since the epoch; NEVER where the store does not know.
    """

    request_id: str
    digest: str
    answer: bytes
    at_us: int


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What ``DataProvider.load`` stores whole, or not at all.

    Attributes:
        users: Players, each put whole.
        rows: Ledger rows (``LEDGER_SCHEMA``), oldest first, appended as they are; they move no balance, since
            the profiles beside them hold the result already.
        counters: Absolute values, created or replaced.
        requests: Request ids with their receipts.
        sections: Documents, as ``save_game_data`` stores them.
    """

    users: tuple[UserSnapshot, ...] = ()
    rows: pl.DataFrame | None = None
    counters: Mapping[str, int] = field(default_factory=dict)
    requests: tuple[StoredResponse, ...] = ()
    sections: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
