"""From a receipt, or a row of the ledger, to what the player reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kokoromichi.chat.embeds import card
from kokoromichi.chat.texts import mention, moment, plain, say
from kokoromichi.core.clock import us_of
from kokoromichi.core.kinds import CURRENCIES, KINDS

if TYPE_CHECKING:
    import discord

    from kokoromichi.chat.context import Context
    from kokoromichi.core.models import LedgerEntry, Receipt
    from kokoromichi.services.receipts import UseReceipt

_NAMED: Final = {"item_id": "item", "business_id": "business", "waifu_id": "character"}


def named(ctx: Context, thing_id: str) -> str:
    """The name that stands for the id of an item, a business or a character; the id where there is none."""
    return plain(ctx.services.names.get(thing_id, thing_id))


def receipt_card(ctx: Context, title: str, receipt: Receipt) -> discord.Embed:
    """The embed of what an act answered."""
    return card(title, format_receipt(ctx, receipt))


def format_receipt(ctx: Context, receipt: Receipt) -> str:
    """The sentence of a receipt: its fields by name, ids as the names that they stand for."""
    values: dict[str, object] = {name: getattr(receipt, name) for name in receipt.__struct_fields__}
    for field, word in _NAMED.items():
        if field in values:
            values[word] = named(ctx, str(values[field]))
    if "what" in values:
        values["granted"] = _format_grant(ctx, str(values["what"]), values["amount"])
    if (user_id := values.get("user_id")) is not None:
        values["player"] = mention(str(user_id))
    if (receiver_id := values.get("receiver_id")) is not None:
        values["receiver"] = mention(str(receiver_id))
    if (effect := values.get("effect")) is not None:
        until = moment(int(str(values["until_us"])), "f")
        values["effect"] = say(f"effect.{effect}", **{**values, "until": until})
    return say(type(receipt).__name__, **values)


def _format_grant(ctx: Context, what: str, amount: object) -> str:
    if what in CURRENCIES:
        return say(what, **{what: amount})
    return say("units", quantity=amount, item=named(ctx, what))


def format_use(ctx: Context, used: UseReceipt) -> str:
    """What a use came to, with the units that it took where they are several."""
    text = format_receipt(ctx, used)
    return text if used.quantity == 1 else say("use.several", quantity=used.quantity, told=text)


def kind_names() -> dict[str, str]:
    """What players call the kinds of rows that they may have, by kind."""
    return {kind: say(f"kind.{kind}") for kind, one in KINDS.items() if one.role != "stock"}


def format_entry(ctx: Context, entry: LedgerEntry) -> str:
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
    what = "".join(say("history.part", part=part) for part in parts)
    return say("history.row", when=moment(us_of(entry.at)), kind=say(f"kind.{entry.kind}"), what=what)


def _sign(amount: int) -> str:
    return "−" if amount < 0 else "+"
