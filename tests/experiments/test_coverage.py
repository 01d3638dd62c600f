"""How often an interval holds the effect, and how often nothing is called something: on runs of the economy.

By default few comparisons, whose bounds a sound interval passes 999 times in 1,000; the environment variable
``KOKORO_COMPARISONS=400`` makes it the campaign of ADR 15.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest
from pydantic_settings import BaseSettings, SettingsConfigDict
from scipy.stats import binom

from kokoromichi.experiments.measures import MEASURES
from kokoromichi.experiments.pairs import difference
from kokoromichi.experiments.seed_runs import headline_of
from kokoromichi.simulation import engines
from kokoromichi.simulation.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("numba") is None, reason="numba (extra `fast`) is not installed"),
]

PAIRS: Final = 10
NUMBERS: Final = ("supply_gold", "spent_gold", "gini", "mean_wait_days", "units_sold")


class Size(BaseSettings):
    """How many comparisons, of how many players and days."""

    model_config = SettingsConfigDict(env_prefix="KOKORO_")

    comparisons: int = 16
    comparison_players: int = 60
    comparison_days: int = 35


SIZE: Final = Size()
BASE: Final = Scenario.load("baseline", players=SIZE.comparison_players, days=SIZE.comparison_days)
DEAR: Final = BASE.scaled({"store.health_potion.price_gold": 1.2})


def played(scenario: Scenario) -> list[dict[str, float | None]]:
    """The headlines of as many runs as all comparisons take."""
    engines.compile_once(scenario, engines.choose(engines.COMPILED, scenario), lambda _what: None)
    with ThreadPoolExecutor(2) as pool:
        one = partial(headline_of, scenario, 11, engine=engines.COMPILED)
        return list(pool.map(one, range(SIZE.comparisons * PAIRS)))


@pytest.fixture(scope="module")
def base() -> list[dict[str, float | None]]:
    return played(BASE)


@pytest.fixture(scope="module")
def dear() -> list[dict[str, float | None]]:
    return played(DEAR)


def blocks(runs: Sequence[dict[str, float | None]], name: str) -> NDArray[np.float64]:
    """A number of each run, a row a comparison."""
    return np.array([run[name] for run in runs], np.float64).reshape(-1, PAIRS)


@pytest.mark.parametrize("name", NUMBERS)
def test_an_interval_holds_the_effect_as_often_as_it_says(
    base: list[dict[str, float | None]], dear: list[dict[str, float | None]], name: str
) -> None:
    before, after = blocks(base, name), blocks(dear, name)
    effect, step = float((after - before).mean()), MEASURES[name].smallest_step(BASE.players)
    held = 0
    for old, new in zip(before.tolist(), after.tolist(), strict=True):
        found = difference(old, new, step=step, confidence=0.95)
        held += found.low is not None and found.high is not None and found.low <= effect <= found.high
    print(f"{name}: {held} of {len(before)}")  # noqa: T201 - the campaign's answer
    assert held >= binom.ppf(0.001, len(before), 0.95)


@pytest.mark.parametrize("name", NUMBERS)
def test_two_halves_of_the_same_economy_are_seldom_certain(
    base: list[dict[str, float | None]], name: str
) -> None:
    halves = blocks(base, name)
    pairs = zip(halves[::2].tolist(), halves[1::2].tolist(), strict=False)
    p_values = [difference(old, new, step=0.0, confidence=0.95).p_value for old, new in pairs]
    certain = sum(p_value < 0.05 for p_value in p_values)
    print(f"{name}: {certain} of {len(p_values)}")  # noqa: T201 - as above
    assert certain <= binom.ppf(0.999, len(p_values), 0.05)
