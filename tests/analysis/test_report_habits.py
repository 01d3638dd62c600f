"""What the report says of players' weeks and of gold from hand to hand, of a small busy economy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kokoromichi.analysis.metrics import measured
from kokoromichi.analysis.report import report_data, words
from kokoromichi.analysis.report.habits import habits_section, ties_section
from kokoromichi.analysis.report.page import PageTable
from tests.analysis.books import lively

if TYPE_CHECKING:
    from kokoromichi.analysis.report import ReportData
    from kokoromichi.analysis.report.page import PageSection


@pytest.fixture(scope="module")
def data() -> ReportData:
    """Two runs of it."""
    return report_data([lively(1), lively(2)], title="Lively", manifest={})


def cells(section: PageSection, anchor: str) -> list[tuple[str, ...]]:
    """A table's rows as they are read."""
    (table,) = [block for block in section.blocks if isinstance(block, PageTable) and block.anchor == anchor]
    return [tuple(cell.text for cell in row.cells) for row in table.rows]


def test_the_weeks_of_players_are_tables_of_their_metrics(data: ReportData) -> None:
    section = habits_section(data)
    anchors = [block.anchor for block in section.blocks if isinstance(block, PageTable)]
    assert anchors == ["session-flows", "leavers", "cohort-retention", "sink-use"]
    weeks = [measured("session_flows", lively(seed)).row(0, named=True) for seed in (1, 2)]
    mean = sum(week["sessions"] for week in weeks) / 2
    assert cells(section, "session-flows")[0][:3] == ("0", "12", f"{mean:.0f}")
    assert {row[0] for row in cells(section, "sink-use")} == {"purchase", "fee"}
    ((monday, players, *shares),) = cells(section, "cohort-retention")
    assert (monday, players, shares[0]) == (words.day("2026-01-05"), "12", words.share(1.0))
    assert [row[0] for row in cells(section, "leavers")] == [
        words.day("2026-01-19"),
        words.day("2026-01-12"),
        words.day("2026-01-05"),
    ]


def test_changes_of_prices_and_transfers_are_shown_and_nobody_is_named(data: ReportData) -> None:
    section = ties_section(data)
    changes = cells(section, "price-events")
    assert [row[:3] for row in changes] == [
        ("chest", words.day("2026-01-11"), "5,000 → 8,000"),
        ("potion", words.day("2026-01-11"), "100 → 160"),
    ]
    pairs = cells(section, "transfer-pairs")
    assert [row[0] for row in pairs] == [f"{place}" for place in range(1, 13)]
    assert "p0000" not in str(section)


def test_without_a_history_of_prices_the_section_says_so() -> None:
    observations = lively(1)
    blank = type(observations).from_frames(observations.ledger)
    section = ties_section(report_data([blank], title="Ledger", manifest={}))
    assert "price_events needs the stream economy_history" in section.missing[0]
    assert "price-events" not in [block.anchor for block in section.blocks if isinstance(block, PageTable)]
