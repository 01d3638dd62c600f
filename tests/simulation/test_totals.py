"""Totals say of a replication what the metrics say of its rows."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from polars.testing import assert_frame_equal

from kokoromichi.experiments.batches import batch
from kokoromichi.simulation import engines
from kokoromichi.simulation.scenario import Scenario
from kokoromichi.simulation.totals import play_totals
from tests.simulation.drawn_scenarios import Size, scenarios
from tests.simulation.test_engines_agree import SCENARIOS, crowded

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

pytest.importorskip("numba", reason="numba (extra `fast`) is not installed: there is one engine")
pytestmark = pytest.mark.usefixtures("compiled_engine")

SMALL = Scenario.load("baseline", players=20, days=9)


def assert_same_totals(scenario: Scenario, seed: int) -> pl.DataFrame:
    """What is folded as it happens is what the ledger of the same engine says."""
    from kokoromichi.simulation.compiled.engine import CompiledEngine  # noqa: PLC0415 - numba may be missing
    from kokoromichi.simulation.totals import totals_of  # noqa: PLC0415 - as above

    wanted = totals_of(scenario, CompiledEngine(scenario, seed).play())
    found = play_totals(scenario, seed, engines.COMPILED)
    assert_frame_equal(found.days, wanted.days)
    assert_frame_equal(found.headline, wanted.headline, rel_tol=1e-12, abs_tol=1e-12)
    return found.headline


@pytest.mark.parametrize("name", SCENARIOS)
def test_totals_of_a_shipped_scenario_are_those_of_its_ledger(name: str) -> None:
    for seed, days in ((1, 45), (2, 8)):
        found = assert_same_totals(Scenario.load(name, players=40, days=days), seed)
        assert found["supply_gold"].item() > 0


def test_totals_of_sales_stock_and_friends_are_those_of_the_ledger() -> None:
    assert None not in assert_same_totals(crowded(), 3).drop("retention_d30", "wait_days").row(0)


@settings(max_examples=Size().examples, deadline=None, suppress_health_check=list(HealthCheck))
@given(scenarios())
def test_totals_of_a_drawn_scenario_are_those_of_its_ledger(scenario: Scenario) -> None:
    assert_same_totals(scenario, 1)


@pytest.mark.parametrize("play", [play_totals, engines.play])
def test_memory_is_free_as_soon_as_a_run_is_measured(play: Callable[[Scenario, int, str], object]) -> None:
    """Ten thousand runs took gigabytes: an engine held itself, and arrays hurry no collector."""
    from kokoromichi.simulation.compiled.engine import CompiledEngine  # noqa: PLC0415 - numba may be missing

    def alive() -> int:
        return sum(type(kept) is CompiledEngine for kept in gc.get_objects())

    gc.collect()
    before = alive()
    gc.disable()
    try:
        play(SMALL, 1, engines.COMPILED)
        assert alive() == before
    finally:
        gc.enable()


def test_the_faithful_engine_has_totals_too() -> None:
    found, wanted = (play_totals(SMALL, 1, engine) for engine in (engines.COMPILED, engines.FAITHFUL))
    assert_frame_equal(found.days, wanted.days)
    assert_frame_equal(found.headline, wanted.headline, rel_tol=1e-12, abs_tol=1e-12)


def test_a_batch_says_the_same_with_one_thread_and_with_two() -> None:
    scenarios = {"base": SMALL, "cheap": SMALL.with_economy({"store.health_potion.price_gold": 90})}
    one, two = (
        batch(scenarios, replications=3, seed=5, engine=engines.COMPILED, workers=f"thread:{threads}").runs()
        for threads in (1, 2)
    )
    assert_frame_equal(one, two, check_exact=True)
    assert one.filter(run=0).drop("scenario", "run").row(0) != one.filter(run=1).drop("scenario", "run").row(
        0
    )
