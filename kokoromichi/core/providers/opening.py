"""Opening a store over the network: on first use or when asked, once at a time, in the loop that runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kokoromichi.core.errors import MisuseError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Opening:
    """Whether a store is open, and in which event loop.

    Whoever needs the store while it is being opened waits for that one attempt and shares its error; the next
    call tries again. A closed store stays closed until somebody opens it. Where the loop in which it was
    opened has ended, as ``asyncio.run`` ends one, it is opened anew in the present one.

    Args:
        what: What a message calls the store, such as ``the postgres provider``.
        connect: Connects, or raises and leaves nothing behind.
        drop: Lets go, without a word to the server, of what belongs to a loop that has ended.
    """

    def __init__(self, what: str, connect: Callable[[], Awaitable[None]], drop: Callable[[], None]) -> None:
        self._what = what
        self._connect = connect
        self._drop = drop
        self._loop: asyncio.AbstractEventLoop | None = None
        self._attempt: asyncio.Task[None] | None = None
        self._open = False
        self._closed = False

    @property
    def is_open(self) -> bool:
        """Whether it is open, and in the event loop that runs."""
        return self._open and self._loop is asyncio.get_running_loop()

    async def open(self) -> None:
        """Open, also after a close; nothing happens where it is open.

        Raises:
            StorageError: The store cannot be used.
            MisuseError: It is open in another event loop that still runs.
        """
        self._closed = False
        await self.ready()

    async def ready(self) -> None:
        """Open on first use.

        Raises:
            StorageError: The store cannot be used.
            MisuseError: It was closed, or is open in another event loop that still runs.
        """
        if self.is_open:
            return
        if self._closed:
            message = f"{self._what} is closed: await open() before its next use"
            raise MisuseError(message)
        self._enter(asyncio.get_running_loop())
        if self._attempt is None:
            self._attempt = asyncio.create_task(self._try())
            self._attempt.add_done_callback(_heard)
        await asyncio.shield(self._attempt)  # Who is cancelled cuts off no one else's opening.

    def _enter(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is not None and self._loop is not loop:
            if not self._loop.is_closed():
                message = (
                    f"{self._what} is open in another event loop, which still runs: use it there, or close() "
                    "it there first"
                )
                raise MisuseError(message)
            self._drop()
            self._attempt, self._open = None, False
        self._loop = loop

    async def _try(self) -> None:
        try:
            await self._connect()
            self._open = True
        finally:
            self._attempt = None

    async def close(self) -> None:
        """Be closed from now on, after an opening that is under way."""
        self._closed = True
        if self._loop is not None:
            self._enter(asyncio.get_running_loop())
        if self._attempt is not None:
            await asyncio.wait([self._attempt])
        self._open, self._loop = False, None


def _heard(attempt: asyncio.Task[None]) -> None:
    if not attempt.cancelled():
        attempt.exception()  # All who waited for it may have gone.
