"""The HTTP API over a socket: what the bot does is noted with the question that it answers, or goes wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import discord
from aiohttp import web

from kokoromichi.chat.console import payloads
from kokoromichi.chat.console.api import ACKNOWLEDGED, FakeAPI
from tests.bot.standin.ids import OWNER, TOKEN, User, new_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kokoromichi.chat.console.payloads import File, Payload
    from tests.bot.standin.asked import Asked

_RETRY_S: Final = 0.05


class Fault(NamedTuple):
    """What goes wrong with the next request.

    Attributes:
        status: The answer.
        path: What the request's path must hold.
        carried_out: Whether the request has its effect all the same, and only its answer is lost.
    """

    status: int
    path: str
    carried_out: bool


class Api:
    """Discord's HTTP API.

    Args:
        gateway_url: Where the gateway is.
        shards: How many shards it recommends.
        message_content: Whether the application may ask for the words of messages.
        public: Whether anybody may invite the bot.

    Attributes:
        discord: What carries the calls out.
        asked: Questions by the token of an interaction, and by the channel of a message.
        faults: What goes wrong next, in order.
        requests: Every request: method and path.
    """

    def __init__(self, gateway_url: str, shards: int, *, message_content: bool, public: bool) -> None:
        self._gateway_url = gateway_url
        self._shards = shards
        flags = discord.ApplicationFlags(gateway_message_content=message_content).value
        application = payloads.application(User(OWNER, "owner").payload())
        application |= {"bot_public": public, "flags": flags}
        self.discord = FakeAPI(application, new_id, self._noted)
        self.asked: dict[str, Asked] = {}
        self.faults: list[Fault] = []
        self.requests: list[str] = []

    def application(self) -> web.Application:
        """The server's routes."""
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/gateway/bot", self._gateway)
        app.router.add_route("*", "/{path:.*}", self._carry_out)
        return app

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Know the token, and let the next request go wrong where that was ordered."""
        self.requests.append(f"{request.method} {request.path}")
        by_token = "/interactions/" in request.path or "/webhooks/" in request.path
        if not by_token and request.headers.get("Authorization") != f"Bot {TOKEN}":
            return _json({"message": "401: Unauthorized", "code": 0}, 401)
        fault = next((fault for fault in self.faults if fault.path in request.path), None)
        if fault is None:
            return await handler(request)
        self.faults.remove(fault)
        if fault.carried_out:
            await handler(request)
        if fault.status == 429:
            limited = {"message": "You are being rate limited.", "retry_after": _RETRY_S, "global": False}
            return _json(limited, 429, {"Via": "1.1 stand-in", "Retry-After": "1"})
        if fault.status < 500:
            return _json({"message": "Unknown interaction", "code": 10062}, fault.status)
        return web.Response(status=fault.status, text="<html>Bad Gateway</html>", content_type="text/html")

    async def _gateway(self, _: web.Request) -> web.Response:
        limits = {"total": 1000, "remaining": 999, "reset_after": 86_400_000, "max_concurrency": 1}
        return _json({"url": self._gateway_url, "shards": self._shards, "session_start_limit": limits})

    async def _carry_out(self, request: web.Request) -> web.Response:
        body, files = await _sent(request)
        try:
            answer = self.discord.answer(request.method, f"/{request.match_info['path']}", body, files)
        except discord.HTTPException as error:
            if error.code == ACKNOWLEDGED:
                self.asked[request.path.split("/")[-2]].refuse()
            return _json({"message": error.text, "code": error.code}, error.status)
        return web.Response(status=204) if answer is None else _json(answer)

    def _noted(self, place: str, kind: str, shown: Payload, _files: tuple[File, ...]) -> None:
        self.asked[place].note(kind, shown)


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """JSON with the one Content-Type that discord.py takes for it: no charset."""
    body = json.dumps(value).encode()
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)


async def _sent(request: web.Request) -> tuple[Any, tuple[File, ...]]:
    """What the bot says: JSON, or a form with JSON and files, or nothing."""
    if request.content_type == "application/json":
        return await request.json(), ()
    form = await request.post()
    files = [part for part in form.values() if isinstance(part, web.FileField)]
    body = json.loads(str(form.get("payload_json", "null")))
    return body, tuple((part.filename, part.file.read()) for part in files)
