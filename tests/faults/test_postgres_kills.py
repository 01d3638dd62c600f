"""PostgreSQL killed under load and started again: what was acknowledged is there, once, and the laws hold.

``KOKORO_PG_KILLS`` is the number of kills; a campaign takes 50.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from random import Random  # noqa: TID251 - when a server dies is no part of a simulation
from typing import TYPE_CHECKING, Final

import pytest

from kokoromichi.analysis.provider_state import audit_provider, read_ledger
from kokoromichi.core.errors import CommitUnknownError, StorageError
from kokoromichi.core.models import CounterChange, Movement
from kokoromichi.core.providers.postgres import PostgresProvider
from kokoromichi.core.transactions import Committed
from tests.contract.stored import change, user, with_counter
from tests.servers.postgres import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Iterator

KILLS: Final = int(os.environ.get("KOKORO_PG_KILLS", "3"))  # noqa: TID251 - the campaign's size
SEED: Final = int(os.environ.get("KOKORO_PG_SEED", "7"))  # noqa: TID251 - the campaign's course
PLAYERS: Final = 20
HUNG_S: Final = 240.0
"""A machine that is shared says nothing about a provider by being slow."""
STOCK: Final = 10_000_000


class Load:
    """Players who buy without a pause, each one act after the other, and what they were told.

    Attributes:
        acknowledged: Request ids that were answered.
        refused: Request ids of which the storage said that nothing happened.
        unknown: How often the outcome was unknown at first.
    """

    def __init__(self, patient: PostgresProvider, hasty: PostgresProvider) -> None:
        self._providers = (patient, hasty)
        self.acknowledged: set[str] = set()
        self.refused: set[str] = set()
        self.unknown = 0
        self.over = False

    async def play(self, number: int) -> None:
        """Buy until it is over; half of the players wait for the server, the others ask themselves."""
        provider = self._providers[number % 2]
        version = act = 0
        while not self.over:
            act += 1
            if await self._buy(provider, f"p{number}", version, f"p{number}:{act}"):
                version += 1

    async def _buy(self, provider: PostgresProvider, user_id: str, version: int, request_id: str) -> bool:
        after = 5 * (version + 1)
        row = Movement("sale", "gold", 5, after, "x", 1)
        taken = (CounterChange("buyers.x", -1),) if version % 3 == 0 else ()
        bought = change(
            user(user_id, version, row),
            counters=taken,
            request_id=request_id,
            digest="buy",
            answer=(after, 0),
        )
        known = False
        while True:
            try:
                answer = await provider.apply(bought)
            except CommitUnknownError:  # noqa: PERF203 - asking again is what the error asks for
                self.unknown += 1
                known = True
            except StorageError:
                if known:  # It may have happened at the first try: only an answer settles it.
                    continue
                self.refused.add(request_id)
                await asyncio.sleep(0.01)
                return False
            else:
                assert answer == Committed(after, 0)
                self.acknowledged.add(request_id)
                return True


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    own = PostgresServer()
    own.start()
    yield own
    own.remove()


async def test_what_was_acknowledged_survives_every_kill_once(server: PostgresServer) -> None:
    chance = Random(SEED)  # noqa: S311 - no secret
    patient = PostgresProvider(server.url, pool_size=(2, 10), patience_s=60)
    hasty = PostgresProvider(server.url, pool_size=(2, 10), patience_s=0.3)
    async with patient, hasty:
        await with_counter(patient, "buyers.x", STOCK)
        load = Load(patient, hasty)
        players = [asyncio.create_task(load.play(number)) for number in range(PLAYERS)]
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(0.05, 0.4))
            server.kill()
            await asyncio.sleep(chance.uniform(0, 0.6))
            await asyncio.to_thread(server.start)
        while len(load.acknowledged) <= KILLS * PLAYERS:  # noqa: ASYNC110 - the load tells nobody
            await asyncio.sleep(0.05)
        load.over = True
        await asyncio.wait_for(asyncio.gather(*players), HUNG_S)
        await check(patient, load)


async def check(provider: PostgresProvider, load: Load) -> None:
    ledger = (await read_ledger(provider)).filter(kind="sale")
    times = Counter(ledger["request_id"].to_list())
    assert load.acknowledged - times.keys() == set(), "acknowledged and lost"
    assert {request_id for request_id, count in times.items() if count > 1} == set(), "doubled"
    assert load.refused & times.keys() == set(), "refused, and happened"
    assert times.keys() - load.acknowledged == set(), "happened, and never answered"
    assert len(load.acknowledged) > KILLS * PLAYERS
    taken = 0
    for number in range(PLAYERS):
        profile = await provider.profile(f"p{number}")
        bought = sum(request_id.startswith(f"p{number}:") for request_id in load.acknowledged)
        assert profile is not None
        assert (profile.gold, profile.version, profile.inventory) == (5 * bought, bought, {"x": bought})
        taken += -(-bought // 3)
    assert await provider.counters() == {"buyers.x": STOCK - taken}
    report = await audit_provider(provider)
    assert report.sound, str(report)
