"""The write-ahead journal: whoever waits together shares one sync."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from kokoromichi.core.errors import StorageError
from kokoromichi.core.providers.local.files import write_all
from kokoromichi.core.providers.local.frames import Synced, line_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kokoromichi.core.providers.local.files import Files

_SUFFIX: Final = ".journal"
_MANY: Final = 32
"""So many frames are worth a sync of their own: the rest of a crowd is taken while the disk is at work."""


class FullError(StorageError):
    """A group could not be written, and what there was of it is gone again: nothing of it happened."""


class Journal:
    """Segments of checked lines, each named by the first frame that it may hold.

    Args:
        files: The disk.
        folder: Where the segments are.
        settled: Told after each group: how many of its frames there were, and what failed, if anything.

    Attributes:
        synced: The newest frame that is on the disk.
        segment_bytes: Size of the segment that is written.
    """

    def __init__(
        self, files: Files, folder: Path, settled: Callable[[int, OSError | FullError | None], None]
    ):
        self._files = files
        self._folder = folder
        self._settled = settled
        self._thread = ThreadPoolExecutor(1, "journal")  # Of its own: a sync waits for no other file.
        self._waiting: list[bytes] = []
        self._writing: asyncio.Future[None] | None = None
        self._handle: int | None = None
        self._roll = False
        self.synced = 0
        self.segment_bytes = 0

    def segments(self) -> list[Path]:
        """The segments in their order; blocks."""
        return [self._folder / name for name in self._files.names(self._folder) if name.endswith(_SUFFIX)]

    def append(self, line: bytes) -> None:
        """Take a frame for the next group; ``settled`` hears of its outcome."""
        waiting = self._waiting
        waiting.append(line)
        if self._writing is None:
            if len(waiting) == 1:
                asyncio.get_running_loop().call_soon(self._start)  # Whoever comes in this turn comes along.
            elif len(waiting) == _MANY:
                self._start()

    def roll(self) -> None:
        """Begin a new segment with the next group."""
        self._roll = True

    def _start(self) -> None:
        if self._writing is not None or not self._waiting:
            return  # They were many, and are on their way already.
        lines, self._waiting = self._waiting, []
        loop = asyncio.get_running_loop()
        self._writing = loop.run_in_executor(self._thread, self._write, lines)
        self._writing.add_done_callback(lambda done: self._done(len(lines), done))

    def _done(self, count: int, done: asyncio.Future[None]) -> None:
        self._writing = None
        failure: BaseException | None = asyncio.CancelledError() if done.cancelled() else done.exception()
        if failure is None:
            self.synced += count
            self._settled(count, None)
        else:
            count += len(self._waiting)
            self._waiting = []
            if not isinstance(failure, (OSError, FullError)):
                failure = OSError(f"it was given up: {failure!r}")
            self._settled(count, failure)
        if len(self._waiting) >= _MANY:
            self._start()
        elif self._waiting:
            # Whoever has just been answered comes along, and one sync does for all of them.
            asyncio.get_running_loop().call_soon(self._start)

    def _write(self, lines: list[bytes]) -> None:
        """Make a group durable; blocks.

        Raises:
            FullError: The disk took no more; the journal is as it was.
            OSError: The disk failed; nobody knows how far it came.
        """
        files, before = self._files, self.segment_bytes
        if self._handle is None or self._roll:
            self._open_segment()
            before = 0
        handle = self._handle
        assert handle is not None  # noqa: S101 - has just been opened
        data = line_of(Synced(self.synced)) + b"".join(lines)
        try:
            write_all(files, handle, data)
        except OSError as full:
            files.truncate(handle, before)
            files.sync(handle)
            raise FullError(f"{full.strerror or full}") from full
        files.sync(handle)
        self.segment_bytes = before + len(data)

    def _open_segment(self) -> None:
        path = self._folder / f"{self.synced + 1:016d}{_SUFFIX}"
        try:
            handle = self._files.append(path)
        except OSError as full:
            raise FullError(f"{full.strerror or full}") from full
        try:
            self._files.sync_folder(self._folder)
            self._files.truncate(handle, 0)  # Of that name there was at most a torn tail.
        except OSError:
            self._files.close(handle)
            raise
        self.close_segment()
        self._handle, self._roll, self.segment_bytes = handle, False, 0

    async def drained(self) -> None:
        """Return when nothing waits any more."""
        while self._waiting or self._writing is not None:
            if self._writing is None:
                await asyncio.sleep(0)
            else:
                await asyncio.wait([self._writing])

    def drop(self, covered: int) -> None:
        """Remove the segments that hold no frame newer than ``covered``; blocks."""
        segments = self.segments()
        if self._handle is None and covered == self.synced:
            for segment in segments:  # None is being written: their frames are all covered.
                self._files.remove(segment)
            return
        for segment, following in pairwise(segments):
            if first_of(following) <= covered + 1:
                self._files.remove(segment)

    def close_segment(self) -> None:
        """Let go of the segment that is written."""
        if self._handle is not None:
            self._files.close(self._handle)
            self._handle = None

    def close(self) -> None:
        """Let go of everything."""
        self.close_segment()
        self._thread.shutdown(wait=False)


def first_of(segment: Path) -> int:
    """The first frame that a segment may hold."""
    return int(segment.name.removesuffix(_SUFFIX))
