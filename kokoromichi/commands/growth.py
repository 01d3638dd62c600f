"""Training, businesses, and what they earn."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from kokoromichi.chat.arguments import BusinessArgument, offered_businesses
from kokoromichi.chat.asking import ShownPrices, is_large
from kokoromichi.chat.context import Context
from kokoromichi.chat.declaring import command
from kokoromichi.chat.embeds import card
from kokoromichi.chat.receipts import named, receipt_card
from kokoromichi.chat.texts import moment, say, verbatim
from kokoromichi.rules.pricing import percent_of

if TYPE_CHECKING:
    from kokoromichi.chat.game import Game
    from kokoromichi.services.progress import Holding


class Growth(commands.Cog):
    """Training, and businesses that earn while you are away."""

    def __init__(self) -> None:
        self._shown = ShownPrices()

    @command()
    async def train(self, ctx: Context) -> None:
        """Pay for a training session; you are asked once more where it costs you much."""
        cost_gold = ctx.services.progress.training_gold(await ctx.own())

        async def trained(action: str) -> discord.Embed:
            receipt = await ctx.act(partial(ctx.services.progress.train, ctx.player_id), action)
            return receipt_card(ctx, say("train.title"), receipt)

        question = None
        if await is_large(ctx, cost_gold):
            question = card(say("sure"), say("train.question", gold=cost_gold))
        await ctx.do_or_ask(trained, question)

    @command()
    @app_commands.describe(business="Which one to open")
    @app_commands.autocomplete(business=offered_businesses)
    async def invest(self, ctx: Context, *, business: BusinessArgument) -> None:
        """Open a business; one of each. You are asked once more where it costs you much."""
        price_gold = ctx.services.live.config.business[business].price_gold

        async def opened(action: str) -> discord.Embed:
            invest = partial(ctx.services.progress.invest, expected_price_gold=price_gold)
            receipt = await ctx.act(partial(invest, ctx.player_id, business), action)
            return receipt_card(ctx, say("invest.title"), receipt)

        await ctx.do_or_ask(opened, await self._question(ctx, business, price_gold))

    async def _question(self, ctx: Context, business: str, price_gold: int) -> discord.Embed | None:
        """What to ask before a business is opened; None where it is cheap and as it was read, or refused."""
        own = await ctx.own()
        if business in own.businesses or price_gold > own.gold:
            return None
        told = [say("invest.question", business=named(ctx, business), gold=price_gold)]
        was_gold = self._shown.price_gold(ctx.player_id, business)
        if was_gold not in (None, price_gold):
            told.append(say("invest.changed", was=was_gold))
        if await is_large(ctx, price_gold):
            told.append(say("most"))
        self._shown.note(ctx.player_id, {business: price_gold})
        return card(say("sure"), " ".join(told)) if len(told) > 1 else None

    @command()
    async def businesses(self, ctx: Context) -> None:
        """Show every business, what it costs, and what waits in yours."""
        found = await ctx.profile_of(None)
        holdings = ctx.services.progress.holdings(found)
        prices_gold = {holding.business_id: holding.price_gold for holding in holdings}
        self._shown.note(ctx.player_id, prices_gold)
        terms = ctx.services.live.config.income
        rows = [_format_holding(ctx, holding) for holding in holdings]
        retired = sorted(found.businesses.keys() - prices_gold.keys())
        rows += [say("businesses.retired", business_id=verbatim(business_id)) for business_id in retired]
        rows.append(say("businesses.terms", upkeep=terms.upkeep_percent, hours=terms.max_hours))
        waiting_gold = sum(holding.waiting_gold for holding in holdings)
        foot = say("businesses.waiting", gold=waiting_gold)
        await ctx.answer(card(say("businesses.title"), "\n".join(rows), footer=foot))

    @command()
    async def collect(self, ctx: Context) -> None:
        """Collect what your businesses have earned."""
        receipt = await ctx.act(partial(ctx.services.progress.collect, ctx.player_id))
        await ctx.answer(receipt_card(ctx, say("collect.title"), receipt))


def _format_holding(ctx: Context, holding: Holding) -> str:
    name = named(ctx, holding.business_id)
    income_gold = holding.income_gold_per_day
    left_gold = income_gold - percent_of(income_gold, ctx.services.live.config.income.upkeep_percent)
    if not holding.owned:
        return say(
            "businesses.offered",
            name=name,
            business_id=holding.business_id,
            price=holding.price_gold,
            left=left_gold,
        )
    full = holding.full_us <= ctx.services.now_us()
    return say(
        "businesses.full" if full else "businesses.owned",
        name=name,
        left=left_gold,
        waiting=holding.waiting_gold,
        full=moment(holding.full_us),
    )


async def setup(bot: Game) -> None:
    """Load the cog."""
    await bot.add_cog(Growth())
