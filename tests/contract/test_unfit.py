"""What no store can hold is the caller's mistake, and nothing of it is stored."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from kokoromichi.core.errors import MisuseError, RequestMismatchError
from kokoromichi.core.models import CounterChange
from tests.contract.stored import change, money, stored, user, with_counter, with_player

if TYPE_CHECKING:
    from kokoromichi.core.data_provider import DataProvider


@pytest.fixture
def written(provider: DataProvider) -> DataProvider:
    """A provider that writes down what it holds; memory keeps whatever Python has."""
    if provider.name == "memory":
        pytest.skip("nothing is written down in memory")
    return provider


async def test_a_counter_moves_by_whole_numbers(written: DataProvider) -> None:
    await with_counter(written, "stock.x", 5)
    before = await stored(written)
    half: Any = 0.5
    for counters in ((CounterChange("stock.x", half),), (CounterChange("stock.y", half, creates=True),)):
        with pytest.raises(MisuseError):
            await written.apply(change(user("ada", 0, money(1, 1)), counters=counters))
    assert await stored(written) == before


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
