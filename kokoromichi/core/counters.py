"""The counters behind limited stock, by name: what services write and the audit reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kokoromichi.core.errors import ConflictError, FloorError, MisuseError
from kokoromichi.core.models import MOST_INT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kokoromichi.core.models import CounterChange

_STOCK: Final = "stock."

RETIRED_US: Final = 2**55
"""Added to when a stock began, once its item is sold without a limit: until it has a stock again, law 6 has
nothing to say of it."""


def stock_counter(item_id: str) -> str:
    """Units of an item that are left."""
    return f"{_STOCK}{item_id}"


def first_stock_counter(item_id: str) -> str:
    """Units that its stock began with."""
    return f"stock_first.{item_id}"


def stock_since_counter(item_id: str) -> str:
    """When its stock began, in microseconds since the epoch; sales before were of unlimited stock.

    0 where nothing had been sold by then: law 6 counts every sale, whatever a clock says. Elsewhere it goes
    by time, since rows of different players have no other order that every provider keeps: a clock that steps
    back past the beginning of such a stock makes the audit report a difference.
    """
    return f"stock_since.{item_id}"


def last_restock_counter(item_id: str) -> str:
    """The day of the last restocking, counted from the day on which the stock began."""
    return f"stock_restocked.{item_id}"


def stocked_items(counters: dict[str, int]) -> list[str]:
    """The items that have limited stock, ascending; not those whose stock is retired or not of the store."""
    items = sorted(name.removeprefix(_STOCK) for name in counters if name.startswith(_STOCK))
    return [item for item in items if counters.get(stock_since_counter(item), RETIRED_US) < RETIRED_US]


def counters_after(stored: Callable[[str], int | None], changes: Sequence[CounterChange]) -> dict[str, int]:
    """The counters that change, as they are then; one may stand twice.

    Args:
        stored: A counter by its name, or None where there is none.
        changes: What is asked of them.

    Raises:
        ConflictError: A counter is there, or is not, and should not be, or should.
        FloorError: One would fall below zero.
        MisuseError: One would have more than 64 bits.
    """
    after: dict[str, int] = {}
    for change in changes:
        name, delta = change.name, change.delta
        available = after.get(name, stored(name))
        if change.creates == (available is not None):
            message = f"counter {name} {'exists already' if change.creates else 'does not exist'}"
            raise ConflictError(message)
        after[name] = (available or 0) + delta
        if after[name] < 0:
            raise FloorError(name, available or 0)
        if after[name] > MOST_INT:
            raise counter_overflow(name, available or 0, delta)
    return after


def counter_overflow(name: str, available: int, delta: int) -> MisuseError:
    """A counter would have more than 64 bits."""
    return MisuseError(f"counter {name} is {available}, and {delta:+} is beyond 64 bits")
