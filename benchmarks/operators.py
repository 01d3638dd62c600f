"""What an operator's commands cost at a grown economy: seconds, and what they add to a bot's memory.

    python benchmarks/operators.py [local postgres mongo] [--rows 1000000] [--players 5000]
        [--seconds 30] [--rounds 3]

A bot over each store, in a process of its own, is asked by the tests' stand-in for Discord; beside each
figure stands the one of an economy of a hundredth of the rows. The export is the command line's, since the
bot's own is bounded by what Discord takes. Then 50 buy at once, by turns with the folding of daily totals as
the bot does it and without. The server of MongoDB's protocol is the tests', which sorts a million rows before
it answers: a socket waits longer for it. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl
from _memory import forget_peak, peak_mb
from _storage_large import grants
from _storage_mongo import Side
from pymongo import MongoClient

from kokoromichi.chat.loops import FOLD_S
from kokoromichi.core.bulk_load import Batch, UserSnapshot
from kokoromichi.core.models import UserProfile
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.core.providers.mongo import MongoDBProvider
from kokoromichi.core.providers.mongo.bulk_load import documents_by_book
from kokoromichi.core.providers.postgres import PostgresProvider
from kokoromichi.rules.economy import load_economy
from kokoromichi.services.bundle import Services
from kokoromichi.settings import shipped_folder
from tests.bot.bot_process import ROOT, BotProcess
from tests.bot.standin import OWNER, StandIn, User
from tests.servers.mongo import MongoServer, fresh_database
from tests.servers.postgres import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from kokoromichi.core.data_provider import DataProvider
    from tests.bot.standin import Asked

STEP: Final = 50_000
AGAIN: Final = 10
CALLERS: Final = 50
GOLD: Final = 10**9
HUNG_S: Final = 900.0
PATIENT: Final = "?socketTimeoutMS=900000"
GOAL_ECONOMY_S: Final = 0.1
GOAL_ECONOMY_MB: Final = 30
GOAL_FOLDED: Final = 0.9


class Store(NamedTuple):
    """One that is empty yet.

    Attributes:
        settings: What tells a bot where it is.
        provider: The same one.
        put: What puts rows into it where ``load`` would take too long; they are added up afterwards.
    """

    settings: dict[str, str]
    provider: Callable[[], DataProvider]
    put: Callable[[Batch], object] | None = None


@contextmanager
def local(folder: Path) -> Iterator[Store]:
    """The bot's own file."""
    data = folder / "data"
    yield Store({"PROVIDER": "local", "DATA_DIR": str(data)}, lambda: LocalJSONProvider(data))


@contextmanager
def postgres(_folder: Path) -> Iterator[Store]:
    """A server of PostgreSQL that waits for the disk."""
    server = PostgresServer()
    server.start()
    try:
        settings = {"PROVIDER": "postgres", "DATABASE_URL": server.url}
        yield Store(settings, lambda: PostgresProvider(server.url, pool_size=(1, 20)))
    finally:
        server.remove()


@contextmanager
def mongo(_folder: Path) -> Iterator[Store]:
    """A server of MongoDB's protocol."""
    server = MongoServer()
    server.start()
    uri = fresh_database(server.uri) + PATIENT

    def put(batch: Batch) -> None:
        assert batch.rows is not None
        with MongoClient[dict[str, Any]](uri) as client:
            for book, rows in documents_by_book(batch.rows).items():
                client.get_default_database()[f"ledger_{book}"].insert_many(rows)

    try:
        yield Store({"PROVIDER": "mongo", "MONGO_URI": uri}, lambda: MongoDBProvider(uri), put)
    finally:
        server.remove()


STORES: Final = {"local": local, "postgres": postgres, "mongo": mongo}


async def grow(store: Store, rows: int, players: int) -> None:
    """Let so many players have got so many rows."""
    async with store.provider() as provider:
        for first in range(0, rows, STEP):
            batch = Batch(rows=grants(first, min(STEP, rows - first), players))
            if store.put is None:
                await provider.load(batch)
            else:
                await asyncio.to_thread(store.put, batch)
        profiles = [
            UserProfile(f"p{number:05d}", 1, gold=len(range(number, rows, players)))
            for number in range(players)
        ]
        await provider.load(Batch(users=tuple(UserSnapshot(0, profile) for profile in profiles)))
        await provider.load(buyers(rows))
        if store.put is not None:
            await provider.recount()


def buyers(first: int) -> Batch:
    """Those who buy in the end, with gold enough."""
    names = [f"buyer{number}" for number in range(CALLERS)]
    rows = grants(first, CALLERS, CALLERS).with_columns(
        user_id=pl.Series(names), amount=pl.lit(GOLD, pl.Int64), balance_after=pl.lit(GOLD, pl.Int64)
    )
    users = tuple(UserSnapshot(0, UserProfile(name, 1, gold=GOLD)) for name in names)
    return Batch(rows=rows, users=users)


class Bot:
    """A running bot, and how much its answers cost.

    Args:
        discord: Where it is asked.
        process: Its own.
    """

    def __init__(self, discord: StandIn, process: BotProcess) -> None:
        self._discord, self._process = discord, process

    async def cost(self, command: str, words: str, reason: str | None = None) -> tuple[float, float]:
        """Seconds until a command's answer, and the megabytes that were added at the most."""
        before_mb = forget_peak(self._process.pid)
        options: dict[str, Any] = {} if reason is None else {"reason": reason}
        asked = self._discord.slash(User(OWNER), command, **options)
        await answered(asked)
        assert words in asked.text, asked.text
        return asked.said[-1].after_s, peak_mb(self._process.pid) - before_mb

    async def costs(self) -> dict[str, float]:
        """Each command's; what is asked often is asked often, and the middle counts."""
        found: dict[str, float] = {}
        for command, words in (("economy", "In all purses"), ("rich_list", "The richest")):
            first = await self.cost(command, words)
            rest = [await self.spaced(command, words) for _ in range(AGAIN)]
            name = command.replace("rich_list", "richest")
            found |= {f"{name}_first_s": first[0], f"{name}_first_mb": first[1]}
            found |= {f"{name}_s": statistics.median(cost_s for cost_s, _ in rest)}
            found |= {f"{name}_mb": max(cost_mb for _, cost_mb in rest)}
        for command, words in (("audit", "ound"), ("export", "")):
            cost_s, cost_mb = await self.cost(f"admin {command}", words, reason="a measurement")
            found |= {f"{command}_answer_s": cost_s, f"{command}_answer_mb": cost_mb}
        return found

    async def spaced(self, command: str, words: str) -> tuple[float, float]:
        """The same, once the limit against spam allows it."""
        await asyncio.sleep(2)
        return await self.cost(command, words)


async def answered(asked: Asked) -> None:
    """Wait for an answer, however long it takes."""
    await asked.answered(timeout_s=HUNG_S)


async def commands(store: Store, folder: Path) -> dict[str, float]:
    """What a bot's commands cost."""
    async with StandIn() as discord, BotProcess(discord, folder, LOG_LEVEL="INFO", **store.settings) as bot:
        await asyncio.sleep(FOLD_S)  # It has started, looked, and measured the economy once.
        found = await Bot(discord, bot).costs()
        await bot.stopped()
    return found


def exported(store: Store, folder: Path) -> dict[str, float]:
    """Seconds and peak memory of ``kokoromichi ledger export``, all of the process."""
    program = Path(sys.executable).parent / "kokoromichi"
    out = folder / "out"
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - the project's own
        [program, "ledger", "export", "--out", out],
        env={"PYTHONPATH": str(ROOT), **store.settings},
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0
    return {"export_s": time.perf_counter() - began, "export_process_mb": used.ru_maxrss / 1024}


async def folding(store: Store, rounds: int, seconds: float) -> dict[str, float]:
    """Purchases a second of 50 callers: with the folding, without, and the median of the ratios."""
    economy = load_economy(shipped_folder("data"))
    rates: dict[bool, list[float]] = {True: [], False: []}
    async with store.provider() as provider:
        store_service = Services(provider, economy).store

        def buy(caller: str, bought: int) -> Awaitable[object]:
            name = caller.replace("p", "buyer")
            return store_service.purchase(name, "health_potion", request_id=f"{caller}.{bought}")

        side = Side(buy, CALLERS)
        await side.rate(seconds / 5)
        for _ in range(rounds):
            for folds in (True, False):
                await provider.fold()
                fold = asyncio.create_task(_folds(provider)) if folds else None
                rates[folds].append(await side.rate(seconds))
                if fold is not None:
                    fold.cancel()
                    with suppress(asyncio.CancelledError):
                        await fold
    ratio = statistics.median(a / b for a, b in zip(rates[True], rates[False], strict=True))
    return {
        "purchases_folded_per_s": statistics.median(rates[True]),
        "purchases_per_s": statistics.median(rates[False]),
        "folded_to_unfolded": ratio,
    }


async def _folds(provider: DataProvider) -> None:
    while True:
        await asyncio.sleep(FOLD_S)
        await provider.fold()


def measured(name: str, asked: argparse.Namespace) -> dict[str, float]:
    """Every figure of one store."""
    found: dict[str, float] = {}
    for rows, prefix in ((asked.rows // 100, "small_"), (asked.rows, "")):
        with tempfile.TemporaryDirectory() as place, STORES[name](Path(place)) as store:
            asyncio.run(grow(store, rows, asked.players))
            here = asyncio.run(commands(store, Path(place))) | exported(store, Path(place))
            if not prefix:
                here |= asyncio.run(folding(store, asked.rounds, asked.seconds))
        found |= {prefix + key: round(value, 3) for key, value in here.items()}
    return found


def missed(name: str, found: dict[str, float]) -> list[str]:
    """The goals that were not reached."""
    goals = {
        "economy_s": found["economy_s"] <= GOAL_ECONOMY_S,
        "economy_mb": found["economy_mb"] <= GOAL_ECONOMY_MB,
        "folded_to_unfolded": found["folded_to_unfolded"] >= GOAL_FOLDED,
    }
    return [f"{name}_{goal}" for goal, met in goals.items() if not met]


def main() -> None:
    """Measure the chosen stores."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stores", nargs="*", metavar="store", help=", ".join(STORES))
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the ledger")
    parser.add_argument("--players", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=30, help="of each turn of buying")
    parser.add_argument("--rounds", type=int, default=3, help="of buying by turns")
    asked = parser.parse_args()
    if unknown := set(asked.stores) - STORES.keys():
        parser.error(f"there is no store {', '.join(sorted(unknown))}; there are {', '.join(STORES)}")
    found, late = {}, []
    for name in asked.stores or STORES:
        print(f"== {name}")
        found[name] = measured(name, asked)
        for key, value in found[name].items():
            print(f"  {key:26} {value:>12,.3f}", flush=True)
        late += missed(name, found[name])
    print(json.dumps({"benchmark": "operators", "rows": asked.rows, **found, "missed": late}))


if __name__ == "__main__":
    main()
