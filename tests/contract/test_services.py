"""The services over every provider: races, second clicks and the laws, as the bot will meet them."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.errors import MisuseError, RefusedError
from kokoromichi.core.kinds import KINDS
from kokoromichi.services.bundle import Services
from kokoromichi.services.receipts import PurchaseReceipt, RestockReceipt
from tests.contract.stored import Row, rows, stored
from tests.unit.passing_providers import PassingProvider
from tests.unit.service_world import DAY_S, ECONOMY, LOSE, ROOT, WIN, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence

    from kokoromichi.core.clock import ManualClock
    from kokoromichi.core.data_provider import DataProvider, Stream


async def outcomes(*acts: Awaitable[object]) -> Counter[str]:
    """What came of acts at the same moment: receipts by name, refusals by code; anything else is raised."""
    found: Counter[str] = Counter()
    for result in await asyncio.gather(*acts, return_exceptions=True):
        if isinstance(result, BaseException) and not isinstance(result, RefusedError):
            raise result
        found[result.code if isinstance(result, RefusedError) else type(result).__name__] += 1
    return found


async def test_gold_for_one_buys_one(provider: DataProvider, clock: ManualClock) -> None:
    """The first KoKoroMichi: 20 concurrent buys with gold for one: 20 successes, 1 item, 20 ledger rows."""
    world = await World.open(provider, clock=clock)
    await world.player("ada", gold=1_000)
    buys = [world.services.store.purchase("ada", "ema_plaque") for _ in range(20)]
    assert await outcomes(*buys) == {"PurchaseReceipt": 1, "too_poor": 19}
    profile = await world.profile("ada")
    assert (profile.gold, profile.inventory) == (0, {"ema_plaque": 1})
    assert await world.booked("ada") == [Row("purchase", "ada", "gold", -1_000, 0, "ema_plaque", 1)]


async def test_a_popular_item_is_sold_to_the_last_unit(provider: DataProvider, clock: ManualClock) -> None:
    world = await World.open(provider, clock=clock)
    buys = [world.services.store.purchase(f"p{number}", "lucky_charm") for number in range(20)]
    assert await outcomes(*buys) == {"PurchaseReceipt": 5, "out_of_stock": 15}
    assert (await provider.counters())["stock.lucky_charm"] == 0
    assert len(await provider.user_ids()) == 5
    assert (await audit_provider(provider)).sound


async def test_a_stock_that_was_never_put_on_the_shelf_is_said_at_once(
    provider: DataProvider, clock: ManualClock
) -> None:
    """Without ``start()`` no patience helps: it is no race that somebody else has won."""
    services = Services(provider, ECONOMY, clock)
    await services.daily.claim("ada")
    before = await stored(provider)
    for request_id in (None, "r-1"):
        with pytest.raises(MisuseError, match=r"stock\.lucky_charm is not on the shelf: await start\(\)"):
            await asyncio.wait_for(services.store.purchase("ada", "lucky_charm", request_id=request_id), 5)
    assert await stored(provider) == before
    await services.start()
    assert (await services.store.purchase("ada", "lucky_charm", request_id="r-1")).owned == 1


async def test_a_hot_player_sends_and_receives_every_unit_once(
    provider: DataProvider, clock: ManualClock
) -> None:
    """Red-DiscordBot's bank: ten withdrawals of 50 from 100 succeed; ten deposits of 10 give 20."""
    world = await World.open(provider, clock=clock)
    names = [f"p{number}" for number in range(10)]
    for name in names:
        await world.player(name, gold=20)
    await world.player("ada", gold=0)
    assert await outcomes(*(world.services.bank.transfer(name, "ada", 20) for name in names)) == {
        "TransferReceipt": 10
    }
    assert (await world.profile("ada")).gold == 190
    found = await outcomes(*(world.services.bank.transfer("ada", name, 100) for name in names))
    assert found == {"TransferReceipt": 1, "too_poor": 9}
    assert (await audit_provider(provider)).sound


async def test_a_second_click_at_the_same_moment_and_later(
    provider: DataProvider, clock: ManualClock
) -> None:
    world = await World.open(provider, clock=clock)
    store = world.services.store
    clicks = [store.purchase("ada", "lucky_charm", request_id="r-1") for _ in range(10)]
    assert set(await asyncio.gather(*clicks)) == {PurchaseReceipt("lucky_charm", 1, 1_500, 8_500, 1)}
    before = await stored(provider)
    restarted = Services(provider, ECONOMY, clock).store
    assert (await restarted.purchase("ada", "lucky_charm", request_id="r-1")).gold == 8_500
    assert await stored(provider) == before


async def test_a_week_is_restocked_once(provider: DataProvider, clock: ManualClock) -> None:
    world = await World.open(provider, clock=clock)
    await world.services.store.purchase("ada", "lucky_charm", 3)
    clock.advance(7 * DAY_S)
    answers = await asyncio.gather(*(world.services.store.restock() for _ in range(5)))
    assert [RestockReceipt("lucky_charm", 3, 5)] in answers
    assert (await provider.counters())["stock.lucky_charm"] == 5
    assert [row for row in await rows(provider) if row.kind == "restock"] == [
        Row("restock", "system", item_id="lucky_charm", quantity=3)
    ]


async def test_every_act_is_kept_and_the_books_balance(provider: DataProvider, clock: ManualClock) -> None:
    world = await World.open(provider, clock=clock)
    services = world.services
    await services.executor.open_account("bo")
    await services.executor.open_account("ada")
    await services.admin.grant("ada", "gold", 50_000, actor=ROOT, reason="a test")
    await services.admin.grant("ada", "gems", 500, actor=ROOT, reason="a test")
    await services.store.purchase("ada", "wooden_chest", 2)
    await services.store.purchase("ada", "health_potion", 3)
    await services.store.use("ada", "wooden_chest", draws=(LOSE,))
    await services.store.sell("ada", "wooden_chest")
    await services.store.gift("ada", "bo", "health_potion", 2)
    await services.daily.claim("ada")
    await services.bank.transfer("ada", "bo", 1_001)
    await services.bank.buy_gems("ada")
    await services.summon.summon("ada", 10, draws=[WIN] * 20)
    await services.battle.fight("ada", 1, draw=WIN)
    await services.progress.train("ada")
    await services.progress.invest("ada", "cafe")
    clock.advance(DAY_S)
    await services.progress.collect("ada")
    profile = await world.profile("ada")
    assert profile.inventory == {"health_potion": 1}
    assert (
        profile.gold == 10_000 + 50_000 - 1_800 - 300 + 2_700 + 360 + 1_000 - 1_001 - 4_000 + 30 - 100 - 9_750
    )
    assert profile.gems == 100 + 500 + 10 + 100 - 450
    assert (profile.collection, profile.pulls, profile.shards) == ({next(iter(profile.collection)): 1}, 10, 9)
    kinds = {row.kind for row in await rows(provider)}
    assert kinds == set(KINDS) - {"restock", "admin_act", "import", "correction"}
    report = await audit_provider(provider)
    assert report.sound, str(report)


async def test_another_process_follows_an_admins_price(provider: DataProvider, clock: ManualClock) -> None:
    world = await World.open(provider, clock=clock)
    other = Services(provider, ECONOMY, clock)
    await other.start()
    words = {"actor": ROOT, "reason": "a week"}
    asked = [
        world.ask("admin.set_price", item_id, price, **words)
        for item_id, price in (("ema_plaque", 1_300), ("lucky_charm", 2_000), ("health_potion", 120))
    ]
    await asyncio.gather(*asked)
    await other.overrides.follow()
    for services in (world.services, other):
        prices = {item.item_id: item.price_gold for item in await services.store.view_store()}
        assert [prices[name] for name in ("ema_plaque", "lucky_charm", "health_potion")] == [
            1_300,
            2_000,
            120,
        ]
    assert (await other.store.purchase("ada", "ema_plaque", expected_price_gold=1_300)).gold == 8_700
    third = Services(provider, ECONOMY, clock)
    await third.start()
    assert third.executor.live.offers == world.services.executor.live.offers


async def test_admins_acts_are_booked_once_and_the_laws_hold(
    provider: DataProvider, clock: ManualClock
) -> None:
    world = await World.open(provider, clock=clock)
    await world.services.store.purchase("ada", "lucky_charm", 2)
    before = len(await rows(provider))
    for _ in range(2):
        words = {"actor": ROOT, "reason": "a test"}
        await world.ask("admin.set_stock", "lucky_charm", 1, **words, request_id="r-1")
        await world.ask("admin.set_price", "ema_plaque", 1_300, **words, request_id="r-2")
        await world.ask("admin.freeze", "ada", **words, request_id="r-3")
        await world.ask("admin.reset", "ada", **words, request_id="r-4")
        await world.ask("admin.inspect", "audit", audit_provider, **words, request_id="r-5")
    assert (await rows(provider))[before:] == [
        Row("restock", "system", item_id="lucky_charm", quantity=-2),
        Row("admin_act", "system"),
        Row("admin_act", "ada"),
        Row("admin_act", "ada"),
        Row("grant", "ada", "gold", 3_000, 10_000),
        Row("grant", "ada", item_id="lucky_charm", quantity=-2),
        Row("admin_act", "system"),
    ]
    assert (await world.profile("ada")).frozen == 1
    assert await outcomes(world.services.daily.claim("ada")) == {"frozen": 1}
    report = await audit_provider(provider)
    assert report.sound, str(report)


async def test_what_was_paid_goes_with_the_units_on_every_store(
    provider: DataProvider, clock: ManualClock
) -> None:
    world = await World.open(provider, clock=clock)
    await world.player("bo")
    await provider.save_user("ada", {"inventory": {"a.$b": 1}, "paid_gold": {"a.$b": 7}})
    await world.services.admin.grant("ada", "gold", 1_000, actor=ROOT, reason="a prize")
    await world.services.store.purchase("ada", "flower_bouquet", 4)
    await world.services.store.gift("ada", "bo", "flower_bouquet")
    assert (await world.services.store.sell("ada", "flower_bouquet")).paid_gold == 80
    assert (await world.profile("ada")).paid_gold == {"a.$b": 7, "flower_bouquet": 400}
    assert (await world.profile("bo")).paid_gold == {"flower_bouquet": 200}


class Historian(PassingProvider):
    """Counts the rows of the economy's history."""

    written = 0

    async def append_observations(self, stream: Stream, rows: Sequence[Mapping[str, object]]) -> None:
        self.written += len(rows) if stream == "economy_history" else 0
        await super().append_observations(stream, rows)


async def test_the_same_numbers_are_written_into_the_history_once_and_others_anew(
    provider: DataProvider, clock: ManualClock
) -> None:
    historian = Historian(provider)
    await Services(historian, ECONOMY, clock).start()
    first = historian.written
    assert first > 0
    for _restart in range(3):
        await Services(historian, ECONOMY, clock).start()
    assert historian.written == first
    dearer = ECONOMY.with_values({"store.health_potion.price_gold": 101})
    await Services(historian, dearer, clock).start()
    assert historian.written == 2 * first
    await Services(historian, ECONOMY, clock).start()
    assert historian.written == 3 * first
