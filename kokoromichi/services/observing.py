"""What players try, beside what the ledger holds of it: acts and refusals, for whoever tunes the economy."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Final

from kokoromichi.core.clock import moment_of
from kokoromichi.core.errors import StorageError
from kokoromichi.core.models import SECOND_US
from kokoromichi.rules.acts import SESSION_GAP_S, act_name

if TYPE_CHECKING:
    from kokoromichi.services.executor import CommandExecutor

_LOG: Final = logging.getLogger(__name__)

_KNOWN_PLAYERS: Final = 50_000


class ActivityService:
    """Notes acts as rows of ``ACTIVITY_SCHEMA``; the provider buffers them, outside the promise.

    Args:
        executor: Where they are kept, and what tells the time and the economy in force.
        sampling: The share of players who are noted, 0 to 1: each is, with all their acts, or is not; by
            their id, so that every process and every restart choose the same.
    """

    def __init__(self, executor: CommandExecutor, sampling: float = 1.0) -> None:
        self._executor = executor
        self._below = round(sampling * 2**64)
        self._sessions: dict[str, tuple[int, int]] = {}

    def is_noted(self, player_id: str) -> bool:
        """Whether a player is among those who are noted."""
        digest = hashlib.blake2b(player_id.encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") < self._below

    async def note(self, player_id: str, act: str, refusal_code: str | None = None) -> None:
        """Note one act of a player; storage that is away loses the note, and nothing else.

        Args:
            player_id: Whose.
            act: What: a name in ``ACTS``, or that of the command.
            refusal_code: The code of the refusal; None where the act went through.
        """
        if not self.is_noted(player_id):
            return
        at_us = self._executor.clock.now_us()
        row: dict[str, object] = {
            "user_id": player_id,
            "session": self._session(player_id, at_us),
            "at": moment_of(at_us),
            "act": act_name(act),
            "code": refusal_code,
            "slot": None,
            "outcome": None,
            "gold": None,
            "hold": None,
            "level": None,
            "units_held": None,
            "economy_hash": self._executor.live.economy.hash,
        }
        try:
            await self._executor.provider.append_observations("activity", [row])
        except StorageError as failed:
            _LOG.warning("what a player did was not noted: %s", failed)

    def _session(self, player_id: str, at_us: int) -> int:
        """The session's number: the second of its first act, since the epoch."""
        gap_us = SESSION_GAP_S * SECOND_US
        number, last_us = self._sessions.get(player_id, (0, at_us - gap_us))
        if not 0 <= at_us - last_us < gap_us:
            number = at_us // SECOND_US
        self._sessions.pop(player_id, None)
        self._sessions[player_id] = number, at_us  # In the order of the last act.
        if len(self._sessions) > _KNOWN_PLAYERS:
            del self._sessions[next(iter(self._sessions))]
        return number
