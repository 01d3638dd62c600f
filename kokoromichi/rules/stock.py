"""The stock behind the counter: put on the shelf, filled up by the period, retired, set by an admin.

A stock began at a moment and counts its days from there; all times are in microseconds since the epoch, UTC.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from kokoromichi.core.counters import RETIRED_US
from kokoromichi.core.models import DAY_US, NEVER
from kokoromichi.rules.codes import BAD_QUANTITY, MAX_BALANCE, OK

UNLIMITED: Final = -1
"""The first stock of an item that is sold without a limit."""

KEPT: Final = 0
BEGUN: Final = 1
RENEWED: Final = 2
FILLED: Final = 3
RETIRED: Final = 4


class Shelf(NamedTuple):
    """What one look at the stock of an item came to.

    Attributes:
        code: OK.
        step: KEPT (nothing is due), BEGUN, RENEWED (it was retired), FILLED (also by no unit) or RETIRED.
        stock: Units left afterwards.
        first_stock: Units that it began with.
        since_us: When it began; ``RETIRED_US`` or more once it is retired.
        last_day: Days from then to the last restocking.
        moved_units: Units added by a restocking; a stock that begins is no movement.
    """

    code: int
    step: int
    stock: int
    first_stock: int
    since_us: int
    last_day: int
    moved_units: int


class StockSet(NamedTuple):
    """What an admin's stock came to; on a refusal everything is as before, and nothing moves.

    Attributes:
        code: OK or BAD_QUANTITY.
        stock: Units left afterwards.
        moved_units: Units added; below 0 those taken away.
    """

    code: int
    stock: int
    moved_units: int


def restock(
    now_us: int,
    any_sold: int,
    stock: int,
    first_stock: int,
    since_us: int,
    last_day: int,
    initial_stock: int,
    restock_units: int,
    restock_days: int,
) -> Shelf:
    """Decide what is due for the stock of one item.

    Args:
        now_us: The present.
        any_sold: 1 once anything was sold or put on a shelf. Before, a stock begins at 0, so that every sale
            is of it, also where a clock steps back.
        stock: Units left.
        first_stock: Units that it began with.
        since_us: When it began; NEVER where there was none yet.
        last_day: Days from then to the last restocking.
        initial_stock: Units that a stock begins with now, or UNLIMITED.
        restock_units: Units that one restocking may add.
        restock_days: Days of a period; below 1 nothing is ever restocked.

    Returns:
        The stock afterwards. It is filled up once a period, never above its first one, and periods that
        passed meanwhile are not made up for. A restocking more than a period ahead of the clock was made
        while a clock was wrong: the period begins anew, and so that no step has the request id of another
        one, the stock counts as begun a microsecond later. Where an item is sold without a limit its stock
        is retired; with a limit again it begins anew.
    """
    is_live = since_us != NEVER and since_us < RETIRED_US
    if initial_stock == UNLIMITED:
        if not is_live:
            return Shelf(OK, KEPT, stock, first_stock, since_us, last_day, 0)
        return Shelf(OK, RETIRED, stock, first_stock, since_us + RETIRED_US, last_day, 0)
    if not is_live:
        step = BEGUN if since_us == NEVER else RENEWED
        began_us = now_us if any_sold else 0
        day = now_us // DAY_US - began_us // DAY_US
        return Shelf(OK, step, initial_stock, initial_stock, began_us, day, 0)
    days = max(0, now_us // DAY_US - since_us // DAY_US)
    waited_days = days - last_day
    if restock_days < 1 or -restock_days <= waited_days < restock_days:
        return Shelf(OK, KEPT, stock, first_stock, since_us, last_day, 0)
    if waited_days < 0:
        return Shelf(OK, FILLED, stock, first_stock, since_us + 1, days, 0)
    units = max(0, min(restock_units, initial_stock - stock))
    day = last_day + waited_days - waited_days % restock_days
    return Shelf(OK, FILLED, stock + units, first_stock, since_us, day, units)


def set_stock(stock: int, units: int) -> StockSet:
    """Put so many units on the shelf: also fewer than there are.

    Args:
        stock: Units left, at least 0.
        units: Units that shall be left, any integer of 64 bits.

    Returns:
        OK or BAD_QUANTITY.
    """
    if units < 0 or units > MAX_BALANCE:
        return StockSet(BAD_QUANTITY, stock, 0)
    return StockSet(OK, units, units - stock)
