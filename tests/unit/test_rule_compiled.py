"""Every rule is compiled by numba as it stands, and answers as plain Python does, up to the ends of int64.

Python's integers cannot overflow and those of 64 bits can: equal answers on adversarial numbers are the proof
that no rule leaves int64.
"""

from __future__ import annotations

from collections import namedtuple
from dataclasses import fields
from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kokoromichi.core.models import NEVER
from kokoromichi.rules import (
    battle,
    chest,
    daily,
    draws,
    exchange,
    holding,
    pricing,
    progress,
    purchase,
    summon,
    transfer,
)
from kokoromichi.rules.codes import MAX_BALANCE, NO_LIMIT
from kokoromichi.rules.sections import Battle

if TYPE_CHECKING:
    from collections.abc import Callable

    Rule = Callable[..., object]

numba = pytest.importorskip("numba", reason="numba (extra `fast`) is not installed: nothing to compile with")

MODULES = (battle, chest, daily, draws, exchange, holding, pricing, progress, purchase, summon, transfer)
NOT_COMPILED = {
    "rarity_thresholds",
    "widths",
}  # One builds a table, once per economy; the other is for people to read.
MAX_INT64 = 2**63 - 1
ODDS_PPM = (604_000, 250_000, 100_000, 30_000, 10_000, 5_000, 1_000)
TABLE = summon.rarity_thresholds(ODDS_PPM)

ANY = st.one_of(
    st.integers(-60, 60),
    st.sampled_from([-MAX_INT64 - 1, 10**18, MAX_BALANCE, MAX_BALANCE + 1, MAX_INT64]),
    st.integers(-MAX_INT64 - 1, MAX_INT64),
)
CAPPED = st.one_of(
    st.integers(0, 50_000), st.integers(MAX_BALANCE - 300, MAX_BALANCE), st.integers(0, MAX_BALANCE)
)
BALANCE = st.one_of(CAPPED, st.sampled_from([MAX_BALANCE + 1, MAX_INT64]), st.integers(0, MAX_INT64))
LIMIT = st.one_of(st.integers(0, 30), st.just(NO_LIMIT))
PERCENT = st.integers(0, 100)
TIME = st.one_of(st.integers(10**15, 10**15 + 10**11), st.integers(0, 4 * 10**15))
LAST = st.one_of(st.just(NEVER), TIME)
HOURS = st.integers(0, 8_760)
DRAW = st.one_of(st.sampled_from([0, 2**31, 2**32 - 1]), st.integers(0, 2**32 - 1))
LEVEL = st.one_of(st.integers(1, 60), st.integers(1, MAX_BALANCE))
XP = st.integers(0, 10**9)
HP = st.one_of(st.integers(0, 120), st.integers(0, 10**6))
PERMILLE = st.integers(0, 1_000)
SMALL = st.integers(0, 10**6)
FLAG = st.integers(0, 1)
DAY = st.integers(-1, 50_000)
CYCLE = st.tuples(CAPPED, CAPPED, CAPPED)
FIGHTER = st.builds(battle.Fighter, BALANCE, LEVEL, HP, LAST, LAST, DAY, CAPPED, CAPPED, CAPPED)
AIDS = st.builds(battle.Aids, CAPPED, CAPPED, CAPPED, PERCENT, FLAG)
Terms = namedtuple("Terms", [field.name for field in fields(Battle)][:11])  # type: ignore[misc] # numba takes no dataclass, and reads the same names of a tuple.
TERMS = st.builds(
    Terms,
    st.integers(0, 10**7),
    CAPPED,
    *(HP, HP, HP),
    *(PERMILLE, PERMILLE, PERMILLE, PERMILLE, PERMILLE),
    PERCENT,
)

ARGUMENTS: dict[Rule, tuple[st.SearchStrategy[object], ...]] = {
    battle.battle_cost_hp: (HP, PERCENT),
    battle.fight: (TIME, DRAW, FIGHTER, AIDS, LEVEL, CAPPED, XP, TERMS),
    battle.find_tier: (ANY, st.integers(0, 9)),
    battle.loss_xp: (XP, PERCENT, FLAG, CAPPED),
    battle.may_fight: (TIME, LAST, st.integers(0, 10**7), ANY, CAPPED, BALANCE),
    battle.prize_gold: (CAPPED, CAPPED, CAPPED),
    battle.regenerated_hp: (TIME, HP, LAST, HP, HP),
    battle.spend_hp: (HP, HP, HP, CAPPED, CAPPED),
    battle.win_permille: (LEVEL, LEVEL, PERMILLE, PERMILLE, PERMILLE, PERMILLE),
    chest.payout: (DRAW, CAPPED, st.just((20, 40, 80, 150, 300)), st.just((55, 30, 11, 3, 1))),
    daily.claim: (TIME, LAST, CAPPED, BALANCE, BALANCE, CYCLE, CYCLE, HOURS),
    daily.counted_today: (DAY, DAY, BALANCE),
    daily.day_of: (TIME,),
    daily.next_claim_us: (LAST,),
    daily.streak_ends_us: (LAST, HOURS),
    draws.below: (DRAW, st.integers(1, 2**46)),
    exchange.gems_for_gold: (BALANCE, BALANCE, ANY, ANY, ANY),
    holding.list_worth_gold: (BALANCE, BALANCE),
    holding.paid_with: (BALANCE, CAPPED),
    holding.share_gold: (st.integers(1, MAX_INT64) | st.integers(1, 30), BALANCE, BALANCE),
    pricing.fee_gold: (BALANCE, PERCENT),
    pricing.percent_of: (CAPPED, CAPPED),
    pricing.percent_up: (CAPPED, CAPPED),
    pricing.resale_gold: (CAPPED, CAPPED),
    pricing.train_cost_gold: (LEVEL, CAPPED, PERMILLE),
    progress.add_xp: (LEVEL, CAPPED, ANY, st.integers(1, 10**9)),
    progress.collect: (TIME, TIME, CAPPED, HOURS, PERCENT),
    progress.invest: (BALANCE, ANY, FLAG),
    progress.train: (BALANCE, LEVEL, CAPPED, CAPPED, PERMILLE, XP, CAPPED, st.integers(1, 10**9)),
    purchase.activate: (TIME, LAST, CAPPED),
    purchase.gift: (BALANCE, BALANCE, ANY, LIMIT),
    purchase.give_item: (BALANCE, ANY, LIMIT),
    purchase.purchase: (BALANCE, BALANCE, ANY, ANY, LIMIT),
    purchase.restocked: (CAPPED, CAPPED, CAPPED),
    purchase.sell: (BALANCE, BALANCE, BALANCE, CAPPED, ANY, CAPPED),
    purchase.take_item: (BALANCE, ANY),
    summon.character_of: (DRAW, st.integers(1, 2**46)),
    summon.guaranteed_rarity: (st.integers(0, TABLE[2] - 1), st.just(3), st.just(TABLE)),
    summon.keep_or_shard: (FLAG, BALANCE, CAPPED),
    summon.pay_pulls: (BALANCE, st.one_of(ANY, st.sampled_from([1, 10])), CAPPED, CAPPED),
    summon.pull: (DRAW, SMALL, st.integers(1, 10**6), st.integers(0, 6), st.just(TABLE)),
    summon.rarity_of: (DRAW, st.just(TABLE)),
    summon.ring_bell: (SMALL, st.integers(1, 10**6), CAPPED),
    transfer.credit: (BALANCE, ANY),
    transfer.debit: (BALANCE, ANY),
    transfer.send: (BALANCE, BALANCE, ANY, PERCENT, CAPPED, CAPPED),
}
"""What each rule promises to take: balances up to int64 (an import may), any quantity and amount."""


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
    """List the integers of an answer: itself, or those of a flat tuple."""
    return [int(number) for number in value] if isinstance(value, tuple) else [int(cast("int", value))]


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

    @settings(max_examples=300, deadline=None)
    @given(st.tuples(*ARGUMENTS[rule]))
    def agree(arguments: tuple[object, ...]) -> None:
        plain = integers_in(rule(*arguments))
        assert integers_in(fast(*arguments)) == plain
        assert all(-MAX_INT64 - 1 <= number <= MAX_INT64 for number in plain)

    agree()


def test_tables_may_be_arrays() -> None:
    thresholds = np.array(TABLE, dtype=np.int64)
    fast = compiled(summon.pull)
    draws = range(0, 2**32, 2**22 + 1)
    plain = [summon.pull(draw, 59, 60, 3, TABLE) for draw in draws]
    assert [fast(draw, 59, 60, 3, thresholds) for draw in draws] == plain
    assert [summon.pull(draw, 59, 60, 3, thresholds) for draw in draws] == plain  # type: ignore[arg-type]
