"""The table of acts is true: codes, balances and rows of every decision, over adversarial numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from kokoromichi.core.kinds import CURRENCIES, KINDS
from kokoromichi.rules.acts import ACTOR, ACTS, OTHER, Act
from kokoromichi.rules.codes import OK
from tests.unit.rule_arguments import ARGUMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable


def amounts(answer: tuple[int, ...], act: Act) -> list[int]:
    """Every signed amount and count of an answer, in the order of the act's rows."""
    return [getattr(answer, field) for row in act.rows for field in (row.amount, row.units) if field]


def fields_of(act: Act) -> Iterable[str]:
    return cast("tuple[str, ...]", act.answer._fields)  # type: ignore[attr-defined] # Every answer is a named tuple.


@pytest.mark.parametrize("act", ACTS.values(), ids=list(ACTS))
def test_an_act_books_what_its_answer_holds_in_kinds_that_there_are(act: Act) -> None:
    assert next(iter(fields_of(act))) == "code"
    for row in act.rows:
        assert row.kind in KINDS
        assert row.whose in (ACTOR, OTHER)
        assert bool(row.currency) == bool(row.amount)
        assert row.currency in ("", *CURRENCIES)
        assert {row.amount, row.units} - {""} <= set(fields_of(act))


@pytest.mark.parametrize("act", ACTS.values(), ids=list(ACTS))
def test_a_decision_answers_each_of_its_codes_and_a_refusal_books_nothing(act: Act) -> None:
    met: set[object] = set()

    @settings(max_examples=100, deadline=None, database=None)
    @given(st.tuples(*ARGUMENTS[act.decide]))
    def answers(arguments: tuple[object, ...]) -> None:
        answer = act.decide(*arguments)
        met.add(answer[0])
        assert answer[0] in act.codes
        assert answer[0] == OK or not any(amounts(answer, act))

    for turn in range(10):  # Most acts have answered all of them after the first hundred.
        if met != set(act.codes):
            seed(turn)(answers)()
    assert met == set(act.codes)
