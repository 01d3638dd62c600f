"""What ids, requests and changes must be: the one place, and the one wording, that providers ask for it."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final

from kokoromichi.core.errors import ConflictError, MisuseError, RequestFencedError, RequestMismatchError
from kokoromichi.core.kinds import CURRENCIES, KINDS, SYSTEM
from kokoromichi.core.models import (
    ID_PATTERN,
    LEAST_INT,
    MOST_INT,
    REQUEST_ID_PATTERN,
    SET_FIELDS,
    Movement,
    UserChange,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kokoromichi.core.models import ChangeSet

_LONGEST_ITEM_ID: Final = 64

UNSTORABLE_TEXT: Final = re.compile("[\x00\ud800-\udfff]")
"""PostgreSQL keeps no NUL in a text, and UTF-8 no half of a surrogate pair."""

RESERVED_SECTIONS = frozenset({"economy", "store_catalog", "waifus"})
"""Shipped with the code; no document door writes them."""

FORGOTTEN: Final = "erased"
"""The digest of a request whose answer named an erased player: no act has it."""

FENCED: Final = "fenced"
"""The digest of a request that was refused while its outcome was unknown: no act has it, and so none that
still arrives is stored."""


def spent(request_id: str, digest: str) -> RequestMismatchError:
    """Why a request id cannot be used, by the digest that is stored with it."""
    return RequestFencedError(request_id) if digest == FENCED else RequestMismatchError(request_id)


def checked_id(value: object, what: str) -> str:
    """``value``, when it is a well-formed user id, section or book.

    Raises:
        MisuseError: It is not, so that it never becomes a path or a field name.
    """
    if type(value) is not str or not ID_PATTERN.fullmatch(value):
        message = f"{what} {value!r} is malformed: a str of 1 to 64 characters out of 0-9 A-Z a-z _ -"
        raise MisuseError(message)
    return value


def checked_user_id(user_id: object) -> str:
    """A player's id as it is stored; a whole number, such as ``author.id`` of discord.py, is its digits.

    Raises:
        MisuseError: It is malformed, or the system's.
    """
    known = checked_id(digits_of(user_id), "user id")
    if known == SYSTEM:
        message = f"user id {SYSTEM!r} belongs to the system"
        raise MisuseError(message)
    return known


def digits_of(user_id: object) -> object:
    """A whole number as its digits; everything else as it is."""
    return str(user_id) if type(user_id) is int and user_id >= 0 else user_id


def checked_section(section: str) -> str:
    """``section``, when it may be written by the document door.

    Raises:
        MisuseError: It is malformed or reserved.
    """
    if checked_id(section, "section") in RESERVED_SECTIONS:
        message = f"section {section!r} is shipped with the economy: edit its file and reload"
        raise MisuseError(message)
    return section


def checked_request_id(request_id: object) -> str:
    """``request_id``, when a caller may use it.

    Raises:
        MisuseError: It is malformed; ids that start with ``~`` are the provider's own.
    """
    if type(request_id) is not str or not REQUEST_ID_PATTERN.fullmatch(request_id):
        message = (
            f"request id {request_id!r} is malformed: a str of 1 to 128 characters out of 0-9 A-Z a-z _ . : -"
        )
        raise MisuseError(message)
    return request_id


def digest_of(operation: str, user_id: str, arguments: Sequence[str | int | None]) -> str:
    """The act as asked, as 32 hex digits: never what came of it, since a retry reads and draws anew."""
    asked = repr((operation, user_id, *arguments)).encode()  # Text and integers of any size, told apart.
    return hashlib.blake2b(asked, digest_size=16).hexdigest()


def checked_pseudonym(user_id: str, pseudonym: str) -> None:
    """Refuse ids between which nothing can be erased.

    Raises:
        MisuseError: One is malformed, or both are one.
    """
    if checked_user_id(user_id) == checked_user_id(pseudonym):
        message = f"user id {user_id!r} cannot be its own pseudonym"
        raise MisuseError(message)


def wrong_version(user: UserChange, stored_version: int) -> ConflictError:
    """A player has another version than the one that was read."""
    return ConflictError(f"player {user.user_id} has version {stored_version}, not {user.version}")


def wrong_fields(user: UserChange, fields: Iterable[str]) -> MisuseError:
    """A change sets what no change may set."""
    return MisuseError(f"{sorted(set(fields) - SET_FIELDS)} of player {user.user_id} cannot be set")


def wrong_movement(movement: Movement, user_id: str, held: int) -> MisuseError:
    """A row says of a balance or an item what cannot be; ``held`` is the balance before it."""
    return MisuseError(
        f"a {movement.kind} row of player {user_id} does not fit: "
        f"{movement.currency} {held} {movement.amount:+} is not {movement.balance_after}, "
        f"or {movement.item_id} {movement.quantity:+} is more than is held"
    )


def check_movement(movement: Movement) -> None:
    """Refuse half a row, or one of an unknown kind, currency or item, or of no whole number.

    Raises:
        MisuseError: It is one of these.
    """
    numbers = amount, after, quantity = movement.amount, movement.balance_after, movement.quantity
    known = movement.kind in KINDS and (movement.currency is None or movement.currency in CURRENCIES)
    whole = type(amount) is type(after) is type(quantity) is int
    if not (known and whole and min(numbers) >= LEAST_INT and max(numbers) <= MOST_INT):
        message = f"a row needs a known kind, a known currency and whole numbers of 64 bits: {movement}"
        raise MisuseError(message)
    if movement.is_incomplete:
        raise incomplete_movement(movement)
    if movement.item_id is not None and not 1 <= len(movement.item_id) <= _LONGEST_ITEM_ID:
        message = f"item id {movement.item_id!r} is malformed: 1 to {_LONGEST_ITEM_ID} characters"
        raise MisuseError(message)


def moved(movement: Movement, user_id: str, balance: int, units: int) -> tuple[int, int]:
    """The balance of a movement's currency and the held units of its item, after it.

    Args:
        movement: What moves, as ``check_change`` lets it pass.
        user_id: Whose it is.
        balance: What the player has of the currency; any number where it moves none.
        units: What they hold of the item; likewise.

    Raises:
        MisuseError: The movement does not lead from these to what can be.
    """
    after = balance + movement.amount
    held = units + movement.quantity
    if not (0 <= after <= MOST_INT and 0 <= held <= MOST_INT) or (
        movement.currency is not None and after != movement.balance_after
    ):
        raise wrong_movement(movement, user_id, balance)
    return after, held


def check_change(change: ChangeSet[Any]) -> None:
    """Refuse what no store may take, whatever it holds: every provider asks this first.

    Raises:
        MisuseError: A player stands twice, a row is malformed, or a text or moment is none that every store
            can keep.
    """
    users = change.users
    if len(users) > 1 and len({user.user_id for user in users}) != len(users):
        raise MisuseError("each player stands once in a change: put the movements of one together")
    movements = [*change.system, *(movement for user in users for movement in user.movements)]
    for movement in movements:
        check_movement(movement)
    for text in _texts_of(change, movements):
        if text is not None and (type(text) is not str or UNSTORABLE_TEXT.search(text)):
            message = f"a change of {[user.user_id for user in users]} holds {text!r}: give a str without NUL"
            raise MisuseError(f"{message} and halves of surrogate pairs")
    for counter in change.counters:
        if type(counter.delta) is not int or abs(counter.delta) > MOST_INT:
            message = f"counter {counter.name} moves by whole numbers of 64 bits, not by {counter.delta!r}"
            raise MisuseError(message)
    if not LEAST_INT <= change.at_us <= MOST_INT:
        message = f"a change cannot have happened at {change.at_us}: a moment is a number of 64 bits"
        raise MisuseError(message)


def _texts_of(change: ChangeSet[Any], movements: list[Movement]) -> list[object]:
    """Everything of a change that is stored as a text."""
    texts: list[object] = [change.actor, change.reason]
    texts += [counter.name for counter in change.counters]
    for movement in movements:
        texts += (movement.item_id, movement.counterparty)
    for user in change.users:
        for value in (user.fields or {}).values():
            if isinstance(value, (dict, str)):
                texts += value if isinstance(value, dict) else (value,)
    return texts


def incomplete_movement(movement: Movement) -> MisuseError:
    """The refusal of a movement that ``is_incomplete``."""
    return MisuseError(f"an amount needs its currency, and a quantity its item: {movement}")


ENTRY_FIELDS: Final = ("kind", "currency", "amount", "item_id", "quantity", "counterparty")
"""What a caller says of a ledger row; the rest of it is computed."""


def entry_fault(row: Mapping[str, object]) -> str | None:
    """What is wrong with a ledger row as a caller wrote it, or None.

    Args:
        row: A value of any type for each of ``ENTRY_FIELDS``.
    """
    kind, currency, amount, item_id, quantity, counterparty = (row[name] for name in ENTRY_FIELDS)
    if not isinstance(kind, str) or kind not in KINDS:
        return f"{kind!r} is no kind of ledger row; there are {', '.join(KINDS)}"
    for name, number in (("amount", amount), ("quantity", quantity)):
        if type(number) is not int:
            return f"the {name} of a row is a whole number, not {number!r}"
    if currency not in (None, *CURRENCIES) or (currency is None and amount):
        return f"{amount} of {currency!r}: the currencies are {', '.join(CURRENCIES)}"
    if item_id is None and quantity:
        return f"a quantity of {quantity} without an item"
    for name, text in (("item_id", item_id), ("counterparty", counterparty)):
        if text is not None and not isinstance(text, str):
            return f"the {name} of a row is a text, not {text!r}"
    return None
