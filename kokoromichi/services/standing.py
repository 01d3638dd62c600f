"""Who is richest: read as one list, kept for some seconds, and cut into pages."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

from kokoromichi.core.models import ERASED_PREFIX, NEVER, SECOND_US
from kokoromichi.core.validation import checked_user_id

if TYPE_CHECKING:
    from kokoromichi.core.clock import Clock
    from kokoromichi.core.data_provider import DataProvider

KEPT_S: Final = 5.0
"""So long a list is shown again, in seconds."""


class Standing(NamedTuple):
    """A player's place.

    Attributes:
        rank: From 1; of equal balances the smaller id comes first, so that no two share a rank.
        user_id: Whose.
        gold: Balance.
    """

    rank: int
    user_id: str
    gold: int


class StandingPage(NamedTuple):
    """A page of the list.

    Attributes:
        rows: The richest first; none where nobody plays.
        page: Which, from 1; a page beyond the last one shows that.
        pages: How many there are, at least 1.
        players: How many players stand in the list.
        read_us: When balances were read, in microseconds since the epoch.
    """

    rows: tuple[Standing, ...]
    page: int
    pages: int
    players: int
    read_us: int


class StandingService:
    """Ranks players by gold; erased ones are left out.

    Args:
        provider: Where balances are.
        clock: What tells how old a list is.
        kept_s: So long a list is shown again, in seconds: a balance shown may be that old.
    """

    def __init__(self, provider: DataProvider, clock: Clock, kept_s: float = KEPT_S) -> None:
        self._provider = provider
        self._clock = clock
        self._kept_us = int(kept_s * SECOND_US)
        self._reading = asyncio.Lock()
        self._read_us: int = NEVER
        self._rows: list[Standing] = []
        self._rank_of: dict[str, int] = {}

    async def page(self, page: int = 1, size: int = 10) -> StandingPage:
        """One page of the list.

        Args:
            page: From 1; beyond the ends it is the nearest one.
            size: Rows of a page, at least 1.
        """
        await self._refresh()
        size = max(1, size)
        pages = max(1, -(-len(self._rows) // size))
        page = min(max(1, page), pages)
        rows = tuple(self._rows[(page - 1) * size : page * size])
        return StandingPage(rows, page, pages, len(self._rows), self._read_us)

    async def rank(self, user_id: str) -> Standing | None:
        """A player's own place, or None for one who has no account (or opened it within the last seconds).

        Raises:
            MisuseError: The id is malformed.
        """
        known = checked_user_id(user_id)
        await self._refresh()
        rank = self._rank_of.get(known)
        return None if rank is None else self._rows[rank - 1]

    async def _refresh(self) -> None:
        async with self._reading:  # Whoever asks meanwhile gets the same list.
            now_us = self._clock.now_us()
            if self._read_us != NEVER and 0 <= now_us - self._read_us < self._kept_us:
                return
            balances = await self._provider.balances()
            shown = [one for one in balances if not one[0].startswith(ERASED_PREFIX)]
            self._rows = [Standing(rank, user_id, gold) for rank, (user_id, gold) in enumerate(shown, 1)]
            self._rank_of = {row.user_id: row.rank for row in self._rows}
            self._read_us = now_us
