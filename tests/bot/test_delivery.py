"""An answer reaches its author where the bot may not write, send cards or reply; else nothing happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
import pytest

from tests.bot.table import UNHURRIED_S, told

if TYPE_CHECKING:
    from simcord import Env
    from simcord.actors import MemberActor
    from simcord.builders import ChannelHandle

    from tests.bot.table import Table


def channel_without(table: Table, **denied: bool) -> ChannelHandle:
    """A channel in which the bot lacks what is named."""
    robot = table.bot.user
    assert robot is not None
    return table.guild.create_text_channel(
        "closed", overwrites={robot: discord.PermissionOverwrite(**denied)}
    )


def direct_words(player: MemberActor) -> list[str]:
    """What a player reads in direct messages, oldest first."""
    return [message.embeds[0].description or "" for message in player.user.dm_channel.history()]


async def test_where_the_bot_may_not_write_nobody_is_charged_and_all_are_told(table: Table) -> None:
    await table.endow(table.alice)
    await table.endow(table.bob)
    closed = channel_without(table, send_messages=False)
    for _ in range(3):
        await table.alice.send(closed, f"!transfer {table.bob.mention} 1000")
    assert (await table.profile(table.alice)).gold == 10_000
    sentence = f"I may not write in <#{closed.id}>, so nothing was done there. Ask me where I may, or here."
    assert direct_words(table.alice) == [sentence] * 3


async def test_where_no_card_may_stand_the_answer_is_plain_text(table: Table) -> None:
    plain = channel_without(table, embed_links=False, attach_files=False)
    await table.alice.send(plain, "!daily")
    answer = plain.last_message
    assert answer is not None
    assert answer.embeds == []
    assert answer.content.startswith("**Daily reward**\nYou received 1,000 gold and 10 gems.")
    await table.alice.send(plain, "!economy")
    answer = plain.last_message
    assert answer is not None
    assert "**In all purses** " in answer.content
    assert answer.attachments == []


@pytest.mark.parametrize("text", ["!help", "!store"])
async def test_as_plain_text_no_row_of_a_page_is_lost(table: Table, text: str) -> None:
    plain = channel_without(table, embed_links=False)
    await table.alice.send(plain, text)
    answer = plain.last_message
    assert answer is not None
    assert "Page 1 of" in answer.content.splitlines()[-1]


async def test_a_slash_command_is_answered_where_the_bot_may_not_write(table: Table) -> None:
    closed = channel_without(table, send_messages=False, embed_links=False)
    result = await table.alice.slash(closed, "daily")
    assert result.response is not None
    assert told(result.response.embeds[0]).startswith("You received 1,000 gold")


@pytest.mark.parametrize("history", [True, False])
async def test_an_answer_names_its_player_by_a_reply_where_it_may(table: Table, *, history: bool) -> None:
    channel = channel_without(table, read_message_history=history)
    asked = await table.alice.send(channel, "!daily")
    answer = channel.last_message
    assert answer is not None
    referred = None if answer.reference is None else answer.reference.message_id
    assert referred == (asked.id if history else None)
    assert (table.alice.mention in answer.content) == (not history)


async def test_what_only_its_author_may_read_is_a_direct_message(table: Table) -> None:
    table.bot.owner_id = table.alice.id
    await table.endow(table.bob)
    table.clock.advance(UNHURRIED_S)
    for text in ("!admin export because", f"!admin freeze {table.bob.mention} because", "!transactions"):
        asked = await table.alice.send(table.channel, text)
        last = table.channel.last_message
        assert last is not None
        assert last.id == asked.id, text
    export, freeze, rows = table.alice.user.dm_channel.history()
    assert [file.filename for file in export.attachments] == ["ledger.jsonl"]
    assert "neither acts nor receives" in told(freeze.embeds[0])
    assert rows.embeds[0].title == "Your transactions"


async def test_who_takes_no_direct_message_is_told_before_anything_is_done(
    table: Table, simcord_env: Env
) -> None:
    table.bot.owner_id = table.alice.id
    await table.endow(table.bob)
    direct = table.alice.user.dm_channel.id
    simcord_env.inject_error("POST", f"/channels/{direct}/messages", status=403)
    embed = await table.said(table.alice, f"!admin freeze {table.bob.mention} because")
    assert told(embed) == (
        "Only you may read that answer, and you take no direct messages from me. Nothing was done; "
        "use `/admin freeze`, or allow them."
    )
    assert not (await table.profile(table.bob)).frozen


async def test_a_failure_before_the_act_is_told_in_the_channel(table: Table) -> None:
    assert "reason is missing" in told(await refused_export(table))


async def refused_export(table: Table) -> discord.Embed:
    """The owner forgets the reason."""
    table.bot.owner_id = table.alice.id
    return await table.said(table.alice, "!admin export")
