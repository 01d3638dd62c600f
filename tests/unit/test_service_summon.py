"""Pulls: paid and granted in one commit, with a guarantee that comes and goes."""

from __future__ import annotations

import pytest

from kokoromichi.core.errors import MisuseError, RefusedError
from kokoromichi.services.receipts import Pull, RedeemReceipt, SummonReceipt
from tests.contract.stored import Row, entries, stored
from tests.unit.service_world import ECONOMY, LOSE, WIN, World

COMMON = [waifu.id for waifu in ECONOMY.waifus if waifu.rarity == "N"]
MYTHIC = [waifu.id for waifu in ECONOMY.waifus if waifu.rarity == "Mythic"]


async def test_a_pull_costs_50_gems_and_keeps_who_came() -> None:
    world = await World.open()
    await world.player("ada")
    receipt = await world.services.summon.summon("ada", draws=[WIN, WIN])
    assert receipt == SummonReceipt((Pull(COMMON[0], "N", True),), 50, 50, 1, 0)  # noqa: FBT003 - a record's field
    assert await world.booked("ada") == [Row("summon", "ada", "gems", -50, 50)]
    assert (await entries(world.provider, "ada"))[-1].book == "summons"
    profile = await world.profile("ada")
    assert (profile.collection, profile.pulls, profile.pity, profile.shards) == ({COMMON[0]: 1}, 1, 1, 0)


async def test_ten_pulls_cost_450_and_duplicates_become_shards() -> None:
    world = await World.open()
    await world.player("ada", gems=450, collection={COMMON[0]: 1})
    draws = [*[WIN] * 9, LOSE, *[WIN] * 9, LOSE]
    receipt = await world.services.summon.summon("ada", 10, draws=draws)
    assert (receipt.cost_gems, receipt.gems, receipt.shards, receipt.pity) == (450, 0, 9, 0)
    assert receipt.pulls[-1] == Pull(MYTHIC[-1], "Mythic", True)  # noqa: FBT003 - a record's field
    assert [pull.first for pull in receipt.pulls] == [False] * 9 + [True]
    profile = await world.profile("ada")
    assert (profile.collection, profile.pulls) == ({COMMON[0]: 1, MYTHIC[-1]: 1}, 10)
    assert await world.booked("ada") == [Row("summon", "ada", "gems", -450, 0)]


async def test_without_draws_the_dice_are_rolled_for_rarities_then_for_characters() -> None:
    world = await World.open()
    await world.player("ada", gems=1_000)
    world.rolls += [*[WIN] * 9, LOSE, *[WIN] * 9, LOSE]
    rolled = await world.services.summon.summon("ada", 10)
    assert world.rolls == []
    assert rolled.pulls[-1].waifu_id == MYTHIC[-1]
    assert {pull.waifu_id for pull in rolled.pulls[:-1]} == {COMMON[0]}


async def test_a_refused_pull_rolls_no_dice() -> None:
    world = await World.open()
    await world.player("ada", gems=49)
    world.rolls += [WIN]
    with pytest.raises(RefusedError, match="Need 50 gems, have 49"):
        await world.services.summon.summon("ada")
    assert world.rolls == [WIN]


async def test_the_60th_pull_without_luck_is_guaranteed_and_the_count_restarts() -> None:
    """The first KoKoroMichi: pity never resets."""
    world = await World.open()
    await world.player("ada", gems=50 * 120)
    rarities = []
    pity = []
    for _ in range(120):
        receipt = await world.services.summon.summon("ada", 1, draws=[WIN, WIN])
        rarities.append(receipt.pulls[0].rarity)
        pity.append(receipt.pity)
    assert [place for place, rarity in enumerate(rarities, 1) if rarity == "SSR"] == [60, 120]
    assert set(rarities) == {"N", "SSR"}
    assert pity == [*range(1, 60), 0] * 2


async def test_a_lucky_pull_restarts_the_count_too() -> None:
    world = await World.open()
    await world.player("ada", pity=58)
    receipt = await world.services.summon.summon("ada", 1, draws=[LOSE, WIN])
    assert (receipt.pulls[0].rarity, receipt.pity) == ("Mythic", 0)


@pytest.mark.parametrize(
    ("rarity", "shards"),
    [("N", 1), ("R", 2), ("SR", 5), ("SSR", 20), ("UR", 50), ("LR", 100), ("Mythic", 300)],
)
async def test_a_duplicate_gives_the_shards_of_its_rarity(rarity: str, shards: int) -> None:
    odds = {name: 1_000_000 * (name == rarity) for name in ECONOMY.config.summon.odds_ppm}
    world = await World.open(economy=ECONOMY.with_values({"summon.odds_ppm": odds}))
    first = next(waifu.id for waifu in ECONOMY.waifus if waifu.rarity == rarity)
    await world.player("ada", collection={first: 1})
    receipt = await world.services.summon.summon("ada", 1, draws=[WIN, WIN])
    assert (receipt.pulls, receipt.shards) == ((Pull(first, rarity, False),), shards)  # noqa: FBT003 - a record's field


@pytest.mark.parametrize(("count", "draws"), [(1, 1), (1, 3), (1, 20), (10, 2), (10, 19), (10, 21), (1, 0)])
async def test_more_draws_than_were_paid_grant_nothing(count: int, draws: int) -> None:
    world = await World.open()
    await world.player("ada", gems=1_000)
    before = await stored(world.provider)
    with pytest.raises(MisuseError, match=f"{count} pulls need {2 * count} draws, not {draws}"):
        await world.services.summon.summon("ada", count, draws=[LOSE] * draws)
    assert await stored(world.provider) == before


async def test_a_free_pull_books_nothing() -> None:
    world = await World.open(economy=ECONOMY.with_values({"summon.price_gems": 0}))
    await world.player("ada", gems=0)
    assert (await world.services.summon.summon("ada", 1, draws=[WIN, WIN])).cost_gems == 0
    assert await world.booked("ada") == []
    assert (await world.profile("ada")).pulls == 1


async def test_shards_buy_a_character_of_ones_choice_and_no_gem_moves() -> None:
    world = await World.open()
    await world.player("ada", shards=3_005, collection={COMMON[0]: 1})
    receipt = await world.services.summon.redeem("ada", MYTHIC[0])
    assert receipt == RedeemReceipt(MYTHIC[0], 3_000, 5)
    profile = await world.profile("ada")
    assert (profile.shards, profile.gold, profile.gems) == (5, 10_000, 100)
    assert profile.collection == {COMMON[0]: 1, MYTHIC[0]: 1}
    assert await world.booked("ada") == []


def test_an_economy_of_before_it_had_prices_in_shards_offers_no_choice() -> None:
    tree = ECONOMY.config.tree()
    del tree["redeem"]
    assert set(type(ECONOMY.config).from_tree(tree).redeem.shards.values()) == {0}
