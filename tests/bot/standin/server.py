"""The stand-in as tests drive it."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from aiohttp import web
from discord import AppCommandOptionType, InteractionType

from kokoromichi.chat.console import payloads
from tests.bot.standin.api import Api, Fault
from tests.bot.standin.asked import Asked
from tests.bot.standin.gateway import Gateway
from tests.bot.standin.ids import GUILDS, User, new_id

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from kokoromichi.chat.console.payloads import Payload
    from tests.bot.standin.gateway import Session


class StandIn:
    """Discord, on a free port of 127.0.0.1.

    Args:
        shards: How many shards it recommends.
        message_content: Whether the application may ask for the words of messages.
        public: Whether anybody may invite the bot.

    Attributes:
        api_url: What the bot is to take for Discord's API.
        gateway_url: What it is to take for the gateway.
        api: What came by HTTP.
        gateway: Who is connected.
    """

    def __init__(self, *, shards: int = 1, message_content: bool = True, public: bool = False) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.api_url = f"http://127.0.0.1:{port}/api/v10"
        self.gateway_url = f"ws://127.0.0.1:{port}/gateway"
        self.gateway = Gateway(self.gateway_url, message_content=message_content)
        self.api = Api(self.gateway_url, shards, message_content=message_content, public=public)
        app = web.Application()
        app.router.add_get("/gateway", self.gateway.serve)
        app.router.add_get("/gateway/", self.gateway.serve)
        app.add_subapp("/api/v10", self.api.application())
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        self._sending: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.SockSite(self._runner, self._listener).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in list(self.gateway.sessions.values()):
            await self.gateway.drop(session, 1001)
        await self._runner.cleanup()

    async def ready(self, shards: int = 1, *, sessions: int = 0, timeout_s: float = 120) -> None:
        """Wait until so many shards are connected, and so many sessions were ever begun."""
        gateway = self.gateway

        def there() -> bool:
            connected = sum(session.socket is not None for session in gateway.sessions.values())
            return connected >= shards and gateway.identified >= sessions

        async with gateway.changed:
            await asyncio.wait_for(gateway.changed.wait_for(there), timeout_s)

    async def gone(self, timeout_s: float = 120) -> None:
        """Wait until nobody is connected."""
        gateway = self.gateway

        def empty() -> bool:
            return all(session.socket is None for session in gateway.sessions.values())

        async with gateway.changed:
            await asyncio.wait_for(gateway.changed.wait_for(empty), timeout_s)

    def slash(
        self, user: User, command: str, /, *, guild_id: int = GUILDS[0], **options: str | int | bool | User
    ) -> Asked:
        """Give a slash command; a group's command is ``"admin gold"``."""
        return self._give(InteractionType.application_command, user, guild_id, _command(command, options))

    def autocomplete(
        self, user: User, command: str, focused: str, *, guild_id: int = GUILDS[0], **options: str | int
    ) -> Asked:
        """Type into an option."""
        return self._give(
            InteractionType.autocomplete, user, guild_id, _command(command, {**options}, focused)
        )

    def click(self, asked: Asked, label: str, user: User | None = None) -> Asked:
        """Click a button on the last message that has one so labelled; by default as who asked."""
        who = user or asked.user
        for answer in reversed(asked.said):
            for part in payloads.buttons(answer.shown):
                if part.get("label") == label:
                    click = payloads.click(
                        new_id(), asked.guild_id, who.payload(), answer.shown, part["custom_id"]
                    )
                    return self._ask(click, who, asked.guild_id)
        message = f"no button {label!r} in {asked.messages}"
        raise AssertionError(message)

    def message(self, user: User, words: str, *, guild_id: int = GUILDS[0]) -> Asked:
        """Write a message, in a channel of its own."""
        message_id, channel_id = new_id(), new_id()
        channel = payloads.channel(channel_id, guild_id)
        written = payloads.written(message_id, channel_id, guild_id, user.payload(), words)
        asked = Asked(message_id, user, guild_id, {"t": "MESSAGE_CREATE", "d": written})
        self.api.asked[str(channel_id)] = self.api.asked[str(user.id)] = asked  # Their direct messages too.
        self._send(guild_id, {"t": "CHANNEL_CREATE", "d": channel}, asked.event)
        return asked

    def again(self, asked: Asked) -> None:
        """Deliver a question once more, as it was: the same id, the same token."""
        self._send(asked.guild_id, asked.event)

    def fail(
        self, status: int, times: int = 1, *, path: str = "/callback", carried_out: bool = False
    ) -> None:
        """Answer the next requests whose path holds ``path`` with a status.

        Args:
            status: 429 asks to come again soon; from 500 on it is a broken gateway; 404 comes too late.
            times: How many.
            path: ``/callback`` for first answers, ``/webhooks/`` for those after.
            carried_out: Whether they have their effect all the same.
        """
        self.api.faults += [Fault(status, path, carried_out)] * times

    async def drop(self, guild_id: int = GUILDS[0], close_code: int = 4000) -> Session:
        """Close the connection of whoever serves a guild; it may RESUME."""
        session = self.gateway.session_of(guild_id)
        await self.gateway.drop(session, close_code)
        return session

    async def invalidate(self, guild_id: int = GUILDS[0]) -> None:
        """End the session of whoever serves a guild; it must IDENTIFY."""
        await self.gateway.invalidate(self.gateway.session_of(guild_id))

    def _give(self, kind: InteractionType, user: User, guild_id: int, data: Payload) -> Asked:
        interaction = payloads.interaction(new_id(), kind, guild_id, user.payload(), data)
        return self._ask(interaction, user, guild_id)

    def _ask(self, interaction: Payload, user: User, guild_id: int) -> Asked:
        event = {"t": "INTERACTION_CREATE", "d": interaction}
        asked = Asked(int(interaction["id"]), user, guild_id, event)
        self.api.asked[interaction["token"]] = asked
        self.api.discord.ask(interaction)
        self._send(guild_id, event)
        return asked

    def _send(self, guild_id: int, *events: Payload) -> None:
        """Send events in order, in a task of their own; a test goes on meanwhile."""
        session = self.gateway.session_of(guild_id)

        async def sent() -> None:
            for event in events:
                await session.send(event["t"], event["d"])

        task = asyncio.create_task(sent())
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)


def _command(words: str, options: dict[str, str | int | bool | User], focused: str | None = None) -> Payload:
    """What a slash command says, with the players that it names."""
    kinds = {
        User: AppCommandOptionType.user,
        bool: AppCommandOptionType.boolean,
        int: AppCommandOptionType.integer,
        str: AppCommandOptionType.string,
    }
    given: list[Payload] = []
    users: dict[str, Payload] = {}
    for name, value in options.items():
        if isinstance(value, User):
            users[str(value.id)] = value.payload()
        plain = str(value.id) if isinstance(value, User) else value
        given.append(payloads.option(name, kinds[type(value)], plain, focused=name == focused))
    members = {user_id: payloads.member(user) for user_id, user in users.items()}
    return payloads.command(words, given) | {"resolved": {"users": users, "members": members}}
