"""Profiles, sections and ledger rows as MongoDB's documents, and what a change makes of a stored one.

Ids of items, characters and businesses are values here, never names of fields: an inventory is a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import bson
from bson.errors import BSONError
from pydantic import ValidationError

from kokoromichi.core.errors import InvalidProfileError, MisuseError
from kokoromichi.core.kinds import CURRENCIES, KINDS, SYSTEM
from kokoromichi.core.models import PROFILE_FIELDS, SET_FIELDS, UserChange, UserProfile
from kokoromichi.core.validation import (
    checked_user_id,
    moved,
    wrong_fields,
    wrong_version,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kokoromichi.core.documents import Document, JsonValue
    from kokoromichi.core.models import AnswerT, ChangeSet
    from kokoromichi.core.providers.mongo.driver import Stored

MOST_BYTES: Final = 16 * 1024 * 1024
"""MongoDB's bound of one document; ours keeps 16 KiB of it free for the server's own additions."""

_SPARE_BYTES: Final = 16 * 1024
_OWN: Final = frozenset({"_id", "row_us", "active_day"})
"""What a stored player has beside the profile: ``row_us`` is the time in the newest row's entry id,
``active_day`` the newest UTC day, counted from the epoch, on which something of theirs moved."""
_PAIRS: Final = {
    "inventory": ("item", "units"),
    "paid_gold": ("item", "gold"),
    "collection": ("id", "copies"),
    "businesses": ("id", "at_us"),
}


def new_player(user_id: str) -> Stored:
    """The document of a player who is not stored yet, at version 0."""
    return document_of(UserProfile(user_id=checked_user_id(user_id)))


def profile_of(stored: Stored) -> UserProfile:
    """The profile of a stored document; the caller owns it.

    Raises:
        InvalidProfileError: Somebody else has written what is no profile.
    """
    fields: dict[str, Any] = {name: _plain(value) for name, value in stored.items() if name not in _OWN}
    for name, (key, value) in _PAIRS.items():
        fields[name] = {pair[key]: pair[value] for pair in fields.get(name, ())}
    unknown = fields.pop("unknown", {})
    try:
        return UserProfile.of_document({**unknown, **fields, "user_id": stored["_id"]})
    except ValidationError as invalid:
        message = f"player {stored['_id']} is stored as no valid profile: correct the document: {invalid}"
        raise InvalidProfileError(message) from invalid


def document_of(profile: UserProfile) -> Stored:
    """A profile as it is stored."""
    fields: dict[str, Any] = {
        name: getattr(profile, name) for name in sorted(PROFILE_FIELDS - {"user_id", *_PAIRS})
    }
    lists = {name: _pairs(name, getattr(profile, name)) for name in _PAIRS}
    return {"_id": profile.user_id, **fields, **lists, "unknown": dict(profile.unknown)}


def _pairs(name: str, values: Mapping[str, int]) -> list[dict[str, str | int]]:
    key, value = _PAIRS[name]
    return [{key: each, value: number} for each, number in values.items()]


def row_us(stored: Stored, at_us: int) -> int:
    """The time that a player's next row is sorted by, in microseconds: never before the last one's."""
    return max(int(stored.get("row_us", 0)), at_us)


def changed(stored: Stored, user: UserChange, at_us: int) -> Stored:
    """What is set in a player's document: the version, and the fields that a change gives another value.

    Args:
        stored: The document as it is stored.
        user: What changes of it.
        at_us: When, in microseconds since the epoch.

    Raises:
        ConflictError: The document has another version.
        MisuseError: A movement does not fit, or a field cannot be set or is none.
    """
    if stored["version"] != user.version:
        raise wrong_version(user, stored["version"])
    fields = user.fields or {}
    if not SET_FIELDS.issuperset(fields):
        raise wrong_fields(user, fields)
    sets: Stored = {"version": user.version + 1, **_moved(stored, user)}
    for name, value in fields.items():
        sets[name] = _pairs(name, value) if isinstance(value, dict) and name in _PAIRS else value
    if user.unknown:
        sets["unknown"] = {**stored.get("unknown", {}), **user.unknown}
    after = {**stored, **sets}
    if fields:
        _check_profile(after)
    sets["row_us"] = row_us(stored, at_us)
    check_size(after, f"the document of player {user.user_id}")
    return sets


def _check_profile(after: Stored) -> None:
    """Refuse what could not be read again."""
    try:
        profile_of(after)
    except InvalidProfileError as invalid:
        raise MisuseError(f"a change of player {after['_id']} is none: {invalid}") from None


def _moved(stored: Stored, user: UserChange) -> Stored:
    """Balances and inventory after a player's movements, where they moved."""
    balances = {currency: int(stored[currency]) for currency in CURRENCIES}
    held = {pair["item"]: int(pair["units"]) for pair in stored["inventory"]}
    for movement in user.movements:
        currency, item_id = movement.currency, movement.item_id
        before = balances.get(currency or "", 0)
        after_balance, units = moved(movement, user.user_id, before, held.get(item_id or "", 0))
        if currency is not None:
            balances[currency] = after_balance
        if item_id is not None:
            held[item_id] = units
    after: Stored = {name: value for name, value in balances.items() if value != stored[name]}
    if any(movement.item_id is not None for movement in user.movements):
        after["inventory"] = _pairs("inventory", {item: units for item, units in held.items() if units})
    return after


def ledger_rows(
    change: ChangeSet[AnswerT], tx_id: str, request_id: str, sorted_us: int
) -> dict[str, list[Stored]]:
    """The rows of a change by book, in their order; ``_id`` is the entry id, which sorts by ``sorted_us``.

    Nulls are left out. Times are microseconds, since a date of BSON knows milliseconds only.
    """
    actor = change.actor or (change.users[0].user_id if change.users else SYSTEM)
    moved = [(user.user_id, movement) for user in change.users for movement in user.movements]
    moved += [(SYSTEM, movement) for movement in change.system]
    books: dict[str, list[Stored]] = {}
    for number, (user_id, movement) in enumerate(moved):
        kind = KINDS[movement.kind]
        row: Stored = {
            "_id": f"{sorted_us:016d}-{tx_id}-{number:06d}",
            "tx_id": tx_id,
            "at_us": change.at_us,
            "kind": kind.name,
            "user_id": user_id,
            "actor": actor,
            "request_id": request_id,
        }
        if movement.currency is not None:
            row |= {"currency": movement.currency, "amount": movement.amount}
            row["balance_after"] = movement.balance_after
        if movement.item_id is not None:
            row |= {"item_id": movement.item_id, "quantity": movement.quantity}
        if movement.counterparty is not None:
            row["counterparty"] = movement.counterparty
        if change.reason is not None:
            row["reason"] = change.reason
        check_size(row, f"a {kind.name} row of {user_id}")
        books.setdefault(kind.book, []).append(row)
    return books


def check_size(document: Stored, what: str) -> None:
    """Refuse a document that MongoDB would.

    Raises:
        MisuseError: It has over 16 MB, or a value that cannot be stored.
    """
    try:
        size = len(bson.encode(document))
    except (BSONError, OverflowError, UnicodeError, RecursionError) as unfit:
        raise MisuseError(f"{what} has a value that cannot be stored: {unfit}") from None
    if size > MOST_BYTES - _SPARE_BYTES:
        raise MisuseError(f"{what} has {size} bytes, and one document at most {MOST_BYTES}: split it")


def plain_document(stored: Mapping[str, object]) -> Document:
    """A stored subdocument as JSON's values, a copy of its own."""
    return {name: _plain(value) for name, value in stored.items()}


def _plain(value: object) -> JsonValue:
    """Without BSON's own classes: a 64-bit integer is an ``int``."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    plain: JsonValue = value  # type: ignore[assignment] # What else was stored came from JSON.
    return plain
