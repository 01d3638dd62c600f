"""What a player holds, and what one does with it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from discord import app_commands
from discord.ext import commands

from kokoromichi.chat.arguments import ONE, Amount, AmountArgument, ItemArgument, PlayerArgument, held_items
from kokoromichi.chat.asking import LARGE
from kokoromichi.chat.context import Context
from kokoromichi.chat.declaring import command
from kokoromichi.chat.embeds import card, paged
from kokoromichi.chat.receipts import format_use, named, receipt_card
from kokoromichi.chat.texts import mention, plain, say, verbatim
from kokoromichi.chat.views import Click

if TYPE_CHECKING:
    import discord

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
                key = "inventory.retired" if found.paid_gold.get(item_id) else "inventory.worthless"
                rows.append(say(key, quantity=units, item_id=verbatim(item_id)))
            else:
                told = {"name": plain(name), "item_id": verbatim(item_id)}
                rows.append(say("inventory.row", quantity=units, **told))
        pages = paged(rows, INVENTORY_ROWS) or [say("nothing")]

        async def draw(number: int) -> discord.Embed:
            return card(say("inventory.title"), pages[number])

        await ctx.turn_pages(len(pages), draw)

    @command()
    @app_commands.describe(item="What to sell", quantity="How many, all or half")
    @app_commands.autocomplete(item=held_items)
    async def sell(self, ctx: Context, item: ItemArgument, quantity: AmountArgument = ONE) -> None:
        """Sell something back to the store; you are asked once more where it is much."""
        store, count = ctx.services.store, await _count(ctx, item, quantity)
        quoted = await ctx.check(partial(store.quote_sale, ctx.player_id, item, count))

        async def sold(action: str) -> discord.Embed:
            receipt = await ctx.act(partial(store.sell, ctx.player_id, item, count), action)
            return receipt_card(ctx, say("sale.title"), receipt)

        question = None
        if quoted.paid_gold > max(LARGE["gold"], (quoted.gold - quoted.paid_gold) // 2):
            told = say("sale.question", quantity=count, item=named(ctx, item), gold=quoted.paid_gold)
            question = card(say("sure"), told)
        await ctx.do_or_ask(sold, question, item)

    @command()
    @app_commands.describe(item="What to use", quantity="How many, all or half")
    @app_commands.autocomplete(item=held_items)
    async def use(self, ctx: Context, item: ItemArgument, quantity: AmountArgument = ONE) -> None:
        """Use something that you hold."""
        count = await _count(ctx, item, quantity)
        receipt = await ctx.act(partial(ctx.services.store.use, ctx.player_id, item, count))
        await ctx.answer(card(say("use.title"), format_use(ctx, receipt)))

    @command()
    @app_commands.describe(user="Who receives it", item="What to give", quantity="How many, all or half")
    @app_commands.autocomplete(item=held_items)
    async def gift(
        self, ctx: Context, user: PlayerArgument, item: ItemArgument, quantity: AmountArgument = ONE
    ) -> None:
        """Give something to another player; you are asked once more."""
        receiver_id = ctx.player_named(user)
        count = await _count(ctx, item, quantity)
        await ctx.check(partial(ctx.services.store.check_gift, ctx.player_id, receiver_id, item, count))
        name = plain(ctx.services.item_names[item])
        question = say("gift.question", quantity=count, item=name, receiver=mention(receiver_id))

        async def give(_click: Click) -> discord.Embed:
            receipt = await ctx.act(
                partial(ctx.services.store.gift, ctx.player_id, receiver_id, item, count),
                "confirm",
            )
            await ctx.tell(receiver_id)
            return receipt_card(ctx, say("gift.title"), receipt)

        await ctx.ask(card(say("gift.title"), question), give)


async def _count(ctx: Context, item: str, quantity: Amount) -> int:
    """How many units are meant."""
    return quantity.of_units((await ctx.own()).inventory.get(item, 0) if quantity.share else 0)


async def setup(bot: Game) -> None:
    """Load the cog."""
    await bot.add_cog(Inventory())
