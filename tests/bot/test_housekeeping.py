"""What the bot does unasked, and what it answers while its database is away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from simcord import Env

from kokoromichi.bot import KokoroBot, create_bot
from kokoromichi.chat.loops import BEAT_S, RETRY_S
from kokoromichi.core.counters import stock_counter
from kokoromichi.core.errors import StorageError
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.providers.remote import RemoteProvider
from kokoromichi.rules.economy import load_economy
from kokoromichi.services.authority import Actor, Role
from kokoromichi.services.bundle import Services
from kokoromichi.services.overrides import FOLLOWED_S, SECTION
from kokoromichi.settings import Settings
from tests.bot.table import Table, embed_of

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.core.clock import ManualClock
    from kokoromichi.core.models import Receipt, UserProfile

WEEK_S = 7 * 86_400


class Mirror(MemoryProvider):
    """Stands for the folder of a mirror, whose tasks the simulated Discord would wait for."""

    async def mark_mirror(self, of: str, as_of_us: int = 0) -> None:
        self.mirror_of, self.mirrored_us = of, as_of_us


class Remote(RemoteProvider, MemoryProvider):
    """Stands for a database that can be away: while it is, nothing is read or written."""

    def __init__(self, clock: ManualClock) -> None:
        MemoryProvider.__init__(self, clock)
        RemoteProvider.__init__(self, Mirror(clock), clock)
        self.away = False
        self.asked_in_vain = 0

    async def balances(self) -> list[tuple[str, int]]:
        self._check()
        return await super().balances()

    async def profile(self, user_id: str) -> UserProfile | None:
        self._check()
        return await super().profile(user_id)

    async def counters(self) -> dict[str, int]:
        self._check()
        return await super().counters()

    async def get_response(self, request_id: str, digest: str) -> Receipt | None:
        self._check()
        return await super().get_response(request_id, digest)

    def _check(self) -> None:
        if self.away:
            self.asked_in_vain += 1
            message = "the database does not answer"
            raise StorageError(message)


@pytest.fixture
def remote(clock: ManualClock) -> Remote:
    return Remote(clock)


@pytest.fixture
def simcord_bot(remote: Remote, clock: ManualClock, tmp_path: Path) -> KokoroBot:
    settings = Settings(_env_file=None, shard_count=1, mirror_dir=tmp_path / "mirror")
    return create_bot(settings, provider=remote, clock=clock)


async def test_reading_answers_from_the_mirror_with_its_age_and_money_says_that_nothing_was_charged(
    table: Table, remote: Remote
) -> None:
    await table.alice.slash(table.channel, "buy", item="health_potion", quantity="2")
    await remote.sync_remote_to_local()
    remote.away = True
    as_of = f"-# Storage is unavailable; this is how things stood <t:{table.clock.us // 1_000_000}:R>."
    for name in ("balance", "profile", "inventory", "store"):
        embed = embed_of(await table.alice.slash(table.channel, name))
        assert (embed.description or "").startswith(as_of), name
    stranger = await table.bob.slash(table.channel, "balance")
    assert (
        embed_of(stranger).description
        == f"Player {table.bob.mention} has no account yet: their first command opens one."
    )
    refused = await table.alice.slash(table.channel, "buy", item="health_potion")
    assert "Nothing was charged" in (embed_of(refused).description or "")
    remote.away = False
    await table.env.advance_time(RETRY_S)
    embed = embed_of(await table.alice.slash(table.channel, "balance"))
    assert "Storage is unavailable" not in (embed.description or "")
    assert (await table.profile(table.alice)).gold == 9_800


@pytest.mark.parametrize("name", ["balance", "rich_list"])
async def test_a_command_waits_for_an_absent_database_once(table: Table, remote: Remote, name: str) -> None:
    """A real one lets each call wait for ten seconds, and a balance reads twice."""
    await table.alice.slash(table.channel, "buy", item="health_potion")
    await remote.sync_remote_to_local()
    remote.away = True
    embed = embed_of(await table.alice.slash(table.channel, name))
    assert "this is how things stood" in (embed.description or "")
    assert remote.asked_in_vain == 1


async def test_known_to_be_away_the_database_is_not_asked_and_the_log_says_so_once(
    table: Table, remote: Remote, caplog: pytest.LogCaptureFixture
) -> None:
    """A real one lets each call wait for ten seconds."""
    await table.endow(table.alice)
    remote.away = True
    await table.alice.slash(table.channel, "buy", item="health_potion")
    await table.env.advance_time(RETRY_S)
    asked = remote.asked_in_vain
    for _ in range(2):
        refused = await table.alice.slash(table.channel, "buy", item="health_potion")
        assert "Nothing was charged" in (embed_of(refused).description or "")
    assert remote.asked_in_vain == asked
    for line in ("sell health_potion", f"gift {table.bob.mention} health_potion", "sell no_such_thing"):
        assert "Nothing was charged" in ((await table.said(table.alice, f"!{line}")).description or "")
    assert remote.asked_in_vain == asked
    remote.away = False
    await table.env.advance_time(RETRY_S)
    bought = await table.alice.slash(table.channel, "buy", item="health_potion")
    assert embed_of(bought).title == "Bought"
    met = "commands that met it since the last word"
    assert [(one.levelname, one.getMessage()) for one in caplog.records if one.name.endswith("outage")] == [
        ("ERROR", f"the storage fails: the database does not answer; {met}: 1"),
        ("WARNING", f"the storage is well again after 6 s; {met}: 5"),
    ]


async def test_a_database_that_is_only_read_answers_what_reads(
    table: Table, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    await table.endow(table.alice)

    async def read_only() -> None:
        message = "the database is read-only"
        raise StorageError(message)

    monkeypatch.setattr(remote, "probe", read_only)
    await table.env.advance_time(BEAT_S)
    assert "read-only" in str(table.bot.storage.no_writes)
    refused = await table.alice.slash(table.channel, "buy", item="health_potion")
    assert "Nothing was charged" in (embed_of(refused).description or "")
    embed = embed_of(await table.alice.slash(table.channel, "balance"))
    assert "Storage is unavailable" not in (embed.description or "")


async def test_a_share_of_the_purse_is_never_taken_from_the_mirror(
    table: Table, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    await table.endow(table.alice)
    await table.endow(table.bob)
    await remote.sync_remote_to_local()
    await table.endow(table.alice, gold=20_000)
    back = iter([True])  # The database is away for one reading alone.
    monkeypatch.setattr(remote, "_check", lambda: _away() if next(back, False) else None)
    answer = embed_of(await table.alice.slash(table.channel, "transfer", user=table.bob, amount="all"))
    monkeypatch.undo()
    assert answer.description == "Storage is unavailable. Nothing was charged; try again in a moment."
    assert (await table.profile(table.alice)).gold == 20_000


def _away() -> None:
    message = "the database does not answer"
    raise StorageError(message)


async def test_shelves_are_filled_up_when_their_time_has_come(table: Table, remote: Remote) -> None:
    counter = stock_counter("treasure_chest")
    full = (await remote.counters())[counter]
    await table.alice.slash(table.channel, "buy", item="treasure_chest")
    assert (await remote.counters())[counter] == full - 1
    table.clock.advance(WEEK_S)
    await table.env.advance_time(600)
    assert (await remote.counters())[counter] == full


async def test_the_key_of_those_who_were_erased_is_forgotten_when_their_day_has_passed(
    table: Table, remote: Remote
) -> None:
    await remote.save_game_data("erased_days", {"day": 0, "key": "0" * 64, "players": {}})
    await table.env.advance_time(600)
    assert await remote.get_game_data("erased_days") == {}


async def test_prices_that_another_process_sets_are_followed(
    table: Table, remote: Remote, caplog: pytest.LogCaptureFixture
) -> None:
    other = Services(remote, load_economy(table.bot.settings.economy_dir), table.clock)
    await other.start()
    await remote.save_game_data(SECTION, {"surprise": 1})
    await table.env.advance_time(FOLLOWED_S)
    await table.env.advance_time(5 * FOLLOWED_S)
    assert caplog.text.count("an admin's prices stay as they are") == 1
    await remote.save_game_data(SECTION, {"economy_hash": other.executor.live.economy.hash})
    await other.admin.set_price("health_potion", 120, actor=Actor("1", Role.OWNER), reason="a test")
    await table.env.advance_time(FOLLOWED_S)
    bought = await table.alice.slash(table.channel, "buy", item="health_potion")
    assert "for 120 gold" in (embed_of(bought).description or "")


async def test_a_start_with_a_clock_behind_the_ledger_is_logged_as_an_error(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    provider = MemoryProvider(clock)
    clock.advance(WEEK_S)
    await provider.save_user("1", {"gold": 5})
    clock.advance(-WEEK_S)
    env = Env(create_bot(Settings(_env_file=None, shard_count=1), provider=provider, clock=clock))
    await env.start()
    await env.shutdown()
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.getMessage().startswith("the newest ledger row is of 2026-03-17 12:00:00 UTC")
