"""A search over an economy: the surfaces, the trials that are kept, what is found and what cannot be."""

from __future__ import annotations

import math
import os
import shutil
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest

from kokoromichi.analysis.targets import Targets
from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.robustness import Robustness, plausible
from kokoromichi.experiments.space import Space, scale
from kokoromichi.experiments.surface import Surface
from kokoromichi.experiments.trials import TRIALS, Journal, Trial
from kokoromichi.experiments.tune import (
    FIRST_POINTS,
    FIRST_SEEDS,
    ROUND_POINTS,
    ROUND_SEEDS,
    Search,
    planned_runs,
    tune,
)
from kokoromichi.rules.economy import load_economy
from kokoromichi.rules.findings import EconomyError
from kokoromichi.settings import shipped_folder
from kokoromichi.simulation import engines
from kokoromichi.simulation.lines import held
from kokoromichi.simulation.scenario import Scenario

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from kokoromichi.experiments.seed_runs import Numbers
    from kokoromichi.experiments.space import Free
    from kokoromichi.experiments.tuned import Tuned

pytestmark = pytest.mark.usefixtures("compiled_engine")
ENGINE: Final = engines.COMPILED if find_spec("numba") else engines.FAITHFUL
"""The quicker one: what is asked here does not depend on who plays."""

BASE = Scenario.load("baseline", players=10, days=4)
FREE: Free = {"opening.gold": (5_000, 30_000), "daily.gold": scale(0.5, 2)}
WORLDS: Final = int(os.environ.get("KOKORO_ROBUST_WORLDS", "20"))  # noqa: TID251 - the campaign's size
SUPPLY = Targets({"supply_gold": (150_000, 250_000)})


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a search was kept."""
    folder = tmp_path_factory.mktemp("search")
    tune(BASE, FREE, SUPPLY, rounds=1, seed=5, engine=ENGINE, out=folder)
    return folder


def again(folder: Path, **changed: object) -> Tuned:
    """The same question once more, or another one."""
    asked: dict[str, object] = {"rounds": 1, "seed": 5, "engine": ENGINE, "out": folder}
    return tune(BASE, FREE, SUPPLY, **{**asked, **changed})  # type: ignore[arg-type]  # As a notebook passes it.


def test_surfaces_find_a_quadratic_exactly_enough() -> None:
    dice = np.random.default_rng(1)
    targets = Targets({"supply_gold": (90, 110), "gini": (None, 0.5)})
    points = dice.random((40, 2))
    truth = {
        "supply_gold": 50 + 80 * points[:, 0] - 30 * points[:, 1] ** 2,
        "gini": 0.2 + 0.5 * points[:, 0] * points[:, 1],
    }
    surface = Surface(targets, points, truth, horizon_days=90)
    fresh = dice.random((200, 2))
    found = surface.predict(fresh)
    assert found["supply_gold"] == pytest.approx(50 + 80 * fresh[:, 0] - 30 * fresh[:, 1] ** 2, abs=1.5)
    assert found["gini"] == pytest.approx(0.2 + 0.5 * fresh[:, 0] * fresh[:, 1], abs=0.02)


def test_a_wait_beyond_the_horizon_is_longer_than_any_other() -> None:
    targets = Targets({"wait_days": (5, 9)})
    points = np.linspace(0, 1, 12)[:, None]
    waits = np.where(points[:, 0] > 0.5, np.inf, 4.0)
    surface = Surface(targets, points, {"wait_days": waits}, horizon_days=30)
    low, high = surface.predict(np.array([[0.0], [1.0]]))["wait_days"]
    assert low < 9
    assert high > 30


def test_a_trial_pools_its_runs_and_takes_the_median_of_waits() -> None:
    rows: list[Numbers] = [
        {"wait_days": 3.0, "gini": 0.4},
        {"wait_days": math.inf, "gini": 0.6},
        {"wait_days": 5.0, "gini": None},
    ]
    runs = tuple(rows)
    assert Trial(0, (), runs).pooled() == {"wait_days": 5.0, "gini": 0.5}
    assert Trial(0, (), runs[1:2]).pooled()["wait_days"] == math.inf


def test_a_point_is_amounts_and_factors() -> None:
    space = Space(BASE, FREE)
    assert space.values([0.5, 0.5]) == {"opening.gold": 17_500, "daily.gold": 1.0}
    assert space.scenario([1.0, 0.0]).economy.config.opening.gold == 30_000
    doubled = space.scenario([0.0, 1.0]).economy.config.daily.gold
    assert doubled == tuple(2 * gold for gold in BASE.economy.config.daily.gold)


def test_a_search_goes_on_where_it_stopped(kept: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    shutil.copytree(kept, cut)
    lines = (cut / TRIALS).read_bytes().splitlines(keepends=True)
    (cut / TRIALS).write_bytes(b"".join(lines[:-7]) + lines[-7][:25])  # Ended in the middle of a line.
    assert again(cut).table().equals(again(kept).table())
    assert sorted((cut / TRIALS).read_bytes().splitlines(keepends=True)) == sorted(lines)


def test_points_of_tpe_are_left_early_where_they_are_far_and_go_on_where_they_stopped(
    kept: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "cut"
    shutil.copytree(kept, cut)
    first, told = again(cut, trials=3), list[int]()
    second = again(cut, trials=3, on_done=told.append)
    assert second.table().equals(first.table())
    assert told[-1] == sum(len(trial.runs) for trial in (second.base, *second.trials))
    played = [len(trial.runs) for trial in first.trials[FIRST_POINTS + ROUND_POINTS :]]
    assert len(played) == 3
    assert max(played) < ROUND_SEEDS  # The best one is near: all of them are surely farther.
    (whole,) = again(cut, trials=1, prune=False).trials[FIRST_POINTS + ROUND_POINTS :]
    assert whole.seeds == tuple(range(ROUND_SEEDS))


def test_no_trial_of_the_front_is_beaten(kept: Path) -> None:
    tuned = again(kept)
    two = replace(tuned, targets=Targets({"supply_gold": (150_000, 250_000), "gini": (0.0, 0.2)}))
    front = {trial: two.trials[trial].pooled() for trial in two.front()["trial"]}

    def misses(numbers: Numbers) -> list[float]:
        return [band.miss(numbers[name] or 0.0) for name, band in two.targets.items()]

    for trial in two.trials:
        beaten = any(
            all(mine <= theirs for mine, theirs in zip(misses(one), misses(trial.pooled()), strict=True))
            and misses(one) != misses(trial.pooled())
            for one in front.values()
        )
        assert beaten != (trial.number in front)


def test_an_endless_wait_meets_no_band() -> None:
    band = Targets({"wait_days": (5, None)})["wait_days"]
    assert not band.holds(math.inf)
    assert band.miss(math.inf) == math.inf
    assert band.holds(8.0)
    assert Targets({"wait_days": (5, None)}).distance({"wait_days": math.inf}) == math.inf


def test_a_surface_does_not_lead_beyond_the_horizon() -> None:
    targets = Targets({"wait_days": (5, None)})
    points = np.linspace(0, 1, 12)[:, None]
    waits = np.where(points[:, 0] > 0.7, np.inf, 8 * points[:, 0])
    surface = Surface(targets, points, {"wait_days": waits}, horizon_days=30)
    assert surface.distances(np.array([[1.0]]))[0] == math.inf
    assert surface.distances(np.array([[0.65]]))[0] < 1


def test_the_wait_of_an_item_and_an_archetype_is_a_target() -> None:
    name, space = "wait_days.treasure_chest.casual", Space(BASE, FREE)
    search = Search(
        space,
        Targets({name: (0.5, 2)}),
        seed=1,
        engine=ENGINE,
        journal=Journal(None, {}),
        on_done=list[int]().append,
    )
    search.play([(0.0, 0.0), (1.0, 1.0)], 1)
    poor, rich = (trial.pooled()[name] for trial in search.trials)
    assert poor is not None
    assert poor > 0
    assert rich is None or rich < poor  # A large opening lets nobody wait.
    assert list(search.surface().predict(np.array([[0.5, 0.5]]))) == [name]
    with pytest.raises(MisuseError, match="near it: treasure_chest"):
        tune(BASE, FREE, {"wait_days.treasure_chst": (1, 2)})
    with pytest.raises(MisuseError, match="archetype 'whales' is unknown; near it: whale"):
        tune(BASE, FREE, {"wait_days.treasure_chest.whales": (1, 2)})


def test_other_players_are_drawn_alike_for_a_seed_and_stay_in_range() -> None:
    one, two = (plausible(BASE, 3, seed=4, spread=0.5) for _ in range(2))
    assert one == two
    assert one[0] != one[1]
    assert all(0.3 <= archetype.beta <= 3 for found in one for archetype in found.archetypes)
    with pytest.raises(MisuseError, match="a scenario, a population or a calibration"):
        plausible("baseline")  # type: ignore[arg-type]  # As a notebook passes it.


def test_a_robust_find_comes_before_a_nearer_one(kept: Path) -> None:
    tuned = again(kept)
    first, second = tuned.table()["trial"][:2]
    met: Numbers = {"supply_gold": 200_000.0}
    missed: Numbers = {"supply_gold": 900_000.0}
    held = {
        first: Robustness(SUPPLY, ((met,), (missed,))),
        second: Robustness(SUPPLY, ((met,), (met,))),
    }
    robust = replace(tuned, robust=held)
    assert robust.table()["trial"][:2].to_list() == [second, first]
    assert "Met in 100% of 2 plausible populations (95 %: 16% to 100%)" in str(robust.explain())


def test_trials_that_are_alike_in_what_they_meet_are_ordered_by_what_the_table_shows(kept: Path) -> None:
    for _, part in again(kept).table().group_by("met"):
        assert part.height > 1
        assert part["predicted"].is_sorted(nulls_last=True)


def test_a_find_is_held_against_other_players_under_common_seeds(kept: Path) -> None:
    best = again(kept).best
    population = best.scenario.population
    lazy = population.with_archetype("casual", {"rate_per_day": 0.3})
    found = best.robustness([population, lazy, population], replications=2)
    same, other, twin = found.runs
    assert same == twin != other
    assert found.table()["metric"].to_list() == ["supply_gold"]
    with pytest.raises(MisuseError, match="two populations or more"):
        best.robustness([population])


def test_a_share_of_populations_has_an_interval_and_chance_is_told_from_taste() -> None:
    targets = Targets({"gini": (0.0, 0.5)})
    dice = np.random.default_rng(3)
    tastes = 0.4 + 0.1 * dice.standard_normal(200)
    runs: tuple[tuple[Numbers, ...], ...] = tuple(
        tuple({"gini": float(taste + 0.05 * noise)} for noise in dice.standard_normal(8)) for taste in tastes
    )
    found = Robustness(targets, runs)
    low, high = found.interval
    assert low < 0.84 < high  # A normal deviate is below 1 in 84 % of draws.
    assert low < found.share < high
    row = found.table().row(0, named=True)
    assert row["taste"] == pytest.approx(0.1, rel=0.15)
    assert row["seeds"] == pytest.approx(0.05 / math.sqrt(8), rel=0.15)


def test_where_seeds_make_no_difference_the_interval_is_that_of_clopper_and_pearson() -> None:
    each: list[Numbers] = [{"gini": 0.4 + 0.02 * who} for who in range(10)]
    found = Robustness(Targets({"gini": (0.0, 0.53)}), tuple((one,) * 4 for one in each))
    assert found.share == 0.7
    assert found.interval == pytest.approx((0.3475, 0.9333), abs=1e-4)


@pytest.mark.parametrize(("high", "truth"), [(0.0, 0.5), (0.8416, 0.8)])
def test_the_interval_of_a_share_holds_the_truth_where_seeds_move_all_populations_alike(
    high: float, truth: float
) -> None:
    """The populations' own interval held it in 50 of 100 such worlds; the campaign is 400 of each."""
    dice, held = np.random.default_rng(11), 0
    for _ in range(WORLDS):
        tastes, seeds = dice.standard_normal((20, 1)), 2 * dice.standard_normal(8)
        values = tastes + seeds + dice.standard_normal((20, 8))
        runs: tuple[tuple[Numbers, ...], ...] = tuple(
            tuple({"gini": float(value)} for value in row) for row in values
        )
        low, top = Robustness(Targets({"gini": (None, high)}), runs).interval
        held += low <= truth <= top
    assert held >= 0.87 * WORLDS


@pytest.mark.parametrize("left", [b"", b'{"scena'])
def test_a_search_that_ended_in_its_first_line_begins_anew(left: bytes, tmp_path: Path) -> None:
    (tmp_path / TRIALS).write_bytes(left)
    Journal(tmp_path, {"seed": 5}).keep((0.5,), 0, {"gini": 0.4})
    assert Journal(tmp_path, {"seed": 5}).find((0.5,), 0) == {"gini": 0.4}


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with held(tmp_path / TRIALS), pytest.raises(MisuseError, match="another program writes"):
        Journal(tmp_path, {"seed": 5})


def test_a_find_is_not_validated_under_the_seed_that_found_it(kept: Path) -> None:
    with pytest.raises(MisuseError, match="the search's own"):
        again(kept).best.validate(replications=2, seed=5)


def test_a_number_that_no_run_has_cannot_be_met(kept: Path) -> None:
    tuned, wanted = again(kept), Targets({"gini": (0.1, 0.9), "retention_d30": (0.5, None)})
    search = Search(
        tuned.space, wanted, seed=1, engine=ENGINE, journal=Journal(None, {}), on_done=lambda _runs: None
    )
    search.trials = [Trial(0, (0.5, 0.5), ({"gini": 0.5, "retention_d30": None},))]
    found = replace(tuned, targets=wanted, trials=tuple(search.trials), surface=search.surface())
    assert not found.found
    assert "Retention on day 30 cannot be met in these ends: no run has one." in [*found.explain()]
    assert found.reachable()["reached"].to_list() == [False, True]
    search.targets = Targets({"retention_d30": (0.5, None)})
    with pytest.raises(MisuseError, match="no run has a retention_d30"):
        search.surface()


def test_a_folder_of_another_search_is_refused(kept: Path) -> None:
    with pytest.raises(MisuseError, match="holds another search"):
        again(kept, seed=6)


def test_what_was_planned_is_what_is_played(kept: Path) -> None:
    done: list[int] = []
    tuned = again(kept, on_done=done.append)
    assert done[-1] == planned_runs(1)
    assert sum(len(trial.runs) for trial in tuned.trials) == planned_runs(1) - len(tuned.base.runs)
    assert [len(trial.runs) for trial in tuned.trials[:FIRST_POINTS]] == [FIRST_SEEDS] * FIRST_POINTS


def test_what_is_found_meets_its_targets_under_other_seeds(kept: Path) -> None:
    tuned = again(kept)
    assert tuned.found
    checked = tuned.best.validate(replications=6, seed=77)
    assert checked["met"].to_list() == [True]
    assert "Validate" in str(tuned.explain())


def test_what_cannot_be_met_is_said_with_what_can_be_reached(kept: Path) -> None:
    tuned, rich = again(kept), Targets({"supply_gold": (10_000_000, 20_000_000)})
    points = np.array([trial.point for trial in tuned.trials])
    numbers = {"supply_gold": np.array([float(trial.pooled()["supply_gold"] or 0) for trial in tuned.trials])}
    other = replace(tuned, targets=rich, surface=Surface(rich, points, numbers, BASE.days))
    assert not other.found
    assert "Supply at the end cannot be met in these ends" in str(other.explain())
    assert "gold (wanted 10,000,000 to 20,000,000)" in str(other.explain())
    assert "supply_gold" not in str(other.explain())  # Titles and units, no codes.
    assert "<li>Not found: none of" in other._repr_html_()
    assert other.reachable()["reached"].to_list() == [False]
    closed = replace(other, space=Space(Scenario.load("no_sinks"), tuned.space.free))
    assert "closes buy, exchange, invest, summon, train, which no number opens" in str(closed.explain())


def test_the_best_is_written_where_the_bot_loads_it_with_its_comments(kept: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(shipped_folder("data"), folder, ignore=shutil.ignore_patterns("users", "*.db*"))
    before = (folder / "economy.toml").read_text(encoding="utf-8")
    best = again(kept).best
    best.write(folder / "economy.toml")
    after = (folder / "economy.toml").read_text(encoding="utf-8")
    assert load_economy(folder).config == best.scenario.economy.config
    assert [line for line in before.splitlines() if line.startswith("#")] == [
        line for line in after.splitlines() if line.startswith("#")
    ]


def test_numbers_that_break_a_law_are_not_written(tmp_path: Path, kept: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(shipped_folder("data"), folder, ignore=shutil.ignore_patterns("users", "*.db*"))
    before = (folder / "economy.toml").read_bytes()
    sold_low = BASE.with_economy({"store.treasure_chest.price_gold": 1})
    cheap = replace(again(kept).best, scenario=sold_low)
    with pytest.raises(EconomyError):
        cheap.write(folder / "economy.toml")
    assert (folder / "economy.toml").read_bytes() == before
    with pytest.raises(MisuseError, match="is no file"):
        again(kept).best.write(folder / "none.toml")


@pytest.mark.parametrize(
    ("free", "said"),
    [
        ({}, "numbers to turn"),
        ({"opening.gold": (5, 1)}, "smaller first"),
        ({"opening.gold": (0.1, 1)}, "no ends"),
        ({"opening.gold": (False, 5)}, "no ends"),
        ({"opening.gold": 5}, "no ends"),
        ("opening.gold", "numbers to turn"),
    ],
)
def test_ends_are_checked_before_anything_is_played(free: Any, said: str) -> None:
    with pytest.raises(MisuseError, match=said):
        tune(BASE, free, SUPPLY)
    with pytest.raises(EconomyError):
        tune(BASE, {"opening.golf": (1, 2)}, SUPPLY)
    with pytest.raises(MisuseError, match="seed is '1'; use a whole number"):
        tune(BASE, {"opening.gold": (1, 2)}, SUPPLY, seed="1")  # type: ignore[arg-type]  # The mistake itself.
    with pytest.raises(MisuseError, match="a search is given 'baseline'; give it a scenario"):
        tune("baseline", {"opening.gold": (1, 2)}, SUPPLY)  # type: ignore[arg-type]  # A name, no scenario.
    with pytest.raises(MisuseError, match=r"scale\('a', 2\): factors are above 0"):
        scale("a", 2)  # type: ignore[arg-type]  # A text, no factor.


def test_ends_may_be_numbers_of_any_library() -> None:
    free = {"opening.gold": np.array([5_000, 6_000]), "daily.gold": scale(np.float64(0.5), 2)}
    space = Space(BASE, free)  # type: ignore[arg-type]  # As notebooks have them.
    assert space.values([1.0, 0.0]) == {"opening.gold": 6_000, "daily.gold": 0.5}
    assert {type(end) for end in space.free["opening.gold"]} == {int}  # type: ignore[union-attr]  # Two ends, no words.


def test_the_frontier_shows_every_trial_that_has_both_numbers(kept: Path) -> None:
    tuned = again(kept)
    axes = tuned.plot.frontier()
    points = [len(np.asarray(shown.get_offsets())) for shown in axes.collections]
    assert sum(points) == len(tuned.trials) + 1  # The best one has a ring.
    assert drawn(axes)["the best"] == [(tuned.best.numbers["supply_gold"],) * 2]
    with pytest.raises(MisuseError, match="no target"):
        tuned.plot.frontier("gini")


def drawn(axes: Axes) -> dict[str, list[tuple[float, float]]]:
    """The points of a chart by the legend's words, and what has no point."""
    legend = axes.get_legend()
    assert legend is not None
    assert np.concatenate([shown.get_linewidth() for shown in axes.collections]).min() > 0  # Rings, too.
    points = {
        str(shown.get_label()): [(float(x), float(y)) for x, y in np.asarray(shown.get_offsets())]
        for shown in axes.collections
    }
    return {text.get_text(): points.get(text.get_text(), []) for text in legend.get_texts()}


def test_the_frontier_counts_what_it_cannot_draw_and_shades_the_whole_band(kept: Path) -> None:
    tuned, wanted = again(kept), Targets({"supply_gold": (150_000, 250_000), "gini": (None, 0.9)})
    numbers: list[Numbers] = [
        {"supply_gold": supply, "gini": gini}
        for supply, gini in [(200_000.0, math.inf), (300_000.0, 0.4), (100_000.0, 0.5)]
    ]
    trials = tuple(Trial(place, tuned.trials[place].point, (run,)) for place, run in enumerate(numbers))
    search = replace(tuned, targets=wanted, trials=trials, surface=FirstIsBest())  # type: ignore[arg-type]  # Its order alone.
    axes = search.plot.frontier()
    assert drawn(axes) == {
        "a target missed": [(300_000.0, 0.4), (100_000.0, 0.5)],
        "not drawn: 1 of 3 trials, beyond the horizon or without a value": [],
    }
    across, up = (span.get_extents().transformed(axes.transData.inverted()) for span in axes.patches)
    assert (across.x0, across.x1) == pytest.approx((150_000, 250_000))
    assert (up.y0, up.y1) == pytest.approx(axes.get_ylim())  # At most 0.9: all that is to be seen.


class FirstIsBest:
    """A surface that puts the trials nearest in the order in which they were played."""

    def distances(self, points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.arange(len(points))
