"""Which commands there are, in one order for everybody who lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from discord.ext import commands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kokoromichi.bot import KokoroBot


def listed(bot: KokoroBot) -> Iterator[commands.Command[Any, ..., Any]]:
    """Every command that is called by itself, by cog and then in the order of its file."""
    for _, cog in sorted(bot.cogs.items()):
        own = (one for one in cog.walk_commands() if not one.hidden and not isinstance(one, commands.Group))
        yield from sorted(
            own, key=lambda one: one.callback.__code__.co_firstlineno
        )  # A group keeps no order.
