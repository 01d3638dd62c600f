"""Players buy, sell and send while the store is audited and exported: every look finds it sound.

``KOKORO_AUDITS`` is the number of looks at each store, three players for each of them; a campaign takes 20.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Final

import polars as pl
import pytest

from kokoromichi.analysis.export import export_ledger
from kokoromichi.analysis.ledger import Ledger
from kokoromichi.analysis.provider_state import audit_provider, stored_states
from kokoromichi.core.clock import ManualClock
from kokoromichi.core.errors import RefusedError
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.providers.mongo import MongoDBProvider
from kokoromichi.core.providers.postgres import PostgresProvider
from tests.contract.stored import NOON_US
from tests.servers.mongo import campaign, fresh_database
from tests.servers.postgres import fresh_schema, server_url
from tests.unit.service_world import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kokoromichi.core.data_provider import DataProvider

AUDITS: Final = campaign("KOKORO_AUDITS", small=4)
PLAYERS: Final = [f"p{number}" for number in range(max(20, 3 * AUDITS))]
GOLD: Final = 2_000_000
PAUSE_S: Final = 0.01
"""Between two rounds of a player: in memory, which waits for nothing, rows would outgrow the looks."""


def of_memory(_folder: Path) -> Callable[[], DataProvider]:
    store = MemoryProvider(ManualClock(NOON_US))
    return lambda: store


def of_local(folder: Path) -> Callable[[], DataProvider]:
    made: list[LocalJSONProvider] = []

    def make() -> LocalJSONProvider:
        """The bot's own first; then as whoever reads beside it."""
        made.append(LocalJSONProvider(folder, read_only=bool(made)))
        return made[-1]

    return make


def of_mongo(_folder: Path) -> Callable[[], DataProvider]:
    uri = fresh_database()
    return lambda: MongoDBProvider(uri)


def of_postgres(_folder: Path) -> Callable[[], DataProvider]:
    schema = fresh_schema()
    return lambda: PostgresProvider(server_url(), pool_size=(1, 4), schema=schema)


async def plays(world: World, number: int, done: asyncio.Event) -> int:
    """Buys, sells and sends to a neighbour until it is told to stop; answers how often."""
    me, neighbour = PLAYERS[number], PLAYERS[number - 1]
    rounds = 0
    while not done.is_set():
        with suppress(RefusedError):
            await world.services.store.purchase(me, "health_potion", 2)
            await world.services.store.sell(me, "health_potion")
            await world.services.bank.transfer(me, neighbour, 10)
        rounds += 1
        await asyncio.sleep(PAUSE_S)
    return rounds


async def look(store: DataProvider, folder: Path) -> int:
    """Audit a store and export it, each by itself, then both of one moment; answers the rows of the last."""
    report = await audit_provider(store)
    assert report.sound, str(report)
    async with store.snapshot() as reader:
        states = await stored_states(reader)
        exported = await export_ledger(reader, folder)
    ledger = Ledger.scan(folder).frame
    assert states.audit(ledger).sound
    key = ["user_id", "currency"]
    sums = ledger.filter(pl.col("currency").is_not_null()).group_by(key).agg(balance=pl.col("amount").sum())
    assert sums.collect().sort(key).rows() == states.balances.filter(pl.col("balance") > 0).sort(key).rows()
    return exported.rows


@pytest.mark.parametrize("make", [of_local, of_memory, of_mongo, of_postgres])
async def test_every_look_at_a_store_finds_it_sound_while_players_act(
    make: Callable[[Path], Callable[[], DataProvider]], tmp_path: Path
) -> None:
    opened = make(tmp_path / "store")
    async with opened() as bots:
        world = await World.open(bots, clock=ManualClock(NOON_US))
        for name in PLAYERS:
            await world.player(name, gold=GOLD)
        done = asyncio.Event()
        acting = [asyncio.create_task(plays(world, number, done)) for number in range(len(PLAYERS))]
        seen = []
        try:
            for number in range(AUDITS):
                async with AsyncExitStack() as held:  # As another process, and as the bot itself.
                    beside = bots if make is of_memory else await held.enter_async_context(opened())
                    seen.append(await look(beside, tmp_path / f"beside-{number}"))
                seen.append(await look(bots, tmp_path / f"inside-{number}"))
        finally:
            done.set()
            rounds = await asyncio.gather(*acting)
    acts = f"{len(PLAYERS)} players acted {sum(rounds):,} times"
    print(f"{bots.name}: {acts}, {len(seen)} looks at up to {seen[-1]:,} rows were sound")  # noqa: T201 - the campaign's figure
    assert min(rounds) > 0
    assert seen == sorted(seen)
    assert seen[0] < seen[-1]
