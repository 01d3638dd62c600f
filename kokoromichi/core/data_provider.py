"""The abstract storage: one promise, kept by every provider.

When ``apply`` returns, the change is durable and whole. When it raises anything but ``CommitUnknownError``,
nothing of it happened; ``CommitUnknownError`` means that the same request id, sent again, has one effect and
one answer. Two writers never both spend the same gold.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Final, Literal

from kokoromichi.core.documents import correction
from kokoromichi.core.errors import ConflictError, MisuseError
from kokoromichi.core.reader import Reader, no_copy
from kokoromichi.core.validation import checked_user_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from typing_extensions import Self

    from kokoromichi.core.bulk_load import Batch
    from kokoromichi.core.clock import Clock
    from kokoromichi.core.documents import Document
    from kokoromichi.core.models import (
        AnswerT,
        ChangeSet,
        Receipt,
    )


Stream = Literal["activity", "economy_history"]

_TRIES: Final = 20
"""So often a document that claims no version is stored over what others store meanwhile."""


class DataProvider(Reader):
    """Where players, counters and the ledger are kept.

    Attributes:
        waiting: Commits of this process that are on their way.
        mirror_of: The name of the store that this one mirrors, or None. A mirror is written by ``load``
            alone, and is no source of a copy.
        mirrored_us: Of a mirror: up to when it is known to hold everything, in microseconds since the epoch;
            0 until it was whole once.
        beside: Of a remote store: the folder beside it, which copies go to and come from; None on others.
    """

    waiting: int = 0
    mirror_of: str | None = None
    mirrored_us: int = 0
    beside: DataProvider | None = None
    _clock: Clock

    @property
    def where(self) -> str:
        """What a message calls this store; never with a secret."""
        return self.name

    async def open(self) -> None:
        """Make ready; a failure says what, where, and the cure.

        Raises:
            StorageError: The store cannot be used.
        """

    async def close(self) -> None:
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
    def snapshot(self) -> AbstractAsyncContextManager[Reader]:
        """Everything as it stands at one moment, however long it is read, while others commit.

        It is for whoever holds one part of the store against another: an audit, an export, a copy. No act
        waits for it. However the block ends, what it holds is given back; until then the store keeps what is
        overwritten, so that it is left as soon as everything is read.

        Raises:
            StorageError: The store cannot be reached, or no longer has the moment; reading may raise it too.
        """

    async def richest(self, limit: int, offset: int = 0) -> list[tuple[str, int]]:
        """A page of ``balances``; a store that has an index reads no more than the page."""
        return (await self.balances())[offset : offset + limit]

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

    async def fold(self) -> int:
        """Fold what commits have moved into the daily totals, in the background: readers add what waits.

        Returns:
            How many rows were folded; none where totals are written in the commit.

        Raises:
            StorageError: The store failed; what was not folded still counts.
        """
        return 0

    async def recount(self) -> None:
        """Correct the daily totals by the ledger, at once or not at all; here they are read from it.

        Raises:
            StorageError: The store failed; ask again.
        """

    async def probe(self) -> None:
        """Write something that means nothing, durably: reading alone says nothing of a disk that is full.

        Raises:
            StorageError: The store takes no writes.
        """

    async def verify(self) -> None:
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

    async def erased_as(self, user_ids: Iterable[str]) -> dict[str, str]:  # noqa: ARG002 - the interface
        """Who of these was erased here, and the newest pseudonym of each, where a list of erasures is kept.

        Raises:
            StorageError: The list cannot be read.
        """
        return {}

    async def get_user(self, user_id: str | int) -> Document | None:
        """A player as a document of the caller's own: changing it changes nothing that is stored."""
        profile = await self.profile(checked_user_id(user_id))
        return None if profile is None else profile.document()

    async def save_user(self, user_id: str | int, data: Document) -> None:
        """Store a player's document; ``system`` books differences of money and items as ``correction``.

        Raises:
            ConflictError: The document carries a ``version`` that is not the stored one.
            MisuseError: The document is no valid profile, or belongs to another id.
        """
        known = checked_user_id(user_id)
        for left in range(_TRIES - 1, -1, -1):
            change = correction(await self.profile(known), known, data, self._clock.now_us())
            try:
                await self.apply(change)
            except ConflictError:
                if "version" in data or not left:
                    raise  # One that claims no version holds over whatever was stored meanwhile.
            else:
                return

    @abstractmethod
    async def save_game_data(self, section: str, data: Document) -> None:
        """Store a section's document.

        Raises:
            MisuseError: The section's name is malformed or reserved for what is shipped.
        """

    async def load(self, batch: Batch) -> None:  # noqa: ARG002 - the interface
        """Store a part of another store as it was, whole and durably, or raise and store nothing.

        Raises:
            ConflictError: A player has another version than the one expected, or an entry id is stored.
            RequestMismatchError: A request id is remembered for another act.
            StorageError: The store failed.
        """
        raise no_copy(self.name, "load")

    async def mark_mirror(self, of: str, as_of_us: int = 0) -> None:  # noqa: ARG002 - the interface
        """Mark this store as a mirror of another, for good.

        Args:
            of: The name of the other store's provider.
            as_of_us: Up to when everything of it is here; 0 says nothing of that.

        Raises:
            MisuseError: It has players of its own, or mirrors another store.
        """
        raise no_copy(self.name, "mark_mirror")

    async def adopt(self) -> list[str]:
        """Take files as they were edited externally, and book what that moves; here there are no files.

        Returns:
            The names of the files.
        """
        message = f"adopt: the provider {self.name!r} has no files that could be edited externally"
        raise MisuseError(message)

    async def empty(self) -> None:
        """Empty a mirror, so that it is made anew; a store that is none raises ``MisuseError``."""
        raise no_copy(self.name, "empty")

    async def others(self) -> int:
        """How many other connections of this program there are, as far as the store tells; 0 where it cannot.

        It is asked of a store that was just opened with one connection at most.
        """
        return 0

    async def clear(self) -> None:
        """Delete players, ledger, counters, requests and game data, for good: what a restore begins with.

        Observations stay, since no copy takes them along; and so does the mark of a store that is being
        filled.

        Raises:
            StorageError: The store failed, or somebody is at work in it.
        """
        raise no_copy(self.name, "clear")

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
