"""Every misuse of a transaction has a sentence of its own, and stores nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kokoromichi.core.clock import ManualClock
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.kinds import KINDS
from kokoromichi.core.models import PROFILE_FIELDS
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.transactions import Transaction
from tests.contract.stored import NOON_US, stored, with_player

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kokoromichi.core.data_provider import DataProvider


@pytest.fixture
async def provider() -> DataProvider:
    """Ada with 100 gold and 2 charms."""
    provider = MemoryProvider(ManualClock(NOON_US))
    await with_player(provider, "ada", gold=100, lucky_charm=2)
    return provider


def test_it_needs_a_player(provider: DataProvider) -> None:
    with pytest.raises(MisuseError, match=r"at least one player: Transaction\(provider, user_id\)"):
        Transaction(provider)


@pytest.mark.parametrize("user_id", ["../evil", "", "system"])
def test_its_players_have_ids(provider: DataProvider, user_id: str) -> None:
    with pytest.raises(MisuseError, match="user id"):
        Transaction(provider, "ada", user_id)


@pytest.mark.parametrize("request_id", ["", "~1", "a b"])
def test_its_request_id_is_checked_at_once(provider: DataProvider, request_id: str) -> None:
    with pytest.raises(MisuseError, match="request id"):
        Transaction(provider, "ada", request_id=request_id)


CALLS: dict[str, Callable[[Transaction], object]] = {
    "get": lambda work: work.get("gold"),
    "set": lambda work: work.set("level", 2),
    "incr": lambda work: work.incr("level", 1),
    "decr": lambda work: work.decr("streak", 0),
    "add_ledger_entry": lambda work: work.add_ledger_entry("use", item_id="x"),
    "take_stock": lambda work: work.take_stock("stock.x", 1),
    "rollback": lambda work: work.rollback(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
async def test_a_call_outside_its_time_says_where_it_stands(
    provider: DataProvider, call: Callable[[Transaction], object]
) -> None:
    fresh = Transaction(provider, "ada")
    assert fresh.state == "new"
    with pytest.raises(MisuseError, match=r"transaction over ada: begin\(\) must come first"):
        call(fresh)
    committed = await Transaction(provider, "ada").begin()
    assert committed.state == "active"
    await committed.commit()
    with pytest.raises(MisuseError, match="it is committed"):
        call(committed)
    rolled_back = await Transaction(provider, "ada").begin()
    rolled_back.rollback()
    with pytest.raises(MisuseError, match="it is rolled back"):
        call(rolled_back)


ASKED: dict[str, Callable[[Transaction], Awaitable[object]]] = {
    "begin": lambda work: work.begin(),
    "commit": lambda work: work.commit(),
}


@pytest.mark.parametrize("call", ASKED.values(), ids=ASKED.keys())
async def test_it_begins_once_and_commits_once(
    provider: DataProvider, call: Callable[[Transaction], Awaitable[object]]
) -> None:
    committed = await Transaction(provider, "ada").begin()
    await committed.commit()
    with pytest.raises(MisuseError, match="it is committed"):
        await call(committed)
    rolled_back = await Transaction(provider, "ada").begin()
    rolled_back.rollback()
    with pytest.raises(MisuseError, match="it is rolled back"):
        await call(rolled_back)


async def test_begin_twice_and_commit_before_begin(provider: DataProvider) -> None:
    async with Transaction(provider, "ada") as work:
        with pytest.raises(MisuseError, match=r"begin\(\) came twice"):
            await work.begin()
    with pytest.raises(MisuseError, match=r"begin\(\) must come first"):
        await Transaction(provider, "ada").commit()


MISUSES: dict[str, tuple[Callable[[Transaction], object], str]] = {
    "get an unknown field": (lambda work: work.get("mana"), "has no field 'mana'"),
    "get what is unknown": (lambda work: work.get("unknown"), "has no field 'unknown'"),
    "get an item": (lambda work: work.get("inventory.x"), "has no field 'inventory.x'"),
    "set an unknown field": (lambda work: work.set("mana", 5), "no field 'mana' to set"),
    "set the version": (lambda work: work.set("version", 5), "no field 'version' to set"),
    "set the id": (lambda work: work.set("user_id", "bo"), "no field 'user_id' to set"),
    "incr an unknown field": (lambda work: work.incr("mana", 5), "has no field 'mana'"),
    "incr the version": (lambda work: work.incr("version", 1), "no field 'version' to set"),
    "incr a text": (lambda work: work.incr("name", 1), "'name' is no whole number"),
    "incr all items": (lambda work: work.incr("inventory", 1), "'inventory' is no whole number"),
    "incr a nameless item": (lambda work: work.incr("inventory.", 1), "'inventory.' is no whole number"),
    "incr within a number": (lambda work: work.incr("gold.x", 1), "'gold.x' is no whole number"),
    "incr a number with a dot": (lambda work: work.incr("streak.", 1), "'streak.' is no whole number"),
    "incr down": (lambda work: work.incr("gold", -1), r"incr\('gold', -1\): .* negative; use decr"),
    "decr up": (lambda work: work.decr("gold", -1), r"decr\('gold', -1\): .* negative; use incr"),
    "below zero": (lambda work: work.decr("gold", 101), "'gold' would fall to -1"),
    "an item below zero": (
        lambda work: work.decr("inventory.lucky_charm", 3),
        "'inventory.lucky_charm' would fall to -1",
    ),
    "an unknown kind": (lambda work: work.add_ledger_entry("theft"), "'theft' is no kind .* opening, daily"),
    "an unknown currency": (
        lambda work: work.add_ledger_entry("fee", currency="silver", amount=1),
        "1 of 'silver': the currencies are gold, gems",
    ),
    "an amount of nothing": (
        lambda work: work.add_ledger_entry("fee", amount=-3),
        "-3 of None: the currencies are gold, gems",
    ),
    "a quantity of nothing": (
        lambda work: work.add_ledger_entry("use", quantity=-3),
        "a quantity of -3 without an item",
    ),
    "stock given back": (lambda work: work.take_stock("stock.x", -1), r"\('stock.x', -1\).* negative"),
    "a stranger's field": (lambda work: work.get("gold", user_id="bo"), "player 'bo' is not part of it"),
    "a stranger's change": (lambda work: work.set("level", 2, user_id="bo"), "it has ada"),
    "a stranger's row": (
        lambda work: work.add_ledger_entry("use", item_id="x", user_id="bo"),
        "player 'bo' is not part of it",
    ),
}


@pytest.mark.parametrize(("misuse", "sentence"), MISUSES.values(), ids=MISUSES.keys())
async def test_a_misuse_has_its_sentence_and_changes_nothing(
    provider: DataProvider, misuse: Callable[[Transaction], object], sentence: str
) -> None:
    before = await stored(provider)
    async with Transaction(provider, "ada") as work:
        with pytest.raises(MisuseError, match=f"transaction over ada: .*{sentence}"):
            misuse(work)
    assert await stored(provider) == before


@pytest.mark.parametrize("amount", [1.5, True, False, "5", None, 2.0, float("nan")])
@pytest.mark.parametrize("key", ["gold", "inventory.lucky_charm", "streak"])
async def test_only_whole_numbers_move(provider: DataProvider, key: str, amount: int) -> None:
    async with Transaction(provider, "ada") as work:
        with pytest.raises(MisuseError, match="moves by whole numbers, not by"):
            work.incr(key, amount)
        with pytest.raises(MisuseError, match="moves by whole numbers, not by"):
            work.decr(key, amount)
        with pytest.raises(MisuseError, match="moves by whole numbers, not by"):
            work.take_stock("stock.x", amount)


async def test_leaving_with_changes_and_without_commit_raises(provider: DataProvider) -> None:
    before = await stored(provider)
    work = Transaction(provider, "ada")
    with pytest.raises(MisuseError, match=r"left without commit\(\); they are rolled back"):
        async with work:
            work.set("level", 2)
    assert work.state == "rolled back"
    assert await stored(provider) == before


@pytest.mark.parametrize(
    "touch",
    [
        lambda work: work.add_ledger_entry("use", item_id="x", quantity=0),
        lambda work: work.take_stock("stock.x", 1),
        lambda work: work.incr("streak", 0),
    ],
)
async def test_a_queued_row_and_taken_stock_are_changes_too(
    provider: DataProvider, touch: Callable[[Transaction], object]
) -> None:
    with pytest.raises(MisuseError, match="left without commit"):
        async with Transaction(provider, "ada") as work:
            touch(work)


async def test_leaving_after_reading_is_no_loss(provider: DataProvider) -> None:
    async with Transaction(provider, "ada") as work:
        assert work.get("gold") == 100
    assert work.state == "rolled back"


async def test_an_error_inside_is_the_one_that_is_heard(provider: DataProvider) -> None:
    before = await stored(provider)
    work = Transaction(provider, "ada")

    async def fail() -> None:
        async with work:
            work.set("level", 2)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert work.state == "rolled back"
    assert await stored(provider) == before


async def test_every_field_of_a_profile_can_be_read_and_every_kind_booked(provider: DataProvider) -> None:
    async with Transaction(provider, "ada") as work:
        assert {name for name in PROFILE_FIELDS if work.get(name) is None} == set()
        for kind in KINDS:
            work.add_ledger_entry(kind, item_id="lucky_charm", quantity=0)
        await work.commit()
    booked = [row["kind"] for row in (await stored(provider)).ledger[2:]]
    assert booked == list(KINDS)
