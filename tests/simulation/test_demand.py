"""Demand answers prices: the tables, the choice, and what a choice may never do."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.rules.codes import MAX_BALANCE, NO_LIMIT
from kokoromichi.rules.economy import load_economy
from kokoromichi.settings import shipped_folder
from kokoromichi.simulation import demand
from kokoromichi.simulation.demand import (
    BUSINESS,
    GEMS,
    NONE,
    SAVE,
    SERVICES,
    TRAIN,
    Buyer,
    PriceList,
)
from kokoromichi.simulation.population import Population
from kokoromichi.simulation.price_list import build_price_list, digest
from kokoromichi.simulation.weights import (
    BUCKETS,
    NEED_ONE,
    SAVE_WEIGHT,
    TRAIN_STEPS,
    WEIGHT_CAP,
    exponential_weights,
    purse_bucket,
    purse_of_bucket,
    train_step,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

ECONOMY = load_economy(shipped_folder("data"))
DEFAULT = Population.load("default")
BASE = build_price_list(DEFAULT, ECONOMY)
IDS = [item.id for item in ECONOMY.catalogue]
NAMES = [archetype.name for archetype in DEFAULT.archetypes]
ITEMS = len(IDS)
TRAIN_PLACE, GEMS_PLACE, BUSINESS_PLACE = range(ITEMS, ITEMS + SERVICES)
ALTERNATIVES = ITEMS + SERVICES
SAVE_PLACE = ALTERNATIVES
UNLIMITED = [demand.UNLIMITED_STOCK] * ITEMS

ITEM = st.integers(0, ITEMS - 1)
WHO = st.integers(0, len(NAMES) - 1)
DRAWS = st.integers(0, 2**32 - 1)
GOLD = st.one_of(st.integers(0, 100_000), st.integers(0, MAX_BALANCE))
HELD = st.lists(st.integers(0, 8), min_size=ITEMS, max_size=ITEMS)
STOCK = st.lists(st.sampled_from([-1, -1, 0, 1, 50]), min_size=ITEMS, max_size=ITEMS)


@cache
def at_price(item: int, price_gold: int) -> PriceList:
    """The shipped prices but one."""
    economy = ECONOMY.with_values({f"store.{IDS[item]}.price_gold": price_gold})
    return build_price_list(DEFAULT, economy)


def buyer_of(who: int, gold: int, hold_gold: int = 0, cost_gold: int = 100, business: int = 0) -> Buyer:
    return Buyer(who, gold, hold_gold, cost_gold, business)


def weights_of(
    tables: PriceList, buyer: Buyer, held: Sequence[int], stock: Sequence[int] = UNLIMITED
) -> list[int]:
    """Weight of each alternative, save last."""
    sums = [0] * ALTERNATIVES
    total = demand.weigh(sums, tables, buyer, held, stock)
    assert total == sums[-1]
    return [after - before for before, after in pairwise([SAVE_WEIGHT, *sums])] + [SAVE_WEIGHT]


@given(ITEM, st.integers(101, 400))
def test_a_dearer_item_loses_weight_by_its_elasticity_and_nothing_else_moves(item: int, percent: int) -> None:
    price_gold = BASE.prices[item] * percent // 100
    raised = at_price(item, price_gold)
    for who, archetype in enumerate(DEFAULT.archetypes):
        ratio = (price_gold / BASE.prices[item]) ** -archetype.beta
        for place in range(who * BUCKETS * ALTERNATIVES, (who + 1) * BUCKETS * ALTERNATIVES):
            before, after = BASE.weights[place], raised.weights[place]
            if place % ALTERNATIVES != item:
                assert after == before
            elif before < WEIGHT_CAP:
                assert abs(after - before * ratio) <= 1
    changed = {"weights", "prices"}
    assert {name for name in BASE._fields if getattr(raised, name) != getattr(BASE, name)} == changed


@given(WHO, ITEM, st.integers(101, 400), st.integers(20_000, 200_000), HELD)
def test_at_the_same_state_a_dearer_item_makes_all_others_likelier(
    who: int, item: int, percent: int, gold: int, held: list[int]
) -> None:
    buyer = buyer_of(who, gold)
    before = weights_of(BASE, buyer, held)
    after = weights_of(at_price(item, BASE.prices[item] * percent // 100), buyer, held)
    others = [place for place in range(ALTERNATIVES + 1) if place != item]
    assert [after[place] for place in others] == [before[place] for place in others]
    assert after[item] <= before[item]
    for place in others:
        rises = after[place] * sum(before) - before[place] * sum(after)
        assert rises > 0 if after[item] < before[item] and before[place] else rises == 0


def test_no_weight_rises_with_its_own_price_at_any_price_list() -> None:
    ladder = [*range(1, 60), *(1000 * percent // 100 for percent in range(6, 300, 7)), 10**6, 10**12]
    lists = [
        build_price_list(
            DEFAULT,
            ECONOMY.with_values({"store.*.price_gold": price, "exchange.price_gold": price}),
        )
        for price in ladder
    ]
    for cheaper, dearer in pairwise(lists):
        assert all(after <= before for before, after in zip(cheaper.weights, dearer.weights, strict=True))


def test_no_factor_rises_with_its_own_price() -> None:
    for who in range(len(NAMES)):
        row = BASE.train_factors[who * TRAIN_STEPS : (who + 1) * TRAIN_STEPS]
        assert all(after <= before for before, after in pairwise(row))
    ladder = [
        build_price_list(DEFAULT, ECONOMY.with_values({"business.*.price_gold": price}))
        for price in range(500, 400_000, 5_000)
    ]
    for cheaper, dearer in pairwise(ladder):
        both = zip(cheaper.business_factors, dearer.business_factors, strict=True)
        assert all(after <= before for before, after in both)


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_the_step_of_training_never_falls_with_its_cost(cost_gold: int, more_gold: int) -> None:
    cheaper, dearer = train_step(cost_gold, 100), train_step(cost_gold + more_gold, 100)
    assert 1 <= cheaper <= dearer < TRAIN_STEPS


def test_weights_by_hand() -> None:
    casual, gold = NAMES.index("casual"), 10_000
    weights = weights_of(BASE, buyer_of(casual, gold), [0] * ITEMS)
    purse = 0.9 * math.log(2**13 * 1.25 / 10_000)  # 10,000 has 14 bits, and the bit after the first is 0.

    def weight(utility: float) -> int:
        return math.floor(math.exp(utility + purse) * 2**20 + 0.5)

    assert weights[IDS.index("health_potion")] == weight(-3.4 + 0.6) * 9 // 4  # 3 x 3 fights / 4.
    assert weights[IDS.index("treasure_chest")] == weight(-3.8 - 0.1) * 3
    assert weights[IDS.index("ema_plaque")] == weight(-4.4 + 0.2)
    assert weights[IDS.index("phoenix_feather")] == 0  # 40,000 gold.
    assert weights[TRAIN_PLACE] == weight(0.6)
    assert weights[GEMS_PLACE] == weight(-1.4)
    assert weights[BUSINESS_PLACE] == weight(-3.6)  # The cafe repays in 40 days, which is the reference.
    assert weights[SAVE_PLACE] == 2**20


@pytest.mark.parametrize(
    ("held", "parts"), [(0, 60), (1, 30), (2, 30), (3, 10), (4, 10), (5, 10), (6, 1), (7, 1), (500, 1)]
)
def test_the_need_of_a_battle_consumable(held: int, parts: int) -> None:
    grinder = NAMES.index("grinder")  # Five fights.
    row = grinder * ITEMS * BASE.levels
    assert BASE.needs[row + min(held, BASE.levels - 1)] == parts * 5 * NEED_ONE // 80
    units = [held, *[0] * (ITEMS - 1)]
    full = BASE.weights[(grinder * BUCKETS + purse_bucket(9_000)) * ALTERNATIVES]
    assert weights_of(BASE, buyer_of(grinder, 9_000), units)[0] == full * parts * 5 // 80


def test_needs_of_the_others() -> None:
    plaque, bouquet, scroll = (IDS.index(name) for name in ("ema_plaque", "flower_bouquet", "wisdom_tome"))
    for who in range(len(NAMES)):
        row = who * ITEMS * BASE.levels
        of = [BASE.needs[row + item * BASE.levels : row + (item + 1) * BASE.levels] for item in range(ITEMS)]
        assert of[plaque][:7] == [
            NEED_ONE,
            NEED_ONE // 4,
            NEED_ONE // 16,
            NEED_ONE // 64,
            NEED_ONE // 256,
            0,
            0,
        ]
        assert of[bouquet][:4] == [NEED_ONE * 3, NEED_ONE // 2, NEED_ONE // 20, NEED_ONE // 20]
        assert of[scroll][:5] == [NEED_ONE * 3, NEED_ONE // 20, NEED_ONE // 20, 0, 0]


@given(st.integers(2, MAX_BALANCE))
def test_a_purse_has_two_buckets_an_octave(gold: int) -> None:
    length = gold.bit_length()
    bucket = purse_bucket(gold)
    assert bucket == 2 * length + (gold >> length - 2 & 1)
    low = 2.0 ** (length - 1) * (1.5 if bucket % 2 else 1.0)
    assert low <= gold
    assert purse_of_bucket(bucket) == max(100, low * (7 / 6 if bucket % 2 else 5 / 4))


def test_the_ends_of_the_purse() -> None:
    assert [purse_bucket(gold) for gold in (0, 1, 2, 3, 4)] == [0, 2, 4, 5, 6]
    assert purse_bucket(2**63 - 1) < BUCKETS
    assert purse_of_bucket(0) == purse_of_bucket(2) == 100.0


@given(WHO, st.integers(0, 60_000), HELD, STOCK, DRAWS)
def test_what_is_chosen_can_be_had_and_leaves_the_reserve_whole(
    who: int, gold: int, held: list[int], stock: list[int], number: int
) -> None:
    reserve_gold = DEFAULT.archetypes[who].reserve_gold
    for goal in (NONE, IDS.index("dragon_statue")):
        goal_gold = demand.goal_price_gold(BASE, goal, NONE)
        hold_gold = demand.hold_gold(reserve_gold, DEFAULT.archetypes[who].goal_percent, goal_gold)
        sums = [0] * ALTERNATIVES
        demand.weigh(sums, BASE, buyer_of(who, gold, hold_gold, 340, 1), held, stock)
        chosen = demand.choose(number, sums)
        if chosen >= 0:
            assert sums[chosen] > (sums[chosen - 1] if chosen else SAVE_WEIGHT)
            assert BASE.prices[chosen] <= gold - hold_gold
            assert held[chosen] < BASE.limits[chosen]
            assert stock[chosen] != 0
            units = demand.units_wanted(BASE, chosen, held[chosen], stock[chosen], gold, reserve_gold)
            assert units >= 1
            assert held[chosen] + units <= BASE.limits[chosen]
            assert stock[chosen] == demand.UNLIMITED_STOCK or units <= stock[chosen]
            assert gold - units * BASE.prices[chosen] >= reserve_gold
        elif chosen != SAVE:
            price_gold = {TRAIN: 340, GEMS: 4_000, BUSINESS: BASE.business_prices[1]}[chosen]
            assert price_gold <= gold - hold_gold
            if chosen == TRAIN:
                assert gold - demand.trainings_wanted(340, gold, reserve_gold) * 340 >= reserve_gold


@given(WHO, st.integers(-500, 60_000), HELD)
def test_who_may_spend_nothing_saves(who: int, spendable: int, held: list[int]) -> None:
    weights = weights_of(BASE, buyer_of(who, 50_000, 50_000 - min(spendable, 99)), held)
    assert weights == [0] * ALTERNATIVES + [SAVE_WEIGHT]


def test_each_alternative_gets_its_share_of_the_draws() -> None:
    weights = weights_of(BASE, buyer_of(4, 60_000), [0] * ITEMS)
    sums = [0] * ALTERNATIVES
    total = demand.weigh(sums, BASE, buyer_of(4, 60_000), [0] * ITEMS, UNLIMITED)
    target = 0
    for outcome, weight in zip(
        (SAVE, *range(ITEMS), TRAIN, GEMS, BUSINESS), (weights[-1], *weights[:-1]), strict=True
    ):
        first, end = -(-target * 2**32 // total), -(-(target + weight) * 2**32 // total)
        assert demand.choose(first, sums) == outcome
        assert demand.choose(end - 1, sums) == outcome
        target += weight
    assert end == 2**32


@pytest.mark.parametrize("price_gold", [1, MAX_BALANCE])
def test_the_sum_of_a_choice_set_stays_below_2_to_the_31(price_gold: int) -> None:
    assert SAVE_WEIGHT + ALTERNATIVES * WEIGHT_CAP < 2**31
    economy = ECONOMY.with_values(
        {
            "store.*.price_gold": price_gold,
            "exchange.price_gold": price_gold,
            "business.*.price_gold": price_gold,
            "store.*.limit": 10**9,
        }
    )
    tables = build_price_list(DEFAULT, economy)
    assert tables.levels == 1_024
    for who in range(len(NAMES)):
        for held in ([0] * ITEMS, [10**9 - 1] * ITEMS):
            for gold in (0, 10_000, MAX_BALANCE, 2**63 - 1):
                weights = weights_of(tables, buyer_of(who, gold, 0, 1), held)
                assert max(weights) <= WEIGHT_CAP
                assert sum(weights) < 2**31
    assert max(tables.weights) * max(tables.needs) < 2**63
    assert max(tables.weights) * max(*tables.train_factors, *tables.business_factors) < 2**63
    for who in range(len(NAMES)):
        assert sum(tables.wishes[who * ITEMS : (who + 1) * ITEMS]) < 2**31


@pytest.mark.parametrize(
    ("held", "stock", "gold", "units"),
    [
        (0, -1, 10_500, 6),  # Six are wanted, 25 are affordable.
        (4, -1, 10_500, 2),
        (9, -1, 10_500, 1),
        (0, -1, 1_700, 3),  # A quarter of 1,200.
        (0, -1, 600, 1),
        (0, 2, 10_500, 2),
    ],
)
def test_potions_are_bought_by_the_handful(held: int, stock: int, gold: int, units: int) -> None:
    assert demand.units_wanted(BASE, 0, held, stock, gold, 500) == units


def test_a_limit_cuts_the_handful_and_collectibles_come_one_by_one() -> None:
    scroll, plaque = IDS.index("revive_scroll"), IDS.index("ema_plaque")
    tight = build_price_list(DEFAULT, ECONOMY.with_values({"store.revive_scroll.limit": 1}))
    assert demand.units_wanted(BASE, scroll, 0, -1, 90_000, 500) == 2
    assert demand.units_wanted(tight, scroll, 0, -1, 90_000, 500) == 1
    assert demand.units_wanted(BASE, plaque, 0, -1, 90_000, 500) == 1


def test_trainings_come_up_to_five() -> None:
    assert [demand.trainings_wanted(100, gold, 500) for gold in (600, 1_300, 1_700, 99_000)] == [1, 2, 3, 5]
    assert demand.trainings_wanted(0, 700, 500) == 5


def test_a_costlier_training_weighs_less_by_eighths() -> None:
    casual = NAMES.index("casual")
    factors = BASE.train_factors[casual * TRAIN_STEPS : (casual + 1) * TRAIN_STEPS]
    assert factors[8] == 1_024
    assert factors[16] == round(1_024 * 2**-1.4)
    cheap = weights_of(BASE, buyer_of(casual, 9_000, 0, 100), [0] * ITEMS)
    dear = weights_of(BASE, buyer_of(casual, 9_000, 0, 212), [0] * ITEMS)
    assert dear[TRAIN_PLACE] == cheap[TRAIN_PLACE] * factors[16] // 1_024
    assert dear[:ITEMS] == cheap[:ITEMS]


def test_businesses_come_by_price_and_weigh_by_payback() -> None:
    prices = [10_000, 25_000, 75_000, 50_000, 100_000]
    assert BASE.business_prices == prices
    owned = [[0] * 5, [1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 0, 1, 0], [1, 1, 1, 1, 0], [1] * 5]
    assert [demand.next_business(prices, each) for each in owned] == [0, 1, 3, 2, 4, NONE]
    assert demand.next_business([], []) == NONE
    investor = NAMES.index("investor")
    factors = BASE.business_factors[investor * 5 : investor * 5 + 5]
    paybacks = [40, 62, 75, 66, 66]
    assert factors == [round(1_024 * (days / 40) ** (-1.5 * 1.6)) for days in paybacks]
    generous = build_price_list(DEFAULT, ECONOMY.with_values({"business.cafe.price_gold": 1}))
    assert generous.business_factors[0] == 8 * 1_024
    fruitless = build_price_list(DEFAULT, ECONOMY.with_values({"income.upkeep_percent": 100}))
    assert set(fruitless.business_factors) == {0}
    assert weights_of(BASE, buyer_of(investor, 200_000, business=NONE), [0] * ITEMS)[BUSINESS_PLACE] == 0


def test_choices_answer_prices_with_about_minus_beta() -> None:
    item = IDS.index("experience_scroll")
    raised = at_price(item, BASE.prices[item] * 120 // 100)
    for who, archetype in enumerate(DEFAULT.archetypes):
        before, after = (weights_of(tables, buyer_of(who, 9_000), [0] * ITEMS) for tables in (BASE, raised))
        shares = [weights[item] / sum(weights) for weights in (before, after)]
        elasticity = math.log(shares[1] / shares[0]) / math.log(1.2)
        assert elasticity == pytest.approx(-archetype.beta * (1 - sum(shares) / 2), rel=1e-3)


def test_what_is_closed_weighs_nothing() -> None:
    buyer, held = buyer_of(5, 900_000), [0] * ITEMS
    store = weights_of(build_price_list(DEFAULT, ECONOMY, {"buy"}), buyer, held)
    open_ = weights_of(BASE, buyer, held)
    assert store[:ITEMS] == [0] * ITEMS
    assert store[ITEMS:] == open_[ITEMS:]
    rest = weights_of(build_price_list(DEFAULT, ECONOMY, {"train", "exchange", "invest"}), buyer, held)
    assert rest == [*open_[:ITEMS], 0, 0, 0, SAVE_WEIGHT]
    nothing = build_price_list(DEFAULT, ECONOMY, {"buy", "train", "exchange", "invest", "summon"})
    assert set(nothing.weights) == {0}
    assert demand.draw_goal(5, [0] * ITEMS, nothing, buyer, held, 1) == NONE


def test_who_owns_every_business_saves_for_something_else() -> None:
    buyer, held = buyer_of(NAMES.index("investor"), 900_000, business=NONE), list(BASE.limits)
    assert demand.draw_goal(2**32 - 1, [0] * ITEMS, BASE, buyer, held, 1) == NONE


def test_what_costs_nothing_is_not_sold() -> None:
    free = at_price(0, 0)
    assert not any(free.weights[place] for place in range(0, len(free.weights), ALTERNATIVES))


@given(DRAWS, WHO, GOLD, HELD, st.integers(0, 1))
def test_a_goal_is_dear_and_has_room(
    number: int, who: int, gold: int, held: list[int], business: int
) -> None:
    goal = demand.draw_goal(number, [0] * ITEMS, BASE, buyer_of(who, gold), held, business)
    if goal >= 0:
        assert DEFAULT.reference_prices[IDS[goal]] >= 4_000
        assert held[goal] < BASE.limits[goal]
    assert goal != BUSINESS or business
    assert goal != NONE or not business


def test_a_goal_is_drawn_by_weight_at_the_present_purse() -> None:
    hoarder, gold, held = NAMES.index("hoarder"), 20_000, [0] * ITEMS
    statue, print_ = IDS.index("dragon_statue"), IDS.index("ukiyoe_print")
    held[print_] = 1
    row = (hoarder * BUCKETS + purse_bucket(gold)) * ALTERNATIVES
    expected = [BASE.weights[row + item] * BASE.dear[item] >> 2 * held[item] for item in range(ITEMS)]
    sums = [0] * ITEMS
    assert demand.draw_goal(2**32 - 1, sums, BASE, buyer_of(hoarder, gold), held, 1) == BUSINESS
    assert [after - before for before, after in pairwise([0, *sums])] == expected
    assert demand.draw_goal(2**32 - 1, sums, BASE, buyer_of(hoarder, gold), held, 0) == IDS.index(
        "phoenix_feather"
    )
    assert [name for name, dear in zip(IDS, BASE.dear, strict=True) if dear] == [
        "treasure_chest",
        "celestial_chest",
        "silk_kimono",
        "kitsune_mask",
        "ukiyoe_print",
        "dragon_statue",
        "phoenix_feather",
    ]
    assert at_price(statue, 10).dear == BASE.dear


def test_a_goal_falls_when_it_is_old_full_or_owned() -> None:
    statue, held = IDS.index("dragon_statue"), [0] * ITEMS
    assert demand.goal_stands(BASE, statue, 29, held, NONE) == 1
    assert demand.goal_stands(BASE, statue, 30, held, NONE) == 0
    held[statue] = 2
    assert demand.goal_stands(BASE, statue, 0, held, NONE) == 0
    assert demand.goal_stands(BASE, BUSINESS, 0, held, 2) == 1
    assert demand.goal_stands(BASE, BUSINESS, 0, held, NONE) == 0
    assert demand.goal_stands(BASE, NONE, 0, held, 2) == 0
    assert demand.goal_price_gold(BASE, BUSINESS, 2) == 75_000
    assert demand.goal_price_gold(BASE, statue, 2) == 20_000
    assert demand.goal_price_gold(BASE, NONE, 2) == 0
    assert demand.goal_price_gold(BASE, BUSINESS, NONE) == 0
    assert demand.hold_gold(2_500, 80, 20_000) == 18_500


@given(DRAWS, WHO, HELD)
def test_a_wish_has_room_and_never_asks_a_price(number: int, who: int, held: list[int]) -> None:
    wish = demand.draw_wish(number, [0] * ITEMS, BASE, who, held)
    assert held[wish] < BASE.limits[wish]
    assert demand.draw_wish(number, [0] * ITEMS, at_price(0, 900), who, held) == wish


def test_wishes_are_weight_times_reference_price() -> None:
    for who, archetype in enumerate(DEFAULT.archetypes):
        gold = [
            math.exp(archetype.liking(item.category) + DEFAULT.appeal[item.id])
            * DEFAULT.reference_prices[item.id]
            for item in ECONOMY.catalogue
        ]
        wishes = BASE.wishes[who * ITEMS : (who + 1) * ITEMS]
        assert [wish / sum(wishes) for wish in wishes] == pytest.approx(
            [g / sum(gold) for g in gold], rel=1e-3
        )


def test_nothing_is_wished_for_when_every_limit_is_reached() -> None:
    full = BASE._replace(limits=[0] * ITEMS)
    assert demand.draw_wish(5, [0] * ITEMS, full, 0, [0] * ITEMS) == NONE


def test_a_list_without_limits_says_so() -> None:
    assert BASE.limits[0] == NO_LIMIT
    assert BASE.limits[IDS.index("phoenix_feather")] == 1


def test_equal_lists_have_equal_digests() -> None:
    assert digest(BASE) == digest(build_price_list(DEFAULT, ECONOMY))
    assert digest(BASE) != digest(at_price(0, 101))


def test_a_population_that_remembers_nothing_likes_items_by_category_at_the_list_price() -> None:
    stranger = DEFAULT.model_copy(update={"reference_prices": {}, "appeal": {}})
    tables = build_price_list(stranger, ECONOMY)
    for who, archetype in enumerate(DEFAULT.archetypes):
        row = demand.weights_row(tables, who, 10_000)
        purse = archetype.omega * math.log(purse_of_bucket(purse_bucket(10_000)) / 10_000)
        liked = exponential_weights([archetype.liking(item.category) + purse for item in ECONOMY.catalogue])
        assert tables.weights[row : row + ITEMS] == liked


def test_what_is_remembered_and_not_sold_changes_nothing() -> None:
    remembered = {**DEFAULT.reference_prices, "rubber_duck": 5}
    fond = DEFAULT.model_copy(
        update={"reference_prices": remembered, "appeal": {**DEFAULT.appeal, "duck": 6.0}}
    )
    assert build_price_list(fond, ECONOMY) == BASE
