"""The store."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import discord
from discord import app_commands
from discord.ext import commands

from kokoromichi.chat.arguments import ItemArgument, choices, offered_items
from kokoromichi.chat.context import Context
from kokoromichi.chat.declaring import command
from kokoromichi.chat.embeds import card, paged
from kokoromichi.chat.receipts import receipt_card
from kokoromichi.chat.texts import plain, say
from kokoromichi.core.errors import RefusedError
from kokoromichi.core.models import SECOND_US
from kokoromichi.rules import codes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kokoromichi.chat.game import Game
    from kokoromichi.core.models import Item, UserProfile

STORE_ROWS: Final = 8
SHOWN_S: Final = 900
"""So long the price that a player was shown is the only one that they are charged, in seconds."""
_SHOWN_PLAYERS: Final = 10_000


class ShownPrices:
    """What each player read in the store a while ago: another price is not charged without a word."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, tuple[int, dict[str, int]]] = OrderedDict()

    def note(self, player_id: str, offered: Iterable[Item], now_us: int) -> None:
        """Remember what a player is shown, beside what they were shown before."""
        _, prices = self._of.pop(player_id, (0, {}))
        self._of[player_id] = now_us, {**prices, **{item.item_id: item.price_gold for item in offered}}
        if len(self._of) > _SHOWN_PLAYERS:
            self._of.popitem(last=False)

    def price_gold(self, player_id: str, item_id: str, now_us: int) -> int | None:
        """The price of a unit that a player was shown, or None where that is too long ago."""
        shown_us, prices = self._of.get(player_id, (0, {}))
        return prices.get(item_id) if 0 <= now_us - shown_us < SHOWN_S * SECOND_US else None

    def forget(self, player_id: str) -> None:
        """Forget what a player was shown."""
        self._of.pop(player_id, None)


class Shop(commands.Cog):
    """What is sold, and buying it."""

    def __init__(self) -> None:
        self._shown = ShownPrices()

    @command(aliases=["shop", "catalog"])
    @app_commands.describe(page="Which page", category="Only this shelf")
    async def store(self, ctx: Context, page: int = 1, category: str | None = None) -> None:
        """Show what the store sells, what it costs, and what is left."""
        shelf = category.casefold() if category else None
        offered = await ctx.read(lambda services: services.store.view_store(shelf))
        found = await ctx.profile_of(None)
        self._shown.note(ctx.player_id, offered, ctx.services.now_us())
        pages = paged([_format_offer(item, found) for item in offered], STORE_ROWS) or [say("nothing")]

        async def draw(number: int) -> discord.Embed:
            return card(say("store.title"), pages[number], footer=say("gold", gold=found.gold))

        await ctx.turn_pages(len(pages), draw, page - 1)

    @store.autocomplete("category")
    async def _categories(
        self, interaction: discord.Interaction[Game], typed: str
    ) -> list[app_commands.Choice[str]]:
        catalogue = interaction.client.services.live.catalogue
        shelves = dict.fromkeys(entry.category for entry in catalogue.values())
        return choices(typed, {}, shelves)

    @command(aliases=["purchase"])
    @app_commands.describe(item="What to buy", quantity="How many")
    @app_commands.autocomplete(item=offered_items)
    async def buy(self, ctx: Context, item: ItemArgument, quantity: int = 1) -> None:
        """Buy something from the store."""
        now_us = ctx.services.now_us()
        expected_price_gold = self._shown.price_gold(ctx.player_id, item, now_us)
        try:
            receipt = await ctx.act(
                lambda request_id: ctx.services.store.purchase(
                    ctx.player_id,
                    item,
                    quantity,
                    expected_price_gold=expected_price_gold,
                    request_id=request_id,
                )
            )
        except RefusedError as refusal:
            if refusal.code == codes.CODE_NAMES[codes.PRICE_CHANGED]:
                # They read the new price now: it is charged when they ask again.
                self._shown.forget(ctx.player_id)
            raise
        await ctx.answer(receipt_card(ctx, say("purchase.title"), receipt))


def _format_offer(item: Item, found: UserProfile) -> str:
    owned = found.inventory.get(item.item_id, 0)
    left = [] if item.stock is None else [say("store.stock", stock=item.stock)]
    if item.limit is not None:
        left.append(say("store.room", owned=owned, limit=item.limit))
    elif owned:
        left.append(say("store.owned", owned=owned))
    return say(
        "store.row",
        name=plain(item.name),
        item_id=item.item_id,
        price=item.price_gold,
        description=plain(item.description),
        left="".join(left),
    )


async def setup(bot: Game) -> None:
    """Load the cog."""
    await bot.add_cog(Shop())
