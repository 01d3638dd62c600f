"""A stage of one's own takes the place of a named one: in plain Python, and compiled where that can be."""

from __future__ import annotations

import threading
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import polars as pl
import pytest

from kokoromichi.core.errors import MisuseError
from kokoromichi.simulation import engines
from kokoromichi.simulation.engines import choose
from kokoromichi.simulation.functions import fingerprint
from kokoromichi.simulation.scenario import Scenario
from kokoromichi.simulation.setup_files import SetupError
from kokoromichi.simulation.simulate import simulate
from kokoromichi.simulation.story import STAGES, hand_on
from tests.simulation.own_stages import LAST_TAME_DAY, buy_cheapest, buy_nothing, make_a_list

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.simulation.story import Scene, Stage, State

needs_numba = pytest.mark.skipif(find_spec("numba") is None, reason="numba (extra `fast`) is not installed")
BASE: Final = Scenario.load("baseline", players=16, days=LAST_TAME_DAY + 1)
LARGE: Final = Scenario.load("baseline", players=500, days=90)


def of_a_function(step: int) -> Stage:
    def stage(state: State, _scene: Scene) -> int:
        return hand_on(state) * step

    return stage


def test_a_stage_of_one_s_own_takes_the_place_of_the_shipped_one() -> None:
    played = engines.play(BASE.with_stage("spend", buy_cheapest), 1, "faithful")
    assert "choice" not in set(played.activity["act"])
    assert {"battle", "wish", "buy"} <= set(played.activity["act"])
    per_session = played.activity.filter(pl.col("act") == "buy").group_by("session").len()
    assert set(per_session["len"]) == {1}
    prices = {item_id: item.price_gold for item_id, item in BASE.economy.config.store.items()}
    cheapest = min(prices, key=lambda item_id: prices[item_id])
    assert set(played.ledger.filter(kind="purchase")["item_id"]) == {cheapest}


def test_the_stages_around_it_are_played_as_ever() -> None:
    played = engines.play(BASE.with_stage("fight", buy_nothing), 1, "faithful")
    assert "battle" not in set(played.activity["act"])
    assert "choice" in set(played.activity["act"])


def test_a_scenario_without_stages_of_its_own_lives_the_shipped_story() -> None:
    assert BASE.story() is STAGES
    own = BASE.with_stage("spend", buy_nothing).with_stage("sell", buy_cheapest)
    assert own.replace(days=2).story().count(buy_nothing) == 1
    assert own.story() != STAGES
    assert BASE.story() is STAGES


def test_a_stage_that_there_is_not_is_refused() -> None:
    with pytest.raises(
        SetupError, match=r"stages.spent = 'spent': Input should be 'claim', 'collect', 'use'"
    ):
        BASE.replace(stages={"spent": buy_nothing})


def test_a_manifest_says_which_stages_were_played(tmp_path: Path) -> None:
    own = BASE.with_stage("spend", buy_nothing)
    run = simulate(own, replications=1, out=tmp_path)
    assert run.manifest["definition"]["stages"] == {"spend": fingerprint(buy_nothing)}
    with pytest.raises(MisuseError, match=r"holds another run .*scenario_hash"):
        simulate(BASE.with_stage("spend", buy_cheapest), replications=1, out=tmp_path)
    assert "stages" not in simulate(BASE, replications=1).manifest["definition"]


def test_a_stage_is_known_by_what_it_does() -> None:
    assert fingerprint(of_a_function(1)) == fingerprint(of_a_function(1))
    assert fingerprint(of_a_function(1)) != fingerprint(of_a_function(2))
    assert fingerprint(buy_nothing) != fingerprint(make_a_list)


def test_a_number_that_a_stage_reads_is_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint(buy_cheapest)
    monkeypatch.setattr("tests.simulation.own_stages.LAST_TAME_DAY", 9)
    assert fingerprint(buy_cheapest) != before


def test_a_stage_of_a_notebook_is_sent_to_other_processes(tmp_path: Path) -> None:
    own = BASE.with_stage("sell", of_a_function(1))
    runs = [
        simulate(own, replications=1, workers=workers, out=tmp_path / workers[:4])
        for workers in ("serial", "process:1")
    ]
    first, second = (run.observations[0].ledger.collect() for run in runs)
    assert first.equals(second)


def test_a_stage_that_cannot_be_written_is_not(tmp_path: Path) -> None:
    lock = threading.Lock()

    def stage(state: State, _scene: Scene) -> int:
        with lock:
            return hand_on(state)

    own = BASE.with_stage("sell", stage)
    with pytest.raises(MisuseError, match=r"stage 'sell' cannot be sent.*workers=\"serial\""):
        simulate(own, workers="process:1", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@needs_numba
def test_a_stage_that_cannot_be_compiled_is_played_and_named() -> None:
    chosen = choose("auto", LARGE.with_stage("spend", make_a_list))
    assert chosen.name == "faithful"
    assert chosen.why == (
        "auto: its stage 'spend' cannot be compiled: it makes a list, an array or a text of its own"
    )


@needs_numba
def test_a_stage_that_cannot_be_compiled_is_refused_where_that_was_asked_for() -> None:
    own = BASE.with_stage("claim", buy_nothing).with_stage("spend", make_a_list)
    with pytest.raises(MisuseError, match="engine 'compiled' cannot play this: its stage 'spend' cannot be"):
        choose("compiled", own)


@needs_numba
def test_a_stage_that_can_be_compiled_is() -> None:
    assert choose("auto", LARGE.with_stage("spend", buy_cheapest)).name == "compiled"
    assert choose("auto", LARGE.with_stage("spend", of_a_function(1))).name == "compiled"


@needs_numba
@pytest.mark.slow
def test_a_compiled_stage_leaves_what_it_leaves_in_plain_python_and_leaves_no_array() -> None:
    own = BASE.with_stage("spend", buy_cheapest)
    chosen, steps = choose("compiled", own), list[str]()
    for _ in range(2):
        engines.compile_once(own, chosen, steps.append)
    assert steps == ["Compiling the engine (once)"]
    assert engines.play(own, 1, "both").ledger.filter(kind="purchase").height > 10
    with pytest.raises(IndexError, match="out of bounds"):
        engines.play(own.replace(days=LAST_TAME_DAY + 3), 1, "compiled")
