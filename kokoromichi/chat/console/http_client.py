"""What answers the bot's calls where Discord's HTTP interface would: a dictionary of messages."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import discord
import orjson
from discord.http import Route
from discord.webhook.async_ import AsyncWebhookAdapter

from kokoromichi.chat.console import payloads
from kokoromichi.chat.console.payloads import posted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kokoromichi.chat.console.payloads import File, Payload, Posted

_Handler: TypeAlias = "Callable[[re.Match[str], Any, tuple[File, ...]], Any]"
_ANSWER: Final = discord.InteractionResponseType.channel_message.value
_OFFER: Final = discord.InteractionResponseType.autocomplete_result.value
_DEFERRALS: Final = {
    discord.InteractionResponseType.deferred_channel_message.value,
    discord.InteractionResponseType.deferred_message_update.value,
}
_MESSAGE: Final = r"(?P<message>\d+)"
_RESPONSE: Final = r"/webhooks/\d+/(?P<token>\d+)/messages/(?P<message>@original|\d+)"


class FakeHTTPClient(AsyncWebhookAdapter):
    """Stands for Discord's HTTP interface, and for the one of its interactions.

    Args:
        owner: Whose application the bot is.
        new_id: Makes ids, ascending.
        shown: Called with each message of the bot as it is posted or edited.

    Attributes:
        me: The bot's user.
        pressed: The message that answers an interaction, by the interaction's token: at first the one on
            which the button stands.
        offered: What was offered while somebody typed, by the interaction's token.
    """

    def __init__(self, owner: Payload, new_id: Callable[[], int], shown: Callable[[Posted], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # The library's.
        self.me = payloads.user(payloads.BOT_ID, "KoKoroMichi", bot=True)
        self.pressed: dict[str, int] = {}
        self.offered: dict[str, list[str]] = {}
        self._messages: dict[int, Payload] = {}
        self._new_id = new_id
        self._shown = shown
        application = payloads.application(owner)
        routes: dict[str, _Handler] = {
            "GET /users/@me": lambda _found, _body, _files: self.me,
            "GET /oauth2/applications/@me": lambda _found, _body, _files: application,
            r"PUT /applications/.*commands": lambda _found, body, _files: payloads.registered(body),
            r"POST /channels/\d+/messages": self._post,
            r"POST /webhooks/\d+/\d+": self._post,
            rf"PATCH /channels/\d+/messages/{_MESSAGE}": self._edit,
            rf"PATCH {_RESPONSE}": self._edit,
            rf"DELETE /channels/\d+/messages/{_MESSAGE}": self._delete,
            rf"DELETE {_RESPONSE}": self._delete,
            r"POST /interactions/(?P<id>\d+)/(?P<token>\d+)/callback": self._respond,
        }
        self._routes = [(re.compile(pattern), handler) for pattern, handler in routes.items()]

    def message(self, message_id: int) -> Payload:
        """A message as it stands.

        Raises:
            discord.NotFound: There is none.
        """
        if message_id not in self._messages:
            raise _not_found(f"message {message_id}")
        return self._messages[message_id]

    async def call(self, route: Route, **sent: Any) -> Any:
        """Answer one HTTP call of the bot."""
        return self._handled(route, sent.get("json"), sent.get("form") or ())

    async def request(self, route: Route, session: object, **sent: Any) -> Any:  # noqa: ARG002 - the library's signature
        """Answer one call of an interaction."""
        return self._handled(route, sent.get("payload"), sent.get("multipart") or ())

    def _handled(self, route: Route, body: Any, form: Iterable[Payload]) -> Any:
        files: list[File] = []
        for part in form:
            if part["name"] == "payload_json":
                body = orjson.loads(part["value"])
            else:
                files.append((part["filename"], part["value"].read()))
        path = f"{route.method} {route.url.removeprefix(Route.BASE)}"
        for pattern, handler in self._routes:
            if (found := pattern.fullmatch(path)) is not None:
                return handler(found, body or {}, tuple(files))
        raise _not_found(path)

    def _post(self, _found: re.Match[str], body: Payload, files: tuple[File, ...]) -> Payload:
        return self._put(payloads.message(self._new_id(), self.me), body, files)

    def _edit(self, found: re.Match[str], body: Payload, files: tuple[File, ...]) -> Payload:
        return self._put(self._named(found), body, files)

    def _delete(self, found: re.Match[str], _body: Payload, _files: tuple[File, ...]) -> None:
        del self._messages[int(self._named(found)["id"])]

    def _respond(self, found: re.Match[str], body: Payload, files: tuple[File, ...]) -> Payload:
        """The first answer to an interaction."""
        token, kind, data = found["token"], body["type"], body.get("data") or {}
        told: Payload = {"interaction": {"id": found["id"], "type": kind}}
        if kind == _OFFER:
            self.offered[token] = [str(choice["value"]) for choice in data["choices"]]
        elif kind not in _DEFERRALS:
            old = payloads.message(self._new_id(), self.me) if kind == _ANSWER else self._original(token)
            message = self._put(old, data, files)
            self.pressed[token] = int(message["id"])
            told["interaction"]["response_message_id"] = message["id"]
            told["resource"] = {"type": kind, "message": message}
        return told

    def _named(self, found: re.Match[str]) -> Payload:
        """The message that a path names."""
        name = found["message"]
        return self._original(found["token"]) if name == "@original" else self.message(int(name))

    def _original(self, token: str) -> Payload:
        return self.message(self.pressed[token])

    def _put(self, old: Payload, body: Payload, files: tuple[File, ...]) -> Payload:
        """Keep a message as it is to stand, and show it."""
        message = payloads.merged(old, body, files, self._new_id)
        self._messages[int(message["id"])] = message
        self._shown(posted(message, files))
        return message


def _not_found(what: str) -> discord.NotFound:
    """What Discord answers to a call that leads nowhere."""
    response: Any = SimpleNamespace(status=404, reason="Not Found")
    return discord.NotFound(response, f"not in a terminal: {what}")
