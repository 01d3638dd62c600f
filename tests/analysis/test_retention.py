"""Retention and balances by age, against examples that are counted by hand."""

from __future__ import annotations

import pytest

from kokoromichi.analysis.metrics.presence import active_days, presence
from kokoromichi.analysis.metrics.retention import cohort_balances, retention
from tests.analysis.books import Book, activity, day, players


def days_of(book: Book, user: str, *numbers: int) -> None:
    """Let a player claim on the days given."""
    for number in numbers:
        book.move(number, user, "daily", 10)


def arrivals() -> Book:
    """Three players over days 0 to 9: one plays on, one stops after a day, one comes on day 4."""
    book = Book()
    days_of(book, "ada", 0, 2, 7, 9)
    days_of(book, "bo", 0, 1)
    days_of(book, "cy", 4, 5, 6)
    return book


def test_retention_rolls_and_is_classic() -> None:
    # D1: all three; Ada (last active: day 9), Bo (day 1) and Cy (day 6) have not left; Bo and Cy are active.
    # D7: Cy came on day 4 and is observed for 5 days only; Ada is active on day 7; Bo had left by then.
    # D30: nobody is observed for that long.
    assert retention(arrivals().observations()).collect().rows() == [
        (1, 3, 3, 2, None, 1.0, pytest.approx(2 / 3), None),
        (7, 2, 1, 1, None, 0.5, 0.5, None),
    ]


def test_where_leaving_is_recorded_who_has_not_left_is_retained() -> None:
    left = activity([(1, "bo", "leave", None), (3, "bo", "return", None), (6, "cy", "leave", None)])
    table = retention(arrivals().observations(activity=left)).collect()
    # Bo came back on day 3, and Cy left on day 6, after day 5, which was Cy's D1.
    assert table.select("age_days", "players", "stayed", "active", "present").rows() == [
        (1, 3, 3, 2, 3),
        (7, 2, 2, 1, 2),
    ]


def test_who_is_away_on_the_day_is_not_present_also_when_coming_back_later() -> None:
    turns = activity(
        [
            (0, "ada", "leave", None),
            (1, "ada", "return", None),
            (6, "bo", "leave", None),
            (8, "bo", "return", None),
        ]
    )
    table = retention(arrivals().observations(activity=turns)).collect()
    # D1: Ada left at the end of day 0 and is away on day 1. D7: Ada is back; Bo is away on day 7 until day 8.
    assert table.select("players", "stayed", "present", "present_share").rows() == [
        (3, 3, 2, pytest.approx(2 / 3)),
        (2, 2, 1, 0.5),
    ]


def test_a_session_without_a_movement_is_an_active_day() -> None:
    sessions = activity([(7, "bo", "session", None), (7, "bo", "buy", "too_poor")])
    table = retention(arrivals().observations(activity=sessions)).collect()
    assert table.select("age_days", "stayed", "active").rows() == [(1, 3, 2), (7, 2, 2)]
    assert table["present"].to_list() == [None, None]  # A stream without a leaving does not record leaving.


def test_a_player_counts_whose_age_falls_on_the_last_day() -> None:
    book = Book()
    days_of(book, "ada", 0, 1)
    assert retention(book.observations()).collect().select("age_days", "players", "active").rows() == [
        (1, 1, 1)
    ]


def test_active_days_are_days_with_an_act_of_ones_own() -> None:
    book = Book().opening(0, "ada").opening(0, "bo").transfer(3, "ada", "bo", 100, 5)
    observations = book.observations(
        activity=activity([(5, "bo", "choice", None), (6, "bo", "leave", None), (8, "bo", "return", None)])
    )
    found = active_days(observations).collect().sort("user_id", "day").rows()
    assert found == [("ada", day(0)), ("ada", day(3)), ("bo", day(0)), ("bo", day(5))]


def test_presence_of_a_player_whom_only_others_moved() -> None:
    book = Book().move(2, "ada", "import", 500, actor="system").move(4, "ada", "grant", 1, actor="admin")
    assert presence(book.observations()).collect().rows() == [("ada", day(2), day(2), True)]


def test_cohort_balances_by_age() -> None:
    # Ada: 100 at age 0, 100 at 1, 150 at 2. Bo, two days later: 300 at age 0, the last day.
    book = Book().move(0, "ada", "opening", 100).move(2, "ada", "daily", 50).move(2, "bo", "opening", 300)
    table = cohort_balances(book.observations(players=players({"ada": "casual", "bo": "whale"}))).collect()
    assert table.rows() == [
        ("all", 0, 2, pytest.approx(120), 200, pytest.approx(280)),
        ("all", 1, 1, 100, 100, 100),
        ("all", 2, 1, 150, 150, 150),
        ("casual", 0, 1, 100, 100, 100),
        ("casual", 1, 1, 100, 100, 100),
        ("casual", 2, 1, 150, 150, 150),
        ("whale", 0, 1, 300, 300, 300),
    ]


def test_cohort_balances_of_gems_without_archetypes() -> None:
    book = Book().opening(0, "ada").exchange(1, "ada", 4_000, 100)
    table = cohort_balances(book.observations(), currency="gems").collect()
    assert table.select("archetype", "age_days", "p50").rows() == [
        ("all", 0, 100), ("all", 1, 200),
    ]  # fmt: skip
