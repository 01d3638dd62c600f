"""What charts over time share: the days of an axis, the band over replications, and who has which colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl
from matplotlib.colors import to_hex

from kokoromichi.analysis.plots import canvas, style
from kokoromichi.analysis.replicated import HIGH_QUANTILE, LOW_QUANTILE, MEDIANS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes

BAND_TEXT: Final = "p10–p90 of runs"

LINES: Final[tuple[str, ...]] = (
    style.BLUE, style.VERMILLION, style.GREEN, style.ORANGE, style.PURPLE, style.SKY, style.INK, style.SLATE,
    style.WINE, style.STEEL,
)  # fmt: skip
"""Colours of lines, in the order in which names are given one; yellow is too pale for a line on paper."""

_KIND_COLOURS: Final[dict[str, str]] = {
    "daily": style.BLUE,
    "battle": style.SKY,
    "income": style.GREEN,
    "reward": style.YELLOW,
    "purchase": style.VERMILLION,
    "train": style.ORANGE,
    "exchange": style.PURPLE,
    "upkeep": style.SLATE,
    "invest": style.STEEL,
    "summon": style.VERMILLION,
}
_CATEGORY_COLOURS: Final[dict[str, str]] = {
    "potion": style.SKY,
    "scroll": style.BLUE,
    "charm": style.WINE,
    "chest": style.VERMILLION,
    "gift": style.YELLOW,
    "collectible": style.GREEN,
}


def kind_colour(kind: str) -> str:
    """Return the colour of a kind of ledger row; small kinds share a grey."""
    return _KIND_COLOURS.get(kind, style.MIST)


def category_colour(category: str) -> str:
    """Return the colour of a category of spending: an item's category, or a kind of ledger row."""
    return _CATEGORY_COLOURS.get(category, kind_colour(category))


def line_colours(names: Iterable[str]) -> dict[str, str]:
    """Give each name a colour of ``LINES``, in the order given; after the tenth they come again."""
    return {name: LINES[number % len(LINES)] for number, name in enumerate(names)}


def free_colour(ax: Axes) -> str:
    """Return the first colour of ``LINES`` that no line on the axes has, so that runs can be told apart."""
    taken = {to_hex(line.get_color()) for line in ax.get_lines()}
    return next((colour for colour in LINES if colour not in taken), LINES[0])


def of_run(label: str | None, what: str) -> str:
    """Name a line in a legend: what it is, and of which run where that has a name."""
    return what if label is None else f"{label}: {what}"


def replications(frame: pl.DataFrame) -> int:
    """Return how many replications a metric's frame holds; one where it has no such column."""
    return frame["replication"].n_unique() if "replication" in frame.columns else 1


def mean_text(runs: int, statistic: str = "mean") -> str:
    """Name a line that stands for so many runs."""
    return f"{statistic} of {runs} runs" if runs > 1 else "one run"


def banded(frame: pl.DataFrame, by: Sequence[str], value: str) -> pl.DataFrame:
    """Summarise a value over replications.

    Args:
        frame: A metric's frame, with a ``replication`` column where there are several.
        by: What a point of the chart stands for, for example ``["day"]``.
        value: The column to summarise; nulls are left out.

    Returns:
        One row per group that has a value, ascending: the columns of ``by``, ``mean`` (of a column that may
        lie beyond the horizon the median, which may be infinite), ``low`` (p10) and ``high`` (p90; Float64,
        interpolated), and ``runs`` (how many had a value).
    """
    number = pl.col(value).cast(pl.Float64)
    return (
        frame.drop_nulls(value)
        .sort(*by, *({"replication"} & set(frame.columns)))
        .group_by(by, maintain_order=True)
        .agg(
            mean=_middle(value),
            low=number.quantile(LOW_QUANTILE, "linear"),
            high=number.quantile(HIGH_QUANTILE, "linear"),
            runs=pl.len(),
        )
    )


def averaged(frame: pl.DataFrame, by: Sequence[str], *values: str) -> pl.DataFrame:
    """Average values over replications; in their order, so that the same runs always give the same bits.

    Args:
        frame: A metric's frame, with a ``replication`` column where there are several.
        by: What a row stands for.
        values: The columns to average; nulls are left out.

    Returns:
        One row per group, ascending: the columns of ``by`` and of ``values`` (Float64; null where all are; of
        those that may lie beyond the horizon the median).
    """
    ordered = frame.sort(*by, *({"replication"} & set(frame.columns)))
    return ordered.group_by(by, maintain_order=True).agg(_middle(value) for value in values)


def _middle(value: str) -> pl.Expr:
    """The mean of a column over replications; the median of one that may lie beyond the horizon."""
    number = pl.col(value).cast(pl.Float64)
    return number.median() if value in MEDIANS else number.mean()


def day_axis(frame: pl.DataFrame, day: str = "day") -> tuple[pl.DataFrame, str]:
    """Count the days of a frame from its first one.

    Args:
        frame: A frame with a column of dates.
        day: The name of that column.

    Returns:
        The frame with ``day_number`` (Int64, 0 for the first day), and the axis's label, which dates day 0.
    """
    first = frame[day].min()
    numbered = frame.with_columns(day_number=(pl.col(day) - pl.col(day).min()).dt.total_days())
    return numbered, f"day (0 = {first!s}, UTC)"


def line_with_band(
    ax: Axes, points: pl.DataFrame, x: str, *, colour: str, label: str, band: str = "", dashed: bool = False
) -> None:
    """Draw the mean as a line and p10 to p90 as a band, where there are several runs.

    Args:
        ax: Where to draw.
        points: What ``banded`` returned.
        x: The column along the bottom.
        colour: Of line and band.
        label: The line's name in the legend.
        band: The band's name in the legend; left out of it when empty.
        dashed: Whether the line lets one beneath it show through.
    """
    pattern: str | tuple[int, tuple[int, int]] = (0, (4, 2)) if dashed else "-"
    marker = "o" if points.height == 1 else ""  # A line through one point is none.
    ax.plot(points[x], points["mean"], color=colour, linestyle=pattern, marker=marker, label=label)
    if points["runs"].max() != 1:
        fill(ax, points, x, ("low", "high"), colour=colour, label=band or "_band")


def fill(
    ax: Axes,
    rows: pl.DataFrame,
    x: str,
    ends: tuple[str, str],
    *,
    colour: str,
    label: str,
    alpha: float = 0.18,
) -> None:
    """Draw the range between two columns."""
    low, high = ends
    ax.fill_between(rows[x], rows[low], rows[high], color=colour, alpha=alpha, linewidth=0, label=label)


def ranked(frame: pl.DataFrame, by: str, value: str) -> pl.DataFrame:
    """``banded``, the largest mean first, ties by name; ``by`` is called ``name``."""
    return banded(frame, [by], value).sort("mean", by, descending=[True, False]).rename({by: "name"})


def bars(ax: Axes, rows: pl.DataFrame, colour: str, *, runs: int, decimals: int) -> None:
    """Draw a bar a row, its number behind it, and the range over the runs; grey where few have one.

    Args:
        ax: Where to draw.
        rows: What ``ranked`` returned, from top to bottom.
        colour: Of the bars.
        runs: How many runs the rows are of.
        decimals: Of the numbers behind the bars.
    """
    places = range(rows.height)
    colours = [style.MIST if 2 * known < runs else colour for known in rows["runs"]]
    ax.barh(places, rows["mean"], 0.62, color=colours, label=mean_text(runs))
    if runs > 1:
        ax.hlines(places, rows["low"], rows["high"], color=style.INK, linewidth=1.6, label=BAND_TEXT)
    for place, mean, high, known in zip(places, rows["mean"], rows["high"], rows["runs"], strict=True):
        of = "" if known == runs else f" ({known} of {runs} runs)"
        canvas.note(ax, f"{mean:,.{decimals}f}{of}", (max(mean, high), place), side="right")
    ax.margins(x=0.12)
    canvas.name_rows(ax, rows["name"])
    canvas.thousands(ax.xaxis)
    canvas.legend_below(ax)
