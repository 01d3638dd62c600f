"""What an act leaves in compiled code: ledger rows by the table of acts, and the player's numbers by name."""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from kokoromichi.core.providers.packed_ledger import CURRENCY_CODES, KIND_CODES
from kokoromichi.rules.acts import ACTS, OTHER, Row
from kokoromichi.rules.catalogue import EFFECTS
from kokoromichi.simulation import player_state
from kokoromichi.simulation.compiled.columns import NO, TRANSACTIONS, put

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PLACES: Final[dict[str, int]] = {
    name.lower(): place for name, place in vars(player_state).items() if isinstance(place, int)
}
_STORED: Final = {name for name, place in _PLACES.items() if place in player_state.STORED}
_CONSTANTS: Final = {
    **{name.upper(): place for name, place in _PLACES.items()},
    **{f"KIND_{kind}": code for kind, code in KIND_CODES.items()},
    **{f"IN_{name}": code for name, code in CURRENCY_CODES.items()},
    "NO": NO,
    "NOTHING": 0,
}
"""Numbers by name: for each literal in a call, compiled code would have another form of what is called."""


def booking(act: str) -> Callable[..., None]:
    """A function that books what an act's decision answered, and keeps what is so afterwards.

    It takes ``(columns, state, other, answer, item, item_of)``: the columns, the rows of the player who acts
    and of the other one (the same row where there is none), the answer, the item that the act is about, and
    the item of each effect. The first act of a player books the opening, which is their balance then. A
    field of the answer that a store knows of a player is written into their row.
    """
    lines = [
        "def book(columns, state, other, answer, item, item_of):",
        "    columns.counts[TRANSACTIONS] += 1",
        "    if state[JOINED] == 0:",
        "        state[JOINED] = 1",
        *_opening(),
        *(f"    {whose}_gold, {whose}_gems = {whose}[GOLD], {whose}[GEMS]" for whose in ("state", "other")),
    ]
    over_two = any(row.whose == OTHER for row in ACTS[act].rows)
    for row in ACTS[act].rows:
        lines += _row(row, over_two=over_two)
    fields: tuple[str, ...] = ACTS[act].answer._fields  # type: ignore[attr-defined] # Every answer is a named tuple.
    lines += [f"    state[{name.upper()}] = answer.{name}" for name in fields if name in _STORED]
    scope: dict[str, Any] = {**_CONSTANTS, "put": put, "TRANSACTIONS": TRANSACTIONS}
    exec("\n".join(lines), scope)  # noqa: S102 - made of the table alone
    made = scope["book"]
    assert isinstance(made, FunctionType)  # noqa: S101 - it has just been defined
    made.__name__ = f"book_{act}"
    return made


def _opening() -> Iterator[str]:
    """The lines that book an opening: before it there was nothing."""
    for row in ACTS["opening"].rows:
        balance = f"state[{row.currency.upper()}]"
        yield f"        if {balance} != 0:"
        yield (
            f"            put(columns, state[NOW_US], KIND_{row.kind}, state[PLAYER], IN_{row.currency}, "
            f"{balance}, {balance}, NO, NOTHING, NO)"
        )


def _row(row: Row, *, over_two: bool) -> Iterator[str]:
    """The lines that write one row, unless nothing moves."""
    mine, theirs = ("other", "state") if row.whose == OTHER else ("state", "other")
    amount = f"answer.{row.amount}" if row.amount else "NOTHING"
    units = f"answer.{row.units}" if row.units else "NOTHING"
    item = f"item_of[{EFFECTS[row.effect].number}]" if row.effect else "item"
    after = f"{mine}_{row.currency}" if row.currency else "NOTHING"
    other = f"{theirs}[PLAYER]" if over_two else "NO"
    yield f"    if {amount} != 0 or {units} != 0:"
    if row.currency:
        yield f"        {after} += {amount}"
    yield f"        moved = {item} if {units} != 0 else NO"
    yield (
        f"        put(columns, state[NOW_US], KIND_{row.kind}, {mine}[PLAYER], IN_{row.currency or None}, "
        f"{amount}, {after}, moved, {units}, {other})"
    )
