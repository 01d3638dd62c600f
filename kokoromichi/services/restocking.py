"""The stock behind the counter: put on the shelf, filled up by the period, retired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kokoromichi.core.counters import (
    first_stock_counter,
    last_restock_counter,
    stock_counter,
    stock_since_counter,
    stocked_items,
)
from kokoromichi.core.kinds import SYSTEM
from kokoromichi.core.models import NEVER, ChangeSet, CounterChange
from kokoromichi.rules import stock
from kokoromichi.services.booking import Booking
from kokoromichi.services.receipts import RestockReceipt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kokoromichi.rules.sections import StoreItem
    from kokoromichi.services.executor import CommandExecutor

_BOOKING: Final = Booking("restock")

_REQUEST_IDS: Final = {
    stock.BEGUN: "stock:{item_id}",
    stock.RENEWED: "stock:{item_id}:{since_us}",
    stock.FILLED: "restock:{item_id}:{since_us}:after:{last_day}",
    stock.RETIRED: "retire:{item_id}:{since_us}",
}
"""Of what was read, so that of all who decide upon it, whatever their clocks say, one is stored."""


def request_id_of(step: int, item_id: str, since_us: int, last_day: int) -> str:
    """The request id of a step of ``rules.stock``, by what the shelf was before it."""
    return _REQUEST_IDS[step].format(item_id=item_id, since_us=since_us, last_day=last_day)


async def restock(executor: CommandExecutor) -> list[RestockReceipt]:
    """Put limited items on the shelf for the first time, and fill up those whose period has come.

    A restocking happens once a period however often and from however many processes it is asked for; see
    ``rules.stock.restock``.

    Returns:
        One receipt per item that was filled up, in catalogue order.
    """
    counters = await executor.provider.counters()
    at_us = executor.clock.now_us()
    any_sold = stocked_items(counters) or await executor.provider.read_ledger(kind="purchase", limit=1)
    receipts = []
    for item_id in executor.live.offers:
        numbers = executor.live.config.store[item_id]
        change = _shelved(item_id, numbers, counters, at_us, 1 if any_sold else 0)
        if change is not None and (receipt := await executor.provider.apply(change)).units:
            receipts.append(receipt)
    return receipts


def _shelved(
    item_id: str, numbers: StoreItem, counters: Mapping[str, int], at_us: int, any_sold: int
) -> ChangeSet[RestockReceipt] | None:
    names = (
        stock_counter(item_id),
        first_stock_counter(item_id),
        stock_since_counter(item_id),
        last_restock_counter(item_id),
    )
    left, first_stock, since_us, last_day = before = tuple(counters.get(name, NEVER) for name in names)
    shelf = stock.restock(
        at_us,
        any_sold,
        left,
        first_stock,
        since_us,
        last_day,
        stock.UNLIMITED if numbers.stock is None else numbers.stock,
        numbers.restock_units,
        numbers.restock_days,
    )
    if shelf.step == stock.KEPT:
        return None
    after = (shelf.stock, shelf.first_stock, shelf.since_us, shelf.last_day)
    request_id = request_id_of(shelf.step, item_id, since_us, last_day)
    return ChangeSet(
        at_us,
        (),
        RestockReceipt(item_id, shelf.moved_units, shelf.stock),
        _counted(names, before, after, begins=shelf.step == stock.BEGUN),
        _BOOKING.rows(shelf, None, item_id),
        actor=SYSTEM,
        request_id=request_id,
        digest="restock",
    )


def _counted(
    names: tuple[str, ...], before: tuple[int, ...], after: tuple[int, ...], *, begins: bool
) -> tuple[CounterChange, ...]:
    """Counters change by what is added to them; those of a stock that begins are created."""
    if begins:
        return tuple(
            CounterChange(name, value, creates=True) for name, value in zip(names, after, strict=True)
        )
    differences = (value - was for value, was in zip(after, before, strict=True))
    return tuple(CounterChange(name, added) for name, added in zip(names, differences, strict=True) if added)
