"""The stock behind the counter: put on the shelf, filled up by the period, retired."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kokoromichi.core.clock import DAY_US
from kokoromichi.core.counters import (
    RETIRED_US,
    first_stock_counter,
    last_restock_counter,
    stock_counter,
    stock_since_counter,
    stocked_items,
)
from kokoromichi.core.kinds import SYSTEM
from kokoromichi.core.models import ChangeSet, CounterChange, Movement
from kokoromichi.rules.purchase import restocked
from kokoromichi.services.receipts import RestockReceipt

if TYPE_CHECKING:
    from kokoromichi.rules.sections import StoreItem
    from kokoromichi.services.executor import CommandExecutor


async def restock(executor: CommandExecutor) -> list[RestockReceipt]:
    """Put limited items on the shelf for the first time, and fill up those whose period has come.

    A restocking happens once a period however often and from however many processes it is asked for; it
    never fills above the first stock, and periods that passed meanwhile are not made up for. The stock of
    an item that is sold without a limit now is retired; should it be limited again, its stock is new.

    Returns:
        One receipt per item that was filled up, in catalogue order.
    """
    counters = await executor.provider.counters()
    at_us = began_us = executor.clock.now_us()
    if not stocked_items(counters) and not await executor.provider.read_ledger(kind="purchase", limit=1):
        began_us = 0  # Nothing was sold yet: every sale is of a stock, also where a clock steps back.
    receipts = []
    for item_id, offer in executor.live.offers.items():
        if offer.stock_counter is None:
            change = _retiring(item_id, counters, at_us)
        else:
            numbers = executor.live.config.store[item_id]
            change = _restocking(numbers, item_id, counters, at_us, began_us)
        if change is not None and (receipt := await executor.provider.apply(change)).units:
            receipts.append(receipt)
    return receipts


def _restocking(
    numbers: StoreItem, item_id: str, counters: dict[str, int], at_us: int, began_us: int
) -> ChangeSet[RestockReceipt] | None:
    stock, last = stock_counter(item_id), last_restock_counter(item_id)
    since = stock_since_counter(item_id)
    units, initial = 0, numbers.stock or 0
    day = at_us // DAY_US - began_us // DAY_US
    firsts = {stock: initial, first_stock_counter(item_id): initial, since: began_us, last: day}
    if stock not in counters:
        changes = tuple(CounterChange(name, value, creates=True) for name, value in firsts.items())
        now, request_id = initial, f"stock:{item_id}"
    elif counters[since] >= RETIRED_US:
        changes = tuple(CounterChange(name, value - counters[name]) for name, value in firsts.items())
        now, request_id = initial, f"stock:{item_id}:{counters[since]}"
    else:
        since_us = counters[since]
        waited_days = at_us // DAY_US - since_us // DAY_US - counters[last]
        if not numbers.restock_days or waited_days < numbers.restock_days:
            return None
        units = restocked(counters[stock], initial, numbers.restock_units)
        passed_days = waited_days - waited_days % numbers.restock_days
        changes = (CounterChange(stock, units), CounterChange(last, passed_days))
        now = counters[stock] + units
        # Of what was read, so that of all who decide upon it, whatever their clocks say, one is stored.
        request_id = f"restock:{item_id}:{since_us}:after:{counters[last]}"
    rows = (Movement("restock", item_id=item_id, quantity=units),) if units else ()
    return _shelving(RestockReceipt(item_id, units, now), at_us, changes, rows, request_id)


def _retiring(item_id: str, counters: dict[str, int], at_us: int) -> ChangeSet[RestockReceipt] | None:
    since = stock_since_counter(item_id)
    if counters.get(since, RETIRED_US) >= RETIRED_US:
        return None  # It never had a stock, or has none any more.
    receipt = RestockReceipt(item_id, 0, counters[stock_counter(item_id)])
    retired = (CounterChange(since, RETIRED_US),)
    return _shelving(receipt, at_us, retired, (), f"retire:{item_id}:{counters[since]}")


def _shelving(
    receipt: RestockReceipt,
    at_us: int,
    changes: tuple[CounterChange, ...],
    rows: tuple[Movement, ...],
    request_id: str,
) -> ChangeSet[RestockReceipt]:
    return ChangeSet(at_us, (), receipt, changes, rows, actor=SYSTEM, request_id=request_id, digest="restock")
