"""Discord's JSON, as much of it as one channel of players needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import discord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Payload: TypeAlias = "dict[str, Any]"
File: TypeAlias = "tuple[str, bytes]"
"""A name and what is in it."""

BOT_ID: Final = 1
GUILD_ID: Final = 2
CHANNEL_ID: Final = 3
EVERYONE: Final = str(discord.Permissions.text().value)
_BUTTON: Final = 2
_PRIVATE: Final = 64
_JOINED: Final = "2026-01-01T00:00:00+00:00"


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
    rows = [row["components"] for row in payload["components"]]
    buttons = [part for row in rows for part in row if part["type"] == _BUTTON and not part.get("disabled")]
    return Posted(
        int(payload["id"]),
        payload["content"],
        tuple(discord.Embed.from_dict(embed) for embed in payload["embeds"]),
        tuple(Choice(part.get("label") or "", part["custom_id"]) for part in buttons if "custom_id" in part),
        files,
        bool(payload["flags"] & _PRIVATE),
    )


def user(user_id: int, name: str, *, bot: bool = False) -> Payload:
    """A user."""
    return {
        "id": str(user_id),
        "username": name,
        "discriminator": "0",
        "global_name": None,
        "avatar": None,
        "bot": bot,
    }


def member(who: Payload) -> Payload:
    """A user as a member of the server."""
    return _membership() | {"user": who}


def _membership() -> Payload:
    """What makes a user a member; a fresh one each time, since the library writes into it."""
    return {"roles": [], "joined_at": _JOINED, "flags": 0, "deaf": False, "mute": False}


def guild(owner_id: int, bot: Payload) -> Payload:
    """A server of one channel, whose owner may everything."""
    everyone = {
        "id": str(GUILD_ID),
        "name": "@everyone",
        "permissions": EVERYONE,
        "position": 0,
        "color": 0,
        "hoist": False,
        "managed": False,
        "mentionable": False,
    }
    return {
        "id": str(GUILD_ID),
        "name": "terminal",
        "owner_id": str(owner_id),
        "roles": [everyone],
        "channels": [channel()],
        "members": [member(bot)],
        "member_count": 1,
    }


def channel() -> Payload:
    """The channel."""
    return {
        "id": str(CHANNEL_ID),
        "type": 0,
        "name": "terminal",
        "position": 0,
        "permission_overwrites": [],
        "permissions": EVERYONE,
    }


def message(message_id: int, author: Payload, content: str = "", mentions: Sequence[Payload] = ()) -> Payload:
    """A message in the channel."""
    return {
        "id": str(message_id),
        "channel_id": str(CHANNEL_ID),
        "author": author,
        "member": _membership(),
        "content": content,
        "timestamp": _JOINED,
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": list(mentions),
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "components": [],
        "pinned": False,
        "flags": 0,
        "type": 0,
    }


def merged(old: Payload, body: Payload, files: tuple[File, ...], new_id: Callable[[], int]) -> Payload:
    """A message after an edit: what the edit does not name stays."""
    payload = old | body
    payload["attachments"] = [
        {"id": str(new_id()), "filename": name, "size": len(data), "url": name, "proxy_url": name}
        for name, data in files
    ]
    empty: Payload = {"content": "", "embeds": [], "components": [], "flags": 0}
    return payload | {name: payload[name] or nothing for name, nothing in empty.items()}


def interaction(interaction_id: int, kind: discord.InteractionType, who: Payload, data: Payload) -> Payload:
    """A click, or a question for what to offer while somebody types."""
    return {
        "id": str(interaction_id),
        "application_id": str(BOT_ID),
        "type": kind.value,
        "token": str(interaction_id),
        "version": 1,
        "data": data,
        "guild_id": str(GUILD_ID),
        "channel_id": str(CHANNEL_ID),
        "channel": channel(),
        "member": member(who) | {"permissions": EVERYONE},
        "attachment_size_limit": 2**23,
    }


def application(owner: Payload) -> Payload:
    """The bot's entry in the developer portal."""
    return {
        "id": str(BOT_ID),
        "name": "KoKoroMichi",
        "description": "",
        "icon": None,
        "bot_public": False,
        "bot_require_code_grant": False,
        "verify_key": "",
        "owner": owner,
    }


def registered(commands: Iterable[Payload]) -> list[Payload]:
    """Slash commands as Discord would know them after a sync."""
    return [
        {"id": str(number), "application_id": str(BOT_ID), "version": "1", "type": 1} | command
        for number, command in enumerate(commands, start=1)
    ]
