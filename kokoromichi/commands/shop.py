"""The store."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import discord
from discord import app_commands
from discord.ext import commands

from kokoromichi.chat.arguments import (
    ONE,
    AmountArgument,
    ItemArgument,
    PageArgument,
    offered_items,
)
from kokoromichi.chat.asking import ShownPrices, is_large
from kokoromichi.chat.context import Context
from kokoromichi.chat.declaring import command
from kokoromichi.chat.embeds import card, paged
from kokoromichi.chat.names import choices, found_name
from kokoromichi.chat.receipts import named, receipt_card
from kokoromichi.chat.texts import plain, say
from kokoromichi.rules import codes
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
    from kokoromichi.chat.game import Game
    from kokoromichi.core.models import Item, UserProfile
    from kokoromichi.services.bundle import Services
    from kokoromichi.services.live_economy import Offer

STORE_ROWS: Final = 8


class Shop(commands.Cog):
    """What is sold, and buying it."""

    def __init__(self) -> None:
        self._shown = ShownPrices()

    @command(aliases=["shop", "catalog"])
    @app_commands.describe(page="Which page", category="Only this shelf")
    async def store(self, ctx: Context, page: PageArgument = 1, *, category: str | None = None) -> None:
        """Show what the store sells, what it costs, and what is left."""
        shelf = None if category is None else found_name(category, _shelves(ctx.services), _no_shelf)
        offered = await ctx.read(lambda services: services.store.view_store(shelf))
        found = await ctx.profile_of(None)
        await ctx.services.activity.note_shown(found, shelf)
        rows = {_format_offer(item, found): item for item in offered}
        pages = paged(rows, STORE_ROWS) or [say("nothing")]

        async def draw(number: int) -> discord.Embed:
            read = {item.item_id: item.price_gold for row, item in rows.items() if row in pages[number]}
            self._shown.note(ctx.player_id, read)
            return card(say("store.title"), pages[number], footer=say("gold", gold=found.gold))

        await ctx.turn_pages(len(pages), draw, page - 1)

    @store.autocomplete("category")
    async def _categories(
        self, interaction: discord.Interaction[Game], typed: str
    ) -> list[app_commands.Choice[str]]:
        return choices(typed, {}, _shelves(interaction.client.services))

    @command(aliases=["purchase"])
    @app_commands.describe(item="What to buy", quantity="How many, or all that you can pay")
    @app_commands.autocomplete(item=offered_items)
    async def buy(self, ctx: Context, item: ItemArgument, quantity: AmountArgument = ONE) -> None:
        """Buy something from the store; you are asked where it is much, or costs more than you have read."""
        offer = ctx.services.live.offers.get(item)
        if offer is None:
            raise refused(codes.ITEM_RETIRED, item)
        count = quantity.units
        if quantity.share:
            own = await ctx.own()
            room = min(own.gold // offer.price_gold, offer.limit - own.inventory.get(item, 0))
            count = quantity.of_units(room)

        async def bought(action: str) -> discord.Embed:
            purchase = partial(ctx.services.store.purchase, expected_price_gold=offer.price_gold)
            receipt = await ctx.act(partial(purchase, ctx.player_id, item, count), action)
            self._shown.note(ctx.player_id, {item: offer.price_gold})
            return receipt_card(ctx, say("purchase.title"), receipt)

        await ctx.do_or_ask(bought, await self._question(ctx, item, offer, count))

    async def _question(self, ctx: Context, item: str, offer: Offer, count: int) -> discord.Embed | None:
        """What to ask before a purchase, or None: the total is small, and no more than what was read."""
        known_gold = self._shown.price_gold(ctx.player_id, item)
        was_gold = offer.list_price_gold if known_gold is None else known_gold
        changed = offer.price_gold > was_gold if known_gold is None else offer.price_gold != was_gold
        cost_gold = offer.price_gold * count
        if not (changed or await is_large(ctx, cost_gold)):
            return None
        own = await ctx.own()
        if not 0 < cost_gold <= own.gold or count > offer.limit - own.inventory.get(item, 0):
            return None  # It is refused, and no question is needed for that.
        self._shown.note(ctx.player_id, {item: offer.price_gold})
        told = say("purchase.question", quantity=count, item=named(ctx, item), gold=cost_gold)
        if changed:
            key = "purchase.above_list" if known_gold is None else "purchase.changed"
            told += "\n" + say(key, price=offer.price_gold, was=was_gold)
        return card(say("sure"), told)


def _shelves(services: Services) -> dict[str, str]:
    """What the shelves are called by those who ask for several things, by shelf."""
    return {entry.category: f"{entry.category}s" for entry in services.live.catalogue.values()}


def _no_shelf(text: str) -> str:
    return say("error.shelf", name=plain(text))


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
