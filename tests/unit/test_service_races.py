"""Many at the same moment, over a store that lets others in between: as over a wire."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.errors import RefusedError
from kokoromichi.services.bundle import Services
from tests.contract.stored import NOON_US
from tests.unit.passing_providers import SlowProvider
from tests.unit.service_world import DAY_S, ECONOMY, World

if TYPE_CHECKING:
    from collections.abc import Awaitable


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.randbelow", lambda _most: 0)


async def crowd(*, slow: bool = True) -> tuple[World, Services]:
    """A world, and services over it that wait at every step (or the world's own)."""
    world = await World.open()
    return world, Services(SlowProvider(world.provider), ECONOMY, world.clock) if slow else world.services


async def outcomes(*acts: Awaitable[object]) -> Counter[str]:
    """What came of acts at the same moment: receipts by name, refusals by code; anything else is raised."""
    found: Counter[str] = Counter()
    for result in await asyncio.gather(*acts, return_exceptions=True):
        if isinstance(result, RefusedError):
            found[result.code] += 1
        elif isinstance(result, BaseException):
            raise result
        else:
            found[type(result).__name__] += 1
    return found


@pytest.mark.parametrize("slow", [False, True])
async def test_20_purchases_with_gold_for_one_are_one_success_one_item_one_row(*, slow: bool) -> None:
    """The first KoKoroMichi: 20 concurrent buys with gold for one: 20 successes, 1 item, 20 ledger rows."""
    world, services = await crowd(slow=slow)
    await world.player("ada", gold=1_999)
    buys = [services.store.purchase("ada", "ema_plaque") for _ in range(20)]
    assert await outcomes(*buys) == {"PurchaseReceipt": 1, "too_poor": 19}
    profile = await world.profile("ada")
    assert (profile.gold, profile.inventory) == (999, {"ema_plaque": 1})
    assert len(await world.booked("ada")) == 1


@pytest.mark.parametrize("slow", [False, True])
async def test_20_purchases_by_the_references_call(*, slow: bool) -> None:
    world, services = await crowd(slow=slow)
    await world.player("ada", gold=1_000)
    answers = await asyncio.gather(*(services.store.purchase_item("ada", "ema_plaque") for _ in range(20)))
    assert Counter(success for success, _, _ in answers) == {True: 1, False: 19}
    assert {gold for _, _, gold in answers} == {0}
    assert len(await world.booked("ada")) == 1


@pytest.mark.parametrize("slow", [False, True])
async def test_of_20_buyers_of_5_units_5_succeed(*, slow: bool) -> None:
    world, services = await crowd(slow=slow)
    for number in range(20):
        await world.player(f"p{number}")
    buys = [services.store.purchase(f"p{number}", "lucky_charm") for number in range(20)]
    assert await outcomes(*buys) == {"PurchaseReceipt": 5, "out_of_stock": 15}
    assert (await world.provider.counters())["stock.lucky_charm"] == 0
    assert len([row for row in await world.booked() if row.kind == "purchase"]) == 5
    assert (await audit_provider(world.provider)).sound


async def test_buyers_under_their_limit_never_pass_it() -> None:
    world, services = await crowd()
    await world.player("ada", gold=100_000)
    buys = [services.store.purchase("ada", "ema_plaque", 2) for _ in range(10)]
    assert await outcomes(*buys) == {"PurchaseReceipt": 2, "over_limit": 8}
    assert (await world.profile("ada")).inventory == {"ema_plaque": 4}


async def test_different_commands_never_spend_the_same_gold() -> None:
    """BallsDex 843: double spend across commands."""
    world, services = await crowd()
    await world.player("ada", gold=10_000, gems=0)
    await world.player("bo", gold=0)
    found = await outcomes(
        services.progress.invest("ada", "cafe"),
        services.store.purchase("ada", "health_potion", 100),
        services.bank.transfer("ada", "bo", 10_000),
        services.bank.buy_gems("ada", 2),
        services.store.purchase("ada", "kitsune_mask", 2),
    )
    assert sum(found[name] for name in found if name.endswith("Receipt")) in {1, 2}
    assert (await world.profile("ada")).gold >= 0
    assert (await audit_provider(world.provider)).sound


async def test_a_day_is_claimed_once() -> None:
    world, services = await crowd()
    found = await outcomes(*(services.daily.claim("ada") for _ in range(10)))
    assert found == {"ClaimReceipt": 1, "already_claimed": 9}
    assert (await world.profile("ada")).gold == 11_000


async def test_income_is_collected_once() -> None:
    """The first KoKoroMichi: the income button pays at each click."""
    world, services = await crowd()
    await world.player("ada", gold=0, businesses={"cafe": NOON_US - DAY_S * 1_000_000})
    found = await outcomes(*(services.progress.collect("ada") for _ in range(10)))
    assert found == {"CollectReceipt": 1, "nothing_to_collect": 9}
    assert (await world.profile("ada")).gold == 250


async def test_one_box_is_opened_once() -> None:
    """Poketwo 343 and 143: one box opened twice."""
    world, services = await crowd()
    await world.player("ada", gold=0, items={"wooden_chest": 1})
    found = await outcomes(*(services.store.use("ada", "wooden_chest", draws=(0,)) for _ in range(10)))
    assert found == {"UseReceipt": 1, "not_owned": 9}
    assert (await world.profile("ada")).gold == 180


async def test_one_battle_is_fought_in_a_cooldown() -> None:
    _, services = await crowd()
    found = await outcomes(*(services.battle.fight("ada", 1, draw=0) for _ in range(10)))
    assert found == {"BattleReceipt": 1, "cooling_down": 9}


async def test_gems_for_one_pull_are_one_pull() -> None:
    world, services = await crowd()
    await world.player("ada", gems=99)
    found = await outcomes(*(services.summon.summon("ada", 1, draws=[0, 0]) for _ in range(10)))
    assert found == {"SummonReceipt": 1, "too_poor": 9}


async def test_withdrawals_at_the_same_moment_are_covered() -> None:
    """Red-DiscordBot's bank: balance 100, ten concurrent withdrawals of 50 all succeed."""
    world, services = await crowd()
    await world.player("ada", gold=100)
    for number in range(10):
        await world.player(f"p{number}", gold=0)
    found = await outcomes(*(services.bank.transfer("ada", f"p{number}", 50) for number in range(10)))
    assert found == {"TransferReceipt": 2, "too_poor": 8}
    assert (await world.profile("ada")).gold == 0


async def test_deposits_at_the_same_moment_all_arrive() -> None:
    """Red-DiscordBot's bank: ten concurrent deposits of 10 give 20."""
    world, services = await crowd()
    for number in range(10):
        await world.player(f"p{number}", gold=20)
    await world.player("ada", gold=0)
    found = await outcomes(*(services.bank.transfer(f"p{number}", "ada", 20) for number in range(10)))
    assert found == {"TransferReceipt": 10}
    assert (await world.profile("ada")).gold == 190


async def test_gold_that_goes_in_circles_is_conserved_but_for_the_fees() -> None:
    world, services = await crowd()
    names = ["ada", "bo", "cy"]
    for name in names:
        await world.player(name, gold=1_000)
    sends = [services.bank.transfer(a, b, 100) for a in names for b in names if a != b for _ in range(3)]
    found = await outcomes(*sends)
    gold = sum([(await world.profile(name)).gold for name in names])
    assert gold == 3_000 - 5 * found["TransferReceipt"]
    assert found == {"TransferReceipt": 18}
    assert (await audit_provider(world.provider)).sound


async def test_gifts_at_the_same_moment_stay_under_the_receivers_limit() -> None:
    world, services = await crowd()
    await world.player("bo", items={"ema_plaque": 2})
    for number in range(6):
        await world.player(f"p{number}", items={"ema_plaque": 1})
    found = await outcomes(*(services.store.gift(f"p{number}", "bo", "ema_plaque") for number in range(6)))
    assert found == {"GiftReceipt": 3, "over_limit": 3}
    assert (await world.profile("bo")).inventory == {"ema_plaque": 5}
    assert (await audit_provider(world.provider)).sound


async def test_a_cancelled_act_happened_whole_or_not_at_all() -> None:
    for steps in range(12):
        world, services = await crowd()
        await world.player("ada")
        task = asyncio.ensure_future(services.store.purchase("ada", "lucky_charm", request_id="r-1"))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert (await audit_provider(world.provider)).sound
        receipt = await services.store.purchase("ada", "lucky_charm", request_id="r-1")
        assert (receipt.gold, receipt.owned) == (8_500, 1)
        assert len(await world.booked("ada")) == 1
