"""Charts and tables of the report, with the definition of the metric and the data behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from kokoromichi.analysis.metrics import metric
from kokoromichi.analysis.metrics.definitions import define
from kokoromichi.analysis.plots.series import banded, replications
from kokoromichi.analysis.plots.showing import figure_of
from kokoromichi.analysis.report.inline import inline_svg
from kokoromichi.analysis.report.page import Chart, Csv
from kokoromichi.analysis.report.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from matplotlib.axes import Axes

    from kokoromichi.analysis.report.data import ReportData

_LABEL_POINTS: Final = 18
"""Room for the vertical axis's name, which stands where the title stood."""

_ORIGIN_NAMES: Final = ("scenario", "seed", "economy hash")
_ORIGIN_LINES: Final = 3
_BAND: Final = ("mean", "low", "high")
_IDLE: Final = (
    "It is a part of a ledger that does not say what players hold who moved nothing in it: they and their "
    "gold are left out."
)


def definition(name: str, *more: str) -> str:
    """Return what a metric means, in its own words, and what a chart of it adds.

    Args:
        name: The metric's name.
        more: Sentences to add.
    """
    said = define(metric(name))
    return " ".join([said.summary, *said.notes, *more]).replace("`", "").replace(" - ", " − ")


def measured_days(data: ReportData) -> str:
    """Say which days flows, spending and acts are measured on."""
    if data.measured_from_day == 0:
        return "Measured on every day, the first ones too."
    return f"Measured from day {data.measured_from_day} on, counted from 0: the warm-up is cut."


def chart(
    axes: Axes, *, anchor: str, takeaway: str, says: str, csv: pl.DataFrame, wide: bool = False
) -> Chart:
    """Make a chart of the page from axes; their title becomes the page's own text.

    Args:
        axes: What a plot function returned, alone on its figure.
        anchor: Its id in the page.
        takeaway: What is to be seen, in one sentence.
        says: The definition.
        csv: The numbers drawn.
        wide: Whether it takes the page's whole width.
    """
    title = axes.get_title(loc="left")
    axes.set_title("\u00a0", loc="left", pad=_LABEL_POINTS if axes.get_ylabel() else 0, fontsize=1)
    label = f"Chart: {title}. {takeaway or says}"
    drawing = inline_svg(figure_of(axes), prefix=anchor, label=label)
    svg = Markup(drawing)  # noqa: S704 - ElementTree escaped it
    table = Csv.of(anchor, csv)
    return Chart(
        anchor=anchor, title=title, takeaway=takeaway, svg=svg, definition=says, csv=table, wide=wide
    )


def summary(frame: pl.DataFrame, by: Sequence[str], *values: str) -> pl.DataFrame:
    """Return the numbers that a chart draws.

    Args:
        frame: A metric's frame with ``replication``.
        by: What a point stands for.
        values: The columns drawn.

    Returns:
        One row per point, ascending: the columns of ``by``, then each value as it is for one run, else
        ``<value>`` (the mean), ``<value>_p10`` and ``<value>_p90`` over the runs.
    """
    if replications(frame) <= 1:
        return frame.select(*by, *values).sort(by)
    points = frame.select(by).unique().sort(by)
    for value in values:
        names = {"mean": value, "low": f"{value}_p10", "high": f"{value}_p90"}
        found = banded(frame, by, value).select(*by, *_BAND).rename(names)
        points = points.join(found, on=list(by), how="left", nulls_equal=True)
    return points.sort(by)


def lasting(data: ReportData) -> str:
    """Say what was observed, in a line: players, days, runs."""
    if data.first_day is None:
        return "Nothing was observed: the ledger is empty."
    parts = (
        counted(round(data.players), "player"),
        counted(data.days, "day"),
        counted(data.replications, "run"),
    )
    idle = f" {_IDLE}" if data.leaves_out_idle else ""
    return f"{parts[0]} over {parts[1]} from {data.first_day} (UTC), {parts[2]}.{idle}"


def origin(data: ReportData) -> str:
    """Say how the observations came about: scenario, seed and economy, else the manifest's first lines."""
    lines = [(name.replace("_", " "), text) for name, text in data.manifest]
    chosen = [line for line in lines if line[0] in _ORIGIN_NAMES] or lines[:_ORIGIN_LINES]
    return " · ".join(f"{name}: {text}" for name, text in chosen)
