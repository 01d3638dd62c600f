"""Every chart: axes in and out, units on the axes, one palette, nothing global, the same bytes twice."""

from __future__ import annotations

import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from importlib import import_module
from inspect import signature
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Final

import matplotlib as mpl
import polars as pl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from kokoromichi.analysis import plots
from kokoromichi.analysis.charts import CHARTS
from kokoromichi.analysis.metrics import metric
from kokoromichi.analysis.observations import Observations
from kokoromichi.analysis.plots import canvas, flows, players, series, style, supply, wealth
from kokoromichi.analysis.plots.flows import flow_windows, weekly
from kokoromichi.analysis.plots.showing import figure_of
from kokoromichi.analysis.plots.style import svg_text
from kokoromichi.core.schemas import ECONOMY_HISTORY_SCHEMA
from tests.analysis.plot_data import START, synthetic_run

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

PLOTS: Final = {name: (entry.draw, entry.metric) for name, entry in CHARTS.items()}
UNITS: Final = ("gold", "gems", "day", "share", "%", "acts", "refusals", "index")
NAMES: Final = ("archetype", "item", "decile", "act")
"""What names the rows of a chart, and has no unit."""

MANY_RUNS: Final = 3


def observed(runs: int) -> list[Observations]:
    """Made-up runs, in which one price moves."""
    made = [synthetic_run(seed, players=40, days=36) for seed in range(1, runs + 1)]
    later = ("moved", START + timedelta(days=18), "price_gold", "health_potion", "potion", 130)
    moved = pl.DataFrame([later], ECONOMY_HISTORY_SCHEMA, orient="row")
    return [
        Observations.from_frames(
            run.ledger,
            activity=run.activity,
            economy_history=pl.concat([run.history, moved]),
            players=run.players,
        )
        for run in made
    ]


def numbered(name: str, runs: list[Observations]) -> pl.DataFrame:
    frames = [metric(name)(run).collect() for run in runs]
    return pl.concat(
        frame.with_columns(replication=pl.lit(number, pl.Int64)) for number, frame in enumerate(frames)
    )


@pytest.fixture(scope="module")
def many() -> list[Observations]:
    return observed(MANY_RUNS)


def named(ax: Axes) -> set[str]:
    legend = ax.get_legend()
    return {text.get_text() for text in legend.get_texts()} if legend else set()


def test_every_function_that_draws_a_metric_is_a_chart() -> None:
    modules = [import_module(found.name) for found in iter_modules(plots.__path__, f"{plots.__name__}.")]
    checked = [
        found for module in modules for found in vars(module).values() if hasattr(found, "__wrapped__")
    ]
    drawing = {found for found in checked if [*signature(found).parameters][:2] == ["frame", "ax"]}
    assert drawing == {plot for plot, _ in PLOTS.values()}


@pytest.mark.parametrize("runs", [1, MANY_RUNS])
@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_states_measure_and_units_and_draws_only_the_palette(
    name: str, runs: int, many: list[Observations]
) -> None:
    plot, source = PLOTS[name]
    frame = numbered(source, many[:runs])
    ax = plot(frame.drop("replication") if runs == 1 else frame)
    assert ax.get_title(loc="left")
    assert any(unit in ax.get_xlabel() for unit in UNITS), ax.get_xlabel()
    assert any(unit in ax.get_ylabel() for unit in UNITS + NAMES), ax.get_ylabel()
    assert drawn_colours(ax) <= {*style.OKABE_ITO, style.WINE, *style.GREYS}
    assert ax.has_data()


def drawn_colours(ax: Axes) -> set[str]:
    colours = [line.get_color() for line in ax.get_lines()]
    colours += [patch.get_facecolor() for patch in ax.patches]
    colours += [
        colour for part in ax.collections for colour in (*part.get_facecolor(), *part.get_edgecolor())
    ]
    return {to_hex(colour) for colour in colours}


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_of_nothing_says_so(name: str) -> None:
    plot, source = PLOTS[name]
    frame = metric(source)(Observations.empty()).collect()
    for empty in (frame, frame.with_columns(replication=pl.lit(1, pl.Int64))):
        ax = plot(empty)
        assert [text.get_text() for text in ax.texts] == ["no data"]
        assert svg_text(figure_of(ax))


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_draws_on_the_axes_that_it_is_given(name: str, many: list[Observations]) -> None:
    plot, source = PLOTS[name]
    figure = Figure(figsize=(12, 5))
    left, right = figure.subplots(1, 2)
    assert plot(numbered(source, many), left) is left
    assert plot(numbered(source, many), ax=right) is right
    assert tuple(figure.get_size_inches()) == (12, 5)


def test_a_larger_run_on_the_same_axes_is_not_cut_off(many: list[Observations]) -> None:
    frame = numbered("money_supply", many)
    ax = supply.supply(frame)
    supply.supply(frame.with_columns(pl.col("supply") * 3), ax=ax, label="larger")
    assert ax.get_ylim()[1] >= ax.dataLim.y1


@pytest.mark.parametrize("name", PLOTS)
def test_the_same_frame_gives_the_same_bytes_whatever_the_order_of_its_rows(
    name: str, many: list[Observations]
) -> None:
    plot, source = PLOTS[name]
    frame = numbered(source, many)
    first = svg_text(figure_of(plot(frame)))
    assert svg_text(figure_of(plot(frame.sample(fraction=1, shuffle=True, seed=3)))) == first
    assert "<dc:date>" not in first


@pytest.mark.parametrize("name", PLOTS)
def test_no_word_of_a_chart_covers_another_or_leaves_the_figure(name: str, many: list[Observations]) -> None:
    plot, source = PLOTS[name]
    ax = plot(numbered(source, many))
    figure = figure_of(ax)
    with style.chart_style():
        drawn = FigureCanvasAgg(figure)
        drawn.draw()  # type: ignore[no-untyped-call] # matplotlib has no types here.
        renderer = drawn.get_renderer()  # type: ignore[no-untyped-call] # Likewise.
        words = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
        words = [text for text in words if text not in hidden_ticks(ax)]
        boxes = [text.get_window_extent(renderer) for text in words]
    whole = figure.bbox.padded(1)
    for number, box in enumerate(boxes):
        assert whole.x0 <= box.x0, words[number]
        assert box.x1 <= whole.x1, words[number]
        for other, text in zip(boxes[number + 1 :], words[number + 1 :], strict=True):
            assert not box.padded(-1).overlaps(other.padded(-1)), (words[number], text)


def test_retention_writes_no_number_that_stands_on_another_or_on_a_line() -> None:
    shares = {"present_share": [0.98, 0.91], "rolling_share": [0.99, 0.94], "classic_share": [0.68, 0.9]}
    ax = players.retention(pl.DataFrame({"age_days": [1, 7], **shares}))
    assert [text.get_text() for text in ax.texts] == ["99 %", "68 %", "94 %"]


@pytest.mark.parametrize("top_gold", [9_700_000, 12_500_000, 14_400_000])
def test_wider_words_of_other_ticks_have_their_room_too(top_gold: int) -> None:
    """At its last size an axis may choose other ticks than those that were measured: 12.5 M lost its 1."""
    with canvas.drawing(None, "Supply") as ax:
        ax.plot([0, 89], [0, top_gold], label="base")
        ax.set_ylim(bottom=0)
        canvas.label_axes(ax, "day", "gold")
        canvas.thousands(ax.yaxis)
        canvas.legend_below(ax)
        figure = figure_of(ax)
        svg_text(figure)
        outer = ax.get_tightbbox()
    assert outer is not None
    assert min(outer.x0, figure.bbox.width - outer.x1) == pytest.approx(3, abs=0.5)


def hidden_ticks(ax: Axes) -> set[Artist]:
    """Labels that matplotlib keeps for ticks beyond the limits, and does not draw."""
    hidden: set[Artist] = set()
    for axis, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        low, high = sorted(limits)
        for tick in axis.get_major_ticks():
            if not low <= tick.get_loc() <= high:
                hidden |= {tick.label1, tick.label2}
    return hidden


@pytest.mark.parametrize(
    ("target", "name"), [((0.85, 1.05), "target 85–105 %"), ((0.85, math.inf), "target")]
)
def test_a_target_may_be_open_and_stands_in_the_legend(
    target: tuple[float, float], name: str, many: list[Observations]
) -> None:
    frame = numbered("net_flow", many)
    assert any(text.startswith(name) for text in named(flows.ratio(frame, target=target)))
    assert not any(text.startswith("target") for text in named(flows.ratio(frame, target=None)))


def test_bands_stand_in_the_legend_of_several_runs_and_of_no_single_one(many: list[Observations]) -> None:
    assert named(supply.supply(numbered("money_supply", many))) >= {"all, mean of 3 runs", "p10–p90 of runs"}
    assert named(supply.supply(numbered("money_supply", many[:1]))) == {
        "all, one run",
        "active within 7 days",
    }


def test_banded_reads_mean_and_percentiles_over_the_runs_that_have_a_value() -> None:
    values = [0.0, 10.0, 20.0, 30.0, 40.0]
    frame = pl.DataFrame({"replication": [1, 2, 3, 4, 5, 6], "day": [1] * 6, "x": [*values, None]})
    assert series.banded(frame, ["day"], "x").rows() == [(1, 20.0, 4.0, 36.0, 5)]


def test_flow_windows_average_over_days_and_runs_and_leave_out_openings_and_transfers() -> None:
    frame = pl.DataFrame(
        {
            "replication": [1, 1, 1, 1, 2],
            "day": [date(2026, 1, day) for day in (5, 5, 8, 8, 6)],
            "currency": "gold",
            "direction": ["faucet", "faucet", "sink", "transfer", "faucet"],
            "kind": ["opening", "daily", "purchase", "transfer", "daily"],
            "amount": [10_000, 400, 90, 7_000, 200],
        }
    )
    rows = flow_windows(frame, currency="gold", days_a_bar=3).rows()
    assert rows == [(0, 3, "faucet", "daily", 100.0), (3, 1, "sink", "purchase", -45.0)]


def test_the_bars_of_a_currency_that_seldom_moves_are_those_of_the_numbers_beside_the_chart() -> None:
    """Gems move on 20 of 90 days, gold on all: windows of ten days for both, on the same days."""
    start = date(2026, 1, 5)
    moved = [("gold", day) for day in range(90)] + [("gems", day) for day in range(30, 50)]
    frame = pl.DataFrame(
        {
            "day": [start + timedelta(days=day) for _, day in moved],
            "currency": [currency for currency, _ in moved],
            "direction": "faucet",
            "kind": "daily",
            "amount": 70,
        }
    )
    windows = flow_windows(frame, currency="gems")
    assert windows.rows() == [(first, 10, "faucet", "daily", 70.0) for first in (30, 40)]
    axes = flows.flows(frame, currency="gems")
    bars = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert [bar.get_x() + bar.get_width() / 2 for bar in bars] == pytest.approx([34.5, 44.5])
    assert [bar.get_height() for bar in bars] == windows["per_day"].to_list()
    assert axes.get_ylabel().startswith("gems a day, mean of 10 days")


def test_weekly_sums_reach_back_seven_days_by_date_and_never_into_another_run() -> None:
    frame = pl.DataFrame(
        {
            "replication": [1, 1, 1, 2],
            "day": [date(2026, 1, day) for day in (5, 11, 12, 5)],
            "faucets_gold": [100, 100, 200, 0],
            "sinks_gold": [50, 100, 50, 9],
            "net_gold": [50, 0, 150, -9],
            "active_players": [1, 1, 2, 0],
        }
    )
    found = weekly(frame).select("ratio", "net_per_player_day").rows()
    assert found == [(0.5, 50.0), (0.75, 25.0), (0.5, 50.0), (None, None)]


def test_the_gini_in_the_legend_is_the_metric_s(many: list[Observations]) -> None:
    ginis = numbered("gini", many).group_by("measure").agg(pl.col("gini").mean())
    legend = named(wealth.lorenz(numbered("lorenz", many)))
    for measure, gini in ginis.iter_rows():
        assert f"{measure}, Gini {gini:.2f}" in legend


def test_a_name_with_signs_of_formulas_is_drawn_as_it_stands() -> None:
    frame = pl.DataFrame({"act": ["$x$ \\frac <b>"], "acts_per_active_player_day": [1.0]})
    ax = players.acts(frame)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["$x$ \\frac <b>"]
    assert "<b>" not in svg_text(figure_of(ax))


def test_the_callers_parameters_change_no_chart_and_come_back(many: list[Observations]) -> None:
    frame = numbered("money_supply", many)
    plain = svg_text(figure_of(supply.supply(frame)))
    with mpl.rc_context({"font.size": 22, "lines.linewidth": 9, "svg.fonttype": "none", "axes.grid": True}):
        before = parameters()
        assert svg_text(figure_of(supply.supply(frame))) == plain
        assert parameters() == before


def parameters() -> dict[str, object]:
    """All of matplotlib's, but the backend: to read that one is to choose it."""
    return {name: mpl.rcParams[name] for name in mpl.rcParams if name != "backend"}


def test_charts_drawn_in_threads_are_the_same(many: list[Observations]) -> None:
    frame = numbered("money_supply", many)

    def draw(_: int) -> str:
        return svg_text(figure_of(supply.supply(frame)))

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(draw, range(8)))) == 1


def test_pyplot_stays_out_of_the_process() -> None:
    code = "import sys, kokoromichi.analysis.charts; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (950.0, "950"), (-1_234.0, "−1,234"), (0.5, "0.5"), (1_500_000.0, "1.5 M"), (-2e6, "−2 M")],
)
def test_ticks_carry_separators_and_a_true_minus(value: float, text: str) -> None:
    ax = canvas.new_axes()
    canvas.thousands(ax.yaxis)
    assert ax.yaxis.get_major_formatter()(value, 0) == text


def flowing(sinks: list[int]) -> pl.DataFrame:
    """A net flow of one player, day by day, with 1,000 gold coming in."""
    return pl.DataFrame(
        {
            "day": [date(2026, 1, 1) + timedelta(days=number) for number in range(len(sinks))],
            "faucets_gold": [1_000] * len(sinks),
            "sinks_gold": sinks,
            "net_gold": [1_000 - sink for sink in sinks],
            "active_players": [1] * len(sinks),
            "net_gold_per_active_player": [1_000.0 - sink for sink in sinks],
        }
    )


def test_a_spike_that_would_flatten_a_year_is_written_instead_of_drawn() -> None:
    sinks = [950 + number % 30 for number in range(360)]
    sinks[200] = 90_000
    net = flows.net_flow(flowing(sinks))
    assert [text.get_text() for text in net.texts] == ["day 200: down to −89,000"]
    assert -500 < net.get_ylim()[0] < 0


def test_first_days_that_would_flatten_the_others_are_written_instead_of_drawn() -> None:
    frame = flowing([5_000] + [950 + number % 3 for number in range(39)])
    ratio, net = flows.ratio(frame), flows.net_flow(frame)
    assert [text.get_text() for text in ratio.texts] == ["first days: up to 500 %"]
    assert [text.get_text() for text in net.texts] == ["first days: down to −4,000"]
    assert ratio.get_ylim()[1] < 2
    assert flows.ratio(frame.head(20)).get_ylim()[1] > 5
    assert not flows.ratio(frame.tail(30)).texts


def test_many_names_take_several_rows_of_the_legend() -> None:
    assert canvas.columns_that_fit(["a", "b", "c"], 1_000) == 3
    assert canvas.columns_that_fit(["a long name"] * 3, 200) == 2
    assert canvas.columns_that_fit(["a long name"] * 3, 10) == 1


def test_what_hangs_on_the_figure_has_room_beside_the_axes() -> None:
    with style.chart_style():
        figure = figure_of(canvas.new_axes())
        figure.draw_without_rendering()
        bare = figure.axes[0].get_position()
        figure.suptitle("Two weeks")
        figure.supxlabel("Day")
        figure.draw_without_rendering()
    titled = figure.axes[0].get_position()
    assert bare.y0 < titled.y0 < titled.y1 < bare.y1


def test_names_that_leave_no_room_are_warned_of_and_turn_no_axes_inside_out() -> None:
    with style.chart_style():
        ax = canvas.new_axes()
        ax.barh(["of far too many words " * 6], [1])
        with pytest.warns(UserWarning, match="constrained_layout not applied"):
            figure_of(ax).draw_without_rendering()
    position = ax.get_position()
    assert min(position.width, position.height) > 0
