"""An admin's prices: what is shown is charged, laws hold, a reload ends them, a restart does not."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import polars as pl
import pytest

from kokoromichi.core.clock import ManualClock
from kokoromichi.core.errors import RefusedError, StorageError
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.schemas import ECONOMY_HISTORY_SCHEMA
from kokoromichi.rules.findings import Finding
from kokoromichi.services.bundle import Services
from kokoromichi.services.overrides import SECTION
from kokoromichi.services.receipts import PriceReceipt
from tests.contract.stored import NOON_US, entries
from tests.unit.passing_providers import PassingProvider
from tests.unit.service_world import ECONOMY, ROOT, World

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from kokoromichi.core.documents import Document

PLAQUE = "ema_plaque"
LISTED = 1_000


def set_price(
    services: Services, price_gold: int | None, item_id: str = PLAQUE, request_id: str | None = None
) -> Awaitable[PriceReceipt]:
    return services.admin.set_price(item_id, price_gold, actor=ROOT, reason="a week", request_id=request_id)


async def shown(services: Services, item_id: str = PLAQUE) -> int:
    return {item.item_id: item.price_gold for item in await services.store.view_store()}[item_id]


async def test_the_price_that_is_shown_is_charged_and_paid_back_by_its_share() -> None:
    world = await World.open()
    await world.player("ada")
    receipt = await set_price(world.services, 1_200)
    assert receipt == PriceReceipt(PLAQUE, 1_200, LISTED, NOON_US)
    assert await shown(world.services) == 1_200
    assert (await world.services.store.purchase("ada", PLAQUE, 2)).cost_gold == 2_400
    assert (await world.services.store.sell("ada", PLAQUE)).paid_gold == 480
    assert (await set_price(world.services, None)).price_gold == LISTED
    assert await shown(world.services) == LISTED
    acts = [row for row in await entries(world.provider) if row.kind == "admin_act"]
    assert [(row.user_id, row.actor, row.reason) for row in acts] == [
        ("system", "root", "price of ema_plaque 1200: a week"),
        ("system", "root", "price of ema_plaque as listed: a week"),
    ]


async def test_each_change_is_in_the_history() -> None:
    world = await World.open()
    await set_price(world.services, 1_200)
    await set_price(world.services, None)
    assert isinstance(world.provider, MemoryProvider)
    history = pl.DataFrame(world.provider.observations("economy_history"), ECONOMY_HISTORY_SCHEMA)
    prices = history.filter(measure="price_gold", key=PLAQUE)
    assert prices["value"].to_list() == [LISTED, 1_200, LISTED]
    assert prices["economy_hash"].to_list()[::2] == [ECONOMY.hash] * 2
    assert prices["economy_hash"][1] != ECONOMY.hash


async def test_a_price_that_was_shown_is_charged_or_none() -> None:
    world = await World.open()
    await world.player("ada")
    buy = world.services.store.purchase
    assert (await buy("ada", PLAQUE, expected_price_gold=LISTED, request_id="r-1")).cost_gold == LISTED
    await set_price(world.services, 1_200)
    with pytest.raises(
        RefusedError, match=r"The price is 1,200 gold now, not the 1,000 that you were shown\."
    ):
        await buy("ada", PLAQUE, expected_price_gold=LISTED)
    assert (await world.profile("ada")).gold == 9_000
    # What was paid before is answered as it was.
    assert (await buy("ada", PLAQUE, expected_price_gold=LISTED, request_id="r-1")).cost_gold == LISTED
    assert (await buy("ada", PLAQUE, expected_price_gold=1_200)).gold == 7_800


class Unhurried(MemoryProvider):
    """Stands for a database: whoever reads a section lets others go first."""

    async def get_game_data(self, section: str) -> Document | None:
        found = await super().get_game_data(section)
        await asyncio.sleep(0)
        return found


async def test_two_processes_that_set_prices_at_once_lose_neither() -> None:
    provider = Unhurried(ManualClock(NOON_US))
    here, there = (Services(provider, ECONOMY, ManualClock(NOON_US)) for _ in range(2))
    for services in (here, there):
        await services.start()
    await asyncio.gather(set_price(here, 1_200), set_price(there, 120, "health_potion"))
    for services in (here, there, here):
        await services.overrides.follow()
    for services in (here, there):
        assert (await shown(services), await shown(services, "health_potion")) == (1_200, 120)


async def test_a_lost_price_that_breaks_a_law_beside_another_one_stays_lost(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = MemoryProvider(ManualClock(NOON_US))
    here, there = (Services(provider, ECONOMY, ManualClock(NOON_US)) for _ in range(2))
    for services in (here, there):
        await services.start()
    await set_price(there, 120, "health_potion")
    written = await provider.get_game_data(SECTION)
    assert written is not None
    await set_price(here, 1_200)
    await provider.save_game_data(SECTION, written)  # By the other one, who had not read it yet.
    unsound = Finding("economy.toml", "store.ema_plaque.price_gold", "1200", "resale", "too dear")
    monkeypatch.setattr(here.overrides, "findings", lambda prices: [unsound] if len(prices) > 1 else [])
    for _ in range(2):
        await here.overrides.follow()
    assert "do not go with its own" in caplog.text
    assert (await shown(here), await shown(here, "health_potion")) == (LISTED, 120)


async def test_a_reload_elsewhere_ends_young_words_too() -> None:
    provider = MemoryProvider(ManualClock(NOON_US))
    here, there = (Services(provider, ECONOMY, ManualClock(NOON_US)) for _ in range(2))
    for services in (here, there):
        await services.start()
    await set_price(here, 1_200)
    await there.overrides.renew(ECONOMY, NOON_US + 1)
    for services in (here, there, here):
        await services.overrides.follow()
    assert (await shown(here), await shown(there)) == (LISTED, LISTED)


async def test_prices_outlive_the_process_and_end_with_a_reload() -> None:
    world = await World.open()
    await set_price(world.services, 1_200)
    await set_price(world.services, 3_000, "lucky_charm")
    again = await World.open(world.provider, clock=world.clock)
    assert [await shown(again.services), await shown(again.services, "lucky_charm")] == [1_200, 3_000]
    await again.services.reload(ECONOMY)
    assert [await shown(again.services), await shown(again.services, "lucky_charm")] == [LISTED, 1_500]
    third = await World.open(world.provider, clock=world.clock)
    assert await shown(third.services) == LISTED


async def test_prices_over_another_economy_are_void(caplog: pytest.LogCaptureFixture) -> None:
    world = await World.open()
    await set_price(world.services, 1_200)
    other = ECONOMY.with_values({"store.ema_plaque.price_gold": 2_000})
    with caplog.at_level(logging.WARNING):
        upgraded = await World.open(world.provider, other, world.clock)
        await upgraded.services.overrides.follow()
    assert await shown(upgraded.services) == 2_000
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert warnings == [
        (
            f"an admin's prices are of economy {ECONOMY.hash}, and this process runs {other.hash}: "
            "they are void here"
        )
    ]


async def test_a_second_click_changes_nothing_also_after_later_words() -> None:
    world = await World.open()
    first = await set_price(world.services, 1_200, request_id="r-1")
    world.clock.advance(1)
    await set_price(world.services, 1_500, request_id="r-2")
    assert await set_price(world.services, 1_200, request_id="r-1") == first
    assert await shown(world.services) == 1_500
    world.clock.advance(-3_600)
    await set_price(world.services, 1_300)  # By a clock that was put back: the later word still holds.
    assert await shown(world.services) == 1_300
    world.clock.advance(7_200)
    await world.services.reload(ECONOMY)
    assert (await set_price(world.services, 1_500, request_id="r-2")).price_gold == 1_500
    assert await shown(world.services) == LISTED


class Failing(PassingProvider):
    """Loses its connection with the next section that is saved."""

    fails = False

    async def save_game_data(self, section: str, document: Document) -> None:
        if self.fails:
            self.fails = False
            message = "away"
            raise StorageError(message)
        await super().save_game_data(section, document)


async def test_a_price_that_was_booked_and_not_set_is_completed_by_the_same_request() -> None:
    inner = await World.open()
    failing = Failing(inner.provider)
    world = await World.open(failing, clock=inner.clock)
    failing.fails = True
    with pytest.raises(StorageError, match="away"):
        await set_price(world.services, 1_200, request_id="r-1")
    assert await shown(world.services) == LISTED
    assert (await set_price(world.services, 1_200, request_id="r-1")).price_gold == 1_200
    assert await shown(world.services) == 1_200
    acts = [row for row in await entries(world.provider) if row.kind == "admin_act"]
    assert len(acts) == 1


@pytest.mark.parametrize(
    "document",
    [
        {"prices": {PLAQUE: 5}},
        {"economy_hash": ECONOMY.hash, "prices": {PLAQUE: {"price_gold": 0, "at_us": 1}}},
        {"economy_hash": ECONOMY.hash, "prices": {PLAQUE: {"price_gold": 5.5, "at_us": 1}}},
        {"economy_hash": ECONOMY.hash, "prices": {"wooden_chest": {"price_gold": 20, "at_us": 1}}},
        {"economy_hash": ECONOMY.hash, "surprise": 1},
    ],
)
async def test_a_section_that_another_hand_has_spoiled_sets_no_price(document: Document) -> None:
    world = await World.open()
    await set_price(world.services, 1_200)
    await world.provider.save_game_data(SECTION, document)
    with pytest.raises(StorageError, match="section 'overrides'"):
        await world.services.overrides.follow()
    assert await shown(world.services) == 1_200
    with pytest.raises(StorageError, match="section 'overrides'"):
        await World.open(world.provider, clock=world.clock)


async def test_an_item_that_a_later_economy_no_longer_sells_has_no_price() -> None:
    world = await World.open()
    await world.provider.save_game_data(
        SECTION, {"economy_hash": ECONOMY.hash, "prices": {"gone": {"price_gold": 7, "at_us": 1}}}
    )
    await world.services.overrides.follow()
    assert world.services.executor.live.economy.hash == ECONOMY.hash
