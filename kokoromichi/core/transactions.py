"""The unit of work: an overlay over one or several players, stored whole by ``commit()`` or not at all."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from kokoromichi.core.clock import Clock, SystemClock
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.kinds import CURRENCIES, KINDS
from kokoromichi.core.models import (
    MOVED_FIELDS,
    SET_FIELDS,
    ChangeSet,
    CounterChange,
    FieldValue,
    Movement,
    Receipt,
    UserChange,
    UserProfile,
)
from kokoromichi.core.validation import checked_request_id, checked_user_id, digest_of

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from kokoromichi.core.data_provider import DataProvider

State = Literal["new", "active", "committed", "rolled back"]

_READABLE = SET_FIELDS | MOVED_FIELDS | {"user_id", "version"}


class Committed(Receipt, frozen=True, gc=False, tag=True):
    """A unit of work was stored.

    Attributes:
        gold: Balance of the first player afterwards, in gold.
        gems: Balance of the first player afterwards, in gems.
    """

    gold: int
    gems: int


class Transaction:
    """Read, change and book; then ``commit()`` stores all of it in one step, or raises and stores nothing.

    Every change of gold, gems or an item needs its ledger row: ``incr`` and ``decr`` without an entry do not
    commit. Leaving ``async with`` after changes that were neither committed nor rolled back discards them and
    raises, so that a forgotten ``commit()`` is no silent loss.

    Args:
        provider: Where it is stored.
        user_ids: The players it may touch, at least one; the first is the default of every call.
        clock: What stamps its rows.
        operation: What it does, in a word: a request id that comes again must come for the same.
        request_id: Idempotency key: the same id again has one effect and gives the first answer.
        actor: Who asks; the first player unless given.
        reason: An admin's reason.
    """

    def __init__(
        self,
        provider: DataProvider,
        *user_ids: str,
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
        self._user_ids = [checked_user_id(user_id) for user_id in dict.fromkeys(user_ids)]
        self._clock = clock or SystemClock()
        self._request_id = None if request_id is None else checked_request_id(request_id)
        self._operation = operation
        self._actor = actor
        self._reason = reason
        self._state: State = "new"
        self._profiles: dict[str, UserProfile] = {}
        self._fields: dict[str, dict[str, FieldValue]] = {}
        self._movements: dict[str, list[Movement]] = {}
        self._counters: Counter[str] = Counter()

    @property
    def state(self) -> State:
        """Where it stands: new, active, committed or rolled back."""
        return self._state

    async def begin(self) -> Self:
        """Read the players.

        Raises:
            MisuseError: It was begun before.
        """
        if self._state != "new":
            raise self._misuse("begin() came twice" if self._state == "active" else f"it is {self._state}")
        for user_id in self._user_ids:
            stored = await self._provider.profile(user_id)
            # A copy: what others commit meanwhile is met at our commit, not in the middle of a decision.
            read = UserProfile(user_id=user_id) if stored is None else deepcopy(stored)
            self._profiles[user_id] = read
            self._fields[user_id] = {}
            self._movements[user_id] = []
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
            MisuseError: Changes were left without ``commit()`` or ``rollback()``.
        """
        if self._state == "active":
            forgotten = self._changed
            self.rollback()
            if forgotten and error is None:
                raise self._misuse("changes were left without commit(); they are rolled back")

    @property
    def _changed(self) -> bool:
        overlays = (*self._fields.values(), *self._movements.values(), self._counters)
        return any(map(bool, overlays))

    def get(self, key: str, user_id: str | None = None) -> FieldValue:
        """A field's value as changed so far; dictionaries are copies.

        Raises:
            MisuseError: It is not active, or the profile has no such field.
        """
        owner = self._owner(user_id)
        if key not in _READABLE:
            raise self._misuse(f"a profile has no field {key!r}")
        value: FieldValue = self._fields[owner].get(key, getattr(self._profiles[owner], key))
        return dict(value) if isinstance(value, dict) else value

    def set(self, key: str, value: FieldValue, user_id: str | None = None) -> None:
        """Set a field; money takes the change, with its row, through ``incr`` and ``decr``.

        Raises:
            MisuseError: It is not active, there is no such field, or it may not be set.
        """
        owner = self._owner(user_id)
        if key not in _READABLE - {"user_id", "version"}:
            raise self._misuse(f"a profile has no field {key!r} to set")
        self._fields[owner][key] = dict(value) if isinstance(value, dict) else value

    def incr(self, key: str, amount: int, user_id: str | None = None) -> int:
        """Add to a whole number; ``key`` may be ``inventory.<item_id>``. Answers the new value.

        Raises:
            MisuseError: The field holds no whole number, the amount is none or negative, or the result is.
        """
        if self._whole(key, amount) < 0:
            raise self._misuse(f"incr({key!r}, {amount}): the amount is negative; use decr")
        return self._add(key, amount, user_id)

    def decr(self, key: str, amount: int, user_id: str | None = None) -> int:
        """Subtract from a whole number; see ``incr``."""
        if self._whole(key, amount) < 0:
            raise self._misuse(f"decr({key!r}, {amount}): the amount is negative; use incr")
        return self._add(key, -amount, user_id)

    def _whole(self, key: str, amount: int) -> int:
        if type(amount) is not int:
            raise self._misuse(f"{key!r} moves by whole numbers, not by {amount!r}")
        return amount

    def _add(self, key: str, change: int, user_id: str | None) -> int:
        field, _, item_id = key.partition(".")
        value = self.get(field, user_id)
        if item_id and isinstance(value, dict):
            held = value.get(item_id, 0) + change
            value[item_id] = held
            if not held:
                del value[item_id]
            result, stored = held, value
        elif isinstance(value, int) and key == field:
            result = value + change
            stored = result  # type: ignore[assignment] # One name for both shapes of a field.
        else:
            raise self._misuse(f"{key!r} is no whole number")
        if result < 0:
            raise self._misuse(f"{key!r} would fall to {result}")
        self.set(field, stored, user_id)
        return result

    def add_ledger_entry(
        self,
        kind: str,
        *,
        currency: str | None = None,
        amount: int = 0,
        item_id: str | None = None,
        quantity: int = 0,
        counterparty: str | None = None,
        user_id: str | None = None,
    ) -> None:
        """Queue the row of a change; its ``balance_after`` is computed at the commit.

        Raises:
            MisuseError: The kind or the currency is unknown, or an amount stands without a currency.
        """
        owner = self._owner(user_id)
        if kind not in KINDS:
            raise self._misuse(f"{kind!r} is no kind of ledger row; there are {', '.join(KINDS)}")
        if currency not in (None, *CURRENCIES) or (currency is None and amount):
            raise self._misuse(f"{amount} of {currency!r}: the currencies are {', '.join(CURRENCIES)}")
        if item_id is None and quantity:
            raise self._misuse(f"a quantity of {quantity} without an item")
        self._movements[owner].append(Movement(kind, currency, amount, 0, item_id, quantity, counterparty))

    def take_stock(self, counter: str, units: int) -> None:
        """Take ``units`` from a shared counter at the commit, which refuses to pass below zero."""
        self._owner(None)
        if self._whole(counter, units) < 0:
            raise self._misuse(f"take_stock({counter!r}, {units}): the units are negative")
        self._counters[counter] -= units

    async def commit(self) -> Receipt:
        """Store everything in one atomic step.

        Returns:
            What the request id remembers: of this commit or of the first one.

        Raises:
            MisuseError: A balance or item moved without its row, or the profile would be invalid.
            ConflictError: A player was changed by somebody else since ``begin()``.
            FloorError: A counter would fall below zero.
            StorageError: The store failed; nothing happened, unless it is a ``CommitUnknownError``.
        """
        self._owner(None)
        users = tuple(self._change_of(user_id) for user_id in sorted(self._user_ids))
        first = self._after(self._user_ids[0])
        change = ChangeSet(
            self._clock.now_us(),
            tuple(user for user in users if user.movements or user.fields),
            Committed(first.gold, first.gems),
            tuple(CounterChange(name, delta) for name, delta in sorted(self._counters.items()) if delta),
            actor=self._actor or self._user_ids[0],
            reason=self._reason,
            request_id=self._request_id,
            digest=digest_of(self._operation, self._user_ids[0], self._user_ids[1:]),
        )
        answer = await self._provider.apply(change)
        self._state = "committed"
        return answer

    def rollback(self) -> None:
        """Forget every change.

        Raises:
            MisuseError: It is not active.
        """
        self._owner(None)
        self._state = "rolled back"

    def _owner(self, user_id: str | None) -> str:
        if self._state != "active":
            raise self._misuse("begin() must come first" if self._state == "new" else f"it is {self._state}")
        owner = user_id or self._user_ids[0]
        if owner not in self._profiles:
            raise self._misuse(f"player {owner!r} is not part of it; it has {', '.join(self._user_ids)}")
        return owner

    def _misuse(self, what: str) -> MisuseError:
        return MisuseError(f"transaction over {', '.join(self._user_ids)}: {what}")

    def _after(self, user_id: str) -> UserProfile:
        before = self._profiles[user_id].document()
        try:
            return UserProfile.of_document({**before, **self._fields[user_id]})
        except ValidationError as invalid:
            raise self._misuse(f"player {user_id} would be invalid: {invalid}") from invalid

    def _change_of(self, user_id: str) -> UserChange:
        before, after = self._profiles[user_id], self._after(user_id)
        booked: Counter[str] = Counter()
        movements = []
        for movement in self._movements[user_id]:
            balance = 0
            if movement.currency is not None:
                booked[movement.currency] += movement.amount
                balance = getattr(before, movement.currency) + booked[movement.currency]
            if movement.item_id is not None:
                booked[f"inventory.{movement.item_id}"] += movement.quantity
            movements.append(
                Movement(
                    movement.kind,
                    movement.currency,
                    movement.amount,
                    balance,
                    movement.item_id,
                    movement.quantity,
                    movement.counterparty,
                )
            )
        self._check_law_1(before, after, booked)
        fields = {key: value for key, value in self._fields[user_id].items() if key in SET_FIELDS}
        return UserChange(user_id, before.version, tuple(movements), fields)

    def _check_law_1(self, before: UserProfile, after: UserProfile, booked: Counter[str]) -> None:
        moved = Counter({name: getattr(after, name) - getattr(before, name) for name in CURRENCIES})
        for item_id in before.inventory.keys() | after.inventory.keys():
            moved[f"inventory.{item_id}"] = after.inventory.get(item_id, 0) - before.inventory.get(item_id, 0)
        for name in sorted(moved.keys() | booked.keys()):
            if moved[name] != booked[name]:
                raise self._misuse(
                    f"{name} of player {before.user_id} moved by {moved[name]:+}, "
                    f"but its ledger rows say {booked[name]:+}; add_ledger_entry() for the difference"
                )


def begin_transaction(user_id: str, request_id: str | None = None) -> Transaction:
    """A transaction of one player over the process's own provider; ``async with`` begins it."""
    from kokoromichi.core.provider_manager import get_provider  # noqa: PLC0415 - the first KoKoroMichi's signature needs it

    return Transaction(get_provider(), user_id, request_id=request_id)
