"""The doctor: everything that the bot needs is looked at before the login, and what is wrong has its cure."""

from __future__ import annotations

import json
import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import asyncpg
import pytest
from aiohttp import web
from pydantic import SecretStr
from pymongo import MongoClient
from typer.testing import CliRunner

from kokoromichi.cli.app import app
from kokoromichi.core.clock import ManualClock
from kokoromichi.core.copying.marking import mark_moving
from kokoromichi.core.provider_manager import build_provider
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.operation.doctor import Verdict, examine
from kokoromichi.settings import Settings
from tests.contract.stored import NOON_US
from tests.servers.mongo import fresh_database
from tests.servers.postgres import fresh_postgres_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from kokoromichi.operation.doctor import Finding

TOKEN: Final = "a.token"  # noqa: S105 - of no bot
COMMANDS: Final = ("buy", "daily")
MESSAGE_CONTENT: Final = 1 << 19


@asynccontextmanager
async def discord(**told: Any) -> AsyncIterator[str]:
    """A Discord that knows one bot by its token; answers where it is."""
    said = {
        "id": "7",
        "name": "Koko",
        "flags": MESSAGE_CONTENT,
        "bot_public": False,
        "commands": COMMANDS,
        **told,
    }

    async def answer(request: web.Request) -> web.Response:
        if request.headers["Authorization"] != f"Bot {TOKEN}":
            return web.json_response({}, status=401)
        if request.path.startswith("/guilds/"):
            return web.json_response({}, status=404)
        if request.path.endswith("/commands"):
            return web.json_response([{"name": name} for name in said["commands"]])
        return web.json_response(said, headers={"Date": "Tue, 10 Mar 2026 12:00:03 GMT"})

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def found(folder: Path, url: str = "", now_us: int = NOON_US, **settings: Any) -> dict[str, Finding]:
    chosen = {"data_dir": folder, "heartbeat_file": folder / "beat", "discord_token": SecretStr(TOKEN)}
    asked = Settings(_env_file=None).model_copy(update={**chosen, "discord_api_url": url, **settings})
    return {
        one.what: one async for one in examine(asked, ManualClock(now_us), COMMANDS, asks_discord=bool(url))
    }


async def test_a_bot_that_may_start_is_well_in_everything(tmp_path: Path) -> None:
    async with LocalJSONProvider(tmp_path / "data"):
        pass
    async with discord() as url:
        findings = await found(tmp_path / "data", url)
    assert {one.what: one.said for one in findings.values() if one.verdict is not Verdict.WELL} == {}
    assert set(findings) == {
        *("libraries", "economy", "disk", "storage", "token", "intents", "admins", "commands", "clock"),
    }


@pytest.mark.parametrize(
    ("told", "settings", "what", "verdict", "said", "cure"),
    [
        ({}, {"discord_token": SecretStr("")}, "token", Verdict.WRONG, "is not set", "page Bot"),
        ({}, {"discord_token": SecretStr("x")}, "token", Verdict.WRONG, "refuses DISCORD_TOKEN", "anew"),
        ({"flags": 0}, {}, "intents", Verdict.WRONG, "Message Content", "TEXT_COMMANDS=false"),
        ({"bot_public": True}, {}, "admins", Verdict.WARNING, "anybody may invite", "Public Bot"),
        ({}, {"admin_guilds": (5,)}, "admins", Verdict.WARNING, "not in the servers 5", "invite it"),
        (
            {"commands": ("buy", "old")},
            {},
            "commands",
            Verdict.WARNING,
            "lacks daily and still shows old",
            "!sync",
        ),
    ],
)
async def test_what_discord_knows_otherwise(
    told: dict[str, Any],
    settings: dict[str, Any],
    what: str,
    verdict: Verdict,
    said: str,
    cure: str,
    tmp_path: Path,
) -> None:
    async with discord(**told) as url:
        one = (await found(tmp_path, url, **settings))[what]
    assert (one.verdict, said in one.said, cure in one.cure) == (verdict, True, True), one


async def test_text_commands_that_are_off_need_no_intent(tmp_path: Path) -> None:
    async with discord(flags=0) as url:
        assert (await found(tmp_path, url, text_commands=False))["intents"].verdict is Verdict.WELL


async def test_a_clock_that_is_wrong(tmp_path: Path) -> None:
    async with discord() as url:
        minutes = (await found(tmp_path, url, NOON_US + 600_000_000))["clock"]
        days = (await found(tmp_path, url, NOON_US + 200_000_000_000))["clock"]
    assert (minutes.verdict, minutes.said) == (
        Verdict.WARNING,
        "this machine's clock and Discord's are 597 s apart",
    )
    assert days.verdict is Verdict.WRONG


async def test_a_discord_that_does_not_answer_may_do_so_later(tmp_path: Path) -> None:
    assert (await found(tmp_path, "http://127.0.0.1:1"))["token"].verdict is Verdict.AWAY


async def test_a_store_in_use_is_told_and_read(tmp_path: Path) -> None:
    async with LocalJSONProvider(tmp_path):
        findings = [
            one
            async for one in examine(
                Settings(_env_file=None, data_dir=tmp_path), ManualClock(NOON_US), (), asks_discord=False
            )
        ]
    storage = [one.verdict for one in findings if one.what == "storage"]
    assert storage == [Verdict.WARNING, Verdict.WELL]


async def test_a_damaged_store_is_for_a_person_to_mend(tmp_path: Path) -> None:
    (tmp_path / "kokoromichi.sqlite3").write_bytes(b"damaged" * 1_000)
    damaged = (await found(tmp_path))["storage"]
    assert (damaged.verdict, "it is no database, or damaged" in damaged.said) == (Verdict.WRONG, True)


async def test_a_store_that_was_not_filled_to_the_end_is_wrong(tmp_path: Path) -> None:
    async with LocalJSONProvider(tmp_path) as store:
        await mark_moving(store, "a backup")
    half = (await found(tmp_path))["storage"]
    assert (half.verdict, "was being filled from a backup" in half.said) == (Verdict.WRONG, True)


@pytest.mark.parametrize("below", ["", "data"])
async def test_a_file_where_the_folder_should_be_is_wrong(below: str, tmp_path: Path) -> None:
    file = tmp_path / "players"
    file.touch()
    one = (await found(file / below, heartbeat_file=None))["storage"]
    assert one == ("storage", Verdict.WRONG, f"{file} is a file", "name a folder in DATA_DIR")


async def test_a_database_is_read_and_written(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"provider": "mongo", "mongo_uri": SecretStr(fresh_database())}
    fresh = (await found(tmp_path, **asked))["storage"]
    assert (fresh.verdict, "the bot's first start makes what is missing" in fresh.said) == (
        Verdict.WELL,
        True,
    )
    async with build_provider(Settings(_env_file=None).model_copy(update=asked)):
        pass
    findings = await found(tmp_path, **asked)
    assert findings["storage"].said == "mongo is read and written, its tables are up to date: 0 players"
    with MongoClient[dict[str, object]](asked["mongo_uri"].get_secret_value()) as client:
        client.get_default_database().schema_version.update_one({"_id": "schema"}, {"$set": {"version": 1}})
    former = (await found(tmp_path, **asked))["storage"]
    assert former.verdict is Verdict.WARNING
    assert "is of version 1: the bot's next start brings it to version 2" in former.said


async def test_a_database_in_which_the_bot_may_make_no_tables_is_wrong(tmp_path: Path) -> None:
    url = await fresh_postgres_database()
    user = f"user_{uuid.uuid4().hex}"
    owner = await asyncpg.connect(url)
    await owner.execute(f"CREATE ROLE {user} LOGIN PASSWORD 'x'; REVOKE CREATE ON SCHEMA public FROM public")
    host = urlsplit(url).netloc.rpartition("@")[2]
    asked = SecretStr(urlsplit(url)._replace(netloc=f"{user}:x@{host}").geturl())
    refused = (await found(tmp_path, provider="postgres", database_url=asked))["storage"]
    assert (refused.verdict, refused.cure) == (
        Verdict.WRONG,
        "grant it CREATE on the database and its schema, and its tables",
    )
    await owner.execute(f"GRANT CREATE ON SCHEMA public TO {user}")
    allowed = (await found(tmp_path, provider="postgres", database_url=asked))["storage"]
    assert allowed.verdict is Verdict.WELL
    await owner.execute(f"REVOKE CREATE ON SCHEMA public FROM {user}; DROP ROLE {user}")
    await owner.close()


async def test_a_database_that_cannot_be_is_wrong_and_one_that_is_down_is_away(tmp_path: Path) -> None:
    wrong = await found(tmp_path, provider="postgres", database_url=SecretStr(""))
    assert (wrong["storage"].verdict, "DATABASE_URL is empty" in wrong["storage"].said) == (
        Verdict.WRONG,
        True,
    )
    down = await found(
        tmp_path, provider="postgres", database_url=SecretStr("postgresql://a:b@127.0.0.1:1/x")
    )
    assert down["storage"].verdict is Verdict.AWAY


async def test_players_in_a_checkout_and_a_secret_that_others_may_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".env").write_text("DISCORD_TOKEN=\n", "utf-8")
    (tmp_path / ".env").chmod(0o644)
    monkeypatch.chdir(tmp_path)
    asked = Settings(_env_file=None, data_dir=tmp_path / "data")
    findings = [one async for one in examine(asked, ManualClock(NOON_US), COMMANDS, asks_discord=False)]
    warned = [(one.what, one.cure) for one in findings if one.verdict is Verdict.WARNING]
    assert warned == [
        ("safety", "chmod 600 .env"),
        ("safety", "name a folder outside of it"),
        ("heartbeat", "name a file for the bot to touch"),
    ]


async def test_an_economy_that_breaks_a_law(tmp_path: Path) -> None:
    one = (await found(tmp_path, economy_dir=tmp_path))["economy"]
    assert (one.verdict, "economy.toml" in one.said) == (Verdict.WRONG, True)


def test_the_command_exits_with_what_helps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    done = CliRunner().invoke(app, ["doctor", "--offline", "--json"], catch_exceptions=False)
    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert [one["what"] for one in told["findings"]][:2] == ["libraries", "economy"]
    done = CliRunner().invoke(app, ["doctor"], catch_exceptions=False)
    assert (done.exit_code, "DISCORD_TOKEN is not set" in done.stdout) == (2, True)
