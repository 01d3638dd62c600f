"""Commits on their way: checked and staged in one step, durable with their group, then published in order."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

import msgspec

from kokoromichi.core.errors import CommitUnknownError, MisuseError, RequestMismatchError, StorageError
from kokoromichi.core.models import Receipt
from kokoromichi.core.providers.local.frames import Frame, Request, line_of
from kokoromichi.core.providers.local.journal import FullError, Journal
from kokoromichi.core.providers.local.ledgers import Numbering, Row, moved_rows, rows_of
from kokoromichi.core.providers.local.snapshots import Key
from kokoromichi.core.providers.local.state import Staged
from kokoromichi.core.validation import checked_request_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import polars as pl

    from kokoromichi.core.bulk_load import Batch
    from kokoromichi.core.clock import Clock
    from kokoromichi.core.data_provider import AnswerT, Document
    from kokoromichi.core.models import ChangeSet
    from kokoromichi.core.providers.local.files import Files
    from kokoromichi.core.providers.local.keeping import Keeper
    from kokoromichi.core.providers.local.ledgers import Ledgers
    from kokoromichi.core.providers.local.requests import Requests
    from kokoromichi.core.providers.local.state import State

_ENCODE: Final = msgspec.json.Encoder().encode  # As ``answers.encode_response``, made once.
_NOTHING: Final[Mapping[str, Document]] = {}


class Saved(Receipt, frozen=True, gc=False, tag=True):
    """A section was stored."""


class _Pending(msgspec.Struct, gc=False):
    """A commit that waits for its sync; whoever sent the same request id waits with it."""

    sequence: int
    staged: Staged
    rows: list[Row]
    sections: dict[str, bytes]
    requests: list[Request]
    answer: Receipt
    numbered: tuple[int, int]
    waiting: list[asyncio.Future[Receipt]]
    mirror: str = ""
    mirrored_us: int = 0


class Commits:
    """The way of every change: check, stage, journal, publish.

    Args:
        files: The disk.
        folder: Where the journal is.
        clock: What tells how old an answer is.
        state: Players and counters.
        ledgers: Where the rows of what is durable go.
        requests: What request ids remember.

    Attributes:
        journal: Where frames become durable.
        keeper: Told what has changed; set before the first commit.
        failed: Why nothing can be written any more, or None.
        numbering: What the next rows are called.
    """

    keeper: Keeper

    def __init__(
        self,
        files: Files,
        folder: Path,
        clock: Clock,
        state: State,
        ledgers: Ledgers,
        requests: Requests,
    ) -> None:
        self.journal = Journal(files, folder, self._settled)
        self.failed: str | None = None
        self.numbering = Numbering()
        self._folder = folder
        self._clock = clock
        self._state = state
        self._ledgers = ledgers
        self._requests = requests
        self._pending: deque[_Pending] = deque()
        self._in_flight: dict[str, _Pending] = {}
        self._unknown: set[str] = set()

    @property
    def waiting(self) -> int:
        """Changes that are on their way."""
        return len(self._pending)

    def following(self, request_id: str, digest: str) -> asyncio.Future[Receipt] | None:
        """The outcome of a request that is on its way, for one more who asks; None when it is not.

        Raises:
            RequestMismatchError: It is on its way for another act.
            CommitUnknownError: It was on its way when the journal failed; opening again settles its outcome.
        """
        if request_id in self._unknown:
            raise CommitUnknownError(request_id)
        pending = self._in_flight.get(checked_request_id(request_id))
        if pending is None:
            return None
        if all((asked.request_id, asked.digest) != (request_id, digest) for asked in pending.requests):
            raise RequestMismatchError(request_id)
        outcome: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        pending.waiting.append(outcome)
        return outcome

    def take(
        self, change: ChangeSet[AnswerT], unknown: Mapping[str, Document] = _NOTHING
    ) -> asyncio.Future[Receipt]:
        """Check and stage a change whose players are at hand, and send it on its way: one synchronous step.

        Returns:
            Its outcome; whoever stops waiting for it changes nothing of it.
        """
        self._check_writable()
        staged = self._state.checked(change, unknown)
        sequence = self.journal.synced + len(self._pending) + 1
        numbering = self.numbering
        last_us, number = numbering.last_us, numbering.rows
        requests = []
        try:
            if change.request_id is not None:
                answer = msgspec.Raw(_ENCODE(change.answer))
                requests.append(Request(change.request_id, self._clock.now_us(), change.digest, answer))
            rows = rows_of(change, sequence, numbering)
            raws = [msgspec.Raw(line) for _book, line in rows]
            line = line_of(Frame(sequence, staged.users, staged.counters, raws, requests))
        except (TypeError, ValueError, OverflowError) as unfit:
            numbering.go_to((last_us, number))
            message = f"a change of {[user.user_id for user in change.users]} cannot be stored: {unfit}"
            raise MisuseError(message) from None
        numbered = (numbering.last_us, numbering.rows)
        return self._send(_Pending(sequence, staged, rows, {}, requests, change.answer, numbered, []), line)

    def take_section(self, section: str, document: bytes) -> asyncio.Future[Receipt]:
        """Send a section's new document on its way."""
        self._check_writable()
        return self._take_frame({section: document})

    def take_batch(self, batch: Batch, documents: Mapping[str, bytes]) -> asyncio.Future[Receipt]:
        """Send a part of another store on its way, whose players are at hand; see ``DataProvider.load``."""
        if self.failed is not None:
            raise StorageError(self.failed)
        users, holdings = [], {}
        for snapshot in batch.users:
            user, holdings[snapshot.profile.user_id] = self._state.snapshot(snapshot)
            users.append(user)
        now_us = self._clock.now_us()
        requests = [
            Request(
                asked.request_id,
                asked.at_us if asked.at_us >= 0 else now_us,
                asked.digest,
                msgspec.Raw(asked.answer),
            )
            for asked in batch.requests
            if not self._requests.knows(asked.request_id, asked.digest)
        ]
        staged = Staged(users, dict(batch.counters), holdings)
        return self._take_frame(documents, staged, batch.rows, requests)

    def take_mirror(self, of: str, as_of_us: int) -> asyncio.Future[Receipt]:
        """Send on its way that this store mirrors another from now on, and since when it is up to date."""
        if self.failed is not None:
            raise StorageError(self.failed)
        return self._take_frame({}, mirror=of, mirrored_us=as_of_us)

    def _take_frame(
        self,
        documents: Mapping[str, bytes],
        staged: Staged | None = None,
        rows: pl.DataFrame | None = None,
        requests: Sequence[Request] = (),
        mirror: str = "",
        mirrored_us: int = 0,
    ) -> asyncio.Future[Receipt]:
        sequence = self.journal.synced + len(self._pending) + 1
        staged = staged or Staged([], {}, {})
        moved = [] if rows is None else moved_rows(rows, sequence, self.numbering)
        line = line_of(
            Frame(
                sequence,
                staged.users,
                staged.counters,
                [msgspec.Raw(row) for _book, row in moved],
                list(requests),
                {name: msgspec.Raw(document) for name, document in documents.items()},
                mirror,
                mirrored_us,
            )
        )
        numbered = self.numbering.mark()
        pending = _Pending(sequence, staged, moved, dict(documents), list(requests), Saved(), numbered, [])
        pending.mirror, pending.mirrored_us = mirror, mirrored_us
        return self._send(pending, line)

    def _send(self, pending: _Pending, line: bytes) -> asyncio.Future[Receipt]:
        self._state.stage(pending.staged, pending.sequence)
        outcome: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        pending.waiting.append(outcome)
        for request in pending.requests:
            self._in_flight[request.request_id] = pending
        self._pending.append(pending)
        self.journal.append(line)
        return outcome

    def _check_writable(self) -> None:
        if self.failed is not None:
            raise StorageError(self.failed)
        if self.keeper.mirror:
            message = (
                f"this store mirrors {self.keeper.mirror} and is written by copies alone: write to "
                f"{self.keeper.mirror} itself"
            )
            raise MisuseError(message)

    def _settled(self, count: int, failure: OSError | FullError | None) -> None:
        if failure is not None:
            self._failed(failure)
            return
        now_s = asyncio.get_running_loop().time()
        take_next, publish = self._pending.popleft, self._publish
        for _ in range(count):
            pending = take_next()
            publish(pending, now_s)
            for outcome in pending.waiting:
                if not outcome.done():
                    outcome.set_result(pending.answer)

    def _publish(self, pending: _Pending, now_s: float) -> None:
        sequence, staged, keeper = pending.sequence, pending.staged, self.keeper
        self._state.publish(staged.users, staged.counters, sequence)
        for user in staged.users:
            keeper.known[user.user_id] = sequence
            keeper.changed(Key("user", user.user_id), now_s)
        for book, line in pending.rows:
            self._ledgers.add(book, line)
        keeper.numbered = pending.numbered
        for request in pending.requests:
            del self._in_flight[request.request_id]
            self._requests.remember(request)
        keeper.mirror = pending.mirror or keeper.mirror
        keeper.mirrored_us = pending.mirrored_us or keeper.mirrored_us
        for name, document in pending.sections.items():
            keeper.sections[name] = document, sequence
            keeper.changed(Key("section", name), now_s)

    def _failed(self, failure: OSError | FullError) -> None:
        """Take back all that was staged: it was not durable, or nobody knows."""
        lost, self._pending = self._pending, deque()
        self._in_flight.clear()
        self._state.forget_staged()
        self.numbering.go_to(self.keeper.numbered)
        if isinstance(failure, FullError):
            message = (
                f"the journal in {self._folder} takes no more: {failure}. Nothing was changed: make room, "
                "and ask again"
            )
        else:
            what = failure.strerror or str(failure)
            message = (
                f"the journal in {self._folder} could not be written: {what}. Until the provider is opened "
                "again it only reads: check the disk, then start again"
            )
            self.failed = message
            self._unknown.update(asked.request_id for one in lost for asked in one.requests)
        for pending in lost:
            error: StorageError = StorageError(message)
            if not isinstance(failure, FullError):
                asked = pending.requests[0].request_id if pending.requests else f"~{pending.sequence:012d}"
                error = CommitUnknownError(asked)
                error.__cause__ = StorageError(message)
            for outcome in pending.waiting:
                if not outcome.done():
                    outcome.set_exception(error)
