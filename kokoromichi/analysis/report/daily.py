"""What is worth a look each day: numbers unlike the month before, faucets that pay few, empty shelves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.plots.canvas import words as spelled
from kokoromichi.analysis.plots.series import averaged
from kokoromichi.analysis.report import words
from kokoromichi.analysis.report.blocks import definition, measured_days
from kokoromichi.analysis.report.page import Cell, Csv, PageRow, PageSection, PageTable

if TYPE_CHECKING:
    from kokoromichi.analysis.report.data import ReportData

_MOST_ROWS: Final = 12


def daily_section(data: ReportData) -> PageSection:
    """Return the alarms, the concentration of each faucet, and the days out of stock."""
    blocks = (_alarm_table(data), _concentration_table(data), _stock_table(data))
    lede = "Where to look first: what follows from it, only an experiment says."
    missing = tuple(data.missing[name] for name in ("alarms", "stock_outs") if name in data.missing)
    return PageSection(
        anchor="daily",
        title="Worth a look",
        lede=lede,
        missing=missing,
        blocks=tuple(block for block in blocks if block.rows or block.anchor == "alarms"),
    )


def _alarm_table(data: ReportData) -> PageTable:
    """Return the newest days that most of the runs call an alarm."""
    frame = data.frames["alarms"]
    counts = frame.group_by("number", "day").agg(runs=pl.col("alarm").sum())
    means = averaged(frame, ["day", "number"], "value", "trailing_mean", "score").join(
        counts.filter(2 * pl.col("runs") > data.replications), on=["number", "day"]
    )
    found = means.sort("day", "number", descending=[True, False])
    rows = tuple(
        _row(
            spelled(row["number"]),
            words.day(row["day"]),
            words.decimal(row["value"], 1),
            words.decimal(row["trailing_mean"], 1),
            words.decimal(row["score"], 1),
        )
        for row in found.head(_MOST_ROWS).iter_rows(named=True)
    )
    return PageTable(
        anchor="alarms",
        title="Days unlike the month before",
        takeaway=f"{words.counted(found.height, 'alarm')}; the newest first." if rows else "No alarm.",
        heads=("Number", "Day", "Value", "Mean before", "Score"),
        text_columns=2,
        rows=rows,
        definition=definition("alarms", "Of several runs, what most of them call an alarm."),
        csv=Csv.of("alarms", found),
    )


def _concentration_table(data: ReportData) -> PageTable:
    """Return on how few each faucet falls; nobody is named."""
    frame = data.frames["faucet_concentration"].drop("largest_user_id")
    columns = ("amount", "players", "top_10_share", "largest_share", "largest_per_median")
    means = averaged(frame, ["kind"], *columns).sort("largest_per_median", "kind", descending=[True, False])
    rows = tuple(
        _row(
            row["kind"],
            words.short(row["amount"]),
            words.whole(row["players"]),
            words.share(row["top_10_share"]),
            words.share(row["largest_share"], 1),
            words.decimal(row["largest_per_median"], 1),
        )
        for row in means.iter_rows(named=True)
    )
    return PageTable(
        anchor="faucet-concentration",
        title="On how few each faucet falls",
        heads=("Faucet", "Gold", "Players", "Top tenth", "One player", "Of the median"),
        rows=rows,
        definition=f"{definition('faucet_concentration')} {measured_days(data)}",
        csv=Csv.of("faucet-concentration", frame),
    )


def _stock_table(data: ReportData) -> PageTable:
    """Return the items that were sold out at a day's close."""
    frame = data.frames["stock_outs"]
    means = averaged(frame, ["item_id"], "days_out", "out_share", "least_units")
    out = means.filter(pl.col("days_out") > 0).sort("days_out", "item_id", descending=[True, False])
    rows = tuple(
        _row(
            spelled(row["item_id"]),
            words.decimal(row["days_out"], 1),
            words.share(row["out_share"]),
            words.whole(row["least_units"]),
        )
        for row in out.iter_rows(named=True)
    )
    return PageTable(
        anchor="stock-outs",
        title="Days out of stock",
        heads=("Item", "Days", "Share", "Least units"),
        rows=rows,
        definition=definition("stock_outs"),
        csv=Csv.of("stock-outs", frame),
    )


def _row(*texts: str) -> PageRow:
    return PageRow(cells=tuple(map(Cell, texts)))
