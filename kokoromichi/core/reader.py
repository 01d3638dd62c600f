"""What can be read of a store: of a provider as it stands, of a snapshot as it stood at one moment."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from kokoromichi.core.day_totals import active_of, totals_of
from kokoromichi.core.errors import MisuseError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    import polars as pl

    from kokoromichi.core.bulk_load import StoredResponse
    from kokoromichi.core.data_provider import Document
    from kokoromichi.core.models import DailyTotal, LedgerEntry, UserProfile


class Reader(ABC):
    """Reads a store.

    Each call of a provider answers what stands when it is asked, so that two calls may be of two moments.
    All calls of what ``DataProvider.snapshot`` gives are of one.

    Attributes:
        name: The provider's key in ``PROVIDERS``.
    """

    name: ClassVar[str]

    @abstractmethod
    async def profile(self, user_id: str) -> UserProfile | None:
        """The committed state of a player, or None if there is no such player."""

    @abstractmethod
    async def user_ids(self) -> list[str]:
        """Every player's id, ascending."""

    async def profiles(self) -> AsyncIterator[UserProfile]:
        """The committed state of every player, by id."""
        for user_id in await self.user_ids():
            profile = await self.profile(user_id)
            if profile is not None:
                yield profile

    async def versions(self) -> dict[str, int]:
        """Every player's version by id, ascending: what tells who has changed."""
        return {profile.user_id: profile.version async for profile in self.profiles()}

    @abstractmethod
    async def balances(self) -> list[tuple[str, int]]:
        """Every player's id and gold in one read: the richest first, ties by id."""

    @abstractmethod
    async def counters(self) -> dict[str, int]:
        """Every counter by name, ascending."""

    @abstractmethod
    async def read_ledger(
        self,
        *,
        book: str | None = None,
        user_id: str | None = None,
        kind: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> list[LedgerEntry]:
        """A page of ledger rows, newest first.

        Args:
            book: Only this book.
            user_id: Only this player's rows.
            kind: Only this kind.
            before: Only rows older than this ``entry_id``: the last one of the page before.
            limit: Rows of a page, 1 to 1,000.
        """

    @abstractmethod
    def ledger_frames(self, user_ids: Collection[str] | None = None) -> AsyncIterator[pl.DataFrame]:
        """The ledger, oldest first, in frames of ``LEDGER_SCHEMA`` of bounded size.

        Args:
            user_ids: Only the rows of these players, ``system`` among them or not; all rows when left out.
        """

    @abstractmethod
    async def ledger_rows(self) -> int:
        """How many rows the ledger has."""

    async def daily_totals(self, since_day: int = 0) -> list[DailyTotal]:
        """What each kind has moved on each UTC day since the epoch, ascending; from a day on."""
        return totals_of([frame async for frame in self.ledger_frames()], since_day)

    async def active_players(self, since_day: int = 0) -> dict[int, int]:
        """How many players have moved something on each UTC day, ascending."""
        return active_of([frame async for frame in self.ledger_frames()], since_day)

    @abstractmethod
    async def get_game_data(self, section: str) -> Document | None:
        """A section's document, a copy of its own, or None."""

    async def sections(self) -> list[str]:
        """Every stored section's name, ascending; what a copy reads."""
        raise no_copy(self.name, "sections")

    def stored_responses(self) -> AsyncIterator[StoredResponse]:
        """Every request id of a caller with its receipt, in any order; what a copy reads."""
        raise no_copy(self.name, "stored_responses")


def no_copy(name: str, call: str) -> MisuseError:
    """What a provider raises that copies do not know."""
    return MisuseError(f"{call}: the provider {name!r} takes no part in copies")
