"""Little data: a point and a sentence, and no judgement where nothing can be judged."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from kokoromichi.analysis.metrics.flows import net_flow
from kokoromichi.analysis.metrics.supply import money_supply
from kokoromichi.analysis.observations import Observations
from kokoromichi.analysis.plots import flows, supply
from kokoromichi.analysis.report import report_data
from kokoromichi.analysis.report.cards import headline_section
from tests.analysis.books import Book


def one_day() -> Observations:
    """Two players on one day."""
    return Book().opening(0, "ada").opening(0, "bo").move(0, "ada", "train", -100).observations()


@pytest.mark.parametrize(
    "seen", [one_day(), Book().move(0, "ada", "daily", 5).observations(), Observations.empty()]
)
def test_too_little_is_not_judged_and_says_so(seen: Observations) -> None:
    section = headline_section(report_data([seen], title="", manifest={}))
    assert {card.verdict for card in section.cards} == {"plain"}
    assert {card.target for card in section.cards} == {""}
    assert "Fewer than 7 days" in section.lede


def test_one_day_is_a_point_in_the_middle_of_its_axis() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        axes = supply.supply(money_supply(one_day()).collect(), currency="gold")
        flows.net_flow(net_flow(one_day()).collect())
    assert axes.get_xlim() == (-0.5, 0.5)
    assert {line.get_marker() for line in axes.get_lines() if np.size(line.get_xdata()) == 1} == {"o"}
