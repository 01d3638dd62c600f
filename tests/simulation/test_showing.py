"""How a notebook meets a run: charts in every way in which people show charts, completion, words, cards."""

from __future__ import annotations

import gc
from io import BytesIO
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.pylabtools import select_figure_formats
from IPython.utils.capture import capture_output
from matplotlib.colors import to_hex

import kokoromichi as km
from kokoromichi.analysis.charts import CHARTS
from kokoromichi.analysis.plots.showing import figure_of, png_card

if TYPE_CHECKING:
    from collections.abc import Iterator

INLINE = "module://matplotlib_inline.backend_inline"
CARD_MARGIN_IN = 0.16
"""Around a chart, so that it looks meant where a notebook is dark."""
ALPHA = 3


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> km.Run:
    scenario = km.Scenario.load("baseline", players=12, days=5)
    return km.simulate(scenario, replications=1, seed=2, out=tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def notebook(run: km.Run) -> Iterator[InteractiveShell]:
    """What answers a notebook's cells, in this process."""
    before = mpl.get_backend()
    plt.close("all")  # Of other tests.
    shell = InteractiveShell.instance(user_ns={"run": run, "plt": plt, "km": km})
    plt.switch_backend(INLINE)
    plt.ion()
    from matplotlib_inline.backend_inline import flush_figures  # noqa: PLC0415 - it asks for the shell

    # As a kernel does, for figures of one's own; IPython has no types here.
    select_figure_formats(shell, {"png"})  # type: ignore[no-untyped-call]
    shell.events.register("post_execute", flush_figures)
    yield shell
    plt.ioff()
    plt.close("all")
    plt.switch_backend(before)
    InteractiveShell.clear_instance()


@pytest.fixture(autouse=True)
def no_figures_left() -> Iterator[None]:
    yield
    plt.close("all")


def run_cell(notebook: Any, cell: str) -> bool:
    """Whether a cell ran without an error."""
    return bool(notebook.run_cell(cell).success)


def pictures(notebook: InteractiveShell, cell: str) -> list[dict[str, Any]]:
    """What a cell shows of charts."""
    with capture_output() as shown:
        assert run_cell(notebook, cell)
    return [output.data for output in shown.outputs if "image/png" in output.data]


@pytest.mark.parametrize(
    ("cell", "charts"),
    [
        ("run.plot.supply()", 1),
        ("ax = run.plot.supply()", 1),
        ("run.plot.supply()\nrun.plot.flows()\nrun.plot.acts()\nrun.metrics()", 3),
        ("for name in ('supply', 'lorenz'):\n    getattr(run.plot, name)()", 2),
        ("run.plot.supply(); plt.show()", 1),
        ("run.plot.supply()\nplt.show()\nrun.plot.flows()", 2),
        ("_, both = plt.subplots(1, 2)\nrun.plot.supply(both[0])\nrun.plot.flows(ax=both[1]);", 1),
        ("ax = run.plot.supply(label='a')\nrun.plot.supply(ax=ax, label='b')", 1),
        ("from kokoromichi.analysis.plots.players import acts\nacts(run.metric('acts'))", 1),
        ("km.simulate.__module__", 0),
    ],
)
def test_every_chart_of_a_cell_is_shown_once(notebook: InteractiveShell, cell: str, charts: int) -> None:
    assert len(pictures(notebook, cell)) == charts
    assert plt.get_fignums() == []


def test_a_chart_of_an_earlier_cell_is_shown_again_where_it_is_named(notebook: InteractiveShell) -> None:
    assert len(pictures(notebook, "ax = run.plot.supply()")) == 1
    assert len(pictures(notebook, "ax")) == 1


def test_a_chart_that_cannot_be_drawn_leaves_no_empty_one(notebook: InteractiveShell) -> None:
    with capture_output() as shown:
        assert not run_cell(notebook, "run.plot.supply(currency='Gold')")
    assert not shown.outputs


def test_a_notebook_gets_svg_and_a_picture_of_twice_its_size_on_a_card_with_round_corners(
    notebook: InteractiveShell,
) -> None:
    (shown,) = pictures(notebook, "ax = run.plot.supply()")
    figure = figure_of(notebook.user_ns["ax"])
    width_in, patch = figure.get_figwidth() + 2 * CARD_MARGIN_IN, figure.patch
    assert f'width="{72 * width_in:g}pt"' in shown["image/svg+xml"]
    pixels = plt.imread(BytesIO(png_card(figure)))
    assert pixels.shape[1] == pytest.approx(2 * 96 * width_in, abs=1)
    assert pixels[0, 0, ALPHA] == 0
    assert tuple(pixels[20, 20]) == (1, 1, 1, 1)
    assert figure.patch is patch


def test_two_runs_are_told_apart_on_the_same_axes(run: km.Run) -> None:
    for name, lines in (("supply", 4), ("net_flow", 2), ("ratio", 2), ("retention", 4), ("lorenz", 5)):
        chart = getattr(run.plot, name)
        ax = chart(label="baseline")
        height = figure_of(ax).get_figheight()
        assert chart(ax=ax, label="dearer", colour="crimson") is ax
        texts = [text.get_text() for text in ax.get_legend().get_texts()]
        assert len([text for text in texts if text.startswith(("baseline", "dearer"))]) >= 2, name
        drawn = [line for line in ax.get_lines() if not str(line.get_label()).startswith("_")]
        assert len(drawn) >= min(lines, 2)
        assert len({to_hex(line.get_color()) for line in drawn}) >= 2
        assert figure_of(ax).get_figheight() - height < 1  # Only the legend grew.


def test_the_next_run_has_a_colour_that_is_free(run: km.Run) -> None:
    ax = run.plot.ratio(label="one")
    run.plot.ratio(ax=ax, label="two")
    colours = [line.get_color() for line in ax.get_lines() if not str(line.get_label()).startswith("_")]
    assert len(set(colours)) == len(colours) == 2


def test_a_chart_has_its_own_signature_and_words(notebook: InteractiveShell) -> None:
    inspect: Any = notebook.object_inspect_text
    told = inspect("run.plot.supply")
    assert "currency" in told
    assert "frame" not in told
    assert "Draw the money supply over the days." in told
    assert "partial" not in told


def test_completion_knows_the_charts(notebook: InteractiveShell) -> None:
    with provisionalcompleter():
        found = {completion.text for completion in notebook.Completer.completions("run.plot.", 9)}
    assert found >= set(CHARTS)


def test_what_is_handed_out_keeps_a_run_that_has_no_folder_of_its_own() -> None:
    scenario = km.Scenario.load("baseline", players=4, days=2)
    seen = km.simulate(scenario, replications=1).observations[0]
    plot = km.simulate(scenario, replications=1).plot
    gc.collect()
    assert seen.ledger.collect().height > 0
    assert plot.supply().has_data()


def test_cards_say_what_it_is_and_hold_no_markup_of_others(run: km.Run) -> None:
    scenario = km.Scenario.load("sale_week").replace(title="<b>Sale</b> & more")
    shown = scenario._repr_html_()
    assert "&lt;b&gt;Sale&lt;/b&gt; &amp; more" in shown
    assert "chest, charm at 70 % from day 42 for 7 days" in shown
    assert len(shown) < 5_000
    assert repr(scenario) == "Scenario('sale_week', 500 players, 90 days)"
    assert repr(scenario.economy).startswith("Economy(23 items, 78 characters, ")
    assert "Ledgers sound" in run._repr_html_()
    assert repr(run).startswith("Run('baseline', 1 replications, seed 2")


def test_a_report_is_shown_as_a_link_with_its_verdicts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report = km.simulate(km.Scenario.load("baseline", players=3, days=2), replications=1).report()
    gc.collect()  # Nobody knows the run any more, and its temporary folder stays.
    monkeypatch.chdir(report.path.parent)
    shown = report._repr_html_()
    assert 'href="report.html"' in shown
    assert "Reconciles to the unit" in shown
    assert "></td>" not in shown  # No row lacks its name.
    assert str(report) == str(report.path)
    with open(report, encoding="utf-8") as page:  # noqa: PTH123 - it is opened as a path is
        assert page.read().startswith("<!doctype html>")
