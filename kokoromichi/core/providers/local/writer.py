"""The one thread that writes: all changes that wait become one transaction."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING, Final, TypeVar

import apsw

from kokoromichi.core.errors import CommitUnknownError, KokoroError, StorageError
from kokoromichi.core.providers.local.errors import NOTHING_STORED, storage_error
from kokoromichi.core.providers.local.groups import Act, Group, Job

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from kokoromichi.core.clock import Clock
    from kokoromichi.core.providers.local.commits import Commits
    from kokoromichi.core.providers.local.committed import Committed
    from kokoromichi.core.providers.local.groups import Waiting

T = TypeVar("T")

_LOG: Final = logging.getLogger(__name__)


class Writer(threading.Thread):
    """Owns the connection that writes; its calls are the thread's own, but for ``failed``.

    Args:
        path: The database.
        base: The connection.
        committed: What is stored.
        clock: What dates requests.
        commits: What is to be done, until None ends the thread; told of everything that was done.

    Attributes:
        failed: Why nothing more is committed until the store is opened again, or None.
    """

    def __init__(
        self,
        path: Path,
        base: apsw.Connection,
        committed: Committed,
        clock: Clock,
        commits: Commits,
    ) -> None:
        super().__init__(name="kokoromichi-writer", daemon=True)
        self.failed: str | None = None
        self.base = base
        self.committed = committed
        self._path = path
        self._clock = clock
        self._queue, self._deliver = commits.queue, commits.deliver
        self._data_version = base.pragma("data_version")
        self._file = identity(path)

    def run(self) -> None:
        """Do what waits until None comes."""
        going = True
        while going:
            found = [self._queue.get()]
            while not self._queue.empty():  # This thread is the only reader.
                found.append(self._queue.get())
            going = None not in found
            waiting = [one for one in found if one is not None]
            for _, members in groupby(waiting, key=lambda one: one if isinstance(one, Job) else Act):
                self._carry_out(list(members))

    def _carry_out(self, together: Sequence[Waiting]) -> None:
        """Do a job alone, or acts in one transaction; whatever happens, nobody waits without an end."""
        try:
            if isinstance(together[0], Job):
                self._work(together[0])
            else:
                self._commit([one for one in together if isinstance(one, Act)])
        except Exception as unforeseen:  # noqa: BLE001 - a thread that ends leaves everybody waiting for ever
            _LOG.exception("the writer of %s met what it does not know", self._path)
            self.failed = (
                f"{self._path} is not written any more after an unforeseen error ({unforeseen!r}): report "
                "it with the log, and start again"
            )
            for one in together:
                if one.error is None and one.answer is None:
                    one.error = CommitUnknownError(one.change.request_id if isinstance(one, Act) else None)
            self._deliver(together, None)

    def _commit(self, acts: Sequence[Act]) -> None:
        """Check each, write all, commit once; who was refused has an error, the others share one outcome."""
        group = Group(self.committed, self._clock.now_us(), acts)
        for act in acts:
            try:
                group.add(act)
            except KokoroError as refused:  # noqa: PERF203 - each has an error of its own
                act.error = refused
            except apsw.Error as failure:
                act.error = storage_error(self._path, failure)
        if group:
            try:
                self.transaction(group.write)
                self.committed.take(group)
                group.answer()
            except StorageError as failure:
                for act in acts:
                    if act.error is None and act.answer is None:
                        act.error = _outcome(failure, act)
                self._deliver(acts, None)
                return
        self._deliver(acts, group)

    def _work(self, job: Job) -> None:
        try:
            job.answer = job.work()
        except KokoroError as error:
            job.error = error
        except (apsw.Error, OSError) as failure:
            job.error = storage_error(self._path, failure)
        except (ValueError, TypeError, OverflowError) as unfit:
            job.error = StorageError(f"{self._path} cannot hold that: {unfit}")
        self._deliver([job], None)

    def transaction(self, write: Callable[[apsw.Connection], T]) -> T:
        """Write between BEGIN and COMMIT.

        Raises:
            CommitUnknownError: Nobody knows whether it happened.
            StorageError: Nothing of it happened.
        """
        self._check_place()
        base, asked, committed = self.base, False, False
        try:
            base.execute("BEGIN IMMEDIATE")
            self._check_alone()
            found = write(base)
            self.committed.write_codes(base)
            asked = True
            base.execute("COMMIT")
            committed = True
        except apsw.Error as failure:
            raise self._failure(failure, asked=asked) from failure
        finally:
            if not committed:
                self.committed.forget()
            if base.in_transaction:
                with suppress(apsw.Error):  # What cannot even be rolled back is not committed either.
                    base.execute("ROLLBACK")
        self.committed.keep_codes()
        self.look()
        return found

    def look(self) -> None:
        """Remember the database file as our own writing left it: only checkpoints change it."""
        self._file = identity(self._path)

    @property
    def at_its_place(self) -> bool:
        """Whether the file at the path is the one that was opened and nobody else has written to it."""
        return self._file is not None and identity(self._path) == self._file

    def _check_place(self) -> None:
        if self.failed is None and not self.at_its_place:
            self.failed = (
                f"{self._path} is no longer the database that was opened: another hand has moved, replaced "
                "or changed it. Nothing more is written: stop, bring it back, and start again"
            )
        if self.failed is not None:
            raise StorageError(self.failed)

    def _check_alone(self) -> None:
        if self.base.pragma("data_version") != self._data_version:
            self.failed = (
                f"{self._path} was written to by another program. Nothing more is written: end that one, see "
                "what it did with `kokoromichi audit`, and start again"
            )
            raise StorageError(self.failed)

    def _failure(self, failure: apsw.Error, *, asked: bool) -> StorageError:
        if not asked or isinstance(failure, NOTHING_STORED):
            return storage_error(self._path, failure)
        self.failed = (
            f"{self._path} could not be written: {failure}. Until it is opened again it only reads: check "
            "the disk, then start again"
        )
        return CommitUnknownError()


def _outcome(failure: StorageError, act: Act) -> StorageError:
    """An error of an act's own for what became of its group."""
    if isinstance(failure, CommitUnknownError):
        return CommitUnknownError(act.change.request_id)
    return StorageError(str(failure))


def identity(path: Path) -> tuple[int, ...] | None:
    """What tells one file from another at the same path, or None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
