"""Messages as a terminal shows them: an embed as a card, Discord's markdown as styles, times as words."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from rich.box import Box
from rich.console import Group
from rich.panel import Panel
from rich.style import Style
from rich.table import Table
from rich.text import Text

from kokoromichi.chat.console.guild import player_name
from kokoromichi.core.models import SECOND_US

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import discord
    from rich.console import RenderableType

    from kokoromichi.chat.console.http_client import Posted

_BAR: Final = Box("▌   \n▌   \n▌   \n▌   \n▌   \n▌   \n▌   \n▌   \n")
_MOST_CHARS: Final = 78
_FIELDS_A_ROW: Final = 3
_INVISIBLE: Final = "\u200b"
"""The library puts it behind an @ that must not mention anybody."""
_MARKED: Final = re.compile(
    r"\\(?P<plain>[^A-Za-z0-9\s])"
    r"|^#{1,3} (?P<heading>[^\n]+)"
    r"|^-# (?P<small>[^\n]+)"
    r"|^> (?P<quote>[^\n]*)"
    r"|```(?:\w*\n)?(?P<block>.*?)```"
    r"|`(?P<code>[^`]+)`"
    r"|\*\*(?P<bold>.+?)\*\*"
    r"|__(?P<underline>.+?)__"
    r"|~~(?P<strike>.+?)~~"
    r"|\*(?P<italic>[^*\s][^*]*?)\*"
    r"|<t:(?P<at>-?\d+)(?::(?P<style>[tTdDfFR]))?>"
    r"|<@!?(?P<player>\d+)>",
    re.DOTALL | re.MULTILINE,
)
_STYLES: Final = {
    "heading": "bold underline",
    "small": "dim",
    "quote": "italic",
    "block": "cyan",
    "code": "cyan",
    "bold": "bold",
    "underline": "underline",
    "strike": "strike",
    "italic": "italic",
}
_NESTING: Final = {"heading", "small", "quote", "bold", "underline", "strike", "italic"}
_FORMATS: Final = {
    "t": "%H:%M",
    "T": "%H:%M:%S",
    "d": "%Y-%m-%d",
    "D": "%d %B %Y",
    "f": "%d %B %Y %H:%M",
    "F": "%A, %d %B %Y %H:%M",
}
_UNITS_S: Final = {
    "year": 31_536_000,
    "month": 2_592_000,
    "day": 86_400,
    "hour": 3_600,
    "minute": 60,
    "second": 1,
}


def drawn(message: Posted, now_us: int, saved: Callable[[str, bytes], str]) -> Iterator[RenderableType]:
    """What to print for a message.

    Args:
        message: What the bot posted.
        now_us: The present moment, from which relative times are told.
        saved: Writes a file, and answers where it is.
    """
    now_s = now_us // SECOND_US
    if message.content:
        yield marked(message.content, now_s)
    for embed in message.embeds:
        yield _card(embed, now_s, foot="Only you see this." if message.private else "")
    for name, data in message.files:
        yield Text.assemble(("  saved ", "dim"), (saved(name, data), "bold"))
    if message.choices:
        pairs = enumerate(message.choices, start=1)
        parts = [part for number, choice in pairs for part in ((f"  {number} ", "bold cyan"), choice.label)]
        yield Text.assemble(*parts, ("   type the number", "dim"))


def _card(embed: discord.Embed, now_s: int, *, foot: str) -> Panel:
    """An embed: a bar in its colour, then title, text, fields and foot."""
    parts: list[RenderableType] = []
    if embed.title:
        parts.append(Text.assemble(marked(embed.title, now_s), style="bold"))
    if embed.description:
        parts.append(marked(embed.description, now_s))
    if embed.fields:
        parts += [Text(), _fields(embed, now_s)] if parts else [_fields(embed, now_s)]
    if foot := " · ".join(part for part in (embed.footer.text, foot) if part):
        parts.append(Text(foot, style="dim"))
    colour = Style() if embed.colour is None else Style.parse(str(embed.colour))
    return Panel(Group(*parts), box=_BAR, border_style=colour, padding=(0, 1), width=_MOST_CHARS)


def _fields(embed: discord.Embed, now_s: int) -> Table:
    """Fields side by side, as many in a row as Discord puts there."""
    grid = Table.grid(padding=(0, 3))
    cells = [
        Text.assemble((f"{field.name}\n", "bold"), marked(field.value or "", now_s)) for field in embed.fields
    ]
    for first in range(0, len(cells), _FIELDS_A_ROW):
        if first:
            grid.add_row()
        grid.add_row(*cells[first : first + _FIELDS_A_ROW])
    return grid


def marked(text: str, now_s: int) -> Text:
    """Discord's markdown as styled text."""
    out, end = Text(), 0
    for found in _MARKED.finditer(text):
        out.append(text[end : found.start()].replace(_INVISIBLE, ""))
        out.append_text(_styled(found, now_s))
        end = found.end()
    out.append(text[end:].replace(_INVISIBLE, ""))
    return out


def _styled(found: re.Match[str], now_s: int) -> Text:
    kind = found.lastgroup or ""
    if found["at"] is not None:
        return Text(_moment(int(found["at"]), found["style"] or "f", now_s), style="yellow")
    if found["player"] is not None:
        return Text(f"@{player_name(found['player']) or found['player']}", style="bold magenta")
    inner = found[kind]
    text = marked(inner, now_s) if kind in _NESTING else Text(inner)
    text.stylize(_STYLES.get(kind, ""))
    return text


def _moment(at_s: int, style: str, now_s: int) -> str:
    """A time as Discord's clients tell it, in the zone of this machine."""
    if style != "R":
        return datetime.fromtimestamp(at_s, tz=timezone.utc).astimezone().strftime(_FORMATS[style])
    away_s = abs(at_s - now_s)
    unit = next((name for name, size_s in _UNITS_S.items() if away_s >= size_s), "second")
    count = (away_s + _UNITS_S[unit] // 2) // _UNITS_S[unit]
    words = f"{count} {unit}" + ("" if count == 1 else "s")
    return f"in {words}" if at_s > now_s else f"{words} ago"
