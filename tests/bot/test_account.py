"""Purses over slash and text: what they hold, the daily claim, transfers, ranks and history."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from kokoromichi.chat.texts import moment
from kokoromichi.core.models import DAY_US
from tests.bot.table import embed_of, fields_of, told
from tests.contract.stored import NOON_US

if TYPE_CHECKING:
    from tests.bot.table import Table

NEXT_DAY_S = (NOON_US // DAY_US + 1) * DAY_US // 1_000_000
USAGE = "`/transfer <user> <amount>`"
BOT_PLAYER = "Bots have no purse."


async def test_a_profile_opens_ones_own_account(table: Table) -> None:
    embed = await table.asked(table.alice, "profile")
    assert embed.title == "alice"
    assert fields_of(embed) == {
        "Purse": "10,000 gold\n100 gems",
        "Streak": "Day 0, best 0",
        "Level": "1 (0 XP)",
        "Collection": "Characters 0, shards 0",
        "Battles": "0 won, 0 lost",
    }
    assert (await table.profile(table.alice)).gold == 10_000


@pytest.mark.parametrize("command", ["profile", "balance"])
async def test_looking_at_another_one_opens_no_account(table: Table, command: str) -> None:
    sentence = await table.refusal(table.alice, command, user=table.bob)
    assert sentence == f"Player {table.bob.mention} has no account yet: their first command opens one."
    assert await table.bot.provider.user_ids() == []


async def test_a_profile_of_another_one_shows_his(table: Table) -> None:
    await table.endow(table.bob, gold=77, favorite="echo", collection={"echo": 1})
    embed = await table.asked(table.alice, "profile", user=table.bob)
    assert embed.title == "bob"
    assert fields_of(embed)["Purse"].startswith("77 gold")
    assert fields_of(embed)["Favorite"] == "Echo"


@pytest.mark.parametrize("command", ["profile", "balance"])
async def test_bots_have_no_purse(table: Table, command: str) -> None:
    robot = table.guild.add_member(table.env.create_user("robot", bot=True))
    assert await table.refusal(table.alice, command, user=robot) == BOT_PLAYER


async def test_a_balance_tells_the_rank(table: Table) -> None:
    await table.endow(table.bob, gold=10_001)
    await table.endow(table.alice, gold=10_000)
    assert told(await table.asked(table.alice, "balance")) == (
        f"{table.alice.mention}\n10,000 gold\n100 gems\nRank 2 of 2\n-# As it was {moment(table.clock.us)}"
    )
    assert told(await table.said(table.alice, "!bal")) == told(await table.said(table.alice, "!GOLD"))


async def test_daily_pays_once_a_day_and_tells_when_the_next_one_opens(table: Table) -> None:
    assert told(await table.asked(table.alice, "daily")) == (
        "You received 1,000 gold and 10 gems. Day 1 of your streak.\nBalance: 11,000 gold, 110 gems."
    )
    again = await table.refusal(table.alice, "daily")
    assert again == f"Already claimed today; the next claim opens <t:{NEXT_DAY_S}:R>."
    assert told(await table.said(table.alice, "!claim")) == again
    table.clock.us = NEXT_DAY_S * 1_000_000
    assert "Day 2 of your streak" in told(await table.said(table.alice, "!checkin"))


async def test_two_claims_at_once_pay_once(table: Table) -> None:
    results = await asyncio.gather(
        table.bot.services.daily.claim(str(table.alice.id), request_id="1"),
        table.bot.services.daily.claim(str(table.alice.id), request_id="2"),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["ClaimReceipt", "RefusedError"]
    rows = await table.bot.provider.read_ledger(user_id=str(table.alice.id), kind="daily")
    assert sum(row.amount or 0 for row in rows if row.currency == "gold") == 1_000


async def test_a_streak_tells_what_comes_next_and_when_it_breaks(table: Table) -> None:
    assert told(await table.asked(table.alice, "streak")) == "You have no streak yet; `/daily` begins one."
    await table.asked(table.alice, "daily")
    claimed_s = table.clock.us // 1_000_000
    assert told(await table.asked(table.alice, "streak")) == (
        "Day 1 of your streak; your best is 1.\n"
        f"The next claim pays 1,200 gold and 12 gems. It opens <t:{NEXT_DAY_S}:R>.\n"
        f"The streak breaks <t:{claimed_s + 48 * 3_600}:R>."
    )


async def test_a_streak_that_a_reset_took_never_broke(table: Table) -> None:
    await table.asked(table.alice, "daily")
    await table.endow(table.alice, streak=0, best_streak=0)
    assert told(await table.asked(table.alice, "streak")) == (
        "You have no streak yet; `/daily` begins one.\n"
        f"The next claim pays 1,000 gold and 10 gems. It opens <t:{NEXT_DAY_S}:R>."
    )


async def test_a_streak_that_broke_reads_as_broken_and_the_next_claim_as_what_it_pays(table: Table) -> None:
    for day in range(6):
        table.clock.us = NOON_US + day * DAY_US
        paid = told(await table.asked(table.alice, "daily"))
    assert "Day 6 of your streak" in paid
    broke_s = table.clock.us // 1_000_000 + 48 * 3_600
    table.clock.us = NOON_US + 15 * DAY_US
    assert told(await table.asked(table.alice, "streak")) == (
        f"Your streak of 6 broke <t:{broke_s}:R>; your best is 6.\n"
        "The next claim pays 1,000 gold and 10 gems. It opens now."
    )
    assert fields_of(await table.asked(table.bob, "profile", user=table.alice))["Streak"] == "Day 0, best 6"
    claimed = told(await table.asked(table.alice, "daily"))
    assert claimed.startswith("You received 1,000 gold and 10 gems. Day 1 of your streak.")


async def test_cooldowns_tell_what_one_may_do_when(table: Table) -> None:
    await table.endow(table.bob)
    assert fields_of(await table.asked(table.alice, "cooldowns"))["Daily reward"] == "now"
    await table.asked(table.alice, "daily")
    await table.asked(table.alice, "transfer", user=table.bob, amount=1_000)
    fields = fields_of(await table.said(table.alice, "!cd"))
    assert fields == {
        "Daily reward": f"<t:{NEXT_DAY_S}:R>",
        "Next battle": "now",
        "Gold won today": "0 of at most 5,000",
        "Gold sent today": "1,000 of at most 20,000",
    }


@pytest.mark.parametrize("name", ["lb", "top", "leaderboard"])
async def test_the_rich_list_has_its_usual_names(table: Table, name: str) -> None:
    assert (await table.said(table.alice, f"!{name}")).title == "The richest"


async def test_a_transfer_moves_gold_less_the_fee(table: Table) -> None:
    await table.endow(table.bob)
    embed = await table.asked(table.alice, "transfer", user=table.bob, amount="1500")
    assert told(embed) == (
        f"1,500 gold left your purse for {table.bob.mention}; 75 of it was the fee.\nBalance: 8,500 gold."
    )
    assert (await table.profile(table.bob)).gold == 11_425


async def test_who_receives_gold_is_told(table: Table) -> None:
    await table.endow(table.bob)
    result = await table.slash(table.alice, "transfer", user=table.bob, amount=100)
    assert result.response is not None
    assert result.response.content == table.bob.mention
    await table.said(table.alice, f"!transfer {table.bob.mention} 100")
    answer = table.channel.last_message
    assert answer is not None
    assert [user.id for user in answer.mentions if user.id != table.alice.id] == [table.bob.id]


async def test_who_has_switched_it_off_is_named_and_not_notified(table: Table) -> None:
    await table.asked(table.bob, "pings", tell="off")
    result = await table.slash(table.alice, "transfer", user=table.bob, amount=100)
    assert result.response is not None
    assert not result.response.content
    assert table.bob.mention in told(result.response.embeds[0])
    await table.asked(table.bob, "pings", tell="on")
    result = await table.slash(table.alice, "transfer", user=table.bob, amount=100)
    assert result.response is not None
    assert result.response.content == table.bob.mention


async def test_who_talks_here_is_known_by_name(table: Table) -> None:
    await table.endow(table.bob)
    await table.bob.send(table.channel, "good morning")
    assert "left your purse" in told(await table.said(table.alice, "!transfer BOB 5"))
    namesake = table.guild.add_member(table.env.create_user("bobby", global_name="Bob"))
    await namesake.send(table.channel, "me too")
    sentence = told(await table.said(table.alice, "!transfer bob 5"))
    assert "I have seen nobody of that name here, or two; mention them with @, or write their id" in sentence
    rows = await table.bot.provider.read_ledger(kind="transfer")
    assert len(rows) == 2


async def test_half_of_nothing_is_refused(table: Table) -> None:
    await table.endow(table.alice, gold=1)
    await table.endow(table.bob)
    sentence = await table.refusal(table.alice, "transfer", user=table.bob, amount="half")
    assert sentence == "The amount must be whole and above 0, also after a fee; 0 is not."


@pytest.mark.parametrize(
    ("amount", "sentence"),
    [
        ("0", "The amount must be whole and above 0, also after a fee; 0 is not."),
        ("10001", "Need 10,001 gold, have 10,000."),
        ("999999999999999999", "Need 999,999,999,999,999,999 gold, have 10,000."),
    ],
)
async def test_a_transfer_is_refused(table: Table, amount: str, sentence: str) -> None:
    await table.endow(table.bob)
    assert await table.refusal(table.alice, "transfer", user=table.bob, amount=amount) == sentence


async def test_nobody_sends_to_himself_to_bots_or_to_strangers(table: Table) -> None:
    robot = table.guild.add_member(table.env.create_user("robot", bot=True))
    own = await table.refusal(table.alice, "transfer", user=table.alice, amount="5")
    assert own == "You cannot send to yourself."
    assert await table.refusal(table.alice, "transfer", user=robot, amount="5") == BOT_PLAYER
    stranger = await table.refusal(table.alice, "transfer", user=table.bob, amount="100")
    assert stranger == f"Player {table.bob.mention} has no account yet: their first command opens one."


async def test_no_more_is_sent_in_a_day_than_the_cap(table: Table) -> None:
    await table.endow(table.bob)
    await table.endow(table.alice, gold=50_000)
    await table.asked(table.alice, "transfer", user=table.bob, amount="15k")
    sentence = await table.refusal(table.alice, "transfer", user=table.bob, amount="6k")
    assert sentence == "Today's cap is 20,000 gold, and 15,000 of it is used."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("!transfer", "user is missing. `/transfer <user> <amount>`"),
        (
            "!transfer @nobody 5",
            (
                "user is not right: I have seen nobody of that name here, or two; mention them with @, or "
                f"write their id. {USAGE}"
            ),
        ),
        ('!transfer "alice 5', "The quotation marks do not match. `/transfer <user> <amount>`"),
    ],
)
async def test_a_mistyped_text_command_tells_its_usage(table: Table, text: str, sentence: str) -> None:
    assert told(await table.said(table.alice, text)) == sentence


async def test_gems_are_bought_for_gold(table: Table) -> None:
    shown = told(await table.asked(table.alice, "exchange"))
    assert shown == "100 gems for 4,000 gold.\nBalance: 6,000 gold, 200 gems."
    assert await table.refusal(table.alice, "exchange", packs=2) == "Need 8,000 gold, have 6,000."
    sentence = await table.refusal(table.alice, "exchange", packs=0)
    assert sentence == "The quantity must be a whole number that is offered; 0 is not."


async def test_the_rich_list_is_stable_on_ties_and_shows_ones_own_rank(table: Table) -> None:
    assert told(await table.asked(table.alice, "rich_list")) == "Nothing here yet."
    await table.endow(table.bob)
    await table.endow(table.alice)
    table.clock.advance(5)
    for player in (table.alice, table.bob):  # Whose names are known since.
        await player.send(table.channel, "good morning")
    embed = await table.asked(table.bob, "rich_list")
    assert str(table.alice.id) < str(table.bob.id)
    read_s = table.clock.us // 1_000_000
    assert told(embed) == (f"1. alice · 10,000 gold\n2. bob · 10,000 gold\n-# As it was <t:{read_s}:R>")
    assert embed.footer.text == "You are number 2 of 2"
    assert told(await table.said(table.bob, "!leaderboard 7")) == told(embed)  # Read once in some seconds.


async def test_the_rich_list_turns_its_pages(table: Table) -> None:
    for number in range(23):
        await table.bot.services.executor.open_account(f"player-{number:02}")
    result = await table.slash(table.alice, "rich_list", page=2)
    assert told(embed_of(result)).startswith("11. `player-10` · 10,000 gold")
    assert embed_of(result).footer.text == "Page 2 of 3"
    assert result.response is not None
    turned = await table.alice.click(result.response, label="Next")
    assert told(embed_of(turned)).startswith("21. `player-20`")


async def test_ones_own_movements_stand_newest_first(table: Table) -> None:
    await table.endow(table.bob)
    await table.asked(table.alice, "buy", item="health_potion", quantity=2)
    await table.asked(table.alice, "transfer", user=table.bob, amount="100")
    result = await table.slash(table.alice, "transactions")
    assert result.ephemeral
    lines = [line.split(" · ", 1)[1] for line in told(embed_of(result)).split("\n")]
    assert lines == [
        f"**Fee** · −5 gold (9,700) · {table.bob.mention}",
        f"**Transfer** · −95 gold (9,705) · {table.bob.mention}",
        "**Purchase** · −200 gold (9,800) · +2 × Health Potion",
        "**Opening** · +100 gems (100)",
        "**Opening** · +10,000 gold (10,000)",
    ]
    assert result.response is not None
    (picture,) = result.response.attachments
    assert embed_of(result).image.url == f"attachment://{picture.filename}" or picture.url


async def test_movements_of_one_kind(table: Table) -> None:
    await table.asked(table.alice, "daily")
    for kind in ("daily", "Daily reward"):
        result = await table.slash(table.alice, "transactions", kind=kind)
        assert told(embed_of(result)).count("**Daily reward**") == 2
        assert told(embed_of(result)).count("\n") == 1
    assert told(await table.said(table.alice, "!history daily reward")).count("**Daily reward**") == 2
    assert told(embed_of(await table.slash(table.alice, "transactions", kind="gift"))) == "Nothing here yet."
    sentence = await table.refusal(table.alice, "transactions", kind="dayly")
    assert sentence == "There is no kind of transaction dayly. Did you mean Daily reward (`daily`)?"
    offered = await table.alice.autocomplete(table.channel, "transactions", "kind", "tra")
    assert [choice["value"] for choice in offered] == ["train", "transfer"]


async def test_nobody_reads_anothers_movements(table: Table) -> None:
    await table.asked(table.bob, "daily")
    assert told(embed_of(await table.slash(table.alice, "transactions"))) == "Nothing here yet."
