"""What no store can hold is the caller's mistake, and nothing of it is stored."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import pytest

from kokoromichi.core.errors import MisuseError, RequestMismatchError
from kokoromichi.core.models import ChangeSet, CounterChange, Movement
from kokoromichi.core.transactions import Committed, Transaction
from kokoromichi.services.store import StoreService
from tests.contract.stored import NOON_US, change, goods, money, stored, user, with_counter, with_player

if TYPE_CHECKING:
    from collections.abc import Callable

    from kokoromichi.core.data_provider import DataProvider


class Word(str):
    """A text that is more than one."""


UNFIT: Final[dict[str, Callable[[Any], dict[str, Any]]]] = {
    "an item": lambda text: {"users": (user("ada", 1, goods(text, 1)),)},
    "another player": lambda text: {
        "users": (user("ada", 1, Movement("grant", "gold", 1, 101, counterparty=text)),)
    },
    "a name": lambda text: {"users": (user("ada", 1, fields={"name": text}),)},
    "a character": lambda text: {"users": (user("ada", 1, fields={"collection": {text: 1}}),)},
    "an actor": lambda text: {"users": (user("ada", 1, money(1, 101)),), "actor": text},
    "a reason": lambda text: {"users": (user("ada", 1, money(1, 101)),), "reason": text},
    "a counter": lambda text: {"users": (), "counters": (CounterChange(text, 1, creates=True),)},
    "a system row": lambda text: {"users": (), "system": (goods(text, 1, "restock"),)},
}


@pytest.mark.parametrize("asked", UNFIT.values(), ids=UNFIT.keys())
async def test_a_text_that_one_store_cannot_keep_none_takes_in_a_change(
    provider: DataProvider, asked: Callable[[Any], dict[str, Any]]
) -> None:
    await with_player(provider, "ada", gold=100)
    before = await stored(provider)
    for text in ("a\0b", "\ud800", Word("abc")):
        with pytest.raises(MisuseError, match="give a str without NUL and halves of surrogate pairs"):
            await provider.apply(ChangeSet(NOON_US, answer=Committed(0, 0), **asked(text)))
    assert await stored(provider) == before
    await provider.apply(ChangeSet(NOON_US, answer=Committed(0, 0), **asked("abc")))


@pytest.mark.parametrize("item_id", ["", "x" * 65])
async def test_an_item_id_is_as_long_everywhere_in_a_row_that_moves_nothing(
    provider: DataProvider, item_id: str
) -> None:
    with pytest.raises(MisuseError, match=r"item id .* is malformed"):
        await provider.apply(change(user("ada", 0, goods(item_id, 0))))
    assert await provider.ledger_rows() == 0


@pytest.mark.parametrize("odd", [Word("r-1"), 5, ["r-1"], b"r-1"], ids=repr)
async def test_what_is_no_plain_text_is_no_id(provider: DataProvider, odd: Any) -> None:
    for asked in (
        lambda: provider.get_response(odd, ""),
        lambda: provider.apply(change(user("ada", 0), request_id=odd)),
        lambda: StoreService(provider).purchase_item("ada", "health_potion", request_id=odd),
        lambda: provider.read_ledger(user_id=[odd]),  # type: ignore[arg-type] # No text, which is refused.
    ):
        with pytest.raises(MisuseError, match=r"id .* is malformed"):
            await asked()
    assert await provider.user_ids() == []


async def test_a_unit_of_work_takes_what_a_document_may_hold_and_nothing_else(provider: DataProvider) -> None:
    for value in ("a\0b", "\ud800", b"bytes", Word("abc")):
        work = await Transaction(provider, "ada").begin()
        work.set("name", value)  # type: ignore[arg-type] # Bytes among the texts.
        with pytest.raises(MisuseError, match=r"the document of player ada holds .* at name"):
            await work.commit()
    assert await provider.user_ids() == []


async def test_the_rows_of_a_player_are_found_by_an_id_that_is_a_number(provider: DataProvider) -> None:
    await with_player(provider, "42", gold=7)
    assert [row.amount for row in await provider.read_ledger(user_id=42)] == [7]


async def test_a_counter_moves_by_whole_numbers(provider: DataProvider) -> None:
    await with_counter(provider, "stock.x", 5)
    before = await stored(provider)
    for delta in (0.5, 2**63, True):
        odd: Any = delta
        for counters in ((CounterChange("stock.x", odd),), (CounterChange("stock.y", odd, creates=True),)):
            with pytest.raises(MisuseError):
                await provider.apply(change(user("ada", 0, money(1, 1)), counters=counters))
    assert await stored(provider) == before


async def test_two_acts_under_one_id_at_the_same_moment_are_one_act_and_one_misuse(
    provider: DataProvider,
) -> None:
    await with_player(provider, "ada", gold=100)
    acts = [
        change(user("ada", 1, money(amount, 100 + amount)), request_id="r-1", digest=f"{amount}")
        for amount in (5, 7)
    ]
    found = await asyncio.gather(*map(provider.apply, acts), return_exceptions=True)
    assert sum(isinstance(each, RequestMismatchError) for each in found) == 1
    profile = await provider.profile("ada")
    assert profile is not None
    assert (profile.version, profile.gold) in {(2, 105), (2, 107)}
