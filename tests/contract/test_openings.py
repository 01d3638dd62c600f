"""An account that a document or a transaction made: its opening comes with the first act, once, or never."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.copying.copy_all import copy_all
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.transactions import Transaction
from tests.contract.stored import Row
from tests.unit.service_world import ROOT, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kokoromichi.core.clock import ManualClock
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.documents import Document

OPENING = [Row("opening", "bob", "gold", 10_000, 10_000), Row("opening", "bob", "gems", 100, 100)]


async def by_document(provider: DataProvider) -> None:
    await provider.save_user("bob", {"name": "Bob", "inventory": {"ema_plaque": 1}})


async def by_transaction(provider: DataProvider) -> None:
    async with Transaction(provider, "bob") as work:
        work.set("name", "Bob")
        await work.commit()


MADE: dict[str, Callable[[DataProvider], Awaitable[None]]] = {
    "document": by_document,
    "transaction": by_transaction,
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE.keys())
async def test_the_first_act_books_the_opening_and_the_second_does_not(
    provider: DataProvider, clock: ManualClock, make: Callable[[DataProvider], Awaitable[None]]
) -> None:
    world = await World.open(provider, clock=clock)
    await make(provider)
    assert await world.services.store.purchase_item("bob", "nonsense") == (
        False,
        "There is no item nonsense.",
        10_000,
    )
    assert await world.booked("bob") == []
    assert (await world.services.store.purchase("bob", "health_potion", request_id="r-1")).gold == 9_900
    assert (await world.services.store.purchase("bob", "health_potion")).gold == 9_800
    assert (await world.services.store.purchase("bob", "health_potion", request_id="r-1")).gold == 9_900
    assert await world.booked("bob") == [
        *OPENING,
        Row("purchase", "bob", "gold", -100, 9_900, "health_potion", 1),
        Row("purchase", "bob", "gold", -100, 9_800, "health_potion", 1),
    ]
    profile = await world.profile("bob")
    assert (profile.name, profile.opening_due, profile.gems) == ("Bob", 0, 100)
    assert (await audit_provider(provider)).sound


ACTS: dict[str, Callable[[World], Awaitable[object]]] = {
    "a look": lambda world: world.services.executor.open_account("bob"),
    "a grant": lambda world: world.ask("admin.grant", "bob", "gold", 5, actor=ROOT, reason="a test"),
    "a reset": lambda world: world.ask("admin.reset", "bob", actor=ROOT, reason="a test"),
    "a transfer": lambda world: world.services.bank.transfer("bob", "ada", 10),
    "a claim": lambda world: world.services.daily.claim("bob"),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
async def test_whatever_the_first_act_is_the_opening_comes_first(
    provider: DataProvider, clock: ManualClock, act: Callable[[World], Awaitable[object]]
) -> None:
    world = await World.open(provider, clock=clock)
    await world.player("ada")
    await by_document(provider)
    await act(world)
    assert (await world.booked("bob"))[:2] == OPENING
    await world.services.store.purchase("bob", "health_potion")
    assert [row for row in await world.booked("bob") if row.kind == "opening"] == OPENING
    assert (await audit_provider(provider)).sound


async def test_what_others_gave_before_is_kept_beside_it(provider: DataProvider, clock: ManualClock) -> None:
    world = await World.open(provider, clock=clock)
    await world.player("ada", gold=1_000)
    await by_document(provider)
    await world.services.bank.transfer("ada", "bob", 100)
    got = (await world.profile("bob")).gold
    assert (await world.services.store.purchase("bob", "health_potion")).gold == got + 10_000 - 100
    assert (await audit_provider(provider)).sound


NAMED: list[Document] = [{"gold": 0}, {"gold": 50}, {"gems": 0}, {"gold": 0, "gems": 5}]


@pytest.mark.parametrize("document", NAMED, ids=str)
async def test_a_document_that_names_gold_or_gems_is_taken_at_its_word(
    provider: DataProvider, clock: ManualClock, document: Document
) -> None:
    world = await World.open(provider, clock=clock)
    await provider.save_user("bob", {"name": "Bob", **document})
    gold, gems = document.get("gold", 0), document.get("gems", 0)
    opened = await world.services.executor.open_account("bob")
    assert (opened.gold, opened.gems) == (gold, gems)
    assert await world.booked("bob") == []


async def test_a_transaction_that_moves_money_is_taken_at_its_word(
    provider: DataProvider, clock: ManualClock
) -> None:
    world = await World.open(provider, clock=clock)
    async with Transaction(provider, "bob", clock=clock) as work:
        work.incr("gold", 5)
        work.add_ledger_entry("grant", currency="gold", amount=5)
        await work.commit()
    assert (await world.services.executor.open_account("bob")).gold == 5


async def test_read_change_and_save_keeps_what_is_due_and_a_balance_ends_it(provider: DataProvider) -> None:
    await by_document(provider)
    read = await provider.get_user("bob")
    assert read is not None
    await provider.save_user("bob", {**read, "name": "Bobby"})
    kept = await provider.profile("bob")
    assert kept is not None
    assert (kept.name, kept.opening_due) == ("Bobby", 1)
    await provider.save_user("bob", {"gold": 0})
    named = await provider.profile("bob")
    assert named is not None
    assert (named.gold, named.opening_due) == (0, 0)
    await provider.save_user("bob", {"opening_due": 1})
    again = await provider.profile("bob")
    assert again is not None
    assert again.opening_due == 0


async def test_what_is_due_survives_a_copy_in_either_direction(
    provider: DataProvider, clock: ManualClock
) -> None:
    await by_document(provider)
    middle, end = MemoryProvider(clock), MemoryProvider(clock)
    assert (await copy_all(provider, middle)).complete
    world = await World.open(middle, clock=clock)
    assert (await copy_all(middle, end)).complete
    assert (await world.services.store.purchase("bob", "health_potion")).gold == 9_900
    world = await World.open(end, clock=clock)
    assert (await world.services.store.purchase("bob", "health_potion")).gold == 9_900
