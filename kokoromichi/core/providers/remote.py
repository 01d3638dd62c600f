"""What every remote provider has beside its own store: how it is opened, and a local folder to copy with."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from kokoromichi.core.copying.copy_all import copy_all
from kokoromichi.core.data_provider import DataProvider
from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.core.models import ERASED_PREFIX

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from kokoromichi.core.clock import Clock
    from kokoromichi.core.copying.report import CopyFailure, CopyReport
    from kokoromichi.core.copying.tally import Key, Tally
    from kokoromichi.core.reader import Reader


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


class NotesErasures(Protocol):
    """Keeps a list of who was erased, outside of the store and of its backups."""

    def note(self, user_id: str, pseudonym: str) -> object:
        """Write an erasure down durably; blocks."""

    def pseudonyms_of(self, user_ids: Iterable[str]) -> dict[str, str]:
        """Who of these was erased, and the newest pseudonym of each; blocks."""


class RemoteProvider(DataProvider):
    """A provider over a server, with a local folder beside it.

    The folder holds either players of its own, who may be moved to the remote store, or a mirror of that
    store, which is read-only and never a source. It opens itself when it is first needed, whether or not the
    server can be reached, and it is closed with this provider.

    Args:
        beside: The folder's provider, given by ``build_provider``; None has no folder.
        clock: What dates the mirror and corrections.
        erasures: Where erasures are written down before they begin, so that a restored backup hears of them;
            None writes none.
    """

    _opening: Opening

    def __init__(
        self, beside: DataProvider | None, clock: Clock, erasures: NotesErasures | None = None
    ) -> None:
        self.beside = beside
        self._clock = clock
        self._erasures = erasures
        self._followed: dict[str, int] | None = None  # Versions in the mirror; None until it was whole once.
        self._rows: dict[Key, Tally] = {}  # What its ledger holds then.
        self._one_at_a_time = asyncio.Lock()

    async def close(self) -> None:
        """Close the local folder."""
        self._followed = None
        if self.beside is not None:
            await self.beside.close()

    async def erased_as(self, user_ids: Iterable[str]) -> dict[str, str]:
        """Who of these is on the list of erasures; see ``DataProvider.erased_as``."""
        if self._erasures is None:
            return {}
        return await asyncio.to_thread(self._erasures.pseudonyms_of, user_ids)

    async def _note_erasure(self, user_id: str, pseudonym: str) -> None:
        if self._erasures is None:
            return
        try:
            await asyncio.to_thread(self._erasures.note, user_id, pseudonym)
        except OSError as failed:
            message = f"nobody was erased: the list of erasures in DATA_DIR cannot be written: {failed}"
            raise StorageError(message) from failed

    async def sync_local_to_remote(self) -> CopyReport:
        """Copy everything from the local folder to this store; what is here already stays as it is.

        Raises:
            MisuseError: There is no local folder, or it is a mirror.
            StorageError: Something could not be copied; players whose state here is ahead or has diverged
                are listed and not touched.
        """
        local = self._folder("sync_local_to_remote")
        await self._opening.ready()  # Before any report: what was never opened needs no undoing.
        await local.open()
        report = await copy_all(local, self)
        report.raise_if_failed()
        return report

    async def migrate_local_to_remote(self, dry_run: bool = False) -> CopyReport:  # noqa: FBT001, FBT002 - the first KoKoroMichi's signature
        """Copy everything from the local folder to this store, and report; see ``copy_all``.

        Args:
            dry_run: Plan only: nothing is written, and the server is not asked.

        Raises:
            MisuseError: There is no local folder, or it is a mirror.
            StorageError: The server or the folder cannot be opened.
        """
        local = self._folder("migrate_local_to_remote")
        if not dry_run:
            await self._opening.ready()
        await local.open()
        return await copy_all(local, None if dry_run else self, dry_run=dry_run)

    async def sync_remote_to_local(self) -> CopyReport:
        """Make the local folder a mirror of this store, or let the mirror follow.

        It is as this store stands at one moment, while others write. The first call of a process compares
        everything; later ones only players whose version has changed, so that they may be made every few
        minutes. Where a player was erased here since the last call, the mirror is made anew, since its rows
        name them.

        Raises:
            MisuseError: There is no local folder, or it has players of its own.
            StorageError: The server or the folder cannot be used, or the mirror has diverged.
        """
        mirror = self._folder("sync_remote_to_local")
        async with self._one_at_a_time:
            await mirror.open()
            if mirror.failed is not None:
                await mirror.reopen()
            as_of_us = self._clock.now_us()
            async with self.snapshot() as reader:
                await self._forget_erased(mirror, reader)
                report = await self._copied(mirror, reader)
            if not report.complete:
                raise StorageError(self._no_following(mirror, report.failed[0]))
            await mirror.mark_mirror(self.name, as_of_us)
            return report

    async def _forget_erased(self, mirror: DataProvider, reader: Reader) -> None:
        """Empty a mirror that has not heard yet of a player who was erased here."""
        if mirror.mirror_of is not None:
            known = {*await mirror.user_ids()}
            hidden = {user_id for user_id in await reader.user_ids() if user_id.startswith(ERASED_PREFIX)}
            if hidden - known and known:
                await mirror.empty()
                self._followed = None

    def _no_following(self, mirror: DataProvider, failure: CopyFailure) -> str:
        cure = failure.cure
        if failure.what != "store":
            cure = f"when no bot runs, delete the folder {mirror.where}: the next sync makes it anew"
        why = f"{failure.what} {failure.name}: {failure.why}"
        return f"the mirror of {self.name} in {mirror.where} cannot follow: {why}; {cure}"

    async def _copied(self, mirror: DataProvider, reader: Reader) -> CopyReport:
        followed, self._followed = (
            self._followed,
            None,
        )  # Whatever cuts this off has everything compared anew.
        versions = await reader.versions()
        if followed is None:
            self._rows.clear()
            await mirror.mark_mirror(self.name)
            report = await copy_all(self, mirror, known=self._rows, seen=reader)
        else:
            changed = {user_id for user_id, version in versions.items() if followed.get(user_id) != version}
            report = await copy_all(self, mirror, user_ids=changed, known=self._rows, seen=reader)
        if report.complete:
            self._followed = versions
        return report

    def _folder(self, call: str) -> DataProvider:
        if self.beside is None:
            message = f"{call}: this provider was built without a local folder; build_provider gives it one"
            raise MisuseError(message)
        return self.beside


def _heard(attempt: asyncio.Task[None]) -> None:
    if not attempt.cancelled():
        attempt.exception()  # All who waited for it may have gone.
