"""What a run leaves, as columns of codes, filled in step; the engine takes them over when they are full."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from kokoromichi.simulation.player_state import GOLD, HOLD_GOLD, NOW_US, OUTCOME, PLAYER, SESSION_ID, SLOT

IntArray = npt.NDArray[np.int64]

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
"""Columns of the ledger: 53 bytes a row."""
ACTIVITY_TYPES: Final[dict[str, type[np.signedinteger[Any]]]] = {
    "note_user": np.int32,
    "note_session": np.int64,
    "note_at_us": np.int64,
    "note_act": np.int8,
    "note_code": np.int8,
    "note_slot": np.int8,
    "note_outcome": np.int32,
    "note_gold": np.int64,
    "note_hold_gold": np.int64,
    "note_choice": np.int64,
}
"""Columns of the activity; ``note_choice`` is a row of ``units_held``."""


class Columns(NamedTuple):
    """Ledger and activity of codes; a name of ``LEDGER_TYPES`` or ``ACTIVITY_TYPES`` is one column.

    Attributes:
        counts: How much of what there is, by the places above.
        units_held: [choice, item].
    """

    counts: IntArray
    tx: IntArray
    at_us: IntArray
    kind: IntArray
    user: IntArray
    currency: IntArray
    amount: IntArray
    balance_after: IntArray
    item: IntArray
    quantity: IntArray
    other: IntArray
    note_user: IntArray
    note_session: IntArray
    note_at_us: IntArray
    note_act: IntArray
    note_code: IntArray
    note_slot: IntArray
    note_outcome: IntArray
    note_gold: IntArray
    note_hold_gold: IntArray
    note_choice: IntArray
    units_held: IntArray


def new_columns(rows: int, items: int) -> Columns:
    """Empty columns that hold so many ledger rows, half as much activity more, and a choice for each row."""
    return Columns(
        counts=np.zeros(COUNTS, np.int64),
        **{name: np.zeros(rows, dtype) for name, dtype in LEDGER_TYPES.items()},  # type: ignore[arg-type] # Narrow columns hold what wide ones do.
        **{name: np.zeros(rows + rows // 2, dtype) for name, dtype in ACTIVITY_TYPES.items()},  # type: ignore[arg-type] # As above.
        units_held=np.zeros((rows, items), np.int32),  # type: ignore[arg-type] # As above.
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
    row = columns.counts[ROWS]
    columns.tx[row] = columns.counts[TRANSACTIONS]
    columns.at_us[row] = at_us
    columns.kind[row] = kind
    columns.user[row] = user
    columns.currency[row] = currency
    columns.amount[row] = amount
    columns.balance_after[row] = balance_after
    columns.item[row] = item
    columns.quantity[row] = quantity
    columns.other[row] = other
    columns.counts[ROWS] = row + 1


def note(columns: Columns, state: IntArray, act: int, code: int, outcome: int) -> None:
    """Write one activity row."""
    row = columns.counts[NOTES]
    columns.note_user[row] = state[PLAYER]
    columns.note_session[row] = state[SESSION_ID]
    columns.note_at_us[row] = state[NOW_US]
    columns.note_act[row] = act
    columns.note_code[row] = code
    columns.note_slot[row] = NO
    columns.note_outcome[row] = outcome
    columns.note_gold[row] = NO
    columns.note_hold_gold[row] = NO
    columns.note_choice[row] = NO
    columns.counts[NOTES] = row + 1


def note_choice(columns: Columns, state: IntArray, act: int, held: IntArray) -> None:
    """Write a choice with what it was made from."""
    row, choice = columns.counts[NOTES], columns.counts[CHOICES]
    note(columns, state, act, 0, state[OUTCOME])
    columns.note_slot[row] = state[SLOT] - 1
    columns.note_gold[row] = state[GOLD]
    columns.note_hold_gold[row] = state[HOLD_GOLD]
    columns.note_choice[row] = choice
    units = columns.units_held[choice]
    for item in range(len(held)):
        units[item] = held[item]
    columns.counts[CHOICES] = choice + 1
