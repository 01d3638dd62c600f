"""How the storage does: what an operator asks first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kokoromichi.core.clock import moment_of, us_of
from kokoromichi.core.models import NEVER
from kokoromichi.rules.moments import is_ahead

if TYPE_CHECKING:
    from kokoromichi.core.data_provider import DataProvider


class Health(NamedTuple):
    """The storage at one moment.

    Attributes:
        provider: Its key in ``PROVIDERS``.
        players: How many accounts there are, erased ones among them.
        ledger_rows: How many rows there are.
        waiting: Commits of this process that are on their way.
        last_commit_us: When the newest row was booked, in microseconds since the epoch, or NEVER.
        mirrored_us: Up to when the local mirror holds everything; NEVER where there is none that was whole.
    """

    provider: str
    players: int
    ledger_rows: int
    waiting: int
    last_commit_us: int
    mirrored_us: int


async def health_of(provider: DataProvider) -> Health:
    """Ask the storage how it does.

    Raises:
        StorageError: It does not answer.
    """
    newest = await provider.read_ledger(limit=1)
    return Health(
        provider.name,
        len(await provider.user_ids()),
        await provider.ledger_rows(),
        provider.waiting,
        us_of(newest[0].at) if newest else NEVER,
        (provider.beside.mirrored_us if provider.beside is not None else 0) or NEVER,
    )


async def clock_finding(provider: DataProvider, now_us: int) -> str | None:
    """Hold the clock against the newest row of the ledger.

    Args:
        provider: The store.
        now_us: What the clock says, in microseconds since the epoch.

    Returns:
        A sentence with the cure where the row is further ahead of the clock than clocks may differ, or None.

    Raises:
        StorageError: The storage does not answer.
    """
    newest = await provider.read_ledger(limit=1)
    if not newest or not is_ahead(now_us, us_of(newest[0].at)):
        return None
    return (
        f"the newest ledger row is of {newest[0].at:%Y-%m-%d %H:%M:%S} UTC and this machine's clock says "
        f"{moment_of(now_us):%Y-%m-%d %H:%M:%S}: one of them was wrong; set the clock right, and open the "
        "day of a player whom that disturbs with /admin clocks"
    )
