"""Request ids in every act: a second click has no effect and gets the same answer; another act is refused."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from kokoromichi.core.clock import moment_of
from kokoromichi.core.errors import MisuseError, RefusedError, RequestMismatchError
from kokoromichi.services.receipts import PurchaseReceipt
from tests.contract.stored import NOON_US, entries, stored
from tests.unit.passing_providers import SlowProvider
from tests.unit.service_world import DAY_S, ECONOMY, ROOT, WIN, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from kokoromichi.core.models import Receipt


NO_OPTIONS: Final[Mapping[str, object]] = {}


class Act(NamedTuple):
    """An act that Ada may do once, and an act that differs from it in one argument."""

    name: str
    arguments: tuple[object, ...]
    another: tuple[object, ...]
    options: Mapping[str, object] = NO_OPTIONS
    opens: bool = True


MIKA: Final = ECONOMY.waifus[0].id
ACTS: Final = [
    Act("store.purchase", ("health_potion", 2), ("health_potion", 3)),
    Act("store.sell", ("ema_plaque", 2), ("ema_plaque", 1), opens=False),
    Act("store.use", ("experience_scroll",), ("wisdom_tome",), opens=False),
    Act("store.gift", ("bo", "ema_plaque", 1), ("cy", "ema_plaque", 1), opens=False),
    Act("daily.claim", (), ()),
    Act("bank.transfer", ("bo", 100), ("bo", 101)),
    Act("bank.buy_gems", (1,), (2,)),
    Act("summon.summon", (1,), (10,)),
    Act("summon.favorite", (MIKA,), ("",), opens=False),
    Act("summon.redeem", (ECONOMY.waifus[1].id,), (ECONOMY.waifus[2].id,), opens=False),
    Act("battle.set_auto_use", (0,), (1,)),
    Act("battle.fight", (1,), (2,)),
    Act("progress.train", (), ()),
    Act("progress.invest", ("cafe",), ("dojo",)),
    Act("progress.collect", (), (), opens=False),
    Act("admin.freeze", (), (), {"actor": ROOT, "reason": "a test"}, opens=False),
    Act("admin.grant", ("gold", 5), ("gold", 6), {"actor": ROOT, "reason": "a test"}, opens=False),
]
BOOKED: Final = [
    act for act in ACTS if act.name not in {"summon.favorite", "summon.redeem", "battle.set_auto_use"}
]
"""Those that move something, or are an admin's."""
NAMES: Final = [act.name for act in ACTS]


async def opened(*, slow: bool = False) -> World:
    """Ada who can do everything, Bo and Cy who can receive, dice that never end."""
    inner = await World.open()
    await inner.player("bo")
    await inner.player("cy")
    items = {"ema_plaque": 4, "experience_scroll": 1, "wisdom_tome": 1}
    businesses = {"spa": 0, "dojo": NOON_US - DAY_S * 1_000_000}
    await inner.player(
        "ada",
        gold=50_000,
        gems=1_000,
        shards=10_000,
        items=items,
        businesses=businesses,
        collection={MIKA: 1},
    )
    world = await World.open(SlowProvider(inner.provider), clock=inner.clock) if slow else inner
    world.rolls += [WIN] * 1_000
    return world


def ask(world: World, act: Act, *, request_id: str | None, user_id: str = "ada") -> Awaitable[Receipt]:
    return world.ask(act.name, user_id, *act.arguments, **act.options, request_id=request_id)


@pytest.mark.parametrize("act", ACTS, ids=NAMES)
async def test_a_second_click_gets_the_same_receipt_and_has_no_effect(act: Act) -> None:
    """DiscordDungeons 1279: "interaction failed", clicked again, done twice."""
    world = await opened()
    before = await stored(world.provider)
    receipt = await ask(world, act, request_id="r-1")
    once = await stored(world.provider)
    assert once != before
    for seconds in (0, 61, 3 * DAY_S):
        world.clock.advance(seconds)
        assert await ask(world, act, request_id="r-1") == receipt
        assert await stored(world.provider) == once


@pytest.mark.parametrize("act", ACTS, ids=NAMES)
async def test_the_same_id_for_another_act_is_refused(act: Act) -> None:
    world = await opened()
    await ask(world, act, request_id="r-1")
    before = await stored(world.provider)
    with pytest.raises(RequestMismatchError):
        await ask(world, act, request_id="r-1", user_id="bo")
    if act.another:
        with pytest.raises(RequestMismatchError):
            await ask(world, act._replace(arguments=act.another), request_id="r-1")
    for other in ACTS:
        if other.name != act.name:
            with pytest.raises(RequestMismatchError):
                await ask(world, other, request_id="r-1")
    assert await stored(world.provider) == before


@pytest.mark.parametrize("act", ACTS, ids=NAMES)
async def test_clicks_at_the_same_moment_have_one_effect_and_one_receipt(act: Act) -> None:
    alone = await opened()
    await ask(alone, act, request_id="r-1")
    world = await opened(slow=True)
    receipts = await asyncio.gather(*(ask(world, act, request_id="r-1") for _ in range(10)))
    assert len(set(map(repr, receipts))) == 1
    once, together = await stored(alone.provider), await stored(world.provider)
    assert together.users == once.users
    assert len(together.ledger) == len(once.ledger)


@pytest.mark.parametrize("act", BOOKED, ids=lambda act: act.name)
async def test_the_rows_of_an_act_carry_its_id_time_and_transaction(act: Act) -> None:
    world = await opened()
    first = len(await entries(world.provider))
    world.clock.advance(1)
    await ask(world, act, request_id="r-1")
    await ask(world, act, request_id="r-1")
    booked = (await entries(world.provider))[first:]
    assert booked
    assert {entry.request_id for entry in booked} == {"r-1"}
    assert {entry.at for entry in booked} == {moment_of(NOON_US + 1_000_000)}
    assert len({entry.tx_id for entry in booked}) == 1
    assert {entry.actor for entry in booked} == {"root" if "actor" in act.options else "ada"}
    words = {entry.reason and entry.reason.removeprefix("freeze: ") for entry in booked}
    assert words == {act.options.get("reason")}


@pytest.mark.parametrize("act", BOOKED, ids=lambda act: act.name)
async def test_without_an_id_every_act_has_one_of_its_own(act: Act) -> None:
    world = await opened()
    first = len(await entries(world.provider))
    await ask(world, act, request_id=None)
    (request_id,) = {entry.request_id for entry in (await entries(world.provider))[first:]}
    assert request_id.startswith("~")


@pytest.mark.parametrize("act", [act for act in ACTS if act.opens], ids=lambda act: act.name)
@pytest.mark.parametrize("request_id", [None, "r-1"])
async def test_the_first_act_opens_the_account_in_the_same_commit(act: Act, request_id: str | None) -> None:
    world = await opened()
    await ask(world, act, request_id=request_id, user_id="zoe")
    if request_id is not None:
        await ask(world, act, request_id=request_id, user_id="zoe")
    booked = await entries(world.provider, "zoe")
    assert [(entry.kind, entry.currency, entry.amount, entry.balance_after) for entry in booked[:2]] == [
        ("opening", "gold", 10_000, 10_000),
        ("opening", "gems", 100, 100),
    ]
    assert len(booked) > 2 or act.name in {"battle.fight", "battle.set_auto_use"}
    assert len({entry.tx_id for entry in booked}) == 1
    profile = await world.profile("zoe")
    assert profile.version == 1
    assert profile.gold == sum(entry.amount or 0 for entry in booked if entry.currency == "gold")


@pytest.mark.parametrize("act", ACTS, ids=NAMES)
async def test_a_malformed_id_is_a_misuse(act: Act) -> None:
    world = await opened()
    before = await stored(world.provider)
    for request_id in ("", "~000000000007", "a b", "x" * 129):
        with pytest.raises(MisuseError, match="request id"):
            await ask(world, act, request_id=request_id)
    assert await stored(world.provider) == before


async def test_a_refusal_is_not_remembered() -> None:
    world = await World.open()
    await world.player("ada", gold=99)
    with pytest.raises(RefusedError):
        await world.services.store.purchase("ada", "health_potion", request_id="r-1")
    await world.player("ada", gold=100)
    receipt = await world.services.store.purchase("ada", "health_potion", request_id="r-1")
    assert receipt == PurchaseReceipt("health_potion", 1, 100, 0, 1)


async def test_two_players_second_clicks_do_not_meet() -> None:
    world = await World.open()
    for user_id in ("ada", "bo"):
        await world.services.daily.claim(user_id, request_id=f"{user_id}-1")
    assert (await world.profile("ada")).gold == (await world.profile("bo")).gold == 11_000
