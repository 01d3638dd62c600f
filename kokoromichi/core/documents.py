"""A player's document that was edited outside a transaction, as the change that books its differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from kokoromichi.core.errors import ConflictError, MisuseError
from kokoromichi.core.kinds import CURRENCIES, SYSTEM
from kokoromichi.core.models import SET_FIELDS, ChangeSet, Movement, Receipt, UserChange, UserProfile

if TYPE_CHECKING:
    from kokoromichi.core.data_provider import Document


class Corrected(Receipt, frozen=True, gc=False, tag=True):
    """A document was stored."""


def correction(
    stored: UserProfile | None, user_id: str, document: Document, at_us: int
) -> tuple[ChangeSet[Corrected], Document]:
    """Turn a saved document into a change that keeps the laws.

    Args:
        stored: The profile as stored, or None for a new player.
        user_id: Whose document it is.
        document: Fields of ``UserProfile`` and others; what it leaves out stays as it is stored.
        at_us: When, in microseconds since the epoch.

    Returns:
        The change, whose movements are the differences of money and items, and the fields that
        ``UserProfile`` does not know.

    Raises:
        ConflictError: The document carries a version that is not the stored one.
        MisuseError: It is no valid profile, or another player's.
    """
    before = stored or UserProfile(user_id=user_id)
    if document.get("user_id", user_id) != user_id:
        message = f"the document of player {user_id} says that it is of {document['user_id']!r}"
        raise MisuseError(message)
    if document.get("version", before.version) != before.version:
        message = f"player {user_id} has version {before.version}, not {document['version']!r}: read again"
        raise ConflictError(message)
    try:
        after = UserProfile.of_document({**before.document(), **document})
    except ValidationError as invalid:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in invalid.errors())
        message = f"the document of player {user_id} is no valid profile: {faults}"
        raise MisuseError(message) from invalid
    after.opening_due = _opening_due(stored, before, document)
    fields = {
        name: value for name in sorted(SET_FIELDS) if (value := getattr(after, name)) != getattr(before, name)
    }
    user = UserChange(user_id, before.version, _movements(before, after), fields)
    return ChangeSet(at_us, (user,), Corrected(), actor=SYSTEM), after.unknown


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
