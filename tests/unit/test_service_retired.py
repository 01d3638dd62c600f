"""An item that is taken out of the catalogue while somebody holds it: seen, sold back, taken away."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.errors import RefusedError
from tests.contract.stored import Row
from tests.unit.service_world import ECONOMY, ROOT, World

if TYPE_CHECKING:
    from kokoromichi.rules.economy import Economy

BOUQUET = "flower_bouquet"
RETIRED = "flower_bouquet is retired: what is held of it can be sold back or taken away, and nothing else."


def without(item_id: str) -> Economy:
    """The economy of these tests without one item."""
    store = {name: numbers for name, numbers in ECONOMY.config.store.items() if name != item_id}
    catalogue = tuple(item for item in ECONOMY.catalogue if item.id != item_id)
    return replace(ECONOMY, config=replace(ECONOMY.config, store=store), catalogue=catalogue)


async def holding(units: int) -> World:
    """Ada has bought units at 200 gold each that are retired since."""
    world = await World.open()
    await world.player("bo")
    await world.player("ada")
    await world.services.store.purchase("ada", BOUQUET, units)
    await world.services.reload(without(BOUQUET))
    return world


async def test_what_is_retired_is_still_held() -> None:
    world = await holding(3)
    assert await world.services.store.get_user_inventory("ada") == {BOUQUET: 3}
    assert BOUQUET not in {item.item_id for item in await world.services.store.view_store()}


async def test_it_is_sold_back_at_the_share_of_what_was_paid() -> None:
    world = await holding(3)
    receipt = await world.services.store.sell("ada", BOUQUET, 2)
    assert (receipt.paid_gold, receipt.owned) == (2 * 80, 1)
    assert (await world.profile("ada")).paid_gold == {BOUQUET: 200}
    assert (await audit_provider(world.provider)).sound


async def test_what_nobody_knows_the_cost_of_has_no_worth_any_more() -> None:
    world = await World.open(economy=without(BOUQUET))
    await world.player("ada", items={BOUQUET: 2})
    with pytest.raises(RefusedError, match="is not traded here"):
        await world.services.store.sell("ada", BOUQUET)
    assert (await world.profile("ada")).inventory == {BOUQUET: 2}


async def test_a_manual_that_was_used_before_it_was_retired_leaves_a_plain_session() -> None:
    world = await World.open()
    await world.player("ada", items={"training_manual": 1})
    await world.services.store.use("ada", "training_manual", draws=(0,))
    await world.services.reload(without("training_manual"))
    assert (await world.services.progress.train("ada")).xp_gained == ECONOMY.config.train.xp


async def test_a_battle_with_a_retired_mana_potion_says_that_there_is_none() -> None:
    world = await World.open(economy=without("mana_potion"))
    await world.player("ada")
    with pytest.raises(RefusedError, match=r"^There is no item mana potion\.$"):
        await world.services.battle.fight("ada", 1, mana_potions=1, draw=0)


async def test_an_admin_takes_it_away_and_gives_none_of_it() -> None:
    world = await holding(5)
    receipt = await world.services.admin.grant("ada", BOUQUET, -3, actor=ROOT, reason="retired")
    assert receipt.after == 2
    assert (await world.profile("ada")).paid_gold == {BOUQUET: 400}
    assert (await world.booked("ada"))[-1] == Row("grant", "ada", item_id=BOUQUET, quantity=-3)
    with pytest.raises(RefusedError) as refusal:
        await world.services.admin.grant("ada", BOUQUET, 3, actor=ROOT, reason="a prize")
    assert (refusal.value.code, str(refusal.value)) == ("item_retired", RETIRED)
    with pytest.raises(RefusedError, match="There is no item flower_bouquet"):
        await world.services.admin.grant("bo", BOUQUET, -3, actor=ROOT, reason="retired")


@pytest.mark.parametrize(
    ("act", "arguments"),
    [("purchase", ("ada", BOUQUET)), ("use", ("ada", BOUQUET)), ("gift", ("ada", "bo", BOUQUET))],
)
async def test_who_holds_it_reads_why_it_does_nothing_else(act: str, arguments: tuple[str, ...]) -> None:
    world = await holding(3)
    with pytest.raises(RefusedError) as refusal:
        await world.ask(f"store.{act}", *arguments)
    assert (refusal.value.code, str(refusal.value)) == ("item_retired", RETIRED)


async def test_who_holds_none_reads_that_there_is_no_such_item() -> None:
    world = await holding(3)
    for act in ("purchase", "sell", "use"):
        with pytest.raises(RefusedError, match="There is no item flower_bouquet"):
            await world.ask(f"store.{act}", "bo", BOUQUET)


async def test_a_reset_takes_it_away_and_another_catalogue_brings_it_back() -> None:
    world = await holding(3)
    await world.services.reload(ECONOMY)
    assert (await world.services.store.use("ada", BOUQUET, draws=(0,))).owned == 2
    await world.services.reload(without(BOUQUET))
    await world.services.admin.reset("ada", actor=ROOT, reason="a new start")
    assert (await world.profile("ada")).inventory == {}
    assert (await audit_provider(world.provider)).sound
