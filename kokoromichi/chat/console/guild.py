"""Players at one terminal and the bot they play with: what is typed goes the way of Discord's events."""

from __future__ import annotations

import asyncio
import difflib
import re
from typing import TYPE_CHECKING, Final

import discord
from discord.ext import commands
from discord.webhook.async_ import async_context

from kokoromichi.chat.console import payloads
from kokoromichi.chat.console.api import FakeAPI
from kokoromichi.chat.console.http_client import FakeHTTPClient, posted
from kokoromichi.chat.game import PREFIX
from kokoromichi.core.clock import moment_of
from kokoromichi.core.errors import MisuseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from discord import app_commands

    from kokoromichi.chat.console.http_client import Posted
    from kokoromichi.chat.console.payloads import File, Payload
    from kokoromichi.chat.game import Game

_GUILD_ID: Final = 2
_WORK: Final = ("discord.py: ", "discord-ui-view-dispatch", "CommandTree-invoker")
"""How the library names the tasks in which it calls a bot."""
_USER: Final = discord.AppCommandOptionType.user
_OF_A_GROUP: Final = 2
"""Words of a command in a group."""
_LETTERS: Final = "_abcdefghijklmnopqrstuvwxyz0123456789"
_BASE: Final = len(_LETTERS) + 1
_MOST_CHARS: Final = 11
_FIRST_ID: Final = 2**63 - _BASE**_MOST_CHARS
"""From here on, ids are a terminal's: Discord counts them by time, and comes here in the year 2082."""
_NAME: Final = re.compile(rf"[a-z0-9_]{{1,{_MOST_CHARS}}}", re.ASCII)


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
        self._shown = shown
        self._offered: list[str] = []
        self._api = FakeAPI(payloads.application(self._owner), self._new_id, self._noted)
        self._http_client = FakeHTTPClient(self._api)
        bot.limits_spam = False
        bot.http.request = self._http_client.call  # type: ignore[method-assign] # No call leaves this process.

    async def open(self) -> None:
        """Log the bot in, which opens the storage and loads the commands, and seat who has played before.

        Raises:
            StorageError: The storage cannot be used.
        """
        async_context.set(self._http_client)
        await self._bot.login("terminal")
        self._event("GUILD_CREATE", payloads.guild(_GUILD_ID, int(self._owner["id"])))
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
        """Let a player join, so that others can name them.

        Raises:
            MisuseError: It is no name.
        """
        self._join(name)

    async def say(self, name: str, line: str) -> None:
        """A player gives a command, without a prefix; it has been answered when this returns.

        A player's name is sent as a mention where the command wants a player; whoever must be named joins.
        """
        words, mentions = line.split(), []
        for place, option in enumerate(self._options(words)):
            named = words[place].removeprefix("@").casefold()
            if option is None or option.type is not _USER:
                continue
            joins = option.required and _NAME.fullmatch(named) and not named.isdecimal()
            if joins or named in self._members:
                mentions.append(self._join(named))
                words[place] = f"<@{player_id(named)}>"
        who, channel_id = self._join(name), payloads.channel_of(_GUILD_ID)
        line = PREFIX + " ".join(words)
        message = payloads.written(self._new_id(), channel_id, _GUILD_ID, who, line, mentions)
        await self._carried_out("MESSAGE_CREATE", message)

    async def press(self, name: str, message_id: int, custom_id: str) -> None:
        """A player presses a button under a message of the bot."""
        message = self._api.message(message_id)
        await self._ask(payloads.click(self._new_id(), _GUILD_ID, self._join(name), message, custom_id))

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
        focused = payloads.option(option.name, option.type, words[-1], focused=True)
        data = payloads.command(option.command.qualified_name, [focused])
        kind = discord.InteractionType.autocomplete
        self._offered = []
        await self._ask(payloads.interaction(self._new_id(), kind, _GUILD_ID, self._join(name), data))
        return self._offered

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
            self._event("GUILD_MEMBER_ADD", payloads.member(who) | {"guild_id": str(_GUILD_ID)})
        return who

    async def _ask(self, interaction: Payload) -> None:
        self._api.ask(interaction)
        await self._carried_out("INTERACTION_CREATE", interaction)

    def _noted(self, _place: str, kind: str, shown: Payload, files: tuple[File, ...]) -> None:
        """Take what the bot offers, and show what it says."""
        if kind == "choices":
            self._offered = [str(choice["value"]) for choice in shown["choices"]]
        elif kind not in {"deferred", "deleted"}:
            self._shown(posted(shown, files))

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
        now = moment_of(self._bot.services.now_us())
        self._last_id = max(self._last_id + 1, discord.utils.time_snowflake(now))
        return self._last_id


def player_id(name: str) -> int:
    """The id of a name, the same one each time; case does not matter.

    Raises:
        MisuseError: It is no name.
    """
    folded = name.casefold()
    if _NAME.fullmatch(folded) is None:
        message = f"{name!r} is no player's name: 1 to {_MOST_CHARS} of a-z, 0-9 and _"
        raise MisuseError(message)
    number = 0
    for place in range(_MOST_CHARS):
        number = number * _BASE + (1 + _LETTERS.index(folded[place]) if place < len(folded) else 0)
    return _FIRST_ID + number


def player_name(user_id: str) -> str | None:
    """The name of an id, or None where it is no terminal's."""
    number = int(user_id) - _FIRST_ID if user_id.isdecimal() else -1
    if not 0 < number < _BASE**_MOST_CHARS:
        return None
    places = []
    for _ in range(_MOST_CHARS):
        number, place = divmod(number, _BASE)
        places.append(_LETTERS[place - 1] if place else " ")
    return "".join(reversed(places)).rstrip()
