"""The life of a data folder: opened, held, closed, and opened again when somebody is erased from it."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
import polars as pl

from kokoromichi.core.clock import Clock, SystemClock
from kokoromichi.core.data_provider import DataProvider
from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.core.providers.local.erasing import Erasure, finish_erasure, note_erasure
from kokoromichi.core.providers.local.files import Files
from kokoromichi.core.providers.local.folder import prepare, unusable
from kokoromichi.core.providers.local.keeping import Tuning
from kokoromichi.core.providers.local.snapshots import Key
from kokoromichi.core.providers.local.store import Backups, Store
from kokoromichi.core.validation import checked_pseudonym

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kokoromichi.core.models import UserChange, UserProfile

T = TypeVar("T")

_LOG: Final = logging.getLogger(__name__)
_SEGMENT_BYTES: Final = 1 << 26


class OpenFolder(DataProvider):
    """What of the local provider is about the folder as a whole.

    Args:
        data_dir: The folder; created where it is missing.
        debounce_seconds: A player's file is written when he was quiet for so long.
        cache_ttl: A profile that is written stays in memory for so long, in seconds.
        clock: What stamps corrections and backups.
        files: The disk.
        backups: How many backups of one file are kept, and for how many days.
        segment_bytes: The journal is made short again beyond this size.
    """

    def __init__(
        self,
        data_dir: str | Path = "data",
        debounce_seconds: float = 0.5,
        cache_ttl: float = 5.0,
        *,
        clock: Clock | None = None,
        files: Files | None = None,
        backups: Backups = Backups(kept=5, days=30),  # noqa: B008 - frozen
        segment_bytes: int = _SEGMENT_BYTES,
    ) -> None:
        self._folder = Path(data_dir)
        self._tuning = Tuning(debounce_seconds, cache_ttl, segment_bytes)
        self._clock = clock or SystemClock()
        self._files = files or Files()
        self._backups = backups
        self._store: Store | None = None
        self._lock: int | None = None
        self._running: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()
        self._closed = False
        self._rewriting: asyncio.Task[None] | None = None
        self.cached = self._cached

    def _cached(self, user_id: str) -> UserProfile | None:
        return None if self._store is None else self._store.state.profiles.get(user_id)

    @property
    def where(self) -> str:
        """The folder."""
        return str(self._folder)

    async def open(self) -> None:
        """Hold the folder, and put everything that was acknowledged back to where it belongs.

        Raises:
            StorageError: The folder is another installation's, in use, damaged or not to be written.
        """
        self._closed = False
        await self._opened()

    async def _opened(self) -> Store:
        if self._store is not None:
            return self._store
        if self._closed:
            message = f"the provider of {self._folder} is closed: open() it again"
            raise MisuseError(message)
        async with self._opening:
            return await self._open_folder()

    async def _open_folder(self) -> Store:
        if self._store is not None:
            return self._store
        self._lock = await asyncio.to_thread(prepare, self._files, self._folder)
        return await self._open_store({})

    async def _open_store(self, profiles: dict[str, UserProfile]) -> Store:
        """Open a folder that is held; ``profiles`` is where players at hand are kept, empty."""
        try:
            await asyncio.to_thread(finish_erasure, self._files, self._folder)
            store = Store(self._files, self._folder, self._clock, self._tuning, self._backups)
            store.state.profiles = profiles
            await store.open()
        except OSError as error:
            self._unlock()
            raise StorageError(unusable(self._folder, error)) from error
        except BaseException:
            self._unlock()
            raise
        self._store = store
        self.mirror, self.mirrored_us = store.keeper.mirror or None, store.keeper.mirrored_us
        self.cached = store.state.profiles.get
        self._running = asyncio.create_task(store.keeper.run())
        return store

    def _unlock(self) -> None:
        if self._lock is not None:
            self._files.close(self._lock)
            self._lock = None

    async def close(self) -> None:
        """Wait for what is on its way, bring every file up to date, and let go of the folder."""
        self._closed = True
        async with self._opening:  # Not while the folder is being rewritten.
            await self._let_go()

    @property
    def failed(self) -> str | None:
        """Why nothing more is committed until ``reopen``: a sync of the journal failed."""
        return None if self._store is None else self._store.commits.failed

    async def reopen(self) -> None:
        """Let go of the folder and open it again; whoever asks meanwhile waits.

        Raises:
            StorageError: The folder still cannot be used.
        """
        async with self._opening:
            await self._let_go()
            await self._open_folder()

    async def _let_go(self) -> None:
        self.cached = self._cached
        try:
            if self._store is not None:
                await self._leave(self._store)
        except OSError as error:
            _LOG.error("%s Nothing is lost: the journal holds it", unusable(self._folder, error))
        finally:
            self._unlock()

    async def _leave(self, store: Store) -> None:
        """Let go of a store, all of it in its files."""
        self._store = None
        running, self._running = self._running, None
        if running is not None:
            await store.keeper.end(running)
        await store.close()

    async def erase(self, user_id: str, pseudonym: str) -> None:
        """Put a pseudonym in the place of a player's id, in every file; see ``DataProvider.erase``.

        Every act waits until the files are rewritten: for a gigabyte of ledger some ten seconds.
        """
        checked_pseudonym(user_id, pseudonym)
        await self._opened()
        if self.mirror is not None:
            message = (
                f"{self._folder} mirrors {self.mirror}: erase in {self.mirror}, and the next sync follows"
            )
            raise MisuseError(message)
        await self._rewritten(Erasure(user_id, pseudonym))

    async def empty(self) -> None:
        """Empty a mirror, so that it is made anew; see ``DataProvider.empty``."""
        await self._opened()
        if self.mirror is None:
            message = f"{self._folder} is no mirror: nobody empties it"
            raise MisuseError(message)
        await self._rewritten(Erasure("", ""))

    async def _rewritten(self, erasure: Erasure) -> None:
        """Close the folder, note what is to be done, and open it again, which does it."""
        while self._rewriting is not None:
            await asyncio.wait([self._rewriting])
        self._rewriting = asyncio.create_task(self._rewrite(erasure))
        self._rewriting.add_done_callback(self._after_rewriting)
        await asyncio.shield(self._rewriting)  # A caller who is cancelled leaves no folder half open.

    def _after_rewriting(self, done: asyncio.Task[None]) -> None:
        self._rewriting = None
        if not done.cancelled():
            done.exception()  # Its caller may have gone, and then nobody else would look.

    async def _rewrite(self, erasure: Erasure) -> None:
        await self._opened()
        async with self._opening:
            store = self._store
            if store is None:
                message = f"the provider of {self._folder} was closed meanwhile: open() it, and ask again"
                raise StorageError(message)
            if erasure.user_id and erasure.pseudonym in store.keeper.known:
                return
            if erasure.user_id:
                store.check(Key("user", erasure.user_id))
            if store.commits.failed is not None:
                raise StorageError(store.commits.failed)
            store.left = True
            try:
                await self._leave(store)
                await asyncio.to_thread(note_erasure, self._files, self._folder, erasure)
            except OSError as error:
                raise StorageError(unusable(self._folder, error)) from error
            finally:
                store.state.profiles.clear()
                await self._open_store(store.state.profiles)

    async def _at_hand(self, users: Iterable[UserChange | UserProfile]) -> Store:
        """The open store with these players in memory: of one folder, whoever is erased meanwhile.

        Raises:
            StorageError: Another hand changed a player's file.
        """
        while True:
            store = self._store or await self._opened()
            try:
                await store.at_hand(users)
            except StorageError:
                if store is self._store:
                    raise
            if store is self._store:
                return store

    async def _read_ledger(self, store: Store, read: Callable[[], T]) -> T:
        """Read ledger files in a thread.

        Raises:
            StorageError: An erasure has rewritten them meanwhile.
        """
        try:
            found = await asyncio.to_thread(read)
        except (pl.exceptions.PolarsError, msgspec.MsgspecError, OSError):
            if not store.left:
                raise
        else:
            if not store.left:
                return found
        message = (
            f"the ledgers in {self._folder} were rewritten meanwhile, to erase a player: read them again"
        )
        raise StorageError(message)
