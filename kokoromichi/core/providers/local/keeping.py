"""Behind the journal: the files of players and sections, the ledgers, the checkpoint; and forgetting."""

from __future__ import annotations

import asyncio
import errno
import logging
from contextlib import suppress
from itertools import count
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from kokoromichi.core.models import PROFILE_FIELDS
from kokoromichi.core.providers.local.files import write_all
from kokoromichi.core.providers.local.folder import journal_folder, unusable
from kokoromichi.core.providers.local.frames import line_of
from kokoromichi.core.providers.local.opening import Checkpoint, write_checkpoint
from kokoromichi.core.providers.local.snapshots import Key, sealed

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.core.clock import Clock
    from kokoromichi.core.models import UserProfile
    from kokoromichi.core.providers.local.files import Files
    from kokoromichi.core.providers.local.frames import Request
    from kokoromichi.core.providers.local.journal import Journal
    from kokoromichi.core.providers.local.ledgers import Ledgers, Seen
    from kokoromichi.core.providers.local.requests import Requests
    from kokoromichi.core.providers.local.snapshots import Snapshots
    from kokoromichi.core.providers.local.state import State

_LOG: Final = logging.getLogger(__name__)
_NAMES: Final = tuple(sorted(PROFILE_FIELDS))
_VALUES: Final = attrgetter(*_NAMES)
_LONGEST_WAITS: Final = 10
"""A player who is never quiet is written after so many debounces."""
_SHORTEST_S: Final = 0.01


class Tuning(NamedTuple):
    """When files are written and profiles forgotten.

    Attributes:
        debounce_s: A file waits until its player was quiet for so long.
        cache_s: A written profile stays at hand for so long.
        segment_bytes: The journal is made short again beyond this size.
    """

    debounce_s: float
    cache_s: float
    segment_bytes: int


class Parts(NamedTuple):
    """What is kept."""

    files: Files
    folder: Path
    state: State
    journal: Journal
    ledgers: Ledgers
    requests: Requests
    snapshots: Snapshots
    clock: Clock


class _Work(NamedTuple):
    """What one round writes, captured in one synchronous step."""

    contents: dict[Key, bytes]
    seen: Seen
    streams: dict[str, bytes]
    checkpoint: Checkpoint | None
    requests: list[Request]
    whole: bool  # The requests are all of them, for a new file.


class _Done(NamedTuple):
    sizes: dict[str, int]
    checkpoint: Checkpoint | None
    foreign: list[Key]


class Keeper:
    """Brings files up to what the journal has made durable.

    Attributes:
        known: The newest durable change of each player.
        sections: The durable document of each section, as JSON, and its newest change.
        foreign: Files that another hand changed, and what is the matter; they are left alone.
        streams: Observations that wait to be written.
        vouched: The checkpoint that counts.
        mirror: The store that this one mirrors, or nothing; ``mirrored_us`` when it was last followed whole.
        numbered: Time of the newest durable entry id, and the number of durable rows.
    """

    def __init__(self, parts: Parts, tuning: Tuning) -> None:
        self._parts = parts
        self._tuning = tuning
        self._due: dict[Key, float] = {}  # Since when a file is behind, in seconds of the loop's clock.
        self._changed: dict[Key, float] = {}
        self._touched: dict[str, float] = {}
        self._writing: dict[Key, bytes] = {}
        self._one_at_a_time = asyncio.Lock()
        self._numbers = count(1)
        self._swept_s = 0.0
        self._stuck = False
        self.vouched = Checkpoint()
        self.numbered = (0, 0)
        self.mirror = ""
        self.mirrored_us = 0
        self.known: dict[str, int] = {}
        self.sections: dict[str, tuple[bytes, int]] = {}
        self.foreign: dict[Key, str] = {}
        self.streams: dict[str, list[bytes]] = {}

    @property
    def is_behind(self) -> bool:
        """Whether the journal knows of anything that the checkpoint does not."""
        return bool(self._due) or bool(self.streams) or self.vouched.sequence != self._parts.journal.synced

    def changed(self, key: Key, now_s: float) -> None:
        """A player or section has a newer durable state than its file."""
        self._due.setdefault(key, now_s)
        self._changed[key] = now_s
        if key.kind == "user":
            self._touched[key.name] = now_s

    def loaded(self, user_id: str, now_s: float) -> None:
        """A profile was read from its file."""
        self._touched[user_id] = now_s

    async def run(self) -> None:
        """Write what is due and forget what is old, for ever."""
        pause_s = max(_SHORTEST_S, min(self._tuning.debounce_s, self._tuning.cache_s, 1.0) / 2)
        while True:
            await asyncio.sleep(pause_s)
            now_s = asyncio.get_running_loop().time()
            try:
                if self._parts.journal.segment_bytes > self._tuning.segment_bytes and not self._stuck:
                    await self.checkpoint()
                else:
                    await self.flush(self._quiet(now_s))
            except OSError as error:
                _LOG.error("%s Nothing is lost: the journal holds it", unusable(self._parts.folder, error))
                await asyncio.sleep(self._tuning.debounce_s)
            self._forget(now_s)

    async def end(self, running: asyncio.Task[None]) -> None:
        """End ``run`` between two rounds: none is left half way in its thread."""
        async with self._one_at_a_time:
            running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    def _quiet(self, now_s: float) -> list[Key]:
        debounce_s = self._tuning.debounce_s
        return [
            key
            for key, first_s in self._due.items()
            if now_s - self._changed[key] >= debounce_s or now_s - first_s >= debounce_s * _LONGEST_WAITS
        ]

    def _forget(self, now_s: float) -> None:
        """Let go of profiles whose files are up to date: what is read anew shows what others did to it."""
        if now_s - self._swept_s < self._tuning.cache_s:
            return
        self._swept_s = now_s
        state = self._parts.state
        for user_id in [name for name, at_s in self._touched.items() if now_s - at_s >= self._tuning.cache_s]:
            key = Key("user", user_id)
            if key not in self._due and key not in self._writing and not state.is_ahead(user_id):
                state.profiles.pop(user_id, None)
                del self._touched[user_id]

    async def flush(self, keys: list[Key]) -> None:
        """Write files and the ledgers' waiting lines; the journal stays as long as it is.

        Raises:
            OSError: The disk says no; what was not written is written later.
        """
        async with self._one_at_a_time:
            await self._carry_out(self._captured(keys, checkpoint=False))

    async def checkpoint(self, *, new_requests: bool = False) -> None:
        """Bring everything to the disk, and let go of the journal before it.

        Args:
            new_requests: Write the file of requests anew, without the answers that are too old.

        Raises:
            OSError: The disk says no; the journal stays.
        """
        async with self._one_at_a_time:
            self._parts.journal.roll()
            try:
                await self._carry_out(self._captured(list(self._due), checkpoint=True, whole=new_requests))
            except OSError as error:
                # What a failed sync has lost nobody can tell: the journal is kept until it is read again.
                self._stuck = error.errno not in {errno.ENOSPC, errno.EDQUOT}
                raise

    def _captured(self, keys: list[Key], *, checkpoint: bool, whole: bool = False) -> _Work:
        parts = self._parts
        contents = {key: self._content(key) for key in keys if key not in self.foreign}
        for key in keys:
            del self._due[key], self._changed[key]
        self._writing = contents
        streams = {name: b"".join(lines) for name, lines in self.streams.items() if lines}
        self.streams.clear()
        if not checkpoint:
            return _Work(contents, parts.ledgers.seen(), streams, None, [], whole=False)
        requests = parts.requests.kept(parts.clock.now_us()) if whole else list(parts.requests.fresh)
        vouched = Checkpoint(
            parts.journal.synced,
            *self.numbered,
            requests_file=f"requests-{parts.journal.synced}.log" if whole else self.vouched.requests_file,
            requests_bytes=0 if whole else self.vouched.requests_bytes,
            counters=dict(parts.state.counters),
            users=dict(self.known),
            sections={name: sequence for name, (_, sequence) in self.sections.items()},
            store=self.vouched.store,
            mirror=self.mirror,
            mirrored_us=self.mirrored_us,
        )
        return _Work(contents, parts.ledgers.seen(), streams, vouched, requests, whole=whole)

    def _content(self, key: Key) -> bytes:
        if key.kind == "user":
            profile = self._parts.state.profiles[key.name]
            return sealed(key, self.known[key.name], document_of(profile))
        document, sequence = self.sections[key.name]
        return sealed(key, sequence, document)

    async def _carry_out(self, work: _Work) -> None:
        fresh = len(self._parts.requests.fresh)
        try:
            done = await asyncio.to_thread(self._write, work)
        except BaseException:
            now_s = asyncio.get_running_loop().time()
            for key in work.contents:
                self._due.setdefault(key, now_s)
                self._changed.setdefault(key, now_s)
            raise
        finally:
            self._writing = {}
        self._parts.ledgers.written(work.seen, done.sizes)
        if done.checkpoint is not None:
            del self._parts.requests.fresh[:fresh]
            self.vouched = done.checkpoint
        for key in done.foreign:
            self.refuse(key, "was edited externally")

    def refuse(self, key: Key, why: str) -> None:
        """Leave a file alone from now on, and whatever is in it."""
        path = self._parts.snapshots.path(key)
        _LOG.error("%s %s; it is left alone, and its player too, until it is adopted", path, why)
        self.foreign[key] = why
        self._due.pop(key, None)
        self._changed.pop(key, None)
        if key.kind == "user":
            self._parts.state.profiles.pop(key.name, None)

    def _write(self, work: _Work) -> _Done:
        """Carry out a round; blocks. The order of the lines is the promise."""
        files, folder, snapshots = self._parts.files, self._parts.folder, self._parts.snapshots
        foreign = []
        for key, content in work.contents.items():
            if snapshots.untouched(key):
                snapshots.write(key, content)
            else:
                snapshots.back_up(key, content)
                foreign.append(key)
        for stream, lines in work.streams.items():
            self._add(folder / "observations" / f"{stream}.log", lines)
        sizes = self._parts.ledgers.append(work.seen, sync=work.checkpoint is not None)
        if work.checkpoint is None:
            return _Done(sizes, None, foreign)
        size = self._write_requests(work.checkpoint, work.requests)
        for inner in ("users", "ledgers", "journal", "."):
            files.sync_folder(folder / inner)
        checkpoint = msgspec.structs.replace(work.checkpoint, books=sizes, requests_bytes=size)
        write_checkpoint(files, folder, checkpoint, next(self._numbers))
        self._parts.journal.drop(checkpoint.sequence)
        if checkpoint.requests_file != self.vouched.requests_file:
            files.remove(journal_folder(folder) / self.vouched.requests_file)
        return _Done(sizes, checkpoint, foreign)

    def _write_requests(self, checkpoint: Checkpoint, requests: list[Request]) -> int:
        files, path = self._parts.files, journal_folder(self._parts.folder) / checkpoint.requests_file
        data = b"".join(map(line_of, requests))
        handle = files.append(path)
        try:
            files.truncate(handle, checkpoint.requests_bytes)
            write_all(files, handle, data)
            files.sync(handle)
        finally:
            files.close(handle)
        return checkpoint.requests_bytes + len(data)

    def _add(self, path: Path, lines: bytes) -> None:
        handle = self._parts.files.append(path)
        try:
            write_all(self._parts.files, handle, lines)
        finally:
            self._parts.files.close(handle)


def document_of(profile: UserProfile) -> bytes:
    """A player as JSON, fields that this version does not know beside the others."""
    known = dict(zip(_NAMES, _VALUES(profile), strict=True))
    return msgspec.json.encode({**profile.unknown, **known})
