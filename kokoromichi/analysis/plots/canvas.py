"""The paper that charts are drawn on: figure and axes, names, scales and legend; no figure is global."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.container import Container
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator
from matplotlib.transforms import ScaledTranslation

from kokoromichi.analysis.plots import style
from kokoromichi.analysis.plots.showing import (
    HEIGHT_IN,
    WIDTH_IN,
    ChartFigure,
    OnceMeasured,
    ThemedAxes,
    figure_of,
    pyplot_axes,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.transforms import Transform
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

_POINTS_PER_IN: Final = 72
_ROW_IN: Final = 0.27
_ROWS_PAD_IN: Final = 0.95
_FEWEST_ROWS: Final = 3
_KEY_POINTS: Final = 30
_LEGEND_ROW_POINTS: Final = 14.5
_LEGEND_PAD_POINTS: Final = 8
_LEGEND_FONT: Final = FontProperties(family=style.FONT, size=style.LEGEND_SIZE)
_LONGEST_NAME: Final = 30
_WHOLE_FROM: Final = 100
_MILLION: Final = 1_000_000


def new_axes(height_in: float = HEIGHT_IN) -> Axes:
    """Make axes on a figure of their own, unknown to pyplot.

    Args:
        height_in: Height of the figure in inches; its width is ``WIDTH_IN``.
    """
    figure = ChartFigure(figsize=(WIDTH_IN, height_in), layout=OnceMeasured(), facecolor=style.PAPER)
    FigureCanvasSVG(figure)
    axes: Axes = figure.add_subplot(axes_class=ThemedAxes)
    return axes


@contextmanager
def drawing(ax: Axes | None, title: str, height_in: float = HEIGHT_IN) -> Iterator[Axes]:
    """Draw on the axes given, or on new ones, in the style of the project.

    Args:
        ax: Where to draw; None for a figure of its own.
        title: What is measured, set above the axes.
        height_in: Height of a new figure in inches; axes that are given keep their size.
    """
    with style.chart_style():
        axes = new_axes(height_in) if ax is None else ax
        if isinstance(axes, ThemedAxes) and not axes.has_data():
            figure_of(axes).set_figheight(height_in)
        axes.set_title(title, loc="left", pad=24)
        yield axes


@contextmanager
def shown(ax: Axes | None, title: str, height_in: float = HEIGHT_IN) -> Iterator[Axes]:
    """Draw as ``drawing`` does; where no axes are given, on a figure of pyplot's.

    A notebook shows that one wherever in a cell it is drawn.
    """
    with (
        nullcontext(ax) if ax is not None else pyplot_axes() as given,
        drawing(given, title, height_in) as axes,
    ):
        yield axes


def has_data(frame: pl.DataFrame, ax: Axes) -> bool:
    """Say whether there is a row to draw; where there is none, write "no data" on the axes."""
    if not frame.is_empty():
        return True
    ax.set_axis_off()
    ax.text(
        0.5, 0.5, "no data", transform=ax.transAxes, ha="center", va="center", color=style.SLATE, fontsize=12
    )
    return False


def label_axes(ax: Axes, x: str, y: str, *, grid: str = "y") -> None:
    """Name what the axes measure, with units; the vertical axis is named above it, where it reads level.

    Args:
        ax: The axes.
        x: What runs along the bottom, with its unit.
        y: What runs up the side, with its unit.
        grid: Which axis carries grid lines, ``x`` or ``y``.
    """
    ax.set_xlabel(x, loc="left")
    ax.set_ylabel(y, rotation=0, ha="left", va="bottom")
    ax.yaxis.set_label_coords(0, 1, transform=_shifted(ax, points=7))
    ax.set_axisbelow(True)
    getattr(ax, f"{grid}axis").grid(visible=True, color=style.GRID, linewidth=style.GRID_WIDTH)


def _shifted(ax: Axes, points: float) -> Transform:
    """Axes coordinates, moved up by some points (down, where negative)."""
    return ax.transAxes + ScaledTranslation(0, points / _POINTS_PER_IN, ax.figure.dpi_scale_trans)


def thousands(axis: Axis) -> None:
    """Write an axis's numbers with thousands separators, from a million on as 1.5 M."""
    axis.set_major_formatter(FuncFormatter(_tick_text))


def _tick_text(value: float, _position: int | None = None) -> str:
    if abs(value) >= _MILLION:
        text = f"{value / _MILLION:,.2f}".rstrip("0").rstrip(".") + " M"
    elif value == round(value):
        text = f"{value:,.0f}"
    else:
        text = f"{value:,.10g}"
    return text.replace("-", "−")


def whole_days(axis: Axis) -> None:
    """Put an axis's ticks on whole days; a single day stands in the middle."""
    low, high = axis.get_data_interval()
    if low == high:
        axis.set_view_interval(low - 0.5, high + 0.5, ignore=True)
    axis.set_major_locator(MaxNLocator(integer=True, nbins=7, steps=[1, 2, 5, 10]))


def percent(axis: Axis) -> None:
    """Write an axis of shares, 0 to 1, in per cent."""
    axis.set_major_formatter(FuncFormatter(_percent_text))


def _percent_text(value: float, _position: int | None = None) -> str:
    return f"{100 * value:.3g} %".replace("-", "−")


def tick_text(axis: Axis, value: float) -> str:
    """Write a number as an axis's ticks are written, rounded to a whole one where it is large."""
    shown = float(round(value)) if abs(value) > _WHOLE_FROM else value
    return axis.get_major_formatter().format_data(shown)


def logarithmic(ax: Axes, which: Literal["x", "y"]) -> None:
    """Make an axis logarithmic, with ticks at 1, 2 and 5 and numbers instead of powers."""
    axis = ax.xaxis if which == "x" else ax.yaxis
    (ax.set_xscale if which == "x" else ax.set_yscale)("log")
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_minor_formatter(NullFormatter())
    axis.set_minor_locator(NullLocator())
    thousands(axis)


def square_root(ax: Axes, ticks: Sequence[int]) -> None:
    """Space the horizontal axis by square roots, from 0 on, so that short and long waits are both told apart.

    Args:
        ax: The axes, everything drawn.
        ticks: Where numbers may stand; those beyond the data are left out.
    """
    right = max(ax.get_xlim()[1], ax.dataLim.x1, 1.0)
    ax.set_xscale("function", functions=(_signed_root, _signed_square))
    ax.set_xlim(-0.0006 * right, right)
    ax.set_xticks([tick for tick in ticks if tick <= right])
    ax.xaxis.set_minor_locator(NullLocator())
    thousands(ax.xaxis)


def _signed_root(values: Floats) -> Floats:
    return np.sign(values) * np.sqrt(np.abs(values))


def _signed_square(values: Floats) -> Floats:
    return np.sign(values) * np.square(values)


def words(code: str) -> str:
    """Write a code as words: ``treasure_chest`` as treasure chest; what is too long for a chart is cut."""
    name = code.replace("_", " ")
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def rows_in(rows: int) -> float:
    """Return the height in inches of a chart with so many named rows."""
    return _ROWS_PAD_IN + _ROW_IN * max(rows, _FEWEST_ROWS)


def name_rows(ax: Axes, codes: Iterable[str]) -> None:
    """Name the rows of a chart whose rows stand at 0, 1, 2 ..., the first one at the top.

    Names are never read as formulas, whatever signs they hold.
    """
    names = [words(code) for code in codes]
    ax.set_yticks(range(len(names)), names)
    for label in ax.get_yticklabels():
        label.set_parse_math(False)
    ax.set_ylim(max(len(names), _FEWEST_ROWS) - 0.5, -0.5)


def dots(ax: Axes, x: pl.Series, y: pl.Series | range, *, colour: str, label: str) -> None:
    """Draw dots with a paper-coloured edge, which nothing cuts off at the border."""
    ax.plot(
        x,
        y,
        linestyle="",
        marker="o",
        markersize=7,
        color=colour,
        markeredgecolor=style.PAPER,
        clip_on=False,
        zorder=3,
        label=label,
    )


def rings(ax: Axes, x: pl.Series, y: pl.Series, *, colour: str, label: str) -> None:
    """Draw hollow dots, to stand beside dots that matter more."""
    ax.plot(
        x,
        y,
        linestyle="",
        marker="o",
        markersize=6.5,
        color=colour,
        markerfacecolor=style.PAPER,
        markeredgecolor=colour,
        markeredgewidth=1.8,
        clip_on=False,
        label=label,
    )


def note(ax: Axes, text: str, at: tuple[float, float], *, side: Literal["above", "below", "right"]) -> None:
    """Write a number beside a point.

    Args:
        ax: The axes.
        text: The number.
        at: The point, in data coordinates.
        side: Where of the point.
    """
    offset = {"above": (0, 9), "below": (0, -17), "right": (5, 0)}[side]
    ax.annotate(
        text,
        at,
        xytext=offset,
        textcoords="offset points",
        horizontalalignment="left" if side == "right" else "center",
        verticalalignment="center" if side == "right" else "baseline",
        color=style.STEEL,
    )


def remark(
    ax: Axes,
    text: str,
    *,
    at: tuple[float, float],
    side: Literal["top", "bottom"],
    align: Literal["left", "right"] = "left",
) -> None:
    """Write a remark inside the axes.

    Args:
        ax: The axes.
        text: The remark.
        at: Where it begins: along the bottom in data coordinates, up the side as a share of the height.
        side: Which side of the text lies there.
        align: Whether it begins or ends there.
    """
    ax.text(
        *at,
        text,
        transform=ax.get_xaxis_transform(),
        verticalalignment=side,
        horizontalalignment=align,
        color=style.STEEL,
        fontsize=style.LEGEND_SIZE,
    )


def legend_below(ax: Axes) -> None:
    """Put the legend under the axes, outside the data, in the order of drawing and in as few rows as fit.

    A figure of the project grows by the legend's height; axes that were given keep their size.
    """
    entries = list(zip(*ax.get_legend_handles_labels(), strict=True))
    if not entries:
        return
    drawn = {id(artist): place for place, artist in enumerate(ax.get_children())}
    entries.sort(key=lambda entry: drawn[id(entry[0][0] if isinstance(entry[0], Container) else entry[0])])
    handles, labels = zip(*entries, strict=True)
    if isinstance(ax, ThemedAxes):
        columns = columns_that_fit(labels, WIDTH_IN * _POINTS_PER_IN)
        height_in = (-(-len(labels) // columns) * _LEGEND_ROW_POINTS + _LEGEND_PAD_POINTS) / _POINTS_PER_IN
        place = {"bbox_to_anchor": (0.01, 0.01), "bbox_transform": ax.make_room_below(height_in).transFigure}
        ax.legend(handles, labels, loc="lower left", ncols=columns, alignment="left", **place).set_in_layout(
            False
        )
    else:
        columns = columns_that_fit(labels, ax.get_window_extent().width / ax.figure.dpi * _POINTS_PER_IN)
        place = {"bbox_to_anchor": (0, 0), "bbox_transform": _shifted(ax, points=-38)}
        ax.legend(handles, labels, loc="upper left", ncols=columns, alignment="left", **place)


def columns_that_fit(labels: Sequence[str], width_points: float) -> int:
    """Return into how many columns a legend's entries go, filled from the top, so that none is cut.

    Args:
        labels: The entries' texts, at least one.
        width_points: Room for the legend.
    """
    measure = text_to_path.get_text_width_height_descent
    widths = np.array([_KEY_POINTS + measure(label, _LEGEND_FONT, ismath=False)[0] for label in labels])
    for columns in range(len(labels), 1, -1):
        if sum(column.max() for column in np.array_split(widths, columns)) <= width_points:
            return columns
    return 1
