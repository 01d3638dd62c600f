"""What a document may hold, alike on every store; and a player's saved document as the change it makes.

A document is a mapping of plain values: text, whole numbers of 64 bits, finite floats, true, false, null, and
lists and mappings of them. Each bound is that of the store that can hold least, so that whatever one store
takes every other one gives back equal.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from pydantic import ValidationError

from kokoromichi.core.errors import ConflictError, MisuseError
from kokoromichi.core.kinds import CURRENCIES, SYSTEM
from kokoromichi.core.models import (
    LEAST_INT,
    MOST_INT,
    SET_FIELDS,
    ChangeSet,
    Movement,
    Receipt,
    UserChange,
    UserProfile,
)
from kokoromichi.core.validation import UNSTORABLE_TEXT, checked_section, checked_user_id

if TYPE_CHECKING:
    from kokoromichi.core.bulk_load import Batch

Document: TypeAlias = "dict[str, JsonValue]"
JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

MOST_LEVELS: Final = 64
"""Mappings and lists inside one another; MongoDB reads a hundred, its own about them included."""

MOST_BYTES: Final = 15 * 1024 * 1024
"""Of a document as MongoDB counts it, which takes 16 MiB with what a store adds of its own."""

_TYPES: Final = frozenset({str, type(None), bool, int, float, dict, list})
"""Themselves and no subclass: what comes back is one of these."""
_KEYED_BY_ID: Final = frozenset({"inventory", "paid_gold", "collection", "businesses"})
_SHOWN: Final = 40
_PLAIN_KEY: Final = re.compile(r"[^\W\d][\w-]*")


def checked_document(document: object, what: str) -> Document:
    """``document``, when every store gives it back equal.

    Args:
        document: A candidate, of any type.
        what: What the refusal calls it, such as ``section guilds``.

    Raises:
        MisuseError: It is no such document; the sentence names the place in it and the cure.
    """
    return _checked(document, what, frozenset())


def checked_player(document: object, user_id: str) -> Document:
    """A player's document, when every store gives it back equal; ids of items, being values, hold any text.

    Raises:
        MisuseError: It is no such document; the sentence names the place in it and the cure.
    """
    return _checked(document, f"the document of player {user_id}", _KEYED_BY_ID)


def _checked(document: object, what: str, keyed_by_id: frozenset[str]) -> Document:
    if type(document) is not dict:
        message = f"{what} is {_kind(document)}, not a mapping: give a dict whose keys are text"
        raise MisuseError(message)
    size = 0
    stack: list[tuple[object, tuple[str | int, ...]]] = [(document, ())]
    while stack:
        value, path = stack.pop()
        try:
            size += _size_bytes(value, path, any_key=len(path) == 1 and path[0] in keyed_by_id)
        except _UnfitError as unfit:
            place = f" at {_shown(path)}" if path else ""
            message = f"{what} holds {unfit.found}{place}, which not every store can keep: {unfit.cure}"
            raise MisuseError(message) from None
        if size > MOST_BYTES:
            message = f"{what} has over {MOST_BYTES} bytes, the most of one document: split it"
            raise MisuseError(message)
        if type(value) is dict:
            stack += [(inner, (*path, name)) for name, inner in value.items()]
        elif type(value) is list:
            stack += [(inner, (*path, place)) for place, inner in enumerate(value)]
    return document


def check_unknown(change: ChangeSet[Any]) -> None:
    """Hold the fields that nobody knows of the players of a change against what may be stored.

    Raises:
        MisuseError: One is nothing that every store gives back equal.
    """
    for user in change.users:
        if user.unknown:
            checked_player(user.unknown, user.user_id)


def check_batch(batch: Batch) -> None:
    """Hold the players and sections of a batch against what may be stored, before any of it is.

    Raises:
        MisuseError: An id, a player's document or a section is none.
    """
    for snapshot in batch.users:
        user_id = checked_user_id(snapshot.profile.user_id)
        checked_player(snapshot.profile.document(), user_id)
    for section, document in batch.sections.items():
        checked_document(document, f"section {checked_section(section)}")


class _UnfitError(Exception):
    """A value that not every store can keep: what was found, and the cure."""

    def __init__(self, found: str, cure: str) -> None:
        super().__init__(found, cure)
        self.found = found
        self.cure = cure


def _size_bytes(value: object, path: tuple[str | int, ...], *, any_key: bool) -> int:
    """The bytes of one value as BSON counts them, without those inside it, but with their keys."""
    if type(value) not in _TYPES:
        raise _UnfitError(_kind(value), "save text, numbers, true, false, null, and lists and dicts of them")
    if isinstance(value, str):
        return 5 + _text_bytes(value, "a text")
    if value is None or isinstance(value, bool):
        return 1
    if isinstance(value, int):
        if not LEAST_INT <= value <= MOST_INT:
            raise _UnfitError("a whole number beyond 64 bits", "save it as a text")
        return 8
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _UnfitError(str(value), "save a finite number or null")
        return 8
    if len(path) >= MOST_LEVELS:
        raise _UnfitError(f"more than {MOST_LEVELS} levels", "save what lies deeper on its own, or as a text")
    if isinstance(value, dict):
        return 5 + sum(2 + _key_bytes(key, any_key=any_key) for key in value)
    return 5 + sum(2 + len(str(place)) for place, _ in enumerate(cast("list[object]", value)))


def _key_bytes(key: object, *, any_key: bool) -> int:
    if type(key) is not str:
        raise _UnfitError(f"the key {_cut(key)}", "make every key a text")
    if not any_key and (key.startswith("$") or "." in key):
        raise _UnfitError(f"the key {_cut(key)}", "rename it, with no $ at its start and no dot")
    return _text_bytes(key, f"the key {_cut(key)}")


def _text_bytes(text: str, what: str) -> int:
    if UNSTORABLE_TEXT.search(text):
        raise _UnfitError(f"{what} with a NUL or half of a surrogate pair", "take the character out")
    return len(text.encode())


def _kind(value: object) -> str:
    """A type as a person names it: ``a datetime``, ``a subclass of int (Color)``."""
    kind = type(value)
    base = next((each for each in (str, int, float, list, dict) if isinstance(value, each)), kind)
    named = f"{'an' if kind.__name__[0] in 'aeiouAEIOU' else 'a'} {kind.__name__}"
    return named if base is kind else f"{named}, a subclass of {base.__name__}"


def _cut(key: object) -> str:
    told = ascii(key) if isinstance(key, (str, int, float, bytes)) else _kind(key)
    return told if len(told) <= _SHOWN else f"{told[:_SHOWN]}..."


def _shown(path: tuple[str | int, ...]) -> str:
    """A place in a document, such as ``inventory.x[3]``; of a deep one, its beginning."""
    told = ""
    for part in path[:8]:
        if isinstance(part, str) and _PLAIN_KEY.fullmatch(part):
            told += f".{part[:_SHOWN]}"
        else:
            told += f"[{_cut(part)}]"
    return told.removeprefix(".") + ("..." if len(path) > 8 else "")  # noqa: PLR2004 - as above


class Corrected(Receipt, frozen=True, gc=False, tag="Corrected"):
    """A document was stored."""


def correction(
    stored: UserProfile | None, user_id: str, document: Document, at_us: int
) -> ChangeSet[Corrected]:
    """Turn a saved document into a change that keeps the laws.

    Args:
        stored: The profile as stored, or None for a new player.
        user_id: Whose document it is.
        document: Fields of ``UserProfile`` and others; what it leaves out stays as it is stored.
        at_us: When, in microseconds since the epoch.

    Returns:
        The change, whose movements are the differences of money and items.

    Raises:
        ConflictError: The document carries a version that is not the stored one.
        MisuseError: It holds what may not be stored, is no valid profile, or another player's.
    """
    checked_player(document, user_id)
    what = f"the document of player {user_id}"
    before = stored or UserProfile(user_id=user_id)
    if document.get("user_id", user_id) != user_id:
        message = f"{what} says that it is of {document['user_id']!r}"
        raise MisuseError(message)
    if document.get("version", before.version) != before.version:
        message = f"player {user_id} has version {before.version}, not {document['version']!r}: read again"
        raise ConflictError(message)
    try:
        after = UserProfile.of_document({**before.document(), **document})
    except ValidationError as invalid:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in invalid.errors())
        message = f"{what} is no valid profile: {faults}"
        raise MisuseError(message) from invalid
    after.opening_due = _opening_due(stored, before, document)
    checked_player(after.document(), user_id)  # Together with what is stored it may be too large.
    fields = {
        name: value for name in sorted(SET_FIELDS) if (value := getattr(after, name)) != getattr(before, name)
    }
    user = UserChange(user_id, before.version, _movements(before, after), fields, after.unknown)
    return ChangeSet(at_us, (user,), Corrected(), actor=SYSTEM)


def _opening_due(stored: UserProfile | None, before: UserProfile, document: Document) -> int:
    """Whether the opening is still to be booked: a document that names gold or gems is taken at its word.

    One that was read while it was due says so itself, and names no more than what is stored.
    """
    due = 1 if stored is None else stored.opening_due
    named = [name for name in CURRENCIES if name in document]
    as_read = "opening_due" in document and all(document[name] == getattr(before, name) for name in named)
    return int(due == 1 and document.get("opening_due", 1) == 1 and (not named or as_read))


def _movements(before: UserProfile, after: UserProfile) -> tuple[Movement, ...]:
    money = [
        Movement(
            "correction",
            currency,
            getattr(after, currency) - getattr(before, currency),
            getattr(after, currency),
        )
        for currency in CURRENCIES
    ]
    items = [
        Movement(
            "correction",
            item_id=item_id,
            quantity=after.inventory.get(item_id, 0) - before.inventory.get(item_id, 0),
        )
        for item_id in sorted(before.inventory.keys() | after.inventory.keys())
    ]
    return tuple(movement for movement in money + items if movement.amount or movement.quantity)
