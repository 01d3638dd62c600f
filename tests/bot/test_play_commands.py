"""Every registered command answers in a terminal, and none of them by accident."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import discord
from discord.ext import commands

from kokoromichi.bot import create_bot
from kokoromichi.chat.console.guild import FakeGuild
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.settings import Settings, shipped_folder

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

    from kokoromichi.bot import KokoroBot
    from kokoromichi.chat.console.http_client import Posted

SAMPLES: Final = {
    "user": "bob",
    "item": "health_potion",
    "amount": "100",
    "reason": "a reason",
}
"""An argument by its name; every other one by its type."""
BY_TYPE: Final = {
    discord.AppCommandOptionType.user: "bob",
    discord.AppCommandOptionType.integer: "1",
    discord.AppCommandOptionType.number: "1",
    discord.AppCommandOptionType.boolean: "true",
    discord.AppCommandOptionType.string: "one",
}


def written(command: commands.HybridCommand[Any, ..., Any]) -> str:
    """The command with an argument in every place."""
    assert command.app_command is not None
    words = [command.qualified_name]
    for name in command.clean_params:
        option = command.app_command.get_parameter(name)
        assert option is not None
        chosen = option.choices[0].name if option.choices else SAMPLES.get(name, BY_TYPE[option.type])
        words.append(chosen)
    return " ".join(words)


def leaves(bot: KokoroBot) -> Iterator[commands.HybridCommand[Any, ..., Any]]:
    for command in bot.walk_commands():
        if not isinstance(command, commands.Group):
            assert isinstance(command, commands.HybridCommand), command
            yield command


async def test_every_command_answers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, economy_dir=shipped_folder("data"), shard_count=1)
    bot = create_bot(settings, provider=LocalJSONProvider(tmp_path))
    shown: list[Posted] = []
    guild = FakeGuild(bot, "alice", shown.append)
    await guild.open()
    await guild.say("bob", "balance")
    silent = []
    lines = [f"help {command.qualified_name}" for command in bot.walk_commands()]
    lines += [line for command in leaves(bot) for line in (command.qualified_name, written(command))]
    for name in ("carol", "alice"):  # Who owns the server comes last: an admin's acts change the world.
        for line in lines:
            shown.clear()
            await guild.say(name, line)
            if not shown:
                silent.append((name, line))
    await guild.close()
    assert silent == []
    assert errors(caplog) == []


async def test_the_host_of_the_terminal_alone_is_an_admin(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, economy_dir=shipped_folder("data"), shard_count=1)
    bot = create_bot(settings, provider=LocalJSONProvider(tmp_path))
    shown: list[Posted] = []
    guild = FakeGuild(bot, "alice", shown.append)
    await guild.open()
    for name in ("bob", "alice"):
        await guild.say(name, "balance")
        await guild.say(name, "admin gold bob 5 a gift of the project")
    refused, granted = (str(message.embeds[0].description) for message in (shown[1], shown[3]))
    offered = [await guild.offered(name, ["admin", "item", "bob", ""]) for name in ("bob", "alice")]
    await guild.close()
    assert refused.startswith("You may not do that here: it needs the owner of the bot")
    assert granted.endswith("5 gold, now 10,005.")
    assert offered[0] == []
    assert "Ema Plaque" in offered[1] or "ema_plaque" in offered[1]


async def test_every_word_that_can_be_completed_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, economy_dir=shipped_folder("data"), shard_count=1)
    bot = create_bot(settings, provider=LocalJSONProvider(tmp_path))
    guild = FakeGuild(bot, "alice", lambda _message: None)
    await guild.open()
    assert await guild.offered("alice", ["profile", ""]) == ["alice"]
    await guild.say("alice", "buy health_potion")
    for command in leaves(bot):
        words = command.qualified_name.split()
        assert await guild.offered("alice", words) != [], words
        for place in range(1, len(command.clean_params) + 1):
            await guild.offered("alice", [*words, *[""] * place])
    offered = await guild.offered("alice", ["sell", ""])
    await guild.close()
    assert offered == ["health_potion"]
    assert errors(caplog) == []


def errors(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.levelname == "ERROR"]
