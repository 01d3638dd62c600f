"""Purses: who one is, what one has, and gold from one player to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from kokoromichi.commands._arguments import AmountArgument
from kokoromichi.commands._context import Context
from kokoromichi.commands._declaring import command
from kokoromichi.commands._embeds import card
from kokoromichi.commands._receipts import receipt_card
from kokoromichi.commands._texts import mention, moment, plain, say
from kokoromichi.core.models import NEVER, UserProfile
from kokoromichi.rules.daily import next_claim_us, streak_ends_us

if TYPE_CHECKING:
    from kokoromichi.bot import KokoroBot


class Account(commands.Cog):
    """Your purse, your streak, and sending gold."""

    @command(aliases=["myprofile"])
    @app_commands.describe(user="Whose profile; yours when left out")
    async def profile(self, ctx: Context, user: discord.User | None = None) -> None:
        """Show a player's profile."""
        found = await ctx.profile_of(user)
        words = ctx.services.character_names
        fields = [
            (say("profile.purse"), f"{say('gold', gold=found.gold)}\n{say('gems', gems=found.gems)}"),
            (say("profile.streak"), say("profile.streak_value", streak=found.streak, best=found.best_streak)),
            (say("profile.level"), say("profile.level_value", level=found.level, xp=found.xp)),
            (
                say("profile.collection"),
                say("profile.collection_value", kinds=len(found.collection), shards=found.shards),
            ),
            (
                say("profile.battles"),
                say("profile.battles_value", won=found.battles_won, lost=found.battles_lost),
            ),
        ]
        if found.favorite:
            fields.append((say("profile.favorite"), plain(words.get(found.favorite, found.favorite))))
        name = plain((user or ctx.author).display_name)
        await ctx.answer(card(say("profile.title", name=name), fields=fields))

    @command(aliases=["bal", "gold", "money"])
    @app_commands.describe(user="Whose balance; yours when left out")
    async def balance(self, ctx: Context, user: discord.User | None = None) -> None:
        """Show how much gold and gems a player has."""
        found = await ctx.profile_of(user)
        text = f"{mention(found.user_id)}\n{say('gold', gold=found.gold)}\n{say('gems', gems=found.gems)}"
        await ctx.answer(card(say("balance.title"), text))

    @command(aliases=["claim", "checkin"])
    async def daily(self, ctx: Context) -> None:
        """Claim today's reward."""
        receipt = await ctx.act(
            lambda request_id: ctx.services.daily.claim(ctx.player_id, request_id=request_id)
        )
        await ctx.answer(receipt_card(ctx, say("daily.title"), receipt))

    @command()
    async def streak(self, ctx: Context) -> None:
        """Show your streak, what it pays next, and when it breaks."""
        found = await ctx.profile_of(None)
        await ctx.answer(card(say("streak.title"), _streak_told(ctx, found)))

    @command(aliases=["pay", "send"])
    @app_commands.describe(user="Who receives it", amount="1500, 1.5k, 2m, all or half")
    async def transfer(self, ctx: Context, user: discord.User, amount: AmountArgument) -> None:
        """Send gold to another player; a fee of it is burned."""
        receiver_id = ctx.player_named(user)
        gold = amount.of((await ctx.profile_of(None)).gold) if amount.share else amount.gold
        receipt = await ctx.act(
            lambda request_id: ctx.services.bank.transfer(
                ctx.player_id, receiver_id, gold, request_id=request_id
            )
        )
        await ctx.answer(receipt_card(ctx, say("transfer.title"), receipt))


def _streak_told(ctx: Context, found: UserProfile) -> str:
    if found.last_claim_us == NEVER:
        return say("streak.none")
    daily = ctx.services.desk.live.claim_terms
    day = found.streak % len(daily.gold)
    lines = [
        say("streak.now", streak=found.streak, best=found.best_streak),
        say(
            "streak.next",
            gold=daily.gold[day],
            gems=daily.gems[day],
            opens=moment(next_claim_us(found.last_claim_us)),
        ),
        say("streak.breaks", breaks=moment(streak_ends_us(found.last_claim_us, daily.streak_window_h))),
    ]
    return "\n".join(lines)


async def setup(bot: KokoroBot) -> None:
    """Load the cog."""
    await bot.add_cog(Account())
