"""What Discord says: users, guilds, channels, messages and questions, as JSON."""

from __future__ import annotations

from itertools import count
from typing import Any, Final, NamedTuple, TypeAlias

from kokoromichi.core.clock import SystemClock

Payload: TypeAlias = dict[str, Any]

TOKEN: Final = "standin.token.tOkEn-of-the-tests"  # noqa: S105 - of nobody but the stand-in
APPLICATION: Final = 4_000_000_000_000
OWNER: Final = 4_000_000_000_001
GUILDS: Final = (10 << 22, 11 << 22)
"""Of two shards, the first guild is the first one's and the second the second one's."""
_ALL_PERMISSIONS: Final = str((1 << 50) - 1)
_PLAIN_PERMISSIONS: Final = str(1 << 10 | 1 << 11 | 1 << 31)
_SINCE: Final = "2024-01-01T00:00:00.000000+00:00"

_EPOCH_MS: Final = 1_420_070_400_000
_numbers: Final = count()
_clock: Final = SystemClock()


def new_id() -> int:
    """An id that nothing else has, and that says when it was made, as Discord's do."""
    return (_clock.now_us() // 1_000 - _EPOCH_MS) << 22 | next(_numbers) & 0x3FFFFF


class User(NamedTuple):
    """Somebody who plays.

    Attributes:
        id: Of the user; the player's id in the economy.
        name: Shown.
        manages: Whether the user may manage the guild.
    """

    id: int
    name: str = "player"
    manages: bool = False

    def payload(self) -> Payload:
        """As Discord shows users."""
        return {"id": str(self.id), "username": self.name, "discriminator": "0", "avatar": None, "bot": False}

    def member(self) -> Payload:
        """As Discord shows members of a guild, without the user."""
        return {
            "roles": [],
            "joined_at": _SINCE,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "permissions": _ALL_PERMISSIONS if self.manages else _PLAIN_PERMISSIONS,
        }


def bot_user() -> Payload:
    """The bot itself."""
    return {"id": str(APPLICATION), "username": "koko", "discriminator": "0", "avatar": None, "bot": True}


def application(*, public: bool) -> Payload:
    """The bot's application."""
    return {
        "id": str(APPLICATION),
        "name": "koko",
        "icon": None,
        "description": "",
        "bot_public": public,
        "bot_require_code_grant": False,
        "verify_key": "",
        "flags": 0,
        "owner": User(OWNER, "owner").payload(),
    }


def channel(channel_id: int, guild_id: int) -> Payload:
    """A text channel."""
    return {
        "id": str(channel_id),
        "guild_id": str(guild_id),
        "type": 0,
        "name": f"c{channel_id}",
        "position": 0,
        "permission_overwrites": [],
    }


def square(guild_id: int) -> int:
    """The channel in which everybody's slash commands are given."""
    return guild_id + 1


def guild(guild_id: int) -> Payload:
    """A guild as GUILD_CREATE shows it: the bot in it, and one channel."""
    everyone = {
        "id": str(guild_id),
        "name": "@everyone",
        "permissions": _ALL_PERMISSIONS,
        "position": 0,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }
    me = {"user": bot_user(), "roles": [], "joined_at": _SINCE, "deaf": False, "mute": False, "flags": 0}
    return {
        "id": str(guild_id),
        "name": f"g{guild_id}",
        "owner_id": str(OWNER),
        "roles": [everyone],
        "channels": [channel(square(guild_id), guild_id)],
        "members": [me],
        "member_count": 2,
        "unavailable": False,
        "joined_at": _SINCE,
    }


def message(message_id: int, channel_id: int, author: Payload, shown: Payload) -> Payload:
    """A message with whatever is shown in it."""
    return {
        "id": str(message_id),
        "channel_id": str(channel_id),
        "author": author,
        "content": shown.get("content") or "",
        "timestamp": _SINCE,
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": shown.get("attachments") or [],
        "embeds": shown.get("embeds") or [],
        "components": shown.get("components") or [],
        "flags": shown.get("flags", 0),
        "pinned": False,
        "type": 0,
    }


def interaction(kind: int, interaction_id: int, guild_id: int, user: User, data: Payload) -> Payload:
    """A question: 2 a command, 3 a click, 4 what might be meant."""
    return {
        "id": str(interaction_id),
        "application_id": str(APPLICATION),
        "type": kind,
        "data": data,
        "guild_id": str(guild_id),
        "channel_id": str(square(guild_id)),
        "channel": channel(square(guild_id), guild_id),
        "member": {**user.member(), "user": user.payload()},
        "token": f"interaction-{interaction_id}",
        "version": 1,
        "app_permissions": _ALL_PERMISSIONS,
        "locale": "en-US",
        "guild_locale": "en-US",
        "entitlements": [],
        "authorizing_integration_owners": {"0": str(guild_id)},
        "context": 0,
        "attachment_size_limit": 10_485_760,
    }


def command(words: str, options: dict[str, str | int | bool | User], focused: str | None = None) -> Payload:
    """What a slash command says: ``admin gold`` is the subcommand of a group."""
    given: list[Payload] = []
    resolved: Payload = {"users": {}, "members": {}}
    for name, value in options.items():
        option: Payload = {"name": name, "type": _kind(value), "value": value}
        if isinstance(value, User):
            option["value"] = str(value.id)
            resolved["users"][str(value.id)] = value.payload()
            resolved["members"][str(value.id)] = value.member()
        if name == focused:
            option["focused"] = True
        given.append(option)
    name, *rest = words.split()
    for place, word in enumerate(reversed(rest)):
        given = [{"name": word, "type": 1 if place == 0 else 2, "options": given}]
    return {"id": str(new_id()), "name": name, "type": 1, "options": given, "resolved": resolved}


def _kind(value: str | int | bool | User) -> int:  # noqa: FBT001 - what an option may hold
    if isinstance(value, User):
        return 6
    if isinstance(value, bool):
        return 5
    return 4 if isinstance(value, int) else 3
