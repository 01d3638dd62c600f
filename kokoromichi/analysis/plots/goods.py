"""Charts of goods: what rich and poor spend on, what sells out, what is put aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from kokoromichi.analysis.options import checked_options
from kokoromichi.analysis.plots import canvas, style
from kokoromichi.analysis.plots.series import (
    BAND_TEXT,
    bars,
    category_colour,
    mean_text,
    ranked,
    replications,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@checked_options
def engel(frame: pl.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw what each tenth of the players, by wealth, spends its gold on.

    Args:
        frame: The metric ``engel_shares``; of several replications, all their spending together.
        ax: Where to draw; None for a figure of its own.

    Returns:
        The axes.
    """
    shares = engel_points(frame)
    with canvas.drawing(ax, "Engel shares", height_in=3.6) as axes:
        if canvas.has_data(shares, axes):
            sizes = (
                shares.group_by("category")
                .agg(pl.col("spending_gold").sum())
                .sort("spending_gold", "category", descending=[True, False])
            )
            left = dict.fromkeys(shares["decile"], 0.0)
            for category in sizes["category"]:
                rows = shares.filter(pl.col("category") == category)
                start = [left[decile] for decile in rows["decile"]]
                colour = category_colour(category)
                axes.barh(
                    rows["decile"],
                    rows["share"],
                    0.84,
                    left=start,
                    color=colour,
                    label=canvas.words(category),
                    edgecolor=style.PAPER,
                    linewidth=0.5,
                )
                left.update(
                    zip(rows["decile"], rows["share"] + pl.Series(start, dtype=pl.Float64), strict=True)
                )
            axes.set_xlim(0, 1)
            axes.set_yticks(range(1, 11), ["1 poorest", *map(str, range(2, 10)), "10 richest"])
            canvas.label_axes(axes, "share of the decile's spending", "decile by closing balance", grid="x")
            canvas.percent(axes.xaxis)
            canvas.legend_below(axes)
    return axes


def engel_points(frame: pl.DataFrame) -> pl.DataFrame:
    """Add up the spending of all replications, by decile and category.

    Args:
        frame: The metric ``engel_shares``.

    Returns:
        One row per decile and category, ascending: ``decile`` (Int64), ``category`` (String),
        ``spending_gold`` (Int128), ``share`` (Float64, of the decile's spending). A decile that spent nothing
        is left out.
    """
    gold = pl.col("spending_gold")
    sums = frame.group_by("decile", "category").agg(gold.cast(pl.Int128).sum())
    whole = gold.sum().over("decile")
    return (
        sums.filter(whole > 0).with_columns(share=pl.col("spending_gold") / whole).sort("decile", "category")
    )


@checked_options
def sell_through(frame: pl.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw which share of the limited stock was sold.

    Args:
        frame: The metric ``sell_through``; of several replications, the mean and p10 to p90.
        ax: Where to draw; None for a figure of its own.

    Returns:
        The axes.
    """
    rows = ranked(frame, "item_id", "sell_through_share")
    with canvas.drawing(ax, "Sell-through of limited stock", height_in=canvas.rows_in(rows.height)) as axes:
        if canvas.has_data(rows, axes):
            runs = replications(frame)
            axes.barh(range(rows.height), rows["mean"], 0.62, color=style.SKY, label=mean_text(runs))
            if runs > 1:
                places = range(rows.height)
                axes.hlines(
                    places, rows["low"], rows["high"], color=style.INK, linewidth=1.6, label=BAND_TEXT
                )
            axes.set_xlim(0, 1)
            canvas.name_rows(axes, rows["name"])
            canvas.label_axes(axes, "units sold, share of initial stock and restocks", "item", grid="x")
            canvas.percent(axes.xaxis)
            canvas.legend_below(axes)
    return axes


@checked_options
def hoarding(frame: pl.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw for how many days the units that players hold would cover their use.

    Args:
        frame: The metric ``hoarding``; of several replications, the mean and p10 to p90. Items that nobody
            used have no bar.
        ax: Where to draw; None for a figure of its own.

    Returns:
        The axes.
    """
    rows = ranked(frame, "item_id", "cover_days")
    with canvas.drawing(ax, "Days of cover", height_in=canvas.rows_in(rows.height)) as axes:
        if canvas.has_data(rows, axes):
            bars(axes, rows, style.SKY, runs=replications(frame), decimals=1)
            canvas.label_axes(axes, "days that the units held would last", "item", grid="x")
    return axes
