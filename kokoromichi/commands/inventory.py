"""What a player holds, and what one does with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import discord
from discord import app_commands
from discord.ext import commands

from kokoromichi.chat.arguments import ItemArgument, held_items
from kokoromichi.chat.context import Context
from kokoromichi.chat.declaring import command
from kokoromichi.chat.embeds import card, paged
from kokoromichi.chat.receipts import receipt_card
from kokoromichi.chat.texts import mention, plain, say, verbatim
from kokoromichi.chat.views import Click

if TYPE_CHECKING:
    from kokoromichi.chat.game import Game

INVENTORY_ROWS: Final = 20


class Inventory(commands.Cog):
    """What you hold: selling, using, giving."""

    @command(aliases=["inv", "items"])
    async def inventory(self, ctx: Context) -> None:
        """Show what you hold."""
        found = await ctx.profile_of(None)
        names = ctx.services.item_names
        rows = []
        for item_id, units in sorted(found.inventory.items()):
            if (name := names.get(item_id)) is None:
                rows.append(say("inventory.retired", quantity=units, item_id=verbatim(item_id)))
            else:
                told = {"name": plain(name), "item_id": verbatim(item_id)}
                rows.append(say("inventory.row", quantity=units, **told))
        pages = paged(rows, INVENTORY_ROWS) or [say("nothing")]

        async def draw(number: int) -> discord.Embed:
            return card(say("inventory.title"), pages[number])

        await ctx.turn_pages(len(pages), draw)

    @command()
    @app_commands.describe(item="What to sell", quantity="How many")
    @app_commands.autocomplete(item=held_items)
    async def sell(self, ctx: Context, item: ItemArgument, quantity: int = 1) -> None:
        """Sell something back to the store."""
        receipt = await ctx.act(
            lambda request_id: ctx.services.store.sell(ctx.player_id, item, quantity, request_id=request_id)
        )
        await ctx.answer(receipt_card(ctx, say("sale.title"), receipt))

    @command()
    @app_commands.describe(item="What to use")
    @app_commands.autocomplete(item=held_items)
    async def use(self, ctx: Context, item: ItemArgument) -> None:
        """Use something that you hold."""
        receipt = await ctx.act(
            lambda request_id: ctx.services.store.use(ctx.player_id, item, request_id=request_id)
        )
        await ctx.answer(receipt_card(ctx, say("use.title"), receipt))

    @command()
    @app_commands.describe(user="Who receives it", item="What to give", quantity="How many")
    @app_commands.autocomplete(item=held_items)
    async def gift(self, ctx: Context, user: discord.User, item: ItemArgument, quantity: int = 1) -> None:
        """Give something to another player; you are asked once more."""
        receiver_id = ctx.player_named(user)
        await ctx.services.store.check_gift(ctx.player_id, receiver_id, item, quantity)
        name = plain(ctx.services.item_names[item])
        question = say("gift.question", quantity=quantity, item=name, receiver=mention(receiver_id))

        async def give(_click: Click) -> discord.Embed:
            receipt = await ctx.act(
                lambda request_id: ctx.services.store.gift(
                    ctx.player_id, receiver_id, item, quantity, request_id=request_id
                ),
                "confirm",
            )
            return receipt_card(ctx, say("gift.title"), receipt)

        await ctx.ask(card(say("gift.title"), question), give)


async def setup(bot: Game) -> None:
    """Load the cog."""
    await bot.add_cog(Inventory())
