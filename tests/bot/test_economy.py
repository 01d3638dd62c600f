"""The economy as its players may see it: numbers, chart, and one reading for many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bot.table import embed_of, fields_of, told

if TYPE_CHECKING:
    from tests.bot.table import Table

PNG = b"\x89PNG\r\n\x1a\n"


async def test_an_empty_economy_says_so(table: Table) -> None:
    embed = await table.asked(table.alice, "economy")
    assert told(embed) == "Nothing here yet."
    assert not embed.fields


async def test_an_economy_tells_supply_flows_middle_and_top(table: Table) -> None:
    await table.asked(table.alice, "daily")
    await table.asked(table.bob, "train")
    result = await table.slash(table.alice, "economy", days=7)
    embed = embed_of(result)
    read_s = table.clock.us // 1_000_000
    assert told(embed) == f"10 Mar 2026 to 10 Mar 2026 (UTC), read <t:{read_s}:R>"
    assert fields_of(embed) == {
        "In all purses": "20,900 gold",
        "Middle purse": "10,450 gold",
        "Richest 10 %": "hold 11 %",
        "Change": "+900 gold",
        "Players": "2",
        "Active a day": "2.0",
        "Came in": "1,000 gold\nDaily reward 1,000",
        "Went out": "100 gold\nTraining 100",
    }
    assert result.response is not None
    (picture,) = result.response.attachments
    assert (await picture.read()).startswith(PNG)


async def test_only_the_days_that_were_asked_for(table: Table) -> None:
    await table.asked(table.alice, "daily")
    table.clock.advance(9 * 86_400)
    await table.asked(table.alice, "train")
    embed = await table.asked(table.alice, "economy", days=3)
    assert told(embed).startswith("17 Mar 2026 to 19 Mar 2026 (UTC)")
    assert fields_of(embed)["Came in"] == "0 gold"
    assert fields_of(embed)["Went out"] == "100 gold\nTraining 100"
    assert fields_of(embed)["In all purses"] == "10,900 gold"


async def test_what_was_played_a_moment_ago_is_in_it(table: Table) -> None:
    await table.asked(table.alice, "daily")
    embed = await table.asked(table.alice, "economy")
    assert fields_of(embed)["Came in"] == "1,000 gold\nDaily reward 1,000"
    await table.asked(table.bob, "train")
    embed = await table.asked(table.bob, "economy")
    assert fields_of(embed)["Players"] == "2"


@pytest.mark.parametrize("days", ["0", "366", "-1"])
async def test_too_many_days_are_refused(table: Table, days: str) -> None:
    sentence = told(await table.said(table.alice, f"!economy {days}"))
    assert sentence == "days is not right: it must be from 1 to 365. `/economy [days=30]`"
