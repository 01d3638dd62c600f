"""Help names every command, and says of each how it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from discord.ext import commands

from tests.bot.table import embed_of, told

if TYPE_CHECKING:
    from tests.bot.table import Table


async def test_help_lists_every_command_by_cog(table: Table) -> None:
    table.bot.owner_id = table.alice.id
    result = await table.slash(table.alice, "help")
    assert result.response is not None
    text = told(embed_of(result))
    while not next(button for button in table.buttons() if button.label == "Next").disabled:
        text += "\n" + told(embed_of(await table.alice.click(result.response, label="Next")))
    shown = [
        one for one in table.bot.walk_commands() if not one.hidden and not isinstance(one, commands.Group)
    ]
    assert len(shown) > 20
    for one in shown:
        assert f"`/{one.qualified_name}` {one.short_doc}" in text
        assert one.short_doc.endswith(".")
    for cog in {one.cog_name for one in shown}:
        assert f"### {cog}" in text


@pytest.mark.parametrize("asked", ["transfer", "pay", "/transfer", "!PAY"])
async def test_help_says_how_a_command_is_used(table: Table, asked: str) -> None:
    embed = await table.said(table.alice, f"!help {asked}")
    assert embed.title == "/transfer"
    assert told(embed) == (
        "Send gold to another player; a fee of it is burned. You are asked once more where it is much.\n\n"
        "`/transfer` or `!transfer <user> <amount>`\n"
        "Also as `!pay`, `!send`, `!give`\n\n"
        "`user` Who receives it\n`amount` 1500, 2k, 3m, all or half"
    )


async def test_every_command_tells_its_arguments(table: Table) -> None:
    table.bot.owner_id = table.alice.id
    for one in table.bot.walk_commands():
        if one.hidden or isinstance(one, commands.Group):
            continue
        text = told(await table.asked(table.alice, "help", command=one.qualified_name))
        for name in one.clean_params:
            assert f"`{name}` " in text, (one.qualified_name, name)
            assert f"`{name}` …" not in text, (one.qualified_name, name)


async def test_an_unknown_command_is_refused(table: Table) -> None:
    sentence = await table.refusal(table.alice, "help", command="by")
    assert sentence == "There is no command by. Did you mean `buy`?"
    offered = await table.alice.autocomplete(table.channel, "help", "command", "trans")
    assert [choice["value"] for choice in offered] == ["transfer", "transactions"]


async def test_what_is_no_command_is_not_answered(table: Table) -> None:
    asked = await table.alice.send(table.channel, "!dance")
    last = table.channel.last_message
    assert last is not None
    assert last.id == asked.id
