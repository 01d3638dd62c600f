"""Whom the bot knows in a server, though it asks Discord for no list of members."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import discord

    from kokoromichi.chat.context import Context


def seen_in(ctx: Context) -> list[discord.User | discord.Member]:
    """Players who may be meant by a name where a command was given: who has written there lately."""
    if ctx.guild is None:
        return []
    talking = (message.author for message in ctx.bot.cached_messages if message.guild == ctx.guild)
    return [*ctx.guild.members, *talking]
