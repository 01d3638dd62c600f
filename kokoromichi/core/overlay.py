"""One player inside a unit of work: the profile as read, what was changed of it, and the rows that say so."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace
from pydantic import ValidationError

from kokoromichi.core.documents import checked_player
from kokoromichi.core.kinds import CURRENCIES
from kokoromichi.core.models import MOVED_FIELDS, SET_FIELDS, FieldValue, Movement, UserChange, UserProfile

if TYPE_CHECKING:
    from collections.abc import Callable

    from kokoromichi.core.errors import MisuseError

_READABLE: Final = SET_FIELDS | MOVED_FIELDS | {"user_id", "version"}
_SETTABLE: Final = SET_FIELDS | MOVED_FIELDS


class Overlay:
    """Reads through to a profile, which stays as it was read.

    Args:
        before: The profile as read.
        misuse: Makes the error of a sentence.

    Attributes:
        before: The profile as read.
        movements: Rows in their order, their balances still to be computed.
    """

    def __init__(self, before: UserProfile, misuse: Callable[[str], MisuseError]) -> None:
        self.before = before
        self.movements: list[Movement] = []
        self._misuse = misuse
        self._fields: dict[str, FieldValue] = {}

    def get(self, key: str) -> FieldValue:
        """A field's value as changed so far; dictionaries are copies."""
        if self.text(key) not in _READABLE:
            raise self._misuse(f"a profile has no field {key!r}")
        value: FieldValue = self._fields.get(key, getattr(self.before, key))
        return dict(value) if isinstance(value, dict) else value

    def set(self, key: str, value: FieldValue) -> None:
        """Set a field."""
        if self.text(key) not in _SETTABLE:
            raise self._misuse(f"a profile has no field {key!r} to set")
        self._fields[key] = dict(value) if isinstance(value, dict) else value

    def text(self, key: str) -> str:
        """``key``, when it can be one."""
        if not isinstance(key, str):
            raise self._misuse(f"a field is named by a text, not by {key!r}")
        return key

    def add(self, key: str, change: int) -> int:
        """Change a whole number, also of one item of a dictionary, and answer what it is then."""
        field, _, item_id = self.text(key).partition(".")
        value = self.get(field)
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
        self.set(field, stored)
        return result

    def after(self) -> UserProfile:
        """The profile as changed.

        Raises:
            MisuseError: It would be no valid one, or none that every store can keep.
        """
        document = {**self.before.document(), **self._fields}
        checked_player(document, self.before.user_id)
        try:
            return UserProfile.of_document(document)
        except ValidationError as invalid:
            raise self._misuse(f"player {self.before.user_id} would be invalid: {invalid}") from invalid

    def change(self) -> UserChange:
        """What is to be stored of it.

        Raises:
            MisuseError: It would be no valid profile, or a balance or item moves by another number than its
                rows say.
        """
        self._check_law_1(self.after())
        fields = {key: value for key, value in self._fields.items() if key in SET_FIELDS}
        names_money = any(name in self._fields for name in CURRENCIES)
        if not self.before.version and not names_money and (fields or self.movements):
            fields.setdefault("opening_due", 1)
        return UserChange(self.before.user_id, self.before.version, self._with_balances(), fields)

    def _with_balances(self) -> tuple[Movement, ...]:
        balances = {name: getattr(self.before, name) for name in CURRENCIES}
        rows = []
        for movement in self.movements:
            after = 0
            if movement.currency is not None:
                after = balances[movement.currency] = balances[movement.currency] + movement.amount
            rows.append(replace(movement, balance_after=after))
        return tuple(rows)

    def _check_law_1(self, after: UserProfile) -> None:
        before = self.before
        booked: Counter[str] = Counter()
        for movement in self.movements:
            if movement.currency is not None:
                booked[movement.currency] += movement.amount
            if movement.item_id is not None:
                booked[f"inventory.{movement.item_id}"] += movement.quantity
        moved = Counter({name: getattr(after, name) - getattr(before, name) for name in CURRENCIES})
        for item_id in before.inventory.keys() | after.inventory.keys():
            moved[f"inventory.{item_id}"] = after.inventory.get(item_id, 0) - before.inventory.get(item_id, 0)
        for name in sorted(moved.keys() | booked.keys()):
            if moved[name] != booked[name]:
                raise self._misuse(
                    f"{name} of player {before.user_id} moved by {moved[name]:+}, "
                    f"but its ledger rows say {booked[name]:+}; add_ledger_entry() for the difference"
                )
