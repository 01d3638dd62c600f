"""Files in a folder: for a bot on one machine. Durable by a journal, readable by people."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from kokoromichi.core.bulk_load import StoredResponse
from kokoromichi.core.documents import correction
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.models import UserProfile, richest_first
from kokoromichi.core.providers.local.adoption import adopt_all
from kokoromichi.core.providers.local.ledgers import Selection
from kokoromichi.core.providers.local.life import OpenFolder
from kokoromichi.core.providers.local.snapshots import Key, plain_json
from kokoromichi.core.validation import checked_id, checked_request_id, checked_section, checked_user_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    import polars as pl

    from kokoromichi.core.bulk_load import Batch
    from kokoromichi.core.data_provider import AnswerT, Document, Stream
    from kokoromichi.core.documents import Corrected
    from kokoromichi.core.models import ChangeSet, LedgerEntry, Receipt

_MOST_ROWS: Final = 1_000


class LocalJSONProvider(OpenFolder):
    """A write-ahead journal, and files that follow it: players, sections, ledgers, backups.

    It opens itself on first use, and is to be closed: closing brings every file up to date. Its arguments are
    those of ``OpenFolder``.
    """

    name: ClassVar[str] = "local"

    async def profile(self, user_id: str) -> UserProfile | None:
        """The committed state of a player, or None.

        Raises:
            StorageError: Another hand changed the player's file, and nobody has adopted that.
        """
        store = self._store or await self._opened()
        found = store.state.profiles.get(user_id)
        if found is None and user_id in store.keeper.known:
            store = await self._at_hand([UserProfile(user_id=user_id)])
            found = store.state.profiles.get(user_id)
        return found

    async def user_ids(self) -> list[str]:
        """Every player's id, ascending."""
        return sorted((self._store or await self._opened()).keeper.known)

    async def balances(self) -> list[tuple[str, int]]:
        """Every player's id and gold, the richest first; kept in memory, so that no file is read.

        A player whose file another hand changed stands with what was last committed, or is left out where the
        folder was opened after that.
        """
        return richest_first((self._store or await self._opened()).state.gold.items())

    async def counters(self) -> dict[str, int]:
        """Every counter by name, ascending."""
        return dict(sorted((self._store or await self._opened()).state.counters.items()))

    async def get_response(self, request_id: str, digest: str) -> Receipt | None:
        """What a request id was answered, or None; one that is on its way is waited for."""
        store = self._store or await self._opened()
        outcome = store.commits.following(checked_request_id(request_id), digest)
        if outcome is not None:
            return await outcome
        return store.requests.get_response(request_id, digest, self._clock.now_us())

    async def apply(self, change: ChangeSet[AnswerT]) -> AnswerT:
        """Store a change whole, or raise and store nothing; see ``DataProvider.apply``."""
        store = self._store or await self._opened()
        profiles = store.state.profiles
        for user in change.users:
            if user.user_id not in profiles:
                store = await self._at_hand(change.users)
                break
        if change.request_id is not None:
            outcome = store.commits.following(change.request_id, change.digest)
            if outcome is not None:
                return await outcome  # type: ignore[return-value] # The digest says that it is of this act.
            answer = store.requests.get_response(change.request_id, change.digest, self._clock.now_us())
            if answer is not None:
                return answer  # type: ignore[return-value] # Likewise.
        return await store.commits.take(change)  # type: ignore[return-value] # Its own answer.

    async def _apply_with(self, change: ChangeSet[Corrected], unknown: Document) -> None:
        """Store a player's correction and the fields of his that nobody knows."""
        store = await self._at_hand(change.users)
        await store.commits.take(change, {change.users[0].user_id: unknown})

    async def read_ledger(
        self,
        *,
        book: str | None = None,
        user_id: str | None = None,
        kind: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> list[LedgerEntry]:
        """A page of ledger rows, newest first; see ``DataProvider.read_ledger``."""
        store = self._store or await self._opened()
        chosen = Selection(book, user_id, kind, before)
        rows = max(1, min(limit, _MOST_ROWS))
        return await self._read_ledger(store, partial(store.ledgers.page, store.ledgers.seen(), chosen, rows))

    async def ledger_frames(self, user_ids: Collection[str] | None = None) -> AsyncIterator[pl.DataFrame]:
        """Rows, oldest first, in frames that a few megabytes of each book make."""
        store = self._store or await self._opened()
        frames = store.ledgers.frames(store.ledgers.seen(), user_ids)
        while (frame := await self._read_ledger(store, partial(next, frames, None))) is not None:
            yield frame

    async def ledger_rows(self) -> int:
        """How many rows the ledger has."""
        return (self._store or await self._opened()).keeper.numbered[1]

    @property
    def waiting(self) -> int:  # type: ignore[override] # It is only read.
        """Commits that are on their way."""
        return 0 if self._store is None else self._store.commits.waiting

    async def append_observations(self, stream: Stream, rows: Sequence[Mapping[str, object]]) -> None:
        """Keep rows of a stream's schema: buffered, and in ``observations/<stream>.log`` a little later."""
        store = self._store or await self._opened()
        lines = store.keeper.streams.setdefault(stream, [])
        lines.extend(msgspec.json.encode(row) + b"\n" for row in rows)

    async def get_user(self, user_id: str) -> Document | None:
        """A player as a document of his own, or None."""
        profile = await self.profile(checked_user_id(user_id))
        return None if profile is None else profile.document()

    async def save_user(self, user_id: str, document: Document) -> None:
        """Store a player's document; see ``DataProvider.save_user``."""
        stored = await self.profile(checked_user_id(user_id))
        change, unknown = correction(stored, user_id, document, self._clock.now_us())
        plain_json(unknown, f"the document of player {user_id}")
        await self._apply_with(change, unknown)

    async def get_game_data(self, section: str) -> Document | None:
        """A section's document, a copy of its own, or None."""
        store = self._store or await self._opened()
        store.check(Key("section", checked_id(section, "section")))
        found = store.keeper.sections.get(section)
        return None if found is None else msgspec.json.decode(found[0], type=dict)

    async def save_game_data(self, section: str, document: Document) -> None:
        """Store a section's document: durable when this returns."""
        store = self._store or await self._opened()
        store.check(Key("section", checked_section(section)))
        await store.commits.take_section(section, plain_json(document, f"section {section}"))

    async def sections(self) -> list[str]:
        """Every stored section's name, ascending."""
        return sorted((self._store or await self._opened()).keeper.sections)

    async def stored_responses(self) -> AsyncIterator[StoredResponse]:
        """Every request id of a caller whose answer is kept."""
        store = self._store or await self._opened()
        for asked in store.requests.answered():
            yield StoredResponse(asked.request_id, asked.digest, bytes(asked.answer), asked.at_us)

    async def load(self, batch: Batch) -> None:
        """Store a part of another store; its rows get entry ids of their own. See ``DataProvider.load``."""
        store = self._store or await self._opened()
        for snapshot in batch.users:
            checked_user_id(snapshot.profile.user_id)
            plain_json(snapshot.profile.unknown, f"player {snapshot.profile.user_id}")
        documents = {
            checked_section(name): plain_json(dict(document), f"section {name}")  # type: ignore[arg-type] # JSON, as it was read.
            for name, document in batch.sections.items()
        }
        for name in documents:
            store.check(Key("section", name))
        store = await self._at_hand([snapshot.profile for snapshot in batch.users])
        await store.commits.take_batch(batch, documents)

    async def mark_mirror(self, of: str, as_of_us: int = 0) -> None:
        """Mark this folder as a mirror of another store, for good; see ``DataProvider.mark_mirror``."""
        store = self._store or await self._opened()
        if self.mirror is None and store.keeper.known:
            message = f"{self._folder} has players of its own and cannot become a mirror: take another folder"
            raise MisuseError(message)
        if self.mirror not in (None, of):
            message = f"{self._folder} mirrors {self.mirror}, not {of}: take another folder"
            raise MisuseError(message)
        if self.mirror is None or as_of_us:
            await store.commits.take_mirror(of, as_of_us)
        self.mirror, self.mirrored_us = of, as_of_us or self.mirrored_us

    async def adopt(self) -> list[str]:
        """Take files as they were edited externally, and book what that moves as corrections by the system.

        Money and items are held against the ledger; everything else is taken as it stands.

        Returns:
            The names of the files, relative to the data folder.

        Raises:
            StorageError: A file cannot be read, or holds no valid player.
            MisuseError: The folder is a mirror.
        """
        store = self._store or await self._opened()
        return await adopt_all(store, self._folder, self._clock.now_us())
