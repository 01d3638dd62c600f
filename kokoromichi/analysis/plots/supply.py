"""Charts of the gold that there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from kokoromichi.analysis.options import checked_options
from kokoromichi.analysis.plots import canvas, style
from kokoromichi.analysis.plots.series import (
    BAND_TEXT,
    banded,
    day_axis,
    free_colour,
    line_with_band,
    mean_text,
    of_run,
    replications,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@checked_options
def supply(
    frame: pl.DataFrame,
    ax: Axes | None = None,
    *,
    currency: str = "gold",
    label: str | None = None,
    colour: str | None = None,
) -> Axes:
    """Draw the money supply over the days.

    Args:
        frame: The metric ``money_supply``; of several replications, the mean and p10 to p90.
        ax: Where to draw; None for a figure of its own.
        currency: gold or gems.
        label: What the legend calls the run, where several are drawn on the same axes.
        colour: Of its lines; None for the next one that is free.

    Returns:
        The axes.
    """
    with canvas.drawing(ax, f"Money supply, {currency}") as axes:
        rows = frame.filter(pl.col("currency") == currency)
        if canvas.has_data(rows, axes):
            points, day_label = day_axis(rows)
            alone = label is None and not axes.get_lines()
            line = colour or free_colour(axes)
            name = of_run(label, f"all, {mean_text(replications(rows))}")
            whole = banded(points, ["day_number"], "supply")
            line_with_band(axes, whole, "day_number", colour=line, label=name, band=of_run(label, BAND_TEXT))
            active, name = banded(points, ["day_number"], "active_supply"), "active within 7 days"
            second = style.GREEN if alone else line
            line_with_band(axes, active, "day_number", colour=second, label=of_run(label, name), dashed=True)
            axes.set_ylim(bottom=0, auto=None)
            canvas.whole_days(axes.xaxis)
            canvas.label_axes(axes, day_label, f"{currency}, sum of the balances when the day closes")
            canvas.thousands(axes.yaxis)
            canvas.legend_below(axes)
    return axes
