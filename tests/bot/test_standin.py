"""The stand-in is held to what Discord does, with a bot of plain discord.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kokoromichi.chat.console.api import EVERYWHERE
from tests.bot.bot_process import BotProcess, bare
from tests.bot.standin import GUILDS, StandIn, User

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ANNA, BEN = User(1001, "anna"), User(1002, "ben")


@pytest.fixture
async def discord() -> AsyncIterator[StandIn]:
    async with StandIn() as standin:
        yield standin


@pytest.fixture
async def bot(discord: StandIn, tmp_path: Path) -> AsyncIterator[BotProcess]:
    async with BotProcess(discord, tmp_path, bare(discord)) as process:
        yield process


@pytest.mark.usefixtures("bot")
async def test_a_slash_command_is_answered(discord: StandIn) -> None:
    asked = await discord.slash(ANNA, "say", words="hello").answered()
    assert [(answer.kind, answer.text) for answer in asked.answers] == [("response", "said\nhello")]
    assert {command["name"] for command in discord.api.discord.commands[EVERYWHERE]} >= {
        "defer",
        "ask",
        "withdraw",
    }


@pytest.mark.usefixtures("bot")
async def test_a_thought_is_followed_by_its_words_and_their_edit(discord: StandIn) -> None:
    asked = discord.slash(ANNA, "defer", member=BEN, times=3, slow=False)
    await asked.answered(times=2)
    assert [(answer.kind, answer.text) for answer in asked.answers] == [
        ("deferred", ""),
        ("followup", "1002 3"),
        ("edit", "1002 3 edited"),
    ]
    assert list(asked.messages.values()) == ["1002 3 edited"]


@pytest.mark.usefixtures("bot")
async def test_a_thought_that_was_taken_away_may_be_followed_by_a_secret(discord: StandIn) -> None:
    asked = await discord.slash(ANNA, "withdraw").answered()
    assert [answer.kind for answer in asked.answers] == ["deferred", "deleted", "followup"]
    assert asked.said[-1].ephemeral


@pytest.mark.usefixtures("bot")
async def test_a_button_is_clicked(discord: StandIn) -> None:
    asked = await discord.slash(ANNA, "ask").answered()
    clicked = await discord.click(asked, "Yes").answered()
    assert clicked.text == "it was yes"
    with pytest.raises(AssertionError, match="no button 'No'"):
        discord.click(asked, "No")


@pytest.mark.usefixtures("bot")
async def test_a_message_is_answered_in_its_own_channel(discord: StandIn) -> None:
    first, second = discord.message(ANNA, "!say one"), discord.message(BEN, "!say two")
    assert (await first.answered()).text == "said\none"
    assert (await second.answered()).text == "said\ntwo"


@pytest.mark.usefixtures("bot")
async def test_what_a_dropped_connection_missed_is_replayed(discord: StandIn) -> None:
    session = await discord.drop()
    missed = [discord.slash(ANNA, "say", words=f"word {number}") for number in range(3)]
    for number, asked in enumerate(missed):
        assert (await asked.answered()).text == f"said\nword {number}"
    assert (session.resumed, discord.gateway.identified) == (1, 1)


@pytest.mark.usefixtures("bot")
async def test_an_invalid_session_is_begun_anew(discord: StandIn) -> None:
    await discord.invalidate()
    await discord.ready(sessions=2)
    assert (await discord.slash(ANNA, "say", words="again").answered()).text == "said\nagain"


@pytest.mark.usefixtures("bot")
async def test_a_second_delivery_is_refused_its_callback(discord: StandIn) -> None:
    asked = await discord.slash(ANNA, "say", words="once").answered()
    discord.again(asked)
    await asked.until(lambda it: it.refused == 1)
    assert len(asked.answers) == 1


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize("status", [429, 502])
async def test_a_broken_answer_is_asked_for_again(discord: StandIn, status: int) -> None:
    discord.fail(status, 2)
    asked = await discord.slash(ANNA, "say", words="patience").answered()
    assert asked.text == "said\npatience"
    assert sum(path.endswith("/callback") for path in discord.api.requests) == 3


@pytest.mark.usefixtures("bot")
async def test_an_answer_may_be_carried_out_and_lost(discord: StandIn) -> None:
    discord.fail(502, carried_out=True)
    asked = await discord.slash(ANNA, "say", words="lost").answered()
    await asked.until(lambda it: it.refused == 1)
    assert [answer.text for answer in asked.answers] == ["said\nlost"]


async def test_two_shards_have_a_guild_each(tmp_path: Path) -> None:
    async with StandIn(shards=2) as discord, BotProcess(discord, tmp_path, bare(discord, shards=2)):
        for guild_id in GUILDS:
            asked = await discord.slash(ANNA, "say", guild_id=guild_id, words="here").answered()
            assert asked.text == "said\nhere"
        assert sorted(discord.gateway.sessions) == [(0, 2), (1, 2)]


async def test_the_words_of_messages_need_their_permission(tmp_path: Path) -> None:
    async with StandIn(message_content=False) as discord:
        process = BotProcess(discord, tmp_path, bare(discord))
        await process.launch()
        assert await process.end() == 1
        assert "PrivilegedIntentsRequired" in process.said()
