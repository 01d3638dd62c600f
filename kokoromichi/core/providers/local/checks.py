"""What a change makes of its players: checked whole before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_type_hints

from pydantic import TypeAdapter, ValidationError

from kokoromichi.core.errors import MisuseError
from kokoromichi.core.kinds import CURRENCIES, KINDS, SYSTEM
from kokoromichi.core.models import SET_FIELDS, UserProfile
from kokoromichi.core.providers.local.documents import changeable
from kokoromichi.core.validation import (
    checked_user_id,
    reject_duplicate_users,
    wrong_fields,
    wrong_movement,
    wrong_version,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kokoromichi.core.models import ChangeSet, CounterChange, FieldValue, Movement, UserChange

_LONGEST_ITEM: Final = 64
_INT64: Final = 2**63
_FIELD_TYPES: Final[dict[str, TypeAdapter[Any]]] = {
    name: TypeAdapter(hint)
    for name, hint in get_type_hints(UserProfile, include_extras=True).items()
    if name in SET_FIELDS
}


def players_after(change: ChangeSet[Any], stored: Callable[[str], UserProfile | None]) -> list[UserProfile]:
    """Every player of a change as the change leaves them, in copies of their own.

    Raises:
        ConflictError: A player has another version than the one that was read.
        MisuseError: A row or a field does not fit.
    """
    if len(change.users) > 1:
        reject_duplicate_users(change.users)
    after = [_player_after(user, stored(user.user_id)) for user in change.users]
    for movement in change.system:
        _check_row(movement, SYSTEM)
    _check_row_texts(change)
    return after


def _player_after(user: UserChange, stored: UserProfile | None) -> UserProfile:
    profile = UserProfile(user_id=checked_user_id(user.user_id)) if stored is None else changeable(stored)
    if profile.version != user.version:
        raise wrong_version(user, profile.version)
    for movement in user.movements:
        _check_row(movement, user.user_id)
        _move(profile, movement)
    if user.fields:
        _set_fields(profile, user, user.fields)
    profile.version += 1
    return profile


def _move(profile: UserProfile, movement: Movement) -> None:
    currency, item_id = movement.currency, movement.item_id
    held = profile.gold if currency == "gold" else profile.gems
    if currency is not None:
        after = movement.balance_after
        if not 0 <= after < _INT64 or held + movement.amount != after:
            raise wrong_movement(movement, profile.user_id, held)
        setattr(profile, currency, after)
    if item_id is not None:
        units = profile.inventory.get(item_id, 0) + movement.quantity
        if not 0 <= units < _INT64:
            raise wrong_movement(movement, profile.user_id, held)
        if units:
            profile.inventory[item_id] = units
        else:
            profile.inventory.pop(item_id, None)


def _set_fields(profile: UserProfile, user: UserChange, fields: Mapping[str, FieldValue]) -> None:
    if not SET_FIELDS.issuperset(fields):
        raise wrong_fields(user, fields)
    for name, value in fields.items():
        try:
            setattr(profile, name, _FIELD_TYPES[name].validate_python(value))  # Also a copy of a dictionary.
        except ValidationError as invalid:  # noqa: PERF203 - it names the field
            message = f"{name} of player {user.user_id} cannot be {value!r}: {invalid}"
            raise MisuseError(message) from None


def _check_row(movement: Movement, user_id: str) -> None:
    if (
        movement.kind in KINDS
        and (movement.currency is None or movement.currency in CURRENCIES)
        and type(movement.amount) is int
        and type(movement.balance_after) is int
        and type(movement.quantity) is int
        and -_INT64 <= movement.amount < _INT64
        and -_INT64 <= movement.quantity < _INT64
        and not movement.is_incomplete
        and (movement.item_id is None or 0 < len(movement.item_id) <= _LONGEST_ITEM)
    ):
        return
    message = (
        f"a {movement.kind} row of player {user_id} needs a known kind, a known currency for its amount, an "
        f"item of 1 to {_LONGEST_ITEM} characters for its quantity and whole numbers of 64 bits: {movement}"
    )
    raise MisuseError(message)


def _check_row_texts(change: ChangeSet[Any]) -> None:
    """Refuse what no column can hold: bound in the middle of a group, it would spoil the others' commit."""
    movements = [movement for user in change.users for movement in user.movements] + list(change.system)
    texts = [text for one in movements for text in (one.item_id, one.counterparty) if text is not None]
    texts += [text for text in (change.actor, change.reason) if text is not None]
    texts += [counter.name for counter in change.counters]
    try:
        "".join(texts).encode()
    except UnicodeEncodeError as unfit:
        message = f"a change of {[user.user_id for user in change.users]} cannot be stored: {unfit}"
        raise MisuseError(message) from None
    if not -_INT64 <= change.at_us < _INT64:
        message = f"a change cannot have happened at {change.at_us}: a moment is a number of 64 bits"
        raise MisuseError(message)


def check_deltas(changes: Sequence[CounterChange]) -> None:
    """Refuse counters that would move by anything but whole numbers.

    Raises:
        MisuseError: One would.
    """
    for change in changes:
        if type(change.delta) is not int:
            message = f"counter {change.name} moves by whole numbers, not by {change.delta!r}"
            raise MisuseError(message)
