"""Buying and selling over slash and text, as players meet them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bot.table import embed_of

if TYPE_CHECKING:
    from tests.bot.table import Table


async def test_buying_charges_once_and_says_what_is_left(table: Table) -> None:
    result = await table.alice.slash(table.channel, "buy", item="health_potion", quantity=2)
    assert embed_of(result).description == (
        "2 × Health Potion for 200 gold. You hold 2.\nBalance: 9,800 gold."
    )
    assert not result.ephemeral
    assert (await table.profile(table.alice)).gold == 9_800


async def test_a_refusal_is_for_the_buyer_alone(table: Table) -> None:
    result = await table.alice.slash(table.channel, "buy", item="phoenix_feather")
    assert result.ephemeral
    assert embed_of(result).description == "Need 40,000 gold, have 10,000."


async def test_a_text_command_buys_too(table: Table) -> None:
    embed = await table.said(table.alice, "!buy health_potion 3")
    assert embed.description == "3 × Health Potion for 300 gold. You hold 3.\nBalance: 9,700 gold."
