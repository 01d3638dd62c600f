"""What the library takes for its HTTP client in a terminal, and what is shown of the bot's messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import discord
import orjson
from discord.http import Route
from discord.webhook.async_ import AsyncWebhookAdapter

from kokoromichi.chat.console.payloads import EPHEMERAL, buttons

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kokoromichi.chat.console.api import FakeAPI
    from kokoromichi.chat.console.payloads import File, Payload


@dataclass(frozen=True, slots=True)
class Choice:
    """A button that can be pressed.

    Attributes:
        label: What it says.
        custom_id: What a click on it carries.
    """

    label: str
    custom_id: str


@dataclass(frozen=True, slots=True)
class Posted:
    """A message of the bot, as it stands now.

    Attributes:
        message_id: Which message.
        content: Its text.
        embeds: Its cards.
        choices: Its buttons that are not switched off.
        files: What was attached with this posting.
        private: Whether it is for one player's eyes alone.
    """

    message_id: int
    content: str
    embeds: tuple[discord.Embed, ...]
    choices: tuple[Choice, ...]
    files: tuple[File, ...]
    private: bool


def posted(payload: Payload, files: tuple[File, ...]) -> Posted:
    """What a message's JSON says."""
    pressable = [part for part in buttons(payload) if "custom_id" in part and not part.get("disabled")]
    return Posted(
        int(payload["id"]),
        payload["content"],
        tuple(discord.Embed.from_dict(embed) for embed in payload["embeds"]),
        tuple(Choice(part.get("label") or "", part["custom_id"]) for part in pressable),
        files,
        bool(payload["flags"] & EPHEMERAL),
    )


class FakeHTTPClient(AsyncWebhookAdapter):
    """The library's two ways to Discord, of the bot and of its interactions: both end in this process.

    Args:
        api: What answers.
    """

    def __init__(self, api: FakeAPI) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # The library's.
        self._api = api

    async def call(self, route: Route, **sent: Any) -> Any:
        """Answer one HTTP call of the bot."""
        return self._answered(route, sent.get("json"), sent.get("form") or ())

    async def request(self, route: Route, session: object, **sent: Any) -> Any:  # noqa: ARG002 - the library's signature
        """Answer one call of an interaction."""
        return self._answered(route, sent.get("payload"), sent.get("multipart") or ())

    def _answered(self, route: Route, body: Any, form: Iterable[Payload]) -> Any:
        files: list[File] = []
        for part in form:
            if part["name"] == "payload_json":
                body = orjson.loads(part["value"])
            else:
                files.append((part["filename"], part["value"].read()))
        return self._api.answer(route.method, route.url.removeprefix(Route.BASE), body, tuple(files))
