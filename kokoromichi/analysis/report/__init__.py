"""The economy report: one HTML file that needs nothing from outside, the same bytes for the same input."""

from kokoromichi.analysis.report.cards import unmet_targets
from kokoromichi.analysis.report.data import ReportData, report_data
from kokoromichi.analysis.report.explained import Explanation, explained
from kokoromichi.analysis.report.periods import period_report
from kokoromichi.analysis.report.writing import Report, render_report, write_report

__all__ = [
    "Explanation",
    "Report",
    "ReportData",
    "explained",
    "period_report",
    "render_report",
    "report_data",
    "unmet_targets",
    "write_report",
]
