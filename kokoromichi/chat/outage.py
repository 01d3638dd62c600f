"""Whether the storage answers: commands are told at once while it is away, and the log tells of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from kokoromichi.core.errors import InvalidProfileError, StorageError
from kokoromichi.core.models import SECOND_US

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeVar

    from kokoromichi.core.clock import Clock

    T = TypeVar("T")

log = logging.getLogger(__name__)

TOLD_S: Final = 60.0
"""An outage is logged so often at the most, however many commands meet it."""


class StorageWatch:
    """A circuit breaker: opened and closed by whoever probes the storage, and soon after a command failed.

    A command that fails opens nothing by itself: it may have met one player's lock, and not an outage.

    Args:
        clock: What tells how long it takes.

    Attributes:
        no_reads: Why nothing can be read, or None.
        no_writes: Why nothing can be written, or None.
        doubted: Whether a command has failed since the last probe, so that the next one is due.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.no_reads: str | None = None
        self.no_writes: str | None = None
        self.doubted = False
        self._since_us = 0
        self._told_us = 0
        self._met = 0

    async def ask(self, call: Callable[[], Awaitable[T]], *, writes: bool) -> T:
        """Carry out a call, unless it would wait in vain.

        Raises:
            StorageError: The storage is known to be away, or has failed now.
        """
        if (why := self.no_writes if writes else self.no_reads) is not None:
            self._met += 1
            raise StorageError(why)
        try:
            return await call()
        except InvalidProfileError:
            raise
        except StorageError as failed:
            self.note(failed)
            raise

    def note(self, failed: StorageError) -> None:
        """A command has failed."""
        self.doubted = True
        self._met += 1
        self._tell(f"the storage fails: {failed}")

    def report(self, no_reads: str | None, no_writes: str | None) -> None:
        """What a probe has found.

        Args:
            no_reads: Why nothing can be read, or None where it can.
            no_writes: Why nothing can be written, or None where it can.
        """
        was_away = self.no_writes is not None
        self.no_reads, self.no_writes, self.doubted = no_reads, no_writes, False
        if no_writes is not None:
            if not was_away:
                self._since_us = self._clock.now_us()
            self._tell(f"the storage {'is only read' if no_reads is None else 'is away'}: {no_writes}")
        elif was_away:
            away_s = (self._clock.now_us() - self._since_us) / SECOND_US
            log.warning(
                "the storage is well again after %.0f s; commands that met it since the last word: %d",
                *(away_s, self._met),
            )
            self._told_us = self._met = 0

    def _tell(self, what: str) -> None:
        now_us = self._clock.now_us()
        if now_us - self._told_us >= TOLD_S * SECOND_US:
            log.error("%s; commands that met it since the last word: %d", what, self._met)
            self._told_us, self._met = now_us, 0
