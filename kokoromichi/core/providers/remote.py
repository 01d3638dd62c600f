"""What every remote provider has beside its own store: a local folder to copy to and from."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from kokoromichi.core.copying.copy_all import copy_all
from kokoromichi.core.data_provider import DataProvider
from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.core.models import ERASED_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kokoromichi.core.clock import Clock
    from kokoromichi.core.copying.report import CopyFailure, CopyReport
    from kokoromichi.core.copying.tally import Key, Tally
    from kokoromichi.core.providers.opening import Opening

_LOG: Final = logging.getLogger(__name__)

_PASSES: Final = 5
"""Players who are written to while they are copied are copied again, so often at most in one refresh."""


class RemoteProvider(DataProvider):
    """A provider over a server, with a local folder beside it.

    The folder holds either players of its own, who may be moved to the remote store, or a mirror of that
    store, which is read-only and never a source. It opens itself when it is first needed, whether or not the
    server can be reached, and it is closed with this provider.

    Args:
        beside: The folder's provider, given by ``build_provider``; None has no folder.
        clock: What dates the mirror.
    """

    _opening: Opening

    def __init__(self, beside: DataProvider | None, clock: Clock) -> None:
        self.beside = beside
        self._dates = clock
        self._followed: dict[str, int] | None = None  # Versions in the mirror; None until it was whole once.
        self._rows: dict[Key, Tally] = {}  # What its ledger holds then.
        self._one_at_a_time = asyncio.Lock()

    async def close(self) -> None:
        """Close the local folder."""
        self._followed = None
        if self.beside is not None:
            await self.beside.close()

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

        The first call of a process compares everything; later ones only players whose version has changed,
        so that they may be made every few minutes, while others write. A player who is written to without a
        pause is as of a moment ago, and follows with the next call. Where a player was erased here since the
        last call, the mirror is made anew, since its rows name them.

        Raises:
            MisuseError: There is no local folder, or it has players of its own.
            StorageError: The server or the folder cannot be used, or the mirror has diverged.
        """
        mirror = self._folder("sync_remote_to_local")
        async with self._one_at_a_time:
            await mirror.open()
            if mirror.failed is not None:
                await mirror.reopen()
            as_of_us = self._dates.now_us()
            await self._forget_erased(mirror)
            report, stuck = await self._follow(mirror)
            if stuck:
                raise StorageError(self._no_following(mirror, stuck[0]))
            await mirror.mark_mirror(self.name, as_of_us)
            return report

    async def _forget_erased(self, mirror: DataProvider) -> None:
        """Empty a mirror that has not heard yet of a player who was erased here."""
        if mirror.mirror_of is not None:
            known = {*await mirror.user_ids()}
            hidden = {user_id for user_id in await self.user_ids() if user_id.startswith(ERASED_PREFIX)}
            if hidden - known and known:
                await mirror.empty()
                self._followed = None

    def _no_following(self, mirror: DataProvider, failure: CopyFailure) -> str:
        cure = failure.cure
        if failure.what != "store":
            cure = f"when no bot runs, delete the folder {mirror.where}: the next sync makes it anew"
        why = f"{failure.what} {failure.name}: {failure.why}"
        return f"the mirror of {self.name} in {mirror.where} cannot follow: {why}; {cure}"

    async def _follow(self, mirror: DataProvider) -> tuple[CopyReport, list[CopyFailure]]:
        """Copy until nobody who was written to meanwhile is left behind, or often enough.

        Returns:
            The last report, and what failed of it for another reason than being written to.
        """
        before: dict[str, int] = {}
        for _ in range(_PASSES):
            versions = await self.versions()
            report = await self._copied(mirror, versions)
            failed = {failure.name for failure in report.failed if failure.what == "user"}
            moving = {user_id for user_id in failed if versions.get(user_id) != before.get(user_id)}
            stuck = [failure for failure in report.failed if not _follows(failure, moving)]
            if any(failure.what == "store" for failure in report.failed):
                self._followed = None  # How far it came is not known.
            elif not stuck:
                self._followed = {user_id: versions[user_id] for user_id in versions.keys() - failed}
            if report.complete or stuck:
                break
            before = versions
        return report, stuck

    async def _copied(self, mirror: DataProvider, versions: Mapping[str, int]) -> CopyReport:
        followed, self._followed = self._followed, None  # Whoever cuts this off has everything compared anew.
        if followed is None:
            self._rows.clear()
            return await copy_all(self, mirror, mark_mirror=True, known=self._rows)
        changed = {user_id for user_id, version in versions.items() if followed.get(user_id) != version}
        report = await copy_all(self, mirror, user_ids=changed, known=self._rows)
        self._followed = followed
        return report

    def _folder(self, call: str) -> DataProvider:
        if self.beside is None:
            message = f"{call}: this provider was built without a local folder; build_provider gives it one"
            raise MisuseError(message)
        return self.beside


def _follows(failure: CopyFailure, moving: set[str]) -> bool:
    """Whether the next pass may cure it: counters stand still while any player fails."""
    return failure.name in moving if failure.what == "user" else failure.what == "counter" and bool(moving)
