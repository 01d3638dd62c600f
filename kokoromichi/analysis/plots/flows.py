"""Charts of gold that enters and leaves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal

import polars as pl

from kokoromichi.analysis.options import checked_options
from kokoromichi.analysis.plots import canvas, style
from kokoromichi.analysis.plots.series import (
    BAND_TEXT,
    banded,
    day_axis,
    free_colour,
    kind_colour,
    line_with_band,
    mean_text,
    of_run,
    replications,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RATIO_BAND: Final = (0.85, 1.05)
"""The sink/faucet ratio that the baseline is held to."""

_MOST_BARS: Final = 31
_WINDOW_DAYS: Final = 10
_WEEK: Final = "7d"
_SMALL_SHARE: Final = 0.02
_FIRST_DAYS: Final = 7
_SETTLED_DAYS: Final = 21
_MARGIN: Final = 0.12
_FEW: Final = 0.02
_SPIKE: Final = 2.0
"""A day is a spike that lies so many times beyond what all but a few days span."""


@checked_options
def flows(
    frame: pl.DataFrame, ax: Axes | None = None, *, currency: str = "gold", days_a_bar: int | None = None
) -> Axes:
    """Draw faucets above zero and sinks below it, stacked by kind, and the net flow as a line.

    Kinds below 2 % of their side stand together. The opening is left out: it would dwarf every later day.

    Args:
        frame: The metric ``flows``; of several replications, the mean.
        ax: Where to draw; None for a figure of its own.
        currency: gold or gems.
        days_a_bar: Days that one bar averages; None for 1 up to 31 days of data, and 10 beyond.

    Returns:
        The axes.
    """
    with canvas.drawing(ax, f"Faucets and sinks, {currency}", height_in=3.4) as axes:
        bars = flow_windows(frame, currency=currency, days_a_bar=days_a_bar)
        if canvas.has_data(bars, axes):
            width = max(bars["length_days"])
            _stack(axes, bars, width)
            _, day_label = day_axis(frame)
            span = "a day" if width == 1 else f"a day, mean of {width} days"
            canvas.whole_days(axes.xaxis)
            canvas.label_axes(axes, day_label, f"{currency} {span}; faucets above zero, sinks below")
            canvas.thousands(axes.yaxis)
            canvas.legend_below(axes)
    return axes


def flow_windows(frame: pl.DataFrame, *, currency: str, days_a_bar: int | None = None) -> pl.DataFrame:
    """Average faucets and sinks over windows of days and over replications: the bars of ``flows``.

    Args:
        frame: The metric ``flows``, with every currency, so that all have the same windows.
        currency: gold or gems.
        days_a_bar: As in ``flows``.

    Returns:
        One row per window, direction and kind, ascending: ``window`` (Int64, its first day, counted from the
        frame's first), ``length_days`` (Int64; the last one may be shorter), ``direction``, ``kind`` (String;
        ``other`` for small ones), ``per_day`` (Float64, sinks negative, in units of the currency).
    """
    points, _ = day_axis(frame)
    days, runs = max(points["day_number"], default=-1) + 1, replications(frame)
    width = days_a_bar or (1 if days <= _MOST_BARS else _WINDOW_DAYS)
    rows = points.filter(
        pl.col("currency") == currency, pl.col("kind") != "opening", pl.col("direction") != "transfer"
    )
    of_kind, of_side = (
        pl.col("amount").cast(pl.Float64).sum().over("direction", "kind"),
        pl.col("amount").cast(pl.Float64).sum().over("direction"),
    )
    small = of_kind < _SMALL_SHARE * of_side
    signed = pl.when(pl.col("direction") == "faucet").then("amount").otherwise(-pl.col("amount"))
    grouped = rows.select(
        "direction",
        window=pl.col("day_number") // width * width,
        kind=pl.when(small).then(pl.lit("other")).otherwise("kind"),
        amount=signed,
    ).group_by("window", "direction", "kind")
    length = pl.min_horizontal(pl.lit(width), days - pl.col("window"))
    sums = grouped.agg(pl.col("amount").cast(pl.Float64).sum()).with_columns(length_days=length)
    per_day = pl.col("amount") / pl.col("length_days") / runs
    return sums.select("window", "length_days", "direction", "kind", per_day=per_day).sort(
        "window", "direction", "kind"
    )


def _stack(ax: Axes, bars: pl.DataFrame, width: int) -> None:
    """Stack the kinds of each side away from zero, the largest next to it."""
    size = pl.col("per_day").sum().abs()
    order = bars.group_by("direction", "kind").agg(size=size).with_columns(other=pl.col("kind") == "other")
    order = order.sort("direction", "other", "size", "kind", descending=[False, False, True, False])
    reached: dict[tuple[str, int], float] = {}
    for side, kind in order.select("direction", "kind").iter_rows():
        rows = bars.filter(pl.col("direction") == side, pl.col("kind") == kind)
        bottoms = [reached.get((side, window), 0.0) for window in rows["window"]]
        ax.bar(
            _centres(rows),
            rows["per_day"],
            width=rows["length_days"] * 0.86,
            bottom=bottoms,
            color=kind_colour(kind),
            edgecolor=style.PAPER,
            linewidth=0.5,
            label=f"other {side}s" if kind == "other" else kind,
        )
        for window, bottom, height in zip(rows["window"], bottoms, rows["per_day"], strict=True):
            reached[side, window] = bottom + height
    net = bars.group_by("window").agg(pl.col("per_day").sum(), pl.col("length_days").first()).sort("window")
    ax.axhline(0, color=style.STEEL, linewidth=0.8)
    ax.plot(
        _centres(net),
        net["per_day"],
        color=style.INK,
        marker="o" if width > 1 else "",
        markersize=5,
        markeredgecolor=style.PAPER,
        label="net flow",
    )


@checked_options
def net_flow(
    frame: pl.DataFrame, ax: Axes | None = None, *, label: str | None = None, colour: str | None = None
) -> Axes:
    """Draw the net flow per active player, of each day and of the seven days that end with it.

    Args:
        frame: The metric ``net_flow``; of several replications, the mean and p10 to p90.
        ax: Where to draw; None for a figure of its own.
        label: What the legend calls the run, where several are drawn on the same axes.
        colour: Of its lines; None for the next one that is free.

    Returns:
        The axes.
    """
    with canvas.drawing(ax, "Net flow per active player") as axes:
        known = weekly(frame).drop_nulls("net_gold_per_active_player")
        if canvas.has_data(known, axes):
            points, day_label = day_axis(known)
            daily = banded(points, ["day_number"], "net_gold_per_active_player")
            line = colour or free_colour(axes)
            axes.axhline(0, color=style.STEEL, linewidth=0.8)
            if label is None:
                axes.plot(daily["day_number"], daily["mean"], color=style.MIST, linewidth=1, label="each day")
            week = banded(points, ["day_number"], "net_per_player_day")
            name = of_run(label, f"7 days, {mean_text(replications(known))}")
            line_with_band(axes, week, "day_number", colour=line, label=name, band=of_run(label, BAND_TEXT))
            canvas.whole_days(axes.xaxis)
            canvas.label_axes(axes, day_label, "gold a day per player active that day, opening left out")
            canvas.thousands(axes.yaxis)
            _settle(axes, pl.concat([daily, week]), 0.0)
            canvas.legend_below(axes)
    return axes


@checked_options
def ratio(
    frame: pl.DataFrame,
    ax: Axes | None = None,
    *,
    target: tuple[float, float] | None = RATIO_BAND,
    label: str | None = None,
    colour: str | None = None,
) -> Axes:
    """Draw the sink/faucet ratio of the seven days that end with each day.

    Args:
        frame: The metric ``net_flow``; of several replications, the mean and p10 to p90.
        ax: Where to draw; None for a figure of its own.
        target: Lowest and highest ratio wanted, shaded; an end that is open is infinite; None for no shade.
        label: What the legend calls the run, where several are drawn on the same axes.
        colour: Of its lines; None for the next one that is free.

    Returns:
        The axes.
    """
    with canvas.drawing(ax, "Sink/faucet ratio") as axes:
        known = weekly(frame).drop_nulls("ratio")
        if canvas.has_data(known, axes):
            points, day_label = day_axis(known)
            line = colour or free_colour(axes)
            if target is not None and not axes.get_lines():
                _draw_target(axes, *target)
            axes.axhline(1, color=style.STEEL, linewidth=0.8)
            rows = banded(points, ["day_number"], "ratio")
            name = of_run(label, f"7 days, {mean_text(replications(known))}")
            line_with_band(axes, rows, "day_number", colour=line, label=name, band=of_run(label, BAND_TEXT))
            canvas.whole_days(axes.xaxis)
            canvas.label_axes(axes, day_label, "sinks in % of faucets, opening left out")
            canvas.percent(axes.yaxis)
            _settle(axes, rows, 1.0, *(end for end in target or () if math.isfinite(end)))
            canvas.legend_below(axes)
    return axes


def _settle(ax: Axes, shown: pl.DataFrame, *keep: float) -> None:
    """End the vertical axis with the numbers of the settled days; what is cut off is written there.

    The first days are cut off, and a spike of a few days, which would flatten all others.
    """
    first = pl.col("day_number") < _FIRST_DAYS
    settled, early = shown.filter(~first), shown.filter(first)
    if settled["day_number"].n_unique() < _SETTLED_DAYS or early.is_empty():
        return
    low = min(_calm_end(settled, "low"), *keep)
    high = max(_calm_end(settled, "high"), *keep)
    margin = _MARGIN * (high - low)
    low, high = low - margin, high + margin
    if not ax.get_autoscaley_on():  # Another run has ended it with its own.
        low, high = min(low, ax.get_ylim()[0]), max(high, ax.get_ylim()[1])
    ax.set_ylim(low, high)
    if ax.texts:
        return  # Another run has said it.
    for part, named in ((early, "first days"), (settled, "")):
        _mark(ax, part.filter(pl.col("mean") > high).sort("mean").tail(1), named, "top")
        _mark(ax, part.filter(pl.col("mean") < low).sort("mean").head(1), named, "bottom")


def _calm_end(settled: pl.DataFrame, end: Literal["low", "high"]) -> float:
    """How far the settled days reach, a spike left out: what lies far beyond all but a few of them."""
    values = pl.concat([settled[end], settled["mean"]])
    inner = [values.quantile(share, "linear") or 0.0 for share in (_FEW, 1 - _FEW)]
    reach = _SPIKE * (inner[1] - inner[0])
    calm = values.filter((values >= inner[0] - reach) & (values <= inner[1] + reach))
    return float(min(calm) if end == "low" else max(calm))


def _mark(ax: Axes, cut: pl.DataFrame, named: str, side: Literal["top", "bottom"]) -> None:
    """Write how far the day reaches that is cut off most; of no row, nothing."""
    for day, mean in cut.select("day_number", "mean").iter_rows():
        late = not named and day > sum(ax.get_xlim()) / 2
        reach = f"{'up' if side == 'top' else 'down'} to {canvas.tick_text(ax.yaxis, mean)}"
        at = (_FIRST_DAYS if named else day) + (-1 if late else 1), 0.98 if side == "top" else 0.02
        canvas.remark(
            ax, f"{named or f'day {day}'}: {reach}", at=at, side=side, align="right" if late else "left"
        )


def _draw_target(ax: Axes, low: float, high: float) -> None:
    """Shade the band, or draw the one end that it has."""
    if math.isfinite(low) and math.isfinite(high):
        name = f"target {100 * low:.0f}–{100 * high:.0f} %"
        ax.axhspan(low, high, color=style.GREEN, alpha=0.14, linewidth=0, label=name)
        return
    for end, said in ((low, "at least"), (high, "at most")):
        if math.isfinite(end):
            ax.axhline(end, color=style.GREEN, linewidth=1.3, label=f"target {said} {100 * end:.0f} %")


def weekly(frame: pl.DataFrame) -> pl.DataFrame:
    """Sum the flows over the seven days that end with each day, fewer at the beginning.

    Args:
        frame: The metric ``net_flow``.

    Returns:
        The frame's rows, by run and day, with two columns more: ``ratio`` (Float64, sinks / faucets, openings
        left out; null when nothing entered) and ``net_per_player_day`` (Float64, gold; null when nobody was
        active).
    """
    run = ["replication"] if "replication" in frame.columns else []
    names = ("faucets_gold", "sinks_gold", "net_gold", "active_players")
    rolled = (pl.col(name).rolling_sum_by("day", window_size=_WEEK).alias(f"week_{name}") for name in names)
    sums = frame.sort(*run, "day").with_columns(sum_.over(run) if run else sum_ for sum_ in rolled)
    entered, players = pl.col("week_faucets_gold"), pl.col("week_active_players")
    return sums.with_columns(
        ratio=pl.when(entered > 0).then(pl.col("week_sinks_gold") / entered),
        net_per_player_day=pl.when(players > 0).then(pl.col("week_net_gold") / players),
    ).drop(f"week_{name}" for name in names)


def _centres(rows: pl.DataFrame) -> pl.Series:
    return rows["window"] + (rows["length_days"] - 1) / 2
