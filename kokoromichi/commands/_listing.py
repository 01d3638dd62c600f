"""Which commands there are, in one order for everybody who lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from discord.ext import commands

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kokoromichi.bot import KokoroBot

AnyCommand: TypeAlias = "commands.Command[Any, ..., Any]"


def listed(bot: KokoroBot) -> Iterator[AnyCommand]:
    """Every command that is called by itself, by cog and then in the order of its file."""
    for _, cog in sorted(bot.cogs.items()):
        yield from in_order(cog.walk_commands())


def in_order(found: Iterable[AnyCommand]) -> list[AnyCommand]:
    """Those of one file that are called by themselves, in its order: a group keeps none."""
    called = (one for one in found if not one.hidden and not isinstance(one, commands.Group))
    return sorted(called, key=lambda one: one.callback.__code__.co_firstlineno)
