"""Bands: what lies in them, and how far from them a number is."""

from __future__ import annotations

import math
from typing import Any

import pytest

from kokoromichi.analysis.targets import TARGETS, Band, Targets
from kokoromichi.core.errors import MisuseError


def test_a_band_holds_both_its_ends_and_nothing_that_nobody_has() -> None:
    band = Band(5, 9)
    assert [band.holds(value) for value in (4.99, 5, 9, 9.01, None)] == [False, True, True, False, False]


def test_a_miss_is_counted_from_the_middle_in_half_widths() -> None:
    assert [Band(5, 9).miss(value) for value in (7, 9, 11, 3)] == [0, 1, 2, 2]


def test_a_band_with_one_end_has_its_middle_a_tolerance_inside() -> None:
    most = Band(high=0.6)
    assert most.tolerance == pytest.approx(0.03)
    assert [most.miss(value) for value in (0.1, 0.57, 0.6, 0.63)] == pytest.approx([0, 0, 1, 2])
    assert Band(low=0.0).miss(-0.05) == pytest.approx(2)


def test_the_distance_is_the_root_mean_square_of_the_misses() -> None:
    targets = Targets({"wait_days": (5, 9), "gini": (None, 0.6)})
    assert targets.distance({"wait_days": 11, "gini": 0.2}) == pytest.approx(math.sqrt(2))
    assert targets.distance({"wait_days": None, "gini": 0.2}) == math.inf
    assert targets.met({"wait_days": 9, "gini": 0.6})
    assert not targets.met({"wait_days": None, "gini": 0.6})


@pytest.mark.parametrize(
    ("bands", "said"),
    [
        ({}, "a band at least"),
        ({"wait": (1, 2)}, "wait_days"),
        ({"gini": (0.5, 0.2)}, "lower end first"),
        ({"gini": (None, None)}, "lower end first"),
        ({"gini": 5}, r"the band of gini is 5: .* \(None, 0.6\)"),
        ({"gini": (True, 2)}, "give two ends"),
        ({"gini": (-math.inf, math.inf)}, "give two ends"),
        ({"gini": (0.1, 0.2, 0.3)}, "give two ends"),
        ({"gini": "ab"}, "give two ends"),
        ({"gini": ("0.1", 0.2)}, "give two ends"),
        ({"gini": None}, "give two ends"),
        ("gini", "a band at least"),
        (None, "a band at least"),
    ],
)
def test_what_is_no_target_is_refused_with_the_cure(bands: Any, said: str) -> None:
    with pytest.raises(MisuseError, match=said):
        Targets(bands)


def test_targets_are_shown_as_what_makes_them() -> None:
    made = eval(repr(TARGETS), {"Targets": Targets})  # noqa: S307 - what a person would paste
    assert dict(made) == dict(TARGETS)


def test_bands_are_read_as_they_are_typed() -> None:
    read = Targets.parse(["wait_days.treasure_chest.casual=5:9", "gini=:0.6", "retention_d30 = 0.7:"])
    assert dict(read) == {
        "wait_days.treasure_chest.casual": Band(5, 9),
        "gini": Band(high=0.6),
        "retention_d30": Band(low=0.7),
    }


@pytest.mark.parametrize("text", ["gini", "gini=0.6", "gini=low:high", "=1:2", "gini.chest=0:1"])
def test_what_is_typed_and_is_no_band_is_refused(text: str) -> None:
    with pytest.raises(MisuseError, match=r"write it like wait_days=5:9|no run has a number"):
        Targets.parse([text])


def test_a_number_that_is_given_two_bands_is_refused() -> None:
    with pytest.raises(MisuseError, match="'gini' is given twice"):
        Targets.parse(["gini=0.2:", "gini=:0.6"])


def test_the_bands_of_the_project_leave_room_between_their_ends() -> None:
    assert all(band.low < band.high for band in TARGETS.values())
