"""A bot of plain discord.py that only answers: to try the stand-in with, and to time the real bot against.

Its arguments are the addresses of the API and of the gateway, and a level of the log.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys

import discord
import yarl
from discord import app_commands
from discord.ext import commands

from tests.bot.standin.ids import TOKEN


class Question(discord.ui.View):
    """Yes or no."""

    @discord.ui.button(label="Yes")
    async def yes(self, interaction: discord.Interaction, _: discord.ui.Button[Question]) -> None:
        await interaction.response.edit_message(content="it was yes", view=None)


class Speech(commands.Cog):
    """Says what it was asked to say."""

    @commands.hybrid_command()  # type: ignore[arg-type] # mypy does not infer a decorator of generic contexts
    async def say(self, ctx: commands.Context[BareBot], words: str) -> None:
        """Answer at once."""
        await ctx.send(embed=discord.Embed(title="said", description=words))


class BareBot(commands.AutoShardedBot):
    """Ends in order."""

    async def setup_hook(self) -> None:
        await self.add_cog(Speech())
        self.tree.add_command(defer)
        self.tree.add_command(ask)
        self.tree.add_command(withdraw)
        await self.tree.sync()
        asyncio.get_running_loop().add_signal_handler(
            signal.SIGTERM, lambda: asyncio.ensure_future(self.close())
        )


@app_commands.command()
async def defer(interaction: discord.Interaction, member: discord.Member, times: int, slow: bool) -> None:  # noqa: FBT001 - an option
    """Answer after a thought."""
    await interaction.response.defer(thinking=True)
    await asyncio.sleep(0.5 * slow)
    sent = await interaction.followup.send(f"{member.id} {times}", wait=True)
    await sent.edit(content=f"{member.id} {times} edited")


@app_commands.command()
async def ask(interaction: discord.Interaction) -> None:
    """Ask, by a button."""
    await interaction.response.send_message("sure?", view=Question())


@app_commands.command()
async def withdraw(interaction: discord.Interaction) -> None:
    """Think in public, then refuse in secret."""
    await interaction.response.defer(thinking=True)
    await interaction.delete_original_response()
    await interaction.followup.send("no", ephemeral=True)


def main(api_url: str, gateway_url: str, log_level: str = "DEBUG") -> None:
    """Run until it is told to end."""
    discord.http.Route.BASE = api_url
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url)
    intents = discord.Intents.default()
    intents.message_content = True
    bot = BareBot("!", intents=intents, guild_ready_timeout=0.05)
    bot.run(TOKEN, log_level=getattr(logging, log_level))


if __name__ == "__main__":
    main(*sys.argv[1:])
