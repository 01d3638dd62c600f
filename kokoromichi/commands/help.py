"""What can be asked, and how: each reads what they may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import discord
from discord import app_commands
from discord.ext import commands

from kokoromichi.chat.context import Context, actor_of
from kokoromichi.chat.declaring import command, in_order, listed, needed_role, usage_of
from kokoromichi.chat.embeds import card, paged
from kokoromichi.chat.game import PREFIX
from kokoromichi.chat.names import choices, found_name
from kokoromichi.chat.texts import plain, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kokoromichi.chat.game import Game
    from kokoromichi.services.authority import Role

PAGE_ROWS: Final = 45


class Help(commands.Cog):
    """What can be asked, and how.

    Args:
        bot: The bot.
    """

    def __init__(self, bot: Game) -> None:
        self._bot = bot

    @command()
    @app_commands.describe(command="Which one; all of them when left out")
    async def help(self, ctx: Context, *, command: str | None = None) -> None:
        """Show all commands, or how one of them is used."""
        role = (await actor_of(ctx)).role
        if command is not None:
            await ctx.answer(_usage_card(self._named(command, role)))
            return
        pages = paged(self._rows(role), PAGE_ROWS)

        async def draw(number: int) -> discord.Embed:
            return card(say("help.title"), pages[number], footer=say("help.foot", prefix=PREFIX))

        await ctx.turn_pages(len(pages), draw)

    @help.autocomplete("command")
    async def _commands(
        self, interaction: discord.Interaction[Game], typed: str
    ) -> list[app_commands.Choice[str]]:
        role = (await actor_of(interaction)).role
        names = {one.qualified_name: one.qualified_name for one in listed(self._bot, role)}
        return choices(typed, names, names)

    def _rows(self, role: Role) -> Iterator[str]:
        cog_name = ""
        for one in listed(self._bot, role):
            if one.cog_name != cog_name:
                cog_name = str(one.cog_name)
                yield say("help.cog", name=cog_name)
            yield say("help.row", name=one.qualified_name, about=one.short_doc)

    def _named(self, text: str, role: Role) -> commands.Command[Any, ..., Any]:
        """A command that a role may, by any name that it has, with or without what stands before it."""
        wanted = text.strip().lstrip("/" + PREFIX)
        found = self._bot.get_command(wanted)
        if found is not None and not found.hidden and needed_role(found) <= role:
            return found
        names = {one.qualified_name: one.qualified_name for one in listed(self._bot, role)}
        name = found_name(wanted, names, lambda _text: say("error.command", name=plain(text)))
        found = self._bot.get_command(name)
        assert found is not None  # noqa: S101 - it has just been listed
        return found


def _usage_card(one: commands.Command[Any, ..., Any]) -> discord.Embed:
    if isinstance(one, commands.Group):
        rows = [
            say("help.row", name=act.qualified_name, about=act.short_doc)
            for act in in_order(one.walk_commands())
        ]
        return card(f"/{one.qualified_name}", "\n".join([one.help or "", "", *rows]))
    told = say("help.usage", name=one.qualified_name, usage=usage_of(one), prefix=PREFIX)
    lines = [one.help or "", "", told]
    if one.aliases:
        lines.append(say("help.aliases", names=", ".join(f"`{PREFIX}{alias}`" for alias in one.aliases)))
    described = [] if (slash := getattr(one, "app_command", None)) is None else slash.parameters
    arguments = [
        say("help.argument", name=parameter.display_name, about=parameter.description)
        for parameter in described
    ]
    return card(f"/{one.qualified_name}", "\n".join([*lines, "", *arguments]).strip())


async def setup(bot: Game) -> None:
    """Load the cog."""
    await bot.add_cog(Help(bot))
