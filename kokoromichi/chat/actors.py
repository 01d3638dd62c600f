"""What whoever asks may do, where they ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kokoromichi.chat.context import Context
from kokoromichi.services.authority import Actor, role_of

if TYPE_CHECKING:
    import discord

    from kokoromichi.chat.game import Game


async def actor_of(asked: Context | discord.Interaction[Game]) -> Actor:
    """Who gives a command, clicks or types, and their role there at this moment."""
    if isinstance(asked, Context):
        bot, user = asked.bot, asked.author
    else:
        bot, user = asked.client, asked.user
    guild = asked.guild
    role = role_of(
        owns_bot=await bot.is_owner(user),
        managed_guild_id=guild.id if guild is not None and asked.permissions.manage_guild else None,
        admin_guilds=bot.settings.admin_guilds,
    )
    return Actor(str(user.id), role)
