"""Charts of waits: how long prices keep players waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.metrics.by_day import ALL
from kokoromichi.analysis.options import checked_options
from kokoromichi.analysis.plots import canvas, style
from kokoromichi.analysis.plots.series import (
    BAND_TEXT,
    averaged,
    banded,
    mean_text,
    replications,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DAY_TICKS: Final = (0, 1, 2, 5, 10, 20, 40, 80, 160, 320)


@checked_options
def days_to_afford(frame: pl.DataFrame, ax: Axes | None = None, *, archetype: str = ALL) -> Axes:
    """Draw the median wait for every item, beside the days until earnings reach its price.

    Args:
        frame: The metric ``days_to_afford``; of several replications, the median and p10 to p90.
            Items that nobody waited for have no dot; those that fewer than half can afford in time, in at
            least half of the runs, a cross at the right edge.
        ax: Where to draw; None for a figure of its own.
        archetype: Whose wait; ``all`` for every player's.

    Returns:
        The axes.
    """
    rows = frame.filter(pl.col("archetype") == archetype).drop_nulls("price_gold")
    items = rows.group_by("item_id").agg(pl.col("price_gold").max()).sort("price_gold", "item_id")
    title = f"Days to afford, {'all players' if archetype == ALL else canvas.words(archetype)}"
    with canvas.drawing(ax, title, height_in=canvas.rows_in(items.height)) as axes:
        if canvas.has_data(items, axes):
            _dots(axes, rows, items["item_id"], "item_id")
            canvas.name_rows(axes, [f"{canvas.words(name)}  {price:,}" for name, price in items.iter_rows()])
            canvas.label_axes(
                axes, "days, median, on a square-root scale", "item and its price in gold", grid="x"
            )
            canvas.square_root(axes, _DAY_TICKS)
            canvas.legend_below(axes)
    return axes


@checked_options
def waits(frame: pl.DataFrame, ax: Axes | None = None, *, item_id: str | None = None) -> Axes:
    """Draw the median wait for one item by archetype, beside the days until earnings reach its price.

    Args:
        frame: The metric ``days_to_afford``; of several replications, the mean and p10 to p90.
        ax: Where to draw; None for a figure of its own.
        item_id: Which item; None for the one that most players waited for.

    Returns:
        The axes.
    """
    if item_id is None:
        item_id = _most_waited_for(frame)
    rows = frame.filter(pl.col("item_id") == item_id)
    order = averaged(rows, ["archetype"], "wait_days")
    order = order.sort(
        pl.col("archetype") == ALL, "wait_days", "archetype", descending=[True, False, False], nulls_last=True
    )
    with canvas.drawing(
        ax, f"Wait for a {canvas.words(item_id)}", height_in=canvas.rows_in(order.height)
    ) as axes:
        if canvas.has_data(order, axes):
            _dots(axes, rows, order["archetype"], "archetype")
            right = max(axes.get_xlim()[1], axes.dataLim.x1)
            axes.set_xlim(-0.02 * right, right)
            canvas.name_rows(axes, order["archetype"])
            canvas.whole_days(axes.xaxis)
            canvas.label_axes(axes, "days, median", "archetype", grid="x")
            canvas.legend_below(axes)
    return axes


def _most_waited_for(frame: pl.DataFrame) -> str:
    waiting = frame.filter(pl.col("archetype") == ALL).group_by("item_id").agg(pl.col("waiting").sum())
    items = waiting.sort("waiting", "item_id", descending=[True, False])["item_id"]
    return items[0] if len(items) else ""


def _dots(ax: Axes, rows: pl.DataFrame, names: pl.Series, column: str) -> None:
    """Draw the wait as a dot, with its range over the runs, and the days of earning as a ring."""
    place = pl.col(column).replace_strict(
        {name: number for number, name in enumerate(names)}, return_dtype=pl.Int64
    )
    runs = replications(rows)
    earned = banded(rows, [column], "earned_days").with_columns(place=place)
    waited = banded(rows, [column], "wait_days").with_columns(place=place)
    reached, earned = (found.filter(pl.col("mean").is_finite()) for found in (waited, earned))
    shown: list[float] = pl.concat([reached["mean"], earned["mean"], *_finite_ends(waited)]).to_list()
    if runs > 1 and shown:
        seen = waited.filter(pl.col("low").is_finite())
        high = seen["high"].clip(upper_bound=max(shown))
        ax.hlines(
            seen["place"], seen["low"], high, color=style.BLUE, alpha=0.35, linewidth=6, label=BAND_TEXT
        )
    common = 2 * pl.col("runs") >= runs
    for found, colour, label in (
        (reached.filter(common), style.BLUE, f"wait, {mean_text(runs, 'median')}"),
        (reached.filter(~common), style.MIST, "wait, fewer than half of the runs have one"),
    ):
        if found.height:
            canvas.dots(ax, found["mean"], found["place"], colour=colour, label=label)
    canvas.dots(
        ax, earned["mean"], earned["place"], colour=style.ORANGE, label="until earnings reach it", hollow=True
    )
    places = waited.filter(common, pl.col("mean").is_infinite())["place"].sort()
    if not places.is_empty():
        ax.plot(
            [1.0] * len(places),
            places,
            linestyle="",
            marker="x",
            markeredgewidth=1.8,
            color=style.VERMILLION,
            transform=ax.get_yaxis_transform(),
            clip_on=False,
            label="fewer than half can in time",
        )


def _finite_ends(waited: pl.DataFrame) -> list[pl.Series]:
    return [waited[end].filter(waited[end].is_finite()) for end in ("low", "high")]
