"""What admins do over slash and text: each act by name, and each refusal."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import discord
import pytest
from simcord import SetupError

from kokoromichi.analysis.request_ids import RequestIds
from kokoromichi.core.errors import NoRoomError
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.settings import shipped_folder
from tests.bot.table import embed_of, told

if TYPE_CHECKING:
    from pathlib import Path

    from simcord.actors import MemberActor

    from tests.bot.table import Table

NO_AMOUNT = "The number must be whole and fit what it is for; {} does not."
OPTIONS: dict[str, dict[str, object]] = {
    "gold": {"user": "bob", "amount": 5},
    "item": {"user": "bob", "item": "ema_plaque", "quantity": 2},
    "price": {"item": "ema_plaque", "gold": 1_300},
    "stock": {"item": "lucky_charm", "units": 3},
    "freeze": {"user": "bob"},
    "unfreeze": {"user": "bob"},
    "clocks": {"user": "bob"},
}


@pytest.fixture
def boss(table: Table) -> MemberActor:
    """Who manages the server, which is named in ADMIN_GUILDS."""
    table.bot.settings = table.bot.settings.model_copy(update={"admin_guilds": (table.guild.id,)})
    role = table.guild.create_role("managers", permissions=discord.Permissions(manage_guild=True))
    return table.guild.add_member(table.env.create_user("boss"), roles=[role])


def named(table: Table, options: dict[str, object]) -> dict[str, object]:
    """The options with the player who is named in them."""
    return {key: table.bob if value == "bob" else value for key, value in options.items()}


async def asked(table: Table, admin: MemberActor, name: str, **options: object) -> str:
    """The body of what an act is answered with, for the admin alone."""
    result = await table.slash(admin, f"admin {name}", reason="a test", **named(table, options))
    assert result.ephemeral
    return told(embed_of(result))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("gold", "<@{bob}>: 5 gold, now 10,005."),
        ("item", "<@{bob}>: 2 × Ema Plaque, now 2."),
        ("price", "Ema Plaque costs 1,300 gold now; in the list it stands at 1,000."),
        ("stock", "Lucky Charm: 3 left now; the change is -247."),
        ("freeze", "<@{bob}> neither acts nor receives from now on."),
        ("unfreeze", "<@{bob}> plays on."),
        ("clocks", "<@{bob}> may claim, fight and send anew today."),
        ("audit", "sound: 7 laws hold over 3 rows"),
        ("reconcile", "Everything is as the ledger says."),
        (
            "health",
            (
                "memory. Players: 1, ledger rows: 3, commits on their way: 0.\n"
                "Last commit: <t:1773144002:R>. Mirror: none."
            ),
        ),
    ],
)
async def test_an_act_answers_and_is_in_the_ledger_with_its_actor(
    table: Table, boss: MemberActor, name: str, sentence: str
) -> None:
    await table.bot.services.executor.open_account(str(table.bob.id))
    assert await asked(table, boss, name, **OPTIONS.get(name, {})) == sentence.format(bob=table.bob.id)
    (newest,) = await table.bot.provider.read_ledger(limit=1)
    assert newest.actor == str(boss.id)
    assert str(newest.reason).endswith("a test")


async def test_an_audit_without_room_says_the_cure_and_not_that_the_storage_is_away(
    table: Table, boss: MemberActor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_ids: RequestIds, _rows: object) -> None:
        raise NoRoomError("make room in the temporary folder")

    monkeypatch.setattr(RequestIds, "add", full)
    await table.bot.services.executor.open_account(str(table.bob.id))
    assert await asked(table, boss, "audit") == "make room in the temporary folder"


async def test_text_takes_the_rest_as_the_reason(table: Table, boss: MemberActor) -> None:
    await table.bot.services.executor.open_account(str(table.bob.id))
    embed = await table.said(boss, f"!admin gold <@{table.bob.id}> -500 two accounts, one player")
    assert embed.title == "Taken away"
    assert told(embed) == f"<@{table.bob.id}>: -500 gold, now 9,500."
    (row,) = await table.bot.provider.read_ledger(kind="grant")
    assert row.reason == "two accounts, one player"
    assert "reason is missing" in told(await table.said(boss, f"!admin gold <@{table.bob.id}> 5"))


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("gold", {"user": "bob", "amount": -10_001}, "They have 10,000 gold; 10,001 cannot be taken away."),
        (
            "gold",
            {"user": "bob", "amount": 0},
            NO_AMOUNT.format(0),
        ),
        ("item", {"user": "bob", "item": "ema_plaque", "quantity": 6}, "They may own 5 at most, and own 0."),
        ("item", {"user": "bob", "item": "ema_plaque", "quantity": -1}, "They hold 0 of Ema Plaque."),
        ("stock", {"item": "lucky_charm", "units": -3}, NO_AMOUNT.format(-3)),
        ("item", {"user": "bob", "item": "no such thing", "quantity": 1}, "There is no item no such thing."),
        ("stock", {"item": "ema_plaque", "units": 3}, "Ema Plaque is sold without a limit: it has no stock."),
        (
            "price",
            {"item": "ema_plaque", "gold": -3},
            NO_AMOUNT.format(-3),
        ),
    ],
)
async def test_an_act_is_refused_in_words(
    table: Table, boss: MemberActor, name: str, options: dict[str, object], sentence: str
) -> None:
    await table.bot.services.executor.open_account(str(table.bob.id))
    assert await asked(table, boss, name, **options) == sentence


async def test_a_price_that_breaks_a_law_is_refused_with_the_finding(table: Table, boss: MemberActor) -> None:
    sentence = await asked(table, boss, "price", item="wooden_chest", gold=300)
    assert sentence.startswith("This price breaks a law of the economy:")
    assert "wooden" in sentence


async def test_nobody_is_found_who_has_no_account(table: Table, boss: MemberActor) -> None:
    sentence = f"Player <@{table.bob.id}> has no account yet: their first command opens one."
    for name in ("gold", "item", "freeze", "unfreeze"):
        assert await asked(table, boss, name, **OPTIONS.get(name, {})) == sentence


async def test_a_price_is_shown_and_charged_until_the_reload(table: Table, boss: MemberActor) -> None:
    await asked(table, boss, "price", item="ema_plaque", gold=1_300)
    assert (await table.asked(table.alice, "buy", item="ema_plaque")).description == (
        "Buy 1 × Ema Plaque for 1,300 gold in all?\nA unit costs 1,300 gold now; its list price is 1,000."
    )
    sentence = await asked(table, boss, "reload")
    assert sentence.startswith("Economy `")
    assert (await table.asked(table.bob, "buy", item="ema_plaque")).description == (
        "1 × Ema Plaque for 1,000 gold. You hold 1.\nBalance: 9,000 gold."
    )
    await asked(table, boss, "price", item="ema_plaque", gold=1_300)
    assert "costs 1,000 gold now" in await asked(table, boss, "price", item="ema_plaque", gold=0)


async def test_a_broken_file_changes_nothing_and_says_what_is_wrong(
    table: Table, boss: MemberActor, tmp_path: Path
) -> None:
    for name in ("store_catalog.json", "waifus.json", "economy.toml"):
        shutil.copy(shipped_folder("data") / name, tmp_path)
    text = (tmp_path / "economy.toml").read_text("utf-8")
    (tmp_path / "economy.toml").write_text(text.replace("percent = 40", "percent = 99"), "utf-8")
    table.bot.settings = table.bot.settings.model_copy(update={"economy_dir": tmp_path})
    before = table.bot.services.executor.live
    sentence = await asked(table, boss, "reload")
    assert sentence.startswith("Nothing was changed: the files hold no sound economy.")
    assert "resale.percent = 99" in sentence.replace("\\", "")
    assert table.bot.services.executor.live is before


async def test_a_frozen_player_is_told(table: Table, boss: MemberActor) -> None:
    await table.bot.services.executor.open_account(str(table.bob.id))
    await asked(table, boss, "freeze", user="bob")
    sentence = f"The account of <@{table.bob.id}> is frozen; an admin can tell why."
    assert await table.refusal(table.bob, "daily") == sentence
    assert await table.refusal(table.alice, "transfer", user=table.bob, amount="100") == sentence


@pytest.mark.parametrize("name", ["reset", "erase"])
async def test_what_cannot_be_undone_is_asked_once_more_and_done_once(
    table: Table, boss: MemberActor, name: str
) -> None:
    await table.endow(table.bob, gold=77)
    result = await table.slash(boss, f"admin {name}", user=table.bob, reason="they asked")
    assert result.ephemeral
    assert f"<@{table.bob.id}>" in told(embed_of(result))
    message = result.response
    assert message is not None
    assert (await table.profile(table.bob)).gold == 77
    await boss.click(message, label="Confirm")
    found = await table.bot.provider.profile(str(table.bob.id))
    assert (found is None) if name == "erase" else (found is not None and found.gold == 10_000)
    acts = await table.bot.provider.read_ledger(kind="admin_act")
    assert len(acts) == 1
    await table.bot.services.executor.open_account(str(table.bob.id))
    before = await table.bot.provider.read_ledger()
    with pytest.raises(SetupError):  # The buttons are gone.
        await boss.click(message, label="Confirm")
    assert await table.bot.provider.read_ledger() == before


async def test_nothing_is_asked_of_a_player_without_an_account(table: Table, boss: MemberActor) -> None:
    assert (
        await asked(table, boss, "reset", user="bob")
        == f"Player <@{table.bob.id}> has no account yet: their first command opens one."
    )


async def test_a_question_that_is_cancelled_or_too_old_does_nothing(table: Table, boss: MemberActor) -> None:
    await table.endow(table.bob, gold=77)
    result = await table.slash(boss, "admin reset", user=table.bob, reason="they asked")
    assert result.response is not None
    await boss.click(result.response, label="Cancel")
    await table.slash(boss, "admin reset", user=table.bob, reason="they asked")
    await table.env.advance_time(61)
    assert (await table.profile(table.bob)).gold == 77
    assert await table.bot.provider.read_ledger(kind="admin_act") == []


async def test_differences_are_shown_and_booked(table: Table, boss: MemberActor) -> None:
    await table.bot.services.executor.open_account(str(table.bob.id))
    (await table.profile(table.bob)).gold += 3  # As an external edit would.
    sentence = await asked(table, boss, "reconcile")
    assert sentence == f"<@{table.bob.id}> · gold: the ledger says 10,000, stored is 10,003"
    result = await table.slash(boss, "admin reconcile", book="yes", reason="the crash")
    assert embed_of(result).title == "Differences, now booked as corrections"
    assert await asked(table, boss, "reconcile") == "Everything is as the ledger says."
    (row,) = await table.bot.provider.read_ledger(kind="correction")
    assert (row.amount, row.actor, row.reason) == (3, str(boss.id), "reconcile: the crash")


async def test_the_ledger_leaves_as_a_file(table: Table, boss: MemberActor) -> None:
    await table.bot.services.executor.open_account(str(table.bob.id))
    result = await table.slash(boss, "admin export", reason="for the designer")
    assert result.ephemeral
    assert result.response is not None
    (file,) = result.response.attachments
    assert file.filename == "ledger.jsonl"
    assert file.size > 500


async def test_the_group_by_itself_says_where_to_look(table: Table, boss: MemberActor) -> None:
    assert "`/help` lists what an admin may do" in told(await table.said(boss, "!admin"))


async def test_only_the_owner_tells_discord_the_commands(table: Table, boss: MemberActor) -> None:
    assert told(await table.said(boss, "!sync")) == "You may not do that here: it needs the owner of the bot."
    table.bot.owner_id = boss.id
    assert told(await table.said(boss, "!sync")).startswith("Discord knows ")
    assert told(await table.said(boss, "!sync here")).startswith("Discord knows ")
    tree, here = table.bot.tree, discord.Object(table.guild.id)
    assert len(await tree.fetch_commands(guild=here)) == len(await tree.fetch_commands())
    await table.said(boss, "!sync")
    assert await tree.fetch_commands(guild=here) == []  # Or each would be offered twice here.


async def test_an_admin_who_erases_himself_leaves_no_trace(table: Table, boss: MemberActor) -> None:
    await table.endow(boss)
    await table.asked(boss, "daily")
    question = await table.slash(boss, "admin erase", user=boss, reason="I leave")
    assert question.response is not None
    await boss.click(question.response, label="Confirm")
    store = table.bot.provider
    assert isinstance(store, MemoryProvider)
    assert [row["act"] for row in store.observations("activity")] == ["claim"]  # Nor was it play.
    assert str(boss.id) not in repr([await store.read_ledger(), store.observations("activity")])


async def test_a_reason_of_spaces_is_none(table: Table, boss: MemberActor) -> None:
    await table.endow(table.bob)
    for name, options in (("gold", {"user": table.bob, "amount": 5}), ("audit", {}), ("reconcile", {})):
        sentence = await table.refusal(boss, f"admin {name}", reason="  ", **options)
        assert sentence.startswith("reason is missing. `/admin"), name


async def test_an_admin_takes_a_retired_item_away_from_who_holds_it(table: Table, boss: MemberActor) -> None:
    await table.endow(table.bob, inventory={"paper_crane": 5})
    told_boss = await asked(table, boss, "item", user="bob", item="paper_crane", quantity=-3)
    assert told_boss == f"<@{table.bob.id}>: -3 × paper\\_crane, now 2."
    assert (await table.profile(table.bob)).inventory == {"paper_crane": 2}
    unknown = await asked(table, boss, "item", user=table.alice, item="paper_crane", quantity=-3)
    assert unknown == "There is no item paper\\_crane."


async def test_a_ledger_too_large_to_attach_is_not_read_for_it(
    table: Table, boss: MemberActor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def many() -> int:
        return 40_001

    monkeypatch.setattr(table.bot.provider, "ledger_rows", many)
    monkeypatch.setattr(table.bot.provider, "ledger_frames", None)
    sentence = told(embed_of(await table.slash(boss, "admin export", reason="for the designer")))
    assert sentence == "The ledger is too large to attach: use `kokoromichi ledger export`."
