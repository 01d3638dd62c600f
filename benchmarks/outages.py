"""How soon a running bot says that its storage is away, and that it is back, for each store and fault.

    python benchmarks/outages.py [local/full postgres/killed ...] [--away 30]

The bot runs as a process of its own against the tests' stand-in for Discord; its database is a server of its
own on a small file system, which only root may mount. A server is killed, stopped in the midst of everything
(``SIGSTOP``: connections stay, nothing answers), made to take no writes, or its disk is filled; then all is
put right. Meanwhile somebody buys something every second. Four tell: the answers on Discord, the log, the
metrics and the file that the health check looks at. Afterwards the audit must be sound, and hold what the
answers acknowledged, once. A MongoDB whose disk is full goes on writing into a journal that it made
beforehand: the seconds are those until its first failure. The last line is one JSON object: the seconds of
each, and those above the goal.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import tempfile
import time
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import aiohttp
import asyncpg
import pytest
from pymongo import MongoClient

from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.core.providers.mongo import MongoDBProvider
from kokoromichi.core.providers.postgres import PostgresProvider
from tests.bot.bot_process import BotProcess
from tests.bot.settled import Settled
from tests.bot.standin import StandIn, User
from tests.faults.full_disk import file_system, fill_up
from tests.servers.mongo import MongoServer, free_port
from tests.servers.postgres import PostgresServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from kokoromichi.core.data_provider import DataProvider
    from tests.bot.standin import Asked

GOAL_S: Final = 10.0
HUNG_S: Final = 90.0
DISK_MB: Final = 200
NOT_PRIMARY: Final = 10107
WRITES: Final = ("insert", "update", "delete", "findAndModify", "bulkWrite")
LOOKS: Final = ("answers", "log", "metrics", "health")


class Fault(NamedTuple):
    """What is done to a store, and how it is put right; both block."""

    strike: Callable[[], None]
    mend: Callable[[], None]


class Scene(NamedTuple):
    """A store on a small disk, and everything that may happen to it.

    Attributes:
        settings: What tells the bot where it is.
        faults: By name.
        opened: The same store, for the audit.
    """

    settings: dict[str, str]
    faults: dict[str, Fault]
    opened: Callable[[], DataProvider]


def full(disk: Path) -> Fault:
    """The disk has no byte left."""

    def strike() -> None:
        fill_up(disk)

    return Fault(strike, (disk / "ballast").unlink)


def stopped(pids: Callable[[], list[int]]) -> Fault:
    """All processes of a server stop in the midst of what they do."""

    def signalled(how: signal.Signals) -> Callable[[], None]:
        def signal_all() -> None:
            for pid in pids():
                os.kill(pid, how)

        return signal_all

    return Fault(signalled(signal.SIGSTOP), signalled(signal.SIGCONT))


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return [pid, *map(int, children)]


@contextmanager
def local(folder: Path) -> Iterator[Scene]:
    """The bot's own file."""
    with file_system(folder / "disk", DISK_MB) as disk:
        data = disk / "data"
        yield Scene(
            {"PROVIDER": "local", "DATA_DIR": str(data)},
            {"full": full(disk)},
            lambda: LocalJSONProvider(data, read_only=True),
        )


@contextmanager
def postgres(folder: Path) -> Iterator[Scene]:
    """A PostgreSQL server."""
    with file_system(folder / "disk", DISK_MB) as disk:
        disk.chmod(0o777)
        server = PostgresServer(place=disk)
        server.start()

        def takes_no_writes(value: str) -> Callable[[], None]:
            async def ordered() -> None:
                session = await asyncpg.connect(server.url)
                await session.execute("SET default_transaction_read_only = off")
                await session.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
                await session.execute("SELECT pg_reload_conf()")
                await session.close()

            return lambda: asyncio.run(ordered())

        faults = {
            "killed": Fault(server.kill, server.start),
            "stopped": stopped(lambda: family(server.pid)),
            "read_only": Fault(takes_no_writes("on"), takes_no_writes("off")),
            "full": full(disk),
        }
        try:
            yield Scene(
                {"PROVIDER": "postgres", "DATABASE_URL": server.url},
                faults,
                lambda: PostgresProvider(server.url, pool_size=(1, 2)),
            )
        finally:
            server.remove()


@contextmanager
def mongo(folder: Path) -> Iterator[Scene]:
    """A server that speaks MongoDB's protocol; that it is no primary any more is a failpoint's doing."""
    with file_system(folder / "disk", DISK_MB) as disk:
        server = MongoServer("--enable-test-commands", place=disk)
        server.start()
        uri = f"{server.uri}kokoromichi"

        def writes_fail(mode: str) -> Callable[[], None]:
            data = {"failCommands": list(WRITES), "appName": "kokoromichi", "errorCode": NOT_PRIMARY}

            def ordered() -> None:
                with MongoClient[dict[str, Any]](server.uri) as client:
                    client.admin.command("configureFailPoint", "failCommand", mode=mode, data=data)

            return ordered

        def started_again() -> None:
            full(disk).mend()
            server.kill()  # Its engine never writes again after that, and MongoDB's own server ends.
            server.start()

        faults = {
            "killed": Fault(server.kill, server.start),
            "stopped": stopped(lambda: [server.pid]),
            "read_only": Fault(writes_fail("alwaysOn"), writes_fail("off")),
            "full": Fault(full(disk).strike, started_again),
        }
        try:
            yield Scene({"PROVIDER": "mongo", "MONGO_URI": uri}, faults, lambda: MongoDBProvider(uri))
        finally:
            server.remove()


SCENES: Final = {"local": local, "postgres": postgres, "mongo": mongo}
OF_SERVERS: Final = ("killed", "stopped", "read_only", "full")
FAULTS: Final = [
    "local/full",
    *(f"{store}/{fault}" for store in ("postgres", "mongo") for fault in OF_SERVERS),
]


class Watch:
    """Everything that says how the storage is, each second.

    Args:
        discord: Where questions are put.
        bot: Who is asked.
        heartbeat: The file that the health check looks at.
        metrics_url: Where the metrics are.

    Attributes:
        asked: Every question.
    """

    def __init__(self, discord: StandIn, bot: BotProcess, heartbeat: Path, metrics_url: str) -> None:
        self._discord, self._bot = discord, bot
        self._heartbeat, self._metrics_url = heartbeat, metrics_url
        self.asked: list[Asked] = []
        self.web = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1))

    async def says(self, *, well: bool) -> dict[str, float]:
        """How many seconds each of them takes to say so, from now on; what never does is shown as HUNG_S."""
        begun_s, log_from = time.monotonic(), len(self._bot.said())
        found: dict[str, float] = {}
        told_before = len(self.asked)
        answer_words, log_words = ("bought", "is well again") if well else ("storage", "the storage ")
        while len(found) < len(LOOKS) and (now_s := time.monotonic() - begun_s) < HUNG_S:
            asked = self.asked[told_before:]
            if now_s >= len(asked):
                user = User(10_000 + len(self.asked))
                self.asked.append(self._discord.slash(user, "buy", item="health_potion", quantity=1))
            told = {
                "answers": any(answer_words in answer.text.lower() for one in asked for answer in one.said),
                "log": log_words in self._bot.said()[log_from:],
                "metrics": await self._up() == well,
                "health": self._heartbeat.exists() == well,
            }
            for look, seen in told.items():
                if seen:
                    found.setdefault(look, round(time.monotonic() - begun_s, 1))
            await asyncio.sleep(0.05)
        return {look: found.get(look, HUNG_S) for look in LOOKS}

    async def _up(self) -> bool | None:
        try:
            async with self.web.get(self._metrics_url) as answer:
                return "kokoromichi_storage_up 1.0" in await answer.text()
        except (aiohttp.ClientError, TimeoutError):
            return None


@asynccontextmanager
async def watched(folder: Path, settings: dict[str, str]) -> AsyncIterator[Watch]:
    """A bot that is well."""
    heartbeat, port = folder / "heartbeat", free_port()
    more = {"HEARTBEAT_FILE": str(heartbeat), "METRICS_PORT": str(port), "LOG_LEVEL": "INFO"}
    async with StandIn() as discord, BotProcess(discord, folder, **settings, **more) as bot:
        watch = Watch(discord, bot, heartbeat, f"http://127.0.0.1:{port}/metrics")
        async with watch.web:
            while not heartbeat.exists():  # noqa: ASYNC110 - a file has no event
                await asyncio.sleep(0.1)
            yield watch
            await bot.stopped()


async def played(scene: Scene, fault: Fault, folder: Path, away_s: float) -> dict[str, dict[str, float]]:
    """Strike, wait until all say so, put it right, and wait again."""
    async with watched(folder, scene.settings) as watch:
        await asyncio.to_thread(fault.strike)
        began_s = time.monotonic()
        told = await watch.says(well=False)
        await asyncio.sleep(max(0, away_s - (time.monotonic() - began_s)))
        mending = asyncio.create_task(asyncio.to_thread(fault.mend))
        back = await watch.says(well=True)
        await mending
    async with scene.opened() as provider:
        (await Settled.read(provider)).holds(watch.asked)
    return {"told_s": told, "recovered_s": back}


def measured(name: str, away_s: float) -> dict[str, dict[str, float]]:
    """One fault of one store."""
    store, _, fault = name.partition("/")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)  # PostgreSQL's own user passes through.
        scene = stack.enter_context(SCENES[store](folder))
        return asyncio.run(played(scene, scene.faults[fault], folder, away_s))


def main() -> None:
    """Measure the chosen faults."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faults", nargs="*", metavar="store/fault", help=", ".join(FAULTS))
    parser.add_argument("--away", type=float, default=30, help="seconds that a fault lasts at the least")
    asked = parser.parse_args()
    if unknown := set(asked.faults) - set(FAULTS):
        parser.error(f"there is no fault {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}")
    found: dict[str, dict[str, dict[str, float]]] = {}
    late = []
    print(f"{'':20}" + "".join(f"{look:>10}" for look in LOOKS))
    for name in asked.faults or FAULTS:
        try:
            found[name] = measured(name, asked.away)
        except pytest.skip.Exception as lacking:  # What comes after it is measured all the same.
            print(f"{name:20}  {lacking}", flush=True)
            continue
        for when, seconds in found[name].items():
            told = "".join(f"{seconds[look]:>10.1f}" for look in LOOKS)
            print(f"{name:20}{told}  {when[:-2]}", flush=True)
            late += [f"{name} {look} {when[:-2]}" for look in LOOKS if seconds[look] > GOAL_S]
    print(json.dumps({"benchmark": "outages", **found, "goal_s": GOAL_S, "late": late}))


if __name__ == "__main__":
    main()
