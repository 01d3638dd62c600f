"""The life of a data folder: opened on first use, left and opened again, in whichever event loop runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from kokoromichi.core.errors import MisuseError
from kokoromichi.core.providers.local.background import Background
from kokoromichi.core.providers.local.cache import ProfileCache
from kokoromichi.core.providers.local.commits import Commits
from kokoromichi.core.providers.local.readable_copy import COUNTERS
from kokoromichi.core.providers.local.seals import Key
from kokoromichi.core.providers.local.store import OpenStore, StoreOptions, open_reading, open_store

if TYPE_CHECKING:
    from kokoromichi.core.providers.local.connections import ReadConnections
    from kokoromichi.core.providers.local.groups import Group


class FolderLife:
    """What is open of a folder, if anything is.

    Args:
        options: Which folder, and how it is kept.
        debounce_s: Files of the copy are written so often at most, in seconds.
        read_only: Whether nothing but one moment is read.

    Attributes:
        cache: Profiles at hand.
        store: The open store of an owner, or None.
        background: What follows its commits.
        mirror: The store that this one mirrors, or None.
        mirrored_us: Up to when a mirror holds everything.
    """

    def __init__(self, options: StoreOptions, debounce_s: float, *, read_only: bool) -> None:
        self.cache = ProfileCache(options.cache_s)
        self.store: OpenStore | None = None
        self.background: Background | None = None
        self.mirror: str | None = None
        self.mirrored_us = 0
        self.read_only = read_only
        self._options = options
        self._debounce_s = debounce_s
        self._reading: ReadConnections | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._opening = asyncio.Lock()

    async def open(self) -> None:
        """Open it, after it was closed too."""
        self._closed = False
        await self.ready()

    async def ready(self) -> ReadConnections:
        """Be open, in the event loop that runs; what is read from then."""
        if self._reading is not None and self._loop is asyncio.get_running_loop():
            return self._reading
        if self._closed:
            message = f"the provider of {self._options.folder} is closed: open() it again"
            raise MisuseError(message)
        self._leave_ended_loop()
        async with self._opening:
            if self._reading is None:
                self._reading = await self._open_files()
        return self._reading

    async def owned(self) -> tuple[OpenStore, Background]:
        """The open store of an owner, and what follows its commits.

        Raises:
            MisuseError: It was opened to be read.
        """
        if self.store is None or self._loop is not asyncio.get_running_loop():
            await self.ready()
        if self.store is None or self.background is None:
            message = f"{self._options.folder} was opened to be read: open it without read_only to write"
            raise MisuseError(message)
        return self.store, self.background

    def _leave_ended_loop(self) -> None:
        """Go over to the loop that runs where the former one has ended; what is committed stays so."""
        former, running = self._loop, asyncio.get_running_loop()
        if former is not None and former is not running:
            if not former.is_closed():
                message = (
                    f"the provider of {self._options.folder} belongs to another event loop, which has not "
                    "ended: use it there, or close it there first"
                )
                raise MisuseError(message)
            self._opening = asyncio.Lock()
            self.cache.clear()  # What was committed last could not be shown any more.
            if self.store is not None:
                self.store.commits.move_to(running)
                self.store.copy.all_due()
                self.background = self._background_of(self.store)
        self._loop = running

    async def _open_files(self) -> ReadConnections:
        if self.read_only:
            reading = await asyncio.to_thread(open_reading, self._options.folder)
            meta: dict[str, Any] = dict(reading.now("SELECT name, value FROM meta"))
        else:
            store = await asyncio.to_thread(open_store, self._options, Commits(self._publish), self.cache)
            store.writer.start()
            self.store, self.background = store, self._background_of(store)
            reading, meta = store.reading, dict(store.meta)
        self.mirror, self.mirrored_us = meta.get("mirror"), meta.get("mirrored_us", 0)
        return reading

    def _background_of(self, store: OpenStore) -> Background:
        return Background(store, self._options.clock, self._debounce_s, copies=self._options.copies)

    def _publish(self, group: Group) -> None:
        """Show what has become durable."""
        self.cache.put(group.users.values())
        if self.background is not None:
            keys = [Key("user", user_id) for user_id in group.users]
            self.background.due([*keys, COUNTERS] if group.counters else keys)

    async def close(self) -> None:
        """Wait for what is on its way, bring every file up to date, and let go of the folder."""
        self._closed = True
        if self._reading is not None:
            self._leave_ended_loop()
        async with self._opening:
            await self._let_go()

    async def reopen(self) -> None:
        """Let go of the folder and open it again; whoever asks meanwhile waits."""
        async with self._opening:
            await self._let_go()
            self._reading = await self._open_files()

    async def _let_go(self) -> None:
        store, background, reading = self.store, self.background, self._reading
        if background is not None:
            await background.end()
        self.store = self.background = self._reading = None
        if store is not None:
            await store.close()
        elif reading is not None:
            await asyncio.to_thread(reading.close)
        self.cache.clear()
