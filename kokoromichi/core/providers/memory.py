"""Everything in memory: for simulations and tests. Each commit is one synchronous step."""

from __future__ import annotations

import struct
from copy import deepcopy
from itertools import islice
from typing import TYPE_CHECKING, ClassVar

from kokoromichi.core.answers import decode_answer, encode_answer
from kokoromichi.core.clock import Clock, SystemClock
from kokoromichi.core.corrections import correction
from kokoromichi.core.counters import check_counters
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
from kokoromichi.core.erasing import FORGOTTEN, checked_pseudonym
from kokoromichi.core.errors import ConflictError, KokoroError, MisuseError, RequestMismatchError
from kokoromichi.core.kinds import CURRENCIES, SYSTEM
from kokoromichi.core.misfits import half_row, refuse_twins, wrong_fields, wrong_movement, wrong_version
from kokoromichi.core.models import (
    NEVER,
    SET_FIELDS,
    ChangeSet,
    LedgerEntry,
    Receipt,
    UserProfile,
    richest_first,
)
from kokoromichi.core.portions import Portion, Remembered
from kokoromichi.core.providers.packed_ledger import (
    CURRENCY_CODES,
    KIND_CODES,
    NOTHING,
    PACK_INTO,
    ROW_BYTES,
    PackedLedger,
    PackedRow,
    TxNote,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    import polars as pl


class MemoryProvider(DataProvider):
    """Profiles in dictionaries, the ledger packed; durable as long as the process lives."""

    name: ClassVar[str] = "memory"

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._profiles: dict[str, UserProfile] = {}
        self._counters: dict[str, int] = {}
        self._answers: dict[str, tuple[str, Receipt | None]] = {}
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

    async def balances(self) -> list[tuple[str, int]]:
        """Every player's id and gold, the richest first."""
        return richest_first((user_id, profile.gold) for user_id, profile in self._profiles.items())

    async def counters(self) -> dict[str, int]:
        """Every counter by name, ascending."""
        return dict(sorted(self._counters.items()))

    async def recall(self, request_id: str, digest: str) -> Receipt | None:
        """What a request id was answered, or None."""
        return self._recall(request_id, digest)

    def _recall(self, request_id: str, digest: str) -> Receipt | None:
        remembered = self._answers.get(checked_request_id(request_id))
        if remembered is None:
            return None
        if remembered[0] != digest or remembered[1] is None:
            raise RequestMismatchError(request_id)
        return remembered[1]

    async def apply(self, change: ChangeSet[AnswerT]) -> AnswerT:
        """Store a change whole, or raise and store nothing; see ``DataProvider.apply``."""
        return self.apply_now(change)

    def apply_now(self, change: ChangeSet[AnswerT]) -> AnswerT:
        """``apply``, which waits for nothing here."""
        request_id = change.request_id
        if request_id is not None and (answer := self._recall(request_id, change.digest)) is not None:
            return answer  # type: ignore[return-value] # The digest says that it is of this act.
        if change.counters:
            check_counters(self._counters, change.counters)
        mark = self._ledger.end
        self._tx += 1
        try:
            self._move(change)
            if change.system:
                self._pack_system(change)
        except KokoroError:
            self._undo(mark)
            raise
        except (KeyError, struct.error) as unknown:
            self._undo(mark)
            message = f"a row needs a known kind, a known currency and whole numbers of 64 bits: {unknown}"
            raise MisuseError(message) from None
        for user in change.users:
            profile = self._profiles[user.user_id]
            profile.version += 1
            if user.fields is not None:
                for name, value in user.fields.items():
                    setattr(profile, name, value)
        if (
            request_id is not None
            or change.actor is not None
            or change.reason is not None
            or change.counters
            or len(change.users) != 1
        ):
            self._keep_rest(change, mark)
        return change.answer

    def _move(self, change: ChangeSet[AnswerT]) -> None:  # noqa: C901, PLR0912 - the hottest loop of all
        """Check, pack, then write, row by row: ``_undo`` moves back what was packed before a failure."""
        profiles, ledger, tx, at_us = self._profiles, self._ledger, self._tx, change.at_us
        names, buffer, end = ledger.names, ledger.buffer, ledger.end
        if len(change.users) > 1:
            refuse_twins(change.users)
        for user in change.users:
            user_id = user.user_id
            profile = profiles.get(user_id)
            if profile is None:
                profile = self._create(user_id)
            if profile.version != user.version:
                raise wrong_version(user, profile.version)
            if user.fields is not None and not SET_FIELDS.issuperset(user.fields):
                raise wrong_fields(user, user.fields)
            number, inventory = names[user_id], profile.inventory
            for movement in user.movements:
                currency, amount, after = movement.currency, movement.amount, movement.balance_after
                item_id, quantity = movement.item_id, movement.quantity
                kind, money, item = KIND_CODES[movement.kind], CURRENCY_CODES[currency], NOTHING
                if currency is not None:
                    before = profile.gold if currency == "gold" else profile.gems
                    if after < 0 or before + amount != after:
                        raise wrong_movement(movement, user_id, before)
                elif amount or after:
                    raise half_row(movement)
                if item_id is not None:
                    held = inventory.get(item_id, 0) + quantity
                    if held < 0:
                        raise wrong_movement(movement, user_id, getattr(profile, currency or "", 0))
                    item = names[item_id] if item_id in names else ledger.code(item_id)
                elif quantity:
                    raise half_row(movement)
                if end + ROW_BYTES > len(buffer):
                    ledger.grow()
                PACK_INTO(buffer, end, tx, at_us, kind, number, money, amount, after, item, quantity)
                ledger.end = end = end + ROW_BYTES  # From here on ``_undo`` knows of it.
                if currency == "gold":
                    profile.gold = after
                elif currency is not None:
                    profile.gems = after
                if item_id is not None:
                    if held:
                        inventory[item_id] = held
                    else:
                        inventory.pop(item_id, None)

    def _pack_system(self, change: ChangeSet[AnswerT]) -> None:
        """The system's rows: they move no balance and no inventory."""
        ledger, system = self._ledger, self._ledger.code(SYSTEM)
        for movement in change.system:
            if movement.is_half:
                raise half_row(movement)
            item = NOTHING if movement.item_id is None else ledger.code(movement.item_id)
            kind = KIND_CODES[movement.kind]
            row = PackedRow(self._tx, change.at_us, kind, system, NOTHING, 0, 0, item, movement.quantity)
            ledger.append(row)

    def _keep_rest(self, change: ChangeSet[AnswerT], mark: int) -> None:
        """Counters, the remembered answer and the notes: what few changes have."""
        for counter in change.counters:
            self._counters[counter.name] = self._counters.get(counter.name, 0) + counter.delta
        if change.request_id is not None:
            self._answers[change.request_id] = change.digest, change.answer
        first = mark // ROW_BYTES
        movements = [movement for user in change.users for movement in user.movements]
        counterparties = {
            first + place: movement.counterparty
            for place, movement in enumerate(movements)
            if movement.counterparty is not None
        }
        actor = change.actor or (change.users[0].user_id if change.users else SYSTEM)
        self._ledger.notes[self._tx] = TxNote(change.request_id, actor, change.reason, counterparties)

    def _create(self, user_id: str) -> UserProfile:
        profile = UserProfile(user_id=checked_user_id(user_id))
        self._profiles[user_id] = profile
        self._ledger.code(user_id)
        return profile

    def _undo(self, mark: int) -> None:
        """Move back what this commit has packed behind ``mark``: its rows are its own undo log."""
        names = list(self._ledger.names)[1:]
        for row in self._ledger.cut(mark):
            profile = self._profiles.get(names[row.user] or "")
            if profile is None:
                continue  # The system holds nothing.
            if row.currency != NOTHING:
                setattr(profile, CURRENCIES[row.currency], row.balance_after - row.amount)
            if row.item != NOTHING:
                item_id = names[row.item] or ""
                held = profile.inventory.pop(item_id, 0) - row.quantity
                if held:
                    profile.inventory[item_id] = held
        self._tx -= 1
        for user_id in [user_id for user_id, profile in self._profiles.items() if not profile.version]:
            del self._profiles[user_id]

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

    async def ledger_frames(self, user_ids: Collection[str] | None = None) -> AsyncIterator[pl.DataFrame]:
        """Rows, oldest first, in frames of at most 131,072 rows."""
        for frame in self._ledger.frames():
            yield frame if user_ids is None else frame.filter(frame["user_id"].is_in(list(user_ids)))

    async def ledger_rows(self) -> int:
        """How many rows the ledger has."""
        return len(self._ledger)

    async def erase(self, user_id: str, pseudonym: str) -> None:
        """Put a pseudonym in the place of a player's id; see ``DataProvider.erase``."""
        checked_pseudonym(user_id, pseudonym)
        if pseudonym in self._profiles:
            return
        touched = self._ledger.erase(user_id, pseudonym)
        if (profile := self._profiles.pop(user_id, None)) is not None:
            profile.user_id, profile.name = pseudonym, ""
            profile.unknown.clear()
            self._profiles[pseudonym] = profile
        quoted = f'"{user_id}"'.encode()
        for request_id, (_digest, answer) in self._answers.items():
            if request_id in touched or (answer is not None and quoted in encode_answer(answer)):
                self._answers[request_id] = FORGOTTEN, None
        self._observations["activity"] = [
            {**row, "user_id": pseudonym} if row["user_id"] == user_id else row
            for row in self._observations["activity"]
        ]

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

    async def sections(self) -> list[str]:
        """Every stored section's name, ascending."""
        return sorted(self._sections)

    async def remembered(self) -> AsyncIterator[Remembered]:
        """Every request id of a caller with its answer."""
        for request_id, (digest, answer) in self._answers.items():
            if answer is None:
                continue
            yield Remembered(request_id, digest, encode_answer(answer), NEVER)

    async def load(self, portion: Portion) -> None:
        """Store a part of another store; rows are numbered anew. See ``DataProvider.load``."""
        for placed in portion.users:
            user_id = checked_user_id(placed.profile.user_id)
            stored = self._profiles.get(user_id)
            if (stored.version if stored else 0) != placed.expected_version:
                message = f"player {user_id} is not of version {placed.expected_version}"
                raise ConflictError(message)
        answers = {
            asked.request_id: (asked.digest, decode_answer(asked.answer)) for asked in portion.requests
        }
        for request_id, (digest, _answer) in answers.items():
            self._recall(request_id, digest)
        for placed in portion.users:
            self._profiles[placed.profile.user_id] = deepcopy(placed.profile)
            self._ledger.code(placed.profile.user_id)
        if portion.rows is not None:
            self._tx = self._ledger.load(portion.rows, self._tx)
        self._counters.update(portion.counters)
        self._answers = answers | self._answers
        self._sections.update({name: deepcopy(dict(section)) for name, section in portion.sections.items()})  # type: ignore[arg-type] # JSON, as it was read.
