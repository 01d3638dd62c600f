"""Every decision is compiled by numba as it stands, and decides as plain Python does.

Equal answers at the ends of the ranges are the proof that no decision leaves int64.
"""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kokoromichi.core.models import DAY_US, NEVER
from kokoromichi.rules.codes import MAX_BALANCE, NO_LIMIT
from kokoromichi.rules.economy import load_economy
from kokoromichi.settings import shipped_folder
from kokoromichi.simulation import decisions, demand, presence, streams, weights
from kokoromichi.simulation.demand import SERVICES, Buyer
from kokoromichi.simulation.population import Population
from kokoromichi.simulation.price_list import build_price_list
from tests.simulation.compiling import as_array, compiled

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    Decision = Callable[..., object]

NOT_COMPILED = {
    "session_thresholds",
    "_poisson_thresholds",
    "hour_table",
    "stream_key",
    "draw",
    "draws",
    "exponential_weights",
    "purse_of_bucket",
}
"""They build a table once a run; and the draws have a form for numpy of their own."""

ECONOMY = load_economy(shipped_folder("data"))
POPULATION = Population.load("default")
DEAR = ECONOMY.with_values({"store.*.price_gold": MAX_BALANCE, "store.*.limit": 10**9})
ITEMS = len(ECONOMY.catalogue)
ALTERNATIVES = ITEMS + SERVICES
LISTS = [build_price_list(POPULATION, economy) for economy in (ECONOMY, DEAR)]
TABLE = presence.session_thresholds([0.8, 2.2], [0, 0], [60, 100], [100] * 7)
HOURS = presence.hour_table(POPULATION.hour_weights)

DRAW = st.one_of(st.sampled_from([0, 2**31, 2**32 - 1]), st.integers(0, 2**32 - 1))
GOLD = st.one_of(st.integers(0, 60_000), st.sampled_from([MAX_BALANCE, 2**62]))
ROOM = st.integers(0, 20_000)
PRICE = st.one_of(st.integers(0, 100_000), st.just(MAX_BALANCE))
UNITS = st.one_of(st.integers(0, 9), st.integers(0, 10**9))
PERMILLE = st.integers(0, 1_000)
DAY = st.integers(0, 400)
FLAG = st.integers(0, 1)
WHO = st.integers(0, len(POPULATION.archetypes) - 1)
BUSINESS = st.integers(-1, 4)
TABLES = st.sampled_from(LISTS)
ITEM = st.integers(0, ITEMS - 1)


def row(values: st.SearchStrategy[int], length: int = ITEMS) -> st.SearchStrategy[list[int]]:
    return st.lists(values, min_size=length, max_size=length)


HELD = row(UNITS)
STOCK = row(st.sampled_from([-1, -1, 0, 3]))
FLAGS = row(FLAG)
BUYER = st.builds(Buyer, WHO, GOLD, PRICE, st.integers(0, 10**6), BUSINESS)
SUMS = st.just([0] * ALTERNATIVES)
RISING = st.lists(st.integers(1, 2**26), min_size=ALTERNATIVES, max_size=ALTERNATIVES).map(
    lambda each: [weights.SAVE_WEIGHT + sum(each[: place + 1]) for place in range(ALTERNATIVES)]
)

ARGUMENTS: dict[Decision, tuple[st.SearchStrategy[object], ...]] = {
    presence.arrival_day: (DRAW, DRAW, st.integers(0, 100), st.integers(0, 365)),
    presence.threshold_row: (FLAG, FLAG, st.just(2), DAY),
    presence.sessions_of_day: (DRAW, st.just(TABLE), st.integers(0, 27).map(lambda place: 4 * place), DAY),
    presence.place_sessions: (
        st.just([0] * 4),
        st.integers(0, 4),
        row(DRAW, 8),
        st.just(2),
        row(DRAW, 160),
        st.just(0),
        st.just(HOURS),
    ),
    presence.streak_lapsed: (
        st.integers(0, 9),
        st.one_of(st.just(NEVER), st.integers(0, 10**16)),
        st.integers(1, 99).map(lambda day: day * DAY_US),
        st.integers(1, 8_760),
    ),
    presence.leave_chance: (st.integers(0, 10**6), DAY, DAY, DAY, DAY, FLAG),
    presence.happens: (DRAW, st.integers(0, 10**6)),
    weights.purse_bucket: (GOLD,),
    weights.scale_weight: (st.integers(0, 2**26), st.integers(0, 2**32)),
    weights.train_step: (PRICE, st.integers(1, 10**6)),
    demand.next_business: (row(PRICE, 5), row(FLAG, 5)),
    demand.weights_row: (TABLES, WHO, GOLD),
    demand.business_weight: (
        TABLES,
        BUYER,
        st.integers(0, 8 * 130 - 1).map(lambda place: place * ALTERNATIVES),
    ),
    demand.weigh: (SUMS, TABLES, BUYER, HELD, STOCK),
    demand.choose: (DRAW, RISING),
    demand.units_wanted: (TABLES, ITEM, UNITS, st.integers(-1, 10**9), GOLD, ROOM),
    demand.trainings_wanted: (PRICE, GOLD, ROOM),
    demand.hold_gold: (ROOM, st.integers(0, 100), PRICE),
    demand.goal_price_gold: (TABLES, st.one_of(st.integers(-1, ITEMS - 1), st.just(demand.BUSINESS)), FLAG),
    demand.goal_stands: (
        TABLES,
        st.one_of(st.integers(-1, ITEMS - 1), st.just(demand.BUSINESS)),
        DAY,
        HELD,
        BUSINESS,
    ),
    demand.draw_goal: (DRAW, SUMS, TABLES, BUYER, HELD, FLAG),
    demand.draw_wish: (DRAW, SUMS, TABLES, WHO, HELD),
    decisions.choose_tier: (
        st.integers(1, 10_000),
        PERMILLE,
        row(st.integers(1, 10**6), 7),
        *(PERMILLE,) * 4,
    ),
    decisions.first_held: (HELD, FLAGS),
    decisions.items_to_use: (SUMS, HELD, FLAGS, FLAGS, FLAG, st.integers(0, 12)),
    decisions.takes_mana: (st.integers(0, 12), UNITS),
    decisions.wants_ten_pull: (GOLD, PRICE),
    decisions.wants_collecting: (st.integers(0, 5), st.integers(0, 10**16)),
    decisions.surplus_item: (HELD, HELD, FLAGS),
    decisions.item_to_sell: (DRAW, GOLD, HELD, HELD, FLAGS),
    decisions.transfer_gold: (DRAW, PERMILLE, st.integers(0, MAX_BALANCE), ROOM),
    decisions.ring_transfer_gold: (ROOM, ROOM, GOLD, ROOM),
    decisions.gift_item: (DRAW, PERMILLE, HELD, HELD, FLAGS),
    decisions.draw_receiver: (DRAW, ITEM, FLAGS),
}


def name_of(decision: Decision) -> str:
    return cast("FunctionType", decision).__name__


def test_every_decision_is_in_the_table() -> None:
    public = {
        decision
        for module in (streams, presence, weights, demand, decisions)
        for name, decision in vars(module).items()
        if isinstance(decision, FunctionType)
        and decision.__module__ == module.__name__
        and name not in NOT_COMPILED
    }
    assert public == set(ARGUMENTS)


@pytest.mark.parametrize("decision", ARGUMENTS, ids=name_of)
def test_compiled_and_plain_decisions_are_equal(decision: Decision) -> None:
    fast = compiled(decision)

    @settings(max_examples=100)
    @given(st.tuples(*ARGUMENTS[decision]))
    def decide_alike(arguments: tuple[object, ...]) -> None:
        plain = [list(value) if isinstance(value, list) else value for value in arguments]
        arrays = [as_array(value) for value in arguments]
        assert fast(*arrays) == decision(*plain)
        for written, array in zip(plain, arrays, strict=True):
            if isinstance(written, list):
                assert written == cast("np.ndarray[tuple[int], np.dtype[np.int64]]", array).tolist()

    decide_alike()


def test_no_limit_is_within_int64() -> None:
    assert LISTS[0].limits[0] == NO_LIMIT < 2**63
