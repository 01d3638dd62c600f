"""Discord's HTTP interface, as much of it as the bot calls: a dictionary of messages."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import discord

from kokoromichi.chat.console import payloads
from kokoromichi.chat.console.payloads import EPHEMERAL, LOADING

if TYPE_CHECKING:
    from collections.abc import Callable

    from kokoromichi.chat.console.payloads import File, Payload

Noted: TypeAlias = "Callable[[str, str, Payload, tuple[File, ...]], None]"
EVERYWHERE: Final = ""
ACKNOWLEDGED: Final = 40060
"""The code of a second first answer."""
_Answer: Final = discord.InteractionResponseType
_MESSAGE: Final = r"/(channels|webhooks/\d+)/(?P<place>\d+)/messages/(?P<message>@original|\d+)"


class FakeAPI:
    """Discord's HTTP interface.

    Args:
        application: The bot's entry in the developer portal.
        new_id: Makes ids, ascending.
        noted: Called with each thing that the bot does: the token of the interaction that it answers, or the
            channel that it speaks in; ``deferred``, ``response``, ``choices``, ``followup``, ``edit``,
            ``deleted`` or ``message``; the message as it stands since, or the choices; and what was attached.

    Attributes:
        commands: The command trees as they were synchronised last, by guild; ``EVERYWHERE`` is no guild.
    """

    def __init__(self, application: Payload, new_id: Callable[[], int], noted: Noted) -> None:
        self.commands: dict[str, list[Payload]] = {}
        self._new_id = new_id
        self._noted = noted
        self._messages: dict[int, Payload] = {}
        self._interactions: dict[str, Payload] = {}
        self._originals: dict[str, int] = {}
        """The message that answers an interaction, by its token: of a click at first the clicked one."""
        self._acknowledged: set[str] = set()
        self._direct: set[int] = set()
        """Channels of direct messages: each has the id of the player who reads there."""
        routes: dict[str, Callable[[re.Match[str], Any, tuple[File, ...]], Any]] = {
            "GET /users/@me": lambda _found, _body, _files: payloads.bot_user(),
            "GET (/oauth2)?/applications/@me": lambda _found, _body, _files: application,
            r"PUT /applications/\d+/(guilds/(?P<guild>\d+)/)?commands": self._sync,
            r"GET /applications/\d+/commands": lambda _found, _body, _files: payloads.registered(
                self.commands.get(EVERYWHERE, [])
            ),
            "POST /users/@me/channels": self._open_direct,
            r"POST /channels/(?P<place>\d+)/messages": self._send,
            r"POST /channels/\d+/typing": lambda _found, _body, _files: None,
            r"POST /webhooks/\d+/(?P<place>\d+)": self._follow_up,
            r"POST /interactions/\d+/(?P<place>\d+)/callback": self._respond,
            rf"GET {_MESSAGE}": self._get,
            rf"PATCH {_MESSAGE}": self._edit,
            rf"DELETE {_MESSAGE}": self._delete,
        }
        self._routes = [(re.compile(pattern), handler) for pattern, handler in routes.items()]

    def ask(self, interaction: Payload) -> None:
        """Take the bot's answers to an interaction from now on."""
        self._interactions[interaction["token"]] = interaction
        if "message" in interaction:
            self._originals[interaction["token"]] = int(interaction["message"]["id"])

    def message(self, message_id: int) -> Payload:
        """A message as it stands.

        Raises:
            discord.NotFound: There is none.
        """
        if message_id not in self._messages:
            raise _error(404, 10008, f"Unknown message {message_id}")
        return self._messages[message_id]

    def answer(self, method: str, path: str, body: Any, files: tuple[File, ...]) -> Any:
        """Carry out a call of the bot.

        Args:
            method: ``GET``, ``POST``, ``PUT``, ``PATCH`` or ``DELETE``.
            path: Behind the interface's base.
            body: The JSON that was sent, if any.
            files: What was attached to it.

        Returns:
            JSON; None for nothing.

        Raises:
            discord.HTTPException: As the library makes it of what Discord would refuse it with.
        """
        for pattern, handler in self._routes:
            if (found := pattern.fullmatch(f"{method} {path}")) is not None:
                return handler(found, {} if body is None else body, files)
        raise _error(404, 0, f"not imitated: {method} {path}")

    def _sync(self, found: re.Match[str], body: list[Payload], _files: tuple[File, ...]) -> list[Payload]:
        self.commands[found["guild"] or EVERYWHERE] = body
        return payloads.registered(body)

    def _open_direct(self, _found: re.Match[str], body: Payload, _files: tuple[File, ...]) -> Payload:
        self._direct.add(int(body["recipient_id"]))
        return payloads.direct_channel(int(body["recipient_id"]))

    def _send(self, found: re.Match[str], body: Payload, files: tuple[File, ...]) -> Payload:
        place = int(found["place"])
        begun = place in self._direct and not body.get("embeds")  # The answer takes its place.
        return self._put(
            found["place"], "deferred" if begun else "message", self._new_message(place), body, files
        )

    def _respond(self, found: re.Match[str], body: Payload, files: tuple[File, ...]) -> Payload:
        """Take the one callback of an interaction."""
        token, kind, data = found["place"], body["type"], body.get("data") or {}
        asked = self._interaction(token)
        if token in self._acknowledged:
            raise _error(400, ACKNOWLEDGED, "Interaction has already been acknowledged.")
        self._acknowledged.add(token)
        response = None
        if kind == _Answer.autocomplete_result.value:
            self._noted(token, "choices", data, ())
        elif kind == _Answer.message_update.value:
            response = self._put(token, "edit", self._original(token), data, files)
        elif kind == _Answer.deferred_message_update.value:
            response = self._original(token)
        else:
            thinks = kind == _Answer.deferred_channel_message.value
            new = self._new_message(int(asked["channel_id"]))
            data = data | {"flags": data.get("flags", 0) | (LOADING if thinks else 0)}
            response = self._put(token, "deferred" if thinks else "response", new, data, files)
            self._originals[token] = int(response["id"])
        return payloads.callback(asked, kind, response)

    def _follow_up(self, found: re.Match[str], body: Payload, files: tuple[File, ...]) -> Payload:
        """Say something more: in the place of the thought where the bot thinks."""
        token = found["place"]
        asked = self._interaction(token)
        if token not in self._acknowledged:
            raise _error(404, 10015, "Unknown Webhook")
        message = self._messages.get(self._originals.get(token, 0))
        if message is None or not message["flags"] & LOADING:
            message = self._new_message(int(asked["channel_id"]))
        return self._put(token, "followup", message, body, files)

    def _get(self, found: re.Match[str], _body: Payload, _files: tuple[File, ...]) -> Payload:
        """The message that a path names."""
        name = found["message"]
        return self._original(found["place"]) if name == "@original" else self.message(int(name))

    def _edit(self, found: re.Match[str], body: Payload, files: tuple[File, ...]) -> Payload:
        return self._put(found["place"], "edit", self._get(found, body, files), body, files)

    def _delete(self, found: re.Match[str], body: Payload, files: tuple[File, ...]) -> None:
        message = self._get(found, body, files)
        del self._messages[int(message["id"])]
        self._noted(found["place"], "deleted", message, ())

    def _interaction(self, token: str) -> Payload:
        if token not in self._interactions:
            raise _error(404, 10062, "Unknown interaction")
        return self._interactions[token]

    def _original(self, token: str) -> Payload:
        self._interaction(token)
        return self.message(self._originals.get(token, 0))

    def _new_message(self, channel_id: int) -> Payload:
        return payloads.message(self._new_id(), channel_id, payloads.bot_user(), {})

    def _put(self, place: str, kind: str, old: Payload, body: Payload, files: tuple[File, ...]) -> Payload:
        """Let a message stand as the bot wants it: what is not named stays, as does a thought's secrecy."""
        shown = old | body
        if files:
            shown["attachments"] = payloads.attachments(files)
        if old["flags"] & LOADING:
            shown["flags"] = body.get("flags", 0) & ~EPHEMERAL | old["flags"] & EPHEMERAL
        if int(old["channel_id"]) in self._direct:
            shown["flags"] = shown.get("flags", 0) | EPHEMERAL
        message = payloads.message(int(old["id"]), int(old["channel_id"]), old["author"], shown)
        self._messages[int(old["id"])] = message
        self._noted(place, kind, message, files)
        return message


def _error(status: int, code: int, text: str) -> discord.HTTPException:
    """What the library makes of Discord's refusal."""
    response: Any = SimpleNamespace(status=status, reason="")
    kind = discord.NotFound if status == 404 else discord.HTTPException  # noqa: PLR2004 - as HTTP numbers it
    return kind(response, {"code": code, "message": text})
