"""What Discord knows of a bot before it logs in: its token, its application, its commands, its servers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from kokoromichi.core.clock import us_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from kokoromichi.settings import Settings

_API: Final = "https://discord.com/api/v10"
_AGENT: Final = "DiscordBot (https://github.com/kokoromichi, doctor)"
_PATIENCE: Final = aiohttp.ClientTimeout(total=10)
_READS_MESSAGES: Final = 1 << 18 | 1 << 19
"""The application's flags of Message Content: of a verified bot, and of one in few servers."""


class RefusedTokenError(Exception):
    """Discord knows no bot by this token."""


class UnreachableError(Exception):
    """Discord does not answer; the text says how."""


@dataclass(frozen=True, slots=True)
class Application:
    """The bot's entry in the developer portal.

    Attributes:
        name: Of the bot.
        reads_messages: Whether Message Content is switched on.
        public: Whether anybody may invite it.
        commands: The slash commands that Discord shows everywhere.
        unknown_guilds: Of the servers that were asked for, those that the bot is not in.
        at_us: Discord's clock, in microseconds since the epoch; None where it did not say.
    """

    name: str
    reads_messages: bool
    public: bool
    commands: frozenset[str]
    unknown_guilds: tuple[int, ...]
    at_us: int | None


async def look_up(settings: Settings, guild_ids: Collection[int]) -> Application:
    """Ask Discord about the bot, without a login to its gateway.

    Args:
        settings: Of the token, and of where Discord is.
        guild_ids: Servers that the bot should be in.

    Raises:
        RefusedTokenError: The token is none.
        UnreachableError: Discord cannot be asked.
    """
    headers = {
        "Authorization": f"Bot {settings.discord_token.get_secret_value()}",
        "User-Agent": _AGENT,
    }
    base = settings.discord_api_url or _API
    try:
        async with aiohttp.ClientSession(headers=headers, timeout=_PATIENCE) as session:
            found, at_us = await _get(session, f"{base}/oauth2/applications/@me")
            commands, _ = await _get(session, f"{base}/applications/{found['id']}/commands")
            away = [one for one in guild_ids if not await _is_in(session, f"{base}/guilds/{one}")]
    except (aiohttp.ClientError, asyncio.TimeoutError) as failed:
        raise UnreachableError(str(failed) or type(failed).__name__) from failed
    return Application(
        name=found["name"],
        reads_messages=bool(found.get("flags", 0) & _READS_MESSAGES),
        public=found["bot_public"],
        commands=frozenset(command["name"] for command in commands),
        unknown_guilds=tuple(away),
        at_us=at_us,
    )


async def _get(session: aiohttp.ClientSession, url: str) -> tuple[Any, int | None]:
    async with session.get(url) as response:
        if response.status == HTTPStatus.UNAUTHORIZED:
            raise RefusedTokenError
        response.raise_for_status()
        said = response.headers.get("Date")
        return await response.json(), None if said is None else us_of(parsedate_to_datetime(said))


async def _is_in(session: aiohttp.ClientSession, url: str) -> bool:
    async with session.get(url) as response:
        return response.status not in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
