"""Who is an admin: the bot's owner everywhere, a manager in a server that is named, and nobody else.

The acts are those that the group has, so that a new one is held to it too.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import discord
import pytest
from discord.ext import commands
from simcord import SetupError

from kokoromichi.commands.admin import Admin
from tests.bot.table import UNHURRIED_S, embed_of, told

if TYPE_CHECKING:
    from simcord.actors import MemberActor
    from simcord.builders import ChannelHandle, GuildHandle, UserHandle

    from tests.bot.table import Table

FORBIDDEN = (
    "You may not do that here: it needs the owner of the bot, or Manage Server in a server that the owner "
    "has named."
)
ACTS: dict[str, Any] = {
    act.qualified_name: act
    for act in sorted(Admin.admin.walk_commands(), key=str)
    if not isinstance(act, commands.Group)
}
COMPLETED = [
    (name, option.name)
    for name, act in ACTS.items()
    for option in act.app_command.parameters
    if option.autocomplete
]
BY_TYPE = {discord.AppCommandOptionType.integer: 1, discord.AppCommandOptionType.string: "ema_plaque"}


@pytest.fixture
def boss(table: Table) -> MemberActor:
    """Who manages the table's server and one of their own."""
    return manager(table.guild, table.env.create_user("boss"))


def manager(guild: GuildHandle, user: UserHandle) -> MemberActor:
    role = guild.create_role("managers", permissions=discord.Permissions(manage_guild=True))
    member: MemberActor = guild.add_member(user, roles=[role])
    return member


def name_guilds(table: Table, *guild_ids: int) -> None:
    table.bot.settings = table.bot.settings.model_copy(update={"admin_guilds": guild_ids})


def options(table: Table, name: str) -> dict[str, Any]:
    """Something for every argument but the reason that an act must have."""
    wanted = [option for option in ACTS[name].app_command.parameters if option.required]
    given = {option.name: BY_TYPE.get(option.type, table.bob.user) for option in wanted}
    return {**given, "reason": "because I can"}


def line(table: Table, name: str) -> str:
    """The act as a text command."""
    values = options(table, name).values()
    words = [value.mention if value is table.bob.user else str(value) for value in values]
    return " ".join([f"!{name}", *words])


async def slashed(table: Table, who: MemberActor, name: str, channel: ChannelHandle | None = None) -> str:
    table.clock.advance(UNHURRIED_S)
    return told(embed_of(await who.slash(channel or table.channel, name, **options(table, name))))


async def said(table: Table, who: MemberActor, text: str, channel: ChannelHandle | None = None) -> str:
    table.clock.advance(UNHURRIED_S)
    place = channel or table.channel
    asked = await who.send(place, text)
    here, alone = place.last_message, who.user.dm_channel.last_message
    answer = alone if here is None or here.id == asked.id else here
    assert answer is not None
    return answer.embeds[0].description or ""  # An export has none.


async def said_alone(table: Table, who: MemberActor, text: str) -> str:
    """What a direct message is answered with."""
    table.clock.advance(UNHURRIED_S)
    await who.send_dm(text)
    answer = who.user.dm_channel.last_message
    assert answer is not None
    return told(answer.embeds[0])


@pytest.mark.parametrize("name", ACTS)
async def test_a_manager_does_nothing_where_no_server_is_named(
    table: Table, boss: MemberActor, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    await table.endow(table.bob)
    before = await table.bot.provider.read_ledger()
    assert await slashed(table, boss, name) == FORBIDDEN
    assert await said(table, boss, line(table, name)) == FORBIDDEN
    assert await table.bot.provider.read_ledger() == before
    refusal = f"not allowed: user {boss.id}, a player, tried /{name} in server {table.guild.id}"
    logged = [record for record in caplog.records if record.getMessage() == refusal]
    assert [record.levelno for record in logged] == [logging.WARNING] * 2


@pytest.mark.parametrize("name", ACTS)
async def test_a_player_of_a_named_server_does_nothing(table: Table, name: str) -> None:
    name_guilds(table, table.guild.id)
    await table.endow(table.bob)
    before = await table.bot.provider.read_ledger()
    with pytest.raises(SetupError, match="not visible"):
        await slashed(table, table.alice, name)
    (group,) = [known for known in await table.bot.tree.fetch_commands() if known.name == "admin"]
    table.guild.set_command_permissions(group, {table.alice: True})  # As a careless server may.
    assert await slashed(table, table.alice, name) == FORBIDDEN
    assert await said(table, table.alice, line(table, name)) == FORBIDDEN
    assert await table.bot.provider.read_ledger() == before


@pytest.mark.parametrize("name", ACTS)
async def test_a_manager_acts_in_a_named_server_and_nowhere_else(
    table: Table, boss: MemberActor, name: str
) -> None:
    other = table.env.create_guild()
    den = other.create_text_channel("den")
    there = manager(other, boss.user)
    name_guilds(table, table.guild.id)
    await table.endow(table.bob)
    before = await table.bot.provider.read_ledger()
    assert await slashed(table, there, name, den) == FORBIDDEN
    assert await said(table, there, line(table, name), den) == FORBIDDEN
    table.clock.advance(UNHURRIED_S)
    alone = await boss.user.slash(name, **options(table, name))
    assert told(embed_of(alone)) == FORBIDDEN
    assert await said_alone(table, boss, line(table, name)) == FORBIDDEN
    assert await table.bot.provider.read_ledger() == before
    result = await table.slash(boss, name, **options(table, name))
    assert embed_of(result).description != FORBIDDEN


@pytest.mark.parametrize("name", ACTS)
async def test_the_owner_of_the_bot_acts_everywhere(table: Table, name: str) -> None:
    table.bot.owner_id = table.alice.id
    await table.endow(table.bob)
    table.clock.advance(UNHURRIED_S)
    alone = await table.alice.user.slash(name, **options(table, name))
    assert embed_of(alone).description != FORBIDDEN
    assert await said(table, table.alice, line(table, name)) != FORBIDDEN


async def test_each_of_a_team_that_owns_the_bot_is_an_admin(table: Table) -> None:
    await table.endow(table.bob)
    table.bot.owner_ids = {table.alice.id, 5}
    words = f"!admin gold {table.bob.mention} 5 welcome"
    assert "now 10,005." in await said(table, table.alice, words)
    assert await said(table, table.bob, words) == FORBIDDEN


async def test_a_question_is_refused_to_who_is_no_admin_any_more_at_the_click(
    table: Table, boss: MemberActor, caplog: pytest.LogCaptureFixture
) -> None:
    name_guilds(table, table.guild.id)
    await table.endow(table.bob, gold=77)
    for name in ("reset", "erase"):
        question = await table.slash(boss, f"admin {name}", user=table.bob, reason="on my last day")
        assert question.response is not None
        name_guilds(table)
        await boss.click(question.response, label="Confirm")
        name_guilds(table, table.guild.id)
        assert f"not allowed: user {boss.id}, a player, tried {name}" in caplog.text
    assert (await table.profile(table.bob)).gold == 77
    assert await table.bot.provider.read_ledger(kind="admin_act") == []


async def test_a_click_counts_with_the_permissions_of_its_moment(table: Table, boss: MemberActor) -> None:
    name_guilds(table, table.guild.id)
    await table.endow(table.bob, gold=77)
    question = await table.slash(boss, "admin reset", user=table.bob, reason="on my last day")
    assert question.response is not None
    guild = table.bot.get_guild(table.guild.id)
    assert guild is not None
    (role,) = [role for role in guild.roles if role.name == "managers"]
    await role.delete()
    await boss.click(question.response, label="Confirm")
    assert (await table.profile(table.bob)).gold == 77


async def test_help_names_admins_acts_to_admins_alone(table: Table, boss: MemberActor) -> None:
    for named in (False, True):
        name_guilds(table, *([table.guild.id] if named else []))
        listing = await listed(table, boss)
        offered = [
            choice["value"] for choice in await boss.autocomplete(table.channel, "help", "command", "adm")
        ]
        for name in ACTS:
            assert (f"`/{name}`" in listing) is named
            assert (name in offered) is named
            usage = await said(table, boss, f"!help {name}")
            assert (f"`!{name}" in usage) is named
        assert ("There is no command admin" in await said(table, boss, "!help admin")) is not named
        assert "`/sync`" not in listing  # The owner's alone.


async def listed(table: Table, who: MemberActor) -> str:
    """Every page of the help."""
    result = await table.slash(who, "help")
    assert result.response is not None
    text = told(embed_of(result))
    while any(button.label == "Next" and not button.disabled for button in table.buttons()):
        text += told(embed_of(await who.click(result.response, label="Next")))
    return text


@pytest.mark.parametrize(("name", "option"), COMPLETED)
async def test_nothing_is_completed_for_who_may_not(
    table: Table, boss: MemberActor, name: str, option: str
) -> None:
    assert await boss.autocomplete(table.channel, name, option, "") == []
    name_guilds(table, table.guild.id)
    assert await boss.autocomplete(table.channel, name, option, "") != []
