"""The activity recorder: what is noted comes back as a frame of the schema, null where nothing was said."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.core.clock import us_of
from kokoromichi.core.schemas import ACTIVITY_SCHEMA
from kokoromichi.simulation.activity import ActivityRecorder

START = datetime(2026, 1, 5, 12, tzinfo=timezone.utc)
START_US = us_of(START)

names = st.text("abcdefgh_", min_size=1, max_size=6)
acts = st.fixed_dictionaries(
    {
        "user_id": names,
        "session": st.integers(0, 1 << 40),
        "at": st.integers(0, 10**9).map(lambda us: START + timedelta(microseconds=us)),
        "act": names,
        "economy_hash": names,
        "code": st.none() | names,
        "outcome": st.none() | names,
    }
)


def test_nothing_noted_is_an_empty_frame_of_the_schema() -> None:
    recorder = ActivityRecorder()
    assert len(recorder) == 0
    frame = recorder.frame()
    assert frame.schema == ACTIVITY_SCHEMA
    assert frame.height == 0


def test_an_act_has_no_purse_and_a_choice_has() -> None:
    recorder = ActivityRecorder()
    recorder.record("p00007", 3, START_US, "battle", "0123456789abcdef", None, "won")
    recorder.record("p00007", 3, START_US + 1, "buy", "0123456789abcdef", "out_of_stock")
    recorder.record_choice("p00007", 3, START_US + 2, "fedcba9876543210", 0, "save", 0, 500, 7, [0, 2, 1])
    recorder.record_choice(
        "p00008", 4, START_US + 2, "fedcba9876543210", 3, "health_potion", 1 << 60, 0, 1, []
    )
    assert len(recorder) == 4
    frame = recorder.frame()
    assert frame.schema == ACTIVITY_SCHEMA
    us = timedelta(microseconds=1)
    nothing = (None,) * 5
    assert frame.rows() == [
        ("p00007", 3, START, "battle", None, None, "won", *nothing[:4], "0123456789abcdef"),
        ("p00007", 3, START + us, "buy", "out_of_stock", *nothing, None, "0123456789abcdef"),
        ("p00007", 3, START + 2 * us, "choice", None, 0, "save", 0, 500, 7, [0, 2, 1], "fedcba9876543210"),
        (
            "p00008",
            4,
            START + 2 * us,
            "choice",
            None,
            3,
            "health_potion",
            1 << 60,
            0,
            1,
            [],
            "fedcba9876543210",
        ),
    ]


def test_what_was_held_is_kept_as_it_was_then() -> None:
    recorder, held = ActivityRecorder(), [1, 0]
    recorder.record_choice("p00001", 0, START_US, "h", 0, "save", 10, 0, 1, held)
    held[0] = 9
    recorder.record_choice("p00001", 0, START_US, "h", 1, "save", 10, 0, 1, held)
    assert recorder.frame()["units_held"].to_list() == [[1, 0], [9, 0]]


def test_a_frame_can_be_taken_on_the_way() -> None:
    recorder = ActivityRecorder()
    recorder.record("p00001", 0, START_US, "session", "h")
    early = recorder.frame()
    recorder.record("p00001", 0, START_US, "claim", "h")
    assert early["act"].to_list() == ["session"]
    assert recorder.frame()["act"].to_list() == ["session", "claim"]


@given(rows=st.lists(acts, max_size=20))
def test_names_and_numbers_come_back_as_they_went_in(rows: list[dict[str, object]]) -> None:
    recorder = ActivityRecorder()
    for row in rows:
        at = row["at"]
        assert isinstance(at, datetime)
        recorder.record(**{name: value for name, value in row.items() if name != "at"}, at_us=us_of(at))  # type: ignore[arg-type]
    expected = pl.DataFrame(
        [{name: row.get(name) for name in ACTIVITY_SCHEMA} for row in rows], schema=ACTIVITY_SCHEMA
    )
    assert recorder.frame().equals(expected)
