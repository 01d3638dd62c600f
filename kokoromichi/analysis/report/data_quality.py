"""The sections that say why the numbers can be believed: the ledger's health, the check, the making."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.plots.canvas import words as spelled
from kokoromichi.analysis.report import words
from kokoromichi.analysis.report.blocks import definition
from kokoromichi.analysis.report.page import Cell, Csv, PageRow, PageSection, PageTable

if TYPE_CHECKING:
    from kokoromichi.analysis.report.data import ReportData

_NOT_CHECKED: Final = "The economy was not checked: pass the findings of its check, none included."


def violations(data: ReportData) -> int:
    """Return how often the ledgers break a law, all runs and checks together."""
    return int(data.frames["ledger_health"]["violations"].sum())


def health_section(data: ReportData) -> PageSection:
    """Return what breaks a law of the ledger, counted."""
    health = data.frames["ledger_health"]
    sums = health.group_by("law", "check").agg(pl.col("violations").sum()).sort("law", "check")
    rows = tuple(
        PageRow(
            cells=(
                Cell(spelled(check)),
                Cell(f"law {law}" if law else "form of the rows"),
                Cell("0", "good") if count == 0 else Cell(words.whole(count), "bad"),
            )
        )
        for law, check, count in sums.iter_rows()
    )
    table = PageTable(
        anchor="health-checks",
        title="Checks of the ledger",
        takeaway="Every check counts nothing."
        if violations(data) == 0
        else f"{violations(data):,} violations.",
        heads=("What is counted", "Guards", "Violations"),
        text_columns=2,
        rows=rows,
        definition=definition("ledger_health", "The laws are numbered as in the economy's document."),
        csv=Csv.of("health-checks", health),
        wide=True,
    )
    lede = "No number above is better than the ledger that it is read from."
    return PageSection(anchor="health", title="Ledger health", lede=lede, blocks=(table,))


def findings_section(data: ReportData) -> PageSection:
    """Return what the economy's check found, arbitrage above all."""
    title, lede = (
        "Findings of the economy",
        "Prices, odds and rewards held against the laws that no designer wants broken.",
    )
    if data.findings is None:
        return PageSection(anchor="findings", title=title, lede=lede, missing=(_NOT_CHECKED,))
    if not data.findings:
        return PageSection(
            anchor="findings",
            title=title,
            lede=f"{lede} Nothing was found: no arbitrage, no odds that do not add up.",
        )
    columns = ("file", "field", "value", "law", "text")
    texts = [tuple(str(getattr(finding, column)) for column in columns) for finding in data.findings]
    table = PageTable(
        anchor="findings-list",
        title="What was found",
        takeaway=f"{words.counted(len(texts), 'finding')}.",
        heads=("File", "Field", "Value", "Law", "What is wrong"),
        text_columns=len(columns),
        rows=tuple(PageRow(cells=tuple(Cell(text) for text in row)) for row in texts),
        definition="A simulation reports findings and runs on; the bot refuses an economy that has one.",
        csv=Csv.of(
            "findings-list", pl.DataFrame(texts, schema=dict.fromkeys(columns, pl.String), orient="row")
        ),
        wide=True,
    )
    return PageSection(anchor="findings", title=title, lede=lede, blocks=(table,))


def making_section(data: ReportData) -> PageSection:
    """Return how the report was made."""
    own = (
        ("replications", f"{data.replications:,}"),
        ("days", f"{data.days:,}"),
        ("first day", str(data.first_day or words.NOTHING)),
        ("measured from day", f"{data.measured_from_day:,}"),
        ("streams", words.listed(_streams(data))),
    )
    stated = {name for name, _ in data.manifest}
    lines = [*data.manifest, *(line for line in own if line[0] not in stated)]
    table = PageTable(
        anchor="manifest",
        title="Manifest",
        heads=("What", "Which"),
        text_columns=2,
        rows=tuple(PageRow(cells=(Cell(spelled(name)), Cell(text))) for name, text in lines),
        definition="The same observations and the same manifest give the same bytes of this file.",
        csv=Csv.of(
            "manifest", pl.DataFrame(lines, schema={"what": pl.String, "which": pl.String}, orient="row")
        ),
        wide=True,
    )
    lede = (
        "Enough to make it again. Lines are the mean of the runs; bands reach from their 10th to their 90th "
        "percentile, interpolated."
    )
    return PageSection(anchor="making", title="How it was made", lede=lede, blocks=(table,))


def _streams(data: ReportData) -> list[str]:
    known = {
        "activity": data.has_activity,
        "economy history": "days_to_afford" not in data.missing,
        "players": data.has_players,
    }
    return ["ledger", *(name for name, observations in known.items() if observations)]
