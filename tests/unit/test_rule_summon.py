from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.rules.codes import BAD_QUANTITY, MAX_BALANCE, OK, TOO_POOR
from kokoromichi.rules.summon import (
    DRAWS,
    Pool,
    Summoned,
    Summoner,
    character_of,
    guaranteed_rarity,
    keep_or_shard,
    left_pulls,
    lucky_draws,
    next_widths,
    pay_pulls,
    pull,
    rarity_of,
    rarity_thresholds,
    ring_bell,
    summon,
    widths,
)

ODDS_PPM = (604_000, 250_000, 100_000, 30_000, 10_000, 5_000, 1_000)
THRESHOLDS = rarity_thresholds(ODDS_PPM)
SSR = 3
ANY_DRAW = st.integers(0, DRAWS - 1)
ODDS = st.lists(st.integers(0, 1_000), min_size=2, max_size=8).filter(lambda weights: sum(weights) > 0)


def ppm_of(weights: list[int]) -> tuple[int, ...]:
    """Turn weights into parts per million that sum to a million."""
    ppm = [weight * 1_000_000 // sum(weights) for weight in weights]
    ppm[weights.index(max(weights))] += 1_000_000 - sum(ppm)
    return tuple(ppm)


def test_the_table_is_the_floor_of_the_cumulated_odds() -> None:
    assert THRESHOLDS == (2594160246, 3667902070, 4097398800, 4226247819, 4269197492, 4290672328, 4294967296)


def test_each_rarity_has_its_exact_share_of_all_draws() -> None:
    widths = [high - low for low, high in zip((0, *THRESHOLDS[:-1]), THRESHOLDS, strict=True)]
    for width, ppm in zip(widths, ODDS_PPM, strict=True):
        assert abs(Fraction(width, DRAWS) - Fraction(ppm, 1_000_000)) < Fraction(1, 2**31)


def test_the_odds_over_a_grid_of_draws() -> None:
    step = 1 << 12
    counts = Counter(rarity_of(draw, THRESHOLDS) for draw in range(step // 2, DRAWS, step))
    for rarity, ppm in enumerate(ODDS_PPM):
        assert abs(Fraction(counts[rarity], 1 << 20) - Fraction(ppm, 1_000_000)) <= Fraction(1, 1 << 20)


@pytest.mark.parametrize("rarity", range(len(ODDS_PPM) - 1))
def test_a_threshold_belongs_to_the_rarer_side(rarity: int) -> None:
    assert rarity_of(THRESHOLDS[rarity] - 1, THRESHOLDS) == rarity
    assert rarity_of(THRESHOLDS[rarity], THRESHOLDS) == rarity + 1


@given(ANY_DRAW, ODDS)
def test_a_rarity_without_a_chance_is_never_drawn(draw: int, weights: list[int]) -> None:
    odds_ppm = ppm_of(weights)
    thresholds = rarity_thresholds(odds_ppm)
    rarity = rarity_of(draw, thresholds)
    assert odds_ppm[rarity] > 0
    assert rarity == bisect_right(thresholds, draw)


def test_a_table_that_is_too_short_is_not_read_past_its_end() -> None:
    assert rarity_of(DRAWS - 1, rarity_thresholds((400_000, 400_000))) == 1


def test_one_pull_or_ten_have_a_price() -> None:
    assert pay_pulls(100, 1, 50, 450) == (OK, 50)
    assert pay_pulls(450, 10, 50, 450) == (OK, 450)
    assert pay_pulls(449, 10, 50, 450) == (TOO_POOR, 450)
    assert pay_pulls(49, 1, 50, 450) == (TOO_POOR, 50)


@pytest.mark.parametrize("pulls", [0, -1, -10, 2, 9, 11, 100, 10**18])
def test_no_other_number_of_pulls_is_sold(pulls: int) -> None:
    assert pay_pulls(10**6, pulls, 50, 450) == (BAD_QUANTITY, 0)


def test_the_sixtieth_dry_pull_is_guaranteed() -> None:
    assert pull(0, 58, 60, SSR, THRESHOLDS) == (0, 59)
    rarity, pity = pull(0, 59, 60, SSR, THRESHOLDS)
    assert rarity >= SSR
    assert pity == 0


def test_luck_restarts_the_count() -> None:
    assert pull(THRESHOLDS[SSR] - 1, 7, 60, SSR, THRESHOLDS) == (SSR, 0)
    assert pull(DRAWS - 1, 7, 60, SSR, THRESHOLDS) == (6, 0)
    assert pull(THRESHOLDS[SSR - 1] - 1, 7, 60, SSR, THRESHOLDS) == (SSR - 1, 8)


@given(
    st.lists(st.one_of(ANY_DRAW, st.integers(0, THRESHOLDS[SSR - 1] - 1)), max_size=400), st.integers(0, 59)
)
def test_no_run_of_sixty_pulls_is_dry(draws: list[int], pity: int) -> None:
    dry = pity
    for draw in draws:
        rarity, pity = pull(draw, pity, 60, SSR, THRESHOLDS)
        dry = 0 if rarity >= SSR else dry + 1
        assert pity == dry < 60


def test_the_guaranteed_pull_keeps_the_odds_among_the_rare() -> None:
    step = 1 << 14
    grid = range(step // 2, THRESHOLDS[SSR - 1], step)
    counts = Counter(guaranteed_rarity(draw, SSR, THRESHOLDS) for draw in grid)
    assert set(counts) == {3, 4, 5, 6}
    for rarity in counts:
        wanted = Fraction(ODDS_PPM[rarity], sum(ODDS_PPM[SSR:]))
        assert abs(Fraction(counts[rarity], len(grid)) - wanted) < Fraction(1, 1 << 16)


@given(ANY_DRAW, ODDS, st.data())
def test_the_guarantee_holds_under_any_odds(draw: int, weights: list[int], data: st.DataObject) -> None:
    odds_ppm = ppm_of(weights)
    pity_rarity = data.draw(st.integers(0, len(odds_ppm) - 1))
    rarity, pity = pull(draw, 59, 60, pity_rarity, rarity_thresholds(odds_ppm))
    assert pity == 0
    assert rarity >= pity_rarity
    assert odds_ppm[rarity] > 0 or sum(odds_ppm[pity_rarity:]) == 0


@given(weights=ODDS, data=st.data())
def test_widths_are_what_pulls_are_drawn_from(weights: list[int], data: st.DataObject) -> None:
    thresholds = rarity_thresholds(ppm_of(weights))
    assert sum(widths(0, thresholds)) == DRAWS
    assert widths(0, thresholds) == tuple(
        top - floor for floor, top in zip((0, *thresholds), thresholds, strict=False)
    )
    least = data.draw(st.integers(1, len(weights) - 1))
    found = widths(least, thresholds)
    assert found[:least] == (0,) * least
    assert sum(found) == max(1, DRAWS - thresholds[least - 1])


def test_widths_at_the_guarantee_are_the_shares_that_it_draws() -> None:
    grid = [step * DRAWS // 46_000 for step in range(46_000)]
    drawn = Counter(pull(draw, 59, 60, SSR, THRESHOLDS)[0] for draw in grid)
    found = widths(SSR, THRESHOLDS)
    for rarity in range(len(ODDS_PPM)):
        assert drawn[rarity] / len(grid) == pytest.approx(found[rarity] / sum(found), abs=1e-3)


def test_only_the_pull_that_is_guaranteed_has_the_odds_of_the_rare() -> None:
    assert next_widths(1, SSR, THRESHOLDS) == widths(SSR, THRESHOLDS)
    assert next_widths(2, SSR, THRESHOLDS) == widths(0, THRESHOLDS)


def test_a_guarantee_without_odds_gives_what_it_promised() -> None:
    assert pull(5, 59, 60, 1, rarity_thresholds((1_000_000, 0, 0))) == (1, 0)


def test_each_character_of_a_rarity_has_the_same_share() -> None:
    step = 1 << 12
    counts = Counter(character_of(draw, 7) for draw in range(step // 2, DRAWS, step))
    assert set(counts) == set(range(7))
    assert max(counts.values()) - min(counts.values()) <= 1


@given(ANY_DRAW, st.integers(1, 2**31 - 1))
def test_a_character_exists(draw: int, count: int) -> None:
    assert 0 <= character_of(draw, count) < count


def test_a_bell_never_skips_the_guarantee() -> None:
    assert ring_bell(0, 60, 5) == 5
    assert ring_bell(54, 60, 5) == 59
    assert ring_bell(57, 60, 5) == 59
    assert ring_bell(59, 60, 5) == 59
    assert ring_bell(70, 60, 5) == 70  # A count from before the guarantee came earlier is not taken back.


def test_a_duplicate_becomes_shards() -> None:
    assert keep_or_shard(0, 3, 10) == (1, 3)
    assert keep_or_shard(1, 3, 10) == (1, 13)
    assert keep_or_shard(1, MAX_BALANCE, 10) == (1, MAX_BALANCE)


STARTS = (0, 3, 5, 6, 7, 8, 9, 10)
POOL = Pool(50, 450, 60, SSR, THRESHOLDS, STARTS, (1, 2, 5, 20, 50, 100, 300))
RARE = DRAWS - 1


def test_ten_pulls_are_charged_drawn_and_kept_or_turned_into_shards() -> None:
    copies, found, first = [0] * 10, [0] * 10, [0] * 10
    draws = [*[0] * 8, RARE, 0, *[0] * 9, RARE]
    seen = summon(10, draws, Summoner(500, 7, 30, 4), copies, found, first, POOL)
    assert seen == Summoned(OK, 50, 1, 40, 4 + 7, -450)
    assert found == [*[0] * 8, 9, 2]
    assert first == [1, *[0] * 7, 1, 1]
    assert copies == [1, 0, 1, *[0] * 6, 1]


def test_what_is_owned_already_becomes_shards_of_its_rarity() -> None:
    copies, found, first = [0] * 9 + [1], [0], [1]
    seen = summon(1, [RARE, 0], Summoner(50, 0, 0, 0), copies, found, first, POOL)
    assert (seen, found, first, copies[9]) == (Summoned(OK, 0, 0, 1, 300, -50), [9], [0], 1)


@pytest.mark.parametrize(("pulls", "gems", "code"), [(10, 449, TOO_POOR), (2, 10**6, BAD_QUANTITY)])
def test_a_refused_summon_reads_no_draw_and_touches_nothing(pulls: int, gems: int, code: int) -> None:
    seen = summon(pulls, [], Summoner(gems, 7, 30, 4), [], [], [], POOL)
    assert seen == Summoned(code, gems, 7, 30, 4, 0)


@given(
    st.lists(ANY_DRAW, min_size=20, max_size=20),
    st.integers(0, 59),
    st.lists(st.integers(0, 2), min_size=10, max_size=10),
)
def test_each_pull_keeps_a_character_or_gives_shards(draws: list[int], pity: int, owned: list[int]) -> None:
    copies, found, first = list(owned), [0] * 10, [0] * 10
    seen = summon(10, draws, Summoner(450, pity, 0, 0), copies, found, first, POOL)
    rarities = [bisect_right(STARTS, character) - 1 for character in found]
    gained = sum(
        POOL.duplicate_shards[rarity] for rarity, new in zip(rarities, first, strict=True) if not new
    )
    assert seen.shards == gained
    assert sum(first) == sum(1 for character in set(found) if not owned[character])
    assert copies == [max(1, had) if place in found else had for place, had in enumerate(owned)]
    for place, draw in enumerate(draws[:10]):
        rarity, pity = pull(draw, pity, 60, SSR, THRESHOLDS)
        assert rarities[place] == rarity
    assert seen.pity == pity


def test_the_guarantee_is_counted_from_the_next_pull() -> None:
    assert [left_pulls(pity, 60) for pity in (0, 58, 59, 70)] == [60, 2, 1, 1]


def test_the_chance_within_ten_pulls_is_exact() -> None:
    common = Fraction(THRESHOLDS[SSR - 1], DRAWS)
    assert Fraction(*lucky_draws(10, 11, SSR, THRESHOLDS)) == 1 - common**10
    assert Fraction(*lucky_draws(10, 10, SSR, THRESHOLDS)) == 1
    assert Fraction(*lucky_draws(10, 60, 0, THRESHOLDS)) == 1
