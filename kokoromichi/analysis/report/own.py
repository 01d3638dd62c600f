"""Measures of a designer's own, with their charts."""

from __future__ import annotations

from inspect import getdoc
from typing import TYPE_CHECKING, Final

from kokoromichi.analysis.charts import CHARTS
from kokoromichi.analysis.metrics import METRICS, metric
from kokoromichi.analysis.plots.canvas import words
from kokoromichi.analysis.report.blocks import chart
from kokoromichi.analysis.report.page import Cell, Csv, PageRow, PageSection, PageTable

if TYPE_CHECKING:
    import polars as pl

    from kokoromichi.analysis.report.data import ReportData
    from kokoromichi.analysis.report.page import Chart

_MOST_ROWS: Final = 12
_DECIMALS: Final = 3


def own_sections(data: ReportData) -> tuple[PageSection, ...]:
    """Return the part of the report that shows measures of one's own; none where there are none."""
    names = [name for name, entry in METRICS.items() if entry.own and name in data.frames]
    charts = [name for name, entry in CHARTS.items() if entry.own and entry.metric in data.frames]
    if not names and not charts:
        return ()
    tables = (_table(data, name) for name in names)
    blocks: tuple[PageTable | Chart, ...] = (*tables, *(_chart(data, name) for name in charts))
    lede = "What this economy's designers measure beside the metrics that every report has."
    return (PageSection(anchor="own", title="Measures of our own", lede=lede, blocks=blocks),)


def _chart(data: ReportData, name: str) -> Chart:
    entry = CHARTS[name]
    frame = data.frames[entry.metric]
    says = _said(metric(entry.metric), entry.metric)
    return chart(entry.draw(frame), anchor=f"own-chart-{name}", takeaway="", says=says, csv=frame)


def _table(data: ReportData, name: str) -> PageTable:
    frame = data.frames[name]
    shown = frame.head(_MOST_ROWS)
    more = frame.height - shown.height
    rows = tuple(PageRow(cells=tuple(Cell(_text(value)) for value in row)) for row in shown.iter_rows())
    return PageTable(
        anchor=f"own-{name}",
        title=words(name).capitalize(),
        takeaway=f"The first {shown.height} of {frame.height:,} rows." if more > 0 else "",
        heads=tuple(column.replace("_", " ") for column in frame.columns),
        text_columns=max(1, _leading_words(frame)),
        rows=rows,
        definition=_said(metric(name), name),
        csv=Csv.of(f"own-{name}", frame),
    )


def _leading_words(frame: pl.DataFrame) -> int:
    return next((place for place, kind in enumerate(frame.dtypes) if kind.is_numeric()), len(frame.columns))


def _said(function: object, name: str) -> str:
    return " ".join((getdoc(function) or words(name)).partition("\n\n")[0].split())


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.{_DECIMALS}f}".replace("-", "−")
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}".replace("-", "−")
    return "–" if value is None else str(value)
