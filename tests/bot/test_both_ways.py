"""Every command of the players answers the same as ``/name`` and as ``!name``, in a server and alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from discord.ext import commands

from tests.bot.table import embed_of, told
from tests.contract.stored import NOON_US

if TYPE_CHECKING:
    import discord
    from simcord.actors import MemberActor

    from tests.bot.table import Table

DAY_US = 86_400_000_000
ASKED: dict[str, dict[str, object]] = {
    "balance": {},
    "auto_use": {"use": "off"},
    "battle": {"tier": 2, "mana_potion": "yes"},
    "battle_stats": {},
    "businesses": {},
    "buy": {"item": "health_potion", "quantity": 2},
    "character": {"character": "echo"},
    "collect": {},
    "collection": {"page": 1},
    "cooldowns": {},
    "daily": {},
    "economy": {"days": 3},
    "exchange": {"packs": 1},
    "favorite": {"character": "echo"},
    "gift": {"user": "carol", "item": "mana_potion", "quantity": 1},
    "help": {"command": "help"},
    "inventory": {},
    "invest": {"business": "dojo"},
    "pings": {"tell": "off"},
    "profile": {},
    "rates": {},
    "redeem": {"character": "pomona"},
    "rich_list": {"page": 1},
    "sell": {"item": "mana_potion", "quantity": 1},
    "store": {"page": 2},
    "streak": {},
    "summon": {"count": 10},
    "train": {},
    "transactions": {"page": 1},
    "transfer": {"user": "carol", "amount": "1500"},
    "use": {"item": "lucky_charm"},
}


def shown(embed: discord.Embed, asker: MemberActor) -> list[str | None]:
    """Everything of an answer that is not of who asked."""
    parts = [embed.title, embed.description, *(field.name for field in embed.fields)]
    parts += [field.value for field in embed.fields]
    return [(part or "").replace(asker.mention, "@me").replace(asker.name, "me") for part in parts]


async def test_these_are_all_commands_of_the_players(table: Table) -> None:
    every = [one for one in table.bot.walk_commands() if not isinstance(one, commands.Group)]
    mine = {one.qualified_name for one in every if one.cog_name not in {"Admin", "Sync"}}
    assert mine == set(ASKED)


@pytest.mark.parametrize("name", ASKED)
async def test_a_command_answers_the_same_both_ways(table: Table, name: str) -> None:
    table.bot.services.executor.dice = lambda: 0
    carol = table.guild.add_member(table.env.create_user("carol"))
    await table.endow(carol)
    for player in (table.alice, table.bob):
        await table.endow(
            player,
            gold=50_000,
            gems=1_000,
            shards=100,
            inventory={"mana_potion": 3, "lucky_charm": 1},
            collection={"echo": 1},
            businesses={"cafe": NOON_US - DAY_US},
        )
    options = {key: carol if value == "carol" else value for key, value in ASKED[name].items()}
    words = [carol.mention if value is carol else str(value) for value in options.values()]
    result = await table.slash(table.alice, name, **options)
    assert result.ephemeral == (name == "transactions")
    table.clock.us = NOON_US
    text = await table.said(table.bob, " ".join([f"!{name}", *words]))
    slash = embed_of(result)
    if name in {"rich_list", "economy", "balance"}:  # They show where one stands among the others.
        assert slash.title == text.title
    else:
        assert shown(slash, table.alice) == shown(text, table.bob)


async def test_a_command_works_in_a_direct_message(table: Table) -> None:
    user = table.alice.user
    table.clock.advance(2)
    result = await user.slash("daily")
    assert told(embed_of(result)).startswith("You received 1,000 gold")
    await user.send_dm("!balance")
    (last, *_) = reversed(user.dm_channel.history())
    assert "11,000 gold" in told(last.embeds[0])
