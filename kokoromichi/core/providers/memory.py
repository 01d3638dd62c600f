"""Everything in memory: for simulations and tests. Each commit is one synchronous step."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from copy import deepcopy
from itertools import islice
from typing import ClassVar, NoReturn

import polars as pl

from kokoromichi.core.clock import Clock, SystemClock
from kokoromichi.core.corrections import correction
from kokoromichi.core.data_provider import (
    AnswerT,
    DataProvider,
    Document,
    Stream,
    checked_id,
    checked_request_id,
    checked_section,
    checked_user_id,
)
from kokoromichi.core.errors import ConflictError, FloorError, KokoroError, MisuseError, RequestMismatchError
from kokoromichi.core.kinds import CURRENCIES, SYSTEM
from kokoromichi.core.models import (
    SET_FIELDS,
    ChangeSet,
    CounterChange,
    FieldValue,
    LedgerEntry,
    Movement,
    Receipt,
    UserProfile,
)
from kokoromichi.core.providers.packed_ledger import (
    CURRENCY_CODES,
    KIND_CODES,
    NOTHING,
    ROW_BYTES,
    PackedLedger,
    TxNote,
)


class MemoryProvider(DataProvider):
    """Profiles in dictionaries, the ledger packed; durable as long as the process lives."""

    name: ClassVar[str] = "memory"

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._profiles: dict[str, UserProfile] = {}
        self._states: dict[str, dict[str, FieldValue]] = {}  # The profiles' own fields, to write them in place.
        self._counters: dict[str, int] = {}
        self._answers: dict[str, tuple[str, Receipt]] = {}
        self._sections: dict[str, Document] = {}
        self._observations: dict[Stream, list[Mapping[str, object]]] = {"activity": [], "economy_history": []}
        self._ledger = PackedLedger()
        self._tx = 0
        self.cached = self._profiles.get

    async def profile(self, user_id: str) -> UserProfile | None:
        """The committed state of a player, or None."""
        return self._profiles.get(user_id)

    async def user_ids(self) -> list[str]:
        """Every player's id, ascending."""
        return sorted(self._profiles)

    async def counters(self) -> dict[str, int]:
        """Every counter by name, ascending."""
        return dict(sorted(self._counters.items()))

    async def recall(self, request_id: str, digest: str) -> Receipt | None:
        """What a request id was answered, or None."""
        remembered = self._answers.get(checked_request_id(request_id))
        if remembered is None:
            return None
        if remembered[0] != digest:
            raise RequestMismatchError(request_id)
        return remembered[1]

    async def apply(self, change: ChangeSet[AnswerT]) -> AnswerT:
        """Store a change whole, or raise and store nothing; see ``DataProvider.apply``."""
        request_id = change.request_id
        if request_id is not None and (answer := await self.recall(request_id, change.digest)) is not None:
            return answer  # type: ignore[return-value] # The digest says that it is of this act.
        if change.counters:
            self._check_counters(change.counters)
        self._tx += 1
        mark = len(self._ledger.rows)
        try:
            self._move(change)
        except KokoroError:
            self._undo(mark)
            raise
        except KeyError as unknown:
            self._undo(mark)
            message = f"{unknown} is no kind of ledger row and no currency"
            raise MisuseError(message) from None
        for user in change.users:
            state = self._states[user.user_id]
            state["version"] = user.version + 1
            if user.fields is not None:
                state.update(user.fields)
        for counter in change.counters:
            self._counters[counter.name] = self._counters.get(counter.name, 0) + counter.delta
        if request_id is not None:
            self._answers[request_id] = change.digest, change.answer
        if request_id is not None or change.actor is not None or change.system or len(change.users) > 1:
            self._note(change, mark)
        return change.answer

    def _move(self, change: ChangeSet[AnswerT]) -> None:
        """Check and move user by user; what was packed before a failure is what ``_undo`` takes back."""
        ledger = self._ledger
        names = ledger.names
        pack = ledger.pack
        tx, at_us = self._tx, change.at_us
        for user in change.users:
            user_id = user.user_id
            state = self._states.get(user_id) or self._create(user_id)
            if state["version"] != user.version:
                message = f"player {user_id} has version {state['version']}, not {user.version}"
                raise ConflictError(message)
            if user.fields is not None and not user.fields.keys() <= SET_FIELDS:
                message = f"{sorted(user.fields.keys() - SET_FIELDS)} of player {user_id} cannot be set"
                raise MisuseError(message)
            number = names[user_id]
            for movement in user.movements:
                currency = movement.currency
                if currency is not None:
                    after: int = state[currency] + movement.amount  # type: ignore[operator] # A balance.
                    if after != movement.balance_after or after < 0:
                        self._misfit(user_id, movement)
                    state[currency] = after
                item_id = movement.item_id
                if item_id is not None:
                    inventory: dict[str, int] = state["inventory"]  # type: ignore[assignment]
                    held = inventory.get(item_id, 0) + movement.quantity
                    if held > 0:
                        inventory[item_id] = held
                    elif held == 0:
                        inventory.pop(item_id, None)
                    else:
                        self._misfit(user_id, movement)
                    if item_id not in names:
                        ledger.code(item_id)
                ledger.rows += pack(
                    tx,
                    at_us,
                    KIND_CODES[movement.kind],
                    number,
                    CURRENCY_CODES[currency],
                    movement.amount,
                    movement.balance_after,
                    names[item_id],
                    movement.quantity,
                )
        for movement in change.system:
            item = NOTHING if movement.item_id is None else ledger.code(movement.item_id)
            kind = KIND_CODES[movement.kind]
            ledger.rows += pack(tx, at_us, kind, ledger.code(SYSTEM), NOTHING, 0, 0, item, movement.quantity)

    def _create(self, user_id: str) -> dict[str, FieldValue]:
        profile = UserProfile(user_id=checked_user_id(user_id))
        self._profiles[user_id] = profile
        self._states[user_id] = profile.__dict__
        self._ledger.code(user_id)
        return profile.__dict__

    def _misfit(self, user_id: str, movement: Movement) -> NoReturn:
        state = self._states[user_id]
        held = state.get(movement.currency or "", 0)
        message = (
            f"a {movement.kind} row of player {user_id} does not fit: "
            f"{movement.currency} {held} {movement.amount:+} is not {movement.balance_after}, "
            f"or {movement.item_id} {movement.quantity:+} is more than is held"
        )
        raise MisuseError(message)

    def _undo(self, mark: int) -> None:
        """Move back what this commit has packed behind ``mark``: its rows are its own undo log."""
        names = list(self._ledger.names)[1:]
        for row in self._ledger.cut(mark):
            state = self._states.get(names[row.user] or "")
            if state is None:
                continue  # The system holds nothing.
            if row.currency != NOTHING:
                state[CURRENCIES[row.currency]] = row.balance_after - row.amount
            if row.item != NOTHING:
                inventory: dict[str, int] = state["inventory"]  # type: ignore[assignment]
                item_id = names[row.item] or ""
                held = inventory.pop(item_id, 0) - row.quantity
                if held:
                    inventory[item_id] = held
        self._tx -= 1
        for user_id in [user_id for user_id, state in self._states.items() if state["version"] == 0]:
            del self._profiles[user_id], self._states[user_id]

    def _check_counters(self, changes: Sequence[CounterChange]) -> None:
        for change in changes:
            if change.creates == (change.name in self._counters):
                message = f"counter {change.name} {'exists already' if change.creates else 'does not exist'}"
                raise ConflictError(message)
            available = self._counters.get(change.name, 0)
            if available + change.delta < 0:
                raise FloorError(change.name, available)

    def _note(self, change: ChangeSet[AnswerT], mark: int) -> None:
        first = len(self._ledger) - (len(self._ledger.rows) - mark) // ROW_BYTES
        movements = [movement for user in change.users for movement in user.movements]
        counterparties = {
            first + place: movement.counterparty
            for place, movement in enumerate(movements)
            if movement.counterparty is not None
        }
        actor = change.actor or (change.users[0].user_id if change.users else SYSTEM)
        self._ledger.notes[self._tx] = TxNote(change.request_id, actor, change.reason, counterparties)

    async def read_ledger(
        self,
        *,
        book: str | None = None,
        user_id: str | None = None,
        kind: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> list[LedgerEntry]:
        """A page of ledger rows, newest first; see ``DataProvider.read_ledger``."""
        wanted = (
            entry
            for entry in self._ledger.newest_first()
            if (book is None or entry.book == book)
            and (user_id is None or entry.user_id == user_id)
            and (kind is None or entry.kind == kind)
            and (before is None or entry.entry_id < before)
        )
        return list(islice(wanted, max(1, min(limit, 1_000))))

    async def ledger_frames(self) -> AsyncIterator[pl.DataFrame]:
        """The whole ledger, oldest first, in frames of at most 131,072 rows."""
        for frame in self._ledger.frames():
            yield frame

    async def append_observations(self, stream: Stream, rows: Sequence[Mapping[str, object]]) -> None:
        """Keep rows of a stream's schema."""
        self._observations[stream].extend(rows)

    def observations(self, stream: Stream) -> Sequence[Mapping[str, object]]:
        """The rows that were kept of a stream, in their order."""
        return self._observations[stream]

    async def get_user(self, user_id: str) -> Document | None:
        """A player as a document of his own, or None."""
        profile = self._profiles.get(checked_user_id(user_id))
        return None if profile is None else profile.document()

    async def save_user(self, user_id: str, document: Document) -> None:
        """Store a player's document; see ``DataProvider.save_user``."""
        stored = self._profiles.get(checked_user_id(user_id))
        change, unknown = correction(stored, user_id, document, self._clock.now_us())
        await self.apply(change)
        self._profiles[user_id].unknown.update(unknown)

    async def get_game_data(self, section: str) -> Document | None:
        """A section's document, a copy of its own, or None."""
        return deepcopy(self._sections.get(checked_id(section, "section")))

    async def save_game_data(self, section: str, document: Document) -> None:
        """Store a section's document."""
        self._sections[checked_section(section)] = deepcopy(document)
