"""From a receipt to what the player reads: one sentence a class, by its name, in ``_texts``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kokoromichi.commands._embeds import card
from kokoromichi.commands._texts import mention, moment, plain, say

if TYPE_CHECKING:
    import discord

    from kokoromichi.commands._context import Context
    from kokoromichi.core.models import Receipt


_NAMED: Final = {"item_id": "item", "what": "what", "business_id": "business", "waifu_id": "character"}


def named(ctx: Context, thing_id: str) -> str:
    """The name that stands for the id of an item, a business or a character; the id where there is none."""
    return plain(ctx.services.names.get(thing_id, thing_id))


def receipt_card(ctx: Context, title: str, receipt: Receipt) -> discord.Embed:
    """The embed of what an act answered."""
    return card(title, receipt_told(ctx, receipt))


def receipt_told(ctx: Context, receipt: Receipt) -> str:
    """The sentence of a receipt: its fields by name, ids as the names that they stand for."""
    values: dict[str, object] = {name: getattr(receipt, name) for name in receipt.__struct_fields__}
    for field, word in _NAMED.items():
        if field in values:
            values[word] = named(ctx, str(values[field]))
    if (user_id := values.get("user_id")) is not None:
        values["player"] = mention(str(user_id))
    if (receiver_id := values.get("receiver_id")) is not None:
        values["receiver"] = mention(str(receiver_id))
    if (effect := values.get("effect")) is not None:
        until = moment(int(str(values["until_us"])), "t")
        values["effect"] = say(f"effect.{effect}", **{**values, "until": until})
    return say(type(receipt).__name__, **values)
