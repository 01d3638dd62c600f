"""What a plan of prices would tell is what it tells once it was played."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import orjson
import polars as pl
import pytest

from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.calibrate import calibrate
from kokoromichi.experiments.price_plans import plan_prices
from tests.experiments.recovery import CATEGORIES, as_a_bot_sees, only, seen_of
from tests.simulation.commands import invoke

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.experiments.calibration import Calibration

TRIALS: Final = int(os.environ.get("KOKORO_PRICE_PLANS", "1"))  # noqa: TID251 - the campaign's size
WEEKS: Final = 4
CASUALS: Final = only("casual", 60, 7 * WEEKS)
WHOLE: Final = 1e-6
"""Nothing is held out."""


@pytest.fixture(scope="module")
def mine() -> Calibration:
    """Casual players under one list of prices, as a bot sees them."""
    return calibrate(as_a_bot_sees(seen_of(CASUALS, 1, "auto")), CASUALS, hold_out=WHOLE)


def test_a_plan_tells_as_much_as_was_predicted(mine: Calibration) -> None:
    plans = plan_prices(mine, weeks=WEEKS)
    predicted = plans.table().filter(plan="proposed")["predicted_se"].item()
    scenario = plans.scenario()
    achieved = []
    for seed in range(2, 2 + TRIALS):
        found = calibrate(as_a_bot_sees(seen_of(scenario, seed, "auto")), scenario, hold_out=WHOLE)
        achieved.append(found.table().filter(coefficient="beta_store")["se"].item())
    assert predicted == pytest.approx(sum(achieved) / len(achieved), rel=0.10)
    assert max(achieved) < 1.25 * predicted


def test_further_replications_promise_no_more_of_one_economy(mine: Calibration) -> None:
    both = [as_a_bot_sees(seen_of(CASUALS, seed, "auto")) for seed in (1, 2)]
    plans = [plan_prices(found, weeks=WEEKS) for found in (mine, calibrate(both, CASUALS, hold_out=WHOLE))]
    one, two = (plan.table().filter(plan="proposed")["predicted_se"].item() for plan in plans)
    assert two == pytest.approx(one, rel=0.15)


def test_one_list_tells_nothing_and_the_proposal_most(mine: Calibration) -> None:
    table = plan_prices(mine, weeks=WEEKS).table()
    one = table.row(by_predicate=pl.col("plan") == "one list", named=True)
    assert (one["lists"], one["predicted_se"], one["weeks_needed"]) == (1, None, None)
    assert one["note"] == "cannot be learned from one price list"
    rest = table.filter(pl.col("plan") != "one list").sort("predicted_se")
    assert rest["plan"][0] == "proposed"
    assert rest["predicted_se"][0] < 0.7 * rest["predicted_se"][1]
    assert rest["weeks_needed"].is_sorted()


def test_the_proposal_keeps_to_its_guardrail_and_to_the_price_level(mine: Calibration) -> None:
    plans = plan_prices(mine, weeks=WEEKS, percent=10)
    for week in plans.plans["proposed"]:
        assert sorted(week.values()) == [90] * 3 + [110] * 3
        assert {*week} == {*CATEGORIES}
    wider = plan_prices(mine, weeks=WEEKS, percent=30).table()
    both = [table.filter(plan="proposed")["predicted_se"].item() for table in (plans.table(), wider)]
    assert both[0] > 2 * both[1]


def test_a_plan_of_ones_own_stands_beside_the_others(mine: Calibration) -> None:
    own = {"potions": [{"potion": 70}, {}]}
    plans = plan_prices(mine, weeks=WEEKS, plans=own)
    assert plans.scenario("potions").days == 14
    assert [str(change) for change in plans.scenario("potions").changes] == [
        "potion at 70 % from day 0 for 7 days"
    ]
    assert plans.table().filter(plan="potions")["predicted_se"].item() > 0
    with pytest.raises(MisuseError, match="'potions' is no category; there are: potion"):
        plan_prices(mine, plans={"own": [{"potions": 70}]})
    with pytest.raises(MisuseError, match="percent of the list price"):
        plan_prices(mine, plans={"own": [{"potion": 0}]})
    with pytest.raises(MisuseError, match="there is no plan 'best'"):
        plans.scenario("best")


def test_the_command_proposes_lists(tmp_path: Path) -> None:
    seen = as_a_bot_sees(seen_of(only("casual", 20, 7), 1, "auto"))
    for stream in ("ledger", "activity", "economy_history"):
        getattr(seen, stream).collect().write_parquet(tmp_path / f"{stream}.parquet")
    asked = ("plan-prices", tmp_path, "--archetype", "casual", "--weeks", "2")
    told = orjson.loads(invoke(*asked, "--json").stdout)
    assert [len(week) for week in told["proposed"]] == [6, 6]
    assert {row["plan"] for row in told["table"]} >= {"proposed", "one list"}
    assert "week 2: potion" in invoke(*asked).output
