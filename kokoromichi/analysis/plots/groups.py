"""Charts of groups: who gains and loses by which kind, and who holds the supply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from matplotlib.colors import SymLogNorm
from matplotlib.patches import Rectangle

from kokoromichi.analysis.metrics.by_day import ALL
from kokoromichi.analysis.options import checked_options
from kokoromichi.analysis.plots import canvas, style
from kokoromichi.analysis.plots.series import averaged, day_axis, fill, line_colours, mean_text, replications

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

_UNKNOWN: Final = "others"
_THOUSAND: Final = 1_000
_LINEAR_SHARE: Final = 0.02
_DARK: Final = 0.72
"""From so far out on the colour scale, numbers are written light."""


@checked_options
def gold_map(frame: pl.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw what a player of each group gains (blue) and loses (red) by each kind.

    Kinds stand from the largest gain of all to the largest loss, groups by what they gain in sum. Colours are
    spaced by powers of ten, so that small kinds show.

    Args:
        frame: The metric ``gains``; of several replications, the mean.
        ax: Where to draw; None for a figure of its own.

    Returns:
        The axes.
    """
    means = averaged(frame, ["archetype", "kind"], "per_player")
    known = means.filter(pl.col("archetype") != ALL)
    means = known if known.height else means
    groups = _ordered(means, "archetype")
    kinds = _ordered(means, "kind")
    with canvas.drawing(ax, "Who gains, who loses, by which kind", canvas.rows_in(len(groups))) as axes:
        if canvas.has_data(means, axes):
            cells = np.zeros((len(groups), len(kinds)))
            for group, kind, gold in means.iter_rows():
                cells[groups.index(group), kinds.index(kind)] = gold
            _heat(axes, cells)
            canvas.name_rows(axes, groups)
            axes.set_xticks(range(len(kinds)), [canvas.words(kind) for kind in kinds], rotation=90)
            said = f"gold a player by kind; k: thousands; {mean_text(replications(frame))}"
            canvas.label_axes(axes, said, "archetype")
            axes.grid(visible=False)
    return axes


def _ordered(means: pl.DataFrame, by: str) -> list[str]:
    """The names of a column, those that gain most first."""
    sums = means.group_by(by).agg(pl.col("per_player").sum())
    return sums.sort("per_player", by, descending=[True, False])[by].to_list()


def _heat(ax: Axes, cells: NDArray[np.float64]) -> None:
    """Draw a square a cell, the stronger the further from 0, with its number."""
    most = float(np.abs(cells).max()) or 1.0
    far = SymLogNorm(linthresh=_LINEAR_SHARE * most, vmin=-most, vmax=most)
    for (row, column), gold in np.ndenumerate(cells):
        strength = abs(2 * float(far(gold)) - 1)
        colour = style.BLUE if gold > 0 else style.VERMILLION
        ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=colour, alpha=strength))
        if round(gold):
            ink = style.PAPER if strength > _DARK else style.INK
            ax.text(column, row, _brief(gold), ha="center", va="center", fontsize=8, color=ink)
    ax.set_xlim(-0.5, cells.shape[1] - 0.5)


def _brief(gold: float) -> str:
    """A number that a small cell has room for, thousands as k."""
    if abs(gold) < _THOUSAND:
        return f"{gold:.0f}".replace("-", "−")
    places = 1 if abs(gold) < 10 * _THOUSAND else 0
    return f"{gold / _THOUSAND:,.{places}f}k".replace("-", "−")


@checked_options
def holders(frame: pl.DataFrame, ax: Axes | None = None, *, archetype: str | None = None) -> Axes:
    """Draw the supply day by day, stacked by group; or the balances of one group in bands.

    Args:
        frame: The metric ``balance_bands``; of several replications, the mean.
        ax: Where to draw; None for a figure of its own.
        archetype: Draw the median of this group's balances and its p10 to p90 instead; ``all`` is everybody.

    Returns:
        The axes.
    """
    title = "Who holds the supply" if archetype is None else f"Balances: {canvas.words(archetype)}"
    points, day_label = day_axis(frame)
    means = averaged(points, ["archetype", "day_number"], "held", "p10", "p50", "p90")
    with canvas.drawing(ax, title) as axes:
        if canvas.has_data(means, axes):
            if archetype is None:
                _stack(axes, means)
            else:
                _bands(axes, means.filter(pl.col("archetype") == archetype))
            canvas.whole_days(axes.xaxis)
            canvas.label_axes(axes, day_label, f"gold at each day's close; {mean_text(replications(frame))}")
            canvas.thousands(axes.yaxis)
            canvas.legend_below(axes)
    return axes


def _stack(ax: Axes, means: pl.DataFrame) -> None:
    """Stack what each group holds, the largest at the bottom; who has no group stands on top."""
    wide = means.pivot("archetype", index="day_number", values="held", sort_columns=True).sort("day_number")
    wide = wide.fill_null(0.0)
    known = [name for name in wide.columns if name not in ("day_number", ALL)]
    rest = wide[ALL] - wide.select(pl.sum_horizontal(known) if known else pl.lit(0.0)).to_series()
    known.sort(key=lambda name: (-wide[name][-1], name))
    layers = {name: wide[name] for name in known}
    if not known or rest.abs().max() >= 1:  # type: ignore[operator] # There is a day.
        layers[_UNKNOWN if known else "all players"] = rest
    colours = line_colours(layers)
    ax.stackplot(
        wide["day_number"],
        *(values.to_numpy() for values in layers.values()),
        labels=[canvas.words(name) for name in layers],
        colors=[colours[name] for name in layers],
        edgecolor=style.PAPER,
        linewidth=0.4,
    )


def _bands(ax: Axes, rows: pl.DataFrame) -> None:
    fill(ax, rows, "day_number", ("p10", "p90"), colour=style.BLUE, label="p10–p90")
    ax.plot(rows["day_number"], rows["p50"], color=style.BLUE, label="median")
