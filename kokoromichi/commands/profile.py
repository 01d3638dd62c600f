"""Who a player is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discord import app_commands
from discord.ext import commands

from kokoromichi.chat.arguments import PlayerOrSelfArgument
from kokoromichi.chat.context import Context
from kokoromichi.chat.declaring import command
from kokoromichi.chat.embeds import card
from kokoromichi.chat.texts import plain, say
from kokoromichi.rules.daily import streak_at

if TYPE_CHECKING:
    from kokoromichi.chat.game import Game


class Profile(commands.Cog):
    """Who one is."""

    @command(aliases=["myprofile"])
    @app_commands.describe(user="Whose profile; yours when left out")
    async def profile(self, ctx: Context, user: PlayerOrSelfArgument = None) -> None:
        """Show a player's profile."""
        found = await ctx.profile_of(user)
        window_h = ctx.services.live.config.daily.streak_window_h
        streak = streak_at(ctx.services.now_us(), found.last_claim_us, found.streak, window_h)
        words = ctx.services.character_names
        fields = [
            (say("profile.purse"), f"{say('gold', gold=found.gold)}\n{say('gems', gems=found.gems)}"),
            (say("profile.streak"), say("profile.streak_value", streak=streak, best=found.best_streak)),
            (say("profile.level"), say("profile.level_value", level=found.level, xp=found.xp)),
            (
                say("profile.collection"),
                say(
                    "profile.collection_value",
                    kinds=len(found.collection.keys() & words.keys()),
                    shards=found.shards,
                ),
            ),
            (
                say("profile.battles"),
                say("profile.battles_value", won=found.battles_won, lost=found.battles_lost),
            ),
        ]
        if found.affection:
            fields.append(
                (say("profile.affection"), say("profile.affection_value", affection=found.affection))
            )
        if found.favorite:
            fields.append((say("profile.favorite"), plain(words.get(found.favorite, found.favorite))))
        name = plain((user or ctx.author).display_name)
        await ctx.answer(card(say("profile.title", name=name), fields=fields))


async def setup(bot: Game) -> None:
    """Load the cog."""
    await bot.add_cog(Profile())
