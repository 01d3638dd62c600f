"""A folder on one machine: one SQLite file is the truth, and files beside it are for people."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kokoromichi.core.clock import Clock, SystemClock
from kokoromichi.core.data_provider import DataProvider, Stream
from kokoromichi.core.documents import Document, check_batch, checked_document
from kokoromichi.core.errors import StorageError
from kokoromichi.core.providers.local.adoption import adopt_files
from kokoromichi.core.providers.local.backups import Retention
from kokoromichi.core.providers.local.committed import FIND_REQUEST, recalled
from kokoromichi.core.providers.local.erasing import ErasureList, erase_player
from kokoromichi.core.providers.local.errors import RESTORE
from kokoromichi.core.providers.local.groups import Act
from kokoromichi.core.providers.local.hot_backup import back_up_file
from kokoromichi.core.providers.local.life import FolderLife
from kokoromichi.core.providers.local.loading import PUT_SECTION, load_portion, recount_days
from kokoromichi.core.providers.local.mirroring import (
    ADOPTS_NOTHING,
    ERASED_THERE,
    WRITTEN_BY_COPIES,
    empty_mirror,
    mark_mirror,
    refuse_mirror,
)
from kokoromichi.core.providers.local.opening import database_of
from kokoromichi.core.providers.local.readable_copy import COUNTERS, CopyFolder
from kokoromichi.core.providers.local.reader import LocalReader, snapshot
from kokoromichi.core.providers.local.schema import SET_META
from kokoromichi.core.providers.local.seals import Key
from kokoromichi.core.providers.local.store import StoreOptions, seconds
from kokoromichi.core.validation import checked_pseudonym, checked_section, checked_user_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from kokoromichi.core.bulk_load import Batch
    from kokoromichi.core.models import AnswerT, ChangeSet, Receipt, UserProfile
    from kokoromichi.core.providers.local.adoption import Adoption

_PROBED = "probed_us"


class LocalJSONProvider(LocalReader, DataProvider):
    """One SQLite file, one thread that writes it, and a readable copy that is written behind.

    It opens itself on first use, and is to be closed: closing brings every file up to date.

    Args:
        data_dir: The folder; created where it is missing.
        debounce_seconds: The fixed period in which files of the readable copy are written at most once.
        cache_ttl: How long a player stays in memory after they were last written, or read from the database,
            in seconds.
        read_only: Read the state of one moment, that of the opening, beside whoever owns the folder; every
            write is refused.
        clock: What stamps corrections, answers and backups.
        backups: Which former states of a file are kept.
        copies: Whether there is a readable copy; a folder that is only passed through needs none.

    Raises:
        MisuseError: A number of seconds is none.
    """

    def __init__(
        self,
        data_dir: str | Path = "data",
        debounce_seconds: float = 0.5,
        cache_ttl: float = 5.0,
        *,
        read_only: bool = False,
        clock: Clock | None = None,
        backups: Retention = Retention(),  # noqa: B008 - frozen
        copies: bool = True,
    ) -> None:
        self._folder = Path(data_dir)
        self._clock = clock or SystemClock()
        options = StoreOptions(self._folder, self._clock, seconds("cache_ttl", cache_ttl), backups, copies)
        debounce_s = seconds("debounce_seconds", debounce_seconds)
        self._life = FolderLife(options, debounce_s, read_only=read_only)
        super().__init__(self._life.ready)
        self._cache = self._life.cache

    @property
    def where(self) -> str:
        """The folder."""
        return str(self._folder)

    @property
    def waiting(self) -> int:  # type: ignore[override] # It is only read.
        """Commits that are on their way."""
        return 0 if self._life.store is None else self._life.store.commits.waiting

    @property
    def failed(self) -> str | None:
        """Why nothing more is committed until ``reopen``, or None."""
        return None if self._life.store is None else self._life.store.writer.failed

    @property
    def mirror_of(self) -> str | None:  # type: ignore[override] # It is only read.
        """The name of the store that this one mirrors, or None."""
        return self._life.mirror

    @property
    def mirrored_us(self) -> int:  # type: ignore[override] # It is only read.
        """Up to when a mirror is known to hold everything; 0 until it was whole once."""
        return self._life.mirrored_us

    async def open(self) -> None:
        """Hold the folder and open its database; see ``DataProvider.open``."""
        await self._life.open()

    async def close(self) -> None:
        """Wait for what is on its way, bring every file up to date, and let go of the folder."""
        await self._life.close()

    async def reopen(self) -> None:
        """Let go of the folder and open it again; see ``DataProvider.reopen``."""
        await self._life.reopen()

    async def get_response(self, request_id: str, digest: str) -> Receipt | None:
        """The receipt of a request id, or None; one that is on its way is waited for."""
        reading, store = await self._life.ready(), self._life.store
        outcome = None if store is None else store.commits.following(request_id, digest)
        if outcome is not None:
            answer: Receipt = await outcome
            return answer
        found = reading.now(FIND_REQUEST, (request_id,))
        return recalled(found[0] if found else None, request_id, digest, self._clock.now_us())

    async def apply(self, change: ChangeSet[AnswerT]) -> AnswerT:
        """Store a change whole, or raise and store nothing; see ``DataProvider.apply``."""
        store, _ = await self._life.owned()
        refuse_mirror(self._life, WRITTEN_BY_COPIES)
        answer: AnswerT = await store.commits.apply(Act(change))
        return answer

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[LocalReader]:
        """Everything as it stands at one moment; until the block ends, the WAL grows by what is written.

        One that was opened to be read is of one moment from its opening on.
        """
        await self._life.ready()
        if self._life.read_only:
            yield self
        else:
            async with snapshot(database_of(self._folder)) as reader:
                yield reader

    async def profile(self, user_id: str) -> UserProfile | None:
        """The committed state of a player, or None."""
        await self._life.ready()
        found = self._cache.get(user_id)
        if found is None:
            found = await super().profile(user_id)
            if found is not None and not self._life.read_only:  # A reader looks at each player once.
                self._cache.put((found,))
        return found

    async def richest(self, limit: int, offset: int = 0) -> list[tuple[str, int]]:
        """A page of ``balances``, by an index."""
        query = "SELECT user_id, gold FROM users ORDER BY gold DESC, user_id LIMIT ? OFFSET ?"
        return (await self._life.ready()).now(query, (limit, offset))

    async def save_game_data(self, section: str, data: Document) -> None:
        """Store a section's document: durable when this returns."""
        text = msgspec.json.encode(checked_document(data, f"section {checked_section(section)}")).decode()
        store, background = await self._life.owned()
        refuse_mirror(self._life, WRITTEN_BY_COPIES)
        await store.write(lambda base: base.execute(PUT_SECTION, (section, text)))
        background.due([Key("section", section)])

    async def append_observations(self, stream: Stream, rows: Sequence[Mapping[str, object]]) -> None:
        """Keep rows of a stream's schema: buffered, and in its table a little later."""
        _, background = await self._life.owned()
        background.observe(stream, rows)

    async def load(self, batch: Batch) -> None:
        """Store a part of another store; its rows get entry ids of their own. See ``DataProvider.load``."""
        check_batch(batch)
        documents = {
            name: msgspec.json.encode(document).decode() for name, document in batch.sections.items()
        }
        store, background = await self._life.owned()
        await store.do(partial(load_portion, store.writer, batch, documents, self._clock.now_us()))
        users = [snapshot.profile.user_id for snapshot in batch.users]
        self._cache.drop(users)
        keys = [*(Key("user", one) for one in users), *(Key("section", name) for name in documents)]
        background.due([*keys, COUNTERS] if batch.counters else keys)

    async def mark_mirror(self, of: str, as_of_us: int = 0) -> None:
        """Mark this folder as a mirror of another store, for good; see ``DataProvider.mark_mirror``."""
        await mark_mirror(self._life, self.where, of, as_of_us)

    async def empty(self) -> None:
        """Empty a mirror, so that it is made anew; see ``DataProvider.empty``."""
        await empty_mirror(self._life, self.where)

    async def backup(self, path: Path) -> None:
        """Write everything to a new file, as of one moment, while others play; it is verified.

        Raises:
            MisuseError: There is a file already.
            StorageError: The disk says no, or what was written is not sound.
        """
        await self._life.ready()
        if self._life.background is not None:
            await self._life.background.flush()
        await asyncio.to_thread(back_up_file, database_of(self._folder), path)

    async def erase(self, user_id: str, pseudonym: str) -> None:
        """Put a pseudonym in the place of a player's id, everywhere; see ``DataProvider.erase``.

        Every act waits while the database is written anew: for a million rows some seconds.
        """
        checked_pseudonym(user_id, pseudonym)
        store, background = await self._life.owned()
        refuse_mirror(self._life, ERASED_THERE)
        await erase_player(store, background, user_id, pseudonym)

    async def erased_as(self, user_ids: Iterable[str]) -> dict[str, str]:
        """Who of these is on the folder's list of erasures; see ``DataProvider.erased_as``."""
        return await asyncio.to_thread(ErasureList(self._folder).pseudonyms_of, user_ids)

    async def probe(self) -> None:
        """Note the moment in the database; see ``DataProvider.probe``."""
        store, _ = await self._life.owned()
        await store.write(lambda base: base.execute(SET_META, (_PROBED, self._clock.now_us())))

    async def recount(self) -> None:
        """Add up the daily totals anew in one transaction; see ``DataProvider.recount``."""
        store, _ = await self._life.owned()
        await store.write(recount_days)

    async def verify(self) -> None:
        """Check every page and index of the database: opening looks for a moment only."""
        found = await self._rows("PRAGMA integrity_check(1)")
        if found != [("ok",)]:
            message = f"{database_of(self._folder)} is damaged: {found[0][0]}. {RESTORE}"
            raise StorageError(message)

    async def edited_files(self) -> dict[str, str]:
        """Files of the copy that were edited externally, and how; see ``DataProvider.edited_files``."""
        copy = CopyFolder(self._folder, self._clock)
        found = await asyncio.to_thread(copy.foreign)
        return {copy.name(key): why for key, why in found.items()}

    async def adopt(self) -> list[str]:
        """Take files as they were edited externally; see ``DataProvider.adopt``.

        What was changed since a file was last written is added to what is stored now.

        Raises:
            StorageError: A file cannot be read, holds no valid player, or nobody knows what it was before.
            MisuseError: The folder is a mirror.
        """
        store, background = await self._life.owned()
        refuse_mirror(self._life, ADOPTS_NOTHING)
        return await adopt_files(store, background, self._adopt)

    async def _adopt(self, adoption: Adoption) -> None:
        kind, name = adoption.key
        if kind == "section":
            await self.save_game_data(name, adoption.edited)
        else:
            stored = await self.profile(checked_user_id(name))
            await self.apply(adoption.booked(stored, self._clock.now_us()))
