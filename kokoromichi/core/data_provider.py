"""The abstract storage: one promise, kept by every provider.

When ``apply`` returns, the change is durable and whole. When it raises anything but ``CommitUnknownError``,
nothing of it happened; ``CommitUnknownError`` means that the same request id, sent again, has one effect and
one answer. Two writers never both spend the same gold.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from kokoromichi.core.day_totals import active_of, totals_of
from kokoromichi.core.errors import MisuseError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence
    from types import TracebackType

    import polars as pl
    from typing_extensions import Self

    from kokoromichi.core.bulk_load import Batch, StoredResponse
    from kokoromichi.core.models import (
        AnswerT,
        ChangeSet,
        DailyTotal,
        LedgerEntry,
        Receipt,
        UserProfile,
    )


Document: TypeAlias = "dict[str, JsonValue]"
JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
Stream = Literal["activity", "economy_history"]


class DataProvider(ABC):
    """Where players, counters and the ledger are kept.

    Attributes:
        name: The provider's key in ``PROVIDERS``.
        waiting: Commits of this process that are on their way.
        mirror_of: The name of the store that this one mirrors, or None. A mirror is written by ``load``
            alone, and is no source of a copy.
        mirrored_us: Of a mirror: up to when it is known to hold everything, in microseconds since the epoch;
            0 until it was whole once.
        beside: Of a remote store: the folder beside it, which copies go to and come from; None on others.
    """

    name: ClassVar[str]
    waiting: int = 0
    mirror_of: str | None = None
    mirrored_us: int = 0
    beside: DataProvider | None = None

    @property
    def where(self) -> str:
        """What a message calls this store; never with a secret."""
        return self.name

    async def open(self) -> None:  # noqa: B027 - a store in memory has nothing to open
        """Make ready; a failure says what, where, and the cure.

        Raises:
            StorageError: The store cannot be used.
        """

    async def close(self) -> None:  # noqa: B027 - nor to close
        """Flush and let go of everything; closing twice is harmless."""

    @property
    def failed(self) -> str | None:
        """Why nothing more is committed until ``reopen``, or None."""
        return None

    async def reopen(self) -> None:
        """Let go of everything and open again; whoever asks meanwhile waits.

        Raises:
            StorageError: The store still cannot be used.
        """
        await self.close()
        await self.open()

    async def __aenter__(self) -> Self:
        """Open."""
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, whatever happened inside."""
        await self.close()

    @abstractmethod
    async def profile(self, user_id: str) -> UserProfile | None:
        """The committed state of a player, or None if there is no such player."""

    @abstractmethod
    async def user_ids(self) -> list[str]:
        """Every player's id, ascending."""

    async def versions(self) -> dict[str, int]:
        """Every player's version by id, ascending: what tells who has changed."""
        found = [(user_id, await self.profile(user_id)) for user_id in await self.user_ids()]
        return {user_id: profile.version for user_id, profile in found if profile is not None}

    @abstractmethod
    async def balances(self) -> list[tuple[str, int]]:
        """Every player's id and gold in one read: the richest first, ties by id."""

    async def richest(self, limit: int, offset: int = 0) -> list[tuple[str, int]]:
        """A page of ``balances``; a store that has an index reads no more than the page."""
        return (await self.balances())[offset : offset + limit]

    @abstractmethod
    async def counters(self) -> dict[str, int]:
        """Every counter by name, ascending."""

    @abstractmethod
    async def get_response(self, request_id: str, digest: str) -> Receipt | None:
        """The receipt of a request id, or None when it was never used.

        Raises:
            RequestMismatchError: It was used for another act.
        """

    async def fence(self, request_id: str, digest: str) -> Receipt | None:
        """Make sure that a request whose outcome is unknown is never stored, before it is refused.

        What was sent on a connection that was lost may arrive late. Without a server nothing is on its way
        once a call has ended, and there is nothing to fence.

        Returns:
            Its receipt, when it was stored after all; None when its id is spent, or was never used.

        Raises:
            RequestMismatchError: It was used for another act.
            StorageError: The store failed: whether it is stored is still unknown.
        """
        return await self.get_response(request_id, digest)

    @abstractmethod
    async def apply(self, change: ChangeSet[AnswerT]) -> AnswerT:
        """Store a change whole, or raise and store nothing.

        Returns:
            The change's receipt, or the one that is stored under its request id.

        Raises:
            ConflictError: A player has another version than the one that was read.
            FloorError: A counter would fall below zero.
            RequestMismatchError: The request id was used for another act.
            MisuseError: A movement does not fit the balance or item that it moves.
            CommitUnknownError: The store died in the middle: ask again with the same request id.
            StorageError: The store failed.
        """

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

    async def verify(self) -> None:  # noqa: B027 - a server looks after its own pages
        """Look for damage below the laws, in everything that is stored; an audit begins with it.

        Raises:
            StorageError: There is some; it says what and the cure.
        """

    async def edited_files(self) -> dict[str, str]:
        """Files that were edited externally, and how; here there are no files."""
        return {}

    @abstractmethod
    async def append_observations(self, stream: Stream, rows: Sequence[Mapping[str, object]]) -> None:
        """Keep rows of a stream's schema: buffered, outside the promise."""

    @abstractmethod
    async def erase(self, user_id: str, pseudonym: str) -> None:
        """Put a pseudonym in the place of a player's id, in everything that is stored, whole or not at all.

        The player's document becomes the pseudonym's, without name and unknown fields. In ledger rows
        user_id, counterparty, actor and reason are replaced, and nothing else, so that every sum stays; in
        observations user_id. Requests that touched them are forgotten: their ids stay used, unanswered.
        A game data section is left as it is. Nothing happens where the pseudonym is a player already: it was
        done before. The id itself is free then: whoever has it opens a fresh account.

        Raises:
            MisuseError: An id is malformed, or both are one.
            StorageError: The store failed: ask again with the same pseudonym, or open the store again.
        """

    @abstractmethod
    async def get_user(self, user_id: str | int) -> Document | None:
        """A player as a document of the caller's own: changing it changes nothing that is stored."""

    @abstractmethod
    async def save_user(self, user_id: str | int, data: Document) -> None:
        """Store a player's document; ``system`` books differences of money and items as ``correction``.

        Raises:
            ConflictError: The document carries a ``version`` that is not the stored one.
            MisuseError: The document is no valid profile, or belongs to another id.
        """

    @abstractmethod
    async def get_game_data(self, section: str) -> Document | None:
        """A section's document, a copy of its own, or None."""

    @abstractmethod
    async def save_game_data(self, section: str, data: Document) -> None:
        """Store a section's document.

        Raises:
            MisuseError: The section's name is malformed or reserved for what is shipped.
        """

    async def sections(self) -> list[str]:
        """Every stored section's name, ascending; what a copy reads."""
        raise _not_copied(self.name, "sections")

    def stored_responses(self) -> AsyncIterator[StoredResponse]:
        """Every request id of a caller with its receipt, in any order; what a copy reads."""
        raise _not_copied(self.name, "stored_responses")

    async def load(self, batch: Batch) -> None:  # noqa: ARG002 - the interface
        """Store a part of another store as it was, whole and durably, or raise and store nothing.

        Raises:
            ConflictError: A player has another version than the one expected, or an entry id is stored.
            RequestMismatchError: A request id is remembered for another act.
            StorageError: The store failed.
        """
        raise _not_copied(self.name, "load")

    async def mark_mirror(self, of: str, as_of_us: int = 0) -> None:  # noqa: ARG002 - the interface
        """Mark this store as a mirror of another, for good.

        Args:
            of: The name of the other store's provider.
            as_of_us: Up to when everything of it is here; 0 says nothing of that.

        Raises:
            MisuseError: It has players of its own, or mirrors another store.
        """
        raise _not_copied(self.name, "mark_mirror")

    async def adopt(self) -> list[str]:
        """Take files as they were edited externally, and book what that moves; here there are no files.

        Returns:
            The names of the files.
        """
        message = f"adopt: the provider {self.name!r} has no files that could be edited externally"
        raise MisuseError(message)

    async def empty(self) -> None:
        """Empty a mirror, so that it is made anew; a store that is none raises ``MisuseError``."""
        raise _not_copied(self.name, "empty")

    async def sync_local_to_remote(self) -> object:
        """Copy the local folder to the remote store; here there is no remote."""
        raise _no_remote(self.name, "sync_local_to_remote")

    async def sync_remote_to_local(self) -> object:
        """Make the local folder a mirror of the remote store, or follow it; here there is no remote."""
        raise _no_remote(self.name, "sync_remote_to_local")

    async def migrate_local_to_remote(self, dry_run: bool = False) -> object:  # noqa: ARG002, FBT001, FBT002 - the first KoKoroMichi's signature
        """Move everything to the remote store; here there is no remote."""
        raise _no_remote(self.name, "migrate_local_to_remote")


def _no_remote(name: str, call: str) -> MisuseError:
    return MisuseError(
        f"{call}: the provider {name!r} has no remote store; set PROVIDER to mongo or postgres"
    )


def _not_copied(name: str, call: str) -> MisuseError:
    return MisuseError(f"{call}: the provider {name!r} takes no part in copies")
