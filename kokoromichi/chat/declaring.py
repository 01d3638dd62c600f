"""How a command is declared, for slash and text at once, and which commands there are."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from discord.ext import commands

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kokoromichi.chat.game import Game

Callback: TypeAlias = Callable[..., Coroutine[Any, Any, None]]
Declared: TypeAlias = commands.HybridCommand[Any, ..., None]
Group: TypeAlias = commands.HybridGroup[Any, ..., None]


def command(*, aliases: Sequence[str] = (), private: bool = False) -> Callable[[Callback], Declared]:
    """Declare a command under its function's name; its help is the docstring.

    A word too many in a text command is refused: ``!transfer @bob 1 000`` must not send 1.

    Args:
        aliases: Other names, as a text command.
        private: Whether the answer is for the author's eyes alone.
    """
    return commands.hybrid_command(aliases=list(aliases), extras={"private": private}, ignore_extra=False)


def group() -> Callable[[Callback], Group]:
    """Declare a group of commands under its function's name."""
    return commands.hybrid_group()


def act_of(parent: Group) -> Callable[[Callback], Declared]:
    """Declare a command of a group, whose answer is for the author's eyes alone."""
    return parent.command(extras={"private": True}, ignore_extra=False)


AnyCommand: TypeAlias = "commands.Command[Any, ..., Any]"


def listed(bot: Game) -> Iterator[AnyCommand]:
    """Every command that is called by itself, by cog and then in the order of its file."""
    for _, cog in sorted(bot.cogs.items()):
        yield from in_order(cog.walk_commands())


def in_order(found: Iterable[AnyCommand]) -> list[AnyCommand]:
    """Those of one file that are called by themselves, in its order: a group keeps none."""
    called = (one for one in found if not one.hidden and not isinstance(one, commands.Group))
    return sorted(called, key=lambda one: one.callback.__code__.co_firstlineno)
