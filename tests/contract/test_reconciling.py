"""What an external edit did to a balance is found, and explained by rows; and how a store does."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from typing import TYPE_CHECKING

import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.bulk_load import Batch, UserSnapshot
from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.core.models import NEVER
from kokoromichi.services.health import Health, health_of
from kokoromichi.services.reconciling import Difference, differences
from tests.contract.stored import NOON_US, Row, entries, rows
from tests.unit.service_world import ROOT, World

if TYPE_CHECKING:
    from kokoromichi.core.clock import ManualClock
    from kokoromichi.core.data_provider import DataProvider


async def tampered(provider: DataProvider, clock: ManualClock) -> World:
    """Ada has more gold and a mask too many, Bo lost what was bought; Cy is sound."""
    world = await World.open(provider, clock=clock)
    for user_id in ("ada", "bo", "cy"):
        await world.services.store.purchase(user_id, "ema_plaque", 2)
    for user_id, gold, inventory in (
        ("ada", 8_500, {"ema_plaque": 2, "kitsune_mask": 1}),
        ("bo", 8_000, {}),
    ):
        profile = deepcopy(await world.profile(user_id))
        profile.version, profile.gold, profile.inventory = profile.version + 1, gold, inventory
        await provider.load(Batch(users=(UserSnapshot(profile.version - 1, profile),)))
    return world


FOUND = [
    Difference("ada", "gold", 8_000, 8_500),
    Difference("ada", "kitsune_mask", 0, 1),
    Difference("bo", "ema_plaque", 2, 0),
]


async def test_differences_are_found_of_one_and_of_all(provider: DataProvider, clock: ManualClock) -> None:
    world = await tampered(provider, clock)
    assert await differences(provider) == FOUND
    assert await differences(provider, "ada") == FOUND[:2]
    assert await differences(provider, "cy") == []
    assert await differences(provider, "zoe") == []
    with pytest.raises(MisuseError, match="user id"):
        await differences(provider, "../evil")
    before = await rows(provider)
    assert await world.services.admin.reconcile(actor=ROOT, reason="monthly") == FOUND
    assert await rows(provider) == [*before, Row("admin_act", "system")]


async def test_what_is_booked_explains_what_is_stored(provider: DataProvider, clock: ManualClock) -> None:
    world = await tampered(provider, clock)
    before = len(await rows(provider))
    words = {"actor": ROOT, "reason": "the crash of May"}
    admin = world.services.admin
    assert await admin.reconcile(book=True, actor=ROOT, reason="the crash of May", request_id="r-1") == FOUND
    assert await admin.reconcile(book=True, actor=ROOT, reason="the crash of May", request_id="r-1") == []
    assert (await rows(provider))[before:] == [
        Row("admin_act", "system"),
        Row("correction", "ada", "gold", 500, 8_500),
        Row("correction", "ada", item_id="kitsune_mask", quantity=1),
        Row("correction", "bo", item_id="ema_plaque", quantity=-2),
    ]
    assert [(row.actor, row.reason) for row in (await entries(provider))[before:]] == [
        ("root", f"reconcile: {words['reason']}")
    ] * 4
    assert ((await world.profile("ada")).gold, (await world.profile("bo")).inventory) == (8_500, {})
    report = await audit_provider(provider)
    assert report.sound, str(report)


async def test_players_who_act_meanwhile_are_not_suspected(
    provider: DataProvider, clock: ManualClock
) -> None:
    world = await World.open(provider, clock=clock)
    players = ("ada", "bo", "cy")
    done = asyncio.Event()

    for player in players:  # Each round costs them something, and a fast store does many.
        await world.services.executor.open_account(player)
        await world.services.admin.grant(player, "gold", 10_000_000, actor=ROOT, reason="a test")

    async def busy(user_id: str) -> int:
        acts = 0
        while not done.is_set():
            await world.services.store.purchase(user_id, "health_potion")
            await world.services.store.sell(user_id, "health_potion")
            acts += 1
            await asyncio.sleep(0)
        return acts

    acting = [asyncio.create_task(busy(user_id)) for user_id in players]
    try:
        for _ in range(10):
            assert await differences(provider) == []
            assert await differences(provider, "ada") == []
            await asyncio.sleep(0)
    finally:
        done.set()
        acts = await asyncio.gather(*acting)
    assert min(acts) > 0


async def test_rows_that_add_up_to_less_than_nothing_are_no_ones_to_explain(
    provider: DataProvider, clock: ManualClock
) -> None:
    world = await World.open(provider, clock=clock)
    await world.services.executor.open_account("ada")
    profile = deepcopy(await world.profile("ada"))
    profile.version, profile.gold = 2, 90_000
    await provider.load(Batch(users=(UserSnapshot(1, profile),)))
    await world.services.bank.buy_gems("ada", 20)  # 80,000 gold, where the rows know of 10,000.
    with pytest.raises(StorageError, match="add up to -70000 of gold"):
        await world.services.admin.reconcile("ada", book=True, actor=ROOT, reason="a test")


async def test_health_says_what_is_stored(provider: DataProvider, clock: ManualClock) -> None:
    assert await health_of(provider) == Health(provider.name, 0, 0, 0, NEVER, NEVER)
    world = await World.open(provider, clock=clock)
    await world.services.daily.claim("ada")
    found = await world.services.admin.inspect("health", health_of, actor=ROOT, reason="a look")
    assert found == Health(provider.name, 1, 5, 0, NOON_US, NEVER)
