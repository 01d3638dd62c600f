"""A folder on one machine: one SQLite file is the truth, and files beside it are for people."""

from __future__ import annotations

import asyncio
import logging
import math
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import apsw
import msgspec

from kokoromichi.core.bulk_load import StoredResponse
from kokoromichi.core.clock import Clock, SystemClock
from kokoromichi.core.data_provider import DataProvider, Document, Stream
from kokoromichi.core.documents import correction
from kokoromichi.core.errors import CommitUnknownError, MisuseError, RequestMismatchError, StorageError
from kokoromichi.core.models import AnswerT, DailyTotal
from kokoromichi.core.providers.local.adoption import Adoption
from kokoromichi.core.providers.local.backups import Kept
from kokoromichi.core.providers.local.committed import FIND_REQUEST, recalled, unpacked
from kokoromichi.core.providers.local.documents import ProfileCache, decode_profile, plain_json
from kokoromichi.core.providers.local.erasing import (
    ErasureList,
    empty_tables,
    erase_rows,
    is_known,
    sweep,
)
from kokoromichi.core.providers.local.groups import Act, Job
from kokoromichi.core.providers.local.hot_backup import back_up
from kokoromichi.core.providers.local.loading import PUT_SECTION, load_portion
from kokoromichi.core.providers.local.opening import database_of
from kokoromichi.core.providers.local.pruning import forget_activity, forget_answers
from kokoromichi.core.providers.local.readable_copy import COUNTERS, CopyFolder, Key
from kokoromichi.core.providers.local.reading import Selection
from kokoromichi.core.providers.local.schema import SET_META, readable
from kokoromichi.core.providers.local.store import copied_marks, open_folder, open_reading
from kokoromichi.core.validation import (
    checked_id,
    checked_pseudonym,
    checked_request_id,
    checked_section,
    checked_user_id,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence

    import polars as pl

    from kokoromichi.core.bulk_load import Batch
    from kokoromichi.core.models import ChangeSet, LedgerEntry, Receipt, UserProfile
    from kokoromichi.core.providers.local.groups import Group, Waiting
    from kokoromichi.core.providers.local.reading import Reading
    from kokoromichi.core.providers.local.store import OpenFolder

T = TypeVar("T")

_LOG: Final = logging.getLogger(__name__)
_MOST_ROWS: Final = 1_000
_SHORTEST_S: Final = 0.01
_PRUNE_S: Final = 3_600.0
_FIND_USER: Final = "SELECT document FROM users WHERE user_id = ?"
_TOTALS: Final = """
SELECT day, (SELECT name FROM names WHERE code = kind), (SELECT name FROM names WHERE code = currency), rows,
    gained, lost FROM daily_totals WHERE day >= ? ORDER BY 1, 2, 3
"""
_ANSWERED: Final = """
SELECT rowid, request_id, digest, answer, at_us FROM requests
    WHERE rowid > ? AND answer IS NOT NULL ORDER BY rowid LIMIT 5000
"""


class LocalJSONProvider(DataProvider):
    """One SQLite file, one thread that writes it, and a readable copy that is written behind.

    It opens itself on first use, and is to be closed: closing brings every file up to date.

    Args:
        data_dir: The folder; created where it is missing.
        debounce_seconds: Files of the copy are written so often at most.
        cache_ttl: A profile stays in memory for so long since it was last read or written, in seconds.
        read_only: Read the state of one moment, that of the opening, beside whoever owns the folder; every
            write is refused.
        clock: What stamps corrections, answers and backups.
        backups: Which former states of a file are kept.

    Raises:
        MisuseError: A number of seconds is none.
    """

    name: ClassVar[str] = "local"

    def __init__(
        self,
        data_dir: str | Path = "data",
        debounce_seconds: float = 0.5,
        cache_ttl: float = 5.0,
        *,
        read_only: bool = False,
        clock: Clock | None = None,
        backups: Kept = Kept(),  # noqa: B008 - frozen
    ) -> None:
        self._folder = Path(data_dir)
        self._debounce_s = _seconds("debounce_seconds", debounce_seconds)
        self._cache_s = _seconds("cache_ttl", cache_ttl)
        self._read_only = read_only
        self._clock = clock or SystemClock()
        self._kept = backups
        self._cache = ProfileCache(self._cache_s)
        self.cached = self._cache.get
        self._store: OpenFolder | None = None
        self._reading: Reading | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._copying: asyncio.Task[None] | None = None
        self._in_flight: dict[str, Act] = {}
        self._unknown: set[str] = set()
        self._observed: list[tuple[Stream, Mapping[str, object]]] = []
        self._waiting = 0
        self._behind = False
        self._prune_at_s = 0.0
        self._opening = asyncio.Lock()
        self._files = asyncio.Lock()

    # --- its life

    @property
    def where(self) -> str:
        """The folder."""
        return str(self._folder)

    @property
    def waiting(self) -> int:  # type: ignore[override] # It is only read.
        """Commits that are on their way."""
        return self._waiting

    @property
    def failed(self) -> str | None:
        """Why nothing more is committed until ``reopen``, or None."""
        return None if self._store is None else self._store.writer.failed

    async def open(self) -> None:
        """Hold the folder and open its database.

        Raises:
            StorageError: It is another installation's, in use, damaged, has lost something, or cannot be
                written.
        """
        self._closed = False
        await self._ready()

    async def _ready(self) -> Reading:
        """Be open, in the event loop that runs; what is read from then."""
        loop = asyncio.get_running_loop()
        if self._reading is not None and self._loop is loop:
            return self._reading
        if self._closed:
            message = f"the provider of {self._folder} is closed: open() it again"
            raise MisuseError(message)
        self._leave_ended_loop(loop)
        async with self._opening:
            if self._reading is None:
                self._reading = await self._open_files()
            if self._store is not None and self._copying is None:
                self._copying = asyncio.create_task(self._keep_copying(self._store))
        return self._reading

    def _leave_ended_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Go over to another event loop where the former one has ended; what is committed stays so."""
        if self._loop is not None and self._loop is not loop:
            if not self._loop.is_closed():
                message = (
                    f"the provider of {self._folder} belongs to another event loop, which has not ended: use "
                    "it there, or close it there first"
                )
                raise MisuseError(message)
            self._opening, self._files = asyncio.Lock(), asyncio.Lock()
            self._copying = None
            self._in_flight.clear()
            self._cache.clear()  # What was committed last could not be shown any more.
            if self._store is not None:
                self._store.copy.all_due()
                self._behind = True
        self._loop = loop

    async def _open_files(self) -> Reading:
        if self._read_only:
            reading = await asyncio.to_thread(open_reading, self._folder)
            meta = dict(reading.now("SELECT name, value FROM meta"))
        else:
            arguments = (self._folder, self._clock, self._cache_s, self._kept, self._deliver)
            self._store = await asyncio.to_thread(open_folder, *arguments)
            reading, meta = self._store.reading, dict(self._store.meta)
            self._store.writer.start()
        self._unknown.clear()
        self._behind, self._prune_at_s, self._waiting = True, 0.0, 0
        self.mirror, self.mirrored_us = meta.get("mirror"), int(meta.get("mirrored_us", 0))
        return reading

    async def close(self) -> None:
        """Wait for what is on its way, bring every file up to date, and let go of the folder."""
        self._closed = True
        if self._reading is not None:
            self._leave_ended_loop(asyncio.get_running_loop())
        async with self._opening:
            await self._let_go()

    async def reopen(self) -> None:
        """Let go of the folder and open it again; whoever asks meanwhile waits.

        Raises:
            StorageError: The folder still cannot be used.
        """
        async with self._opening:
            await self._let_go()
            self._reading = await self._open_files()
        await self._ready()

    async def _let_go(self) -> None:
        store, reading = self._store, self._reading
        if store is not None:
            await self._end_copying(store)
            self._store = None
            store.writer.queue.put(None)
            await asyncio.to_thread(store.writer.join)
            await asyncio.sleep(0)  # What the thread has delivered comes first.
        self._reading = None
        self._cache.clear()
        if store is not None:
            await asyncio.to_thread(store.close)
        elif reading is not None:
            await asyncio.to_thread(reading.close)

    async def _end_copying(self, store: OpenFolder) -> None:
        copying, self._copying = self._copying, None
        if copying is not None:
            copying.cancel()
            with suppress(asyncio.CancelledError):
                await copying
        try:
            await self._copy_now(store)
        except (StorageError, OSError) as error:
            _LOG.error(
                "the readable copy in %s is behind: %s. The database has everything", self.where, error
            )

    # --- the way of a change

    async def _writable(self) -> OpenFolder:
        await self._ready()
        if self._store is None:
            message = f"{self._folder} was opened to be read: open it without read_only to write"
            raise MisuseError(message)
        return self._store

    def _refuse_mirror(self) -> None:
        if self.mirror is not None:
            message = (
                f"this store mirrors {self.mirror} and is written by copies alone: write to {self.mirror} "
                "itself"
            )
            raise MisuseError(message)

    def _send(self, store: OpenFolder, waiting: Waiting) -> asyncio.Future[Any]:
        """Hand something to the writer, which takes all that wait when it is free."""
        outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        waiting.outcomes.append(outcome)
        self._waiting += 1
        store.writer.queue.put(waiting)
        return outcome

    def _deliver(self, done: Sequence[Waiting], group: Group | None) -> None:
        """Called by the writer: one wake-up of the loop for a whole group."""
        loop = self._loop
        with suppress(RuntimeError):  # It has ended, and nobody waits in it any more.
            assert loop is not None  # noqa: S101 - nothing is sent before it is open
            loop.call_soon_threadsafe(self._settle, done, group)

    def _settle(self, done: Sequence[Waiting], group: Group | None) -> None:
        """Show what is durable, then wake those who wait."""
        self._waiting -= len(done)
        if group is not None:
            self._publish(group)
        for one in done:
            if isinstance(one, Act):
                self._land(one)
            for outcome in one.outcomes:
                if outcome.done():
                    continue  # Who stops waiting changes nothing.
                if one.error is None:
                    outcome.set_result(one.answer)
                else:
                    outcome.set_exception(one.error)

    def _publish(self, group: Group) -> None:
        self._behind = True
        self._cache.put(group.users.values())
        if self._store is not None:
            due = self._store.copy.due
            due.update(Key("user", user_id) for user_id in group.users)
            if group.counters:
                due.add(COUNTERS)

    def _land(self, act: Act) -> None:
        request_id = act.change.request_id
        if request_id is not None:
            self._in_flight.pop(request_id, None)
            if isinstance(act.error, CommitUnknownError):
                self._unknown.add(request_id)

    def _following(self, request_id: str, digest: str) -> asyncio.Future[Any] | None:
        """The outcome of a request that is on its way, for one more who asks; None when it is not.

        Raises:
            RequestMismatchError: It is on its way for another act.
            CommitUnknownError: It was on its way when the disk failed; opening again settles its outcome.
        """
        if request_id in self._unknown:
            raise CommitUnknownError(request_id)
        act = self._in_flight.get(checked_request_id(request_id))
        if act is None:
            return None
        if act.change.digest != digest:
            raise RequestMismatchError(request_id)
        outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        act.outcomes.append(outcome)
        return outcome

    async def get_response(self, request_id: str, digest: str) -> Receipt | None:
        """What a request id was answered, or None; one that is on its way is waited for."""
        reading = await self._ready()
        outcome = self._following(request_id, digest)
        if outcome is not None:
            answer: Receipt = await outcome
            return answer
        found = reading.now(FIND_REQUEST, (request_id,))
        return recalled(found[0] if found else None, request_id, digest, self._clock.now_us())

    async def apply(self, change: ChangeSet[AnswerT]) -> AnswerT:
        """Store a change whole, or raise and store nothing; see ``DataProvider.apply``."""
        return await self._apply(change)

    async def _apply(self, change: ChangeSet[AnswerT], unknown: Document | None = None) -> AnswerT:
        store = self._store
        if store is None or self._loop is not asyncio.get_running_loop():
            store = await self._writable()
        self._refuse_mirror()
        act = Act(change, unknown)
        if change.request_id is not None:
            outcome = self._following(change.request_id, change.digest)
            if outcome is not None:
                return await outcome  # type: ignore[no-any-return] # The digest says that it is of this act.
            self._in_flight[change.request_id] = act
        return await self._send(store, act)  # type: ignore[no-any-return] # Its own answer.

    async def _do(self, work: Callable[[], T]) -> T:
        """Let the writer do something alone, in transactions of its own."""
        store = await self._writable()
        return await self._send(store, Job(work))  # type: ignore[no-any-return] # What it answers.

    async def _write(self, write: Callable[[apsw.Connection], T]) -> T:
        """Let the writer do something in one transaction."""
        store = await self._writable()
        return await self._do(partial(store.writer.transaction, write))

    # --- reads

    async def profile(self, user_id: str) -> UserProfile | None:
        """The committed state of a player, or None."""
        reading = await self._ready()
        found = self._cache.get(user_id)
        if found is None:
            rows = reading.now(_FIND_USER, (user_id,))
            if rows:
                found = decode_profile(rows[0][0])
                if not self._read_only:  # A reader looks at each player once.
                    self._cache.put((found,))
        return found

    async def _rows(self, query: str, arguments: Sequence[Any] = ()) -> list[Any]:
        reading = await self._ready()
        return await asyncio.to_thread(reading.rows, query, arguments)

    async def user_ids(self) -> list[str]:
        """Every player's id, ascending."""
        return [user_id for (user_id,) in await self._rows("SELECT user_id FROM users ORDER BY user_id")]

    async def versions(self) -> dict[str, int]:
        """Every player's version by id, ascending."""
        return dict(await self._rows("SELECT user_id, version FROM users ORDER BY user_id"))

    async def balances(self) -> list[tuple[str, int]]:
        """Every player's id and gold, the richest first."""
        return await self._rows("SELECT user_id, gold FROM users ORDER BY gold DESC, user_id")

    async def richest(self, limit: int, offset: int = 0) -> list[tuple[str, int]]:
        """A page of ``balances``, by an index."""
        query = "SELECT user_id, gold FROM users ORDER BY gold DESC, user_id LIMIT ? OFFSET ?"
        return (await self._ready()).now(query, (limit, offset))

    async def counters(self) -> dict[str, int]:
        """Every counter by name, ascending."""
        return dict(await self._rows("SELECT name, value FROM counters ORDER BY name"))

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
        reading = await self._ready()
        selection = Selection(book, user_id, kind, before)
        return await asyncio.to_thread(reading.page, selection, max(1, min(limit, _MOST_ROWS)))

    async def ledger_frames(self, user_ids: Collection[str] | None = None) -> AsyncIterator[pl.DataFrame]:
        """Rows, oldest first, in frames of 65,536 rows of one snapshot."""
        frames = (await self._ready()).frames(user_ids)
        try:
            while (frame := await asyncio.to_thread(next, frames, None)) is not None:
                yield frame
        finally:
            frames.close()

    async def ledger_rows(self) -> int:
        """How many rows the ledger has."""
        rows: int = (await self._ready()).now("SELECT coalesce(sum(rows), 0) FROM daily_totals")[0][0]
        return rows

    async def daily_totals(self, since_day: int = 0) -> list[DailyTotal]:
        """What each kind has moved on each day; see ``DataProvider.daily_totals``."""
        return [DailyTotal(*row) for row in (await self._ready()).now(_TOTALS, (since_day,))]

    async def active_players(self, since_day: int = 0) -> dict[int, int]:
        """How many players have moved something on each day."""
        query = "SELECT day, players FROM active_days WHERE day >= ? ORDER BY day"
        return dict((await self._ready()).now(query, (since_day,)))

    async def sections(self) -> list[str]:
        """Every stored section's name, ascending."""
        return [name for (name,) in await self._rows("SELECT name FROM sections ORDER BY name")]

    async def stored_responses(self) -> AsyncIterator[StoredResponse]:
        """Every request id of a caller whose answer is kept."""
        last = 0
        while rows := await self._rows(_ANSWERED, (last,)):
            for last, request_id, digest, answer, at_us in rows:  # noqa: B007 - the next batch begins behind it
                yield StoredResponse(request_id, unpacked(digest), answer.encode(), at_us)

    # --- documents

    async def get_user(self, user_id: str) -> Document | None:
        """A player as a document of his own, or None."""
        profile = await self.profile(checked_user_id(user_id))
        return None if profile is None else profile.document()

    async def save_user(self, user_id: str, document: Document) -> None:
        """Store a player's document; see ``DataProvider.save_user``."""
        user_id = checked_user_id(user_id)
        change, unknown = correction(await self.profile(user_id), user_id, document, self._clock.now_us())
        plain_json(unknown, f"the document of player {user_id}")
        await self._apply(change, unknown)

    async def get_game_data(self, section: str) -> Document | None:
        """A section's document, a copy of its own, or None."""
        checked_id(section, "section")
        found = (await self._ready()).now("SELECT document FROM sections WHERE name = ?", (section,))
        return msgspec.json.decode(found[0][0], type=dict) if found else None

    async def save_game_data(self, section: str, document: Document) -> None:
        """Store a section's document: durable when this returns."""
        text = plain_json(document, f"section {checked_section(section)}").decode()
        store = await self._writable()
        self._refuse_mirror()
        await self._write(lambda base: base.execute(PUT_SECTION, (section, text)))
        self._due(store, Key("section", section))

    def _due(self, store: OpenFolder, *keys: Key) -> None:
        store.copy.due.update(keys)
        self._behind = True

    async def append_observations(self, stream: Stream, rows: Sequence[Mapping[str, object]]) -> None:
        """Keep rows of a stream's schema: buffered, and in its table a little later."""
        await self._writable()
        self._observed.extend((stream, row) for row in rows)

    def _store_observed(
        self,
        store: OpenFolder,
        observed: Sequence[tuple[Stream, Mapping[str, object]]],
        base: apsw.Connection,
    ) -> None:
        players = store.writer.committed.players
        activity, history = [], []
        for stream, row in observed:
            if stream == "economy_history":
                history.append((msgspec.json.encode(row).decode(),))
                continue
            user_id, rest = row.get("user_id"), {name: row[name] for name in row if name != "user_id"}
            code = players.of(user_id) if isinstance(user_id, str) else None
            activity.append((code, msgspec.json.encode(rest).decode()))
        players.write(base)
        base.executemany("INSERT INTO activity (player, document) VALUES (?, ?)", activity)
        base.executemany("INSERT INTO economy_history (document) VALUES (?)", history)

    # --- copies of other stores, mirrors, backups

    async def load(self, batch: Batch) -> None:
        """Store a part of another store; its rows get entry ids of their own. See ``DataProvider.load``."""
        for snapshot in batch.users:
            checked_user_id(snapshot.profile.user_id)
            plain_json(snapshot.profile.unknown, f"player {snapshot.profile.user_id}")
        documents = {
            checked_section(name): plain_json(dict(document), f"section {name}").decode()  # type: ignore[arg-type] # JSON, as it was read.
            for name, document in batch.sections.items()
        }
        store, now_us = await self._writable(), self._clock.now_us()
        committed = store.writer.committed

        def work() -> None:
            try:
                store.writer.transaction(lambda base: load_portion(base, committed, batch, documents, now_us))
            finally:
                committed.reread()

        await self._do(work)
        users = [snapshot.profile.user_id for snapshot in batch.users]
        self._cache.drop(users)
        self._due(store, *(Key("user", user_id) for user_id in users))
        self._due(store, *(Key("section", name) for name in documents))
        self._due(store, *([COUNTERS] if batch.counters else []))

    async def mark_mirror(self, of: str, as_of_us: int = 0) -> None:
        """Mark this folder as a mirror of another store, for good; see ``DataProvider.mark_mirror``."""
        await self._writable()
        if self.mirror is None and await self.user_ids():
            message = f"{self._folder} has players of its own and cannot become a mirror: take another folder"
            raise MisuseError(message)
        if self.mirror not in (None, of):
            message = f"{self._folder} mirrors {self.mirror}, not {of}: take another folder"
            raise MisuseError(message)
        noted: list[tuple[str, str | int]] = [("mirror", of)]
        if as_of_us:
            noted.append(("mirrored_us", as_of_us))
        await self._write(lambda base: base.executemany(SET_META, noted))
        self.mirror, self.mirrored_us = of, as_of_us or self.mirrored_us

    async def empty(self) -> None:
        """Empty a mirror, so that it is made anew; see ``DataProvider.empty``."""
        store = await self._writable()
        if self.mirror is None:
            message = f"{self._folder} is no mirror: nobody empties it"
            raise MisuseError(message)
        async with self._files:
            await self._do(partial(self._replace_all, store, empty_tables))
            await asyncio.to_thread(store.copy.clear)
        self._cache.clear()
        self.mirrored_us = 0

    def _replace_all(self, store: OpenFolder, write: Callable[[apsw.Connection], object]) -> None:
        """Change more than a group does, leave no residue, and take everything anew; the writer's work."""
        writer = store.writer
        writer.transaction(write)
        writer.committed.reread()
        try:
            sweep(writer.base)
        except apsw.Error as held:
            _LOG.error(
                "what was erased in %s still has bytes there until the next opening: %s", self.where, held
            )
        writer.look()

    async def backup(self, path: Path) -> None:
        """Write everything to a new file, as of one moment, while others play; it is verified.

        Raises:
            MisuseError: There is a file already.
            StorageError: The disk says no, or what was written is not sound.
        """
        await self._ready()
        if not self._read_only:
            await self._flush()

        def work() -> None:
            with closing(readable(database_of(self._folder))) as base:
                base.execute("BEGIN; SELECT 1 FROM meta").fetchall()  # Else each commit starts it anew.
                back_up(base, path)

        await asyncio.to_thread(work)

    # --- erasing and adopting

    async def erase(self, user_id: str, pseudonym: str) -> None:
        """Put a pseudonym in the place of a player's id, everywhere; see ``DataProvider.erase``.

        Files go before the commit, so that a kill leaves no file that the database does not know of; acts
        wait while the database is written anew, for a million rows some seconds.
        """
        checked_pseudonym(user_id, pseudonym)
        store = await self._writable()
        if self.mirror is not None:
            message = (
                f"{self._folder} mirrors {self.mirror}: erase in {self.mirror}, and the next sync follows"
            )
            raise MisuseError(message)
        async with self._files:
            await self._flush()
            if await self._do(lambda: is_known(store.writer.base, pseudonym)):
                return
            await self._erase(store, user_id, pseudonym)
        self._cache.drop((user_id,))
        self._due(store, Key("user", pseudonym))

    async def _erase(self, store: OpenFolder, user_id: str, pseudonym: str) -> None:
        books = await asyncio.to_thread(store.copy.naming, user_id)
        anew = {path.stem: 0 for path in books if path.suffix == ".log"}
        await self._write(lambda base: base.executemany(SET_META, copied_marks(anew)))
        mark = await asyncio.to_thread(ErasureList(self._folder).note, user_id, pseudonym)

        def write(base: apsw.Connection) -> None:
            erase_rows(base, user_id, pseudonym)
            base.execute("INSERT INTO erasures VALUES (?)", (mark,))

        try:
            await asyncio.to_thread(store.copy.forget, user_id, books)
            await self._do(partial(self._replace_all, store, write))
        except StorageError:
            self._due(store, Key("user", user_id))
            raise

    async def edited_files(self) -> dict[str, str]:
        """Files of the copy that another hand has changed, and how; see ``DataProvider.edited_files``."""
        await self._ready()
        copy = CopyFolder(self._folder, self._clock)
        found = await asyncio.to_thread(copy.foreign)
        return {copy.name(key): why for key, why in found.items()}

    async def adopt(self) -> list[str]:
        """Take files as they were edited externally, and book what that moves as corrections by the system.

        What was changed since a file was last written is added to what is stored now: what was played
        meanwhile stays.

        Returns:
            The names of the files, relative to the data folder.

        Raises:
            StorageError: A file cannot be read, holds no valid player, or nobody knows what it was before.
            MisuseError: The folder is a mirror.
        """
        store = await self._writable()
        if self.mirror is not None:
            message = (
                f"{self._folder} mirrors {self.mirror}, and a mirror adopts nothing: delete the folder, and "
                "the next sync makes it anew"
            )
            raise MisuseError(message)
        async with self._files:
            found = await asyncio.to_thread(store.copy.foreign)
            adoptable = [key for key in found if key != COUNTERS]
            for key in adoptable:
                adoption = await asyncio.to_thread(Adoption.of, store.copy, key)
                await self._adopt(adoption)
                await asyncio.to_thread(store.copy.adopted, key)
        self._behind = True
        return [store.copy.name(key) for key in adoptable]

    async def _adopt(self, adoption: Adoption) -> None:
        key = adoption.key
        try:
            if key.kind == "section":
                await self.save_game_data(key.name, adoption.edited)
                return
            stored = await self.profile(checked_user_id(key.name))
            document = adoption.applied_to(None if stored is None else stored.document())
            change, unknown = correction(stored, key.name, document, self._clock.now_us())
            change.request_id, change.digest = adoption.request_id, "adopt"
            plain_json(unknown, f"the document of player {key.name}")
            await self._apply(change, unknown)
        except MisuseError as invalid:
            message = (
                f"{adoption.path} cannot be adopted: {invalid}. Correct it there, or put the former file back"
            )
            raise StorageError(message) from invalid

    # --- the readable copy

    async def _keep_copying(self, store: OpenFolder) -> None:
        """Bring the files up to date again and again; the database waits for none of it."""
        said = ""
        while True:
            await asyncio.sleep(max(_SHORTEST_S, self._debounce_s))
            self._cache.sweep()
            try:
                await self._copy_now(store)
                said = ""
            except (StorageError, OSError) as error:
                if str(error) != said:
                    said = str(error)
                    _LOG.error("the readable copy in %s is behind: %s. Nothing is lost", self.where, error)

    async def _copy_now(self, store: OpenFolder) -> None:
        if store.writer.failed is None:
            await self._flush()
            await self._prune()
        if not self._behind:
            return
        async with self._files:
            self._behind = False
            due, store.copy.due = store.copy.due, set()
            before = dict(store.copy.marks)
            try:
                await asyncio.to_thread(store.copy.write, due)
            except BaseException:
                self._behind = True
                raise
        if store.copy.marks != before and store.writer.failed is None:
            marks = copied_marks(store.copy.marks)
            await self._write(lambda base: base.executemany(SET_META, marks))
        store.watch_wal()

    async def _flush(self) -> None:
        """Store what was observed."""
        if self._observed and self._store is not None:
            observed, self._observed = self._observed, []
            await self._write(partial(self._store_observed, self._store, observed))

    async def _prune(self) -> None:
        """Let go of what is kept for a time, once an hour."""
        now_s = asyncio.get_running_loop().time()
        if now_s < self._prune_at_s:
            return
        self._prune_at_s = now_s + _PRUNE_S
        while await self._write(lambda base: forget_answers(base, self._clock.now_us())):
            pass
        await self._write(forget_activity)


def _seconds(name: str, value: object) -> float:
    """A number of seconds, checked."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not math.isfinite(value)
        or value < 0
    ):
        message = f"{name} is {value!r}: it is a number of seconds, 0 or more"
        raise MisuseError(message)
    return float(value)
