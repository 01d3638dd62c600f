"""The daily claim: once a UTC day, whatever restarts, and a streak that is never lost by the way."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Final

import pytest

from kokoromichi.core.clock import us_of
from kokoromichi.core.errors import RefusedError
from kokoromichi.services.bundle import Services
from kokoromichi.services.receipts import ClaimReceipt
from tests.contract.stored import NOON_US, Row, entries
from tests.unit.service_world import DAY_S, ECONOMY, HOUR_S, World

CYCLE_GOLD: Final = (1_000, 1_200, 1_500, 2_000, 2_500, 3_000, 5_000, 1_500, 1_800, 2_200)
CYCLE_GEMS: Final = (10, 12, 15, 20, 25, 30, 50, 18, 22, 28)


async def test_a_claim_pays_gold_and_gems_by_a_row_each() -> None:
    world = await World.open()
    await world.player("ada")
    assert await world.services.daily.claim("ada") == ClaimReceipt(1_000, 10, 1, 11_000, 110)
    assert await world.booked("ada") == [
        Row("daily", "ada", "gold", 1_000, 11_000),
        Row("daily", "ada", "gems", 10, 110),
    ]
    assert {entry.book for entry in (await entries(world.provider, "ada"))[2:]} == {"rewards"}


async def test_the_cycle_of_ten_days_begins_anew_while_the_streak_grows() -> None:
    world = await World.open()
    claims = []
    for _ in range(12):
        claims.append(await world.services.daily.claim("ada"))
        world.clock.advance(DAY_S)
    assert [claim.reward_gold for claim in claims] == [*CYCLE_GOLD, *CYCLE_GOLD[:2]]
    assert [claim.reward_gems for claim in claims] == [*CYCLE_GEMS, *CYCLE_GEMS[:2]]
    assert [claim.streak for claim in claims] == list(range(1, 13))


async def test_the_second_claim_of_a_day_is_refused_until_midnight_utc() -> None:
    """The first KoKoroMichi: the second daily raises; here it is refused with the moment of the next."""
    world = await World.open()
    world.clock.us = us_of(datetime(2026, 3, 10, 23, 59, 59, 999_999, tzinfo=timezone.utc))
    await world.services.daily.claim("ada")
    with pytest.raises(RefusedError) as refusal:
        await world.services.daily.claim("ada")
    assert refusal.value.numbers == {"next_us": us_of(datetime(2026, 3, 11, tzinfo=timezone.utc))}
    assert str(refusal.value) == "Already claimed today; the next claim opens 2026-03-11 00:00:00 UTC."
    world.clock.us += 1
    assert (await world.services.daily.claim("ada")).streak == 2
    with pytest.raises(RefusedError):
        await world.services.daily.claim("ada")


async def test_a_claim_is_stored_and_no_restart_forgets_it() -> None:
    """Mantaro 156: cooldowns in memory, so that each restart gives the daily again."""
    world = await World.open()
    await world.services.daily.claim("ada")
    for _ in range(3):
        restarted = Services(world.provider, ECONOMY, world.clock)
        await restarted.start()
        with pytest.raises(RefusedError, match="Already claimed"):
            await restarted.daily.claim("ada")


@pytest.mark.parametrize(
    ("claimed_h", "wait_h", "streak"),
    [
        (0, 24, 6),  # The next day.
        (0, 47, 6),
        (0, 48, 6),  # Within the window, and the day after the next.
        (23, 24, 6),
        (23, 48, 6),
        (23, 49, 1),
        (0, 49, 1),
        (0, 24 * 30, 1),
    ],
)
async def test_the_streak_grows_on_the_next_day_or_within_48_hours(
    claimed_h: int, wait_h: int, streak: int
) -> None:
    world = await World.open()
    midnight = us_of(datetime(2026, 3, 10, tzinfo=timezone.utc))
    claimed_us = midnight + claimed_h * HOUR_S * 1_000_000
    await world.player("ada", streak=5, best_streak=9, last_claim_us=claimed_us)
    world.clock.us = claimed_us + wait_h * HOUR_S * 1_000_000
    assert (await world.services.daily.claim("ada")).streak == streak
    profile = await world.profile("ada")
    assert (profile.streak, profile.best_streak, profile.last_claim_us) == (streak, 9, world.clock.us)


async def test_the_best_streak_is_kept() -> None:
    world = await World.open()
    for wait_s in (DAY_S, DAY_S, 9 * DAY_S, DAY_S):
        await world.services.daily.claim("ada")
        world.clock.advance(wait_s)
    profile = await world.profile("ada")
    assert (profile.streak, profile.best_streak) == (1, 3)


async def test_no_other_command_loses_a_streak() -> None:
    """Mantaro 258, the first KoKoroMichi: a command saves an older whole profile, and the claim is gone."""
    world = await World.open()
    await world.player("ada", streak=350, best_streak=350, last_claim_us=NOON_US - DAY_S * 1_000_000)
    await world.services.daily.claim("ada")
    await world.services.store.purchase("ada", "health_potion")
    await world.services.progress.invest("ada", "cafe")
    await world.services.battle.fight("ada", 1, draw=0)
    profile = await world.profile("ada")
    assert (profile.streak, profile.last_claim_us) == (351, NOON_US)
    with pytest.raises(RefusedError, match="Already claimed"):
        await world.services.daily.claim("ada")


async def test_a_clock_that_differs_a_little_gives_nothing_and_one_that_was_wrong_locks_nobody() -> None:
    world = await World.open()
    await world.services.daily.claim("ada")
    world.clock.us = NOON_US - 300_000_000
    with pytest.raises(RefusedError, match="next claim opens 2026-03-11"):
        await world.services.daily.claim("ada")
    world.clock.us = NOON_US - 3 * DAY_S * 1_000_000
    assert (await world.services.daily.claim("ada")).streak == 2
    with pytest.raises(RefusedError, match="next claim opens 2026-03-08"):
        await world.services.daily.claim("ada")


@pytest.mark.parametrize(
    ("gold", "gems", "kinds"), [([0], [5], ["gems"]), ([5], [0], ["gold"]), ([0], [0], [])]
)
async def test_a_reward_of_nothing_books_nothing(gold: list[int], gems: list[int], kinds: list[str]) -> None:
    world = await World.open(
        economy=ECONOMY.with_values({"daily": {"gold": gold, "gems": gems, "streak_window_h": 48}})
    )
    await world.player("ada")
    receipt = await world.services.daily.claim("ada")
    assert (receipt.reward_gold, receipt.reward_gems) == (gold[0], gems[0])
    assert [row.currency for row in await world.booked("ada")] == kinds
    with pytest.raises(RefusedError):
        await world.services.daily.claim("ada")
