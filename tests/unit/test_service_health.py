"""What an operator is told of the storage and of the clock."""

from __future__ import annotations

from kokoromichi.core.clock import ManualClock
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.services.health import clock_finding
from tests.contract.stored import NOON_US


async def test_a_newest_row_that_is_ahead_of_the_clock_is_told_with_the_cure() -> None:
    clock = ManualClock(NOON_US)
    provider = MemoryProvider(clock)
    assert await clock_finding(provider, NOON_US) is None  # There is no row.
    await provider.save_user("ada", {"gold": 5})
    assert await clock_finding(provider, NOON_US - 300_000_000) is None
    assert await clock_finding(provider, NOON_US + 10**15) is None
    finding = await clock_finding(provider, NOON_US - 300_000_001)
    assert finding == (
        "the newest ledger row is of 2026-03-10 12:00:00 UTC and this machine's clock says "
        "2026-03-10 11:54:59: one of them was wrong; set the clock right, and open the day of a player "
        "whom that disturbs with /admin clocks"
    )
