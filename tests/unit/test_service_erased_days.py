"""What of a day outlives an erasure: for everybody who is erased that day, and until the day has passed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from kokoromichi.core.clock import ManualClock
from kokoromichi.core.errors import RefusedError, StorageError
from kokoromichi.core.models import DAY_US
from kokoromichi.core.providers.memory import MemoryProvider
from tests.contract.stored import NOON_US
from tests.unit.passing_providers import PassingProvider
from tests.unit.service_world import ROOT, World

if TYPE_CHECKING:
    from kokoromichi.core.documents import Document

SECTION = "erased_days"


class SlowSections(PassingProvider):
    """Lets others in between the read of a section and its write."""

    async def get_game_data(self, section: str) -> Document | None:
        found = await self.inner.get_game_data(section)
        await asyncio.sleep(0)
        return found


async def test_of_two_who_are_erased_at_once_neither_claims_twice() -> None:
    clock = ManualClock(NOON_US)
    world = await World.open(SlowSections(MemoryProvider(clock)), clock=clock)
    for user_id in ("ada", "bo"):
        await world.services.daily.claim(user_id)
    erase = world.services.admin.erase
    await asyncio.gather(*(erase(user_id, actor=ROOT, reason="asked") for user_id in ("ada", "bo")))
    for user_id in ("ada", "bo"):
        with pytest.raises(RefusedError, match="Already claimed"):
            await world.services.daily.claim(user_id)


async def test_who_returns_on_the_day_is_met_as_their_next_act_meets_them() -> None:
    world = await World.open()
    await world.services.daily.claim("ada")
    await world.services.admin.erase("ada", actor=ROOT, reason="asked")
    met = await world.services.executor.meet("ada")
    opening = world.services.live.config.opening
    assert (met.gold, met.gems, met.last_claim_us) == (opening.gold, opening.gems, NOON_US)
    assert await world.services.profile("ada") is None


async def test_the_key_is_forgotten_once_its_day_has_passed_and_not_before() -> None:
    world = await World.open()
    await world.player("ada")
    await world.services.admin.erase("ada", actor=ROOT, reason="asked")
    kept = await world.provider.get_game_data(SECTION)
    await world.services.executor.erased_days.forget()
    assert kept
    assert await world.provider.get_game_data(SECTION) == kept
    world.clock.us += DAY_US
    await world.services.executor.erased_days.forget()
    assert await world.provider.get_game_data(SECTION) == {}
    await world.services.daily.claim("ada")


async def test_a_key_that_was_kept_while_the_clock_was_ahead_is_forgotten() -> None:
    world = await World.open()
    await world.player("ada")
    world.clock.us += 365 * DAY_US
    await world.services.admin.erase("ada", actor=ROOT, reason="asked")
    world.clock.us -= 365 * DAY_US
    await world.services.executor.erased_days.forget()
    assert await world.provider.get_game_data(SECTION) == {}


async def test_a_section_that_another_hand_has_changed_says_so_to_the_operator() -> None:
    world = await World.open()
    await world.provider.save_game_data(SECTION, {"day": 1, "key": "0"})
    with pytest.raises(StorageError, match="section 'erased_days' is no valid document"):
        await world.services.daily.claim("ada")
