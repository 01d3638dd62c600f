"""What request ids remember: answers for a time, and for ever that they were used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from kokoromichi.core.clock import DAY_US
from kokoromichi.core.errors import RequestMismatchError, StorageError
from kokoromichi.core.providers.local.frames import NO_ANSWER, Request
from kokoromichi.core.responses import decode_response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kokoromichi.core.models import Receipt

ANSWER_DAYS: Final = 30


class Requests:
    """The request ids of all time.

    Attributes:
        fresh: Those that the file of requests does not hold yet, in their order.
    """

    def __init__(self) -> None:
        self._known: dict[str, Request] = {}
        self.fresh: list[Request] = []

    def load(self, requests: Iterable[Request]) -> None:
        """Take what the file of requests holds."""
        for request in requests:
            self._known[request.request_id] = request

    def remember(self, request: Request) -> None:
        """Take a request whose change is durable."""
        self._known[request.request_id] = request
        self.fresh.append(request)

    def get_response(self, request_id: str, digest: str, now_us: int) -> Receipt | None:
        """What a request id was answered, or None when it was never used.

        Raises:
            RequestMismatchError: It was used for another act, or so long ago that nobody knows the answer.
            StorageError: Nobody can read the answer any more.
        """
        known = self._known.get(request_id)
        if known is None:
            return None
        if known.digest != digest or known.answer == NO_ANSWER or now_us - known.at_us > ANSWER_DAYS * DAY_US:
            raise RequestMismatchError(request_id)
        try:
            return decode_response(bytes(known.answer))
        except msgspec.DecodeError as unreadable:
            message = f"the answer of request {request_id} cannot be read: {unreadable}; take a fresh id"
            raise StorageError(message) from unreadable

    def knows(self, request_id: str, digest: str) -> bool:
        """Whether a request id was used for this act.

        Raises:
            RequestMismatchError: It was used for another one.
        """
        known = self._known.get(request_id)
        if known is not None and known.digest != digest:
            raise RequestMismatchError(request_id)
        return known is not None

    def answered(self) -> list[Request]:
        """Those whose answers are kept."""
        return [request for request in self._known.values() if request.answer != NO_ANSWER]

    def stale(self, now_us: int) -> bool:
        """Whether there are answers that are too old to be kept."""
        oldest_us = now_us - ANSWER_DAYS * DAY_US
        return any(known.answer != NO_ANSWER and known.at_us < oldest_us for known in self._known.values())

    def kept(self, now_us: int) -> list[Request]:
        """All of them, to be written anew: without the answers that are too old."""
        oldest_us = now_us - ANSWER_DAYS * DAY_US
        return [
            known if known.at_us >= oldest_us else msgspec.structs.replace(known, answer=NO_ANSWER)
            for known in self._known.values()
        ]
