"""Charts of prices: how they moved, and what came after a change."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.metrics.by_day import ALL
from kokoromichi.analysis.options import checked_options
from kokoromichi.analysis.plots import canvas, style
from kokoromichi.analysis.plots.series import averaged, banded, category_colour, day_axis, line_colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BASE: Final = 100
_EVENT: Final = ["item_id", "changed", "old_price_gold", "new_price_gold"]
_RATE: Final = "units_per_active_player"


@checked_options
def price_index(frame: pl.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw what a basket costs compared with the first period: the whole, and each category that moved.

    Args:
        frame: The metric ``price_index``; of several replications, the mean.
        ax: Where to draw; None for a figure of its own.

    Returns:
        The axes.
    """
    with canvas.drawing(ax, "Price index") as axes:
        known = frame.drop_nulls("fisher_chained")
        if canvas.has_data(known, axes):
            points, day_label = day_axis(known, "period_start")
            means = banded(points, ["category", "day_number"], "fisher_chained")
            moved = means.filter((pl.col("category") == ALL) | (pl.col("mean") != _BASE))
            axes.axhline(_BASE, color=style.STEEL, linewidth=0.8)
            for category in moved["category"].unique(maintain_order=True):
                rows = means.filter(pl.col("category") == category)
                whole = category == ALL
                colour, width = (style.SLATE, 3.2) if whole else (category_colour(category), 1.6)
                name = "whole basket" if whole else canvas.words(category)
                axes.plot(
                    rows["day_number"],
                    rows["mean"],
                    color=colour,
                    linewidth=width,
                    label=name,
                    drawstyle="steps-post",
                )
            canvas.whole_days(axes.xaxis)
            canvas.label_axes(
                axes, f"first {day_label} of a period", "chained Fisher index, first period = 100"
            )
            canvas.thousands(axes.yaxis)
            canvas.legend_below(axes)
    return axes


@checked_options
def event(frame: pl.DataFrame, ax: Axes | None = None, *, item_id: str | None = None) -> Axes:
    """Draw what an item sold before and after each change of its price.

    A dashed line is the mean of its side; the legend has both means. What else changed in these days is not
    told apart.

    Args:
        frame: The metric ``price_events``; of several replications, the mean.
        ax: Where to draw; None for a figure of its own.
        item_id: Which one; the one whose price changed last when left out.

    Returns:
        The axes.
    """
    rows = averaged(frame, [*_EVENT, "days_after"], _RATE).drop_nulls(_RATE)
    if rows.height:
        rows = rows.filter(item_id=item_id or rows.sort("changed")["item_id"][-1])
    name = canvas.words(rows["item_id"][0]) if rows.height else canvas.words(item_id or "price")
    with canvas.drawing(ax, f"{name.capitalize()}: before and after each price") as axes:
        if canvas.has_data(rows, axes):
            colours = line_colours(map(str, rows["changed"].unique().sort()))
            for (changed, old, new), part in rows.group_by(*_EVENT[1:], maintain_order=True):
                _one(axes, part, f"{changed}: {old:,} → {new:,} gold", colours[str(changed)])
            axes.axvline(-0.5, color=style.SLATE, linewidth=1, linestyle=(0, (4, 3)))
            canvas.whole_days(axes.xaxis)
            canvas.label_axes(axes, "days after the change", "units a day per active player")
            canvas.thousands(axes.yaxis)
            canvas.legend_below(axes)
    return axes


def _one(ax: Axes, part: pl.DataFrame, label: str, colour: str) -> None:
    """Draw the days around one change."""
    sides = [part.filter(pl.col("days_after") < 0), part.filter(pl.col("days_after") >= 0)]
    means = [float(side[_RATE].to_numpy().mean()) if side.height else math.nan for side in sides]
    said = " → ".join("–" if math.isnan(mean) else f"{mean:.3g}" for mean in means)
    ax.plot(part["days_after"], part[_RATE], color=colour, marker="o", markersize=3, label=f"{label}: {said}")
    for side, mean in zip(sides, means, strict=True):
        ax.plot(side["days_after"], [mean] * side.height, color=colour, linestyle=(0, (4, 2)), alpha=0.6)
