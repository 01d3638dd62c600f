"""The unit of work: what it stores, what it refuses to store, and in which order it may be asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.clock import ManualClock
from kokoromichi.core.errors import ConflictError, FloorError, MisuseError, RequestMismatchError
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.transactions import Committed, Transaction
from tests.contract.stored import NOON_US, Row, entries, rows, stored, with_counter, with_player

if TYPE_CHECKING:
    from collections.abc import Callable

    from kokoromichi.core.data_provider import DataProvider


@pytest.fixture
async def provider() -> DataProvider:
    """Ada with 100 gold and 2 charms, Bo with 50 gold."""
    provider = MemoryProvider(ManualClock(NOON_US))
    await with_player(provider, "ada", gold=100, lucky_charm=2)
    await with_player(provider, "bo", gold=50)
    return provider


async def pay(provider: DataProvider, amount: int = 5, **options: str) -> Committed:
    """Ada burns gold in one unit of work."""
    async with Transaction(provider, "ada", clock=ManualClock(NOON_US), **options) as work:
        work.decr("gold", amount)
        work.add_ledger_entry("fee", currency="gold", amount=-amount)
        answer = await work.commit()
    assert isinstance(answer, Committed)
    return answer


async def test_changes_and_their_rows_are_stored_together(provider: DataProvider) -> None:
    clock = ManualClock(NOON_US + 5)
    async with Transaction(
        provider, "ada", clock=clock, request_id="r-1", actor="root", reason="a test"
    ) as work:
        assert work.incr("gems", 7) == 7
        assert work.decr("gold", 30) == 70
        assert work.decr("inventory.lucky_charm", 2) == 0
        assert work.incr("inventory.ema_plaque", 1) == 1
        assert work.incr("streak", 3) == 3
        assert work.incr("collection.nuwa", 1) == 1
        work.set("name", "Ada")
        work.add_ledger_entry("exchange", currency="gems", amount=7)
        work.add_ledger_entry("purchase", currency="gold", amount=-30, item_id="ema_plaque", quantity=1)
        work.add_ledger_entry("use", item_id="lucky_charm", quantity=-2)
        assert await work.commit() == Committed(70, 7)
    assert work.state == "committed"
    profile = await provider.profile("ada")
    assert profile is not None
    assert (profile.gold, profile.gems, profile.inventory) == (70, 7, {"ema_plaque": 1})
    assert (profile.streak, profile.name, profile.collection, profile.version) == (3, "Ada", {"nuwa": 1}, 2)
    assert (await rows(provider, "ada"))[2:] == [
        Row("exchange", "ada", "gems", 7, 7),
        Row("purchase", "ada", "gold", -30, 70, "ema_plaque", 1),
        Row("use", "ada", item_id="lucky_charm", quantity=-2),
    ]
    booked = (await entries(provider, "ada"))[2:]
    assert {(entry.actor, entry.reason, entry.request_id) for entry in booked} == {("root", "a test", "r-1")}
    assert {entry.at.microsecond for entry in booked} == {5}


async def test_balances_are_reckoned_row_by_row_at_the_commit(provider: DataProvider) -> None:
    async with Transaction(provider, "ada") as work:
        work.set("gold", 130)
        work.add_ledger_entry("sale", currency="gold", amount=50)
        work.add_ledger_entry("fee", currency="gold", amount=-20)
        await work.commit()
    assert [row.balance_after for row in (await rows(provider, "ada"))[2:]] == [150, 130]


async def test_several_players_are_stored_in_one_step(provider: DataProvider) -> None:
    async with Transaction(provider, "bo", "ada", "bo") as work:
        work.decr("gold", 10)
        work.add_ledger_entry("transfer", currency="gold", amount=-10, counterparty="ada")
        work.incr("gold", 10, user_id="ada")
        work.add_ledger_entry("transfer", currency="gold", amount=10, counterparty="bo", user_id="ada")
        assert (work.get("gold"), work.get("gold", user_id="ada")) == (40, 110)
        assert await work.commit() == Committed(40, 0)
    moved = [entry for entry in await entries(provider) if entry.kind == "transfer"]
    assert {(entry.user_id, entry.amount, entry.counterparty, entry.actor) for entry in moved} == {
        ("bo", -10, "ada", "bo"),
        ("ada", 10, "bo", "bo"),
    }
    assert len({entry.tx_id for entry in moved}) == 1


async def test_a_later_player_who_lost_the_race_leaves_nothing_of_the_first(provider: DataProvider) -> None:
    work = await Transaction(provider, "ada", "bo").begin()
    work.decr("gold", 10)
    work.add_ledger_entry("transfer", currency="gold", amount=-10)
    work.incr("gold", 10, user_id="bo")
    work.add_ledger_entry("transfer", currency="gold", amount=10, user_id="bo")
    async with Transaction(provider, "bo") as faster:
        faster.set("level", 2)
        await faster.commit()
    before = await stored(provider)
    with pytest.raises(ConflictError):
        await work.commit()
    assert await stored(provider) == before
    assert work.state == "active"
    work.rollback()


async def test_a_player_who_was_only_read_is_not_written(provider: DataProvider) -> None:
    async with Transaction(provider, "ada", "bo") as work:
        work.set("level", 2)
        await work.commit()
    bo = await provider.profile("bo")
    assert bo is not None
    assert bo.version == 1


async def test_a_new_player_is_created(provider: DataProvider) -> None:
    async with Transaction(provider, "cy") as work:
        assert (work.get("gold"), work.get("version"), work.get("user_id")) == (0, 0, "cy")
        work.incr("gold", 10)
        work.add_ledger_entry("opening", currency="gold", amount=10)
        assert await work.commit() == Committed(10, 0)
    assert await rows(provider, "cy") == [Row("opening", "cy", "gold", 10, 10)]


async def test_what_is_read_is_a_copy_and_no_one_elses_commit_moves_it(provider: DataProvider) -> None:
    async with Transaction(provider, "ada") as work:
        held = work.get("inventory")
        assert isinstance(held, dict)
        held["lucky_charm"] = 99
        assert work.get("inventory") == {"lucky_charm": 2}
        await pay(provider)
        assert work.get("gold") == 100
        work.set("level", 9)
        with pytest.raises(ConflictError):
            await work.commit()
        work.rollback()


async def test_what_was_set_is_not_changed_through_its_dictionary(provider: DataProvider) -> None:
    opened = {"cafe": 5}
    async with Transaction(provider, "ada") as work:
        work.set("businesses", opened)
        opened["cafe"] = 6
        assert work.get("businesses") == {"cafe": 5}
        await work.commit()
    ada = await provider.profile("ada")
    assert ada is not None
    assert ada.businesses == {"cafe": 5}


async def test_rollback_leaves_everything_as_it_was(provider: DataProvider) -> None:
    """The first KoKoroMichi: the rollback of a shallow copy leaves the items."""
    before = await stored(provider)
    async with Transaction(provider, "ada") as work:
        work.decr("inventory.lucky_charm", 2)
        work.incr("collection.nuwa", 1)
        work.decr("gold", 100)
        work.add_ledger_entry("fee", currency="gold", amount=-100)
        work.rollback()
    assert work.state == "rolled back"
    assert await stored(provider) == before


async def test_stock_is_taken_with_the_purchase_or_not_at_all(provider: DataProvider) -> None:
    await with_counter(provider, "stock.x", 2)

    async def take(units: int) -> None:
        async with Transaction(provider, "ada") as work:
            work.decr("gold", 1)
            work.add_ledger_entry("purchase", currency="gold", amount=-1)
            work.take_stock("stock.x", units)
            work.take_stock("stock.x", 0)
            await work.commit()

    with pytest.raises(FloorError) as floor:
        await take(3)
    assert floor.value.available == 2
    await take(2)
    assert await provider.counters() == {"stock.x": 0}
    assert len(await rows(provider, "ada")) == 3


async def test_the_same_request_id_has_one_effect_and_one_answer(provider: DataProvider) -> None:
    assert await pay(provider, request_id="r-1", operation="pay") == Committed(95, 0)
    assert await pay(provider, request_id="r-2", operation="pay") == Committed(90, 0)
    before = await stored(provider)
    assert await pay(provider, request_id="r-1", operation="pay") == Committed(95, 0)
    with pytest.raises(RequestMismatchError):
        await pay(provider, request_id="r-1", operation="refund")
    assert await stored(provider) == before


async def test_of_transactions_at_the_same_moment_one_is_stored(provider: DataProvider) -> None:
    """Red-DiscordBot's bank: ten concurrent withdrawals all succeed, ten deposits of 10 give 20."""
    begun = [await Transaction(provider, "ada").begin() for _ in range(10)]
    for work in begun:
        work.decr("gold", 50)
        work.add_ledger_entry("fee", currency="gold", amount=-50)
    results = await asyncio.gather(*(work.commit() for work in begun), return_exceptions=True)
    assert sum(isinstance(result, Committed) for result in results) == 1
    assert sum(isinstance(result, ConflictError) for result in results) == 9
    ada = await provider.profile("ada")
    assert ada is not None
    assert ada.gold == 50
    assert (await audit_provider(provider)).sound


async def test_nothing_to_store_is_committed_all_the_same(provider: DataProvider) -> None:
    before = await stored(provider)
    async with Transaction(provider, "ada") as work:
        assert await work.commit() == Committed(100, 0)
    assert await stored(provider) == before


UNBOOKED = {
    "gold down": (lambda work: work.decr("gold", 5), r"gold of player ada moved by -5, .* rows say \+0"),
    "gems up": (lambda work: work.incr("gems", 5), r"gems of player ada moved by \+5, .* rows say \+0"),
    "set": (lambda work: work.set("gold", 7), r"gold of player ada moved by -93, .* rows say \+0"),
    "item": (
        lambda work: work.decr("inventory.lucky_charm", 1),
        r"inventory.lucky_charm of player ada moved by -1, .* rows say \+0",
    ),
    "whole inventory": (
        lambda work: work.set("inventory", {"kitsune_mask": 2}),
        r"inventory.kitsune_mask of player ada moved by \+2, .* rows say \+0",
    ),
    "row without a change": (
        lambda work: work.add_ledger_entry("sale", currency="gold", amount=5),
        r"gold of player ada moved by \+0, .* rows say \+5",
    ),
    "item's row without a change": (
        lambda work: work.add_ledger_entry("use", item_id="ema_plaque", quantity=1),
        r"inventory.ema_plaque of player ada moved by \+0, .* rows say \+1",
    ),
    "row of another amount": (
        lambda work: (work.decr("gold", 5), work.add_ledger_entry("fee", currency="gold", amount=-4)),
        r"gold of player ada moved by -5, .* rows say -4; add_ledger_entry\(\) for the difference",
    ),
    "row of another player": (
        lambda work: (
            work.decr("gold", 5),
            work.add_ledger_entry("fee", currency="gold", amount=-5, user_id="bo"),
        ),
        r"gold of player ada moved by -5, .* rows say \+0",
    ),
}


@pytest.mark.parametrize(("change", "sentence"), UNBOOKED.values(), ids=UNBOOKED.keys())
async def test_law_1_is_kept_at_the_commit(
    provider: DataProvider, change: Callable[[Transaction], object], sentence: str
) -> None:
    before = await stored(provider)
    async with Transaction(provider, "ada", "bo") as work:
        change(work)
        with pytest.raises(MisuseError, match=sentence):
            await work.commit()
        work.rollback()
    assert await stored(provider) == before


INVALID = {
    "level 0": ("level", 0),
    "a text for a number": ("level", "nine"),
    "a number for a text": ("name", 5),
    "true for a number": ("streak", True),
    "a negative time": ("last_claim_us", -2),
    "negative copies": ("collection", {"nuwa": -1}),
    "a long item id": ("inventory", {"y" * 65: 1}),
}


@pytest.mark.parametrize(("key", "value"), INVALID.values(), ids=INVALID.keys())
async def test_the_profile_is_validated_at_the_commit(
    provider: DataProvider, key: str, value: int | str | dict[str, int]
) -> None:
    before = await stored(provider)
    async with Transaction(provider, "ada") as work:
        work.set(key, value)
        with pytest.raises(MisuseError, match=f"(?s)player ada would be invalid:.*{key}"):
            await work.commit()
        work.rollback()
    assert await stored(provider) == before


async def test_a_number_that_not_every_store_keeps_is_refused_at_the_commit(provider: DataProvider) -> None:
    before = await stored(provider)
    async with Transaction(provider, "ada") as work:
        work.set("xp", 2**63)
        with pytest.raises(MisuseError, match="player ada holds a whole number beyond 64 bits at xp"):
            await work.commit()
        work.rollback()
    assert await stored(provider) == before
