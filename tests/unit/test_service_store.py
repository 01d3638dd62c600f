"""Buying, selling, giving and looking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kokoromichi.core.errors import MisuseError, RefusedError, StorageError
from kokoromichi.services.bundle import Services
from kokoromichi.services.receipts import GiftReceipt, PurchaseReceipt, SaleReceipt
from tests.contract.stored import Row, entries, stored
from tests.unit.passing_providers import PassingProvider
from tests.unit.service_world import ECONOMY, World

if TYPE_CHECKING:
    from kokoromichi.core.models import AnswerT, ChangeSet


async def test_a_purchase_costs_the_price_shown_and_adds_to_what_is_held() -> None:
    world = await World.open()
    await world.player("ada", gold=10_000, items={"ema_plaque": 1})
    shown = next(item for item in await world.services.store.view_store() if item.item_id == "ema_plaque")
    receipt = await world.services.store.purchase("ada", "ema_plaque", 3)
    assert receipt == PurchaseReceipt("ema_plaque", 3, 3 * shown.price_gold, 7_000, 4)
    profile = await world.profile("ada")
    assert (profile.gold, profile.inventory, profile.version) == (7_000, {"ema_plaque": 4}, 2)
    assert await world.booked("ada") == [Row("purchase", "ada", "gold", -3_000, 7_000, "ema_plaque", 3)]
    assert (await entries(world.provider, "ada"))[-1].book == "purchases"


async def test_one_unit_is_bought_where_no_quantity_is_given() -> None:
    world = await World.open()
    assert (await world.services.store.purchase("ada", "health_potion")).quantity == 1


async def test_the_last_gold_and_the_last_unit_under_the_limit_can_be_spent() -> None:
    world = await World.open()
    await world.player("ada", gold=5_000)
    receipt = await world.services.store.purchase("ada", "ema_plaque", 5)
    assert (receipt.gold, receipt.owned) == (0, 5)


async def test_limited_stock_falls_by_what_is_sold_and_is_shown() -> None:
    world = await World.open()
    await world.services.store.purchase("ada", "lucky_charm", 2)
    assert (await world.provider.counters())["stock.lucky_charm"] == 3
    shown = {item.item_id: item.stock for item in await world.services.store.view_store()}
    assert shown["lucky_charm"] == 3
    assert shown["health_potion"] is None
    await world.services.store.sell("ada", "lucky_charm", 2)
    assert (await world.provider.counters())["stock.lucky_charm"] == 3  # What is sold back is not sold again.


async def test_a_sale_pays_40_percent_of_each_unit_rounded_down() -> None:
    economy = ECONOMY.with_values({"store.ema_plaque.price_gold": 1_004})
    world = await World.open(economy=economy)
    await world.player("ada", gold=7, items={"ema_plaque": 3})
    assert await world.services.store.sell("ada", "ema_plaque", 2) == SaleReceipt(
        "ema_plaque", 2, 802, 809, 1
    )
    assert await world.services.store.sell("ada", "ema_plaque") == SaleReceipt("ema_plaque", 1, 401, 1_210, 0)
    assert (await world.profile("ada")).inventory == {}
    assert await world.booked("ada") == [
        Row("sale", "ada", "gold", 802, 809, "ema_plaque", -2),
        Row("sale", "ada", "gold", 401, 1_210, "ema_plaque", -1),
    ]


@pytest.mark.parametrize("item_id", ECONOMY.config.store)
async def test_buying_and_selling_back_loses_60_percent(item_id: str) -> None:
    world = await World.open()
    await world.player("ada", gold=100_000)
    await world.services.store.purchase("ada", item_id)
    await world.services.store.sell("ada", item_id)
    price = ECONOMY.config.store[item_id].price_gold
    assert (await world.profile("ada")).gold == 100_000 - price + price * 40 // 100


async def test_a_gift_moves_units_with_one_row_for_each_side() -> None:
    world = await World.open()
    await world.player("ada", items={"ema_plaque": 4})
    await world.player("bo", items={"ema_plaque": 3})
    assert await world.services.store.gift("ada", "bo", "ema_plaque", 2) == GiftReceipt(
        "ema_plaque", 2, "bo", 2
    )
    assert (await world.profile("ada")).inventory == {"ema_plaque": 2}
    assert (await world.profile("bo")).inventory == {"ema_plaque": 5}
    assert await world.booked() == [
        Row("gift", "ada", item_id="ema_plaque", quantity=-2, counterparty="bo"),
        Row("gift", "bo", item_id="ema_plaque", quantity=2, counterparty="ada"),
    ]
    given = [entry for entry in await entries(world.provider) if entry.kind == "gift"]
    assert {entry.actor for entry in given} == {"ada"}
    assert len({entry.tx_id for entry in given}) == 1


async def test_the_references_call_answers_success_sentence_and_true_balance() -> None:
    """The first KoKoroMichi's store: whatever went wrong became "success, will sync later"."""
    store = (world := await World.open()).services.store
    assert await store.purchase_item("ada", "health_potion", 3) == (
        True,
        "Bought 3 x health_potion for 300 gold.",
        9_700,
    )
    assert await store.purchase_item("ada", "health_potion", 98) == (
        False,
        "Need 9,800 gold, have 9,700.",
        9_700,
    )
    assert await store.purchase_item("ada", "health_potion", -50) == (
        False,
        "The quantity must be a whole number that is offered; -50 is not.",
        9_700,
    )
    assert await store.purchase_item("ada", "nothing") == (False, "There is no item nothing.", 9_700)
    assert (await world.profile("ada")).gold == 9_700


async def test_the_references_call_tells_a_stranger_what_he_would_begin_with() -> None:
    world = await World.open()
    assert await world.services.store.purchase_item("zoe", "nothing") == (
        False,
        "There is no item nothing.",
        10_000,
    )
    assert await world.provider.profile("zoe") is None


async def test_the_references_call_repeats_its_answer_for_a_request_id() -> None:
    store = (world := await World.open()).services.store
    first = await store.purchase_item("ada", "ema_plaque", 2, request_id="r-1")
    assert await store.purchase_item("ada", "ema_plaque", 2, request_id="r-1") == first
    assert (await world.profile("ada")).gold == first[2] == 8_000


async def test_no_tuple_hides_a_misuse() -> None:
    world = await World.open()
    with pytest.raises(MisuseError):
        await world.services.store.purchase_item("../evil", "health_potion")


async def test_a_store_that_failed_is_heard() -> None:
    """The first KoKoroMichi: any exception becomes "success, will sync later"; the sync deletes the file."""

    class Broken(PassingProvider):
        async def apply(self, change: ChangeSet[AnswerT]) -> AnswerT:
            message = f"storage is unavailable, nothing was charged to {change.users[0].user_id}"
            raise StorageError(message)

    inner = await World.open()
    await inner.player("ada")
    before = await stored(inner.provider)
    store = Services(Broken(inner.provider), ECONOMY, inner.clock).store
    with pytest.raises(StorageError, match="nothing was charged to ada"):
        await store.purchase_item("ada", "health_potion")
    with pytest.raises(StorageError, match="nothing was charged to ada"):
        await store.purchase("ada", "health_potion")
    assert await stored(inner.provider) == before


async def test_the_store_is_shown_in_catalogue_order_by_shelf() -> None:
    store = (await World.open()).services.store
    shown = await store.view_store()
    assert [item.item_id for item in shown] == [item.id for item in ECONOMY.catalogue]
    charm = next(item for item in shown if item.item_id == "lucky_charm")
    assert (charm.price_gold, charm.stock, charm.limit, charm.category) == (1_500, 5, 3, "charm")
    potion = shown[0]
    assert (potion.item_id, potion.stock, potion.limit) == ("health_potion", None, None)
    assert {item.category for item in await store.view_store("gift")} == {"gift"}
    assert len(await store.view_store("gift")) == 4
    assert await store.view_store("weapon") == ()


async def test_an_inventory_is_shown_as_a_copy() -> None:
    world = await World.open()
    await world.player("ada", items={"ema_plaque": 2})
    held = await world.services.store.get_user_inventory("ada")
    assert held == {"ema_plaque": 2}
    held["ema_plaque"] = 99
    assert await world.services.store.get_user_inventory("ada") == {"ema_plaque": 2}
    assert await world.services.store.get_user_inventory("zoe") == {}
    assert await world.provider.profile("zoe") is None


async def test_a_price_of_another_economy_is_not_charged() -> None:
    world = await World.open()
    await world.services.reload(ECONOMY.with_values({"store.ema_plaque.price_gold": 1_100}))
    assert (await world.services.store.purchase("ada", "ema_plaque")).cost_gold == 1_100
    await world.player("bo", gold=1_000)
    with pytest.raises(RefusedError, match="Need 1,100 gold, have 1,000"):
        await world.services.store.purchase("bo", "ema_plaque")
