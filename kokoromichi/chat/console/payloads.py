"""Discord's JSON, as much of it as players in a server of one channel need."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import discord

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Payload: TypeAlias = "dict[str, Any]"
File: TypeAlias = "tuple[str, bytes]"
"""A name and what is in it."""

BOT_ID: Final = 1
EPHEMERAL: Final = discord.MessageFlags(ephemeral=True).value
LOADING: Final = discord.MessageFlags(loading=True).value
_EVERYONE: Final = str((discord.Permissions.text() | discord.Permissions(view_channel=True)).value)
_JOINED: Final = "2026-01-01T00:00:00+00:00"
_CHAT_INPUT: Final = discord.AppCommandType.chat_input.value
_BUTTON: Final = discord.ComponentType.button.value


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


def bot_user() -> Payload:
    """The bot itself."""
    return user(BOT_ID, "KoKoroMichi", bot=True)


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
        "flags": 0,
        "owner": owner,
    }


def member(who: Payload) -> Payload:
    """A user as a member of a server; a fresh one each time, since the library writes into it."""
    return {
        "user": who,
        "roles": [],
        "joined_at": _JOINED,
        "flags": 0,
        "deaf": False,
        "mute": False,
        "permissions": _EVERYONE,
    }


def channel_of(guild_id: int) -> int:
    """The id of a server's one channel."""
    return guild_id + 1


def channel(channel_id: int, guild_id: int) -> Payload:
    """A text channel."""
    return {
        "id": str(channel_id),
        "guild_id": str(guild_id),
        "type": discord.ChannelType.text.value,
        "name": "market",
        "position": 0,
        "permission_overwrites": [],
    }


def direct_channel(user_id: int) -> Payload:
    """The channel of the bot and one user; it has the user's id."""
    return {
        "id": str(user_id),
        "type": discord.ChannelType.private.value,
        "recipients": [user(user_id, str(user_id))],
    }


def guild(guild_id: int, owner_id: int) -> Payload:
    """A server as the bot finds it: the bot in it, one channel, and an owner who may everything."""
    everyone = {
        "id": str(guild_id),
        "name": "@everyone",
        "permissions": _EVERYONE,
        "position": 0,
        "color": 0,
        "hoist": False,
        "managed": False,
        "mentionable": False,
    }
    return {
        "id": str(guild_id),
        "name": "KoKoroMichi",
        "owner_id": str(owner_id),
        "roles": [everyone],
        "channels": [channel(channel_of(guild_id), guild_id)],
        "members": [member(bot_user())],
        "member_count": 1,
        "unavailable": False,
    }


def message(message_id: int, channel_id: int, author: Payload, shown: Payload) -> Payload:
    """A message in a channel.

    Args:
        message_id: Its id.
        channel_id: Where it stands.
        author: Who wrote it.
        shown: What is in it: some of content, mentions, attachments, embeds, components and flags.
    """
    return {
        "id": str(message_id),
        "channel_id": str(channel_id),
        "author": author,
        "content": shown.get("content") or "",
        "timestamp": _JOINED,
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": shown.get("mentions") or [],
        "mention_roles": [],
        "attachments": shown.get("attachments") or [],
        "embeds": shown.get("embeds") or [],
        "components": _numbered(shown.get("components") or []),
        "pinned": False,
        "flags": shown.get("flags") or 0,
        "type": 0,
    }


def _numbered(rows: Iterable[Payload]) -> list[Payload]:
    """Components as Discord gives them back: each with a number of its own."""
    numbers = count(1)
    return [
        row
        | {"id": next(numbers), "components": [part | {"id": next(numbers)} for part in row["components"]]}
        for row in rows
    ]


def buttons(shown: Payload) -> list[Payload]:
    """The buttons of a message."""
    return [part for row in shown["components"] for part in row["components"] if part["type"] == _BUTTON]


def attachments(files: Iterable[File]) -> list[Payload]:
    """Files as a message shows them."""
    return [
        {
            "id": str(number),
            "filename": name,
            "size": len(data),
            "url": f"http://127.0.0.1/{name}",
            "proxy_url": f"http://127.0.0.1/{name}",
        }
        for number, (name, data) in enumerate(files, start=1)
    ]


def written(
    message_id: int,
    channel_id: int,
    guild_id: int,
    author: Payload,
    content: str,
    mentions: Sequence[Payload] = (),
) -> Payload:
    """A player's message, as the gateway tells of it."""
    shown = {"content": content, "mentions": list(mentions)}
    return message(message_id, channel_id, author, shown) | {
        "guild_id": str(guild_id),
        "member": member(author),
    }


def interaction(
    interaction_id: int, kind: discord.InteractionType, guild_id: int, who: Payload, data: Payload
) -> Payload:
    """A command, a click, or a question for what to offer while somebody types; its id is its token too."""
    return {
        "id": str(interaction_id),
        "application_id": str(BOT_ID),
        "type": kind.value,
        "token": str(interaction_id),
        "version": 1,
        "data": data,
        "guild_id": str(guild_id),
        "channel_id": str(channel_of(guild_id)),
        "channel": channel(channel_of(guild_id), guild_id),
        "member": member(who),
        "app_permissions": _EVERYONE,
        "locale": "en-US",
        "guild_locale": "en-US",
        "entitlements": [],
        "authorizing_integration_owners": {"0": str(guild_id)},
        "context": 0,
        "attachment_size_limit": 10 * 2**20,
    }


def click(interaction_id: int, guild_id: int, who: Payload, clicked: Payload, custom_id: str) -> Payload:
    """A click on a button of a message."""
    data = {"custom_id": custom_id, "component_type": _BUTTON}
    kind = discord.InteractionType.component
    return interaction(interaction_id, kind, guild_id, who, data) | {"message": clicked}


def command(words: str, options: list[Payload]) -> Payload:
    """What a slash command says: ``admin gold`` is the subcommand of a group."""
    name, *rest = words.split()
    for word in rest:
        options = [{"name": word, "type": discord.AppCommandOptionType.subcommand.value, "options": options}]
    return {"id": "1", "name": name, "type": _CHAT_INPUT, "options": options}


def option(
    name: str, kind: discord.AppCommandOptionType, value: str | int, *, focused: bool = False
) -> Payload:
    """An argument of a slash command, or the one that is being typed."""
    return {"name": name, "type": kind.value, "value": value, "focused": focused}


def registered(commands: Iterable[Payload]) -> list[Payload]:
    """Slash commands as Discord would know them after a sync."""
    base = {"application_id": str(BOT_ID), "version": "1", "type": _CHAT_INPUT, "description": ""}
    return [base | command | {"id": str(number)} for number, command in enumerate(commands, start=1)]


def callback(asked: Payload, kind: int, response: Payload | None) -> Payload:
    """What Discord says to an interaction's first answer.

    Args:
        asked: The interaction.
        kind: The answer's number, of ``discord.InteractionResponseType``.
        response: The message that stands for it since, if there is one.
    """
    told: Payload = {"interaction": {"id": asked["id"], "type": asked["type"]}}
    if response is not None:
        told["interaction"] |= {
            "response_message_id": response["id"],
            "response_message_loading": bool(response["flags"] & LOADING),
            "response_message_ephemeral": bool(response["flags"] & EPHEMERAL),
        }
        told["resource"] = {"type": kind, "message": response}
    return told
