"""How fast purchases reach MongoDB: ratios to bare driver calls of the same transaction.

The bare calls are what a program without this package would send: Motor on the same server, one
transaction of a conditional update of the player, one of the stock, the request id and the ledger row. In
the second comparison purchases go through the store's service; its two reads (request id, player) the
bare side does as well. Each caller buys for another player, and another item where it is limited, since
bare calls would abort one another. Both sides take turns, and the median of the turns' ratios counts.
Then the export of a ledger as polars frames against reading the same rows with a bare cursor, and the
memory that it takes.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import TYPE_CHECKING, Any, Final

from _memory import forget_peak, peak_mb
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from kokoromichi.core.counters import stock_counter
from kokoromichi.core.models import ChangeSet, CounterChange, Movement, UserChange, UserProfile
from kokoromichi.core.providers.mongo import MongoDBProvider
from kokoromichi.core.transactions import Committed
from kokoromichi.rules.economy import load_economy
from kokoromichi.services.bundle import Services
from kokoromichi.settings import shipped_folder
from tests.servers.mongo import MongoServer, fresh_database

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

CALLERS: Final = (1, 8)
START_US: Final = 1_767_571_200_000_000
GOLD: Final = 10**9
PRICE_GOLD: Final = 30
DIGEST: Final = "0" * 32


def purchase(caller: str, bought: int) -> ChangeSet[Committed]:
    """The next purchase of a caller who has bought so often; each buys an item of its own."""
    gold = GOLD - PRICE_GOLD * (bought + 1)
    row = Movement("purchase", "gold", -PRICE_GOLD, gold, f"item-{caller}", 1)
    return ChangeSet(
        START_US + bought,
        (UserChange(caller, bought + 1, (row,)),),
        Committed(gold, 0),
        (CounterChange(stock_counter(f"item-{caller}"), -1),),
        request_id=f"{caller}.{bought}",
        digest=DIGEST,
    )


class Bare:
    """The same transaction in a program that knows nothing of us.

    Args:
        uri: The server and a database of its own.
        reads: Whether request id and player are read first, as a service does.
    """

    def __init__(self, uri: str, *, reads: bool) -> None:
        self._client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(uri, maxPoolSize=20)
        self._reads = reads
        database = self._client.get_default_database()
        durable = WriteConcern("majority", j=True)
        self._users, self._counters, self._requests, self.ledger = (
            database.get_collection(name, read_concern=ReadConcern("majority"), write_concern=durable)
            for name in ("users", "counters", "requests", "ledger_purchases")
        )

    async def prepare(self, caller: str) -> None:
        """Store a player, and a stock; the ledger has the index of ours."""
        await self.ledger.create_index([("user_id", 1), ("_id", -1)])
        await self._requests.create_index([("at_us", 1)])
        fields = {**UserProfile(user_id=caller).document(), "version": 1, "gold": GOLD, "inventory": []}
        await self._users.insert_one({"_id": caller, **fields})
        await self._counters.insert_one({"_id": f"item-{caller}", "value": 10**9})

    async def buy(self, caller: str, bought: int) -> None:
        """One purchase."""
        tx_id = f"{START_US + bought:016d}-{caller}"
        if self._reads:
            assert await self._requests.find_one({"_id": tx_id}) is None
            assert await self._users.find_one({"_id": caller}) is not None
        after = {
            "version": bought + 2,
            "gold": GOLD - PRICE_GOLD * (bought + 1),
            "inventory": [{"item": f"item-{caller}", "units": bought + 1}],
        }
        row = {
            "_id": tx_id,
            "tx_id": tx_id,
            "at_us": START_US + bought,
            "kind": "purchase",
            "user_id": caller,
            "actor": caller,
            "request_id": tx_id,
            "currency": "gold",
            "amount": -PRICE_GOLD,
            "balance_after": after["gold"],
            "item_id": f"item-{caller}",
            "quantity": 1,
        }
        stock = {"_id": f"item-{caller}", "value": {"$gte": 1}}
        request = {"_id": tx_id, "digest": DIGEST, "answer": "{}", "at_us": START_US, "tx_id": tx_id}
        session = await self._client.start_session()
        try:
            session.start_transaction(ReadConcern("snapshot"), WriteConcern("majority", j=True))
            sold = await self._counters.update_one(stock, {"$inc": {"value": -1}}, session=session)
            player = {"_id": caller, "version": bought + 1}
            paid = await self._users.update_one(player, {"$set": after}, session=session)
            assert (sold.matched_count, paid.matched_count) == (1, 1)
            await self._requests.insert_one(request, session=session)
            await self.ledger.insert_one(row, session=session)
            await session.commit_transaction()
        finally:
            await session.end_session()

    def close(self) -> None:
        """Disconnect."""
        self._client.close()


class Side:
    """Callers who buy one purchase after the other, for a while at a time.

    Args:
        buy: One purchase of a caller who has bought so often.
        callers: How many there are at once.
    """

    def __init__(self, buy: Callable[[str, int], Awaitable[object]], callers: int) -> None:
        self._buy = buy
        self._bought = dict.fromkeys(players(callers), 0)

    async def rate(self, seconds: float) -> float:
        """Purchases a second of the next while."""
        before = sum(self._bought.values())
        began = time.perf_counter()
        await asyncio.gather(*(self._shop(caller, began + seconds) for caller in self._bought))
        return (sum(self._bought.values()) - before) / (time.perf_counter() - began)

    async def _shop(self, caller: str, end: float) -> None:
        while time.perf_counter() < end:
            await self._buy(caller, self._bought[caller])
            self._bought[caller] += 1


def players(callers: int) -> list[str]:
    """The callers' names."""
    return [f"p{number}" for number in range(callers)]


async def turns(
    server: MongoServer, callers: int, rounds: int, seconds: float, *, served: bool
) -> list[tuple[float, float]]:
    """Purchases a second of ours and of the bare driver, by turns; ``served``: ours through the service."""
    bare = Bare(fresh_database(server.uri), reads=served)
    async with MongoDBProvider(fresh_database(server.uri)) as provider:
        for name in players(callers):
            await bare.prepare(name)
            opened = UserChange(name, 0, (Movement("grant", "gold", GOLD, GOLD),))
            stock = CounterChange(stock_counter(f"item-{name}"), 10**9, creates=True)
            await provider.apply(ChangeSet(START_US, (opened,), Committed(GOLD, 0), (stock,)))
        store = Services(provider, load_economy(shipped_folder("data"))).store

        def buy(caller: str, bought: int) -> Awaitable[object]:
            if served:
                return store.purchase(caller, "health_potion", request_id=f"{caller}.{bought}")
            return provider.apply(purchase(caller, bought))

        ours, theirs = Side(buy, callers), Side(bare.buy, callers)
        await ours.rate(seconds)
        await theirs.rate(seconds)
        found = [(await ours.rate(seconds), await theirs.rate(seconds)) for _ in range(rounds)]
    bare.close()
    return found


async def commits(server: MongoServer, rounds: int, seconds: float) -> dict[str, float]:
    """The medians of both sides, and of the rounds' ratios."""
    found: dict[str, float] = {}
    for what, served in (("change", False), ("service", True)):
        for callers in CALLERS:
            pairs = await turns(server, callers, rounds, seconds, served=served)
            ratio = statistics.median(ours / bare for ours, bare in pairs)
            ours, bare = (statistics.median(side) for side in zip(*pairs, strict=True))
            print(f"  {what} at {callers} callers: {ours:5.0f}/s   bare {bare:5.0f}/s   ratio {ratio:.2f}")
            found |= {
                f"{what}_{callers}_per_s": round(ours),
                f"{what}_{callers}_bare_per_s": round(bare),
                f"{what}_{callers}_to_bare": round(ratio, 3),
            }
    return found


async def export(server: MongoServer, rows: int) -> dict[str, float]:
    """Seconds of both sides, and the memory that the export added."""
    uri = fresh_database(server.uri)
    async with MongoDBProvider(
        f"{uri}?socketTimeoutMS=120000"
    ) as provider:  # The stand-in sorts a book whole.
        bare = Bare(uri, reads=False)
        for first in range(0, rows, 10_000):
            await bare.ledger.insert_many([_row(number) for number in range(first, first + 10_000)])
        began = time.perf_counter()
        found = 0
        async for _ in bare.ledger.find({}, batch_size=10_000).sort("_id", 1):
            found += 1
        bare_s = time.perf_counter() - began
        before_mb = forget_peak()
        began = time.perf_counter()
        ours = sum([frame.height async for frame in provider.ledger_frames()])
        ours_s = time.perf_counter() - began
        added_mb = peak_mb() - before_mb
        assert ours == found == rows
        bare.close()
    print(f"  export of {rows:,} rows: {ours_s:.2f} s   bare cursor {bare_s:.2f} s   added {added_mb:.0f} MB")
    return {
        "export_rows": rows,
        "export_s": round(ours_s, 2),
        "export_bare_s": round(bare_s, 2),
        "export_added_mb": round(added_mb),
    }


def _row(number: int) -> dict[str, Any]:
    player, tx_id = f"p{number % 5_000:05d}", f"{START_US + number:016d}-0"
    return {
        "_id": f"{START_US + number:016d}-{tx_id}-000000",
        "tx_id": tx_id,
        "at_us": START_US + number,
        "kind": "purchase",
        "user_id": player,
        "actor": player,
        "request_id": f"~{tx_id}",
        "currency": "gold",
        "amount": -PRICE_GOLD,
        "balance_after": 1_000,
        "item_id": "lucky_charm",
        "quantity": 1,
    }


def measured(rounds: int, seconds: float, rows: int) -> dict[str, float]:
    """Both parts, on a server of their own."""
    server = MongoServer()
    try:
        server.start()
        return asyncio.run(commits(server, rounds, seconds)) | asyncio.run(export(server, rows))
    finally:
        server.remove()
