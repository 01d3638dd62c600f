"""A start that cannot be is one sentence, exit code 2 and no traceback; no log holds a secret."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import discord as discord_py
import pytest

from kokoromichi.chat.console.api import EVERYWHERE
from kokoromichi.chat.console.payloads import BOT_ID
from kokoromichi.chat.gateway import discord_errors
from kokoromichi.core.copying.marking import mark_moving
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.providers.local_json import LocalJSONProvider
from tests.bot.bot_process import ROOT, BotProcess, How
from tests.bot.standin import OWNER, TOKEN, StandIn, User
from tests.servers.postgres import PASSWORD, PostgresServer

if TYPE_CHECKING:
    from pathlib import Path

SECRETS = (TOKEN, PASSWORD)
NOWHERE = f"postgresql://kokoro:{PASSWORD}@127.0.0.1:1/postgres"


async def ended(folder: Path, expected: int, discord: StandIn | None = None, **settings: str) -> str:
    """What the bot says when it does not start."""
    async with discord or StandIn() as standin:
        bot = BotProcess(standin, folder, **{"LOG_LEVEL": "WARNING", **settings})
        await bot.launch()
        assert await bot.end() == expected, bot.said()
    said = bot.said()
    assert "Traceback" not in said
    assert not any(secret in said for secret in SECRETS)
    assert len(said.splitlines()) == 1, said
    assert said.startswith("Error: ")
    return said


async def test_no_token(tmp_path: Path) -> None:
    assert "DISCORD_TOKEN is not set" in await ended(tmp_path, 2, DISCORD_TOKEN="")


async def test_a_token_that_discord_refuses(tmp_path: Path) -> None:
    assert "DISCORD_TOKEN was refused" in await ended(tmp_path, 2, DISCORD_TOKEN="another.token")  # noqa: S106 - of nobody


async def test_words_of_messages_that_the_portal_does_not_give(tmp_path: Path) -> None:
    said = await ended(tmp_path, 2, StandIn(message_content=False))
    assert "TEXT_COMMANDS=false" in said


async def test_an_unknown_provider(tmp_path: Path) -> None:
    said = await ended(tmp_path, 2, PROVIDER="oracle")
    assert "PROVIDER is 'oracle'; there are: local, memory, mongo, postgres" in said


async def test_an_economy_per_server(tmp_path: Path) -> None:
    assert "SAAS_MODE" in await ended(tmp_path, 2, SAAS_MODE="true")


async def test_a_setting_that_cannot_be(tmp_path: Path) -> None:
    said = await ended(tmp_path, 2, DATABASE_POOL_MIN="few", TEXT_COMMANDS="maybe")
    assert "DATABASE_POOL_MIN is 'few': input should be a valid integer" in said
    assert "; TEXT_COMMANDS is 'maybe': input should be a valid boolean" in said


async def test_a_log_level_that_there_is_not(tmp_path: Path) -> None:
    assert "Error: LOG_LEVEL is 'loud'; there are: CRITICAL" in await ended(tmp_path, 2, LOG_LEVEL="loud")


@pytest.mark.parametrize(
    ("line", "broken", "named"),
    [
        ("[store.health_potion]", "[store.health_potion", "economy.toml"),
        (
            "[store.health_potion]\nprice_gold = 100",
            "[store.health_potion]\nprice_gold = -100",
            "health_potion",
        ),
    ],
)
async def test_a_broken_economy(line: str, broken: str, named: str, tmp_path: Path) -> None:
    folder = tmp_path / "economy"
    folder.mkdir()
    for name in ("economy.toml", "store_catalog.json", "waifus.json"):
        shutil.copy(ROOT / "data" / name, folder)
    toml = (folder / "economy.toml").read_text(encoding="utf-8")
    (folder / "economy.toml").write_text(toml.replace(line, broken, 1), encoding="utf-8")
    assert named in await ended(tmp_path, 2, ECONOMY_DIR=str(folder))


async def test_a_folder_that_another_bot_holds(tmp_path: Path) -> None:
    async with StandIn() as discord, BotProcess(discord, tmp_path, How(name="first")) as first:
        assert f"{tmp_path / 'data'} is in use by process {first.pid}" in await ended(tmp_path, 4)


async def test_a_store_that_was_filled_in_part_is_told_before_discord_is_asked(tmp_path: Path) -> None:
    async with LocalJSONProvider(tmp_path / "data") as store:
        await mark_moving(store, "backup.sqlite3")
    standin = StandIn()
    assert "was being filled from backup.sqlite3, and not to the end" in await ended(tmp_path, 2, standin)
    assert standin.api.requests == []


async def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    await ended(tmp_path, 4, PROVIDER="postgres", DATABASE_URL=NOWHERE)


async def test_a_mirror_of_files(tmp_path: Path) -> None:
    said = await ended(tmp_path, 2, MIRROR_DIR=str(tmp_path / "mirror"))
    assert "MIRROR_DIR is set, and the provider 'local' has no mirror" in said


async def test_a_mirror_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "mirror").write_text("", "utf-8")
    said = await ended(
        tmp_path, 2, PROVIDER="postgres", DATABASE_URL=NOWHERE, MIRROR_DIR=str(tmp_path / "mirror")
    )
    assert "MIRROR_DIR is" in said
    assert "which is a file: name a folder" in said


async def test_a_mirror_that_has_players_of_its_own(tmp_path: Path) -> None:
    async with LocalJSONProvider(tmp_path / "own") as own:
        await own.save_user("ada", {"gold": 1})
    said = await ended(
        tmp_path, 2, PROVIDER="postgres", DATABASE_URL=NOWHERE, MIRROR_DIR=str(tmp_path / "own")
    )
    assert f"MIRROR_DIR cannot be used: {tmp_path / 'own'} has players of its own" in said


@pytest.mark.parametrize(("ids", "count"), [("0", ""), ("0,2", "2"), ("-1", "2")])
async def test_shards_that_cannot_be(ids: str, count: str, tmp_path: Path) -> None:
    assert "SHARD_COUNT" in await ended(tmp_path, 2, SHARD_IDS=ids, SHARD_COUNT=count)


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/api", "http://127.0.0.1:1"])
async def test_a_discord_that_is_not_there_may_be_there_later(address: str, tmp_path: Path) -> None:
    assert "Discord cannot be reached" in await ended(tmp_path, 4, DISCORD_API_URL=address)


@pytest.mark.parametrize("public", [True, False])
async def test_a_public_bot_says_what_that_means_and_how_to_end_it(public: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a test's parameter
    async with StandIn(public=public) as discord, BotProcess(discord, tmp_path, LOG_LEVEL="WARNING") as bot:
        warnings = [line for line in bot.said().splitlines() if "the bot is public" in line]
    assert len(warnings) == public
    for line in warnings:
        assert "WARNING" in line
        assert "anybody may invite it" in line
        assert "switch Public Bot off" in line


async def test_slash_commands_need_no_privilege(tmp_path: Path) -> None:
    async with (
        StandIn(message_content=False) as discord,
        BotProcess(discord, tmp_path, TEXT_COMMANDS="false"),
    ):
        asked = await discord.slash(User(1001), "balance").answered()
        assert "10,000 gold" in asked.text
        unread = discord.message(User(1001), "!balance")
        await discord.message(User(OWNER), f"<@{BOT_ID}> sync").answered()
        assert {command["name"] for command in discord.api.discord.commands[EVERYWHERE]} >= {
            "buy",
            "daily",
            "admin",
        }
        assert unread.answers == []


async def test_a_session_that_discord_ends_for_good_is_a_sentence(tmp_path: Path) -> None:
    async with StandIn() as discord, BotProcess(discord, tmp_path, LOG_LEVEL="WARNING") as bot:
        await discord.drop(close_code=4004)
        assert await bot.end() == 2
    assert "Traceback" not in bot.said()
    assert bot.said().splitlines()[-1] == (
        "Error: Discord ended the session, since DISCORD_TOKEN is not valid any more: copy it anew from the "
        "developer portal"
    )


@pytest.mark.parametrize(("code", "cured_by_a_person"), [(4004, True), (4011, True), (4012, False)])
def test_what_ended_a_session_says_who_can_mend_it(code: int, cured_by_a_person: bool) -> None:  # noqa: FBT001 - a test's parameter
    closed = discord_py.ConnectionClosed(None, shard_id=0, code=code)  # type: ignore[arg-type] # It is not asked.
    with pytest.raises(MisuseError if cured_by_a_person else discord_py.ConnectionClosed), discord_errors():
        raise closed


async def test_a_start_tells_what_was_chosen_and_what_is_to_be_mended(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".env").write_text("", "utf-8")
    (tmp_path / ".env").chmod(0o644)
    async with (
        StandIn() as discord,
        BotProcess(discord, tmp_path, LOG_LEVEL="INFO", LOG_FORMAT="json") as bot,
    ):
        await discord.slash(User(OWNER), "admin health", reason="a look").answered()
        await discord.slash(User(1001), "admin health", reason="a look").answered()
        await bot.stopped()
    lines = [json.loads(line) for line in bot.said().splitlines()]
    said = "\n".join(line["message"] for line in lines)
    assert f"DATA_DIR={tmp_path / 'data'}, " in said
    assert "DISCORD_TOKEN=(hidden), " in said
    assert "git clean -fdx there deletes every player" in said
    assert "chmod 600 .env" in said
    assert "shard 0 is connected" in said
    assert f"admin: user {OWNER} (owner) asks for health" in said
    assert "not allowed: user 1001, a player, tried /admin health" in said
    assert {line["level"] for line in lines} <= {"INFO", "WARNING"}
    assert (tmp_path / "data" / "kokoromichi.sqlite3").stat().st_mode & 0o077 == 0


async def test_no_log_holds_a_secret_or_who_was_erased(database: PostgresServer, tmp_path: Path) -> None:
    settings = {"PROVIDER": "postgres", "DATABASE_URL": database.url, "LOG_LEVEL": "DEBUG"}
    async with StandIn() as discord, BotProcess(discord, tmp_path, **settings) as bot:
        gone = User(915_000_777_000_111_222)
        asked = await discord.slash(gone, "buy", item="health_potion", quantity=1).answered()
        await discord.message(User(1002), f"!transfer {gone.id} 7").answered()
        erasing = await discord.slash(User(OWNER), "admin erase", user=gone, reason="asked").answered()
        erased = discord.click(erasing, "Confirm")
        await erased.until(lambda click: any("What is left" in one.text for one in click.said))
        await discord.drop()
        discord.fail(429)
        discord.fail(502)
        await discord.slash(User(1001), "balance").answered()
        database.kill()
        await discord.slash(User(1001), "daily").answered(timeout_s=60)
        await bot.stopped()
        said = bot.said()
    assert "DEBUG" in said
    assert "discord.gateway" in said
    for secret in (*SECRETS, asked.event["d"]["token"], str(gone.id)):
        assert re.findall(rf".*{re.escape(secret)}.*", said) == []
