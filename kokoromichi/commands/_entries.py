"""From a row of the ledger to a line that its player reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kokoromichi.commands._receipts import named
from kokoromichi.commands._texts import mention, moment, say
from kokoromichi.core.clock import us_of
from kokoromichi.core.kinds import KINDS

if TYPE_CHECKING:
    from kokoromichi.commands._context import Context
    from kokoromichi.core.models import LedgerEntry


def kind_names() -> dict[str, str]:
    """What players call the kinds of rows that they may have, by kind."""
    return {kind: say(f"kind.{kind}") for kind, one in KINDS.items() if one.role != "stock"}


def entry_told(ctx: Context, entry: LedgerEntry) -> str:
    """One line: when, why, what moved, and what was there afterwards."""
    parts = []
    if entry.currency is not None and entry.amount is not None:
        amount = say("history.moved", sign=_sign(entry.amount), amount=abs(entry.amount))
        after = entry.balance_after or 0
        parts.append(say(f"history.{entry.currency}", moved=amount, after=after))
    if entry.item_id is not None and entry.quantity:
        units = say("history.moved", sign=_sign(entry.quantity), amount=abs(entry.quantity))
        parts.append(say("history.item", moved=units, name=named(ctx, entry.item_id)))
    if entry.counterparty is not None:
        parts.append(mention(entry.counterparty))
    what = " · ".join(parts)
    return say("history.row", when=moment(us_of(entry.at)), kind=say(f"kind.{entry.kind}"), what=what)


def _sign(amount: int) -> str:
    return "−" if amount < 0 else "+"
