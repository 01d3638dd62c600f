"""A change is stored whole, or nothing of it is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from kokoromichi.core.errors import ConflictError, FloorError, KokoroError, MisuseError
from kokoromichi.core.models import MOST_INT, CounterChange, Movement, UserChange
from kokoromichi.core.providers import PROVIDERS, provider_class
from kokoromichi.core.transactions import Committed
from tests.contract.makers import MAKERS
from tests.contract.stored import Row, change, goods, money, rows, stored, user, with_counter, with_player

if TYPE_CHECKING:
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.models import ChangeSet, FieldValue


def test_every_provider_has_a_maker_a_name_and_nothing_abstract_left() -> None:
    assert set(MAKERS) == set(PROVIDERS)
    for name in PROVIDERS:
        assert provider_class(name).name == name
        assert not getattr(provider_class(name), "__abstractmethods__")  # noqa: B009 - set by ABCMeta, unknown to types


async def test_a_change_moves_balances_items_fields_counters_and_rows_together(
    provider: DataProvider,
) -> None:
    await with_counter(provider, "stock.lucky_charm", 5)
    await with_player(provider, "ada")
    bought = Movement("purchase", "gold", -30, 70, "lucky_charm", 2)
    act = change(
        user("ada", 1, bought, fields={"level": 3, "businesses": {"cafe": 7}}),
        counters=(CounterChange("stock.lucky_charm", -2),),
        answer=(70, 0),
    )
    assert await provider.apply(act) == Committed(70, 0)
    profile = await provider.profile("ada")
    assert profile is not None
    assert (profile.gold, profile.gems, profile.inventory) == (70, 0, {"lucky_charm": 2})
    assert (profile.version, profile.level, profile.businesses) == (2, 3, {"cafe": 7})
    assert await provider.counters() == {"stock.lucky_charm": 3}
    assert await rows(provider) == [
        Row("grant", "ada", "gold", 100, 100),
        Row("purchase", "ada", "gold", -30, 70, "lucky_charm", 2),
    ]


async def test_an_item_that_runs_out_leaves_the_inventory(provider: DataProvider) -> None:
    await with_player(provider, "ada", ema_plaque=2)
    await provider.apply(change(user("ada", 1, goods("ema_plaque", -2, "gift"))))
    profile = await provider.profile("ada")
    assert profile is not None
    assert profile.inventory == {}


async def test_several_movements_of_one_player_are_held_against_one_another(provider: DataProvider) -> None:
    await with_player(provider, "ada", gold=100)
    steps = (money(50, 150), money(-150, 0, "fee"), goods("x", 1), goods("x", -1, "use"), money(9, 9))
    await provider.apply(change(user("ada", 1, *steps)))
    profile = await provider.profile("ada")
    assert profile is not None
    assert (profile.gold, profile.inventory, profile.version) == (9, {}, 2)


async def test_a_change_without_movements_raises_the_version_alone(provider: DataProvider) -> None:
    await with_player(provider, "ada")
    await provider.apply(change(user("ada", 1)))
    profile = await provider.profile("ada")
    assert profile is not None
    assert (profile.version, len(await rows(provider))) == (2, 1)


async def test_version_0_creates_a_player(provider: DataProvider) -> None:
    assert await provider.profile("ada") is None
    assert await provider.get_user("ada") is None
    await provider.apply(change(user("ada", 0, money(10, 10), fields={"name": "Ada"})))
    profile = await provider.profile("ada")
    assert profile is not None
    assert (profile.version, profile.gold, profile.name, profile.level, profile.hp) == (1, 10, "Ada", 1, 100)
    assert await provider.user_ids() == ["ada"]


async def test_user_ids_and_counters_are_ascending(provider: DataProvider) -> None:
    for name in ("carl", "ada", "Bo", "_"):
        await with_player(provider, name)
        await with_counter(provider, f"stock.{name}", 1)
    assert await provider.user_ids() == ["Bo", "_", "ada", "carl"]
    assert list(await provider.counters()) == ["stock.Bo", "stock._", "stock.ada", "stock.carl"]


@pytest.mark.parametrize("version", [0, 2, 3])
async def test_another_version_than_the_stored_one_is_a_conflict(
    provider: DataProvider, version: int
) -> None:
    await with_player(provider, "ada")
    before = await stored(provider)
    with pytest.raises(ConflictError, match=f"ada has version 1, not {version}"):
        await provider.apply(change(user("ada", version, money(1, 101))))
    assert await stored(provider) == before


async def test_a_player_who_is_not_stored_has_version_0(provider: DataProvider) -> None:
    with pytest.raises(ConflictError, match="ada has version 0, not 1"):
        await provider.apply(change(user("ada", 1, money(1, 1))))
    assert await provider.user_ids() == []


BAD_ENDS = {
    "stale version": (user("cy", 7, money(1, 101)), ConflictError),
    "wrong balance": (user("cy", 1, money(1, 999)), MisuseError),
    "negative balance": (user("cy", 1, money(-101, -1)), MisuseError),
    "more items than held": (user("cy", 1, goods("x", -2)), MisuseError),
    "unknown kind": (user("cy", 1, money(1, 101, "theft")), MisuseError),
    "unknown currency": (user("cy", 1, money(1, 1, "grant", "silver")), MisuseError),
    "field that moves by rows": (user("cy", 1, fields={"gold": 5}), MisuseError),
    "field that there is not": (user("cy", 1, fields={"mana": 5}), MisuseError),
    "id that nobody may have": (user("system", 0, money(1, 1)), MisuseError),
}


@pytest.mark.parametrize("last", BAD_ENDS.values(), ids=BAD_ENDS.keys())
async def test_a_later_player_who_fails_leaves_nothing_of_the_earlier_ones(
    provider: DataProvider, last: tuple[UserChange, type[KokoroError]]
) -> None:
    await with_counter(provider, "stock.x", 5)
    for name in ("ada", "cy"):
        await with_player(provider, name, x=1)
    before = await stored(provider)
    whole: tuple[UserChange, ...] = (
        user("ada", 1, money(-60, 40), goods("x", -1), goods("y", 3), fields={"level": 9}),
        user("bo", 0, money(60, 60), goods("x", 1)),
    )
    bad, error = last
    with pytest.raises(error):
        await provider.apply(change(*whole, bad, counters=(CounterChange("stock.x", -3),), request_id="r-1"))
    assert await stored(provider) == before
    assert await provider.get_response("r-1", "") is None
    good = change(*whole, counters=(CounterChange("stock.x", -3),), request_id="r-1", answer=(40, 0))
    assert await provider.apply(good) == Committed(40, 0)
    assert await provider.counters() == {"stock.x": 2}


async def test_a_failing_later_counter_leaves_nothing(provider: DataProvider) -> None:
    await with_counter(provider, "stock.x", 5)
    await with_counter(provider, "stock.y", 1)
    await with_player(provider, "ada")
    before = await stored(provider)
    taken = (CounterChange("stock.x", -1), CounterChange("stock.y", -2))
    with pytest.raises(FloorError) as floor:
        await provider.apply(change(user("ada", 1, money(-1, 99), fields={"level": 2}), counters=taken))
    assert (floor.value.counter, floor.value.available) == ("stock.y", 1)
    assert await stored(provider) == before


async def test_counters_fall_to_zero_and_no_further(provider: DataProvider) -> None:
    await with_counter(provider, "stock.x", 5)
    await provider.apply(change(counters=(CounterChange("stock.x", -5),)))
    assert await provider.counters() == {"stock.x": 0}
    with pytest.raises(FloorError) as floor:
        await provider.apply(change(counters=(CounterChange("stock.x", -1),)))
    assert floor.value.available == 0
    await provider.apply(change(counters=(CounterChange("stock.x", 2),)))
    assert await provider.counters() == {"stock.x": 2}


async def test_a_counter_is_created_once_and_never_by_the_way(provider: DataProvider) -> None:
    await with_counter(provider, "stock.x", 5)
    with pytest.raises(ConflictError, match="exists already"):
        await with_counter(provider, "stock.x", 9)
    with pytest.raises(ConflictError, match="does not exist"):
        await provider.apply(change(counters=(CounterChange("stock.y", 1),)))
    with pytest.raises(FloorError):
        await with_counter(provider, "stock.y", -1)
    assert await provider.counters() == {"stock.x": 5}


async def test_writers_at_the_same_moment_never_both_spend_the_same_gold(provider: DataProvider) -> None:
    """Red-DiscordBot's bank: balance 100, ten concurrent withdrawals of 50 all succeed."""
    await with_player(provider, "ada", gold=100)
    withdrawal = change(user("ada", 1, money(-50, 50, "fee")))
    results = await asyncio.gather(*(provider.apply(withdrawal) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(result, Committed) for result in results) == 1
    assert sum(isinstance(result, ConflictError) for result in results) == 9
    profile = await provider.profile("ada")
    assert profile is not None
    assert (profile.gold, len(await rows(provider, "ada"))) == (50, 2)


async def test_buyers_at_the_same_moment_take_each_unit_once(provider: DataProvider) -> None:
    await with_counter(provider, "stock.x", 5)
    takes: list[ChangeSet[Committed]] = [
        change(user(f"p{number}", 0, goods("x", 1)), counters=(CounterChange("stock.x", -1),))
        for number in range(20)
    ]
    results = await asyncio.gather(*map(provider.apply, takes), return_exceptions=True)
    assert sum(isinstance(result, Committed) for result in results) == 5
    assert sum(isinstance(result, FloorError) for result in results) == 15
    assert await provider.counters() == {"stock.x": 0}
    assert len(await provider.user_ids()) == len(await rows(provider)) == 5


async def test_what_a_change_brought_is_not_changed_through_it_afterwards(provider: DataProvider) -> None:
    fields: dict[str, FieldValue] = {"level": 2}
    await provider.apply(change(user("ada", 0, fields=fields)))
    fields["level"] = 9
    profile = await provider.profile("ada")
    assert profile is not None
    assert profile.level == 2


async def test_a_counter_that_stands_twice_in_a_change_is_held_against_its_sum(
    provider: DataProvider,
) -> None:
    await with_counter(provider, "stock.x", 5)
    with pytest.raises(FloorError) as floor:
        await provider.apply(change(counters=(CounterChange("stock.x", -3), CounterChange("stock.x", -3))))
    assert floor.value.available == 2
    assert await provider.counters() == {"stock.x": 5}


async def test_a_counter_has_at_most_64_bits(provider: DataProvider) -> None:
    await with_counter(provider, "stock.x", MOST_INT)
    with pytest.raises(MisuseError, match="64 bits"):
        await provider.apply(change(user("ada", 0, money(9, 9)), counters=(CounterChange("stock.x", 1),)))
    assert await provider.counters() == {"stock.x": MOST_INT}
    assert not await provider.user_ids()
