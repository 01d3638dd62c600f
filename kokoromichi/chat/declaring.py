"""How a command is declared, for slash and text at once, and which commands there are."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from discord.ext import commands

from kokoromichi.services.authority import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kokoromichi.chat.game import Game

Callback: TypeAlias = Callable[..., Coroutine[Any, Any, None]]
Declared: TypeAlias = commands.HybridCommand[Any, ..., None]
Group: TypeAlias = commands.HybridGroup[Any, ..., None]


def command(
    *, aliases: Sequence[str] = (), private: bool = False, least: Role = Role.PLAYER
) -> Callable[[Callback], Declared]:
    """Declare a command under its function's name; its help is the docstring.

    A word too many in a text command is refused: ``!transfer @bob 1 000`` must not send 1.

    Args:
        aliases: Other names, as a text command.
        private: Whether the answer is for the author's eyes alone.
        least: The role that it needs.
    """
    extras = {"private": private, "least": least}
    return commands.hybrid_command(aliases=list(aliases), extras=extras, ignore_extra=False)


def group(*, least: Role) -> Callable[[Callback], Group]:
    """Declare a group of commands under its function's name; each of them needs the group's role."""
    return commands.hybrid_group(extras={"least": least})


def needed_role(declared: commands.Command[Any, ..., Any]) -> Role:
    """The role that a command needs: its group's, where it is in one; the owner's, where nobody has said."""
    least: Role = (declared.root_parent or declared).extras.get("least", Role.OWNER)
    return least


def act_of(parent: Group) -> Callable[[Callback], Declared]:
    """Declare a command of a group, whose answer is for the author's eyes alone."""
    return parent.command(extras={"private": True}, ignore_extra=False)


AnyCommand: TypeAlias = "commands.Command[Any, ..., Any]"


def usage_of(called: AnyCommand) -> str:
    """How a command is written: its name and its arguments, choices without the quotation marks of Python."""
    return f"{called.qualified_name} {called.signature}".replace('"', "").strip()


def listed(bot: Game, role: Role = Role.OWNER) -> Iterator[AnyCommand]:
    """Every command that is called by itself and open to a role, by cog and in the order of its file."""
    for _, cog in sorted(bot.cogs.items()):
        yield from (one for one in in_order(cog.walk_commands()) if needed_role(one) <= role)


def in_order(found: Iterable[AnyCommand]) -> list[AnyCommand]:
    """Those of one file that are called by themselves, in its order: a group keeps none."""
    called = (one for one in found if not one.hidden and not isinstance(one, commands.Group))
    return sorted(called, key=lambda one: one.callback.__code__.co_firstlineno)
