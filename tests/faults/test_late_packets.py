"""A packet that arrives after its sender was told no: a refusal in doubt has fenced its request id first."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.errors import (
    CommitUnknownError,
    FloorError,
    RefusedError,
    RequestFencedError,
    RequestMismatchError,
)
from kokoromichi.core.models import ChangeSet, CounterChange, Movement, UserChange
from kokoromichi.core.providers.mongo import MongoDBProvider
from kokoromichi.core.providers.mongo.outcomes import Outcomes
from kokoromichi.core.providers.postgres import PostgresProvider
from kokoromichi.core.transactions import Committed
from kokoromichi.core.validation import digest_of
from kokoromichi.rules import codes
from kokoromichi.rules.economy import load_economy
from kokoromichi.services.executor import CommandExecutor
from kokoromichi.services.live_economy import LiveEconomy
from kokoromichi.services.refusals import refused
from tests.contract.stored import NOON_US, change, money, user, with_counter, with_player
from tests.faults.mongo_stores import HURRIED, failing
from tests.servers.late import LateNetwork
from tests.servers.mongo import fresh_database
from tests.servers.postgres import fresh_schema, server_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.models import UserProfile

PRICE_GOLD = 1_500
ECONOMY = Path(__file__).parents[2] / "data"


@pytest.fixture
async def network() -> AsyncIterator[LateNetwork]:
    async with LateNetwork(server_url()) as between:
        yield between


@pytest.fixture
async def provider(network: LateNetwork) -> AsyncIterator[PostgresProvider]:
    """A shop with two units on the shelf, and ada with 2,000 gold."""
    store = PostgresProvider(network.url, schema=fresh_schema(), pool_size=(1, 8), patience_s=1.0)
    async with store:
        await with_counter(store, "stock.x", 2)
        await with_player(store, "ada", gold=2_000)
        yield store


def five(request_id: str | None = "r-late", version: int = 1) -> ChangeSet[Committed]:
    """Five units are bought."""
    row = money(-PRICE_GOLD, 500, "fee")
    counters = (CounterChange("stock.x", -5),)
    return change(user("ada", version, row), counters=counters, request_id=request_id, digest="five")


async def restock(store: DataProvider) -> None:
    await store.apply(change(counters=(CounterChange("stock.x", 10),)))


async def gold(store: DataProvider) -> int:
    profile = await store.profile("ada")
    assert profile is not None
    return profile.gold


@pytest.mark.parametrize("crowd", [0, 3])
async def test_who_was_told_no_is_not_charged_by_what_arrives_late(
    provider: PostgresProvider, network: LateNetwork, crowd: int
) -> None:
    network.keeps = b'"r-late"'
    first = [
        asyncio.create_task(provider.apply(change(user(f"p{number}", 0)))) for number in range(bool(crowd))
    ]
    await asyncio.sleep(0)  # Whoever comes behind it shares the next call.
    others = [change(user(f"q{number}", 0, money(1, 1))) for number in range(crowd)]
    told, *done = await asyncio.gather(
        provider.apply(five()), *map(provider.apply, others), return_exceptions=True
    )
    assert isinstance(told, FloorError)
    assert told.available == 2
    assert done == [Committed(0, 0)] * crowd
    await asyncio.gather(*first)
    await restock(provider)
    await network.deliver()
    assert await gold(provider) == 2_000
    assert (await provider.counters())["stock.x"] == 12
    with pytest.raises(RequestFencedError, match=r"r-late was refused, .*: take a fresh one"):
        await provider.get_response("r-late", "five")
    with pytest.raises(RequestMismatchError):
        await provider.apply(five())
    assert await provider.apply(five("r-fresh")) == Committed(0, 0)
    assert (await audit_provider(provider)).sound


async def test_a_packet_without_an_id_of_a_caller_arrives_late_in_vain_too(
    provider: PostgresProvider, network: LateNetwork
) -> None:
    network.keeps = b"stock.x"
    with pytest.raises(FloorError):
        await provider.apply(five(None))
    await restock(provider)
    await network.deliver()
    assert await gold(provider) == 2_000


async def test_what_is_stored_cannot_be_fenced(provider: PostgresProvider) -> None:
    await restock(provider)
    assert await provider.apply(five("r-stored")) == Committed(0, 0)
    assert await provider.fence("r-stored", "five") == Committed(0, 0)
    with pytest.raises(RequestMismatchError):
        await provider.fence("r-stored", "another act")
    assert await gold(provider) == 500


class Shop:
    """Sells five units where there are as many; it says no by itself, before the store is asked."""

    def __init__(self, store: DataProvider) -> None:
        self._store = store
        self.executor = CommandExecutor(store, LiveEconomy(load_economy(ECONOMY)))
        self.left = 5

    def _decide(
        self, profile: UserProfile, _at_us: int, _arguments: Sequence[str | int]
    ) -> ChangeSet[Committed]:
        if self.left < 5:
            raise refused(codes.OUT_OF_STOCK, self.left)
        row = Movement("fee", "gold", -PRICE_GOLD, profile.gold - PRICE_GOLD)
        return ChangeSet(NOON_US, (UserChange("ada", profile.version, (row,)),), Committed(500, 0))

    async def buy(self) -> Committed:
        """Ada buys five."""
        return await self.executor.act("five", "ada", (), self._decide, "r-late")


async def test_a_service_that_says_no_to_a_retry_has_fenced_what_it_sent(
    provider: PostgresProvider, network: LateNetwork
) -> None:
    """The first packet is late, the server is away until the patience ends, and then another bought all."""
    shop = Shop(provider)
    network.keeps = b'"r-late"'
    buying = asyncio.create_task(shop.buy())
    await network.lost.wait()
    network.down = True
    with pytest.raises(CommitUnknownError):
        await buying
    network.down = False
    shop.left = 2
    with pytest.raises(RefusedError, match="2 left"):
        await shop.buy()
    await network.deliver()
    assert await gold(provider) == 2_000
    with pytest.raises(RequestFencedError):
        await shop.buy()


async def test_a_service_that_would_say_no_finds_what_has_arrived_meanwhile(
    provider: PostgresProvider, network: LateNetwork
) -> None:
    shop = Shop(provider)
    network.keeps = b'"r-late"'
    buying = asyncio.create_task(shop.buy())
    await network.lost.wait()
    network.down = True
    with pytest.raises(CommitUnknownError):
        await buying
    await network.deliver()
    network.down = False
    shop.left = 2
    assert await shop.buy() == Committed(500, 0)
    assert await gold(provider) == 500
    assert await provider.fence("r-late", digest_of("five", "ada", ())) == Committed(500, 0)


class Outpaced(Outcomes):
    """Between two tries another process buys all but two units."""

    async def abort_orphan(self) -> None:
        await self._driver.collection("counters").update_one({"_id": "stock.x"}, {"$set": {"value": 2}})
        await super().abort_orphan()


async def test_on_mongodb_a_refusal_in_doubt_spends_its_id_too() -> None:
    async with MongoDBProvider(fresh_database() + HURRIED, patience_s=3.0) as store:
        await with_counter(store, "stock.x", 5)
        await with_player(store, "ada", gold=2_000)
        store._commits._outcomes = Outpaced(store._driver)  # noqa: SLF001 - another process asks nobody
        with failing({"times": 1}, "commitTransaction", errorCode=251), pytest.raises(FloorError):
            await store.apply(five())
        await restock(store)
        with pytest.raises(RequestFencedError):
            await store.get_response("r-late", "five")
        with pytest.raises(RequestMismatchError):
            await store.apply(five())
        assert await gold(store) == 2_000
        assert await store.fence("r-late", "five") is None
        assert await store.apply(five("r-fresh")) == Committed(0, 0)
        assert await store.fence("r-fresh", "five") == Committed(0, 0)
