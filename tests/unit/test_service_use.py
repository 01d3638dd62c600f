"""Each of the 23 items changes a number that a rule reads, or is kept and refuses to be used."""

from __future__ import annotations

from functools import partial
from typing import Final

import pytest

from kokoromichi.core.errors import RefusedError, RequestMismatchError
from kokoromichi.core.models import Receipt
from kokoromichi.rules.use import SESSION_BATTLES
from kokoromichi.services.receipts import UseReceipt
from tests.contract.stored import NOON_US, Row
from tests.unit.service_world import DAY_S, ECONOMY, HOUR_S, LOSE, ROOT, WIN, World

DAY_US: Final = DAY_S * 1_000_000
TAKEN_IN_BATTLE: Final = ("mana_potion", "revive_scroll")
KEPT: Final = tuple(item.id for item in ECONOMY.catalogue if item.use == "kept")
USED: Final = tuple(
    item.id for item in ECONOMY.catalogue if item.id not in TAKEN_IN_BATTLE and item.use != "kept"
)


async def using(item_id: str, units: int = 1, **fields: int) -> tuple[World, UseReceipt]:
    """Ada uses one of her ``units``, with the dice at their lowest."""
    world = await World.open()
    await world.player("ada", items={item_id: units}, **fields)
    return world, await world.services.store.use("ada", item_id, draws=(WIN,))


def test_the_tests_below_are_of_every_item() -> None:
    assert len(USED) + len(TAKEN_IN_BATTLE) + len(KEPT) == len(ECONOMY.catalogue) == 23
    assert len(KEPT) == 6


@pytest.mark.parametrize("item_id", USED)
async def test_a_use_consumes_one_unit_by_one_row(item_id: str) -> None:
    world, receipt = await using(item_id, units=2, hp=10, hp_at_us=NOON_US)
    effect = next(item.effect for item in ECONOMY.catalogue if item.id == item_id)
    assert (receipt.item_id, receipt.effect, receipt.owned) == (item_id, effect, 1)
    assert (await world.profile("ada")).inventory == {item_id: 1}
    assert (await world.booked("ada"))[0] == Row("use", "ada", item_id=item_id, quantity=-1)
    assert receipt.gold == (await world.profile("ada")).gold
    rewards = [row for row in await world.booked("ada") if row.currency is not None]
    assert receipt.gold == 10_000 + sum(row.amount or 0 for row in rewards)
    assert bool(rewards) == item_id.endswith("chest")


@pytest.mark.parametrize("item_id", [*KEPT, *TAKEN_IN_BATTLE])
async def test_what_is_kept_or_taken_in_battle_is_not_used_up(item_id: str) -> None:
    world = await World.open()
    await world.player("ada", items={item_id: 1})
    with pytest.raises(RefusedError, match="does not work this way"):
        await world.services.store.use("ada", item_id, draws=(WIN,))
    assert (await world.profile("ada")).inventory == {item_id: 1}


@pytest.mark.parametrize(("hp", "healed"), [(30, 50), (70, 30), (99, 1), (0, 50)])
async def test_a_health_potion_heals_up_to_all_points(hp: int, healed: int) -> None:
    world, receipt = await using("health_potion", hp=hp, hp_at_us=NOON_US)
    assert receipt.amount == healed
    world.clock.advance(1)
    assert (await world.services.battle.fight("ada", 1, draw=WIN)).hp == hp + healed - 20


async def test_a_health_potion_counts_the_points_that_came_back_and_keeps_the_part_of_one() -> None:
    world, receipt = await using("health_potion", hp=30, hp_at_us=NOON_US - 30 * 60 * 1_000_000)
    assert receipt.amount == 50  # Half an hour brought 2 points and a half.
    profile = await world.profile("ada")
    assert (profile.hp, profile.hp_at_us) == (82, NOON_US - 6 * 60 * 1_000_000)


async def test_a_mana_potion_adds_150_permille_to_one_battle() -> None:
    world = await World.open()
    await world.player("ada", items={"mana_potion": 2})
    first = await world.services.battle.fight("ada", 1, mana_potions=1, draw=WIN)
    world.clock.advance(60)
    second = await world.services.battle.fight("ada", 1, draw=WIN)
    assert (first.chance_permille, second.chance_permille) == (650, 500)
    assert (await world.booked("ada"))[0] == Row("use", "ada", item_id="mana_potion", quantity=-1)
    assert (await world.profile("ada")).inventory == {"mana_potion": 1}


async def test_a_stamina_drink_halves_the_hit_points_of_a_sessions_battles() -> None:
    world, receipt = await using("stamina_drink")
    assert receipt.amount == 50
    spent = []
    for _ in range(SESSION_BATTLES + 1):
        world.clock.advance(DAY_S)  # A day's rest brings all points back.
        spent.append(100 - (await world.services.battle.fight("ada", 1, draw=WIN)).hp)
    assert spent == [10] * SESSION_BATTLES + [20]


async def test_a_revive_scroll_gives_a_lost_battle_all_its_xp_and_is_consumed_by_it() -> None:
    world = await World.open()
    await world.player("ada", items={"revive_scroll": 1})
    xp = []
    for draw in (WIN, LOSE, LOSE):
        xp.append((await world.services.battle.fight("ada", 1, draw=draw)).xp)
        world.clock.advance(60)
    assert xp == [8, 8, 4]
    assert [row for row in await world.booked("ada") if row.kind == "use"] == [
        Row("use", "ada", item_id="revive_scroll", quantity=-1)
    ]


async def test_a_training_manual_doubles_the_xp_of_one_session() -> None:
    world, _ = await using("training_manual")
    assert [(await world.services.progress.train("ada")).xp_gained for _ in range(2)] == [50, 25]
    assert (await world.profile("ada")).xp == 75


@pytest.mark.parametrize(
    ("item_id", "amount", "level", "xp"),
    [("experience_scroll", 300, 3, 0), ("wisdom_tome", 1_000, 5, 0)],
)
async def test_a_scroll_or_tome_gives_xp_and_levels(item_id: str, amount: int, level: int, xp: int) -> None:
    world, receipt = await using(item_id)
    profile = await world.profile("ada")
    assert (receipt.amount, profile.level, profile.xp) == (amount, level, xp)


async def test_a_lucky_charm_adds_10_percent_to_battle_gold_for_24_hours() -> None:
    world, receipt = await using("lucky_charm")
    assert receipt.until_us == NOON_US + DAY_US
    gold = []
    for wait_s in (0, DAY_S - 1, 61):
        world.clock.advance(wait_s)
        gold.append((await world.services.battle.fight("ada", 1, draw=WIN)).payout_gold)
    assert gold == [33, 33, 30]


async def test_a_guardian_amulet_gives_lost_battles_all_their_xp_for_24_hours() -> None:
    world, receipt = await using("guardian_amulet")
    await world.services.admin.grant("ada", "revive_scroll", 1, actor=ROOT, reason="a test")
    assert receipt.until_us == NOON_US + DAY_US
    xp = []
    for wait_s in (0, DAY_S - 1, 61, 60):
        world.clock.advance(wait_s)
        xp.append((await world.services.battle.fight("ada", 1, draw=LOSE)).xp)
    assert xp == [8, 8, 8, 4]  # The third is the scroll's, which the amulet has spared.
    assert (await world.profile("ada")).inventory == {}


@pytest.mark.parametrize(
    ("item_id", "field"), [("lucky_charm", "luck_until_us"), ("guardian_amulet", "guard_until_us")]
)
async def test_a_lasting_effect_is_renewed_when_it_has_ended(item_id: str, field: str) -> None:
    world, _ = await using(item_id, units=2)
    world.clock.us = NOON_US + DAY_US - 1
    with pytest.raises(RefusedError, match=f"The effect of {item_id} still runs"):
        await world.services.store.use("ada", item_id, draws=(WIN,))
    world.clock.us = NOON_US + DAY_US
    await world.services.store.use("ada", item_id, draws=(WIN,))
    assert getattr(await world.profile("ada"), field) == NOON_US + 2 * DAY_US


@pytest.mark.parametrize(("pity", "after"), [(0, 5), (53, 58), (54, 59), (57, 59)])
async def test_a_summoner_bell_moves_the_guaranteed_pull_nearer(pity: int, after: int) -> None:
    world, receipt = await using("summoner_bell", pity=pity)
    assert receipt.amount == after - pity
    assert (await world.profile("ada")).pity == after


async def test_a_summoner_bell_is_kept_where_the_next_pull_is_guaranteed() -> None:
    world = await World.open()
    await world.player("ada", items={"summoner_bell": 1}, pity=59)
    with pytest.raises(RefusedError, match="The effect of summoner_bell still runs"):
        await world.services.store.use("ada", "summoner_bell", draws=(WIN,))
    assert (await world.profile("ada")).inventory == {"summoner_bell": 1}


async def test_a_lasting_effect_ends_in_the_microsecond_that_was_told() -> None:
    for wait_us, gold, xp in ((DAY_US - 1, 33, 8), (DAY_US, 30, 4)):
        world, charm = await using("lucky_charm")
        await world.services.admin.grant("ada", "guardian_amulet", 1, actor=ROOT, reason="a test")
        amulet = await world.services.store.use("ada", "guardian_amulet", draws=(WIN,))
        assert charm.until_us == amulet.until_us == NOON_US + DAY_US
        world.clock.us = NOON_US + wait_us
        await world.player("bo", luck_until_us=charm.until_us, guard_until_us=amulet.until_us)
        assert (await world.services.battle.fight("ada", 1, draw=WIN)).payout_gold == gold
        assert (await world.services.battle.fight("bo", 1, draw=LOSE)).xp == xp


async def test_a_rung_bell_brings_the_guarantee() -> None:
    world, _ = await using("summoner_bell", pity=54)
    (pull,) = (await world.services.summon.summon("ada", 1, draws=[WIN, WIN])).pulls
    assert pull.rarity in {"SSR", "UR", "LR", "Mythic"}


@pytest.mark.parametrize(
    ("item_id", "worth"), [("wooden_chest", 900), ("treasure_chest", 5_000), ("celestial_chest", 18_000)]
)
@pytest.mark.parametrize(("share_of_draws", "percent"), [(0, 20), (56, 40), (86, 80), (97, 150), (99, 300)])
async def test_a_chest_pays_a_share_of_its_worth_by_the_draw(
    item_id: str, worth: int, share_of_draws: int, percent: int
) -> None:
    world = await World.open()
    await world.player("ada", gold=1, items={item_id: 1})
    draw = -(-(share_of_draws << 32) // 100)
    receipt = await world.services.store.use("ada", item_id, draws=(draw,))
    paid = worth * percent // 100
    assert (receipt.amount, receipt.gold) == (paid, paid + 1)
    assert await world.booked("ada") == [
        Row("use", "ada", item_id=item_id, quantity=-1),
        Row("reward", "ada", "gold", paid, paid + 1),
    ]


async def test_without_a_draw_the_dice_say_what_a_chest_holds() -> None:
    world = await World.open()
    await world.player("ada", gold=0, items={"wooden_chest": 2})
    world.rolls += [LOSE, WIN]
    assert (await world.services.store.use("ada", "wooden_chest")).amount == 2_700
    assert (await world.services.store.use("ada", "wooden_chest")).amount == 180


async def test_a_chest_that_holds_nothing_books_no_reward() -> None:
    world = await World.open(economy=ECONOMY.with_values({"store.wooden_chest.effect_size": 0}))
    await world.player("ada", items={"wooden_chest": 1})
    assert (await world.services.store.use("ada", "wooden_chest", draws=(LOSE,))).amount == 0
    assert await world.booked("ada") == [Row("use", "ada", item_id="wooden_chest", quantity=-1)]


@pytest.mark.parametrize(
    ("item_id", "given"),
    [("flower_bouquet", 5), ("chocolate_box", 12), ("jade_hairpin", 50), ("silk_kimono", 180)],
)
async def test_a_present_gives_affection_and_as_much_xp(item_id: str, given: int) -> None:
    world, receipt = await using(item_id, affection=7)
    profile = await world.profile("ada")
    assert (receipt.amount, profile.affection) == (given, 7 + given)
    assert (profile.level, profile.xp) == (1 + given // 100, given % 100)


async def test_a_box_is_opened_once() -> None:
    """Poketwo 343 and 143: one box opened twice."""
    world, _ = await using("wooden_chest")
    with pytest.raises(RefusedError, match="You hold 0 of wooden_chest"):
        await world.services.store.use("ada", "wooden_chest", draws=(WIN,))
    world.clock.advance(HOUR_S)
    with pytest.raises(RefusedError, match="You hold 0 of wooden_chest"):
        await world.services.store.use("ada", "wooden_chest", draws=(WIN,))


async def test_several_units_are_used_in_one_commit_and_told_in_one_receipt() -> None:
    world = await World.open()
    await world.player("ada", items={"flower_bouquet": 5})
    receipt = await world.services.store.use("ada", "flower_bouquet", 4, draws=[WIN] * 4)
    assert (receipt.quantity, receipt.amount, receipt.owned) == (4, 20, 1)
    assert await world.booked("ada") == [Row("use", "ada", item_id="flower_bouquet", quantity=-4)]
    profile = await world.profile("ada")
    assert (profile.affection, profile.xp) == (20, 20)


async def test_each_of_several_chests_has_a_draw_of_its_own_and_what_they_hold_is_one_row() -> None:
    world = await World.open()
    await world.player("ada", gold=0, items={"wooden_chest": 4})
    world.rolls += [WIN, LOSE]
    receipt = await world.services.store.use("ada", "wooden_chest", 3, draws=(LOSE,))
    assert (receipt.quantity, receipt.amount, receipt.gold) == (3, 2_700 + 180 + 2_700, 5_580)
    use, reward = await world.booked("ada")
    assert (use.quantity, reward.kind, reward.amount) == (-3, "reward", 5_580)


async def test_no_more_potions_are_drunk_than_help() -> None:
    world = await World.open()
    await world.player("ada", hp=30, hp_at_us=NOON_US, items={"health_potion": 5})
    receipt = await world.services.store.use("ada", "health_potion", 5, draws=[WIN] * 5)
    assert (receipt.quantity, receipt.amount, receipt.owned) == (2, 70, 3)
    assert (await world.profile("ada")).inventory == {"health_potion": 3}


async def test_a_request_for_another_quantity_is_another_act() -> None:
    world = await World.open()
    await world.player("ada", items={"flower_bouquet": 5})
    use = partial(world.services.store.use, "ada", "flower_bouquet", draws=[WIN] * 3, request_id="r-1")
    assert await use(2) == await use(2)
    with pytest.raises(RequestMismatchError):
        await use(3)


def test_a_receipt_that_was_stored_before_there_were_quantities_is_of_one_unit() -> None:
    stored = UseReceipt("wooden_chest", "chest_gold", 180, 180, 0, -1, 1).encoded()
    former = stored.replace(b',"quantity":1', b"")
    assert former != stored
    assert Receipt.decoded(former) == UseReceipt("wooden_chest", "chest_gold", 180, 180, 0, -1, 1)
