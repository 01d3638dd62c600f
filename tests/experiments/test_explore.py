"""Sliders over an economy, without a browser: the last move is shown, what waited is dropped."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.explore import explore
from kokoromichi.experiments.newest import Newest
from kokoromichi.experiments.space import scale
from kokoromichi.simulation.replication_jobs import replication_seed
from kokoromichi.simulation.scenario import Scenario
from kokoromichi.simulation.totals import play_totals

if TYPE_CHECKING:
    from kokoromichi.experiments.space import Free, Scale

BASE = Scenario.load("baseline", players=10, days=4)
FREE: Free = {"opening.gold": (5_000, 30_000), "daily.gold": scale(0.5, 2)}


def test_moves_that_wait_are_dropped_but_for_the_last() -> None:
    answered, first, go = list[int](), Event(), Event()

    def answer(question: int) -> None:
        answered.append(question)
        first.set()
        go.wait(5)

    moves = Newest(answer)
    moves.ask(1)
    first.wait(5)
    for question in range(2, 9):
        moves.ask(question)
    go.set()
    moves.wait()
    assert answered == [1, 8]
    moves.ask(9)
    moves.wait()
    assert answered == [1, 8, 9]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_question_whose_answer_fails_stops_none_that_waits_or_comes_later() -> None:
    answered, first, go = list[int](), Event(), Event()

    def answer(question: int) -> None:
        first.set()
        go.wait(5)
        answered.append(100 // question)

    moves = Newest(answer)
    moves.ask(0)
    first.wait(5)
    moves.ask(2)
    go.set()
    moves.wait()
    assert answered == [50]
    moves.ask(0)
    moves.wait()
    moves.ask(4)
    moves.wait()
    assert answered == [50, 25]


@pytest.mark.usefixtures("compiled_engine")
def test_a_slider_moves_the_one_figure_to_what_a_run_shows() -> None:
    explorer = explore(BASE, FREE, seed=3)
    at_first = explorer.figure
    assert at_first.count("<svg") == 1
    opening = explorer._sliders["opening.gold"]  # noqa: SLF001 - what a browser would show
    assert opening.value == BASE.economy.config.opening.gold
    opening.value = 30_000
    explorer.wait()
    assert explorer.figure != at_first
    scenario = BASE.with_economy({"opening.gold": 30_000})
    wanted = play_totals(scenario, replication_seed(3, 0), "faithful").headline.row(0, named=True)
    assert explorer.numbers["supply_gold"] == wanted["supply_gold"]
    assert explorer.values == {"opening.gold": 30_000, "daily.gold": 1.0}


@pytest.mark.usefixtures("compiled_engine")
def test_a_number_that_the_economy_refuses_is_said_above_the_figure() -> None:
    explorer = explore(BASE, FREE)
    before = explorer.figure
    explorer.move({"opening.gold": -5})
    explorer.wait()
    assert "opening.gold" in explorer._note.value  # noqa: SLF001 - what a browser would show
    assert explorer.figure == before


@pytest.mark.usefixtures("compiled_engine")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_that_nobody_expected_is_said_above_the_figure_and_the_next_move_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_asked: object) -> None:
        raise ZeroDivisionError("as <never> before")

    explorer = explore(BASE, FREE)
    with monkeypatch.context() as patch:
        patch.setattr("kokoromichi.experiments.explore.play_totals", broken)
        explorer.move({"opening.gold": 20_000})
        explorer.wait()
    assert "as &lt;never&gt; before" in explorer._note.value  # noqa: SLF001 - what a browser would show
    explorer.move({"opening.gold": 30_000})
    explorer.wait()
    assert explorer.values["opening.gold"] == 30_000
    assert "never" not in explorer._note.value  # noqa: SLF001 - what a browser would show


@pytest.mark.usefixtures("compiled_engine")
def test_the_last_figure_and_its_numbers_stay_in_a_notebook_whose_kernel_is_gone() -> None:
    explorer = explore(BASE, FREE)
    endless = explorer._base.headline.with_columns(wait_days=math.inf)  # noqa: SLF001 - of a longer run
    explorer._base = replace(explorer._base, headline=endless)  # noqa: SLF001 - in place of a run of months
    InteractiveShell.instance()
    try:
        with capture_output() as shown:
            explorer._ipython_display_()
            explorer.move({"opening.gold": 30_000})
            explorer.wait()
    finally:
        InteractiveShell.clear_instance()
    _sliders, first, last = shown.outputs
    assert (last.transient, last.update) == (first.transient, True)
    page = last.data["text/html"]
    assert explorer.figure in page
    assert "run the cell again" in page
    assert "Median wait, days</td><td>beyond the horizon</td>" in page


def test_without_widgets_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(MisuseError, match=r'pip install "kokoromichi\[notebooks\]"'):
        explore(BASE)
    with pytest.raises(MisuseError, match="give it a scenario"):
        explore("baseline")  # type: ignore[arg-type]  # As a notebook passes it.


@pytest.mark.parametrize("ends", [(1_000, 40_000), (10_000, 12_000), (9_999, 10_001), (0, 10_000)])
@pytest.mark.parametrize("factors", [scale(0.1, 3.0), scale(0.3, 3.0), scale(1.0, 2.0), scale(0.2, 1.0)])
def test_no_browser_moves_a_slider_to_its_next_step(ends: tuple[int, int], factors: Scale) -> None:
    explorer = explore(BASE, {"opening.gold": ends, "daily.gold": factors})
    amount, factor = explorer._sliders.values()  # noqa: SLF001 - what a browser would move
    assert (amount.value, factor.value) == (10_000, 1.0)
    assert (amount.value - amount.min) % amount.step == 0
    steps = (math.log10(factor.value) - factor.min) / factor.step
    assert steps == pytest.approx(round(steps), abs=1e-9)
    assert 1 <= amount.step <= max(1, (ends[1] - ends[0]) / 200)
    assert 0.01 < factor.step < 0.03
