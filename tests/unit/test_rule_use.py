from __future__ import annotations

import pytest

from kokoromichi.core.models import DAY_US, NEVER
from kokoromichi.rules import use as rule
from kokoromichi.rules.codes import (
    ALREADY_ACTIVE,
    BAD_QUANTITY,
    BALANCE_CAP,
    MAX_BALANCE,
    NOT_OWNED,
    NOT_USABLE,
    OK,
)
from kokoromichi.rules.holding import UNKNOWN_PAID_GOLD
from kokoromichi.rules.use import MOST_AT_ONCE, SESSION_BATTLES, Body, Used, UseTerms, use

NOW = 1_000 * DAY_US
BODY = Body(1, 0, 0, 40, NOW, NEVER, NEVER, 0, 0, 0)
TERMS = UseTerms(100, 0, 100, 60, (20, 40, 80, 150, 300), (55, 30, 11, 3, 1))
LOW, HIGH = 0, 2**32 - 1
ADDING_UP = (rule.GRANT_XP, rule.AFFECTION_XP, rule.HEAL_HP, rule.PITY_COUNT, rule.CHEST_GOLD)
LASTING = (rule.GOLD_PERCENT_DAY, rule.FULL_LOSS_XP_DAY, rule.HALF_HP_COST, rule.DOUBLE_TRAIN_XP)


def used(
    effect: int, size: int, quantity: int = 1, body: Body = BODY, *, owned: int = 9, gold: int = 0
) -> Used:
    draws = (LOW, HIGH) * (MOST_AT_ONCE // 2)
    return use(NOW, draws, effect, size, quantity, gold, owned, owned * 10, 10, body, TERMS)


def body_of(answer: Used) -> Body:
    return Body(*answer[-len(Body._fields) :])


@pytest.mark.parametrize("effect", ADDING_UP)
def test_units_leave_the_holding_with_their_share_of_what_was_paid(effect: int) -> None:
    answer = used(effect, 20, 2)
    assert (answer.code, answer.owned, answer.paid_gold, answer.moved_units) == (OK, 7, 70, -2)


def test_units_of_unknown_cost_leave_at_the_list_price() -> None:
    answer = use(NOW, (LOW,), rule.GRANT_XP, 5, 1, 0, 3, UNKNOWN_PAID_GOLD, 200, BODY, TERMS)
    assert answer.paid_gold == 400


@pytest.mark.parametrize(("quantity", "code"), [(0, BAD_QUANTITY), (-(2**63), BAD_QUANTITY), (10, NOT_OWNED)])
def test_only_what_is_held_is_used(quantity: int, code: int) -> None:
    assert used(rule.GRANT_XP, 5, quantity) == Used(code, 0, 9, 90, 0, 0, 0, NEVER, *BODY)


def test_no_more_is_used_at_once_than_there_are_draws_for() -> None:
    assert used(rule.GRANT_XP, 5, MOST_AT_ONCE, owned=10**6).code == OK
    assert used(rule.GRANT_XP, 5, MOST_AT_ONCE + 1, owned=10**6).code == BAD_QUANTITY


@pytest.mark.parametrize("effect", [-1, rule.NO_EFFECT, rule.WIN_PERMILLE, rule.FULL_LOSS_XP_ONCE, 99])
@pytest.mark.parametrize("quantity", [1, 2])
def test_what_a_battle_takes_or_nobody_knows_is_not_used(effect: int, quantity: int) -> None:
    assert used(effect, 5, quantity) == Used(NOT_USABLE, 0, 9, 90, 0, 0, 0, NEVER, *BODY)


@pytest.mark.parametrize(("quantity", "consumed", "healed"), [(1, 1, 25), (2, 2, 50), (3, 3, 60), (9, 3, 60)])
def test_potions_heal_up_to_all_points_and_no_more_are_drunk_than_help(
    quantity: int, consumed: int, healed: int
) -> None:
    answer = used(rule.HEAL_HP, 25, quantity)
    assert (answer.code, answer.moved_units, answer.amount) == (OK, -consumed, healed)
    assert body_of(answer) == BODY._replace(hp=40 + healed)


def test_nobody_in_full_health_drinks_a_potion() -> None:
    assert used(rule.HEAL_HP, 25, 1, BODY._replace(hp=100)).code == ALREADY_ACTIVE
    assert used(rule.HEAL_HP, 0, 1).code == ALREADY_ACTIVE


def test_xp_adds_up_into_levels() -> None:
    answer = used(rule.GRANT_XP, 150, 3)  # Level 2 takes 100, level 3 another 200.
    assert (answer.amount, body_of(answer)) == (450, BODY._replace(level=3, xp=150))


def test_a_gift_for_the_favourite_is_xp_and_affection() -> None:
    answer = used(rule.AFFECTION_XP, 20, 2)
    assert (answer.amount, body_of(answer)) == (40, BODY._replace(xp=40, affection=40))


def test_affection_stops_at_the_most_that_anybody_can_hold() -> None:
    full = BODY._replace(affection=MAX_BALANCE - 40)
    assert used(rule.AFFECTION_XP, 20, 2, full).code == OK
    assert used(rule.AFFECTION_XP, 20, 3, full) == Used(BALANCE_CAP, 0, 9, 90, 0, 0, 0, NEVER, *full)
    assert used(rule.AFFECTION_XP, MAX_BALANCE, 9, full).code == BALANCE_CAP


def test_each_chest_has_a_draw_of_its_own() -> None:
    assert used(rule.CHEST_GOLD, 1_000, 1).reward_gold == 200
    answer = used(rule.CHEST_GOLD, 1_000, 4, gold=7)
    assert (answer.gold, answer.reward_gold, answer.amount) == (7 + 6_400, 6_400, 6_400)
    assert body_of(answer) == BODY


def test_chests_stay_shut_where_the_balance_could_not_hold_all_they_pay() -> None:
    assert used(rule.CHEST_GOLD, 1_000, 2, gold=MAX_BALANCE - 3_200).gold == MAX_BALANCE
    assert used(rule.CHEST_GOLD, 1_000, 2, gold=MAX_BALANCE - 3_199).code == BALANCE_CAP


@pytest.mark.parametrize(("quantity", "consumed", "pity"), [(1, 1, 20), (3, 3, 59), (9, 3, 59)])
def test_bells_ring_up_to_the_guaranteed_pull(quantity: int, consumed: int, pity: int) -> None:
    answer = used(rule.PITY_COUNT, 20, quantity)
    assert (answer.moved_units, answer.amount, answer.pity) == (-consumed, pity, pity)


def test_a_bell_is_not_used_up_for_nothing_where_the_next_pull_is_guaranteed() -> None:
    answer = used(rule.PITY_COUNT, 20, 2, BODY._replace(pity=59))
    assert (answer.code, answer.moved_units, answer.amount, answer.pity) == (ALREADY_ACTIVE, 0, 0, 59)


@pytest.mark.parametrize(
    ("effect", "after", "until_us"),
    [
        (rule.GOLD_PERCENT_DAY, {"luck_until_us": NOW + DAY_US}, NOW + DAY_US),
        (rule.FULL_LOSS_XP_DAY, {"guard_until_us": NOW + DAY_US}, NOW + DAY_US),
        (rule.HALF_HP_COST, {"stamina_battles": SESSION_BATTLES}, NEVER),
        (rule.DOUBLE_TRAIN_XP, {"double_train": 1}, NEVER),
    ],
)
def test_what_lasts_starts_once(effect: int, after: dict[str, int], until_us: int) -> None:
    answer = used(effect, 50)
    assert (answer.code, answer.amount, answer.until_us) == (OK, 50, until_us)
    assert body_of(answer) == BODY._replace(**after)
    running = body_of(answer)
    assert used(effect, 50, 1, running) == Used(ALREADY_ACTIVE, 0, 9, 90, 0, 0, 0, NEVER, *running)


@pytest.mark.parametrize("effect", LASTING)
def test_what_does_not_add_up_is_refused_whole(effect: int) -> None:
    assert used(effect, 50, 2) == Used(BAD_QUANTITY, 0, 9, 90, 0, 0, 0, NEVER, *BODY)


def test_a_charm_starts_again_at_the_very_moment_the_last_one_ends() -> None:
    assert used(rule.GOLD_PERCENT_DAY, 50, 1, BODY._replace(luck_until_us=NOW + 1)).code == ALREADY_ACTIVE
    assert used(rule.GOLD_PERCENT_DAY, 50, 1, BODY._replace(luck_until_us=NOW)).until_us == NOW + DAY_US


def test_a_drink_fills_the_battles_of_a_session_up_again() -> None:
    answer = used(rule.HALF_HP_COST, 50, 1, BODY._replace(stamina_battles=SESSION_BATTLES - 1))
    assert (answer.code, answer.stamina_battles) == (OK, SESSION_BATTLES)
