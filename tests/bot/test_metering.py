"""What the bot counts for Prometheus, and what it tells its owner in a channel of their own."""

from __future__ import annotations

import asyncio
import logging
import socket
import urllib.request
from typing import TYPE_CHECKING, Final

import discord
import pytest

from kokoromichi.bot import KokoroBot, create_bot
from kokoromichi.chat.metering import Metering
from kokoromichi.chat.reporting import Reporting
from kokoromichi.core.errors import MisuseError
from kokoromichi.operation.telemetry import Telemetry, measure_money
from kokoromichi.settings import Settings
from tests.bot.table import embed_of, told
from tests.bot.test_failures import Brittle
from tests.servers.mongo import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.core.clock import ManualClock
    from tests.bot.table import Table

MOST: Final = 500


@pytest.fixture
def simcord_bot(clock: ManualClock, tmp_path: Path) -> KokoroBot:
    """A bot whose metrics are on a port and in a file, and whose admins' acts are limited."""
    settings = Settings(
        _env_file=None,
        shard_count=1,
        metrics_port=free_port(),
        metrics_file=tmp_path / "koko.prom",
        admin_most_gold=MOST,
        admin_most_units=2,
    )
    return create_bot(settings, provider=Brittle(clock), clock=clock)


def metering(table: Table) -> Metering:
    cog = table.bot.get_cog("Metering")
    assert isinstance(cog, Metering)
    return cog


def asked(table: Table) -> str:
    """What Prometheus is told."""
    url = f"http://127.0.0.1:{table.bot.settings.metrics_port}/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read(), "utf-8")


async def test_commands_acts_and_commits_are_counted_by_what_became_of_them(table: Table) -> None:
    await table.slash(table.alice, "buy", item="health_potion", quantity=2)
    await table.slash(table.alice, "buy", item="health_potion", quantity=10**9)
    store = table.bot.provider
    assert isinstance(store, Brittle)
    store.outcomes = ["down"]
    await table.slash(table.alice, "buy", item="health_potion", quantity=1)
    await table.slash(table.bob, "balance")
    await metering(table).look()
    text = await asyncio.to_thread(asked, table)
    for line in (
        'kokoromichi_commands_total{command="buy",outcome="done"} 1.0',
        'kokoromichi_commands_total{command="buy",outcome="refused"} 1.0',
        'kokoromichi_commands_total{command="buy",outcome="storage"} 1.0',
        'kokoromichi_command_seconds_count{command="buy"} 3.0',
        'kokoromichi_acts_total{act="purchase",outcome="done"} 1.0',
        'kokoromichi_refusals_total{reason="too_poor"} 1.0',
        'kokoromichi_storage_failures_total{outcome="storage"} 1.0',
        "kokoromichi_commits_total 2.0",
        "kokoromichi_commit_seconds_count 2.0",
        "kokoromichi_storage_up 1.0",
        "kokoromichi_gateway_shards 1.0",
    ):
        assert f"{line}\n" in text, text
    looked_s = float(text.rpartition("kokoromichi_look_timestamp_seconds ")[2].split()[0])
    assert looked_s == table.bot.services.now_us() / 1e6
    path = table.bot.settings.metrics_file
    assert path is not None
    assert path.read_text("utf-8") == text


async def test_a_storage_that_takes_no_writes_is_down(table: Table) -> None:
    for why, up in ((None, 1.0), ("the disk is full", 0.0), (None, 1.0)):
        table.bot.storage.no_writes = why
        await metering(table).look()
        assert f"kokoromichi_storage_up {up}\n" in await asyncio.to_thread(asked, table)


async def test_the_economy_is_what_the_ledger_says_and_what_it_does_not_explain(table: Table) -> None:
    await table.slash(table.alice, "buy", item="health_potion", quantity=2)
    await metering(table).money()
    text = await asyncio.to_thread(asked, table)
    for line in (
        'kokoromichi_supply{currency="gold"} 9800.0',
        'kokoromichi_faucets_today{currency="gold"} 10000.0',
        'kokoromichi_sinks_today{currency="gold"} 200.0',
        "kokoromichi_residual_gold 0.0",
        "kokoromichi_players 1.0",
    ):
        assert f"{line}\n" in text, text
    assert "kokoromichi_economy_timestamp_seconds" in text
    stored = await table.bot.provider.profile(str(table.alice.id))
    assert stored is not None
    stored.gold += 7  # As a broken store would.
    async with table.bot.provider.snapshot() as reader:
        assert (await measure_money(reader, table.bot.services.now_us())).residual == 7


async def test_no_series_names_a_player_a_server_or_an_item(table: Table) -> None:
    await table.slash(table.alice, "buy", item="health_potion", quantity=2)
    text = await asyncio.to_thread(asked, table)
    for name in (str(table.alice.id), str(table.guild.id), "alice", "potion"):
        assert name not in text


def test_a_port_that_is_taken_ends_the_start_with_a_sentence() -> None:
    port = free_port()
    end = Telemetry().serve(port)
    try:
        with pytest.raises(MisuseError, match=f"METRICS_PORT {port} of METRICS_HOST 127.0.0.1 cannot be had"):
            Telemetry().serve(port)
    finally:
        end()


def test_an_address_may_be_a_name_and_a_wrong_one_is_said() -> None:
    settings = Settings(_env_file=None, metrics_host="localhost")
    end = Telemetry().serve(port := free_port(), settings.metrics_host)
    try:
        with urllib.request.urlopen(f"http://localhost:{port}/metrics", timeout=10) as answer:
            assert b"kokoromichi_storage_up" in answer.read()
    finally:
        end()
    with pytest.raises(MisuseError, match="METRICS_HOST no-such-name cannot be had"):
        Telemetry().serve(port, "no-such-name")


def test_the_port_is_of_the_address_that_is_set_and_of_no_other() -> None:
    end = Telemetry().serve(port := free_port(), "127.0.0.2")
    try:
        with urllib.request.urlopen(f"http://127.0.0.2:{port}/metrics", timeout=10) as answer:
            assert b"kokoromichi_storage_up" in answer.read()
        with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 10):
            pass
    finally:
        end()


async def test_one_act_of_an_admin_gives_no_more_than_the_operator_lets_it(table: Table) -> None:
    table.bot.settings = table.bot.settings.model_copy(update={"admin_guilds": (table.guild.id,)})
    role = table.guild.create_role("managers", permissions=discord.Permissions(manage_guild=True))
    boss = table.guild.add_member(table.env.create_user("boss"), roles=[role])
    await table.slash(table.bob, "daily")
    before_gold = (await table.profile(table.bob)).gold
    for options in ({"amount": MOST + 1}, {"amount": -MOST - 1}):
        result = await table.slash(boss, "admin gold", user=table.bob, reason="why", **options)
        assert told(embed_of(result)).startswith("One act may give or take 500 gold at most")
    result = await table.slash(
        boss, "admin item", user=table.bob, item="ema_plaque", quantity=3, reason="why"
    )
    assert "at most" in told(embed_of(result))
    stored = await table.profile(table.bob)
    assert (stored.gold, stored.inventory) == (before_gold, {})
    await table.slash(boss, "admin gold", user=table.bob, amount=MOST, reason="why")
    assert (await table.profile(table.bob)).gold == before_gold + MOST


async def test_the_owner_reads_of_admins_acts_and_of_incidents_in_a_channel_of_their_own(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = table.guild.create_text_channel("office")
    telemetry = table.bot._telemetry  # noqa: SLF001 - the bot's own
    reporting = Reporting(table.bot, telemetry, office.id, pause_s=0.05)
    await table.bot.add_cog(reporting)
    table.bot.settings = table.bot.settings.model_copy(update={"admin_guilds": (table.guild.id,)})
    role = table.guild.create_role("managers", permissions=discord.Permissions(manage_guild=True))
    boss = table.guild.add_member(table.env.create_user("boss"), roles=[role])
    await table.slash(table.bob, "daily")
    await table.slash(boss, "admin gold", user=table.bob, amount=MOST, reason="lost [in](http://x) a crash")
    monkeypatch.setattr(logging.getLogger("kokoromichi"), "propagate", False)  # Else the fixture minds it.
    logging.getLogger("kokoromichi.core").error("the disk is full")
    for _ in range(100):
        await asyncio.sleep(0.02)
        said = "\n".join(message.content for message in office.history())
        if "disk" in said:
            break
    assert f"<@{boss.id}> · <@{table.bob.id}> 500 gold: lost " in said
    assert "[in](http" not in said
    assert "⚠ the disk is full" in said
    await table.bot.remove_cog("Reporting")
