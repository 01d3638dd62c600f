"""What a player holds, and what one does with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from discord import app_commands
from discord.ext import commands

from kokoromichi.chat.arguments import ONE, Amount, AmountArgument, ItemArgument, PlayerArgument, held_items
from kokoromichi.chat.context import Context
from kokoromichi.chat.declaring import command
from kokoromichi.chat.embeds import card, paged
from kokoromichi.chat.failures import describe_refusal
from kokoromichi.chat.receipts import format_uses, receipt_card
from kokoromichi.chat.texts import mention, plain, say, verbatim
from kokoromichi.chat.views import Click
from kokoromichi.core.errors import RefusedError

if TYPE_CHECKING:
    import discord

    from kokoromichi.chat.game import Game
    from kokoromichi.services.receipts import UseReceipt

INVENTORY_ROWS: Final = 20
MOST_USES: Final = 50
"""Units that one command uses: each is an act of its own."""


class Inventory(commands.Cog):
    """What you hold: selling, using, giving."""

    @command(aliases=["inv", "items"])
    async def inventory(self, ctx: Context) -> None:
        """Show what you hold."""
        found = await ctx.profile_of(None)
        names = ctx.services.item_names
        rows = []
        for item_id, units in sorted(found.inventory.items()):
            name = plain(names.get(item_id, item_id))
            rows.append(say("inventory.row", quantity=units, name=name, item_id=verbatim(item_id)))
        pages = paged(rows, INVENTORY_ROWS) or [say("nothing")]

        async def draw(number: int) -> discord.Embed:
            return card(say("inventory.title"), pages[number])

        await ctx.turn_pages(len(pages), draw)

    @command()
    @app_commands.describe(item="What to sell", quantity="How many, all or half")
    @app_commands.autocomplete(item=held_items)
    async def sell(self, ctx: Context, item: ItemArgument, quantity: AmountArgument = ONE) -> None:
        """Sell something back to the store."""
        count = await _count(ctx, item, quantity)
        receipt = await ctx.act(
            lambda request_id: ctx.services.store.sell(ctx.player_id, item, count, request_id=request_id)
        )
        await ctx.answer(receipt_card(ctx, say("sale.title"), receipt))

    @command()
    @app_commands.describe(item="What to use", quantity="How many, all or half")
    @app_commands.autocomplete(item=held_items)
    async def use(self, ctx: Context, item: ItemArgument, quantity: AmountArgument = ONE) -> None:
        """Use something that you hold."""
        count = await _count(ctx, item, quantity)
        if not 0 < count <= MOST_USES:
            raise commands.RangeError(count, minimum=1, maximum=MOST_USES)
        used, refusal = await _use_each(ctx, item, count)
        text = format_uses(ctx, used)
        if refusal is not None:
            text += "\n" + say("use.stopped", used=len(used), asked=count, why=describe_refusal(ctx, refusal))
        await ctx.answer(card(say("use.title"), text))

    @command()
    @app_commands.describe(user="Who receives it", item="What to give", quantity="How many, all or half")
    @app_commands.autocomplete(item=held_items)
    async def gift(
        self, ctx: Context, user: PlayerArgument, item: ItemArgument, quantity: AmountArgument = ONE
    ) -> None:
        """Give something to another player; you are asked once more."""
        receiver_id = ctx.player_named(user)
        count = await _count(ctx, item, quantity)
        await ctx.services.store.check_gift(ctx.player_id, receiver_id, item, count)
        name = plain(ctx.services.item_names[item])
        question = say("gift.question", quantity=count, item=name, receiver=mention(receiver_id))

        async def give(_click: Click) -> discord.Embed:
            receipt = await ctx.act(
                lambda request_id: ctx.services.store.gift(
                    ctx.player_id, receiver_id, item, count, request_id=request_id
                ),
                "confirm",
            )
            ctx.receiver_id = receiver_id
            return receipt_card(ctx, say("gift.title"), receipt)

        await ctx.ask(card(say("gift.title"), question), give)


async def _count(ctx: Context, item: str, quantity: Amount) -> int:
    """How many units are meant; all of nothing is one, which is refused as not held."""
    if not quantity.share:
        return quantity.units
    return max(1, quantity.of((await ctx.own()).inventory.get(item, 0)))


async def _use_each(ctx: Context, item: str, count: int) -> tuple[list[UseReceipt], RefusedError | None]:
    """Use units one after another, each under a request id of its own, until one is refused.

    Raises:
        RefusedError: The first one is.
    """
    used: list[UseReceipt] = []
    for number in range(count):
        try:
            receipt = await ctx.act(
                lambda request_id: ctx.services.store.use(ctx.player_id, item, request_id=request_id),
                str(number) if number else "",
            )
        except RefusedError as refusal:
            if not used:
                raise
            return used, refusal
        used.append(receipt)
    return used, None


async def setup(bot: Game) -> None:
    """Load the cog."""
    await bot.add_cog(Inventory())
