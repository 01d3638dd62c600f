"""Charts of who owns what: the Lorenz curve, balances by archetype, balances by age."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from kokoromichi.analysis.metrics.by_day import ALL
from kokoromichi.analysis.options import checked_options
from kokoromichi.analysis.plots import canvas, style
from kokoromichi.analysis.plots.series import (
    averaged,
    banded,
    fill,
    free_colour,
    line_colours,
    line_with_band,
    of_run,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GRID: Final = np.linspace(0, 1, 101)
_LORENZ_COLOURS: Final = {"balance": style.BLUE, "spending": style.ORANGE}
_LEVELS: Final = ("p10", "p50", "p90")


@checked_options
def lorenz(
    frame: pl.DataFrame, ax: Axes | None = None, *, label: str | None = None, colour: str | None = None
) -> Axes:
    """Draw the Lorenz curves of wealth and of spending, the Gini coefficient in the legend.

    Args:
        frame: The metric ``lorenz``; of several replications, the mean and p10 to p90.
        ax: Where to draw; None for a figure of its own.
        label: What the legend calls the run, where several are drawn on the same axes.
        colour: Of its curves, that of spending dashed; None for the next one that is free.

    Returns:
        The axes.
    """
    with canvas.drawing(ax, "Lorenz curve", height_in=3.4) as axes:
        curves = lorenz_points(frame)
        if canvas.has_data(curves, axes):
            if not axes.get_lines():
                _draw_equality(axes)
            alone = label is None and colour is None and len(axes.get_lines()) == 1
            line = colour or free_colour(axes)
            for name, gini in sorted(_ginis(frame).items()):
                curve = banded(curves.filter(pl.col("measure") == name), ["players"], "held")
                said = of_run(label, f"{name}, Gini {gini:.2f}")
                mine = _LORENZ_COLOURS.get(name, style.PURPLE) if alone else line
                dashed = not alone and name != "balance"
                line_with_band(axes, curve, "players", colour=mine, label=said, dashed=dashed)
            axes.set(xlim=(0, 1), ylim=(0, 1))
            canvas.label_axes(
                axes, "share of the players, poorest first", "share of all gold that they hold, or spent"
            )
            canvas.percent(axes.xaxis)
            canvas.percent(axes.yaxis)
            canvas.legend_below(axes)
    return axes


def _draw_equality(ax: Axes) -> None:
    dashes = (0, (4, 3))
    ax.plot([0, 1], [0, 1], color=style.SLATE, linewidth=1, linestyle=dashes, label="all have the same")


def lorenz_points(frame: pl.DataFrame) -> pl.DataFrame:
    """Read every replication's Lorenz curve at the same hundredths of the players.

    Args:
        frame: The metric ``lorenz``.

    Returns:
        One row per measure, replication and hundredth, ascending: ``measure`` (String), ``replication``
        (Int64), ``players``, ``held`` (Float64, shares 0 to 1).
    """
    runs = (
        frame if "replication" in frame.columns else frame.with_columns(replication=pl.lit(0, dtype=pl.Int64))
    )
    schema = {"measure": pl.String, "replication": pl.Int64, "players": pl.Float64, "held": pl.Float64}
    curves = [pl.DataFrame(schema=schema)]
    ordered = runs.sort("measure", "replication", "population_share", "value_share")
    for (measure, replication), rows in ordered.group_by("measure", "replication", maintain_order=True):
        held = np.interp(_GRID, rows["population_share"].to_numpy(), rows["value_share"].to_numpy())
        curve = pl.DataFrame({"players": _GRID, "held": held})
        key = (pl.lit(measure).alias("measure"), pl.lit(replication, dtype=pl.Int64).alias("replication"))
        curves.append(curve.select(*key, "players", "held"))
    return pl.concat(curves)


def _ginis(frame: pl.DataFrame) -> dict[str, float]:
    """Twice the area between the diagonal and the curve, by measure: the mean of the replications."""
    run = ["measure", *({"replication"} & set(frame.columns))]
    people, held = pl.col("population_share"), pl.col("value_share")
    below = (people.diff() * (held + held.shift(1)) / 2).sum()
    ordered = frame.sort(*run, "population_share", "value_share").group_by(run, maintain_order=True)
    return dict(averaged(ordered.agg(gini=1 - 2 * below), ["measure"], "gini").iter_rows())


@checked_options
def balances(
    frame: pl.DataFrame, ax: Axes | None = None, *, opening: int | None = None, currency: str = "gold"
) -> Axes:
    """Draw the closing balances by archetype: median, and the range from p10 to p90.

    Args:
        frame: The metric ``balance_percentiles``; of several replications, the means of percentiles.
        ax: Where to draw; None for a figure of its own.
        opening: What a player started with, drawn as a line; None for no line.
        currency: gold or gems.

    Returns:
        The axes.
    """
    rows = averaged(frame.filter(pl.col("currency") == currency), ["archetype"], *_LEVELS)
    rows = rows.sort(pl.col("archetype") == ALL, "p50", "archetype", descending=[True, True, False])
    with canvas.drawing(ax, f"Closing balances, {currency}", height_in=canvas.rows_in(rows.height)) as axes:
        if canvas.has_data(rows, axes):
            low, middle, high = rows.select(pl.col(*_LEVELS).clip(lower_bound=1)).get_columns()
            places = range(rows.height)
            axes.hlines(
                places, low, high, color=style.BLUE, alpha=0.35, linewidth=6, label="p10–p90 of the players"
            )
            if opening:
                axes.axvline(opening, color=style.VERMILLION, linewidth=1.3, label=f"opening, {opening:,}")
            canvas.dots(axes, middle, places, colour=style.BLUE, label="median")
            canvas.name_rows(axes, rows["archetype"])
            canvas.label_axes(
                axes, f"{currency} when the last day closes, logarithmic", "archetype", grid="x"
            )
            canvas.logarithmic(axes, "x")
            canvas.legend_below(axes)
    return axes


@checked_options
def cohort_balances(frame: pl.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the closing balances by age: the range of all players, and each archetype's median.

    Args:
        frame: The metric ``cohort_balances``; of several replications, the means of percentiles.
        ax: Where to draw; None for a figure of its own.

    Returns:
        The axes.
    """
    means = averaged(frame, ["archetype", "age_days"], *_LEVELS)
    means = means.with_columns(pl.col(*_LEVELS).clip(lower_bound=1))
    with canvas.drawing(ax, "Balances by age", height_in=3.4) as axes:
        if canvas.has_data(means, axes):
            everyone = means.filter(pl.col("archetype") == ALL)
            ends = ("p10", "p90")
            fill(axes, everyone, "age_days", ends, colour=style.MIST, label="all, p10–p90", alpha=0.4)
            axes.plot(
                everyone["age_days"], everyone["p50"], color=style.INK, linewidth=2.6, label="all, median"
            )
            names = [name for name in means["archetype"].unique(maintain_order=True) if name != ALL]
            for name, colour in line_colours(names).items():
                rows = means.filter(pl.col("archetype") == name)
                pattern = (0, (3, 1.5)) if colour in style.GREYS else "-"
                axes.plot(
                    rows["age_days"],
                    rows["p50"],
                    color=colour,
                    linewidth=1.4,
                    linestyle=pattern,
                    label=canvas.words(name),
                )
            canvas.whole_days(axes.xaxis)
            canvas.label_axes(axes, "age, days since arrival", "gold when the day closes, logarithmic")
            canvas.logarithmic(axes, "y")
            canvas.legend_below(axes)
    return axes
