"""What was paid goes where the units go: bought, sold, used, given, granted, and of unknown origin."""

from __future__ import annotations

import pytest

from kokoromichi.core.errors import RefusedError
from tests.contract.stored import NOON_US
from tests.unit.service_world import ECONOMY, LOSE, ROOT, WIN, World

BOUQUET = "flower_bouquet"
PLAQUE = "ema_plaque"


async def price(world: World, item_id: str, price_gold: int | None) -> None:
    await world.services.admin.set_price(item_id, price_gold, actor=ROOT, reason="a week")


async def grant(world: World, item_id: str, units: int) -> None:
    await world.services.admin.grant("ada", item_id, units, actor=ROOT, reason="a prize")


async def paid(world: World, user_id: str = "ada") -> dict[str, int]:
    return (await world.profile(user_id)).paid_gold


async def test_units_bought_cheaply_are_sold_at_their_share_of_what_was_paid() -> None:
    world = await World.open()
    await price(world, BOUQUET, 140)
    await world.services.store.purchase("ada", BOUQUET, 10)
    assert await paid(world) == {BOUQUET: 1_400}
    await price(world, BOUQUET, None)
    assert (await world.services.store.sell("ada", BOUQUET, 4)).paid_gold == 4 * 56
    assert await paid(world) == {BOUQUET: 840}
    assert (await world.services.store.sell("ada", BOUQUET, 6)).paid_gold == 6 * 56
    assert await paid(world) == {}


async def test_a_rise_pays_nobody() -> None:
    world = await World.open()
    await world.services.store.purchase("ada", BOUQUET, 10)
    await price(world, BOUQUET, 100_000)
    assert (await world.services.store.sell("ada", BOUQUET)).paid_gold == 80
    await world.services.reload(ECONOMY.with_values({f"store.{BOUQUET}.price_gold": 5_000}))
    assert (await world.services.store.sell("ada", BOUQUET)).paid_gold == 80


async def test_units_bought_dear_are_sold_at_the_price_in_force() -> None:
    world = await World.open()
    await price(world, BOUQUET, 1_000)
    await world.services.store.purchase("ada", BOUQUET, 3)
    await price(world, BOUQUET, 150)
    assert (await world.services.store.sell("ada", BOUQUET)).paid_gold == 60
    assert await paid(world) == {BOUQUET: 2_000}


async def test_what_was_paid_at_different_prices_is_averaged() -> None:
    world = await World.open()
    await world.services.store.purchase("ada", BOUQUET, 2)
    await price(world, BOUQUET, 150)
    await world.services.store.purchase("ada", BOUQUET)
    await price(world, BOUQUET, None)
    assert await paid(world) == {BOUQUET: 550}
    assert (await world.services.store.sell("ada", BOUQUET)).paid_gold == 73  # 40 % of 183.
    assert await paid(world) == {BOUQUET: 366}  # The unit that carried 184 went first.


async def test_a_gift_takes_its_share_along() -> None:
    world = await World.open()
    await world.player("bo")
    await price(world, BOUQUET, 150)
    await world.services.store.purchase("ada", BOUQUET, 3)
    await price(world, BOUQUET, None)
    await world.services.store.purchase("bo", BOUQUET)
    await world.services.store.gift("ada", "bo", BOUQUET, 2)
    assert (await paid(world), await paid(world, "bo")) == ({BOUQUET: 150}, {BOUQUET: 500})


async def test_what_is_consumed_takes_its_share_along() -> None:
    world = await World.open()
    await world.player("ada", hp=5, hp_at_us=NOON_US)
    await world.services.store.purchase("ada", BOUQUET, 2)
    await world.services.store.purchase("ada", "health_potion", 2)
    await world.services.store.purchase("ada", "mana_potion")
    await world.services.store.use("ada", BOUQUET, draws=(WIN,))
    await world.services.battle.fight("ada", 1, mana_potions=1, draw=LOSE)
    profile = await world.profile("ada")
    assert profile.inventory == {BOUQUET: 1, "health_potion": 1}
    assert profile.paid_gold == {BOUQUET: 200, "health_potion": 100}


async def test_what_is_granted_enters_at_the_list_price_whatever_an_admin_asks() -> None:
    world = await World.open()
    await world.player("ada")
    await price(world, BOUQUET, 10_000)
    await grant(world, BOUQUET, 3)
    assert await paid(world) == {BOUQUET: 600}
    assert (await world.services.store.sell("ada", BOUQUET)).paid_gold == 80
    await grant(world, BOUQUET, -1)
    assert await paid(world) == {BOUQUET: 200}
    await grant(world, BOUQUET, -1)
    assert await paid(world) == {}


async def test_units_of_unknown_origin_count_as_bought_at_the_list_price_by_the_first_act() -> None:
    world = await World.open()
    await world.player("ada", items={BOUQUET: 5, PLAQUE: 1})
    assert await paid(world) == {}
    await price(world, BOUQUET, 100_000)
    assert (await world.services.store.sell("ada", BOUQUET)).paid_gold == 80
    assert await paid(world) == {BOUQUET: 800}
    await world.services.reload(ECONOMY.with_values({f"store.{BOUQUET}.price_gold": 5_000}))
    assert (await world.services.store.sell("ada", BOUQUET)).paid_gold == 80


async def test_units_that_a_tool_adds_to_known_ones_bring_no_gold_along() -> None:
    world = await World.open()
    await world.services.store.purchase("ada", BOUQUET, 2)
    await world.provider.save_user("ada", {"inventory": {BOUQUET: 4}})
    assert await paid(world) == {BOUQUET: 400}
    assert (await world.services.store.sell("ada", BOUQUET)).paid_gold == 40


async def test_a_reset_forgets_what_was_paid_with_the_goods() -> None:
    world = await World.open()
    await world.services.store.purchase("ada", BOUQUET, 2)
    await world.services.admin.reset("ada", actor=ROOT, reason="a new start")
    assert await paid(world) == {}


async def test_a_chest_that_is_opened_is_no_sale() -> None:
    world = await World.open()
    await world.services.store.purchase("ada", "wooden_chest", 2)
    await world.services.store.use("ada", "wooden_chest", draws=(WIN,))
    assert await paid(world) == {"wooden_chest": 900}


async def test_an_admins_price_is_held_to_what_a_scheduled_sale_is() -> None:
    world = await World.open()
    with pytest.raises(RefusedError, match=r"= 139: is below 70 % of the list price; raise it, or lower"):
        await price(world, BOUQUET, 139)
    for sound_gold in (140, 10**9):
        await price(world, BOUQUET, sound_gold)
        assert world.services.executor.live.offers[BOUQUET].price_gold == sound_gold
