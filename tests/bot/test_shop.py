"""The store over slash and text: buying, selling, using and giving, as players meet them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from simcord import SetupError

from kokoromichi.chat.loops import Housekeeping
from kokoromichi.rules.acts import SESSION_GAP_S
from kokoromichi.services.authority import Actor, Role
from tests.bot.table import embed_of, told
from tests.contract.stored import NOON_US

if TYPE_CHECKING:
    from simcord.results import ResponseMessage

    from tests.bot.table import Table

UNFIT = "The quantity must be a whole number that is offered; {} is not."
UNKNOWN = "There is no item phoenix\\_fether. Did you mean Phoenix Feather (`phoenix_feather`)?"


async def test_buying_charges_once_and_says_what_is_left(table: Table) -> None:
    result = await table.alice.slash(table.channel, "buy", item="health_potion", quantity="2")
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
    assert told(await table.said(table.alice, '!purchase "Health Potion"')).startswith("1 × Health Potion")


@pytest.mark.parametrize(
    ("item", "quantity", "sentence"),
    [
        ("phoenix_fether", 1, UNKNOWN),
        ("fether", 1, UNKNOWN.replace("phoenix\\_fether", "fether")),
        ("$$$", 1, "There is no item $$$."),
        ("health_potion", 0, "The quantity must be a whole number that is offered; 0 is not."),
        ("health_potion", -5, "The quantity must be a whole number that is offered; -5 is not."),
        ("lucky_charm", 4, "Limit 3, you own 0."),
        ("phoenix_feather", 1, "Need 40,000 gold, have 10,000."),
    ],
)
async def test_a_purchase_is_refused(table: Table, item: str, quantity: int, sentence: str) -> None:
    assert await table.refusal(table.alice, "buy", item=item, quantity=quantity) == sentence
    rows = await table.bot.provider.read_ledger(kind="purchase")
    assert rows == []


async def test_what_is_sold_out_is_refused(table: Table) -> None:
    admin = Actor("1", Role.OWNER)
    await table.bot.services.admin.set_stock("lucky_charm", 1, actor=admin, reason="the last one")
    assert await table.refusal(table.alice, "buy", item="lucky_charm", quantity=2) == "The store has 1 left."
    assert "1,500 gold · 1 left" in told(await table.asked(table.alice, "store"))


async def test_text_that_is_no_number_tells_the_usage(table: Table) -> None:
    sentence = told(await table.said(table.alice, "!buy health_potion many"))
    assert sentence == (
        "quantity is not right: write it in digits alone, such as 1500, or with k, m or b behind them, "
        "such as 2k for 2000; or all, or half. `/buy <item> [quantity=1]`"
    )


async def test_the_store_shows_price_stock_and_room(table: Table) -> None:
    await table.endow(table.alice, inventory={"lucky_charm": 2, "health_potion": 4})
    result = await table.slash(table.alice, "store")
    lines = told(embed_of(result)).split("\n")
    assert lines[0] == "**Health Potion** · 100 gold · you own 4"
    assert lines[1].startswith("*Red, ")
    assert lines[1].endswith("`health_potion`")
    assert "**Lucky Charm** · 1,500 gold · 250 left · you own 2 of at most 3" in lines
    assert str(embed_of(result).footer.text).startswith("10,000 gold · Page 1 of ")


async def test_one_shelf_of_the_store(table: Table) -> None:
    shown = told(await table.asked(table.alice, "store", category="Potion"))
    assert "Health Potion" in shown
    assert "Lucky Charm" not in shown
    assert told(await table.said(table.alice, "!store 1 Potions")) == shown
    assert told(await table.said(table.alice, "!store potions")) == shown
    sentence = await table.refusal(table.alice, "store", category="poton")
    assert sentence == "There is no shelf poton. Did you mean potions (`potion`)?"
    offered = await table.alice.autocomplete(table.channel, "store", "category", "ch")
    assert [choice["value"] for choice in offered] == ["charm", "chest"]


@pytest.mark.parametrize("page", [-3, 0, 99, 10**9])
async def test_a_page_beyond_the_ends_is_the_nearest(table: Table, page: int) -> None:
    embed = await table.asked(table.alice, "store", page=page)
    foot = str(embed.footer.text)
    assert foot.endswith("Page 1 of 3" if page < 1 else "Page 3 of 3")


async def test_pages_turn_for_their_owner_alone(table: Table) -> None:
    asked = await table.slash(table.alice, "store")
    message = asked.response
    assert message is not None
    with pytest.raises(SetupError, match="disabled"):
        await table.alice.click(message, label="Previous")
    other = await table.bob.click(message, label="Next")
    assert other.ephemeral
    assert told(embed_of(other)) == "That question was not asked of you."
    turned = await table.alice.click(message, label="Next")
    assert str(embed_of(turned).footer.text).endswith("Page 2 of 3")
    await table.env.advance_time(181)
    assert all(button.disabled for button in table.buttons())


async def test_an_inventory_is_shown(table: Table) -> None:
    assert told(await table.asked(table.alice, "inventory")) == "Nothing here yet."
    await table.endow(table.alice, inventory={"mana_potion": 1_200, "gone_item": 1})
    assert told(await table.said(table.alice, "!inv")) == (
        "1 × `gone_item`, retired\n1,200 × **Mana Potion** (`mana_potion`)"
    )


async def test_selling_pays_the_resale_share(table: Table) -> None:
    await table.endow(table.alice, inventory={"health_potion": 3})
    assert told(await table.asked(table.alice, "sell", item="health_potion", quantity=2)) == (
        "2 × Health Potion for 80 gold. You hold 1.\nBalance: 10,080 gold."
    )
    assert await table.refusal(table.alice, "sell", item="health_potion", quantity=2) == (
        "You hold 1 of Health Potion."
    )
    assert await table.refusal(table.alice, "sell", item="phoenix_fether") == UNKNOWN
    sentence = await table.refusal(table.alice, "sell", item="health_potion", quantity=0)
    assert sentence == "The quantity must be a whole number that is offered; 0 is not."


async def test_using_an_item_does_what_it_says(table: Table) -> None:
    await table.endow(table.alice, inventory={"health_potion": 2, "mana_potion": 1}, hp=50, hp_at_us=NOON_US)
    used = told(await table.asked(table.alice, "use", item="health_potion"))
    assert used.endswith("HP back. You hold 1 more.")
    assert (
        await table.refusal(table.alice, "use", item="mana_potion")
        == "Mana Potion is drunk in a battle: `/battle`, and yes to the potion."
    )
    assert await table.refusal(table.alice, "use", item="lucky_charm") == "You hold 0 of Lucky Charm."
    assert await table.refusal(table.alice, "use", item="phoenix_fether") == UNKNOWN


async def test_an_effect_that_runs_is_not_started_again(table: Table) -> None:
    await table.endow(table.alice, inventory={"lucky_charm": 2})
    used = told(await table.asked(table.alice, "use", item="lucky_charm"))
    assert used.startswith("Lucky Charm: battles pay ")
    sentence = await table.refusal(table.alice, "use", item="lucky_charm")
    assert sentence == "The effect of Lucky Charm still runs."


async def test_what_one_holds_is_offered_while_typing(table: Table) -> None:
    assert await table.alice.autocomplete(table.channel, "sell", "item", "") == []
    await table.endow(table.alice, inventory={"health_potion": 1, "lucky_charm": 1})
    offered = await table.alice.autocomplete(table.channel, "use", "item", "char")
    assert offered == [{"name": "Lucky Charm", "value": "lucky_charm"}]
    bought = await table.alice.autocomplete(table.channel, "buy", "item", "potion")
    assert {choice["value"] for choice in bought} == {"health_potion", "mana_potion"}


async def test_a_gift_is_given_at_the_click_and_once(table: Table) -> None:
    message = await question(table)
    first = await table.alice.click(message, label="Confirm")
    assert told(embed_of(first)) == (f"2 × Health Potion went to {table.bob.mention}. You hold 1 more.")
    assert message.components == []
    assert (await table.profile(table.bob)).inventory == {"health_potion": 2}
    notice = table.channel.last_message
    assert notice is not None
    assert [user.id for user in notice.mentions] == [table.bob.id]
    rows = await table.bot.provider.read_ledger(kind="gift")
    assert len(rows) == 2


async def test_a_gift_may_be_cancelled(table: Table) -> None:
    message = await question(table)
    told_cancelled = await table.alice.click(message, label="Cancel")
    assert told(embed_of(told_cancelled)) == "Cancelled. Nothing happened."
    assert (await table.profile(table.alice)).inventory == {"health_potion": 3}


async def test_a_gift_is_not_anothers_to_confirm(table: Table) -> None:
    message = await question(table)
    other = await table.bob.click(message, label="Confirm")
    assert other.ephemeral
    assert told(embed_of(other)) == "That question was not asked of you."
    assert (await table.profile(table.alice)).inventory == {"health_potion": 3}
    await table.alice.click(message, label="Confirm")
    assert (await table.profile(table.alice)).inventory == {"health_potion": 1}


async def test_a_gift_that_nobody_confirms_is_over_after_a_minute(table: Table) -> None:
    await question(table)
    await table.env.advance_time(61)
    assert all(button.disabled for button in table.buttons())
    assert table.last_told().endswith("Nobody answered in time. Nothing happened.")
    assert (await table.profile(table.alice)).inventory == {"health_potion": 3}


async def test_a_gift_is_checked_again_at_the_click(table: Table) -> None:
    message = await question(table)
    await table.asked(table.alice, "sell", item="health_potion", quantity=2)
    shown = await table.alice.click(message, label="Confirm")
    assert not shown.ephemeral
    assert told(message.embeds[0]) == "You hold 1 of Health Potion."
    assert (await table.profile(table.alice)).inventory == {"health_potion": 1}


async def test_a_gift_to_a_bot_or_of_nothing_is_not_asked_for(table: Table) -> None:
    robot = table.guild.add_member(table.env.create_user("robot", bot=True))
    assert await table.refusal(table.alice, "gift", user=robot, item="health_potion") == "Bots have no purse."
    assert await table.refusal(table.alice, "gift", user=table.bob, item="phoenix_fether") == UNKNOWN


async def test_a_gift_to_oneself_is_refused(table: Table) -> None:
    await table.endow(table.alice, inventory={"health_potion": 1})
    refused = await table.refusal(table.alice, "gift", user=table.alice, item="health_potion")
    assert refused == "You cannot send to yourself."


async def test_a_gift_over_the_receivers_limit_is_refused(table: Table) -> None:
    await table.endow(table.alice, inventory={"lucky_charm": 1})
    await table.endow(table.bob, inventory={"lucky_charm": 3})
    assert (
        await table.refusal(table.alice, "gift", user=table.bob, item="lucky_charm")
        == "They may own 3 at most, and own 3."
    )


async def test_a_gift_that_cannot_be_given_is_not_asked_for(table: Table) -> None:
    await table.endow(table.bob)
    for quantity, sentence in ((2, "You hold 0 of Health Potion."), (-1, UNFIT.format(-1))):
        options = {"user": table.bob, "item": "health_potion", "quantity": quantity}
        assert await table.refusal(table.alice, "gift", **options) == sentence
    assert await table.bot.provider.profile(str(table.alice.id)) is None


async def priced(table: Table, gold: int, item: str = "health_potion") -> None:
    """An admin sets a price: that of a health potion, whose list price is 100, or of something else."""
    boss = Actor("1", Role.OWNER)
    await table.bot.services.admin.set_price(item, gold, actor=boss, reason="a test")


@pytest.mark.parametrize(("price_gold", "later_s"), [(120, 0), (90, 0), (120, 86_400)])
async def test_another_price_than_the_one_that_was_read_is_asked_for(
    table: Table, price_gold: int, later_s: int
) -> None:
    await table.slash(table.alice, "store")
    await priced(table, price_gold)
    table.clock.advance(later_s)
    question = await table.slash(table.alice, "buy", item="health_potion")
    assert told(embed_of(question)) == (
        f"Buy 1 × Health Potion for {price_gold} gold in all?\n"
        f"A unit costs {price_gold} gold now, and cost 100 when you saw it last."
    )
    assert (await table.profile(table.alice)).gold == 10_000
    assert question.response is not None
    await table.alice.click(question.response, label="Confirm")
    assert (await table.profile(table.alice)).gold == 10_000 - price_gold
    assert told(await table.asked(table.alice, "buy", item="health_potion")).startswith(
        "1 × Health Potion for"
    )


async def test_a_price_above_the_list_is_asked_for_also_where_the_store_was_never_opened(
    table: Table,
) -> None:
    await priced(table, 120)
    assert told(await table.asked(table.alice, "buy", item="health_potion", quantity=2)) == (
        "Buy 2 × Health Potion for 240 gold in all?\nA unit costs 120 gold now; its list price is 100."
    )
    assert await table.bot.provider.read_ledger(kind="purchase") == []
    await priced(table, 90)
    assert "for 90 gold" in told(await table.asked(table.bob, "buy", item="health_potion"))


async def test_a_price_on_a_page_that_was_not_turned_to_was_never_read(table: Table) -> None:
    await priced(table, 900, "flower_bouquet")
    asked = await table.slash(table.alice, "store")
    assert "Flower Bouquet" not in told(embed_of(asked))
    question = told(await table.asked(table.alice, "buy", item="flower_bouquet"))
    assert question.endswith("A unit costs 900 gold now; its list price is 200.")


async def test_a_price_that_changes_while_one_is_asked_is_not_charged(table: Table) -> None:
    await priced(table, 120)
    question = await table.slash(table.alice, "buy", item="health_potion")
    await priced(table, 130)
    assert question.response is not None
    await table.alice.click(question.response, label="Confirm")
    assert table.last_told() == "The price is 130 gold now, not the 120 that you were shown."
    assert await table.bot.provider.read_ledger(kind="purchase") == []


async def test_a_price_that_was_charged_is_known(table: Table) -> None:
    await priced(table, 90)
    await table.asked(table.alice, "buy", item="health_potion")
    await priced(table, 100)
    asked = told(await table.asked(table.alice, "buy", item="health_potion"))
    assert asked.endswith("A unit costs 100 gold now, and cost 90 when you saw it last.")


async def test_what_does_not_add_up_is_used_one_at_a_time_and_says_so(table: Table) -> None:
    await table.endow(table.alice, inventory={"training_manual": 2})
    sentence = await table.refusal(table.alice, "use", item="training_manual", quantity=2)
    assert sentence.startswith("2 cannot be used at once: ")
    assert "one at a time" in sentence


async def test_what_brings_more_than_half_of_a_purse_is_sold_at_a_click(table: Table) -> None:
    await table.endow(table.alice, inventory={"phoenix_feather": 1})
    asked = await table.slash(table.alice, "sell", item="phoenix_feather")
    assert told(embed_of(asked)) == "Sell 1 × Phoenix Feather for 16,000 gold in all?"
    assert (await table.profile(table.alice)).gold == 10_000
    assert asked.response is not None
    await table.alice.click(asked.response, label="Confirm")
    assert (await table.profile(table.alice)).gold == 26_000


@pytest.mark.parametrize(("item", "gold"), [("phoenix_feather", 10_000), ("health_potion", 26_000)])
async def test_only_the_price_of_what_is_sold_hinders_a_sale_that_was_asked_for(
    table: Table, item: str, gold: int
) -> None:
    await table.endow(table.alice, inventory={"phoenix_feather": 1})
    asked = await table.slash(table.alice, "sell", item="phoenix_feather")
    await priced(table, {"phoenix_feather": 30_000, "health_potion": 120}[item], item)
    assert asked.response is not None
    await table.alice.click(asked.response, label="Confirm")
    assert (await table.profile(table.alice)).gold == gold


async def test_more_than_are_used_at_once_are_refused_with_how_many_are(table: Table) -> None:
    await table.endow(table.alice, inventory={"treasure_chest": 150})
    sentence = await table.refusal(table.alice, "use", item="treasure_chest", quantity="all")
    assert sentence.startswith("150 cannot be used at once: from 1 to 100, ")


async def test_no_more_units_are_used_than_help(table: Table) -> None:
    await table.endow(table.alice, inventory={"health_potion": 9}, hp=20, hp_at_us=NOON_US)
    used = told(await table.said(table.alice, "!use health potion 5"))
    assert used == "2 × Health Potion: 80 HP back. You hold 7 more."
    (row,) = await table.bot.provider.read_ledger(kind="use")
    assert row.quantity == -2


@pytest.mark.parametrize("line", ["sell all", "use half", "sell 5", "buy all", "gift {bob} all"])
async def test_an_amount_in_the_place_of_the_item_is_told_as_an_item_that_is_missing(
    table: Table, line: str
) -> None:
    await table.endow(table.alice, inventory={"health_potion": 9})
    sentence = told(await table.said(table.alice, "!" + line.format(bob=table.bob.mention)))
    assert sentence.startswith(f"item is missing. `/{line.split(maxsplit=1)[0]} ")
    assert (await table.profile(table.alice)).inventory == {"health_potion": 9}


async def test_all_or_half_of_what_is_held_is_sold(table: Table) -> None:
    await table.endow(table.alice, inventory={"health_potion": 9})
    assert told(await table.said(table.alice, "!sell health potion half")).startswith("4 × Health Potion")
    assert told(await table.said(table.alice, "!sell health potion all")).startswith("5 × Health Potion")
    assert told(await table.said(table.alice, "!sell health potion all")) == "You hold 0 of Health Potion."


async def test_all_that_one_can_pay_is_asked_for_and_bought(table: Table) -> None:
    bought = await table.asked(table.alice, "buy", item="lucky_charm", quantity="all")
    assert told(bought).startswith("3 × Lucky Charm for 4,500 gold."), "its limit is 3"
    question = await table.asked(table.alice, "buy", item="health_potion", quantity="all")
    assert told(question) == "Buy 55 × Health Potion for 5,500 gold in all?"


@pytest.mark.parametrize(
    "words", ["health potion 2", "Health-Potion 2", "health_potion 2", '"health potion" 2']
)
async def test_a_name_of_several_words_needs_no_quotes(table: Table, words: str) -> None:
    assert told(await table.said(table.alice, f"!buy {words}")).startswith("2 × Health Potion")


async def question(table: Table) -> ResponseMessage:
    """Alice asks to give Bob two of her three potions."""
    await table.endow(table.alice, inventory={"health_potion": 3})
    await table.endow(table.bob)
    asked = await table.slash(table.alice, "gift", user=table.bob, item="health_potion", quantity=2)
    assert told(embed_of(asked)) == f"Give 2 × Health Potion to {table.bob.mention}?"
    assert asked.response is not None
    return asked.response


async def test_a_word_too_many_is_refused_before_anything_is_charged(table: Table) -> None:
    embed = await table.said(table.alice, f"!transfer <@{table.bob.id}> 1 000")
    assert embed.description == "000 is not understood here. `/transfer <user> <amount>`"
    assert await table.bot.provider.profile(str(table.alice.id)) is None


async def test_a_retired_item_is_seen_and_sold_back(table: Table) -> None:
    await table.endow(table.alice, inventory={"paper_crane": 5}, paid_gold={"paper_crane": 500})
    seen = told(await table.asked(table.alice, "inventory"))
    assert seen == "5 × `paper_crane`, retired: sell it back"
    sold = told(await table.asked(table.alice, "sell", item="paper_crane", quantity=2))
    assert sold.startswith("2 × paper\\_crane for 80 gold. You hold 3.")
    for command in ("use", "buy"):
        refusal = await table.refusal(table.alice, command, item="paper_crane")
        assert refusal.startswith("paper\\_crane is retired: what is held of it can be sold back")
    by_words = told(await table.said(table.alice, "!sell Paper Crane all"))
    assert by_words.startswith("3 × paper\\_crane for 120 gold. You hold 0.")
    assert await table.refusal(table.bob, "sell", item="paper_crane") == "There is no item paper\\_crane."


async def test_what_was_shown_and_bought_is_noted_until_the_session_ends(table: Table) -> None:
    await table.asked(table.alice, "store", category="potions")
    await table.asked(table.alice, "buy", item="health_potion", quantity=3)
    await table.asked(table.alice, "train")
    table.clock.advance(SESSION_GAP_S - 1)
    await table.asked(table.alice, "balance")  # It prolongs the session, and is not noted.
    table.clock.advance(SESSION_GAP_S)
    await Housekeeping(table.bot).sessions()
    frames = [frame async for frame in table.bot.provider.observation_frames("activity")]
    noted = pl.concat(frames)
    train_gold = table.bot.services.live.config.train.price_gold
    assert noted.select("act", "slot", "outcome", "gold", pl.col("units_held").list.first()).rows() == [
        ("shown", None, "potion", 10_000, 0),
        ("buy", 0, "health_potion", 10_000, 0),
        ("train", 1, "train", 9_700, 3),
        ("end", 2, "quiet", 9_700 - train_gold, 3),
    ]
    assert noted["session"].n_unique() == 1


async def test_what_is_refused_before_its_question_is_noted_too(table: Table) -> None:
    await table.endow(table.bob)
    await table.refusal(table.alice, "gift", user=table.bob, item="health_potion")
    (noted,) = [frame async for frame in table.bot.provider.observation_frames("activity")]
    assert noted.select("act", "code").rows() == [("gift", "not_owned")]


async def test_a_number_before_its_item_is_told_where_it_stands(table: Table) -> None:
    sentence = told(await table.said(table.alice, "!buy 2 health potion"))
    assert sentence == "item is not right: it comes before the number. `/buy <item> [quantity=1]`"
