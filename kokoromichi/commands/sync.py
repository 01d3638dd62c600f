"""Telling Discord which slash commands there are: when the owner says so, and never on every start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from discord import app_commands
from discord.ext import commands

from kokoromichi.chat.context import Context
from kokoromichi.chat.declaring import command
from kokoromichi.chat.embeds import card
from kokoromichi.chat.texts import say
from kokoromichi.services.authority import Role

if TYPE_CHECKING:
    from kokoromichi.chat.game import Game


class Sync(commands.Cog):
    """For the owner of the bot."""

    @command(private=True, least=Role.OWNER)
    @app_commands.default_permissions(administrator=True)
    @app_commands.describe(where="In this server at once, or everywhere within an hour")
    async def sync(self, ctx: Context, where: Literal["everywhere", "here"] = "everywhere") -> None:
        """Tell Discord which slash commands there are, after an upgrade."""
        if where == "here":
            if ctx.guild is None:
                raise commands.NoPrivateMessage
            ctx.bot.tree.copy_global_to(guild=ctx.guild)
            told = await ctx.bot.tree.sync(guild=ctx.guild)
        else:
            told = await ctx.bot.tree.sync()
            if ctx.guild is not None:  # What ``here`` has put there would stand beside them.
                ctx.bot.tree.clear_commands(guild=ctx.guild)
                await ctx.bot.tree.sync(guild=ctx.guild)
        await ctx.answer(card(say("sync.title"), say("sync.told", count=len(told))))


async def setup(bot: Game) -> None:
    """Load the cog."""
    await bot.add_cog(Sync())
