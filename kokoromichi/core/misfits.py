"""What every provider says of a change that does not fit what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kokoromichi.core.errors import ConflictError, MisuseError
from kokoromichi.core.models import SET_FIELDS, Movement, UserChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


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


def refuse_twins(users: Sequence[UserChange]) -> None:
    """Refuse a change in which a player stands twice: which version would the second one build on?

    Raises:
        MisuseError: One does.
    """
    if len({user.user_id for user in users}) != len(users):
        raise MisuseError("each player stands once in a change: put the movements of one together")


def half_row(movement: Movement) -> MisuseError:
    """The refusal of a movement that ``is_half``."""
    return MisuseError(f"an amount needs its currency, and a quantity its item: {movement}")
