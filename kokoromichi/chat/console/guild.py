"""Players at one terminal and the bot they play with: what is typed goes the way of Discord's events."""

from __future__ import annotations

import asyncio
import difflib
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import discord
from discord.ext import commands
from discord.webhook.async_ import async_context

from kokoromichi.chat.console import payloads
from kokoromichi.chat.console.http_client import FakeHTTPClient
from kokoromichi.chat.console.names import player_id, player_name
from kokoromichi.chat.game import PREFIX
from kokoromichi.core.clock import EPOCH

if TYPE_CHECKING:
    from collections.abc import Callable

    from discord import app_commands

    from kokoromichi.chat.console.payloads import Payload, Posted
    from kokoromichi.chat.game import Game

_WORK: Final = ("discord.py: ", "discord-ui-view-dispatch", "CommandTree-invoker")
"""How the library names the tasks in which it calls a bot."""
_USER: Final = discord.AppCommandOptionType.user
_OF_A_GROUP: Final = 2
"""Words of a command in a group."""


class FakeGuild:
    """A server of one channel, kept in this process; the bot is the one that runs on Discord.

    Args:
        bot: It is logged in here, and never connected.
        host: The player who owns the server and the bot.
        shown: Called with each message of the bot as it is posted or edited.
    """

    def __init__(self, bot: Game, host: str, shown: Callable[[Posted], None]) -> None:
        self._bot = bot
        self._state = bot._connection  # noqa: SLF001 - where the gateway's events go in
        self._last_id = 0
        self._members: set[str] = set()
        self._owner = payloads.user(player_id(host), host.casefold())
        self._http_client = FakeHTTPClient(self._owner, self._new_id, shown)
        bot.limits_spam = False
        bot.http.request = self._http_client.call  # type: ignore[method-assign] # No call leaves this process.

    async def open(self) -> None:
        """Log the bot in, which opens the storage and loads the commands, and seat who has played before.

        Raises:
            StorageError: The storage cannot be used.
        """
        async_context.set(self._http_client)
        await self._bot.login("terminal")
        self._event("GUILD_CREATE", payloads.guild(int(self._owner["id"]), self._http_client.me))
        self._join(self._owner["username"])
        for user_id in await self._bot.provider.user_ids():
            if (name := player_name(user_id)) is not None:
                self._join(name)

    async def close(self) -> None:
        """Close the bot, and with it the storage: all is flushed."""
        await self._bot.close()

    def knows(self, word: str) -> bool:
        """Whether there is such a command."""
        return self._bot.get_command(word) is not None

    def near(self, word: str) -> list[str]:
        """Commands that are written almost like this one."""
        return difflib.get_close_matches(word.casefold(), self._names(), n=3)

    async def join(self, name: str) -> None:
        """Let a player join, so that others can name him.

        Raises:
            MisuseError: It is no name.
        """
        self._join(name)

    async def say(self, name: str, line: str) -> None:
        """A player gives a command, without a prefix; it has been answered when this returns.

        A seated player's name is sent as a mention where the command wants a player.
        """
        words, mentions = line.split(), []
        for place, option in enumerate(self._options(words)):
            named = words[place].removeprefix("@").casefold()
            if option is not None and option.type is _USER and named in self._members:
                mentions.append(self._join(named))
                words[place] = f"<@{player_id(named)}>"
        message = payloads.message(self._new_id(), self._join(name), PREFIX + " ".join(words), mentions)
        await self._carried_out("MESSAGE_CREATE", message | {"guild_id": str(payloads.GUILD_ID)})

    async def press(self, name: str, message_id: int, custom_id: str) -> None:
        """A player presses a button under a message of the bot."""
        click = self._interaction(
            discord.InteractionType.component,
            name,
            {"custom_id": custom_id, "component_type": discord.ComponentType.button.value},
        )
        self._http_client.pressed[click["token"]] = message_id
        await self._carried_out(
            "INTERACTION_CREATE", click | {"message": self._http_client.message(message_id)}
        )

    async def offered(self, name: str, words: list[str]) -> list[str]:
        """What may stand where the last word is being typed, as the bot's own autocompletion offers it.

        Args:
            name: Who types.
            words: The words so far; the last one may be empty.
        """
        typed = words[-1].casefold()
        if len(words) == 1:
            return [word for word in self._names() if word.startswith(typed)]
        if isinstance(group := self._bot.get_command(words[0]), commands.Group) and len(words) == _OF_A_GROUP:
            return sorted(child.name for child in group.commands if child.name.startswith(typed))
        option = self._options(words)[-1]
        if option is None:
            return []
        if option.type is _USER:
            return sorted(seat for seat in self._members if seat.startswith(typed.removeprefix("@")))
        if not option.autocomplete:
            return [choice.name for choice in option.choices if choice.name.casefold().startswith(typed)]
        focused = {"name": option.name, "type": option.type.value, "value": words[-1], "focused": True}
        data: Payload = focused
        for command in (option.command, option.command.parent):
            if command is not None:
                data = {"id": "1", "name": command.name, "type": 1, "options": [data]}
        question = self._interaction(discord.InteractionType.autocomplete, name, data)
        await self._carried_out("INTERACTION_CREATE", question)
        return self._http_client.offered.pop(question["token"], [])

    def _options(self, words: list[str]) -> list[app_commands.Parameter | None]:
        """What each word is to a command: an argument, or nothing."""
        command = self._bot.get_command(" ".join(words[:_OF_A_GROUP])) or self._bot.get_command(words[0])
        if not isinstance(command, commands.HybridCommand) or command.app_command is None:
            return [None] * len(words)
        own = [None] * len(command.qualified_name.split())
        taken = [command.app_command.get_parameter(name) for name in command.clean_params]
        return [*own, *taken, *[None] * len(words)][: len(words)]

    def _names(self) -> list[str]:
        return sorted(word for word, command in self._bot.all_commands.items() if not command.hidden)

    def _join(self, name: str) -> Payload:
        """A player, who joins the server the first time."""
        who = payloads.user(player_id(name), name.casefold())
        if who["username"] not in self._members:
            self._members.add(who["username"])
            self._event("GUILD_MEMBER_ADD", payloads.member(who) | {"guild_id": str(payloads.GUILD_ID)})
        return who

    def _interaction(self, kind: discord.InteractionType, name: str, data: Payload) -> Payload:
        return payloads.interaction(self._new_id(), kind, self._join(name), data)

    def _event(self, name: str, payload: Payload) -> None:
        """Hand the bot an event as the gateway would."""
        self._state.parsers[name](payload)

    async def _carried_out(self, name: str, payload: Payload) -> None:
        """Hand it an event, and wait until everything that it began has ended."""
        async_context.set(self._http_client)
        self._event(name, payload)
        while work := [task for task in asyncio.all_tasks() if task.get_name().startswith(_WORK)]:
            await asyncio.wait(work)

    def _new_id(self) -> int:
        """An id that no other message of this storage has: they are request ids too."""
        now = EPOCH + timedelta(microseconds=self._bot.services.now_us())
        self._last_id = max(self._last_id + 1, discord.utils.time_snowflake(now))
        return self._last_id
