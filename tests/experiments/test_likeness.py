"""A real economy held against simulated runs: inside, outside, and what cannot be held against them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import polars as pl
import pytest

from kokoromichi.analysis.live import Live
from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.compare import compare
from kokoromichi.experiments.likeness import Likeness
from kokoromichi.experiments.measures import MEASURES
from kokoromichi.simulation.scenario import Scenario
from kokoromichi.simulation.simulate import simulate

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.simulation.run import Run

BASE = Scenario.load("baseline", players=12, days=4)


@pytest.fixture(scope="module")
def run() -> Run:
    return simulate(BASE, replications=5, seed=1)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Live:
    """One run of players who were given far more."""
    folder = tmp_path_factory.mktemp("live")
    simulate(BASE.with_economy({"opening.gold": 500_000}), replications=1, seed=77, out=folder)
    return Live(folder)


def test_what_differs_lies_outside_and_what_does_not_inside(run: Run, live: Live) -> None:
    found = compare(live, run)
    verdicts = dict(found.table().select("metric", "verdict").iter_rows())
    assert verdicts["supply_gold"] == "outside, above"
    assert verdicts["retention_d1"] == "inside"
    assert "supply_gold" in repr(found)
    marks = [line.get_marker() for line in found.plot.ranges().lines]
    assert {">", "o"} <= {*marks}  # Far more gold lies beyond the frame: an arrow, and no place of its own.


def test_a_further_run_lies_in_the_range_as_often_as_is_said() -> None:
    dice = [math.sin(12.9898 * place) * 43758.5453 % 1 for place in range(1, 4001)]
    normal = [
        math.sqrt(-2 * math.log(first)) * math.cos(2 * math.pi * second)
        for first, second in zip(dice[::2], dice[1::2], strict=True)
    ]
    inside, trials = 0, 200
    for trial in range(trials):
        *values, last = normal[10 * trial : 10 * trial + 10]
        runs = pl.DataFrame({name: [100 + value for value in values] for name in MEASURES})
        seen = Likeness(dict.fromkeys(MEASURES, 100 + last), runs, 0.95)
        inside += "net_flow_gold_per_active_player_day" not in seen.outside
    assert 0.91 <= inside / trials <= 0.985


def test_other_days_and_too_few_runs_are_refused(run: Run, live: Live, tmp_path: Path) -> None:
    with pytest.raises(
        MisuseError, match="4 days were observed and 3 simulated: load the scenario with days=4"
    ):
        compare(live, simulate(BASE.replace(days=3), replications=1, out=tmp_path))
    with pytest.raises(MisuseError, match=r"km.compare\(live, km.simulate\(base\)\)"):
        compare(live, BASE)  # type: ignore[call-overload]  # As a notebook passes it.
    with pytest.raises(MisuseError, match="a scenario and others by name"):
        compare(run, run)  # type: ignore[call-overload]  # A run, no names.
