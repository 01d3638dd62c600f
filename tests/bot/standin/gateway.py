"""The gateway: sessions, what was sent in each, and what a RESUME replays."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final

from aiohttp import WSMsgType, web

from kokoromichi.chat.console import payloads
from tests.bot.standin.ids import GUILDS, OWNER, TOKEN, new_id

if TYPE_CHECKING:
    from kokoromichi.chat.console.payloads import Payload

_HEARTBEAT_MS: Final = 5_000
MESSAGE_CONTENT: Final = 1 << 15
_FOR_GOOD: Final = (4004, *range(4010, 4015))
_HELLO: Final = {"op": 10, "d": {"heartbeat_interval": _HEARTBEAT_MS}, "s": None, "t": None}


class Session:
    """One shard's session: it outlives its connection.

    Attributes:
        shard: Its number, and how many there are.
        sent: Every event of the session; its number is its place, from 1.
        socket: The connection, if there is one.
        resumed: How often it was resumed.
    """

    def __init__(self, shard: tuple[int, int], intents: int) -> None:
        self.id = f"session-{new_id()}"
        self.shard = shard
        self.intents = intents
        self.sent: list[str] = []
        self.socket: web.WebSocketResponse | None = None
        self.resumed = 0
        self._sending = asyncio.Lock()

    async def send(self, name: str, data: Payload) -> None:
        """Send an event, or keep it for the RESUME."""
        async with self._sending:
            if name == "MESSAGE_CREATE" and not self._reads(data):
                data = {**data, "content": ""}
            event = {"op": 0, "t": name, "s": len(self.sent) + 1, "d": data}
            self.sent.append(json.dumps(event))
            await self._deliver(self.sent[-1])

    def _reads(self, message: Payload) -> bool:
        """Whether the bot may read a message: by its intent, or because the message names it."""
        return bool(self.intents & MESSAGE_CONTENT) or f"<@{payloads.BOT_ID}>" in message["content"]

    async def take_up(self, socket: web.WebSocketResponse, after: int) -> None:
        """Go on over another connection: send what came after an event again, and then what is new."""
        async with self._sending:
            self.socket = socket
            for event in self.sent[after:]:
                await self._deliver(event)
        self.resumed += 1
        await self.send("RESUMED", {})

    async def _deliver(self, event: str) -> None:
        if self.socket is not None:
            try:
                await self.socket.send_str(event)
            except ConnectionError:
                self.socket = None

    def holds(self, guild_id: int) -> bool:
        """Whether the guild is this shard's."""
        number, shards = self.shard
        return (guild_id >> 22) % shards == number


class Gateway:
    """Every session, and whoever is connected.

    Args:
        url: Its own address.
        message_content: Whether the application may ask for the words of messages.

    Attributes:
        sessions: Those that are alive, by shard.
        identified: How many sessions there were.
        refused: The close code that ended a session for good. Whoever comes again is told the same,
            since a client may lose the code of a connection that breaks while it still writes.
    """

    def __init__(self, url: str, *, message_content: bool) -> None:
        self._url = url
        self._message_content = message_content
        self.sessions: dict[tuple[int, int], Session] = {}
        self.identified = 0
        self.refused: int | None = None
        self.changed = asyncio.Condition()

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One connection, from HELLO to its end."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json(_HELLO)
        session: Session | None = None
        async for received in socket:
            if received.type is not WSMsgType.TEXT:
                continue
            said = json.loads(received.data)
            if said["op"] == 1:
                await socket.send_json({"op": 11, "d": None, "s": None, "t": None})
            elif self.refused is not None:
                await socket.close(code=self.refused)
            elif said["op"] == 2:
                session = await self._identify(socket, said["d"])
            elif said["op"] == 6:
                session = await self._resume(socket, said["d"])
        if session is not None and session.socket is socket:
            session.socket = None
            await self._tell()
        return socket

    async def _identify(self, socket: web.WebSocketResponse, said: Payload) -> Session | None:
        if said["token"] != TOKEN:
            await socket.close(code=4004)
            return None
        if said["intents"] & MESSAGE_CONTENT and not self._message_content:
            await socket.close(code=4014)
            return None
        number, shards = said.get("shard", (0, 1))
        session = Session((number, shards), said["intents"])
        session.socket = socket
        mine = [guild_id for guild_id in GUILDS if session.holds(guild_id)]
        ready = {
            "v": 10,
            "user": payloads.bot_user(),
            "guilds": [{"id": str(guild_id), "unavailable": True} for guild_id in mine],
            "session_id": session.id,
            "resume_gateway_url": self._url,
            "shard": [number, shards],
            "application": {"id": str(payloads.BOT_ID), "flags": 0},
        }
        await session.send("READY", ready)
        for guild_id in mine:
            await session.send("GUILD_CREATE", payloads.guild(guild_id, OWNER))
        self.sessions[session.shard] = session
        self.identified += 1
        await self._tell()
        return session

    async def _resume(self, socket: web.WebSocketResponse, said: Payload) -> Session | None:
        for session in self.sessions.values():
            if session.id == said["session_id"] and said["token"] == TOKEN:
                await session.take_up(socket, said["seq"])
                await self._tell()
                return session
        await socket.send_json({"op": 9, "d": False, "s": None, "t": None})
        return None

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    def session_of(self, guild_id: int) -> Session:
        """The session of whoever serves a guild."""
        for session in self.sessions.values():
            if session.holds(guild_id):
                return session
        message = f"nobody serves guild {guild_id}"
        raise AssertionError(message)

    async def drop(self, session: Session, close_code: int) -> None:
        """Close a session's connection; the session stays, and may be resumed unless the code ends it."""
        if close_code in _FOR_GOOD:
            self.refused = close_code
        socket, session.socket = session.socket, None
        if socket is not None:
            await socket.close(code=close_code)

    async def invalidate(self, session: Session) -> None:
        """End a session: whoever has it must identify anew, and what it missed is lost."""
        del self.sessions[session.shard]
        socket, session.socket = session.socket, None
        if socket is not None:
            await socket.send_json({"op": 9, "d": False, "s": None, "t": None})
