"""Embeds within Discord's limits, whatever the data: a long name or a rich purse must not lose the answer."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final, NamedTuple

import discord

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COLOUR: Final = discord.Colour(0x8E5BD0)
WARNING_COLOUR: Final = discord.Colour(0xC0392B)

TITLE_CHARS: Final = 256
TEXT_CHARS: Final = 4_096
FIELD_NAME_CHARS: Final = 256
FIELD_VALUE_CHARS: Final = 1_024
FIELDS: Final = 25
FOOTER_CHARS: Final = 2_048
EMBED_CHARS: Final = 6_000
PAGE_CHARS: Final = 1_700
"""Of a page of rows: with title and foot it is whole also as plain text, where the bot may send no embed."""
_ELLIPSIS: Final = "…"


class Picture(NamedTuple):
    """A PNG that is sent with an embed.

    Attributes:
        name: Its file's name.
        png: Its bytes.
    """

    name: str
    png: bytes

    def file(self) -> discord.File:
        """What is attached; a new one each time it is sent."""
        return discord.File(io.BytesIO(self.png), self.name)


def card(
    title: str,
    text: str = "",
    *,
    fields: Sequence[tuple[str, str]] = (),
    footer: str = "",
    picture: Picture | None = None,
) -> discord.Embed:
    """An embed that Discord takes: every part is cut to its limit, and the whole to theirs.

    Args:
        title: Its head.
        text: Its body.
        fields: Names and values that stand side by side.
        footer: Its foot.
        picture: Stands below; whoever sends the embed attaches its file.
    """
    embed = discord.Embed(title=cut(title, TITLE_CHARS), colour=COLOUR)
    if footer:
        embed.set_footer(text=cut(footer, FOOTER_CHARS // 4))
    if picture is not None:
        embed.set_image(url=f"attachment://{picture.name}")
    left = EMBED_CHARS - len(embed)
    embed.description = cut(text, min(TEXT_CHARS, left)) or None
    for name, value in fields[:FIELDS]:
        name_cut, value_cut = cut(name, FIELD_NAME_CHARS), cut(value, FIELD_VALUE_CHARS) or _ELLIPSIS
        if len(embed) + len(name_cut) + len(value_cut) > EMBED_CHARS:
            break
        embed.add_field(name=name_cut, value=value_cut)
    return embed


def noted(embed: discord.Embed, note: str) -> discord.Embed:
    """The embed with a note above its text, within the limits still."""
    room = min(TEXT_CHARS, EMBED_CHARS - len(embed) + len(embed.description or ""))
    embed.description = cut(f"-# {note}\n{embed.description or ''}", room)
    return embed


def warning(text: str) -> discord.Embed:
    """What a refusal or a failure looks like."""
    return discord.Embed(description=cut(text, TEXT_CHARS), colour=WARNING_COLOUR)


def cut(text: str, most_chars: int) -> str:
    """``text``, with an ellipsis where it is longer than ``most_chars``."""
    return text if len(text) <= most_chars else text[: most_chars - 1] + _ELLIPSIS


def paged(rows: Iterable[str], most_rows: int, most_chars: int = PAGE_CHARS) -> list[str]:
    """Rows gathered into pages, none with more rows or characters than it may have.

    Args:
        rows: One text a row.
        most_rows: Rows of a page at the most.
        most_chars: Characters of a page at the most; a longer row is cut.
    """
    pages: list[list[str]] = []
    used_chars = most_chars
    for row in rows:
        row_cut = cut(row, most_chars)
        if not pages or len(pages[-1]) == most_rows or used_chars + 1 + len(row_cut) > most_chars:
            pages.append([])
            used_chars = -1
        pages[-1].append(row_cut)
        used_chars += 1 + len(row_cut)
    return ["\n".join(page) for page in pages]
