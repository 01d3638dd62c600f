"""The report as a whole: its sections in their order, set as a page, written as a file, shown as a card."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from markupsafe import Markup

from kokoromichi.analysis.html import badge, card, link
from kokoromichi.analysis.plots.style import chart_style
from kokoromichi.analysis.report import words
from kokoromichi.analysis.report.blocks import lasting, origin
from kokoromichi.analysis.report.cards import headline_section, targets_met, unmet_targets
from kokoromichi.analysis.report.daily import daily_section
from kokoromichi.analysis.report.data_quality import (
    findings_section,
    health_section,
    making_section,
    violations,
)
from kokoromichi.analysis.report.distribution import balance_section, inequality_section
from kokoromichi.analysis.report.goods import spending_section, stock_section
from kokoromichi.analysis.report.habits import habits_section, ties_section
from kokoromichi.analysis.report.money import flow_section, net_section, reconciles, supply_section
from kokoromichi.analysis.report.own import own_sections
from kokoromichi.analysis.report.page import Card, Cell, Page, PageSection, render
from kokoromichi.analysis.report.players import activity_section, retention_section
from kokoromichi.analysis.report.waits import wait_section

if TYPE_CHECKING:
    from collections.abc import Callable

    from kokoromichi.analysis.report.data import ReportData

SECTIONS: Final[tuple[Callable[[ReportData], PageSection], ...]] = (
    headline_section,
    supply_section,
    flow_section,
    net_section,
    balance_section,
    wait_section,
    inequality_section,
    spending_section,
    retention_section,
    stock_section,
    activity_section,
    daily_section,
    habits_section,
    ties_section,
    health_section,
    findings_section,
    making_section,
)
"""The parts of a report from top to bottom; one function and one line to add one."""

_LAST_SECTIONS: Final = 3
"""Health, findings and making stand behind whatever else is measured."""


@dataclass(frozen=True, slots=True, eq=False)
class Report(os.PathLike[str]):
    """A report on disk: whatever opens a path opens it.

    Attributes:
        path: Where it is.
        page: What stands in it.
        unmet: A sentence for each target that is not met.
    """

    path: Path
    page: Page
    unmet: tuple[str, ...]

    def __fspath__(self) -> str:
        """The path, for whatever opens files."""
        return str(self.path)

    def __str__(self) -> str:
        """The path."""
        return str(self.path)

    def _repr_html_(self) -> str:
        """A link and a preview: the verdicts, and the headline numbers with their units."""
        numbers = [
            (found.label, " ".join((found.value, found.unit, _pill(found))).rstrip())
            for section in self.page.sections
            for found in section.cards
        ]
        verdicts = Markup().join(badge(cell.text, cell.verdict) for cell in self.page.verdicts)
        near = os.path.relpath(self.path)
        opened = Markup("<p>{}</p>{}").format(link(quote(Path(near).as_posix()), f"Open {near}"), verdicts)
        title = Markup('{}<br><span style="font-weight:400">{}</span>')
        return card(title.format(self.page.title, self.page.subtitle), numbers, foot=opened)


def write_report(path: str | Path, report: ReportData) -> Report:
    """Write the report as one HTML file that needs nothing from outside.

    Args:
        path: Where to; folders that are missing are made, a file that is there is replaced.
        report: What to write.

    Returns:
        The file, as a path that a notebook shows as a card.

    Raises:
        OSError: The file cannot be written.
    """
    target, page = Path(path), report_page(report)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(render(page), encoding="utf-8", newline="\n")
    return Report(target, page, unmet_targets(report))


def render_report(report: ReportData) -> str:
    """Return the report's HTML: the same text for the same numbers, no date but those of the manifest."""
    return render(report_page(report))


def report_page(report: ReportData) -> Page:
    """Return the report, ready to be set."""
    with chart_style():
        shipped = [section(report) for section in SECTIONS]
        sections = (*shipped[:-_LAST_SECTIONS], *own_sections(report), *shipped[-_LAST_SECTIONS:])
    return Page(
        title=report.title,
        subtitle=lasting(report),
        origin=origin(report),
        verdicts=_verdicts(report, sections[0]),
        sections=sections,
        colophon="KoKoroMichi economy report. Every chart carries its numbers; nothing is loaded from afar.",
    )


def _verdicts(report: ReportData, headline: PageSection) -> list[Cell]:
    """Return the report in a few words each."""
    if report.first_day is None:
        return [Cell("Nothing was observed")]
    held = [card.verdict for card in headline.cards if card.target]
    adds_up, broken = reconciles(report), violations(report)
    verdicts = [
        *([Cell(targets_met(headline.cards)[:-1], "good" if {*held} == {"good"} else "bad")] if held else []),
        Cell("Reconciles to the unit" if adds_up else "Does not reconcile", "good" if adds_up else "bad"),
        Cell(
            "Ledger sound" if broken == 0 else f"{words.counted(broken, 'violation')} of the ledger's laws",
            "bad" if broken else "good",
        ),
    ]
    if report.findings is not None:
        count = len(report.findings)
        verdicts.append(
            Cell(
                f"{words.counted(count, 'finding')} of the economy" if count else "No findings",
                "bad" if count else "good",
            )
        )
    return verdicts


def _pill(number: Card) -> str:
    return "" if number.verdict == "plain" else f"({number.pill})"
