"""The first KoKoroMichi's doors over every provider: open on first use, by what is in force, kept once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core import provider_manager
from kokoromichi.core.data_manager import data_manager
from kokoromichi.core.errors import CommitUnknownError, MisuseError, RequestMismatchError, StorageError
from kokoromichi.core.provider_manager import (
    get_game_data_async,
    get_provider,
    get_user_async,
    save_game_data_async,
    save_user_async,
)
from kokoromichi.core.transactions import Committed, begin_transaction
from kokoromichi.rules.economy import load_economy
from kokoromichi.services.bundle import Services
from kokoromichi.services.store import StoreService
from kokoromichi.settings import shipped_folder
from tests.contract.stored import Row, rows
from tests.unit.service_world import ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from kokoromichi.core.data_provider import DataProvider

SHIPPED = load_economy(shipped_folder("data"))
OPENING = SHIPPED.config.opening.gold
PRICE = SHIPPED.config.store["health_potion"].price_gold
AUTHOR = 123456789012345678


@pytest.fixture(autouse=True)
async def door(closed: DataProvider, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DataProvider]:
    """The process's own provider, which nobody has opened, by the shipped economy."""
    monkeypatch.setattr(provider_manager, "_provider", closed)
    monkeypatch.delenv("ECONOMY_DIR", raising=False)
    yield closed
    await closed.close()


async def save(user_id: str | int = "9") -> None:
    await save_user_async(user_id, {"gold": 5})


async def pay(amount: int = 5, request_id: str | None = None, user_id: str | int = "9") -> Committed:
    async with begin_transaction(user_id, request_id) as work:
        work.incr("gold", amount)
        work.add_ledger_entry({"kind": "grant", "currency": "gold", "amount": amount})
        answer = await work.commit()
    assert isinstance(answer, Committed)
    return answer


FIRST: dict[str, tuple[Callable[[], Awaitable[object]], object]] = {
    "get_user_async": (lambda: get_user_async("9"), None),
    "save_user_async": (save, None),
    "get_game_data_async": (lambda: get_game_data_async("events"), None),
    "save_game_data_async": (lambda: save_game_data_async("events", {"days": 3}), None),
    "begin_transaction": (pay, Committed(5, 0)),
    "user_ids": (lambda: get_provider().user_ids(), []),
    "counters": (lambda: get_provider().counters(), {}),
    "read_ledger": (lambda: get_provider().read_ledger(), []),
    "ledger_rows": (lambda: get_provider().ledger_rows(), 0),
    "get_user_inventory": (lambda: StoreService().get_user_inventory("9"), {}),
}


@pytest.mark.parametrize(("call", "answer"), FIRST.values(), ids=FIRST.keys())
async def test_the_first_use_opens(call: Callable[[], Awaitable[object]], answer: object) -> None:
    assert await call() == answer


async def test_the_first_purchase_opens_and_fills_the_shelves(door: DataProvider) -> None:
    success, message, gold = await StoreService().purchase_item("9", "experience_scroll", 1)
    price = SHIPPED.config.store["experience_scroll"].price_gold
    assert (success, gold) == (True, OPENING - price), message
    stock = SHIPPED.config.store["experience_scroll"].stock
    shown = {item.item_id: item for item in await StoreService().view_store()}
    assert shown["experience_scroll"].stock == (None if stock is None else stock - 1)
    limited = {item_id for item_id, item in SHIPPED.config.store.items() if item.stock is not None}
    assert {item_id for item_id, item in shown.items() if item.stock} == limited
    assert (await audit_provider(door)).sound


async def test_many_first_uses_at_once_are_one_opening(door: DataProvider) -> None:
    bought = await asyncio.gather(*(StoreService().purchase_item("9", "health_potion") for _ in range(10)))
    assert {success for success, _, _ in bought} == {True}
    assert min(gold for _, _, gold in bought) == OPENING - 10 * PRICE
    assert [row.kind for row in await rows(door, "9")][:3] == ["opening", "opening", "purchase"]
    assert (await audit_provider(door)).sound


async def test_it_may_be_opened_explicitly_and_twice(door: DataProvider) -> None:
    await door.open()
    await door.open()
    await save()
    async with door as opened:
        assert await opened.user_ids() == ["9"]


async def test_after_closing_a_call_says_what_to_do_and_opening_does_it(door: DataProvider) -> None:
    await save()
    await door.close()
    if door.name != "memory":  # It has nothing to close.
        for call in (get_user_async("9"), pay(), StoreService().purchase_item("9", "health_potion")):
            with pytest.raises(MisuseError, match=r"closed: (await )?open\(\)"):
                await call
    await door.open()
    document = await get_user_async("9")
    assert document is not None
    assert document["gold"] == 5


@pytest.mark.parametrize("make", [StoreService, lambda p: StoreService(provider=p)])
async def test_a_store_over_a_provider_charges_what_is_in_force(
    door: DataProvider, make: Callable[[DataProvider], StoreService]
) -> None:
    game = Services(door, SHIPPED)
    await game.start()
    await game.admin.set_price("health_potion", PRICE + 7, actor=ROOT, reason="a test")
    await game.admin.set_stock("experience_scroll", 1, actor=ROOT, reason="a test")
    await save_user_async("9", {"gold": 100_000})
    store = make(door)
    assert await store.purchase_item("9", "health_potion", 2) == (
        True,
        f"Bought 2 x health_potion for {2 * (PRICE + 7)} gold.",
        100_000 - 2 * (PRICE + 7),
    )
    shown = {item.item_id: item for item in await store.view_store()}
    assert (shown["health_potion"].price, shown["experience_scroll"].stock) == (PRICE + 7, 1)
    assert f"health_potion: Health Potion, {PRICE + 7} gold" in str(await store.view_store())
    await game.admin.freeze("9", actor=ROOT, reason="a test")
    success, message, gold = await store.purchase_item("9", "health_potion")
    assert (success, gold) == (False, 100_000 - 2 * (PRICE + 7))
    assert "frozen" in message


async def test_a_price_that_is_set_later_is_followed(
    door: DataProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = StoreService(door)
    await store.view_store()
    game = Services(door, SHIPPED)
    await game.start()
    await game.admin.set_price("health_potion", PRICE + 7, actor=ROOT, reason="a test")
    monkeypatch.setattr("kokoromichi.services.standalone.FOLLOWED_S", 0.0)
    shown = {item.item_id: item.price for item in await store.view_store()}
    assert shown["health_potion"] == PRICE + 7


@pytest.mark.parametrize("make", [save_user_async, None])
async def test_an_account_without_money_named_gets_its_opening(
    make: Callable[..., Awaitable[None]] | None,
) -> None:
    if make is not None:
        await make("4", {"name": "Bob"})
    else:
        async with begin_transaction("4") as work:
            work.set("name", "Bob")
            await work.commit()
    assert (await StoreService().purchase_item("4", "health_potion"))[::2] == (True, OPENING - PRICE)


async def test_a_number_is_an_id_through_every_door() -> None:
    await save_user_async(AUTHOR, {"gold": 1_000})
    assert (await get_user_async(AUTHOR)) == (await get_user_async(str(AUTHOR)))
    assert await pay(5, "r-1", AUTHOR) == await pay(5, "r-1", str(AUTHOR))
    store = StoreService()
    assert (await store.purchase_item(AUTHOR, "health_potion"))[::2] == (True, 1_005 - PRICE)
    assert await store.get_user_inventory(AUTHOR) == {"health_potion": 1}
    assert await get_provider().user_ids() == [str(AUTHOR)]
    for wrong in (-5, 1.5, None, True):
        for call in (
            get_user_async(wrong),  # type: ignore[arg-type] # What is refused.
            save(wrong),  # type: ignore[arg-type] # Likewise.
            store.purchase_item(wrong, "health_potion"),  # type: ignore[arg-type] # Likewise.
            store.get_user_inventory(wrong),  # type: ignore[arg-type] # Likewise.
        ):
            with pytest.raises(MisuseError, match="is malformed"):
                await call
        with pytest.raises(MisuseError, match="is malformed"):
            begin_transaction(wrong)  # type: ignore[arg-type] # Likewise.


async def test_one_request_id_is_one_act_through_a_transaction(door: DataProvider) -> None:
    assert await pay(100, "r-1") == Committed(100, 0)
    assert await pay(100, "r-1") == Committed(100, 0)
    with pytest.raises(RequestMismatchError):
        await pay(500, "r-1")
    assert await rows(door, "9") == [Row("grant", "9", "gold", 100, 100)]


async def test_a_commit_that_is_cut_off_has_one_effect(door: DataProvider) -> None:
    await save()
    for moment_s in (0.0, 1e-5, 1e-3):
        before = await door.profile("9")
        assert before is not None
        gold, version = before.gold, before.version
        work = await begin_transaction("9").begin()
        work.incr("gold", 1)
        work.add_ledger_entry("grant", currency="gold", amount=1)
        try:
            await asyncio.wait_for(work.commit(), moment_s)
        except (asyncio.TimeoutError, CommitUnknownError):
            if work.state == "unknown":
                with pytest.raises(MisuseError, match=f"same request id {work.request_id}"):
                    work.rollback()
            await work.commit()
        after = await door.profile("9")
        assert after is not None
        assert (after.gold, after.version) == (gold + 1, version + 1)
    assert (await audit_provider(door)).sound


@pytest.mark.parametrize("call", ["sync_local_to_remote", "sync_remote_to_local", "migrate_local_to_remote"])
async def test_a_sync_without_its_other_side_says_so(door: DataProvider, call: str) -> None:
    with pytest.raises(MisuseError, match=f"^{call}: "):
        await getattr(door, call)()


async def test_the_old_manager_says_where_a_mirror_would_be(door: DataProvider) -> None:
    with pytest.raises((MisuseError, StorageError), match=f"the provider '{door.name}' has no mirror"):
        await data_manager.get_user_data(AUTHOR)
