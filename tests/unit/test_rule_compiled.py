"""Every rule is compiled by numba as it stands, and answers as plain Python does, up to the ends of int64.

Python's integers cannot overflow and those of 64 bits can: equal answers on adversarial numbers are the proof
that no rule leaves int64.
"""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.rules import (
    battle,
    collection,
    daily,
    draws,
    exchange,
    fight,
    grant,
    holding,
    moments,
    pricing,
    progress,
    purchase,
    stock,
    summon,
    transfer,
    use,
)
from tests.unit.rule_arguments import ARGUMENTS, MAX_INT64, TABLE

if TYPE_CHECKING:
    from tests.unit.rule_arguments import Rule

numba = pytest.importorskip("numba", reason="numba (extra `fast`) is not installed: nothing to compile with")

MODULES = (
    *(battle, collection, daily, draws, exchange),
    *(fight, grant, holding, moments, pricing),
    *(progress, purchase, stock, summon, transfer, use),
)
NOT_COMPILED = {
    "rarity_thresholds",
    "lucky_draws",
    "next_widths",
    "total_gold",
    "widths",
}  # One builds a table, once per economy; the others are for people to read.


@cache
def compiled(rule: Rule) -> Rule:
    """Compile a rule, and the rules it calls, from the very code that plain Python runs."""
    function = cast("FunctionType", rule)
    names = dict(function.__globals__)
    for name in function.__code__.co_names:
        if isinstance(names.get(name), FunctionType):
            names[name] = compiled(names[name])
    return cast("Rule", numba.njit(FunctionType(function.__code__, names, function.__name__)))


def name_of(rule: Rule) -> str:
    return cast("FunctionType", rule).__name__


def integers_in(value: object) -> list[int]:
    """List the integers of an answer: itself, or those of a tuple or an array."""
    if isinstance(value, (tuple, np.ndarray)):
        return [number for each in value for number in integers_in(each)]
    return [int(cast("int", value))]


def test_every_rule_is_in_the_table() -> None:
    public = {
        rule
        for module in MODULES
        for name, rule in vars(module).items()
        if isinstance(rule, FunctionType) and rule.__module__ == module.__name__ and name not in NOT_COMPILED
    }
    assert public == set(ARGUMENTS)


@pytest.mark.parametrize("rule", ARGUMENTS, ids=name_of)
def test_compiled_and_plain_answers_are_equal(rule: Rule) -> None:
    fast = compiled(rule)

    @given(st.tuples(*ARGUMENTS[rule]))
    def agree(arguments: tuple[object, ...]) -> None:
        given_fast, given_plain = deepcopy(arguments), deepcopy(arguments)
        plain = integers_in(rule(*given_plain))
        assert integers_in(fast(*given_fast)) == plain
        assert all(-MAX_INT64 - 1 <= number <= MAX_INT64 for number in plain)
        for wrote, meant in zip(given_fast, given_plain, strict=True):
            assert not isinstance(meant, np.ndarray) or integers_in(wrote) == integers_in(meant)

    agree()


def test_tables_may_be_arrays() -> None:
    thresholds = np.array(TABLE, dtype=np.int64)
    fast = compiled(summon.pull)
    draws = range(0, 2**32, 2**22 + 1)
    plain = [summon.pull(draw, 59, 60, 3, TABLE) for draw in draws]
    assert [fast(draw, 59, 60, 3, thresholds) for draw in draws] == plain
    assert [summon.pull(draw, 59, 60, 3, thresholds) for draw in draws] == plain  # type: ignore[arg-type]
