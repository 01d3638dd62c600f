"""What a change makes of its players: checked whole before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_type_hints

from pydantic import TypeAdapter, ValidationError

from kokoromichi.core.errors import MisuseError
from kokoromichi.core.models import SET_FIELDS, UserProfile
from kokoromichi.core.providers.local.documents import changeable
from kokoromichi.core.validation import (
    checked_user_id,
    moved,
    wrong_fields,
    wrong_version,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kokoromichi.core.models import ChangeSet, FieldValue, Movement, UserChange

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
    return [_player_after(user, stored(user.user_id)) for user in change.users]


def _player_after(user: UserChange, stored: UserProfile | None) -> UserProfile:
    profile = UserProfile(user_id=checked_user_id(user.user_id)) if stored is None else changeable(stored)
    if profile.version != user.version:
        raise wrong_version(user, profile.version)
    for movement in user.movements:
        _move(profile, movement)
    if user.fields:
        _set_fields(profile, user, user.fields)
    if user.unknown:
        profile.unknown = {**profile.unknown, **user.unknown}
    profile.version += 1
    return profile


def _move(profile: UserProfile, movement: Movement) -> None:
    currency, item_id, inventory = movement.currency, movement.item_id, profile.inventory
    balance = profile.gold if currency == "gold" else profile.gems
    held = 0 if item_id is None else inventory.get(item_id, 0)
    after, units = moved(movement, profile.user_id, balance, held)
    if currency is not None:
        setattr(profile, currency, after)
    if item_id is not None:
        inventory[item_id] = units
        if not units:
            del inventory[item_id]


def _set_fields(profile: UserProfile, user: UserChange, fields: Mapping[str, FieldValue]) -> None:
    if not SET_FIELDS.issuperset(fields):
        raise wrong_fields(user, fields)
    for name, value in fields.items():
        try:
            setattr(profile, name, _FIELD_TYPES[name].validate_python(value))  # Also a copy of a dictionary.
        except ValidationError as invalid:  # noqa: PERF203 - it names the field
            message = f"{name} of player {user.user_id} cannot be {value!r}: {invalid}"
            raise MisuseError(message) from None
