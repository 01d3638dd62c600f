"""``docs/commands.md``, made from the commands that the bot has."""

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import typer
from discord.ext import commands

from kokoromichi.bot import create_bot
from kokoromichi.chat.declaring import listed, needed_role
from kokoromichi.chat.game import PREFIX
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.services.authority import Role
from kokoromichi.settings import Settings, shipped_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from discord import app_commands

    from kokoromichi.bot import KokoroBot

_HEAD: Final = f"""# Commands

Every command answers as `/name` and as `{PREFIX}name`, and in a terminal (`kokoromichi play`) as `name`.
An argument in brackets may be left out. The commands themselves make this page, and a test holds it equal:

```bash
python scripts/commands_document.py > docs/commands.md
```
"""
_TABLE: Final = """
| command | also | arguments | what it does | who may |
|---|---|---|---|---|
"""
_PARAGRAPH: Final = "\n\n"
_WHO: Final = {
    Role.PLAYER: "everybody",
    Role.MANAGER: "the bot's owner; Manage Server in a server of `ADMIN_GUILDS`",
    Role.OWNER: "the bot's owner",
}


async def handbook() -> str:
    """The document, from every command that the bot loads."""
    settings = Settings(_env_file=None, provider="memory", economy_dir=shipped_folder("data"))
    bot = create_bot(settings, provider=MemoryProvider())
    async with bot:
        await bot.setup_hook()
        return "".join(_told(bot))


def _told(bot: KokoroBot) -> Iterator[str]:
    yield _HEAD
    for cog, declared in groupby(listed(bot), key=lambda one: one.cog):
        yield f"\n## {cog.qualified_name}\n\n{cog.description.partition(_PARAGRAPH)[0]}\n{_TABLE}"
        yield from (f"{_row(command)}\n" for command in declared)


def _row(command: commands.Command[Any, ..., Any]) -> str:
    if not isinstance(command, commands.HybridCommand) or command.app_command is None:
        message = f"{command.qualified_name} answers text alone: declare it for slash too"
        raise TypeError(message)
    options = [command.app_command.get_parameter(name) for name in command.clean_params]
    cells = (
        f"`/{command.qualified_name}`",
        ", ".join(f"`{alias}`" for alias in command.aliases),
        "<br>".join(_argument(option) for option in options if option is not None),
        command.short_doc,
        _WHO[needed_role(command)],
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _argument(option: app_commands.Parameter) -> str:
    name = f"`{option.display_name}`" if option.required else f"[`{option.display_name}`]"
    choices = ", ".join(choice.name for choice in option.choices)
    return f"{name} {option.description}" + (f" ({choices})" if choices else "")


if __name__ == "__main__":
    typer.echo(asyncio.run(handbook()), nl=False)
