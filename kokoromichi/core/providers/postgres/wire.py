"""A change as the server's function takes it, and the function's errors as the errors of storage."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import msgspec

from kokoromichi.core.errors import (
    ConflictError,
    FloorError,
    KokoroError,
    MisuseError,
    RequestMismatchError,
)
from kokoromichi.core.kinds import KINDS, SYSTEM
from kokoromichi.core.models import SET_FIELDS, ChangeSet, Movement, UserChange
from kokoromichi.core.validation import checked_user_id, wrong_fields

if TYPE_CHECKING:
    from kokoromichi.core.documents import Document
    from kokoromichi.core.models import AnswerT

MADE_UP: Final = "~"
"""How a request id starts that no caller gave; its answer is nobody's to ask for."""

_EXPONENT_FROM: Final = 1e16
"""From here on a float is written with an exponent, and JSONB keeps none."""

_FAULTY_DATA: Final = ("22", "23")
"""SQLSTATE classes of values that the server cannot hold: no whole number, beyond 64 bits, below zero."""


def encode_change(change: ChangeSet[AnswerT], request_id: str) -> bytes:
    """A change as JSON.

    Args:
        change: The change.
        request_id: Its own or a made-up one.

    Raises:
        MisuseError: An id is malformed, a kind or field is unknown, or a value is none of JSON.
    """
    actor = change.actor or (change.users[0].user_id if change.users else SYSTEM)
    wire: dict[str, object] = {
        "request": request_id,
        "digest": change.digest,
        "at_us": change.at_us,
        "actor": actor,
    }
    if not request_id.startswith(MADE_UP):
        wire["answer"] = msgspec.Raw(change.answer.encoded())
    if change.reason is not None:
        wire["reason"] = change.reason
    if change.counters:
        # In one order for everybody, so that no two changes wait for each other's counters.
        counters = sorted(change.counters, key=lambda counter: counter.name)
        wire["counters"] = [
            {"name": counter.name, "delta": counter.delta, "creates": counter.creates} for counter in counters
        ]
    if change.system:
        wire["system"] = [_row(movement) for movement in change.system]
    try:
        wire["users"] = [_user(user) for user in change.users]
        return msgspec.json.encode(wire)
    except (TypeError, ValueError, OverflowError) as wrong:
        message = f"a row needs whole numbers of 64 bits, and text that can be written: {wrong}"
        raise MisuseError(message) from None


def encode_document(document: Document) -> bytes:
    """A checked document as JSON whose floats come back as floats: JSONB writes 1e16 out as whole digits."""
    return msgspec.json.encode(_written_out(document))


def _written_out(value: object) -> object:
    if isinstance(value, dict):
        return {name: _written_out(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_written_out(inner) for inner in value]
    if isinstance(value, float) and abs(value) >= _EXPONENT_FROM:
        return msgspec.Raw(f"{value:.1f}".encode())
    return value


def _user(user: UserChange) -> dict[str, object]:
    wire: dict[str, object] = {
        "id": checked_user_id(user.user_id),
        "version": user.version,
        "rows": [_row(movement) for movement in user.movements],
    }
    if user.fields:
        if not SET_FIELDS.issuperset(user.fields):
            raise wrong_fields(user, user.fields)
        wire["fields"] = user.fields
    if user.unknown:
        wire["unknown"] = msgspec.Raw(encode_document(user.unknown))
    return wire


def _row(movement: Movement) -> dict[str, object]:
    return {
        "book": KINDS[movement.kind].book,
        "kind": movement.kind,
        "currency": movement.currency,
        "amount": movement.amount,
        "after": movement.balance_after,
        "item": movement.item_id,
        "quantity": movement.quantity,
        "other": movement.counterparty,
    }


def storage_error(code: str | None, message: str, detail: str | None, request_id: str) -> KokoroError | None:
    """The function's SQLSTATE as an error of the storage; None when it says nothing of the change."""
    if code == "KM001":
        return ConflictError(message)
    if code == "KM002":
        floor = json.loads(detail or "{}")
        return FloorError(floor["counter"], floor["available"])
    if code == "KM003":
        return RequestMismatchError(request_id)
    if code == "KM004":
        return MisuseError(message)
    if (code or "").startswith(_FAULTY_DATA):
        return MisuseError(f"a row needs whole numbers of 64 bits, and text that can be written: {message}")
    return None
