"""A report of a time within the observations, beside the time of the same length before it."""

from __future__ import annotations

import calendar
import datetime as dt
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.metrics.by_day import days
from kokoromichi.analysis.report import words
from kokoromichi.analysis.report.data import ReportData, report_data
from kokoromichi.analysis.report.numbers import headline_numbers
from kokoromichi.analysis.report.page import Cell, Csv, PageRow, PageTable
from kokoromichi.analysis.targets import TARGETS
from kokoromichi.core.errors import MisuseError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kokoromichi.analysis.observations import Observations
    from kokoromichi.analysis.targets import Band
    from kokoromichi.rules.findings import Finding

_ONE: Final = dt.timedelta(days=1)


def period_report(
    runs: Sequence[Observations],
    since: dt.date | None,
    until: dt.date | None,
    *,
    title: str,
    manifest: Mapping[str, str],
    targets: Mapping[str, Band] = TARGETS,
    findings: Sequence[Finding] | None = None,
    assumptions: Mapping[str, str] = {},
) -> ReportData:
    """Compute every metric of a time within the runs; nothing is cut as warm-up.

    Args:
        runs: The replications of one scenario, or one real ledger.
        since: First UTC day; None for the first one observed.
        until: First UTC day that is left out; None for the day after the last one observed.
        title: The report's title.
        manifest: How the observations came about.
        targets: Bands by the name of a headline number.
        findings: What the economy's check found; None when it was not checked.
        assumptions: What a model put in, by the name of a headline number.

    Returns:
        The report of that time; ``before`` holds the month before a whole month, else as many days before,
        where all of them were observed; else ``alone`` says so.

    Raises:
        MisuseError: No day lies in that time.
    """
    runs = [run.loaded() for run in runs]
    first, last = span_within(runs, since, until)

    def part(first: dt.date, last: dt.date) -> ReportData:
        parts = [run.between(first, last) for run in runs]
        return report_data(
            parts,
            title=title,
            manifest=manifest,
            targets=targets,
            findings=findings,
            warm_up_days=0,
            assumptions=assumptions,
        )

    whole, earlier, begins = part(first, last), _before(first, last), _watched(runs)[0]
    if earlier[0] >= begins:
        return replace(whole, before=part(*earlier))
    alone = f"No time before stands beside it: that begins on {earlier[0]}, and what was read on {begins}. "
    return replace(whole, alone=alone if since else "")


def span_within(
    runs: Sequence[Observations], since: dt.date | None, until: dt.date | None
) -> tuple[dt.date, dt.date]:
    """The first and the last day observed of a time; the arguments are those of ``period_report``.

    Raises:
        MisuseError: No day lies in that time.
    """
    watched = _watched(runs)
    inside = [day for day in watched if (not since or day >= since) and (not until or day < until)]
    if not inside:
        seen = f"the days run from {watched[0]} to {watched[-1]}" if watched else "no day was observed"
        message = f"there is nothing from {since or 'the beginning'} to {until or 'the end'}: {seen}"
        raise MisuseError(message)
    return inside[0], inside[-1]


def _watched(runs: Sequence[Observations]) -> list[dt.date]:
    return sorted(day for run in runs for day in days(run).collect()["day"])


def _before(first: dt.date, last: dt.date) -> tuple[dt.date, dt.date]:
    """The month before a whole month, else as many days before."""
    end = first - _ONE
    if _is_month(first, last):
        return end.replace(day=1), end
    return first - (last - first) - _ONE, end


def _is_month(first: dt.date, last: dt.date) -> bool:
    length = calendar.monthrange(first.year, first.month)[1]
    return first.day == 1 and last == first.replace(day=length)


def _change(now: float | None, before: float | None) -> float | None:
    """None where one of them is not known or beyond the horizon."""
    if now is None or before is None or math.isinf(now) or math.isinf(before):
        return None
    return now - before


def comparison(data: ReportData, before: ReportData) -> PageTable:
    """Return the headline numbers beside those of the time before, and the change."""
    rows, exact = [], []
    for now, then in zip(headline_numbers(data), headline_numbers(before), strict=True):
        value, earlier = now.over(now.values).value, then.over(then.values).value
        change = _change(value, earlier)
        sign = "+" if change is not None and change > 0 else ""
        texts = (now.write(value), now.write(earlier), sign + now.write(change), now.unit)
        rows.append(PageRow(cells=tuple(map(Cell, (now.label, *texts)))))
        exact.append((now.label, value, earlier, change))
    whole = before.first_day is not None and _is_month(
        before.first_day, before.first_day + dt.timedelta(days=before.days - 1)
    )
    called = "Last month" if whole else f"The {words.counted(before.days, 'day')} before"
    number = dict.fromkeys(("now", "before", "change"), pl.Float64())
    return PageTable(
        anchor="before",
        title=f"Beside {called[:1].lower()}{called[1:]}",
        heads=("Number", "Now", called, "Change", "Unit"),
        rows=tuple(rows),
        definition=f"{called} from {before.first_day}. Shares change in percentage points.",
        csv=Csv.of("before", pl.DataFrame(exact, {"number": pl.String(), **number}, orient="row")),
        wide=True,
    )
