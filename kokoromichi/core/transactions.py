"""The unit of work: an overlay over one or several players, stored whole by ``commit()`` or not at all."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Literal

from kokoromichi.core.clock import Clock, SystemClock
from kokoromichi.core.errors import CommitUnknownError, MisuseError
from kokoromichi.core.models import (
    ChangeSet,
    CounterChange,
    FieldValue,
    Movement,
    Receipt,
    UserProfile,
)
from kokoromichi.core.overlay import Overlay
from kokoromichi.core.validation import (
    ENTRY_FIELDS,
    checked_request_id,
    checked_user_id,
    digest_of,
    entry_fault,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator
    from types import TracebackType

    from typing_extensions import Self

    from kokoromichi.core.data_provider import DataProvider

State = Literal["new", "active", "committed", "rolled back", "unknown"]


class Committed(Receipt, frozen=True, gc=False, tag="Committed"):
    """A unit of work was stored.

    Attributes:
        gold: Balance of the first player afterwards, in gold.
        gems: Balance of the first player afterwards, in gems.
    """

    gold: int
    gems: int


class _Done:
    """What is done already, for whoever awaits it."""

    def __await__(self) -> Generator[None, None, None]:
        yield from ()


class Transaction:
    """Read, change and book; then ``commit()`` stores all of it in one step, or raises and stores nothing.

    Every change of gold, gems or an item needs its ledger row: ``incr`` and ``decr`` without an entry do not
    commit. Leaving ``async with`` after changes that were neither committed nor rolled back discards them and
    raises, so that a forgotten ``commit()`` is no silent loss.

    A ``commit()`` that was cut off, or that raised ``CommitUnknownError``, leaves it "unknown": it may be
    stored. Then only ``commit()`` is allowed, which asks again with the same request id.

    Args:
        provider: Where it is stored.
        user_ids: The players it may touch, at least one; the first is the default of every call.
        clock: What stamps its rows.
        operation: What it does, in a word: a request id that comes again must come for the same changes.
        request_id: Idempotency key: the same id again has one effect and gives the first receipt; drawn
            unless given.
        actor: Who asks; the first player unless given.
        reason: An admin's reason.
    """

    def __init__(
        self,
        provider: DataProvider,
        *user_ids: str | int,
        clock: Clock | None = None,
        operation: str = "transaction",
        request_id: str | None = None,
        actor: str | None = None,
        reason: str | None = None,
    ) -> None:
        if not user_ids:
            message = "a transaction needs at least one player: Transaction(provider, user_id)"
            raise MisuseError(message)
        self._provider = provider
        self._user_ids = list(dict.fromkeys(checked_user_id(user_id) for user_id in user_ids))
        self._clock = clock or SystemClock()
        self.request_id = _drawn() if request_id is None else checked_request_id(request_id)
        self._operation = operation
        self._actor = actor
        self._reason = reason
        self._state: State = "new"
        self._overlays: dict[str, Overlay] = {}
        self._counters: Counter[str] = Counter()
        self._asked: list[tuple[object, ...]] = []
        self._change: ChangeSet[Committed] | None = None

    @property
    def state(self) -> State:
        """Where it stands: new, active, committed, rolled back, or unknown (see the class)."""
        return self._state

    async def begin(self) -> Self:
        """Read the players.

        Raises:
            MisuseError: It was begun before.
        """
        if self._state != "new":
            raise self._misuse("begin() came twice" if self._state == "active" else self._standing)
        for user_id in self._user_ids:
            stored = await self._provider.profile(user_id)
            # A copy: what others commit meanwhile is met at our commit, not in the middle of a decision.
            read = UserProfile(user_id=user_id) if stored is None else deepcopy(stored)
            self._overlays[user_id] = Overlay(read, self._misuse)
        self._state = "active"
        return self

    async def __aenter__(self) -> Self:
        """Begin."""
        return await self.begin()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Roll back what was not committed; say so where nobody else is speaking.

        Raises:
            MisuseError: Changes were left without ``commit()`` or ``rollback()``, or with an unknown outcome.
        """
        if self._state == "unknown" and error is None:
            raise self._misuse(self._standing)
        if self._state == "active":
            self.rollback()
            if self._asked and error is None:
                raise self._misuse("changes were left without commit(); they are rolled back")

    def get(self, key: str, user_id: str | int | None = None) -> FieldValue:
        """A field's value as changed so far; dictionaries are copies.

        Raises:
            MisuseError: It is not active, or the profile has no such field.
        """
        return self._overlays[self._owner(user_id)].get(key)

    def set(self, key: str, value: FieldValue, user_id: str | int | None = None) -> None:
        """Set a field; money takes the change, with its row, through ``incr`` and ``decr``.

        Raises:
            MisuseError: It is not active, there is no such field, or it may not be set.
        """
        owner = self._owner(user_id)
        self._overlays[owner].set(key, value)
        said = sorted(value.items(), key=repr) if isinstance(value, dict) else value
        self._asked.append(("set", owner, key, said))

    def incr(self, key: str, amount: int, user_id: str | int | None = None) -> int:
        """Add to a whole number; ``key`` may be ``inventory.<item_id>``. Answers the new value.

        Raises:
            MisuseError: The field holds no whole number, the amount is none or negative, or the result is.
        """
        if self._whole(key, amount) < 0:
            raise self._misuse(f"incr({key!r}, {amount}): the amount is negative; use decr")
        return self._add(key, amount, user_id)

    def decr(self, key: str, amount: int, user_id: str | int | None = None) -> int:
        """Subtract from a whole number; see ``incr``."""
        if self._whole(key, amount) < 0:
            raise self._misuse(f"decr({key!r}, {amount}): the amount is negative; use incr")
        return self._add(key, -amount, user_id)

    def _whole(self, key: str, amount: int) -> int:
        if type(amount) is not int:
            raise self._misuse(f"{key!r} moves by whole numbers, not by {amount!r}")
        return amount

    def _add(self, key: str, change: int, user_id: str | int | None) -> int:
        owner = self._owner(user_id)
        result = self._overlays[owner].add(key, change)
        self._asked.append(("add", owner, key, change))
        return result

    def add_ledger_entry(
        self,
        entry: str | Mapping[str, object],
        *,
        currency: str | None = None,
        amount: int = 0,
        item_id: str | None = None,
        quantity: int = 0,
        counterparty: str | None = None,
        user_id: str | int | None = None,
    ) -> None:
        """Queue the row of a change; its ``balance_after`` is computed at the commit.

        Args:
            entry: The row's kind, or the whole row as one mapping: ``kind`` and the keywords that it needs.
            currency: ``gold``, ``gems``, or None where only items move.
            amount: Signed change of the balance.
            item_id: The item that moves, or None.
            quantity: Signed change of the inventory, in units.
            counterparty: The other player, or None.
            user_id: Whose row; the first player's unless given.

        Raises:
            MisuseError: A field is unknown or of another type, or an amount stands without a currency.
        """
        row: dict[str, object] = {
            "kind": entry,
            "currency": currency,
            "amount": amount,
            "item_id": item_id,
            "quantity": quantity,
            "counterparty": counterparty,
            "user_id": user_id,
        }
        if isinstance(entry, Mapping):
            if strange := sorted(map(repr, entry.keys() - row.keys())):
                known = ", ".join(row)
                raise self._misuse(f"an entry has no field {', '.join(strange)}; its fields are {known}")
            row |= {"kind": None, **entry}
        if (fault := entry_fault(row)) is not None:
            raise self._misuse(fault)
        owner = self._owner(row.pop("user_id"))  # type: ignore[arg-type] # It says itself what it is not.
        self._overlays[owner].movements.append(Movement(**row))  # type: ignore[arg-type] # As just checked.
        self._asked.append(("row", owner, *(row[name] for name in ENTRY_FIELDS)))

    def take_stock(self, counter: str, units: int) -> None:
        """Take ``units`` from a shared counter at the commit, which refuses to pass below zero."""
        self._owner(None)
        if self._whole(counter, units) < 0:
            raise self._misuse(f"take_stock({counter!r}, {units}): the units are negative")
        self._counters[counter] -= units
        self._asked.append(("stock", counter, units))

    async def commit(self) -> Receipt:
        """Store everything in one atomic step; in the state "unknown", ask again with the same request id.

        Returns:
            The receipt of the request id: of this commit or of the first one.

        Raises:
            MisuseError: A balance or item moved without its row, or the profile would be invalid.
            RequestMismatchError: The request id was used for other changes.
            ConflictError: A player was changed by somebody else since ``begin()``.
            FloorError: A counter would fall below zero.
            StorageError: The store failed; nothing happened, unless it is a ``CommitUnknownError``.
        """
        if self._change is None or self._state != "unknown":
            self._owner(None)
            self._change = self._whole_change()
        self._state = "unknown"
        try:
            answer = await self._provider.apply(self._change)
        except (CommitUnknownError, asyncio.CancelledError):
            raise
        except BaseException:
            self._state = "active"
            raise
        self._state = "committed"
        return answer

    def _whole_change(self) -> ChangeSet[Committed]:
        users = tuple(self._overlays[user_id].change() for user_id in sorted(self._user_ids))
        first = self._overlays[self._user_ids[0]].after()
        return ChangeSet(
            self._clock.now_us(),
            tuple(user for user in users if user.movements or user.fields),
            Committed(first.gold, first.gems),
            tuple(CounterChange(name, delta) for name, delta in sorted(self._counters.items()) if delta),
            actor=self._actor or self._user_ids[0],
            reason=self._reason,
            request_id=self.request_id,
            digest=digest_of(self._operation, self._user_ids[0], [*self._user_ids[1:], repr(self._asked)]),
        )

    def rollback(self) -> Awaitable[None]:
        """Forget every change, at once; the answer may be awaited and need not be.

        Raises:
            MisuseError: It is not active.
        """
        self._owner(None)
        self._state = "rolled back"
        return _Done()

    def _owner(self, user_id: str | int | None) -> str:
        if self._state != "active":
            raise self._misuse(self._standing)
        owner = self._user_ids[0] if user_id is None else checked_user_id(user_id)
        if owner not in self._overlays:
            raise self._misuse(f"player {owner!r} is not part of it; it has {', '.join(self._user_ids)}")
        return owner

    @property
    def _standing(self) -> str:
        """Why a call outside its time is refused."""
        if self._state == "new":
            return "begin() must come first"
        if self._state == "unknown":
            return (
                "the outcome of its commit() is unknown, so it may be stored: commit() it again, which asks "
                f"with the same request id {self.request_id} and has one effect"
            )
        return f"it is {self._state}"

    def _misuse(self, what: str) -> MisuseError:
        return MisuseError(f"transaction over {', '.join(self._user_ids)}: {what}")


def _drawn() -> str:
    """A request id for a caller who gave none: without one no outcome could be asked for again."""
    return f"tx-{secrets.token_hex(16)}"


def begin_transaction(user_id: str | int, request_id: str | None = None) -> Transaction:
    """A transaction of one player over the process's own provider; ``async with`` begins it."""
    from kokoromichi.core.provider_manager import get_provider  # noqa: PLC0415 - the first KoKoroMichi's signature needs it

    return Transaction(get_provider(), user_id, request_id=request_id)
