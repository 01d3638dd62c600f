"""Every kind of ledger row, its book and its role: one table, shown in the documents."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Role = Literal["faucet", "sink", "transfer", "item", "stock", "admin", "correction"]

SYSTEM: Final = "system"
"""The user id and actor of rows that no player caused; laws 1 and 2 skip it."""


class Kind(NamedTuple):
    """A reason for a ledger row.

    Attributes:
        name: The code in the ledger's ``kind`` column.
        book: The ledger it is written to (``ledger_<book>``, ``ledgers/<book>.log``).
        role: What it is for: spending is what left through a sink. Flows go by the sign of each row instead,
            so that an ``exchange``, a sink of gold, is a faucet of gems, and a ``correction`` is either.
    """

    name: str
    book: str
    role: Role


KINDS: Final[dict[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind("opening", "rewards", "faucet"),
        Kind("daily", "rewards", "faucet"),
        Kind("battle", "battles", "faucet"),
        Kind("sale", "purchases", "faucet"),
        Kind("income", "progress", "faucet"),
        Kind("reward", "rewards", "faucet"),
        Kind("purchase", "purchases", "sink"),
        Kind("summon", "summons", "sink"),
        Kind("train", "progress", "sink"),
        Kind("invest", "progress", "sink"),
        Kind("upkeep", "progress", "sink"),
        Kind("exchange", "purchases", "sink"),
        Kind("fee", "transfers", "sink"),
        Kind("transfer", "transfers", "transfer"),
        Kind("gift", "transfers", "transfer"),
        Kind("use", "rewards", "item"),
        Kind("restock", "purchases", "stock"),
        Kind("admin_act", "admin", "admin"),
        Kind("grant", "admin", "correction"),
        Kind("import", "admin", "correction"),
        Kind("correction", "admin", "correction"),
    )
}

BOOKS: Final[tuple[str, ...]] = tuple(sorted({kind.book for kind in KINDS.values()}))

CURRENCIES: Final[tuple[str, ...]] = ("gold", "gems")
