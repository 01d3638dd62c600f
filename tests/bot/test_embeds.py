"""Every embed is within Discord's limits, whatever the data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.chat.embeds import EMBED_CHARS, FIELDS, PAGE_CHARS, card, cut, noted, paged, warning
from kokoromichi.chat.texts import mention, plain
from tests.bot.table import embed_of, told

if TYPE_CHECKING:
    import discord

    from tests.bot.table import Table

TEXTS = st.one_of(st.text(max_size=400), st.integers(0, 9_000).map("x".__mul__))
SHORT = st.text(min_size=1, max_size=50)
FIELD_LISTS = st.lists(st.tuples(TEXTS, TEXTS), max_size=40)


def within_limits(embed: discord.Embed) -> bool:
    """Discord's limits, as its documentation has them."""
    fields = embed.fields
    return (
        len(embed) <= 6_000
        and len(embed.title or "") <= 256
        and len(embed.description or "") <= 4_096
        and len(embed.footer.text or "") <= 2_048
        and len(fields) <= 25
        and all(len(field.name or "") <= 256 and 1 <= len(field.value or "") <= 1_024 for field in fields)
    )


@given(title=TEXTS, text=TEXTS, fields=FIELD_LISTS, footer=TEXTS, note=TEXTS)
def test_a_card_is_within_the_limits(
    title: str, text: str, fields: list[tuple[str, str]], footer: str, note: str
) -> None:
    embed = card(title, text, fields=fields, footer=footer)
    assert within_limits(embed)
    assert len(embed.fields) <= min(len(fields), FIELDS)
    assert within_limits(noted(embed, note))
    assert within_limits(warning(text))


@given(st.text(max_size=200), st.text(max_size=200), st.lists(st.tuples(SHORT, SHORT), max_size=25))
def test_nothing_is_cut_that_fits(title: str, text: str, fields: list[tuple[str, str]]) -> None:
    embed = card(title, text, fields=fields)
    assert (embed.title, embed.description or "") == (title, text)
    assert [(field.name, field.value) for field in embed.fields] == fields


@given(TEXTS, st.integers(1, 5_000))
def test_a_cut_text_says_so(text: str, most_chars: int) -> None:
    shown = cut(text, most_chars)
    assert len(shown) <= most_chars
    assert shown == text or shown.endswith("…")


@given(st.lists(TEXTS, max_size=60), st.integers(1, 30))
def test_pages_hold_every_row_and_no_more_than_they_may(rows: list[str], most_rows: int) -> None:
    pages = paged((row.replace("\n", " ") for row in rows), most_rows)
    assert all(len(page) <= PAGE_CHARS for page in pages)
    shown = [row for page in pages for row in page.split("\n")]
    assert shown == [cut(row.replace("\n", " "), PAGE_CHARS) for row in rows]
    assert all(page.count("\n") < most_rows for page in pages)


@given(st.text(max_size=300))
def test_foreign_text_neither_formats_nor_mentions(text: str) -> None:
    shown = plain(f"**{text}** @everyone <@1> [x](http://x)\n# loud")
    bare = re.sub(r"\\[\\*_~`|\[\]<>#]", "", shown)
    assert not set(bare) & set("*_~`|[]<>#\\\n")
    assert not re.search("@[^\u200b]", shown)
    assert "://" not in shown


def test_an_id_that_is_not_discords_is_no_mention() -> None:
    assert mention("123") == "<@123>"
    assert mention("erased-abc") == "`erased-abc`"


async def test_five_thousand_items_and_a_long_name_fit(table: Table) -> None:
    held = {f"item_{number:04}_{'x' * 50}": 10**15 for number in range(5_000)}
    await table.endow(table.alice, gold=10**15, gems=10**15, inventory=held, shards=10**15)
    result = await table.slash(table.alice, "inventory")
    embed = embed_of(result)
    assert within_limits(embed)
    assert len(embed) < EMBED_CHARS
    assert str(embed.footer.text) == "Page 1 of 295"
    assert result.response is not None
    for command in ("profile", "balance", "rich_list", "transactions", "economy", "store", "summon"):
        answer = await table.slash(table.alice, command)
        assert within_limits(embed_of(answer)), command
    assert "1,000,000,000,000,000 gold" in told(await table.asked(table.alice, "balance"))


async def test_a_long_name_that_formats_is_shown_as_it_is(table: Table) -> None:
    name = ("**@everyone** " * 22)[:300]
    catalogue = table.bot.services.live.catalogue
    changed = {"name": name, "description": "d" * 5_000}
    catalogue["health_potion"] = catalogue["health_potion"].model_copy(update=changed)
    for command, options in (("store", {}), ("buy", {"item": "health_potion"}), ("inventory", {})):
        result = await table.slash(table.alice, command, **options)
        embed = embed_of(result)
        assert within_limits(embed), command
        assert "@everyone" not in told(embed), command
        assert "**@" not in told(embed), command
