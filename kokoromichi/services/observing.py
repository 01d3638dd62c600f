"""What players try, beside what the ledger holds of it: for whoever tunes the economy.

Noted are acts and refusals, stores that were shown, what purchases were made from, and the end of a session.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kokoromichi.core.clock import moment_of
from kokoromichi.core.errors import StorageError
from kokoromichi.core.models import SECOND_US
from kokoromichi.rules.acts import SESSION_GAP_S, act_name
from kokoromichi.services.receipts import (
    BattleReceipt,
    ExchangeReceipt,
    InvestReceipt,
    PurchaseReceipt,
    TrainReceipt,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeVar

    from kokoromichi.core.models import ChangeSet, Receipt, UserProfile
    from kokoromichi.services.executor import CommandExecutor

    K = TypeVar("K")
    V = TypeVar("V")

_LOG: Final = logging.getLogger(__name__)

_KNOWN_PLAYERS: Final = 50_000
"""Sessions that are kept in mind; whoever was quiet longest is ended first."""
_KNOWN_DECISIONS: Final = 1_000
"""Decisions that wait to be noted; those that nobody notes are forgotten by their age."""

QUIET: Final = "quiet"
CLOSED: Final = "closed"
"""How a session ended: by half an hour without a command, or because the bot closed."""


class _Standing(NamedTuple):
    """What a player's choices are made from; ``units`` in catalogue order."""

    gold: int
    level: int
    units: tuple[int, ...]


@dataclass(slots=True)
class _Session:
    """A session that has not ended: its number is the second of its first act, since the epoch."""

    number: int
    last_us: int
    economy_hash: str
    purchases: int = 0
    standing: _Standing | None = None


class ActivityService:
    """Notes rows of ``ACTIVITY_SCHEMA``; the provider buffers them, outside the promise.

    Args:
        executor: Where they are kept, and what tells the time and the economy in force.
        sampling: The share of players who are noted, 0 to 1: each is, with all their acts, or is not; by
            their id, so that every process and every restart choose the same.
    """

    def __init__(self, executor: CommandExecutor, sampling: float = 1.0) -> None:
        self._executor = executor
        self._below = round(sampling * 2**64)
        self._sessions: dict[str, _Session] = {}  # In the order of the last command.
        self._decided: dict[str, tuple[_Standing, _Standing]] = {}
        executor.watch = self._watch

    def is_noted(self, player_id: str) -> bool:
        """Whether a player is among those who are noted."""
        digest = hashlib.blake2b(player_id.encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") < self._below

    async def note(
        self, player_id: str, act: str, refusal_code: str | None = None, receipt: Receipt | None = None
    ) -> None:
        """Note one act of a player; storage that is away loses the note, and nothing else.

        A purchase is noted with its place among those of the session, what was bought, and the purse, the
        level and the units that it was made from.

        Args:
            player_id: Whose.
            act: What: a name in ``ACTS``, or that of the command.
            refusal_code: The code of the refusal; None where the act went through.
            receipt: What the act answered.
        """
        if not self.is_noted(player_id):
            return
        rows, session = self._continued(player_id)
        before, session.standing = self._decided.pop(player_id, (None, session.standing))
        row = self._row(player_id, session, act_name(act), outcome=_outcome(receipt), code=refusal_code)
        if isinstance(receipt, _PURCHASES):
            row |= {"slot": session.purchases, **_shown(before)}
            session.purchases += 1
        await self._append([*rows, row])

    async def note_shown(self, profile: UserProfile, category: str | None) -> None:
        """Note that a player was shown the store, and what they had to spend in it.

        Args:
            profile: The player as they are then; what they could afford follows from the prices in force.
            category: The only shelf that was shown; None for all.
        """
        if not self.is_noted(profile.user_id):
            return
        rows, session = self._continued(profile.user_id)
        session.standing = self._standing(profile)
        row = self._row(profile.user_id, session, "shown", outcome=category)
        await self._append([*rows, row | _shown(session.standing)])

    def prolong(self, player_id: str) -> None:
        """Any command prolongs its player's session, whatever it does; none but a noted one begins it."""
        session = self._sessions.get(player_id)
        now_us = self._executor.clock.now_us()
        if session is not None and _goes_on(session, now_us):
            session.last_us = now_us
            _put(self._sessions, player_id, session)

    async def end_quiet(self) -> None:
        """Note the end of every session that half an hour has passed without a command of."""
        await self._end([(*gone, QUIET) for gone in self._gone_quiet()])

    async def close(self) -> None:
        """Note the end of every session: the bot closes, and nobody will know how those not quiet went on."""
        over = [(*gone, QUIET) for gone in self._gone_quiet()]
        over += [(*open_still, CLOSED) for open_still in self._sessions.items()]
        self._sessions.clear()
        await self._end(over)

    def forget(self, player_id: str) -> None:
        """Keep nothing in mind of a player who is erased."""
        self._sessions.pop(player_id, None)
        self._decided.pop(player_id, None)

    def _gone_quiet(self) -> list[tuple[str, _Session]]:
        """The sessions that are over, out of mind at once: a command that comes now begins another one."""
        now_us = self._executor.clock.now_us()
        over = list(takewhile(lambda known: not _goes_on(known[1], now_us), self._sessions.items()))
        for player_id, _ in over:
            del self._sessions[player_id]
        return over

    async def _end(self, over: Sequence[tuple[str, _Session, str]]) -> None:
        """Note how sessions ended; nothing more is said of who was erased meanwhile, by whichever process.

        Who was refused throughout, and saw no store, saved all the same, from what they have now. Storage
        that is away is waited for once, and not by each of them.
        """
        rows = []
        for asked, (player_id, session, how) in enumerate(over):
            try:
                profile = await self._executor.provider.profile(player_id)
            except StorageError as failed:
                _LOG.warning("the end of %d sessions was not noted: %s", len(over) - asked, failed)
                break
            if profile is not None:
                session.standing = session.standing or self._standing(profile)
                rows.append(self._end_row(player_id, session, how))
        await self._append(rows)

    def _continued(self, player_id: str) -> tuple[list[dict[str, object]], _Session]:
        """A player's session at this moment, and the rows of what it ends."""
        now_us, rows = self._executor.clock.now_us(), []
        session = self._sessions.get(player_id)
        if session is None or not _goes_on(session, now_us):
            if session is not None:
                rows.append(self._end_row(player_id, session, QUIET))
            session = _Session(now_us // SECOND_US, now_us, "")
        session.last_us, session.economy_hash = now_us, self._executor.live.economy.hash
        _put(self._sessions, player_id, session)
        if len(self._sessions) > _KNOWN_PLAYERS:
            oldest = next(iter(self._sessions))
            rows.append(self._end_row(oldest, self._sessions.pop(oldest), QUIET))
        return rows, session

    def _end_row(self, player_id: str, session: _Session, how: str) -> dict[str, object]:
        row = self._row(player_id, session, "end", outcome=how)
        return row | {"slot": session.purchases, **_shown(session.standing)}

    @staticmethod
    def _row(
        player_id: str, session: _Session, act: str, outcome: str | None = None, code: str | None = None
    ) -> dict[str, object]:
        return {
            "user_id": player_id,
            "session": session.number,
            "at": moment_of(session.last_us),
            "act": act,
            "code": code,
            "slot": None,
            "outcome": outcome,
            "gold": None,
            "hold": None,
            "level": None,
            "units_held": None,
            "economy_hash": session.economy_hash,
        }

    async def _append(self, rows: Sequence[dict[str, object]]) -> None:
        if not rows:
            return
        try:
            await self._executor.provider.append_observations("activity", rows)
        except StorageError as failed:
            _LOG.warning("what a player did was not noted: %s", failed)

    def _standing(self, profile: UserProfile) -> _Standing:
        units = profile.inventory.get
        return _Standing(
            profile.gold, profile.level, tuple(units(item_id, 0) for item_id in self._executor.live.catalogue)
        )

    def _watch(self, profile: UserProfile, change: ChangeSet[Any]) -> None:
        """Keep what a decision saw and what it leaves, until its act is noted."""
        mine = next((user for user in change.users if user.user_id == profile.user_id), None)
        if mine is None or not self.is_noted(profile.user_id):
            return
        before = self._standing(profile)
        moved = dict.fromkeys(self._executor.live.catalogue, 0)
        gold = before.gold
        for movement in mine.movements:
            if movement.currency == "gold":
                gold += movement.amount
            if movement.item_id in moved:
                moved[movement.item_id] += movement.quantity
        level = (mine.fields or {}).get("level", before.level)
        assert isinstance(level, int)  # noqa: S101 - as the profile's field is
        units = tuple(held + more for held, more in zip(before.units, moved.values(), strict=True))
        _put(self._decided, profile.user_id, (before, _Standing(gold, level, units)))
        if len(self._decided) > _KNOWN_DECISIONS:
            del self._decided[next(iter(self._decided))]


_PURCHASES: Final = (PurchaseReceipt, TrainReceipt, ExchangeReceipt, InvestReceipt)
_SERVICES: Final[dict[type, str]] = {
    TrainReceipt: "train",
    ExchangeReceipt: "gems",
    InvestReceipt: "business",
}
"""What gold buys beside items, as a choice names it."""


def _outcome(receipt: Receipt | None) -> str | None:
    """What was bought, or how a battle ended."""
    if isinstance(receipt, PurchaseReceipt):
        return receipt.item_id
    if isinstance(receipt, BattleReceipt):
        return "won" if receipt.won else "lost"
    return _SERVICES.get(type(receipt))


def _shown(standing: _Standing | None) -> dict[str, object]:
    if standing is None:
        return {}
    return {"gold": standing.gold, "level": standing.level, "units_held": list(standing.units)}


def _goes_on(session: _Session, now_us: int) -> bool:
    """Whether a command at this moment still belongs to it; a clock that was set back begins another one."""
    return 0 <= now_us - session.last_us < SESSION_GAP_S * SECOND_US


def _put(known: dict[K, V], key: K, value: V) -> None:
    """Put something last."""
    known.pop(key, None)
    known[key] = value
