"""Read, decide, apply; and decide anew when somebody was faster."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from kokoromichi.core.errors import ConflictError, MisuseError, RefusedError, RequestMismatchError
from kokoromichi.services.bundle import Services
from kokoromichi.services.receipts import PurchaseReceipt
from tests.contract.stored import Row, stored
from tests.unit.passing_providers import PassingProvider, RudeProvider, SlowProvider
from tests.unit.service_world import ECONOMY, World

if TYPE_CHECKING:
    from kokoromichi.core.models import AnswerT, ChangeSet

PATIENCE = 8 + 64 + 1
"""Commits that an act tries: with growing pauses, then with its player's lock, then a last time."""


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The longest pause of each retry in milliseconds; none is waited for."""
    asked: list[int] = []

    def shortest(most: int) -> int:
        asked.append(most)
        return 0

    monkeypatch.setattr("secrets.randbelow", shortest)
    return asked


async def rude(conflicts: int) -> tuple[World, RudeProvider, Services]:
    """A world, and services that meet so many conflicts in it."""
    world = await World.open()
    provider = RudeProvider(world.provider, conflicts)
    return world, provider, Services(provider, ECONOMY, world.clock)


@pytest.mark.parametrize("conflicts", [0, 1, 3, 8, 9, PATIENCE - 1])
@pytest.mark.parametrize("request_id", [None, "r-1"])
async def test_an_act_is_decided_anew_until_nobody_is_faster(
    conflicts: int, request_id: str | None, pauses: list[int]
) -> None:
    world, provider, services = await rude(conflicts)
    receipt = await services.store.purchase("ada", "ema_plaque", request_id=request_id)
    assert receipt == PurchaseReceipt("ema_plaque", 1, 1_000, 9_000, 1)
    assert provider.asked == conflicts + 1
    assert len(pauses) == conflicts
    assert len(await world.booked("ada")) == 3


@pytest.mark.usefixtures("pauses")
@pytest.mark.parametrize("act", ["bank.transfer", "store.gift"])
async def test_an_act_between_two_is_decided_anew_too(act: str) -> None:
    world, provider, services = await rude(0)
    await world.player("ada", items={"ema_plaque": 1})
    await world.player("bo")
    provider.conflicts = 12
    asked = {"bank.transfer": ("bo", 100), "store.gift": ("bo", "ema_plaque")}[act]
    await World(provider, world.clock, services, []).ask(act, "ada", *asked)
    assert provider.asked == 13


async def test_the_pauses_grow_and_end_with_a_lock(pauses: list[int]) -> None:
    _, _, services = await rude(10)
    await services.daily.claim("ada")
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 512, 512]


async def test_patience_ends_and_nothing_has_happened(pauses: list[int]) -> None:
    world, provider, services = await rude(10**9)
    before = await stored(world.provider)
    with pytest.raises(ConflictError, match="somebody was faster"):
        await services.daily.claim("ada", request_id="r-1")
    assert provider.asked == PATIENCE
    assert len(pauses) == PATIENCE - 1
    assert await stored(world.provider) == before
    provider.conflicts = 0
    assert (await services.daily.claim("ada", request_id="r-1")).streak == 1


@pytest.mark.usefixtures("pauses")
async def test_what_is_decided_anew_is_decided_on_what_is_stored_then() -> None:
    """BallsDex 843: double spend across commands; re-checked at the commit."""
    world = await World.open()
    await world.player("ada", gold=1_000)

    class Faster(PassingProvider):
        async def apply(self, change: ChangeSet[AnswerT]) -> AnswerT:
            if (await world.profile("ada")).gold == 1_000:
                await world.services.progress.train("ada")  # In between, another command spends 100.
            return await super().apply(change)

    services = Services(Faster(world.provider), ECONOMY, world.clock)
    with pytest.raises(RefusedError, match="Need 1,000 gold, have 900"):
        await services.store.purchase("ada", "ema_plaque")
    assert [row.kind for row in await world.booked("ada")] == ["train"]


@pytest.mark.usefixtures("pauses")
async def test_acts_of_one_player_at_the_same_moment_all_happen_in_some_order() -> None:
    world = await World.open()
    await world.player("ada", gold=10_000)
    services = Services(SlowProvider(world.provider), ECONOMY, world.clock)
    receipts = await asyncio.gather(*(services.store.purchase("ada", "health_potion") for _ in range(20)))
    assert sorted(receipt.owned for receipt in receipts) == list(range(1, 21))
    assert (await world.profile("ada")).gold == 8_000


@pytest.mark.usefixtures("pauses")
@pytest.mark.parametrize(("players", "at_once"), [(1, 1), (4, 4)])
async def test_in_the_locked_phase_a_players_acts_take_turns_and_others_do_not_wait(
    players: int, at_once: int
) -> None:
    acts, tries_apart = 4, 8
    world = await World.open()
    names = [f"p{number % players}" for number in range(acts)]
    for name in names:
        await world.player(name)

    class Counting(RudeProvider):
        """Counts the commits that are under way at once, from the first on that no act tries apart."""

        inside, most = 0, 0

        async def apply(self, change: ChangeSet[AnswerT]) -> AnswerT:
            locked = not self.conflicts
            self.inside += locked
            self.most = max(self.most, self.inside)
            for _ in range(acts):
                await asyncio.sleep(0)  # Long enough for every other act to come in, where nothing holds it.
            self.inside -= locked
            return await super().apply(change)

    provider = Counting(world.provider, acts * tries_apart)
    services = Services(provider, ECONOMY, world.clock)
    receipts = await asyncio.gather(*(services.store.purchase(name, "health_potion") for name in names))
    assert provider.most == at_once
    assert provider.asked == acts * (tries_apart + 1)
    assert sorted(receipt.owned for receipt in receipts) == sorted([*range(1, acts // players + 1)] * players)


async def test_a_lock_is_forgotten_when_nobody_holds_it(pauses: list[int]) -> None:
    _, provider, services = await rude(9)
    await services.daily.claim("ada")
    provider.conflicts = 9
    await services.progress.train("ada")
    assert provider.asked == 20
    assert len(pauses) == 18


async def test_an_account_is_opened_once() -> None:
    world = await World.open()
    for _ in range(2):
        profile = await world.services.executor.open_account("zoe")
        assert (profile.gold, profile.gems, profile.version) == (10_000, 100, 1)
    assert await world.booked() == [
        Row("opening", "zoe", "gold", 10_000, 10_000),
        Row("opening", "zoe", "gems", 100, 100),
    ]


async def test_an_account_is_opened_once_by_many() -> None:
    world = await World.open()
    executor = Services(SlowProvider(world.provider), ECONOMY, world.clock).executor
    profiles = await asyncio.gather(*(executor.open_account("zoe", request_id=f"r-{n}") for n in range(10)))
    assert {profile.gold for profile in profiles} == {10_000}
    assert len(await world.booked()) == 2


async def test_an_opening_of_nothing_has_no_row() -> None:
    world = await World.open(economy=ECONOMY.with_values({"opening": {"gold": 0, "gems": 0}}))
    assert (await world.services.executor.open_account("zoe")).version == 1
    assert await world.booked() == []


async def test_nobody_opens_an_account_by_a_malformed_id_or_anothers_request() -> None:
    world = await World.open()
    with pytest.raises(MisuseError, match="user id"):
        await world.services.executor.open_account("../evil")
    await world.services.daily.claim("ada", request_id="r-1")
    with pytest.raises(RequestMismatchError):
        await world.services.executor.open_account("zoe", request_id="r-1")
    assert await world.provider.user_ids() == ["ada"]


async def test_without_dice_and_clock_the_machines_own_are_used() -> None:
    world = await World.open()
    services = Services(world.provider, ECONOMY)
    receipt = await services.battle.fight("ada", 1)
    assert receipt.hp == 80
    assert 0 <= services.executor.dice() < 2**32
    assert len({services.executor.dice() for _ in range(20)}) > 1
