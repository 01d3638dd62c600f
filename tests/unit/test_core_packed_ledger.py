"""Rows that are packed come back as they were."""

from __future__ import annotations

from typing import Final

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from kokoromichi.core.clock import moment_of
from kokoromichi.core.kinds import CURRENCIES, KINDS
from kokoromichi.core.providers import packed_ledger
from kokoromichi.core.providers.packed_ledger import (
    CURRENCY_CODES,
    KIND_CODES,
    NULL,
    PackedLedger,
    PackedRow,
    TxNote,
)
from kokoromichi.core.schemas import LEDGER_SCHEMA

INT64: Final = st.integers(-(2**63), 2**63 - 1)
NAMES: Final = st.sampled_from(["ada", "bo", "system", "lucky_charm", "é ☃", "x"])
NOTES: Final = st.none() | st.tuples(
    st.none() | st.just("r-"), st.none() | NAMES, st.none() | st.text(max_size=9), st.none() | NAMES
)
MOVES: Final = st.lists(
    st.tuples(
        st.integers(0, 2**52),
        st.sampled_from(sorted(KINDS)),
        NAMES,
        st.sampled_from([None, *CURRENCIES]),
        INT64,
        INT64,
        st.none() | NAMES,
        INT64,
        NOTES,
    ),
    max_size=25,
)
Move = tuple[
    int,
    str,
    str,
    "str | None",
    int,
    int,
    "str | None",
    int,
    "tuple[str | None, str | None, str | None, str | None] | None",
]


def packed(moves: list[Move]) -> tuple[PackedLedger, list[dict[str, object]]]:
    """A ledger with one transaction for each move, and the rows it must answer."""
    ledger, wanted = PackedLedger(), []
    for number, (at_us, kind, user, currency, amount, after, item, quantity, note) in enumerate(moves):
        tx = number + 1
        item_code = NULL if item is None else ledger.code(item)
        row = (
            KIND_CODES[kind],
            ledger.code(user),
            CURRENCY_CODES[currency],
            amount,
            after,
            item_code,
            quantity,
        )
        ledger.append(PackedRow(tx, at_us, *row))
        request_id, actor, reason, other = note or (None, None, None, None)
        if note is not None:
            others = {} if other is None else {number: other}
            ledger.notes[tx] = TxNote(request_id and f"{request_id}{tx}", actor, reason, others)
        wanted.append(
            {
                "entry_id": f"{number:016d}",
                "tx_id": f"{tx:012d}",
                "at": moment_of(at_us),
                "book": KINDS[kind].book,
                "kind": kind,
                "user_id": user,
                "currency": currency,
                "amount": amount if currency else None,
                "balance_after": after if currency else None,
                "item_id": item,
                "quantity": quantity if item else None,
                "counterparty": other,
                "actor": actor or user,
                "request_id": f"{request_id}{tx}" if request_id else f"~{tx:012d}",
                "reason": reason,
            }
        )
    return ledger, wanted


@given(MOVES)
def test_rows_come_back_as_frames_and_as_records(moves: list[Move]) -> None:
    ledger, wanted = packed(moves)
    frames = list(ledger.frames())
    frame = pl.concat(frames) if frames else pl.DataFrame(schema=LEDGER_SCHEMA)
    assert_frame_equal(frame, pl.DataFrame(wanted, LEDGER_SCHEMA))
    assert [entry.model_dump() for entry in ledger.newest_first()] == wanted[::-1]
    assert len(ledger) == len(moves)


@given(MOVES, st.integers(0, 5))
def test_rows_that_are_cut_are_answered_newest_first_and_gone(moves: list[Move], rows: int) -> None:
    ledger, wanted = packed(moves)
    mine = [PackedRow(len(moves) + 1, 0, KIND_CODES["grant"], 0, 0, 1, row, NULL, 0) for row in range(rows)]
    for row in mine:
        ledger.append(row)
    assert ledger.cut(len(moves) + 1) == mine[::-1]
    assert len(ledger) == len(moves)
    assert [entry.model_dump() for entry in ledger.newest_first()] == wanted[::-1]


def test_a_name_has_one_code() -> None:
    ledger = PackedLedger()
    assert [ledger.code(name) for name in ("a", "b", "a", "c", "b")] == [0, 1, 0, 2, 1]


@pytest.mark.parametrize("rows", [1, 3, 4, 8])
def test_frames_have_a_bounded_size_and_notes_stay_with_their_rows(
    monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(packed_ledger, "_FRAME_ROWS", rows)
    moves: list[Move] = [
        (at, "transfer", "ada", "gold", -at, at, None, 0, ("r-", "root", "why", f"p{at}")) for at in range(10)
    ]
    ledger, wanted = packed(moves)
    frames = list(ledger.frames())
    assert [frame.height for frame in frames] == [min(rows, 10 - first) for first in range(0, 10, rows)]
    assert_frame_equal(pl.concat(frames), pl.DataFrame(wanted, LEDGER_SCHEMA))
