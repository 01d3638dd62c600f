"""Which numbers matter: effects that are known exactly, and ranks that noise cannot tell apart."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

import numpy as np
import pytest

from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.sensitivity import TESTED, Floats, Sensitivity, _effects, _walks, sensitivity
from kokoromichi.experiments.sobol import Indices, sobol
from kokoromichi.experiments.space import Space
from kokoromichi.simulation import engines
from kokoromichi.simulation.scenario import Scenario

pytestmark = pytest.mark.usefixtures("compiled_engine")
ENGINE: Final = engines.COMPILED if find_spec("numba") else engines.FAITHFUL
"""The quicker one: what is asked here does not depend on who plays."""

BASE = Scenario.load("baseline", players=8, days=3)


def test_effects_of_a_plane_are_its_slopes() -> None:
    walks = _walks(3, 5, seed=4)
    points = np.array(walks)
    plane = points @ np.array([2.0, -7.0, 0.5])
    values = np.stack([plane, plane + 100], axis=1).reshape(5, 4, 2, 1)  # Two seeds, one of which is richer.
    effects = _effects(walks, values)
    assert effects.shape == (5, 2, 3, 1)
    assert effects[..., 0] == pytest.approx(np.broadcast_to([2.0, -7.0, 0.5], (5, 2, 3)))


STRONG, ONE, OTHER = "opening.gold", "transfer.fee_percent", "income.upkeep_percent"
THREE = Space(BASE, dict.fromkeys((STRONG, ONE, OTHER), (5, 30)))


def screened(noise: float) -> Sensitivity:
    """Three numbers: one strong, two alike but for noise."""
    dice = np.random.default_rng(2)
    truth = np.array([10.0, -3.0, 3.0])
    effects = truth + dice.normal(0, noise, (20, 2, 3))
    every = np.repeat(effects[..., None], len(TESTED), axis=3)
    return Sensitivity(THREE, every, 1, engines.choose(engines.FAITHFUL, BASE))


def test_numbers_that_cannot_be_told_apart_share_a_rank() -> None:
    table = screened(1.0).table("supply_gold")
    assert table["path"].item(0) == STRONG
    assert table["rank"].to_list() == [1, 2, 2]
    assert dict(table.select("path", "signed").iter_rows())[ONE] == pytest.approx(-3, abs=0.6)


def test_effects_are_counted_over_the_steps_that_were_truly_taken() -> None:
    space = Space(BASE, {"transfer.fee_percent": (5, 6)})
    assert [space.realised([side]) for side in (0.0, 1 / 3, 2 / 3, 1.0)] == [[0.0], [0.0], [1.0], [1.0]]


def test_a_small_economy_is_screened_drawn_and_shared_out() -> None:
    free = {"opening.gold": (5_000, 30_000), "transfer.fee_percent": (5, 30)}
    done: list[int] = []
    found = sensitivity(BASE, free, trajectories=3, seeds=1, engine=ENGINE, on_done=done.append)
    assert done[-1] == 3 * (2 + 1)
    assert found.table("supply_gold")["path"].item(0) == "opening.gold"
    # Eight players open with up to 25,000 more each, and spend some of it.
    assert 0 < found.table("supply_gold")["effect"].item(0) <= 8 * 25_000
    assert len(found.plot.tornado("supply_gold").patches) == 2
    shared = sobol(found, points=4, on_done=done.append)
    assert done[-1] == 4 * (2 + 2)
    assert shared.table("supply_gold")["path"].item(0) == "opening.gold"


def test_shares_of_the_variance_are_those_of_a_function_that_is_known() -> None:
    from scipy.stats import qmc  # noqa: PLC0415 - slow, and wanted by one test

    sample = qmc.Sobol(6, seed=1).random(1_024)
    first, second = sample[:, :3], sample[:, 3:]
    mixed = [np.where(np.arange(3) == side, second, first) for side in range(3)]

    def weighted_sum(points: Floats) -> Floats:
        return 4 * points[:, 0] + 2 * points[:, 1] + 0 * points[:, 2]

    values = np.array([weighted_sum(points) for points in (first, second, *mixed)])
    found = Indices(("strong", "half", "none"), np.repeat(values[..., None], len(TESTED), axis=2))
    table = found.table("supply_gold")
    assert table["path"].to_list() == ["strong", "half", "none"]
    assert table["first"].to_list() == pytest.approx([0.8, 0.2, 0.0], abs=0.03)  # 16 : 4 : 0
    assert table["total"].to_list() == pytest.approx([0.8, 0.2, 0.0], abs=0.03)
    assert all(low <= at <= high for low, at, high in table.select("total_low", "total", "total_high").rows())


def test_misuse_is_one_sentence_with_the_cure() -> None:
    with pytest.raises(MisuseError, match="trajectories is 1"):
        sensitivity(BASE, {"opening.gold": (1, 2)}, trajectories=1)
    with pytest.raises(MisuseError, match="a power of 2"):
        sobol(screened(1.0), points=6)
    with pytest.raises(MisuseError, match="supply_gold"):
        screened(1.0).table("supply")
    lacking = screened(1.0)
    lacking.effects[0, 0, 0] = np.nan
    with pytest.raises(MisuseError, match="supply_gold is missing in some runs: play more days"):
        lacking.table("supply_gold")
    with pytest.raises(MisuseError, match="seed is"):
        sensitivity(BASE, {"opening.gold": (1, 2)}, seed=1.5)  # type: ignore[arg-type]  # The mistake itself.
