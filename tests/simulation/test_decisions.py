"""What players decide besides spending: each decision against what its docstring says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.core.models import HOUR_US
from kokoromichi.simulation import decisions
from kokoromichi.simulation.demand import NONE

DRAWS = st.integers(0, 2**32 - 1)
ALWAYS = 0
SELDOM = 2**32 - 1
LEVELS = (1, 4, 8, 13, 19, 26, 34)
KEPT = [0, 0, 1, 1]
TARGETS = [6, 1, 0, 0]


@pytest.mark.parametrize(
    ("level", "comfort", "tier"),
    [
        (1, 600, 0),  # 500 permille at most: the lowest is fought all the same.
        (1, 300, 1),  # 500 - 40 x 3 = 380 suffices, 500 - 40 x 7 = 220 does not.
        (4, 500, 1),
        (6, 600, 0),
        (7, 600, 1),
        (34, 500, 6),
        (33, 500, 5),
        (90, 900, 6),
    ],
)
def test_the_highest_comfortable_tier_is_fought(level: int, comfort: int, tier: int) -> None:
    assert decisions.choose_tier(level, comfort, LEVELS, 500, 40, 100, 950) == tier


@given(st.integers(1, 60), st.integers(300, 900))
def test_no_higher_tier_would_be_comfortable(level: int, comfort: int) -> None:
    tier = decisions.choose_tier(level, comfort, LEVELS, 500, 40, 100, 950)
    chances = [min(max(500 + 40 * (level - other), 100), 950) for other in LEVELS]
    assert tier == 0 or chances[tier] >= comfort
    assert all(chance < comfort for chance in chances[tier + 1 :])


def test_one_of_each_session_item_and_a_charm_is_used() -> None:
    used = [NONE] * 5
    held = [2, 0, 1, 1, 3]
    session, charms = [1, 1, 1, 0, 0], [0, 0, 0, 1, 1]
    assert decisions.items_to_use(used, held, session, charms, 0, 4) == 3
    assert used[:3] == [0, 2, 3]
    assert decisions.items_to_use(used, held, session, charms, 1, 4) == 2
    assert decisions.items_to_use(used, held, session, charms, 0, 3) == 2
    assert decisions.items_to_use(used, [0] * 5, session, charms, 0, 12) == 0


def test_mana_is_for_the_first_battle() -> None:
    assert decisions.takes_mana(0, 1) == 1
    assert decisions.takes_mana(1, 1) == 0
    assert decisions.takes_mana(0, 0) == 0


def test_ten_are_pulled_when_the_gems_suffice() -> None:
    assert decisions.wants_ten_pull(450, 450) == 1
    assert decisions.wants_ten_pull(449, 450) == 0


def test_income_is_collected_when_20_hours_old() -> None:
    assert decisions.wants_collecting(1, 20 * HOUR_US) == 1
    assert decisions.wants_collecting(1, 20 * HOUR_US - 1) == 0
    assert decisions.wants_collecting(0, 90 * HOUR_US) == 0


def test_surplus_is_the_second_copy_or_what_is_above_the_target() -> None:
    assert decisions.surplus_item([6, 1, 1, 1], TARGETS, KEPT) == NONE
    assert decisions.surplus_item([6, 2, 1, 2], TARGETS, KEPT) == 1
    assert decisions.surplus_item([6, 1, 1, 2], TARGETS, KEPT) == 3
    assert decisions.surplus_item([7, 2, 2, 2], TARGETS, KEPT) == 0


def test_three_in_a_hundred_sessions_sell_a_surplus() -> None:
    edge = -(-30 * 2**32 // 1_000)
    held = [0, 2, 0, 0]
    assert decisions.item_to_sell(edge - 1, 5_000, held, TARGETS, KEPT) == 1
    assert decisions.item_to_sell(edge, 5_000, held, TARGETS, KEPT) == NONE
    assert decisions.item_to_sell(ALWAYS, 5_000, [1, 1, 1, 1], TARGETS, KEPT) == NONE


@given(DRAWS)
def test_who_is_broke_sells_a_surplus_or_else_anything(number: int) -> None:
    assert decisions.item_to_sell(number, 299, [1, 1, 2, 0], TARGETS, KEPT) == 2
    assert decisions.item_to_sell(number, 299, [0, 1, 1, 0], TARGETS, KEPT) == 1
    assert decisions.item_to_sell(number, 299, [0] * 4, TARGETS, KEPT) == NONE


def test_a_transfer_is_a_twentieth_within_the_cap() -> None:
    edge = -(-10 * 2**32 // 1_000)
    assert decisions.transfer_gold(edge - 1, 10, 8_019, 20_000) == 400
    assert decisions.transfer_gold(edge, 10, 8_019, 20_000) == 0
    assert decisions.transfer_gold(ALWAYS, 10, 900_000, 20_000) == 20_000
    assert decisions.transfer_gold(ALWAYS, 10, 900_000, 0) == 0
    assert decisions.transfer_gold(ALWAYS, 0, 900_000, 20_000) == 0


def test_an_alt_account_sends_all_above_its_reserve_once_that_is_worthwhile() -> None:
    assert decisions.ring_transfer_gold(4_000, 3_000, 6_999, 20_000) == 0
    assert decisions.ring_transfer_gold(4_000, 3_000, 7_000, 20_000) == 4_000
    assert decisions.ring_transfer_gold(4_000, 3_000, 90_000, 20_000) == 20_000
    assert decisions.ring_transfer_gold(4_000, 3_000, 90_000, 0) == 0
    assert decisions.ring_transfer_gold(0, 3_000, 90_000, 20_000) == 0


def test_a_gift_is_a_surplus() -> None:
    assert decisions.gift_item(ALWAYS, 10, [0, 2, 0, 0], TARGETS, KEPT) == 1
    assert decisions.gift_item(SELDOM, 10, [0, 2, 0, 0], TARGETS, KEPT) == NONE
    assert decisions.gift_item(ALWAYS, 10, [1, 1, 1, 1], TARGETS, KEPT) == NONE


@given(DRAWS, st.integers(0, 24), st.lists(st.integers(0, 1), min_size=25, max_size=25))
def test_a_receiver_is_another_present_player_of_the_block(
    number: int, sender: int, present: list[int]
) -> None:
    block = range(sender // 10 * 10, min(sender // 10 * 10 + 10, 25))
    friends = [player for player in block if present[player] and player != sender]
    receiver = decisions.draw_receiver(number, sender, present)
    assert receiver == (friends[number * len(friends) >> 32] if friends else NONE)
