"""What a provider stores, read through its interface alone, and the changes that tests store."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final, NamedTuple

from kokoromichi.core.clock import us_of
from kokoromichi.core.models import ChangeSet, CounterChange, Movement, UserChange
from kokoromichi.core.transactions import Committed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.documents import Document
    from kokoromichi.core.models import FieldValue, LedgerEntry

NOON_US: Final = us_of(datetime(2026, 3, 10, 12, tzinfo=timezone.utc))


class Stored(NamedTuple):
    """Everything that a change may touch."""

    users: dict[str, Document | None]
    counters: dict[str, int]
    ledger: list[dict[str, object]]


class Row(NamedTuple):
    """What a ledger row says, without its ids, time, actor and words."""

    kind: str
    user_id: str
    currency: str | None = None
    amount: int | None = None
    balance_after: int | None = None
    item_id: str | None = None
    quantity: int | None = None
    counterparty: str | None = None


async def stored(provider: DataProvider) -> Stored:
    """All users, counters and ledger rows."""
    users = {user_id: await provider.get_user(user_id) for user_id in await provider.user_ids()}
    frames = [frame async for frame in provider.ledger_frames()]
    return Stored(users, await provider.counters(), [row for frame in frames for row in frame.to_dicts()])


async def entries(provider: DataProvider, user_id: str | None = None) -> list[LedgerEntry]:
    """Up to 1,000 ledger rows as records, oldest first."""
    return (await provider.read_ledger(user_id=user_id, limit=1_000))[::-1]


async def rows(provider: DataProvider, user_id: str | None = None) -> list[Row]:
    """Up to 1,000 ledger rows in short, oldest first."""
    return [
        Row(*(getattr(entry, name) for name in Row._fields)) for entry in await entries(provider, user_id)
    ]


def money(amount: int, after: int, kind: str = "grant", currency: str = "gold") -> Movement:
    """A movement of a balance to ``after``."""
    return Movement(kind, currency, amount, after)


def goods(item_id: str, quantity: int, kind: str = "grant") -> Movement:
    """A movement of an item."""
    return Movement(kind, item_id=item_id, quantity=quantity)


def user(
    user_id: str, version: int, *movements: Movement, fields: Mapping[str, FieldValue] | None = None
) -> UserChange:
    """What changes of one player."""
    return UserChange(user_id, version, movements, fields)


def change(
    *users: UserChange,
    counters: tuple[CounterChange, ...] = (),
    at_us: int = NOON_US,
    request_id: str | None = None,
    digest: str = "",
    answer: tuple[int, int] = (0, 0),
) -> ChangeSet[Committed]:
    """One act over ``users``."""
    return ChangeSet(at_us, users, Committed(*answer), counters, request_id=request_id, digest=digest)


async def with_player(provider: DataProvider, user_id: str, gold: int = 100, **items: int) -> None:
    """Create a player at version 1 who has ``gold`` and ``items``."""
    held = tuple(goods(item_id, units) for item_id, units in items.items())
    await provider.apply(change(user(user_id, 0, money(gold, gold), *held)))


async def with_counter(provider: DataProvider, name: str, value: int) -> None:
    """Create a counter."""
    await provider.apply(change(counters=(CounterChange(name, value, creates=True),)))
