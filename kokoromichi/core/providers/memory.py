"""Everything in memory: for simulations and tests. Each commit is one synchronous step."""

from __future__ import annotations

import struct
from contextlib import asynccontextmanager
from copy import copy, deepcopy
from itertools import chain, islice
from typing import TYPE_CHECKING, ClassVar, Final

from kokoromichi.core.bulk_load import Batch, StoredResponse
from kokoromichi.core.clock import Clock, SystemClock
from kokoromichi.core.counters import counters_after
from kokoromichi.core.data_provider import DataProvider, Stream
from kokoromichi.core.documents import Document, check_batch, check_unknown, checked_document
from kokoromichi.core.errors import ConflictError, KokoroError, MisuseError, RequestMismatchError
from kokoromichi.core.kinds import CURRENCIES, SYSTEM
from kokoromichi.core.models import (
    NEVER,
    SET_FIELDS,
    AnswerT,
    ChangeSet,
    LedgerEntry,
    Receipt,
    UserChange,
    UserProfile,
    richest_first,
)
from kokoromichi.core.providers.packed_ledger import (
    CURRENCY_CODES,
    KIND_CODES,
    NULL,
    PACK,
    PackedLedger,
    PackedRow,
    TxNote,
)
from kokoromichi.core.reader import observed_frame
from kokoromichi.core.validation import (
    FORGOTTEN,
    check_change,
    checked_id,
    checked_pseudonym,
    checked_request_id,
    checked_section,
    checked_user_id,
    incomplete_movement,
    wrong_fields,
    wrong_movement,
    wrong_version,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    import polars as pl

    from kokoromichi.core.reader import Reader, Wanted

_UNFIT: Final = (KokoroError, KeyError, struct.error)
"""What a change that cannot be stored is met with: no such kind or currency, a number of 65 bits."""


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
        self.profile_now = self._profiles.get

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Reader]:
        """Everything as it stands at one moment: a copy."""
        seen = copy(self)
        seen._profiles, seen._ledger = deepcopy((self._profiles, self._ledger))  # noqa: SLF001 - of our own kind
        seen._counters, seen._answers = dict(self._counters), dict(self._answers)  # noqa: SLF001
        seen._observations = {stream: [*rows] for stream, rows in self._observations.items()}  # noqa: SLF001
        seen._sections = dict(self._sections)  # noqa: SLF001 - a section is replaced, and never changed
        yield seen

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

    async def get_response(self, request_id: str, digest: str) -> Receipt | None:
        """The receipt of a request id, or None."""
        return self._recall(request_id, digest)

    def _recall(self, request_id: str, digest: str) -> Receipt | None:
        stored = self._answers.get(checked_request_id(request_id))
        if stored is None:
            return None
        if stored[0] != digest or stored[1] is None:
            raise RequestMismatchError(request_id)
        return stored[1]

    async def apply(self, change: ChangeSet[AnswerT]) -> AnswerT:
        """Store a change whole, or raise and store nothing; see ``DataProvider.apply``."""
        request_id = change.request_id
        if request_id is not None and (answer := self._recall(request_id, change.digest)) is not None:
            return answer  # type: ignore[return-value] # The digest says that it is of this act.
        check_change(change)
        check_unknown(change)
        counters = counters_after(self._counters.get, change.counters)
        first, tx = len(self._ledger), self._tx + 1
        try:
            moved = [self._move(user, change.at_us, tx) for user in change.users]
            self._pack_system(change, tx)
        except _UNFIT as error:
            raise self._undone(tx, error) from None
        self._tx = tx
        for user, profile in zip(change.users, moved, strict=True):
            _write_fields(user, profile)
            if user.unknown:
                profile.unknown.update(user.unknown)
        self._counters.update(counters)
        self._keep_rest(change, first)
        return change.answer

    def apply_now(self, change: ChangeSet[AnswerT]) -> AnswerT:
        """``apply`` of what one player does alone and without a request id, as a plain function."""
        (user,), tx = change.users, self._tx + 1
        counters = counters_after(self._counters.get, change.counters) if change.counters else None
        try:
            profile = self._move(user, change.at_us, tx)
        except _UNFIT as error:
            raise self._undone(tx, error) from None
        self._tx = tx
        _write_fields(user, profile)
        if counters is not None:
            self._counters.update(counters)
        return change.answer

    def _move(self, user: UserChange, at_us: int, tx: int) -> UserProfile:  # noqa: C901, PLR0912 - the hottest loop of all
        """Check, pack, then write, row by row: ``_undone`` moves back what was packed before a failure."""
        user_id = user.user_id
        try:
            profile = self._profiles[user_id]
        except KeyError:
            profile = self._create(user_id)
        if profile.version != user.version:
            raise wrong_version(user, profile.version)
        if user.fields is not None and not SET_FIELDS.issuperset(user.fields):
            raise wrong_fields(user, user.fields)
        ledger = self._ledger
        rows, names, inventory = ledger.rows, ledger.names, profile.inventory
        for movement in user.movements:
            currency, amount, after = movement.currency, movement.amount, movement.balance_after
            item_id, quantity, item = movement.item_id, movement.quantity, NULL
            if currency is not None:
                before = profile.gold if currency == "gold" else profile.gems
                if before + amount != after or after < 0:
                    raise wrong_movement(movement, user_id, before)
            elif amount or after:
                raise incomplete_movement(movement)
            if item_id is not None:
                held = inventory.get(item_id, 0) + quantity
                if held < 0:
                    raise wrong_movement(movement, user_id, getattr(profile, currency or "", 0))
                item = names[item_id] if item_id in names else ledger.code(item_id)
            elif quantity:
                raise incomplete_movement(movement)
            kind, money = KIND_CODES[movement.kind], CURRENCY_CODES[currency]
            rows += PACK(tx, at_us, kind, names[user_id], money, amount, after, item, quantity)
            if currency == "gold":
                profile.gold = after
            elif currency is not None:
                profile.gems = after
            if item_id is not None:
                if held:
                    inventory[item_id] = held
                else:
                    inventory.pop(item_id, None)
        return profile

    def _pack_system(self, change: ChangeSet[AnswerT], tx: int) -> None:
        """The system's rows: they move no balance and no inventory."""
        ledger, system = self._ledger, self._ledger.code(SYSTEM)
        for movement in change.system:
            item = NULL if movement.item_id is None else ledger.code(movement.item_id)
            kind = KIND_CODES[movement.kind]
            row = PackedRow(tx, change.at_us, kind, system, NULL, 0, 0, item, movement.quantity)
            ledger.append(row)

    def _keep_rest(self, change: ChangeSet[AnswerT], first: int) -> None:
        """The receipt to remember, and what the rows of a change, numbered from ``first``, do not say."""
        if change.request_id is not None:
            self._answers[change.request_id] = change.digest, change.answer
        counterparties = {
            first + place: movement.counterparty
            for place, movement in enumerate(chain.from_iterable(user.movements for user in change.users))
            if movement.counterparty is not None
        }
        actor = change.actor or (change.users[0].user_id if change.users else SYSTEM)
        self._ledger.notes[self._tx] = TxNote(change.request_id, actor, change.reason, counterparties)

    def _create(self, user_id: str) -> UserProfile:
        profile = UserProfile(user_id=checked_user_id(user_id))
        self._profiles[user_id] = profile
        self._ledger.code(user_id)
        return profile

    def _undone(self, tx: int, error: Exception) -> KokoroError:
        """Move back what a commit has packed, its own undo log, and answer what to raise."""
        names = list(self._ledger.names)[1:]
        for row in self._ledger.cut(tx):
            profile = self._profiles.get(names[row.user] or "")
            if profile is None:
                continue  # The system holds nothing.
            if row.currency != NULL:
                setattr(profile, CURRENCIES[row.currency], row.balance_after - row.amount)
            if row.item != NULL:
                item_id = names[row.item] or ""
                held = profile.inventory.pop(item_id, 0) - row.quantity
                if held:
                    profile.inventory[item_id] = held
        for user_id in [user_id for user_id, profile in self._profiles.items() if not profile.version]:
            del self._profiles[user_id]
        if isinstance(error, KokoroError):
            return error
        return MisuseError(
            f"a row needs a known kind, a known currency and whole numbers of 64 bits: {error}"
        )

    async def _page(self, wanted: Wanted, rows: int) -> list[LedgerEntry]:
        found = (
            entry
            for entry in self._ledger.newest_first()
            if wanted.book in (None, entry.book)
            and wanted.user_id in (None, entry.user_id)
            and wanted.kind in (None, entry.kind)
            and (wanted.before is None or entry.entry_id < wanted.before)
        )
        return list(islice(found, rows))

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
            if request_id in touched or (answer is not None and quoted in answer.encoded()):
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

    async def observation_frames(self, stream: Stream) -> AsyncIterator[pl.DataFrame]:
        """What was observed, oldest first, in one frame."""
        yield observed_frame(stream, self._observations[stream])

    async def get_game_data(self, section: str) -> Document | None:
        """A section's document, a copy of its own, or None."""
        return deepcopy(self._sections.get(checked_id(section, "section")))

    async def save_game_data(self, section: str, data: Document) -> None:
        """Store a section's document."""
        checked_document(data, f"section {checked_section(section)}")
        self._sections[section] = deepcopy(data)

    async def sections(self) -> list[str]:
        """Every stored section's name, ascending."""
        return sorted(self._sections)

    async def stored_responses(self) -> AsyncIterator[StoredResponse]:
        """Every request id of a caller with its receipt."""
        for request_id, (digest, answer) in self._answers.items():
            if answer is None:
                continue
            yield StoredResponse(request_id, digest, answer.encoded(), NEVER)

    async def load(self, batch: Batch) -> None:
        """Store a part of another store; rows are numbered anew. See ``DataProvider.load``."""
        check_batch(batch)
        for snapshot in batch.users:
            user_id = snapshot.profile.user_id
            stored = self._profiles.get(user_id)
            if (stored.version if stored else 0) != snapshot.expected_version:
                message = f"player {user_id} is not of version {snapshot.expected_version}"
                raise ConflictError(message)
        answers = {
            asked.request_id: (asked.digest, Receipt.decoded(asked.answer)) for asked in batch.requests
        }
        for request_id, (digest, _answer) in answers.items():
            self._recall(request_id, digest)
        for snapshot in batch.users:
            self._profiles[snapshot.profile.user_id] = deepcopy(snapshot.profile)
            self._ledger.code(snapshot.profile.user_id)
        if batch.rows is not None:
            self._tx = self._ledger.load(batch.rows, self._tx)
        self._counters.update(batch.counters)
        self._answers = answers | self._answers
        self._sections.update({name: deepcopy(dict(section)) for name, section in batch.sections.items()})  # type: ignore[arg-type] # JSON, as it was read.


def _write_fields(user: UserChange, profile: UserProfile) -> None:
    profile.version += 1
    for name, value in (user.fields or {}).items():
        setattr(profile, name, value)
