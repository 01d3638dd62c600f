"""What is large for its player is asked first: once, of its player alone, and for a minute."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from simcord import SetupError

from kokoromichi.services.authority import Actor, Role
from kokoromichi.settings import shipped_folder
from tests.bot.table import embed_of, told

if TYPE_CHECKING:
    from pathlib import Path

    from simcord.results import ResponseMessage

    from tests.bot.table import Table

MOST = "That is most of what you have."
CHANGED = "Prices or other numbers have changed since you were asked. Nothing happened; ask again."


async def question(table: Table, name: str, **options: object) -> ResponseMessage:
    """What a command asks before it does anything."""
    asked = await table.slash(table.alice, name, **options)
    assert asked.response is not None
    assert [button.label for button in table.buttons()] == ["Confirm", "Cancel"]
    return asked.response


@pytest.mark.parametrize(
    ("name", "options", "asked", "left_gold"),
    [
        ("transfer", {"amount": "all"}, "Send 10,000 gold to {bob}? " + MOST, 0),
        ("transfer", {"amount": 5_001}, "Send 5,001 gold to {bob}? " + MOST, 4_999),
        (
            "buy",
            {"item": "health_potion", "quantity": 51},
            "Buy 51 × Health Potion for 5,100 gold in all?",
            4_900,
        ),
        ("exchange", {"packs": 2}, "Buy 200 gems for 8,000 gold? " + MOST, 2_000),
        ("invest", {"business": "cafe"}, "Open Cafe for 10,000 gold? " + MOST, 0),
    ],
)
async def test_more_than_half_of_a_purse_is_asked_for_and_done_at_the_click_once(
    table: Table, name: str, options: dict[str, object], asked: str, left_gold: int
) -> None:
    await table.endow(table.bob)
    await table.endow(table.alice)
    if name == "transfer":
        options = {"user": table.bob, **options}
    message = await question(table, name, **options)
    assert table.last_told() == asked.format(bob=table.bob.mention)
    other = await table.bob.click(message, label="Confirm")
    assert told(embed_of(other)) == "That question was not asked of you."
    assert (await table.profile(table.alice)).gold == 10_000
    await table.alice.click(message, label="Confirm")
    assert (await table.profile(table.alice)).gold == left_gold
    with pytest.raises(SetupError):  # The buttons are gone.
        await table.alice.click(message, label="Confirm")
    assert (await table.profile(table.alice)).gold == left_gold


async def test_a_dear_training_and_ten_pulls_are_asked_for(table: Table) -> None:
    await table.endow(table.alice, gold=2_100, level=200, gems=500)
    message = await question(table, "train")
    assert table.last_told() == "Train for 2,090 gold? " + MOST
    await table.alice.click(message, label="Confirm")
    assert (await table.profile(table.alice)).gold == 10
    message = await question(table, "summon", count="10")
    assert table.last_told() == "Make 10 pulls for 450 gems? " + MOST
    await table.alice.click(message, label="Confirm")
    assert (await table.profile(table.alice)).gems == 50
    assert "50 gems paid" in told(await table.asked(table.alice, "summon"))


@pytest.mark.parametrize(("gold", "amount"), [(10_000, "5000"), (10_000, "half"), (1_000, "all")])
async def test_half_of_a_purse_or_a_little_is_not_asked_for(table: Table, gold: int, amount: str) -> None:
    await table.endow(table.bob)
    await table.endow(table.alice, gold=gold)
    embed = await table.asked(table.alice, "transfer", user=table.bob, amount=amount)
    assert "left your purse" in told(embed)


async def test_a_question_that_nobody_answers_is_over_after_a_minute(table: Table) -> None:
    await table.endow(table.bob)
    message = await question(table, "transfer", user=table.bob, amount="all")
    await table.env.advance_time(61)
    assert all(button.disabled for button in table.buttons())
    with pytest.raises(SetupError):
        await table.alice.click(message, label="Confirm")
    assert (await table.profile(table.bob)).gold == 10_000


async def test_what_stood_in_the_question_is_sent_whatever_came_in_since(table: Table) -> None:
    await table.endow(table.bob)
    message = await question(table, "transfer", user=table.bob, amount="all")
    await table.asked(table.alice, "daily")
    await table.alice.click(message, label="Confirm")
    assert (await table.profile(table.alice)).gold == 1_000


async def test_another_price_of_a_business_than_the_one_that_was_read_is_asked_for(
    table: Table, tmp_path: Path
) -> None:
    await table.endow(table.alice, gold=100_000)
    await table.asked(table.alice, "businesses")
    await reload(table, tmp_path, "[business.cafe]", "price_gold = 10000", "price_gold = 12000")
    message = await question(table, "invest", business="cafe")
    assert table.last_told() == "Open Cafe for 12,000 gold? It cost 10,000 when you saw it last."
    await table.alice.click(message, label="Confirm")
    assert (await table.profile(table.alice)).gold == 88_000


async def test_another_price_of_gems_than_the_one_that_was_read_is_asked_for(
    table: Table, tmp_path: Path
) -> None:
    await table.endow(table.alice, gold=100_000)
    await table.asked(table.alice, "exchange")
    await reload(table, tmp_path, "[exchange]", "price_gold = 4000", "price_gold = 4500")
    message = await question(table, "exchange")
    changed = "A pack costs 4,500 gold now, and cost 4,000 when you saw it last."
    assert table.last_told() == f"Buy 100 gems for 4,500 gold? {changed}"
    await table.alice.click(message, label="Confirm")
    assert (await table.profile(table.alice)).gold == 91_500


async def reload(table: Table, tmp_path: Path, section: str, line: str, changed: str) -> None:
    """Put an economy into force that differs from the shipped one in a line of a section."""
    folder = tmp_path / "economy"
    shutil.copytree(shipped_folder("data"), folder)
    text = (folder / "economy.toml").read_text(encoding="utf-8")
    head, found, rest = text.partition(section)
    assert line in rest
    text = f"{head}{found}{rest.replace(line, changed, 1)}"
    (folder / "economy.toml").write_text(text, encoding="utf-8")
    boss = Actor("boss", Role.OWNER)
    await table.bot.services.admin.reload(folder, actor=boss, reason="a test", request_id="r-1")


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("transfer", {"user": "alice", "amount": "all"}, "You cannot send to yourself."),
        ("transfer", {"user": "bob", "amount": 10_001}, "Need 10,001 gold, have 10,000."),
        ("buy", {"item": "phoenix_feather"}, "Need 40,000 gold, have 10,000."),
        ("buy", {"item": "lucky_charm", "quantity": 4}, "Limit 3, you own 0."),
        ("exchange", {"packs": 3}, "Need 12,000 gold, have 10,000."),
        ("invest", {"business": "guild_hall"}, "Need 100,000 gold, have 10,000."),
    ],
)
async def test_what_would_be_refused_is_not_asked_for(
    table: Table, name: str, options: dict[str, object], sentence: str
) -> None:
    await table.endow(table.bob)
    players = {"alice": table.alice, "bob": table.bob}
    named = {key: players.get(str(value), value) for key, value in options.items()}
    assert await table.refusal(table.alice, name, **named) == sentence


@pytest.mark.parametrize(
    ("name", "options", "line"),
    [
        ("invest", {"business": "cafe"}, ("[business.cafe]", "price_gold = 10000", "price_gold = 9000")),
        ("redeem", {"character": "echo"}, ("[redeem.shards]", "N = 10\n", "N = 12\n")),
        ("exchange", {"packs": 2}, ("[exchange]", "gems = 100 ", "gems = 10 ")),
        ("transfer", {"amount": "all"}, ("[transfer]", "fee_percent = 5 ", "fee_percent = 50 ")),
    ],
)
async def test_nothing_is_done_by_other_numbers_than_those_that_were_asked_by(
    table: Table, tmp_path: Path, name: str, options: dict[str, object], line: tuple[str, str, str]
) -> None:
    await table.endow(table.bob)
    await table.endow(table.alice, shards=15)
    before = await table.profile(table.alice)
    message = await question(table, name, **({"user": table.bob} if name == "transfer" else {}), **options)
    await reload(table, tmp_path, *line)
    await table.alice.click(message, label="Confirm")
    assert table.last_told() == CHANGED
    assert await table.profile(table.alice) == before
