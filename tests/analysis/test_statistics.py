"""The statistics, against scipy, lifelines and published tables."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.spatial import distance

from kokoromichi.analysis.statistics import (
    gini,
    kaplan_meier,
    lorenz,
    mean_interval,
    paired_interval,
    student_p,
    student_t,
    top_share,
)
from kokoromichi.core.errors import MisuseError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # What lifelines' own dependencies deprecate is not ours to mend.
    from lifelines import KaplanMeierFitter
    from lifelines.utils import restricted_mean_survival_time

holdings = st.lists(st.integers(0, 2**53 - 1), min_size=1, max_size=40)
measured = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40)
cases = st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=60)


@given(st.floats(0.01, 0.9999), st.one_of(st.integers(1, 60), st.integers(61, 5_000)))
def test_student_t_is_scipys(confidence: float, degrees: int) -> None:
    expected = stats.t.ppf((1 + confidence) / 2, degrees)
    assert student_t(confidence, degrees) == pytest.approx(expected, rel=1e-6)


@given(st.floats(-40, 40), st.integers(1, 400))
def test_student_p_is_scipys(t: float, degrees: int) -> None:
    expected = 2 * stats.t.sf(abs(t), degrees)
    assert student_p(t, degrees) == pytest.approx(expected, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [
        (1, 12.706),
        (2, 4.303),
        (3, 3.182),
        (4, 2.776),
        (5, 2.571),
        (10, 2.228),
        (19, 2.093),
        (30, 2.042),
        (120, 1.980),
    ],
)
def test_student_t_is_the_printed_table(degrees: int, expected: float) -> None:
    assert round(student_t(0.95, degrees), 3) == expected


@pytest.mark.parametrize(("confidence", "degrees"), [(0.0, 5), (1.0, 5), (0.95, 0), (math.nan, 5)])
def test_student_t_refuses_what_it_is_not_defined_for(confidence: float, degrees: int) -> None:
    with pytest.raises(MisuseError, match="student_t needs"):
        student_t(confidence, degrees)


def test_mean_interval_by_hand() -> None:
    # Mean (1 + 2 + 6) / 3 = 3, variance (4 + 1 + 9) / 2 = 7, margin 4.3027 sqrt(7 / 3) = 6.5724.
    interval = mean_interval([1, 2, 6])
    assert (interval.mean, interval.count, interval.confidence) == (3.0, 3, 0.95)
    assert (interval.low, interval.high) == pytest.approx((3 - 6.5724, 3 + 6.5724), abs=1e-4)


@given(measured, st.floats(0.5, 0.999))
def test_mean_interval_is_scipys(values: list[float], confidence: float) -> None:
    spread = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    interval = mean_interval(values, confidence)
    margin = stats.t.ppf((1 + confidence) / 2, len(values) - 1) * spread
    tolerance = 1e-6 * margin + 1e-9  # Of the margin: an end may lie near 0.
    assert interval.mean == pytest.approx(np.mean(values), rel=1e-12, abs=1e-12)
    assert interval.low == pytest.approx(np.mean(values) - margin, rel=0, abs=tolerance)
    assert interval.high == pytest.approx(np.mean(values) + margin, rel=0, abs=tolerance)


def test_paired_interval_is_scipys() -> None:
    base, other = [10.0, 12.0, 9.0, 11.0], [11.5, 12.5, 9.5, 13.0]
    expected = stats.ttest_rel(other, base).confidence_interval(0.9)
    interval = paired_interval(base, other, confidence=0.9)
    assert interval.mean == pytest.approx(1.125)  # (1.5 + 0.5 + 0.5 + 2) / 4
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), rel=1e-6)


def test_a_single_replication_says_nothing_of_the_spread() -> None:
    interval = mean_interval([5.0])
    assert (interval.mean, interval.low, interval.high) == (5.0, -math.inf, math.inf)


@pytest.mark.parametrize("values", [[], [1.0, math.nan], [1.0, math.inf]])
def test_an_interval_refuses_what_is_not_measured(values: list[float]) -> None:
    with pytest.raises(MisuseError):
        mean_interval(values)


def test_pairs_need_the_same_replications() -> None:
    with pytest.raises(MisuseError, match="not 2 and 3"):
        paired_interval([1.0, 2.0], [1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], 0.0),
        ([0, 0, 0], 0.0),
        ([7], 0.0),
        ([5, 5, 5, 5], 0.0),
        ([1, 2, 3, 4, 5], 4 / 15),  # 2 (1 + 4 + 9 + 16 + 25) / (5 x 15) - 6 / 5 = 22 / 15 - 18 / 15
        ([0, 0, 0, 100], 0.75),  # 2 x 400 / (4 x 100) - 5 / 4
    ],
)
def test_gini_by_hand(values: list[int], expected: float) -> None:
    assert gini(values) == pytest.approx(expected, abs=1e-15)


@given(holdings)
def test_gini_is_half_the_relative_mean_difference(values: list[int]) -> None:
    owned = np.array(values, dtype=np.float64)
    differences = distance.pdist(owned[:, np.newaxis], "cityblock").sum()
    expected = differences / (owned.size**2 * owned.mean()) if owned.any() else 0.0
    assert gini(values) == pytest.approx(expected, abs=1e-9)


@given(holdings)
def test_gini_is_twice_the_area_above_the_lorenz_curve(values: list[int]) -> None:
    people, owned = lorenz(values)
    assert gini(values) == pytest.approx(1 - 2 * integrate.trapezoid(owned, people), abs=1e-9)


def test_sums_beyond_int64_do_not_wrap() -> None:
    values = np.array([2**62, 2**62, 2**62, 2**62])  # As int64 these sum to 0.
    assert values.sum() == 0
    assert gini(values) == pytest.approx(0.0, abs=1e-12)
    assert top_share(values, 0.25) == pytest.approx(0.25)


def test_lorenz_by_hand() -> None:
    people, owned = lorenz([60, 10, 30])  # Poorest first: 10, 40 and 100 of 100.
    assert people.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert owned.tolist() == pytest.approx([0, 0.1, 0.4, 1])


def test_lorenz_of_nothing_is_the_diagonal_and_of_nobody_is_empty() -> None:
    people, owned = lorenz([0, 0])
    assert people.tolist() == owned.tolist() == [0, 0.5, 1]
    assert [array.size for array in lorenz([])] == [0, 0]


@pytest.mark.parametrize(
    ("values", "richest", "expected"),
    [
        ([*range(1, 11)], 0.1, 10 / 55),
        # 10 % of 25 are 2.5 players: all of 25 and 24, half of 23, of 325.
        ([*range(1, 26)], 0.1, (25 + 24 + 11.5) / 325),
        ([1, 3], 0.1, 0.2 * 3 / 4),
        ([0, 0], 0.1, 0.1),
        ([], 0.1, 0.0),
        ([1, 3], 1.0, 1.0),
    ],
)
def test_the_last_of_the_richest_counts_by_the_fraction(
    values: list[int], richest: float, expected: float
) -> None:
    assert top_share(values, richest) == pytest.approx(expected)


def test_nobody_owns_less_than_nothing() -> None:
    with pytest.raises(MisuseError, match="negative"):
        gini([5, -1])


def test_kaplan_meier_is_the_published_table_of_freireich() -> None:
    # Remission in weeks under 6-mercaptopurine (Freireich and others 1963), as every textbook tabulates it.
    ended = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    censored = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    estimate = kaplan_meier(ended + censored, [True] * len(ended) + [False] * len(censored))
    at_events = dict(
        zip(estimate.times[estimate.events > 0], estimate.survival[estimate.events > 0], strict=True)
    )
    assert {int(week): round(share, 3) for week, share in at_events.items()} == {
        6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448,
    }  # fmt: skip
    assert estimate.median == 23


@given(cases)
def test_kaplan_meier_is_lifelines(lengths: list[tuple[int, bool]]) -> None:
    durations, ended = [days for days, _ in lengths], [observations for _, observations in lengths]
    estimate = kaplan_meier(durations, ended)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = KaplanMeierFitter().fit(durations, ended)
    expected = fitted.survival_function_at_times(estimate.times).to_numpy()
    assert estimate.survival == pytest.approx(expected, abs=1e-12)
    assert estimate.never_share == pytest.approx(float(expected[-1]), abs=1e-12)
    restricted = restricted_mean_survival_time(fitted, t=20)
    assert estimate.restricted_mean(20) == pytest.approx(restricted, abs=1e-9)
    table = fitted.event_table.loc[estimate.times]
    assert estimate.at_risk.tolist() == table["at_risk"].tolist()
    assert estimate.events.tolist() == table["observed"].tolist()
    if (abs(expected - 0.5) > 1e-9).all():  # At a tie lifelines decides by the last bit.
        median = fitted.median_survival_time_
        assert estimate.median == (None if math.isinf(median) else median)


def test_a_median_at_exactly_a_half_is_reached() -> None:
    # Ten cases, five ends one by one: 9/10 x 8/9 x 7/8 x 6/7 x 5/6 is 0.5, but not in floating point.
    estimate = kaplan_meier([1, 2, 3, 4, 5, 6, 6, 6, 6, 6], [True] * 5 + [False] * 5)
    assert estimate.median == 5


def test_kaplan_meier_of_nobody() -> None:
    estimate = kaplan_meier([], [])
    assert (estimate.median, estimate.never_share) == (None, None)


@pytest.mark.parametrize(("durations", "ended"), [([-1], [True]), ([1, 2], [True]), ([math.nan], [True])])
def test_kaplan_meier_refuses_what_is_no_duration(durations: list[float], ended: list[bool]) -> None:
    with pytest.raises(MisuseError):
        kaplan_meier(durations, ended)
