"""Training and businesses as players meet them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bot.table import told
from tests.contract.stored import NOON_US

if TYPE_CHECKING:
    from tests.bot.table import Table

DAY_S = 86_400


async def test_training_costs_gold_and_gives_xp(table: Table) -> None:
    assert told(await table.asked(table.alice, "train")) == (
        "25 XP for 100 gold. Level 1, 25 XP.\nBalance: 9,900 gold."
    )
    await table.endow(table.alice, gold=99)
    assert await table.refusal(table.alice, "train") == "Need 100 gold, have 99."


async def test_a_business_is_bought_once(table: Table) -> None:
    await table.endow(table.alice, gold=25_000)
    assert told(await table.asked(table.alice, "invest", business="cafe")) == (
        "Cafe is yours for 10,000 gold; it earns from now on.\nBalance: 15,000 gold."
    )
    assert told(await table.said(table.alice, "!invest Cafe")) == "You own Cafe already."
    assert await table.refusal(table.alice, "invest", business="dojo") == "Need 25,000 gold, have 15,000."


async def test_an_unknown_business_is_refused(table: Table) -> None:
    sentence = await table.refusal(table.alice, "invest", business="guild hal")
    assert sentence == "There is no business guild hal. Did you mean Guild hall (`guild_hall`)?"
    assert told(await table.said(table.alice, "!invest")) == "business is missing. `/invest <business>`"


async def test_businesses_are_offered_while_typing(table: Table) -> None:
    offered = await table.alice.autocomplete(table.channel, "invest", "business", "GUILD")
    assert offered == [{"name": "Guild hall", "value": "guild_hall"}]


async def test_a_second_click_finds_nothing_to_collect(table: Table) -> None:
    assert await table.refusal(table.alice, "collect") == "There is nothing to collect yet."
    await table.endow(table.alice, businesses={"cafe": NOON_US, "closed_shop": NOON_US})
    table.clock.us = NOON_US
    table.clock.advance(DAY_S - 2)
    assert told(await table.asked(table.alice, "collect")) == (
        "500 gold earned, 250 of it burned as upkeep.\nBalance: 10,250 gold."
    )
    assert told(await table.said(table.alice, "!collect")) == "There is nothing to collect yet."
    assert (await table.profile(table.alice)).gold == 10_250


async def test_businesses_tell_what_waits(table: Table) -> None:
    owned = {"cafe": NOON_US, "old_inn": NOON_US, "spa": NOON_US - 3 * DAY_S * 1_000_000}
    await table.endow(table.alice, businesses=owned)
    table.clock.us = NOON_US
    table.clock.advance(DAY_S - 2)
    embed = await table.asked(table.alice, "businesses")
    full_s = NOON_US // 1_000_000 + 3 * DAY_S
    assert told(embed).split("\n") == [
        "**Cafe** · yours · leaves 250 a day",
        f"*250 gold waits, full <t:{full_s}:R>*",
        "**Dojo** `dojo` · 25,000 gold · leaves 400 a day",
        "**Spa** · yours · leaves 1,000 a day",
        "*3,000 gold waits, full: collect it*",
        "**Shop** `shop` · 50,000 gold · leaves 750 a day",
        "**Guild hall** `guild_hall` · 100,000 gold · leaves 1,500 a day",
        "`old_inn` · yours · retired, and earns nothing",
        "-# After 50 % of upkeep; a business earns for 72 hours, then waits to be collected.",
    ]
    assert embed.footer.text == "After upkeep, 3,250 gold waits for /collect"
