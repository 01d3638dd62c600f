"""The HTTP API: each call that the bot makes is carried out and noted with the question that it answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aiohttp import web

from tests.bot.standin import payloads
from tests.bot.standin.payloads import APPLICATION, TOKEN, new_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.bot.standin.asked import Asked
    from tests.bot.standin.payloads import Payload

_EPHEMERAL: Final = 1 << 6
_RETRY_S: Final = 0.05
_KINDS: Final = {4: "response", 7: "edit", 8: "choices"}


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
        public: Whether anybody may invite the bot.

    Attributes:
        asked: Questions by the token of an interaction, and by the channel of a message.
        faults: What goes wrong next, in order.
        commands: The command tree as it was synchronised last: global ones under 0.
        requests: Every request: method and path.
    """

    def __init__(self, gateway_url: str, shards: int, *, public: bool) -> None:
        self._gateway_url = gateway_url
        self._shards = shards
        self._public = public
        self.asked: dict[str, Asked] = {}
        self.faults: list[Fault] = []
        self.commands: dict[int, list[Payload]] = {}
        self.requests: list[str] = []

    def application(self) -> web.Application:
        """The server's routes."""
        app = web.Application(middlewares=[self._guard])
        hook = f"/webhooks/{APPLICATION}/{{token}}"
        app.router.add_routes(
            [
                web.get("/users/@me", self._me),
                web.get("/oauth2/applications/@me", self._application),
                web.get("/applications/@me", self._application),
                web.get("/gateway/bot", self._gateway),
                web.put(f"/applications/{APPLICATION}/commands", self._sync),
                web.put(f"/applications/{APPLICATION}/guilds/{{guild}}/commands", self._sync),
                web.post("/interactions/{id}/{token}/callback", self._callback),
                web.post(hook, self._followup),
                web.get(hook + "/messages/{message}", self._read),
                web.patch(hook + "/messages/{message}", self._edit),
                web.delete(hook + "/messages/{message}", self._delete),
                web.post("/channels/{token}/messages", self._message),
                web.patch("/channels/{token}/messages/{message}", self._edit),
                web.delete("/channels/{token}/messages/{message}", self._delete),
                web.post("/channels/{token}/typing", self._typing),
            ]
        )
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
        named = request.match_info.get("token")
        if named is not None and named not in self.asked:
            return _json({"message": "Unknown Channel, Webhook or interaction", "code": 10003}, 404)
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

    async def _me(self, _: web.Request) -> web.Response:
        return _json(payloads.bot_user())

    async def _application(self, _: web.Request) -> web.Response:
        return _json(payloads.application(public=self._public))

    async def _gateway(self, _: web.Request) -> web.Response:
        limits = {"total": 1000, "remaining": 999, "reset_after": 86_400_000, "max_concurrency": 1}
        return _json({"url": self._gateway_url, "shards": self._shards, "session_start_limit": limits})

    async def _sync(self, request: web.Request) -> web.Response:
        """Take the command tree."""
        given: list[Payload] = await request.json()
        guild_id = int(request.match_info.get("guild", 0))
        self.commands[guild_id] = given
        base = {"application_id": str(APPLICATION), "version": "1", "default_member_permissions": None}
        return _json([{**base, "description": "", **command, "id": str(new_id())} for command in given])

    async def _callback(self, request: web.Request) -> web.Response:
        """Take the one callback of an interaction."""
        asked = self.asked[request.match_info["token"]]
        if asked.acknowledged:
            asked.refuse()
            return _json({"message": "Interaction has already been acknowledged.", "code": 40060}, 400)
        given = await _given(request)
        asked.acknowledged = True
        kind, shown = given["type"], given.get("data") or {}
        answer: Payload = {"interaction": {"id": str(asked.id), "type": asked.event["d"]["type"]}}
        message_id = new_id()
        if kind == 5:
            asked.think(message_id, shown.get("flags", 0))
        elif kind in _KINDS:
            if kind == 7:
                message_id = int(asked.event["d"]["message"]["id"])
            asked.original = message_id
            asked.note(_KINDS[kind], message_id, shown)
        elif kind == 6:  # The click is taken; the message that it stood in is the original one.
            asked.original = int(asked.event["d"]["message"]["id"])
        answer["interaction"] |= {
            "response_message_id": str(asked.original),
            "response_message_loading": asked.thinking,
            "response_message_ephemeral": bool(shown.get("flags", 0) & _EPHEMERAL),
        }
        if kind in {4, 5, 7}:
            answer["resource"] = {"type": kind, "message": _shown(asked, asked.original, shown)}
        return _json(answer)

    async def _followup(self, request: web.Request) -> web.Response:
        """Say something more: in the place of the thought where the bot thinks."""
        asked = self.asked[request.match_info["token"]]
        if not asked.acknowledged:
            return _json({"message": "Unknown Webhook", "code": 10015}, 404)
        shown = await _given(request)
        message_id = asked.original if asked.thinking else new_id()
        if asked.thinking:
            shown = asked.spoken(shown)
        asked.note("followup", message_id, shown)
        return _json(_shown(asked, message_id, shown))

    async def _read(self, request: web.Request) -> web.Response:
        asked = self.asked[request.match_info["token"]]
        message_id = _message_id(request, asked)
        return _json(_shown(asked, message_id, _standing(asked, message_id)))

    async def _edit(self, request: web.Request) -> web.Response:
        asked = self.asked[request.match_info["token"]]
        message_id = _message_id(request, asked)
        shown = {**_standing(asked, message_id), **await _given(request)}
        if asked.thinking and message_id == asked.original:
            shown = asked.spoken(shown)
        asked.note("edit", message_id, shown)
        return _json(_shown(asked, message_id, shown))

    async def _delete(self, request: web.Request) -> web.Response:
        asked = self.asked[request.match_info["token"]]
        message_id = _message_id(request, asked)
        if message_id == asked.original:
            asked.thinking = False
        asked.note("deleted", message_id, {})
        return web.Response(status=204)

    async def _message(self, request: web.Request) -> web.Response:
        """Take a message of the bot in a channel."""
        asked = self.asked[request.match_info["token"]]
        shown, message_id = await _given(request), new_id()
        asked.note("message", message_id, shown)
        return _json(_shown(asked, message_id, shown))

    async def _typing(self, _: web.Request) -> web.Response:
        return web.Response(status=204)


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """JSON with the one Content-Type that discord.py takes for it: no charset."""
    body = json.dumps(value).encode()
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)


async def _given(request: web.Request) -> Payload:
    """What the bot says: JSON, or a form with JSON and files."""
    if request.content_type == "application/json":
        said: Payload = await request.json()
        return said
    form = await request.post()
    said = json.loads(str(form["payload_json"]))
    shown = said.get("data", said)
    files = [part for part in form.values() if isinstance(part, web.FileField)]
    shown["attachments"] = [
        {
            "id": str(new_id()),
            "filename": part.filename,
            "size": len(part.file.read()),
            "url": f"http://127.0.0.1/{part.filename}",
            "proxy_url": f"http://127.0.0.1/{part.filename}",
        }
        for part in files
    ]
    return said


def _message_id(request: web.Request, asked: Asked) -> int:
    named = request.match_info["message"]
    return asked.original if named == "@original" else int(named)


def _standing(asked: Asked, message_id: int) -> Payload:
    """What a message shows now."""
    for answer in reversed(asked.answers):
        if answer.message_id == message_id:
            return answer.shown
    shown: Payload = asked.event["d"].get("message") or {}
    return shown


def _shown(asked: Asked, message_id: int, shown: Payload) -> Payload:
    channel_id = int(asked.event["d"]["channel_id"])
    return payloads.message(message_id, channel_id, payloads.bot_user(), _numbered(shown))


def _numbered(shown: Payload) -> Payload:
    """Components as Discord gives them back: each with a number of its own."""
    rows = [dict(row) for row in shown.get("components") or ()]
    for place, row in enumerate(rows):
        row["id"] = 100 * (place + 1)
        row["components"] = [
            {**part, "id": row["id"] + number}
            for number, part in enumerate(row.get("components", ()), start=1)
        ]
    return {**shown, "components": rows}
