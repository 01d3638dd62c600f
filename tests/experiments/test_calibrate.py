"""Tastes fitted to what was seen: found again, with honest errors, or said to be out of reach."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import orjson
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scipy.stats import kstest

from kokoromichi.analysis.observations import MissingObservationsError, Observations
from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.calibrate import calibrate
from kokoromichi.experiments.logit import Menu, expected, fit, log_likelihood
from kokoromichi.simulation.population import Population
from kokoromichi.simulation.scenario import Scenario
from tests.experiments.recovery import (
    Size,
    as_a_bot_sees,
    only,
    recovered,
    seen_of,
    with_moving_prices,
)
from tests.simulation.commands import invoke

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.experiments.calibration import Calibration

CASUALS = only("casual", 60, 28).replace(closed=frozenset({"invest"}))
TRUTH = np.array([-1.0, 0.5, 1.2, 0.8])


@pytest.fixture(scope="module")
def seen() -> Observations:
    """Casual players under one list of prices."""
    return seen_of(CASUALS, 1, "faithful")


@pytest.fixture(scope="module")
def found(seen: Observations) -> Calibration:
    """What they like."""
    return calibrate(seen, CASUALS)


def row(calibration: Calibration, coefficient: str) -> dict[str, object]:
    """One row of the table."""
    return calibration.table().row(by_predicate=pl.col("coefficient") == coefficient, named=True)


def synthetic(rows: int, seed: int) -> Menu:
    """Choices of a known truth: three alternatives in two groups, some of them out of reach."""
    dice = np.random.default_rng(seed)
    price, purse = dice.normal(0, 0.4, (rows, 3)), dice.normal(0, 0.7, rows)
    offset = np.where(dice.random((rows, 3)) < 0.2, -np.inf, 0.0)
    menu = Menu(
        ("asc_a", "asc_b", "beta", "omega"), np.array([0, 0, 1]), np.zeros(0, int), offset, (price,), purse
    )
    utility = offset + TRUTH[menu.group] + TRUTH[2] * price + TRUTH[3] * purse[:, None]
    noise = dice.gumbel(size=(rows, 4))
    return menu._replace(chosen=np.argmax(np.column_stack([utility, np.zeros(rows)]) + noise, axis=1))


def test_standard_errors_are_those_of_repeated_samples() -> None:
    fits = [fit(synthetic(400, seed), np.zeros(4)) for seed in range(100)]
    z = np.array([(one.estimate - TRUTH) / one.standard_error for one in fits])
    assert np.abs(z.mean(axis=0)).max() < 0.3
    assert 0.8 < z.std(axis=0).min() <= z.std(axis=0).max() < 1.2


def test_a_fit_expects_of_each_group_what_was_chosen_of_it() -> None:
    menu = synthetic(2_000, 3)
    mean, _ = expected(menu, fit(menu, np.zeros(4)).estimate)
    counts = np.bincount(menu.chosen, minlength=4)
    np.testing.assert_allclose(
        [mean[0] + mean[1], *mean[2:]], [counts[0] + counts[1], *counts[2:]], rtol=1e-6
    )


def test_coefficients_that_move_together_are_named() -> None:
    menu = synthetic(500, 1)
    twins = menu._replace(names=("asc_a", "asc_b", "beta", "again", "omega"), prices=menu.prices * 2)
    blind = fit(twins, np.zeros(5))
    assert blind.unseen == {"beta": ("again",), "again": ("beta",)}
    assert np.isnan(blind.standard_error).tolist() == [False, False, True, True, False]
    alone = fit(menu, np.zeros(4))
    assert blind.estimate[2] + blind.estimate[3] == pytest.approx(alone.estimate[2])


def test_saves_that_nobody_saw_are_summed_over_all_their_places() -> None:
    menu = synthetic(400, 5)
    sessions = np.arange(400) // 2
    whole = menu._replace(offset=np.zeros_like(menu.offset), log_purse=np.zeros(400))
    chances = np.exp(whole.offset + TRUTH[whole.group] + TRUTH[2] * whole.prices[0])
    chances /= 1 + chances.sum(axis=1, keepdims=True)
    saved = 1 - chances.sum(axis=1)
    # One purchase of three slots, from the first row, then a stop in the second one.
    one = np.tile([0, 3], 200)
    found = log_likelihood(whole._replace(chosen=one, slots=3, session=sessions), TRUTH)
    first, last = saved[::2], saved[1::2]
    ways = first**2 + first * last + last**2
    assert found == pytest.approx(np.log(chances[::2, 0] * ways).sum())
    every = log_likelihood(whole._replace(chosen=one), TRUTH)  # Each row a choice that was seen.
    assert every == pytest.approx(np.log(chances[::2, 0] * last).sum())


@pytest.fixture(scope="module")
def again() -> pl.DataFrame:
    """Truths and what was found of them."""
    return recovered(Size())


@pytest.mark.parametrize("by", ["simulation", "bot"])
def test_truths_are_found_again_within_their_errors(again: pl.DataFrame, by: str) -> None:
    size = Size()
    # What is chosen some ten times a run is identified where it was chosen more often than is due: too high.
    always = pl.len().over("coefficient") == size.truths
    z = again.filter(by=by).filter(always)
    pooled = z.filter(~pl.col("coefficient").is_in(["beta_store", "beta_costs"]))[
        "z"
    ].to_numpy()  # Both are in beta.
    assert (np.abs(pooled) < 1.96).mean() > (0.93 if size.full else 0.8)
    assert 0.7 < pooled.std() < 1.3
    if size.full:
        by_name = {name: mine["z"].to_numpy() for (name,), mine in z.group_by("coefficient")}
        assert max(abs(one.mean()) for one in by_name.values()) < 0.25, by_name
        assert min(kstest(one, "norm").pvalue for one in by_name.values()) > 0.001, by_name


def test_a_bot_tells_all_that_full_choices_tell_and_each_a_little_less_surely(
    seen: Observations, found: Calibration
) -> None:
    noted = calibrate(as_a_bot_sees(seen), CASUALS)
    both = found.table().join(noted.table(), on="coefficient", suffix="_noted").filter("identified")
    assert both["identified_noted"].all()
    assert (both["se_noted"] / both["se"]).is_between(0.97, 1.4).all()
    assert ((both["estimate"] - both["estimate_noted"]).abs() < 2 * both["se"]).all()
    check = noted.check()
    assert check["chosen"].sum() == check["choices"][0] == pytest.approx(check["expected"].sum())
    assert np.abs(check["z"].drop_nulls().to_numpy()).max() < 4
    assert noted.presence().is_empty()


def test_players_whom_nobody_knows_are_taken_for_an_archetype(seen: Observations) -> None:
    nameless = replace(as_a_bot_sees(seen), has_players=False)
    with pytest.raises(MisuseError, match="name that of all players as archetype"):
        calibrate(nameless, CASUALS)
    named = calibrate(nameless, CASUALS, archetype="casual").table()
    assert_frame_equal(named, calibrate(as_a_bot_sees(seen), CASUALS).table())


def test_players_with_goals_are_left_out_where_only_a_bot_saw_them() -> None:
    collectors = only("collector", 6, 7)
    with pytest.raises(MisuseError, match="no spend choice was seen"):
        calibrate(as_a_bot_sees(seen_of(collectors, 1, "faithful")), collectors)


def test_one_price_list_does_not_tell_the_price_sensitivity_of_the_store(found: Calibration) -> None:
    store, costs = row(found, "beta_store"), row(found, "beta_costs")
    assert (store["estimate"], store["se"], store["identified"]) == (None, None, False)
    assert "one price list" in str(store["note"])
    assert costs["identified"]
    assert costs["estimate"] == pytest.approx(row(found, "beta")["estimate"], abs=1e-6)


def test_prices_that_differ_for_a_while_tell_it() -> None:
    moving = with_moving_prices(CASUALS)
    assert row(calibrate(seen_of(moving, 1, "faithful"), moving), "beta_store")["identified"]


def test_what_was_never_chosen_keeps_its_number(found: Calibration) -> None:
    never = row(found, "asc_business")
    assert (never["estimate"], never["chosen"], never["identified"]) == (None, 0, False)
    before, after = (one.archetypes[0] for one in (CASUALS.population, found.population))
    assert after.asc_business == before.asc_business
    assert after.asc_train == pytest.approx(row(found, "asc_train")["estimate"], abs=1e-4)


def test_what_was_chosen_a_few_times_is_too_rare_for_an_interval(seen: Observations) -> None:
    rare = calibrate(seen, CASUALS, hold_out=0.8).table().filter(pl.col("chosen").is_between(1, 9))
    assert rare.height > 0
    assert all("too rare" in note for note in rare["note"])
    assert rare["low"].null_count() == rare.height
    assert rare["estimate"].null_count() == 0


def test_the_days_held_out_are_predicted(seen: Observations, found: Calibration) -> None:
    check = found.check()
    assert check["chosen"].sum() == check["choices"][0] == pytest.approx(check["expected"].sum())
    assert np.abs(check["z"].drop_nulls().to_numpy()).max() < 4
    held_out = int(check["choices"][0])
    whole = seen.activity.filter(act="choice").select(pl.len()).collect().item()
    assert 0.05 < held_out / whole < 0.35
    assert found.tastes[0].rows + held_out == whole


def test_a_written_population_plays(found: Calibration, tmp_path: Path) -> None:
    played = CASUALS.with_population(found.write(tmp_path / "mine.toml"))
    assert played.population.archetypes == found.population.archetypes[:1]  # The only ones that play.
    assert played.population.reference_prices == CASUALS.population.reference_prices
    assert "asc_train" in (text := (tmp_path / "mine.toml").read_text(encoding="utf-8"))
    assert "# standard error" in text


def test_the_command_writes_the_population_of_a_folder(
    seen: Observations, found: Calibration, tmp_path: Path
) -> None:
    for stream in ("ledger", "activity", "economy_history", "players"):
        getattr(seen, stream).collect().write_parquet(tmp_path / f"{stream}.parquet")
    told = orjson.loads(invoke("calibrate", tmp_path, "--out", tmp_path / "mine.toml", "--json").stdout)
    assert len(told["table"]) == found.table().height
    assert Population.load(tmp_path / "mine.toml").archetypes[0].name == "casual"
    shown = invoke("calibrate", tmp_path, "--out", tmp_path / "mine.toml").output
    assert "11 of 13 coefficients identified" in shown


def test_how_often_players_come_is_found_again(seen: Observations, found: Calibration) -> None:
    rate, left, back = found.presence().rows(named=True)
    truth = CASUALS.population.archetypes[0]
    assert abs(rate["estimate"] - truth.rate_per_day) < 3 * rate["se"] < 0.3
    assert found.population.archetypes[0].rate_per_day == pytest.approx(rate["estimate"], abs=1e-4)
    turns = seen.activity.group_by("act").agg(pl.len()).collect()
    assert [left["events"], back["events"]] == [
        turns.filter(act=turn)["len"].sum() for turn in ("leave", "return")
    ]
    assert "all reasons" in left["note"]


def test_several_replications_tell_more_than_one(seen: Observations, found: Calibration) -> None:
    both = calibrate([seen, seen_of(CASUALS, 2, "faithful")], CASUALS)
    assert row(both, "asc_train")["se"] < row(found, "asc_train")["se"] / 1.2  # type: ignore[operator]  # Any cell.


def test_an_activity_without_choices_and_a_base_that_was_not_played_are_refused(seen: Observations) -> None:
    with pytest.raises(MissingObservationsError, match="activity"):
        calibrate(Observations.from_frames(seen.ledger), CASUALS)
    with pytest.raises(MisuseError, match="sales at the most: they tell neither"):
        calibrate(Observations.empty(), CASUALS)
    whales = only("whale", 5, 5)
    alone = tuple(one for one in whales.population.archetypes if one.name == "whale")
    with pytest.raises(MisuseError, match="no archetype 'casual'"):
        calibrate(seen, whales.with_population(whales.population.model_copy(update={"archetypes": alone})))
    with pytest.raises(MisuseError, match="other items"):
        calibrate(seen, CASUALS.without_item("ema_plaque"))


def test_the_shipped_baseline_is_the_base_where_none_is_named(seen: Observations) -> None:
    assert calibrate(seen).base == Scenario.load("baseline")
