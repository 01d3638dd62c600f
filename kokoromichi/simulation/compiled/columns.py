"""What a run leaves, as columns of codes, filled in step; the engine takes them over when they are full."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from kokoromichi.rules.codes import OK
from kokoromichi.simulation.player_state import (
    GOLD,
    HOLD_GOLD,
    LEVEL,
    NOW_US,
    OUTCOME,
    PLAYER,
    SESSION_ID,
    SLOT,
)

IntArray: TypeAlias = Any
"""An array of integers; Any, because a rule takes it for a list of them, which numpy's types forbid."""

# Places of ``Columns.counts``.
ROWS: Final = 0
TRANSACTIONS: Final = 1
"""So far in the run; the others count what the columns hold, but for sessions."""
NOTES: Final = 2
CHOICES: Final = 3
SESSIONS: Final = 4
COUNTS: Final = 5

NO: Final = -1
"""No currency, no item, no other player: null in a frame."""

LEDGER_TYPES: Final[dict[str, type[np.signedinteger[Any]]]] = {
    "tx": np.int64,
    "at_us": np.int64,
    "kind": np.int8,
    "user": np.int32,
    "currency": np.int8,
    "amount": np.int64,
    "balance_after": np.int64,
    "item": np.int32,
    "quantity": np.int64,
    "other": np.int32,
}
"""Columns of the ledger, in the order of ``put``, and how narrow they may be kept: 53 bytes a row."""
KIND: Final = list(LEDGER_TYPES).index("kind")
ACTIVITY_TYPES: Final[dict[str, type[np.signedinteger[Any]]]] = {
    "user": np.int32,
    "session": np.int64,
    "at_us": np.int64,
    "act": np.int8,
    "code": np.int8,
    "slot": np.int8,
    "outcome": np.int32,
    "gold": np.int64,
    "hold_gold": np.int64,
    "level": np.int64,
    "choice": np.int64,
}
"""Columns of the activity, in the order of ``note``; ``choice`` is a row of ``units_held``."""


class Columns(NamedTuple):
    """Ledger and activity of codes, a row behind the other: of four arrays compiled code passes few words on.

    Attributes:
        counts: How much of what there is, by the places above.
        ledger: [row, column of ``LEDGER_TYPES``].
        activity: [row, column of ``ACTIVITY_TYPES``].
        units_held: [choice, item].
    """

    counts: IntArray
    ledger: IntArray
    activity: IntArray
    units_held: IntArray


def new_columns(rows: int, items: int) -> Columns:
    """Empty columns that hold so many ledger rows, half as much activity more, and a choice for each row."""
    return Columns(
        np.zeros(COUNTS, np.int64),
        np.zeros((rows, len(LEDGER_TYPES)), np.int64),
        np.zeros((rows + rows // 2, len(ACTIVITY_TYPES)), np.int64),
        np.zeros((rows, items), np.int32),
    )


def put(
    columns: Columns,
    at_us: int,
    kind: int,
    user: int,
    currency: int,
    amount: int,
    balance_after: int,
    item: int,
    quantity: int,
    other: int,
) -> None:
    """Write one ledger row of the present transaction."""
    place = columns.counts[ROWS]
    row = columns.ledger[place]
    row[0] = columns.counts[TRANSACTIONS]
    row[1] = at_us
    row[2] = kind
    row[3] = user
    row[4] = currency
    row[5] = amount
    row[6] = balance_after
    row[7] = item
    row[8] = quantity
    row[9] = other
    columns.counts[ROWS] = place + 1


def note(columns: Columns, state: IntArray, act: int, code: int, outcome: int) -> None:
    """Write one activity row."""
    place = columns.counts[NOTES]
    row = columns.activity[place]
    row[0] = state[PLAYER]
    row[1] = state[SESSION_ID]
    row[2] = state[NOW_US]
    row[3] = act
    row[4] = code
    row[5] = NO
    row[6] = outcome
    row[7] = NO
    row[8] = NO
    row[9] = NO
    row[10] = NO
    columns.counts[NOTES] = place + 1


def note_choice(columns: Columns, state: IntArray, act: int, held: IntArray) -> None:
    """Write a choice with what it was made from."""
    row, choice = columns.activity[columns.counts[NOTES]], columns.counts[CHOICES]
    note(columns, state, act, OK, state[OUTCOME])
    row[5] = state[SLOT] - 1
    row[7] = state[GOLD]
    row[8] = state[HOLD_GOLD]
    row[9] = state[LEVEL]
    row[10] = choice
    units = columns.units_held[choice]
    for item in range(len(held)):
        units[item] = held[item]
    columns.counts[CHOICES] = choice + 1
