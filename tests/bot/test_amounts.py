"""Every command reads amounts alike: what could be read in two ways is refused, and says how to write it."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kokoromichi.chat.arguments import Amount, parsed_amount
from kokoromichi.chat.failures import BadAmountError
from tests.bot.table import told

if TYPE_CHECKING:
    from tests.bot.table import Table

DOUBTFUL: Final = (
    *(
        "10.000",
        "1,000",
        "1_0",
        "1e3",
        "1.500k",
        "1.k",
        "1,5k",
        "1.5",
        "1'000",
        "0x10",
        "+5",
        "k",
        "NaN",
        "inf",
        "--5",
    ),
    *(chr(0x662), chr(0xFF11), chr(0x2212) + "5", "1k5", "9" * 19, "999999999999999999b", "½"),
)
MEANT: Final = {
    "1": 1,
    "007": 7,
    "1500": 1_500,
    "2k": 2_000,
    "2K": 2_000,
    "1.5k": 1_500,
    "-0.25m": -250_000,
    "3m": 3 * 10**6,
    "1b": 10**9,
    "-4": -4,
}
HOW: Final = "write it in digits alone, such as 1"
UNITS: Final = {"k": 10**3, "m": 10**6, "b": 10**9}
LINES: Final = {
    "transfer": "!transfer {bob} {amount}",
    "buy": "!buy health_potion {amount}",
    "sell": "!sell health_potion {amount}",
    "use": "!use health_potion {amount}",
    "gift": "!gift {bob} health_potion {amount}",
    "exchange": "!exchange {amount}",
    "admin gold": "!admin gold {bob} {amount} because",
    "admin item": "!admin item {bob} health_potion {amount} because",
    "admin price": "!admin price health_potion {amount} because",
    "admin stock": "!admin stock lucky_charm {amount} because",
}
"""Every command that takes an amount, as a text command."""


@pytest.mark.parametrize("text", DOUBTFUL)
def test_what_could_be_read_in_two_ways_is_no_amount(text: str) -> None:
    with pytest.raises(BadAmountError):
        parsed_amount(text)


@pytest.mark.parametrize(("text", "count"), MEANT.items())
def test_an_amount_means_one_number(text: str, count: int) -> None:
    assert parsed_amount(text) == Amount(count)


@pytest.mark.parametrize(("text", "of_nine"), [("all", 9), ("MAX", 9), ("half", 4), ("5", 5)])
def test_a_share_is_of_what_there_is(text: str, of_nine: int) -> None:
    assert parsed_amount(text).of(9) == of_nine


@given(st.one_of(st.text(max_size=12), st.from_regex(r"[-+]?[0-9., _'kmbe]{1,12}", fullmatch=True)))
@example("10.000")
def test_whatever_is_accepted_is_ascii_digits_with_at_most_one_unit(text: str) -> None:
    try:
        amount = parsed_amount(text)
    except BadAmountError:
        return
    word = text.strip().lower()
    if amount.share:
        assert word in {"all", "max", "half"}
        return
    assert re.fullmatch(r"-?[0-9]+|-?[0-9]+(\.[0-9]{1,2})?[kmb]", word)
    digits = word.rstrip("kmb")
    assert amount.units == Fraction(digits) * UNITS.get(word[len(digits) :], 1)


@given(st.integers(-(10**18) + 1, 10**18 - 1))
def test_every_whole_number_is_read_as_itself(count: int) -> None:
    assert parsed_amount(str(count)) == Amount(count)


@pytest.mark.parametrize("name", LINES)
async def test_all_commands_refuse_the_same_writing_and_say_how(table: Table, name: str) -> None:
    table.bot.owner_id = table.alice.id
    await table.endow(table.bob)
    await table.endow(table.alice, inventory={"health_potion": 5})
    before = await table.bot.provider.read_ledger()
    for amount in ("10.000", "1,000", "1_0", chr(0x662), "1e3", "1.500k"):
        line = LINES[name].format(bob=table.bob.mention, amount=amount)
        assert HOW in told(await table.said(table.alice, line)), amount
    assert await table.bot.provider.read_ledger() == before


async def test_all_commands_that_take_an_amount_are_held_to_it(table: Table) -> None:
    wanted = {"amount", "quantity", "packs", "units", "gold"}
    taking = {one.qualified_name for one in table.bot.walk_commands() if wanted & one.clean_params.keys()}
    assert taking == LINES.keys()


async def test_all_commands_accept_the_same_writing(table: Table) -> None:
    table.bot.owner_id = table.alice.id
    await table.endow(table.bob)
    await table.endow(table.alice, gold=10**7, inventory={"health_potion": 5_000})
    for name, said in {
        "transfer": "1,000 gold left your purse",
        "buy": "1,000 × Health Potion",
        "sell": "1,000 × Health Potion",
        "gift": "Give 1,000 × Health Potion",
        "exchange": "100,000 gems",
        "admin gold": "1,000 gold, now",
        "admin item": "1,000 × Health Potion, now",
        "admin stock": "Lucky Charm: 1,000 left now",
    }.items():
        line = LINES[name].format(bob=table.bob.mention, amount="1k")
        assert said in told(await table.said(table.alice, line)), name


@pytest.mark.parametrize("name", ["admin gold", "admin item", "admin price", "admin stock"])
async def test_no_group_of_digits_is_taken_for_a_reason(table: Table, name: str) -> None:
    table.bot.owner_id = table.alice.id
    await table.endow(table.bob)
    line = LINES[name].format(bob=table.bob.mention, amount="1 000")
    assert told(await table.said(table.alice, line)).startswith("The number can be read in two ways: ")
    assert await table.bot.provider.read_ledger(kind="admin_act") == []


async def test_a_reason_may_begin_with_a_number(table: Table) -> None:
    table.bot.owner_id = table.alice.id
    await table.endow(table.bob)
    line = f"!admin gold {table.bob.mention} 1 5 days late, for 12 345 reasons"
    assert "1 gold, now 10,001" in told(await table.said(table.alice, line))


@pytest.mark.parametrize("name", ["sell", "gift", "buy", "exchange"])
async def test_half_of_one_is_not_one(table: Table, name: str) -> None:
    await table.endow(table.bob)
    await table.endow(table.alice, gold=4_000, inventory={"health_potion": 1, "lucky_charm": 2})
    line = LINES[name].format(bob=table.bob.mention, amount="half").replace("health_potion", "lucky_charm")
    if name in ("sell", "gift"):
        line = line.replace("lucky_charm", "health_potion")
    assert told(await table.said(table.alice, line)).startswith("The quantity must be")


@pytest.mark.parametrize("share", ["all", "half"])
async def test_where_there_is_nothing_to_share_a_share_is_refused(table: Table, share: str) -> None:
    table.bot.owner_id = table.alice.id
    embed = await table.said(table.alice, f"!admin gold {table.bob.mention} {share} because")
    assert told(embed).startswith(
        "amount is not right: write it in digits alone, such as 12, or 2k for 2000. "
    )


@pytest.mark.parametrize("number", ["1_0", chr(0x661), "10.0", "+1", "1e1"])
@pytest.mark.parametrize("name", ["summon", "economy", "store", "rich_list", "collection", "battle"])
async def test_pages_days_pulls_and_tiers_are_read_as_strictly(table: Table, name: str, number: str) -> None:
    await table.endow(table.alice, gems=1_000)
    sentence = told(await table.said(table.alice, f"!{name} {number}"))
    assert " is not right: " in sentence
    assert "half" not in sentence
    assert (await table.profile(table.alice)).gems == 1_000
