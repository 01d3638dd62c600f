"""A bot by the documents alone: README's first run on each store, then our commands in docs/deploy.md.

What a container would do is done in a folder: its paths are the folder's, and ``docker compose run ... bot``
is left out. Discord is the tests' stand-in, which the environment names; all else is of ``.env``, as written.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, Final

import pytest

from kokoromichi.core.clock import SystemClock, moment_of
from tests.bot.bot_process import BotProcess, How
from tests.bot.standin import OWNER, TOKEN, StandIn, User
from tests.project.checkout import ROOT, SCRIPT, run
from tests.project.test_deploy_document import lines, ours
from tests.project.test_readme import commands
from tests.servers.mongo import fresh_database
from tests.servers.postgres import PASSWORD, fresh_postgres_database, programs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

pytestmark = pytest.mark.slow

BOT: Final = How(("-m", "kokoromichi", "bot"))
FROM_ENV_FILE: Final = dict.fromkeys(("DISCORD_TOKEN", "PROVIDER", "DATA_DIR", "LOG_LEVEL"), "")
"""An empty variable is no value: the file's counts."""
ALICE: Final = User(1001)
OF_THE_LABORATORY: Final = {"simulate"}


class Place:
    """A folder in which an operator works.

    Args:
        folder: Empty.
        discord: What the bot takes for Discord.
        instead: What stands for a word or the beginning of a path, of a container's or a document's example.

    Attributes:
        folder: As given.
        data: The folder of the players.
        did: The words of every command of ours, as the documents have them.
    """

    def __init__(self, folder: Path, discord: StandIn, instead: Mapping[str, str]) -> None:
        self.folder, self.data = folder, folder / "data"
        self._discord, self._instead = discord, instead
        self.did: list[list[str]] = []
        shutil.copy(ROOT / ".env.example", folder)

    def configure(self, **settings: str) -> None:
        """Make ``.env`` as README says, and write into it."""
        [line] = [words for words in commands("install") if words[-1] == ".env"]
        run("install", *line, cwd=self.folder)
        file = self.folder / ".env"
        text = file.read_text("utf-8").splitlines()
        for name, value in {"DISCORD_TOKEN": TOKEN, **settings}.items():
            [place] = [number for number, each in enumerate(text) if each.startswith(f"{name}=")]
            text[place] = f"{name}='{value}'"
        file.write_text("\n".join(text), "utf-8")
        assert file.stat().st_mode & 0o777 == 0o600

    async def does(self, line: str, **environment: str) -> str:
        """Run a command as a document has it, and return what it says."""
        words = line.split()
        self.did.append(words)
        away = {"DISCORD_API_URL": self._discord.api_url, "DISCORD_GATEWAY_URL": self._discord.gateway_url}
        said = map(self._here, words)
        return await asyncio.to_thread(run, SCRIPT, *said, cwd=self.folder, **away, **environment)

    def _here(self, word: str) -> str:
        for theirs, here in self._instead.items():
            if word == theirs or word.startswith(f"{theirs}/"):
                return here + word.removeprefix(theirs)
        return word

    def bot(self) -> BotProcess:
        """The bot that ``kokoromichi bot`` starts here."""
        return BotProcess(self._discord, self.folder, BOT, **FROM_ENV_FILE)

    async def played(self) -> None:
        """Somebody plays, by slash and by text, once the owner has said sync."""
        synced = await self._discord.message(User(OWNER), "!sync").answered()
        assert "Discord knows" in synced.text, synced.text
        for asked, words in (
            (self._discord.slash(ALICE, "daily"), "Daily reward"),
            (self._discord.slash(ALICE, "buy", item="health_potion", quantity=2), "Bought"),
            (self._discord.message(ALICE, "!bal"), "gold"),
        ):
            assert words in (await asked.answered()).text

    async def mirrored(self) -> bool:
        """Whether the bot's mirror is whole; its owner asks."""
        asked = self._discord.slash(User(OWNER), "admin health", reason="the drill")
        return "Mirror: none" not in (await asked.answered()).text


async def until(there: Callable[[], bool]) -> None:
    """Wait for what has no event."""
    while not there():  # noqa: ASYNC110 - a file, or a process
        await asyncio.sleep(0.1)


async def settings_of(store: str, folder: Path) -> dict[str, str]:
    """What an operator writes into ``.env`` for an empty store."""
    if store == "postgres":
        return {"PROVIDER": store, "DATABASE_URL": await fresh_postgres_database()}
    if store == "mongo":
        return {"PROVIDER": store, "MONGO_URI": fresh_database()}
    return {"PROVIDER": store, "DATA_DIR": str(folder / "data")}


@pytest.mark.parametrize("store", ["local", "mongo", "postgres"])
async def test_a_first_run_by_the_readme(store: str, tmp_path: Path) -> None:
    today = moment_of(SystemClock().now_us()).date()
    month = {
        "2026-02-01": str(today - dt.timedelta(days=1)),
        "2026-03-01": str(today + dt.timedelta(days=1)),
    }
    async with StandIn() as discord:
        here = Place(tmp_path, discord, {**month, "local": store, "postgres": store})
        heartbeat = tmp_path / "heartbeat"
        here.configure(**await settings_of(store, tmp_path), HEARTBEAT_FILE=str(heartbeat))
        before = await here.does("doctor")
        async with here.bot() as bot:
            await here.played()
            await until(heartbeat.exists)
            assert "Well" in await here.does("health")
            beside = await here.does("doctor")
            assert ("Discord lacks" in before, "Discord lacks" in beside) == (True, False)
            await operated(here)
            await bot.stopped()
        assert "Traceback" not in bot.said()
        assert TOKEN not in before + beside + bot.said()


async def operated(here: Place) -> None:
    """README's commands about a store, in its order, beside the running bot."""
    about = [
        words
        for words in commands("kokoromichi")
        if words[0] in {"audit", "backup", "ledger", "report"} and "simulations" not in words[1]
    ]
    assert [words[0] for words in about] == ["audit", "backup", "ledger", "ledger", "report", "report"]
    for words in about:
        out = await here.does(" ".join(words))
        assert words[0] != "audit" or "sound" in out
    written = {each.name for each in here.folder.iterdir()}
    assert written >= {"before.sqlite3", "ledger.csv", "february", "report.html"}


async def test_each_command_of_the_book_of_procedures(tmp_path: Path) -> None:
    places = {
        "/data": tmp_path / "data",
        "/backups": tmp_path / "backups",
        "/economy": ROOT / "data",
        "/old": ROOT / "tests/fixtures/reference_data/data",
        "/srv/erasures": tmp_path / "data",
        "/tmp": tmp_path,  # noqa: S108 - the document's word, which is replaced
        "backups/newest.sqlite3": tmp_path / "backups" / "before.sqlite3",
    }
    async with StandIn() as discord:
        here = Place(tmp_path, discord, {theirs: str(here) for theirs, here in places.items()})
        await backed_up(here)
        await restored(here)
        database_url = await moved(here)
        await mirrored(here, database_url)
        await taken_over(here)
        dumped(database_url, await fresh_postgres_database())
    assert [words for words in here.did if words not in ours()] == []
    left = [words for words in ours() if words not in here.did]
    assert {words[0] for words in left} == OF_THE_LABORATORY


async def backed_up(here: Place) -> None:
    """The first run, and backups while somebody plays."""
    here.configure(DATA_DIR=str(here.data))
    (here.folder / "backups").mkdir()
    await here.does("doctor")
    async with here.bot() as bot:
        await here.played()
        await here.does("backup /backups")
        await here.does("backup /backups/before.sqlite3")
        await bot.stopped()
    await here.does("economy check /economy")


async def restored(here: Place) -> None:
    """The folder is lost, then its database alone; and the drill."""
    here.data.rename(here.folder / "lost")
    here.data.mkdir()
    assert "sound" in await here.does("restore /backups/before.sqlite3")
    (here.data / "kokoromichi.sqlite3").unlink()
    await here.does("restore")
    drill = "restore backups/newest.sqlite3 --provider local --data-dir /srv/erasures --target-dir /tmp/drill"
    await here.does(drill)
    assert "sound" in await here.does("audit --provider local --data-dir /tmp/drill")
    await here.does("ledger export --provider local --data-dir /tmp/drill --out /tmp/drill-ledger")


async def moved(here: Place) -> str:
    """To a database, back, and to another one, whose URL is returned."""
    first: dict[str, Any] = {"DATABASE_URL": await fresh_postgres_database()}
    await here.does("migrate --provider postgres --data-dir /data --dry-run", **first)
    await here.does("migrate --provider postgres --data-dir /data", **first)
    assert "sound" in await here.does("audit --provider postgres", **first)
    await here.does("migrate --from postgres --to local --target-dir /data/local", **first)
    second: dict[str, Any] = {"DATABASE_URL": await fresh_postgres_database()}
    source: dict[str, Any] = {"MIGRATE_FROM_URL": first["DATABASE_URL"]}
    await here.does("migrate --from postgres --to postgres", **second, **source)
    assert "sound" in await here.does("audit --provider postgres --expect-rows", **second)
    return str(second["DATABASE_URL"])


async def mirrored(here: Place, database_url: str) -> None:
    """A bot with a mirror, whose database is then given up."""
    mirror = {"MIRROR_DIR": str(here.data / "mirror"), "MIRROR_SECONDS": "1"}
    here.configure(PROVIDER="postgres", DATABASE_URL=database_url, **mirror)
    async with here.bot() as bot:
        while not await here.mirrored():  # noqa: ASYNC110 - another process's
            await asyncio.sleep(1)
        await bot.stopped()
    line = "migrate --from local --from-mirror --data-dir /data/mirror --to postgres"
    await here.does(line, DATABASE_URL=await fresh_postgres_database())


async def taken_over(here: Place) -> None:
    """An existing installation."""
    database_url = await fresh_postgres_database()
    await here.does("migrate --provider postgres --data-dir /old --dry-run", DATABASE_URL=database_url)
    await here.does("migrate --provider postgres --data-dir /old", DATABASE_URL=database_url)
    here.data.rename(here.folder / "former")
    await here.does("migrate --provider local --data-dir /old --target-dir /data")


def dumped(url: str, empty_url: str) -> None:
    """PostgreSQL's own tools, without the container around them."""
    dump = b""
    for program, source in (("pg_dump", url), ("pg_restore", empty_url)):
        [line] = [words for words in lines() if program in words]
        options = [word for word in line[line.index(program) + 1 :] if word.startswith("--format")]
        command = [str(programs() / program), *options, f"--dbname={source}"]
        password = {"PGPASSWORD": PASSWORD}
        dump = subprocess.run(command, input=dump, capture_output=True, env=password, check=True).stdout
