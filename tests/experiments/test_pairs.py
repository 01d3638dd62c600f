"""The statistics of pairs, against scipy, hand-worked examples and drawn truths."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.pairs import difference, holm, pairing_gain, pairs_needed

runs = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=6, max_size=40)


@given(runs)
def test_the_interval_and_the_p_value_are_scipys_paired_t(before: list[float]) -> None:
    after = [value + place + 0.5 * place**2 for place, value in enumerate(before, 1)]
    apart = np.array(after) - np.array(before)
    if apart.std() == 0:
        return
    found = difference(before, after, step=0.0, confidence=0.95)
    expected = stats.ttest_rel(after, before)
    interval = expected.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-5, abs=1e-5)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-4, abs=1e-9)


def test_where_no_pair_differs_the_interval_is_what_could_have_gone_unseen() -> None:
    found = difference([5, 7, 9, 6] * 2, [5, 7, 9, 6] * 2, step=1.0, confidence=0.95)
    # In eight runs nothing happened: the chance of a day's difference is below 1 - 0.05^(1/8) = 31 %.
    assert (found.low, found.high) == pytest.approx((-(1 - 0.05**0.125), 1 - 0.05**0.125))
    assert (found.changed, found.p_value) == (0, 1.0)


def test_where_no_pair_differs_and_nothing_is_known_of_a_step_there_is_no_interval() -> None:
    found = difference([0.5, 0.7], [0.5, 0.7], step=0.0, confidence=0.95)
    assert (found.low, found.high, found.smallest_visible) == (None, None, None)


def test_few_pairs_that_differ_are_never_certain() -> None:
    found = difference([0.0] * 20, [0.0] * 16 + [1.0] * 4, step=1.0, confidence=0.95)
    assert found.p_value == 0.125  # Four signs alike: 2 / 2^4.


def test_a_change_that_is_the_same_in_every_pair_is_certain() -> None:
    found = difference([0.25] * 20, [0.5] * 20, step=0.0, confidence=0.95)
    assert (found.low, found.high, found.p_value) == (0.25, 0.25, 0.0)


def test_rounding_is_no_gain() -> None:
    base = np.random.default_rng(1).normal(0.3, 0.1, 20)
    assert pairing_gain(base.tolist(), (base + 0.1).tolist()).gain is None


def test_one_pair_says_nothing_of_the_spread() -> None:
    found = difference([1.0], [2.0], step=1.0, confidence=0.95)
    assert (found.change, found.low, found.high, found.p_value) == (1.0, None, None, 1.0)


@pytest.mark.parametrize(("before", "after"), [([], []), ([1.0], [1.0, 2.0])])
def test_pairs_need_two_sides(before: list[float], after: list[float]) -> None:
    with pytest.raises(MisuseError, match="as many runs"):
        difference(before, after, step=0.0, confidence=0.95)


def test_tied_differences_are_covered_as_often_as_promised() -> None:
    """85 % of the pairs differ by nothing and the rest by a day or two, as a fee does to the wait."""
    dice = np.random.default_rng(7)
    truth, hits, trials = 0.15 * 1.5, 0, 2_000
    for _ in range(trials):
        apart = np.where(dice.random(10) < 0.15, dice.integers(1, 3, 10), 0)
        found = difference([0.0] * 10, apart.tolist(), step=1.0, confidence=0.95)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= truth <= found.high
    assert hits / trials >= 0.92


def test_the_smallest_visible_effect_is_seen_in_four_of_five_comparisons() -> None:
    dice = np.random.default_rng(11)
    seen, trials, pairs = 0, 2_000, 12
    effect = (stats.t.ppf(0.975, pairs - 1) + stats.t.ppf(0.8, pairs - 1)) / math.sqrt(pairs)
    for _ in range(trials):
        apart = dice.normal(effect, 1, pairs)
        seen += difference([0.0] * pairs, apart.tolist(), step=0.0, confidence=0.95).p_value <= 0.05
    assert 0.77 <= seen / trials <= 0.84


def test_the_gain_of_pairing_is_the_ratio_of_the_variances() -> None:
    dice = np.random.default_rng(3)
    shared, noise = dice.normal(0, 3, 400), dice.normal(0, 1, (2, 400))
    found = pairing_gain((shared + noise[0]).tolist(), (shared + noise[1]).tolist())
    assert found.gain is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < 10 < found.high  # (10 + 10) / 2
    assert found.gain == pytest.approx(10, rel=0.25)


def test_equal_runs_have_no_measurable_gain() -> None:
    assert pairing_gain([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]).gain is None


def test_holm_is_its_textbook_example() -> None:
    # Ordered .005, .01, .03, .04 are taken times 4, 3, 2, 1, and never fall.
    adjusted = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert adjusted == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02})


def test_half_the_width_needs_four_times_the_pairs() -> None:
    assert pairs_needed(2.0, 1.0, 10) == 40
