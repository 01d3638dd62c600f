"""Discord answers 429 and 502: what was charged is answered, and once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.bot.bot_process import BotProcess
from tests.bot.settled import acknowledged, settled
from tests.bot.standin import OWNER, StandIn, User

if TYPE_CHECKING:
    from pathlib import Path

ANNA = User(1001, "anna")


@pytest.mark.parametrize(("status", "times"), [(429, 3), (502, 1)])
async def test_an_answer_is_given_in_the_end(status: int, times: int, tmp_path: Path) -> None:
    async with StandIn() as discord:
        async with BotProcess(discord, tmp_path) as bot:
            discord.fail(status, times)
            asked = await discord.slash(ANNA, "buy", item="health_potion", quantity=2).answered()
            assert discord.api.faults == []
            await bot.stopped()
        assert list(asked.messages.values()) == [asked.text]
        assert acknowledged(asked)
        assert (await settled(tmp_path)).holds([asked]) == (1, 0)


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("buy", {"name": "health_potion"}),
        ("transfer", {"user": User(1002)}),
        ("admin health", {}),
        ("buy", {"item": "health_potion", "count": 2}),
    ],
)
async def test_a_command_as_discord_showed_it_before_an_upgrade_is_told_so(
    command: str, options: dict[str, Any], tmp_path: Path
) -> None:
    async with StandIn() as discord:
        async with BotProcess(discord, tmp_path) as bot:
            asked = await discord.slash(User(OWNER), command, **options).answered()
            await bot.stopped()
        assert "That command is not there any more, or changed" in asked.text
        assert asked.said[0].ephemeral
        assert "Traceback" not in bot.said()
        assert "closing: waiting" not in bot.said(), "it is still counted as being carried out"
        assert (await settled(tmp_path)).holds([asked]) == (0, 0)


async def test_a_message_is_answered_in_the_end(tmp_path: Path) -> None:
    async with StandIn() as discord:
        async with BotProcess(discord, tmp_path) as bot:
            discord.fail(502, path="/channels/")
            discord.fail(429, path="/channels/")
            asked = await discord.message(ANNA, "!buy health_potion 2").answered()
            await bot.stopped()
        assert (len(asked.said), discord.api.faults) == (1, [])
        assert (await settled(tmp_path)).holds([asked]) == (1, 0)


async def test_an_answer_that_comes_too_late_is_given_in_a_direct_message(tmp_path: Path) -> None:
    """The purchase stands, the log says that its answer was not taken, and the next command is answered."""
    async with StandIn() as discord:
        async with BotProcess(discord, tmp_path) as bot:
            discord.fail(404, 2)
            asked = discord.slash(ANNA, "buy", item="health_potion", quantity=2)
            later = await discord.message(User(1002), "!balance").answered()
            assert "10,000 gold" in later.text
            inventory = await discord.message(ANNA, "!inventory").answered()
            assert "2 × " in inventory.text
            await bot.stopped()
        assert asked.said == []
        assert f"request {asked.id}: answered in a direct message, since: 404" in bot.said()
        assert (await settled(tmp_path)).holds([asked]) == (0, 1)


async def test_an_answer_whose_receipt_was_lost_is_not_followed_by_another(tmp_path: Path) -> None:
    """Discord took the answer and could not say so; what is sent again is refused as one too many."""
    async with StandIn() as discord:
        async with BotProcess(discord, tmp_path) as bot:
            discord.fail(502, carried_out=True)
            asked = discord.slash(ANNA, "buy", item="health_potion", quantity=2)
            await asked.until(lambda one: one.refused > 0)
            await bot.stopped()
        assert list(asked.messages.values()) == [asked.text]
        assert acknowledged(asked)
        assert (await settled(tmp_path)).holds([asked]) == (1, 0)


async def test_a_picture_arrives_as_a_file_also_at_the_second_try(tmp_path: Path) -> None:
    async with StandIn() as discord, BotProcess(discord, tmp_path) as bot:
        for _ in range(2):
            await discord.slash(ANNA, "buy", item="health_potion", quantity=2).answered()
        discord.fail(502)
        asked = discord.slash(ANNA, "transactions")
        await asked.until(lambda one: any(answer.shown.get("attachments") for answer in one.said))
        await bot.stopped()
    (picture,) = asked.said[-1].shown["attachments"]
    assert (picture["filename"], picture["size"] > 1_000) == ("balance.png", True)
    assert asked.said[-1].shown["embeds"][0]["image"]["url"] == "attachment://balance.png"
