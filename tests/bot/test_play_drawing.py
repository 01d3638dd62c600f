"""What Discord's clients make of a bot's text, a terminal makes too."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import discord
import pytest
from rich.console import Console

from kokoromichi.chat.console.drawing import drawn, marked
from kokoromichi.chat.console.guild import player_id
from kokoromichi.chat.console.http_client import Choice, Posted
from kokoromichi.chat.texts import plain

if TYPE_CHECKING:
    from pathlib import Path

NOW_S = 1_800_000_000


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**bold `code`** and ~~gone~~", "bold code and gone"),
        ("### Head\n> quoted\n-# small", "Head\nquoted\nsmall"),
        ("```txt\na  b\n```", "a  b\n"),
        (plain("**not_bold** @everyone"), "**not_bold** @everyone"),
        (f"<@{player_id('bob')}> and <@189577048478015337>", "@bob and @189577048478015337"),
        (
            f"<t:{NOW_S + 3_600}:R>, <t:{NOW_S - 172_800}:R>, <t:{NOW_S}:R>",
            "in 1 hour, 2 days ago, 0 seconds ago",
        ),
        (f"<t:{NOW_S + 48 * 3_600 - 60}:R>, <t:{NOW_S + 89}:R>", "in 2 days, in 1 minute"),
        ("2 * 3 * 4 and a_b_c and 5 < 6", "2 * 3 * 4 and a_b_c and 5 < 6"),
    ],
)
def test_markdown_becomes_words(text: str, shown: str) -> None:
    assert marked(text, NOW_S).plain == shown


def test_bold_inside_is_a_style() -> None:
    text = marked("a **b** c", NOW_S)
    assert [(span.start, span.end, span.style) for span in text.spans] == [(2, 3, "bold")]


def test_a_card_with_everything(tmp_path: Path) -> None:
    embed = discord.Embed(title="Title", description="Text", colour=0x8E5BD0)
    for number in range(4):
        embed.add_field(name=f"Name {number}", value=f"value {number}")
    embed.set_footer(text="Foot")
    message = Posted(1, "", (embed,), (Choice("Next", "x"),), (("chart.png", b"png"),), private=True)

    def saved(name: str, data: bytes) -> str:
        (tmp_path / name).write_bytes(data)
        return name

    console = Console(file=io.StringIO(), width=100)
    for part in drawn(message, NOW_S * 1_000_000, saved):
        console.print(part)
    assert isinstance(console.file, io.StringIO)
    lines = [line.strip("▌ ") for line in console.file.getvalue().splitlines()]
    assert [" ".join(line.split()) for line in lines if line] == [
        "Title",
        "Text",
        "Name 0 Name 1 Name 2",
        "value 0 value 1 value 2",
        "Name 3",
        "value 3",
        "Foot · Only you see this.",
        "saved chart.png",
        "1 Next type the number",
    ]
    assert (tmp_path / "chart.png").read_bytes() == b"png"
