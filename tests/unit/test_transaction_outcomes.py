"""What a transaction knows of its commit: stored, refused, or unknown until it is asked again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from kokoromichi.core.errors import (
    CommitUnknownError,
    ConflictError,
    MisuseError,
    RequestMismatchError,
    StorageError,
)
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.transactions import Committed, Transaction
from tests.contract.stored import rows, with_player

if TYPE_CHECKING:
    from collections.abc import Callable

    from kokoromichi.core.models import AnswerT, ChangeSet


class Unreliable(MemoryProvider):
    """Stores a change, or not, and then fails as it is told."""

    fails: BaseException | None = None
    hangs = False
    stores = True

    async def apply(self, change: ChangeSet[AnswerT]) -> AnswerT:
        if not self.stores and self.fails is not None:
            raise self.fails
        answer = await super().apply(change)
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails is not None:
            raise self.fails
        return answer


@pytest.fixture
async def provider() -> Unreliable:
    """Ada with 100 gold, on a store that works."""
    provider = Unreliable()
    await with_player(provider, "ada", gold=100)
    return provider


async def payment(provider: Unreliable, amount: int = 5, request_id: str | None = None) -> Transaction:
    """A begun transaction in which Ada pays."""
    work = await Transaction(provider, "ada", request_id=request_id).begin()
    work.decr("gold", amount)
    work.add_ledger_entry("fee", currency="gold", amount=-amount)
    return work


CALLS: dict[str, Callable[[Transaction], object]] = {
    "rollback": lambda work: work.rollback(),
    "get": lambda work: work.get("gold"),
    "set": lambda work: work.set("level", 2),
    "incr": lambda work: work.incr("streak", 1),
    "add_ledger_entry": lambda work: work.add_ledger_entry("use"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
@pytest.mark.parametrize("given", ["r-1", None])
async def test_a_commit_that_was_cut_off_can_only_be_asked_again(
    provider: Unreliable, call: Callable[[Transaction], object], given: str | None
) -> None:
    work = await payment(provider, request_id=given)
    provider.hangs = True
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(work.commit(), 0.01)
    assert work.state == "unknown"
    sentence = f"it may be stored: commit.. it again, .* same request id {work.request_id} and has one effect"
    with pytest.raises(MisuseError, match=sentence):
        call(work)
    provider.hangs = False
    assert await work.commit() == Committed(95, 0)
    with pytest.raises(MisuseError, match="it is committed"):
        await work.commit()
    assert [row.amount for row in await rows(provider, "ada")] == [100, -5]


async def test_an_unknown_outcome_of_the_store_is_unknown_to_the_transaction(provider: Unreliable) -> None:
    work = await payment(provider, request_id="r-1")
    provider.fails = CommitUnknownError("r-1")
    for _ in range(2):
        with pytest.raises(CommitUnknownError):
            await work.commit()
        assert work.state == "unknown"
    with pytest.raises(MisuseError, match="the outcome of its commit"):
        await work.begin()
    provider.fails = None
    await work.commit()
    assert [row.amount for row in await rows(provider, "ada")] == [100, -5]


async def test_a_commit_that_never_arrived_is_stored_by_the_second_one(provider: Unreliable) -> None:
    work = await payment(provider)
    provider.fails, provider.stores = CommitUnknownError(work.request_id), False
    with pytest.raises(CommitUnknownError):
        await work.commit()
    provider.fails = None
    assert await work.commit() == Committed(95, 0)
    assert [row.amount for row in await rows(provider, "ada")] == [100, -5]


async def test_a_later_no_of_the_store_ends_the_doubt(provider: Unreliable) -> None:
    work = await payment(provider)
    provider.fails, provider.stores = CommitUnknownError(work.request_id), False
    with pytest.raises(CommitUnknownError):
        await work.commit()
    provider.fails = None
    async with Transaction(provider, "ada") as faster:
        faster.set("level", 2)
        await faster.commit()
    with pytest.raises(ConflictError):
        await work.commit()
    assert work.state == "active"
    await work.rollback()


async def test_a_store_that_failed_for_certain_leaves_it_active(provider: Unreliable) -> None:
    work = await payment(provider)
    provider.fails, provider.stores = StorageError("the disk is full"), False
    with pytest.raises(StorageError, match="the disk is full"):
        await work.commit()
    assert work.state == "active"
    await work.rollback()
    assert [row.amount for row in await rows(provider, "ada")] == [100]


async def test_leaving_with_an_unknown_outcome_is_not_silent(provider: Unreliable) -> None:
    provider.hangs = True

    async def leave() -> None:
        async with Transaction(provider, "ada") as work:
            work.set("level", 2)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(work.commit(), 0.01)

    with pytest.raises(MisuseError, match="the outcome of its commit"):
        await leave()


ANOTHER: dict[str, Callable[[Transaction], object]] = {
    "another amount": lambda work: work.add_ledger_entry("fee", currency="gold", amount=-500),
    "another key": lambda work: work.incr("streak", 1),
    "another value": lambda work: work.set("level", 3),
    "another stock": lambda work: work.take_stock("stock.x", 1),
    "another item": lambda work: work.add_ledger_entry("use", item_id="x"),
}


@pytest.mark.parametrize("change", ANOTHER.values(), ids=ANOTHER.keys())
async def test_one_request_id_for_other_changes_is_refused(
    provider: Unreliable, change: Callable[[Transaction], object]
) -> None:
    async with Transaction(provider, "ada", request_id="r-1") as work:
        work.set("level", 2)
        await work.commit()
    before = await provider.get_user("ada")
    work = await Transaction(provider, "ada", request_id="r-1").begin()
    change(work)
    with pytest.raises(MisuseError) as refused:
        await work.commit()
    assert isinstance(refused.value, RequestMismatchError) or "its ledger rows say" in str(refused.value)
    assert await provider.get_user("ada") == before


async def test_one_request_id_for_another_amount_is_refused(provider: Unreliable) -> None:
    await (await payment(provider, 5, "r-1")).commit()
    with pytest.raises(RequestMismatchError, match="r-1 was used before"):
        await (await payment(provider, 50, "r-1")).commit()
    assert [row.amount for row in await rows(provider, "ada")] == [100, -5]


async def test_a_retry_that_reads_anew_is_the_same_act(provider: Unreliable) -> None:
    for _ in range(2):
        async with Transaction(provider, "ada", request_id="r-1") as work:
            work.incr("streak", 1)
            work.set("collection", {"nuwa": 1, "inari": 2})
            await work.commit()
    profile = await provider.profile("ada")
    assert profile is not None
    assert (profile.streak, profile.version) == (1, 2)


async def test_rollback_may_be_awaited_and_need_not_be(provider: Unreliable) -> None:
    awaited, called = await payment(provider), await payment(provider)
    await awaited.rollback()
    called.rollback()
    assert (awaited.state, called.state) == ("rolled back", "rolled back")
    assert [row.amount for row in await rows(provider, "ada")] == [100]


async def test_an_entry_may_be_one_mapping(provider: Unreliable) -> None:
    async with Transaction(provider, "ada") as work:
        work.decr("gold", 5)
        work.add_ledger_entry({"kind": "fee", "currency": "gold", "amount": -5, "user_id": "ada"})
        await work.commit()
    assert [(row.kind, row.amount) for row in await rows(provider, "ada")] == [("grant", 100), ("fee", -5)]


MISUSES: dict[str, tuple[Callable[[Transaction], object], str]] = {
    "no key": (lambda work: work.incr(None, 1), "a field is named by a text, not by None"),  # type: ignore[arg-type]
    "a key that cannot be one": (lambda work: work.get([]), r"named by a text, not by \[\]"),  # type: ignore[arg-type]
    "to set no key": (lambda work: work.set(5, 1), "named by a text, not by 5"),  # type: ignore[arg-type]
    "an amount of text": (
        lambda work: work.add_ledger_entry("fee", currency="gold", amount="5"),  # type: ignore[arg-type]
        "the amount of a row is a whole number, not '5'",
    ),
    "half a unit": (
        lambda work: work.add_ledger_entry("use", item_id="x", quantity=0.5),  # type: ignore[arg-type]
        "the quantity of a row is a whole number, not 0.5",
    ),
    "an item of no text": (
        lambda work: work.add_ledger_entry("use", item_id=7),  # type: ignore[arg-type]
        "the item_id of a row is a text, not 7",
    ),
    "a currency of no text": (
        lambda work: work.add_ledger_entry("fee", currency=[], amount=1),  # type: ignore[arg-type]
        r"1 of \[\]: the currencies are gold, gems",
    ),
    "an entry of fields that there are not": (
        lambda work: work.add_ledger_entry({"kind": "fee", "cost": 5}),
        "an entry has no field 'cost'; its fields are kind, currency, amount",
    ),
    "an entry without a kind": (lambda work: work.add_ledger_entry({}), "None is no kind of ledger row"),
    "no entry": (lambda work: work.add_ledger_entry(None), "None is no kind of ledger row"),  # type: ignore[arg-type]
    "a player of no text": (lambda work: work.get("gold", user_id=1.5), "user id 1.5 is malformed"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("misuse", "sentence"), MISUSES.values(), ids=MISUSES.keys())
async def test_each_misuse_has_its_sentence_at_once(
    provider: Unreliable, misuse: Callable[[Transaction], object], sentence: str
) -> None:
    work = await Transaction(provider, "ada").begin()
    with pytest.raises(MisuseError, match=sentence):
        misuse(work)
    assert await work.commit() == Committed(100, 0)
    assert [row.amount for row in await rows(provider, "ada")] == [100]


async def test_a_player_may_be_named_by_a_number(provider: Unreliable) -> None:
    async with Transaction(provider, 123456789012345678) as work:
        work.set("name", "Cy", user_id=123456789012345678)
        await work.commit()
    found = await provider.get_user("123456789012345678")
    assert found is not None
    assert found["name"] == "Cy"
