"""Pulls, odds and the collection, as players meet them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bot.table import embed_of, fields_of, told

if TYPE_CHECKING:
    from tests.bot.table import Table

COMMONEST = 0
DRY = 59
"""One pull short of the guarantee."""


@pytest.fixture(autouse=True)
def loaded(table: Table) -> None:
    """Every draw is the lowest: the commonest rarity, and its first character."""
    table.bot.services.executor.dice = lambda: COMMONEST


async def test_a_pull_is_charged_and_shows_the_pity(table: Table) -> None:
    embed = await table.asked(table.alice, "summon")
    assert told(embed) == "`N` **Echo** · new\n\n50 gems paid. You have 50 gems and 0 shards."
    assert embed.footer.text == "SSR or better is certain within 59 pulls"
    again = told(await table.said(table.alice, "!pull"))
    assert again.startswith("`N` Echo\n")
    assert (await table.profile(table.alice)).gems == 0


async def test_ten_pulls_cost_less_and_the_guarantee_comes(table: Table) -> None:
    await table.endow(table.alice, gems=900, pity=DRY - 9)
    embed = await table.asked(table.alice, "summon", count=10)
    rows = told(embed).split("\n\n")[0].split("\n")
    assert rows[0] == "`N` **Echo** · new"
    assert rows[1:9] == ["`N` Echo"] * 8
    assert rows[9].startswith("`SSR` ")
    assert embed.footer.text == "SSR or better is certain within 60 pulls"
    assert (await table.profile(table.alice)).gems == 450


async def test_a_pull_that_nobody_can_pay_is_refused(table: Table) -> None:
    await table.endow(table.alice, gems=49)
    assert await table.refusal(table.alice, "summon") == "Need 50 gems, have 49."
    assert await table.refusal(table.alice, "summon", count=10) == "Need 450 gems, have 49."
    assert (await table.profile(table.alice)).pulls == 0


async def test_only_one_or_ten_are_sold(table: Table) -> None:
    sentence = told(await table.said(table.alice, "!summon 5"))
    assert sentence == "count is not right: it must be one of: 1, 10. `/summon [1|10=1]`"
    assert "`!summon [1|10=1]`" in told(await table.said(table.alice, "!help summon"))


async def test_rates_are_those_of_ones_own_dry_run(table: Table) -> None:
    embed = await table.asked(table.alice, "rates")
    lines = told(embed).split("\n")
    assert lines[1:8] == [
        "Mythic   0.10 %",
        "LR       0.50 %",
        "UR       1.00 %",
        "SSR      3.00 %",
        "SR      10.00 %",
        "R       25.00 %",
        "N       60.40 %",
    ]
    assert lines[9:] == [
        "SSR or better among the next ten pulls: 37.6 %",
        "SSR or better is certain within 60 pulls",
    ]
    assert embed.footer.text == "One pull 50 gems, ten 450"


async def test_rates_before_the_guarantee(table: Table) -> None:
    await table.endow(table.alice, pity=DRY)
    lines = told(await table.asked(table.alice, "rates")).split("\n")
    assert lines[1:8] == [
        "Mythic   2.17 %",
        "LR      10.87 %",
        "UR      21.74 %",
        "SSR     65.22 %",
        "SR       0.00 %",
        "R        0.00 %",
        "N        0.00 %",
    ]
    assert lines[9:] == [
        "SSR or better among the next ten pulls: 100.0 %",
        "The next pull is certain to be SSR or better",
    ]


async def test_a_collection_stands_rarest_first(table: Table) -> None:
    assert told(await table.asked(table.alice, "collection")) == "Nobody yet; `/summon` brings the first."
    everybody = table.bot.services.character_names
    await table.endow(table.alice, collection={**dict.fromkeys(everybody, 1), "gone": 1}, shards=7)
    result = await table.slash(table.alice, "collection", page=1)
    rows = told(embed_of(result)).split("\n")
    assert rows[0].startswith("`Mythic` ")
    assert len(rows) == 20
    assert embed_of(result).footer.text == "Characters 78 of 78 · shards 7 · Page 1 of 4"
    assert result.response is not None
    second = await table.alice.click(result.response, label="Next")
    last = await table.said(table.alice, "!collection 4")
    assert len(told(embed_of(second)).split("\n")) == 20
    rest = told(last).split("\n")
    assert len(rest) == 19
    assert rest[-13:-1] == sorted(row for row in rest if row.startswith("`N` "))
    assert rest[-1] == "`gone`, retired"


async def test_a_character_is_shown(table: Table) -> None:
    embed = await table.asked(table.alice, "character", character="echo")
    assert embed.title == "Echo"
    assert told(embed).startswith("A mountain nymph")
    assert fields_of(embed) == {
        "Rarity": "N",
        "Element": "Wind",
        "Mythology": "Greek",
        "To choose with /redeem": "10 shards",
    }
    assert embed.footer.text == "Not in your collection yet"
    await table.endow(table.alice, collection={"echo": 1})
    owned = await table.said(table.alice, "!character ECHO")
    assert owned.footer.text == "In your collection"
    assert "To choose with /redeem" not in fields_of(owned)


async def test_an_unknown_character_is_refused(table: Table) -> None:
    sentence = await table.refusal(table.alice, "character", character="ecko")
    assert sentence == "There is no character ecko. Did you mean Echo (`echo`)?"
    assert (await table.refusal(table.alice, "favorite", character="$")) == "There is no character $."


async def test_a_favorite_is_of_ones_own_collection(table: Table) -> None:
    assert await table.refusal(table.alice, "favorite", character="echo") == "Echo is not in your collection."
    await table.endow(table.alice, collection={"echo": 1})
    assert told(await table.asked(table.alice, "favorite", character="echo")) == (
        "Echo stands in your profile now."
    )
    assert fields_of(await table.asked(table.alice, "profile"))["Favorite"] == "Echo"
    assert told(await table.said(table.alice, "!favorite")) == "Nobody stands in your profile now."
    assert "Favorite" not in fields_of(await table.asked(table.alice, "profile"))


async def test_characters_are_offered_while_typing(table: Table) -> None:
    assert await table.alice.autocomplete(table.channel, "favorite", "character", "") == []
    await table.endow(table.alice, collection={"echo": 1, "pomona": 1})
    own = await table.alice.autocomplete(table.channel, "favorite", "character", "")
    assert [choice["value"] for choice in own] == ["echo", "pomona"]
    every = await table.alice.autocomplete(table.channel, "character", "character", "")
    assert len(every) == 25


async def test_shards_buy_a_character_of_ones_choice(table: Table) -> None:
    assert await table.refusal(table.alice, "redeem", character="echo") == "Need 10 shards, have 0."
    await table.endow(table.alice, shards=25)
    told_price = fields_of(await table.asked(table.alice, "character", character="echo"))
    assert told_price["To choose with /redeem"] == "10 shards"
    text = told(await table.asked(table.alice, "redeem", character="echo"))
    assert text == "Echo is yours for 10 shards. You have 15 shards."
    assert (await table.profile(table.alice)).collection == {"echo": 1}
    sentence = told(await table.said(table.alice, "!redeem echo"))
    assert sentence == "Echo is in your collection already."


async def test_most_of_ones_shards_are_asked_for(table: Table) -> None:
    await table.endow(table.alice, shards=19)
    asked = await table.slash(table.alice, "redeem", character="echo")
    assert table.last_told() == "Choose Echo for 10 shards? That is most of what you have."
    assert (await table.profile(table.alice)).shards == 19
    assert asked.response is not None
    await table.alice.click(asked.response, label="Confirm")
    assert table.last_told() == "Echo is yours for 10 shards. You have 9 shards."
