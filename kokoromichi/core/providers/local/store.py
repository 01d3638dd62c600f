"""An open data folder: everything that was acknowledged, put back to where it belongs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from kokoromichi.core.errors import StorageError
from kokoromichi.core.models import UserProfile
from kokoromichi.core.providers.local.commits import Commits
from kokoromichi.core.providers.local.folder import journal_folder
from kokoromichi.core.providers.local.keeping import Keeper, Parts, Tuning
from kokoromichi.core.providers.local.ledgers import Ledgers, line_of_raw, mark_behind
from kokoromichi.core.providers.local.opening import ADOPT, Found, profile_of, recover
from kokoromichi.core.providers.local.requests import Requests
from kokoromichi.core.providers.local.snapshots import Key, Sealed, Snapshots
from kokoromichi.core.providers.local.state import State, put

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from kokoromichi.core.clock import Clock
    from kokoromichi.core.models import UserChange
    from kokoromichi.core.providers.local.files import Files


class Backups(NamedTuple):
    """How many backups of one file are kept, and for how many days."""

    kept: int
    days: int


class Store:
    """What an open folder consists of.

    Attributes:
        state: Players at hand, and counters.
        commits: The way of every change.
        keeper: What brings the files up to date.
        ledgers: The books.
        requests: What request ids remember.
        left: Whether its files are being rewritten, or were: another store has taken its place.
    """

    left = False

    def __init__(self, files: Files, folder: Path, clock: Clock, tuning: Tuning, backups: Backups) -> None:
        self.state = State()
        self.ledgers = Ledgers(files, folder / "ledgers")
        self.requests = Requests()
        self.snapshots = Snapshots(files, folder, clock, *backups)
        self.commits = Commits(files, journal_folder(folder), clock, self.state, self.ledgers, self.requests)
        self.keeper = Keeper(
            Parts(
                files,
                folder,
                self.state,
                self.commits.journal,
                self.ledgers,
                self.requests,
                self.snapshots,
                clock,
            ),
            tuning,
        )
        self.commits.keeper = self.keeper
        self._files = files
        self._folder = folder
        self._clock = clock

    async def open(self) -> None:
        """Read the folder, play the journal again on top, and bring all of it to the disk.

        Raises:
            StorageError: Something that was acknowledged cannot be read.
            OSError: The disk says no.
        """
        found = await asyncio.to_thread(
            recover, self._files, self._folder, self.commits.journal, self.snapshots
        )
        profiles = await asyncio.to_thread(self._touched_profiles, found)
        self._take(found)
        self._replay(found, profiles)
        stale = self.requests.stale(self._clock.now_us())
        if found.frames or found.torn_bytes or found.repaired or stale:
            await self.keeper.checkpoint(new_requests=stale)

    def _touched_profiles(self, found: Found) -> dict[str, UserProfile]:
        """The players whom the journal or a backup changes, as their files have them; blocks."""
        changed = {user.user_id for frame in found.frames for user in frame.users}
        profiles = {}
        for user_id in changed | {key.name for key in found.repaired if key.kind == "user"}:
            key = Key("user", user_id)
            if key in found.foreign:
                continue
            sealed = found.repaired[key] if key in found.repaired else self.snapshots.read(key)
            profiles[user_id] = UserProfile(user_id=user_id) if sealed is None else profile_of(sealed)
        for key in found.repaired:
            if self.snapshots.exists(key):
                self.snapshots.set_aside(key)
        return profiles

    def _take(self, found: Found) -> None:
        checkpoint, keeper = found.checkpoint, self.keeper
        keeper.vouched = checkpoint
        keeper.mirror, keeper.mirrored_us = checkpoint.mirror, checkpoint.mirrored_us
        self.commits.numbering.store = checkpoint.store
        keeper.numbered = checkpoint.last_us, checkpoint.rows
        keeper.known.update(found.users)
        self.state.gold.update(found.gold)
        keeper.foreign.update(found.foreign)
        for key in found.foreign:
            if key.kind == "user":
                keeper.known.setdefault(key.name, checkpoint.users.get(key.name, 0))
        for name, sealed in found.sections.items():
            keeper.sections[name] = bytes(sealed.document), sealed.sequence
        self.state.counters.update(checkpoint.counters)
        self.ledgers.sizes.update(checkpoint.books)
        self.requests.load(found.requests.values())

    def _replay(self, found: Found, profiles: dict[str, UserProfile]) -> None:
        keeper, now_s = self.keeper, asyncio.get_running_loop().time()
        self.state.profiles.update(profiles)
        behind = {Key("user", user_id) for user_id in profiles} | set(found.repaired)
        for frame in found.frames:
            for user in frame.users:
                profile = profiles.get(user.user_id)
                if profile is not None and keeper.known.get(user.user_id, 0) < frame.sequence:
                    put(profile, user)
                    self.state.gold[user.user_id] = user.gold
                keeper.known[user.user_id] = max(keeper.known.get(user.user_id, 0), frame.sequence)
            for name, document in frame.sections.items():
                key = Key("section", name)
                if key not in found.foreign and keeper.sections.get(name, (b"", 0))[1] < frame.sequence:
                    keeper.sections[name] = bytes(document), frame.sequence
                    behind.add(key)
            self.state.counters.update(frame.counters)
            for raw in frame.rows:
                line = line_of_raw(bytes(raw))
                self.ledgers.add(line.book, bytes(raw))
                keeper.numbered = mark_behind(line)
            for request in frame.requests:
                self.requests.remember(request)
            keeper.mirror = frame.mirror or keeper.mirror
            keeper.mirrored_us = frame.mirrored_us or keeper.mirrored_us
        self.commits.journal.synced = found.checkpoint.sequence + len(found.frames)
        self.commits.numbering.go_to(keeper.numbered)
        for key in behind:
            keeper.changed(key, now_s)

    async def close(self) -> None:
        """Wait for what is on its way, and bring all of it to the disk.

        Raises:
            OSError: The disk says no; the journal holds everything.
        """
        await self.commits.journal.drained()
        try:
            if self.commits.failed is None and self.keeper.is_behind:
                await self.keeper.checkpoint()
        finally:
            self.commits.journal.close()

    async def at_hand(self, users: Iterable[UserChange | UserProfile]) -> None:
        """Have the profiles of a change's players in memory, where they are players already."""
        profiles, known = self.state.profiles, self.keeper.known
        while missing := [
            user.user_id for user in users if user.user_id not in profiles and user.user_id in known
        ]:
            for user_id in missing:
                await self.profile(user_id)

    async def profile(self, user_id: str) -> UserProfile | None:
        """A player as published, from memory or from the file.

        Raises:
            StorageError: Another hand changed the file.
        """
        while (profile := self.state.profiles.get(user_id)) is None:
            if user_id not in self.keeper.known:
                return None
            key = Key("user", user_id)
            self.check(key)
            sealed = await asyncio.to_thread(self._read, key)
            if user_id in self.state.profiles:
                continue
            if sealed is None or not sealed.sound or sealed.sequence < self.keeper.known[user_id]:
                self.keeper.refuse(key, "was edited externally")
            elif sealed.sequence == self.keeper.known[user_id]:
                self.state.profiles[user_id] = profile_of(sealed)
                self.keeper.loaded(user_id, asyncio.get_running_loop().time())
        return profile

    def _read(self, key: Key) -> Sealed | None:
        try:
            return self.snapshots.read(key)
        except OSError as error:
            message = f"{self.snapshots.path(key)} cannot be read: {error.strerror}. Check the disk"
            raise StorageError(message) from error

    def check(self, key: Key) -> None:
        """Refuse what another hand has changed.

        Raises:
            StorageError: It was changed, and not adopted yet.
        """
        why = self.keeper.foreign.get(key)
        if why is not None:
            message = f"{self.snapshots.path(key)} {why}: {ADOPT}, or put the former file back"
            raise StorageError(message)
