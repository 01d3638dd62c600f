"""The sections about who is there and what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.plots import players
from kokoromichi.analysis.plots.canvas import words as spelled
from kokoromichi.analysis.report import words
from kokoromichi.analysis.report.blocks import chart, definition, measured_days, summary
from kokoromichi.analysis.report.page import Cell, Csv, PageRow, PageSection, PageTable

if TYPE_CHECKING:
    from kokoromichi.analysis.report.data import ReportData

NO_ACTIVITY: Final = (
    "The activity stream was not observed: an active day is a day with a row in the ledger, and a player who "
    "did nothing any more counts as gone since the last such day."
)


def retention_section(data: ReportData) -> PageSection:
    """Return who stays."""
    frame = data.frames["retention"]
    charted = chart(
        players.retention(frame),
        anchor="retention-by-age",
        takeaway=_retention_takeaway(frame),
        says=definition("retention"),
        csv=summary(frame, ["age_days"], "present_share", "rolling_share", "classic_share", "players"),
    )
    missing = () if data.has_activity else (NO_ACTIVITY,)
    assumed = data.assumptions.get("retention_d30", "")
    lede = f"Who is still there a day, a week and a month after arrival. {assumed}".strip()
    blocks = (charted, _retention_table(frame))
    return PageSection(anchor="retention", title="Retention", lede=lede, missing=missing, blocks=blocks)


def _retention_takeaway(frame: pl.DataFrame) -> str:
    if frame.is_empty():
        return ""
    age = frame["age_days"].max()
    last = frame.filter(pl.col("age_days") == age)
    found = words.span(last["present_share"].to_list())
    if found:
        return f"{words.share(found[0])} are not away on day {age!s}."
    found = words.span(last["rolling_share"].to_list())
    return f"{words.share(found[0])} have not left by day {age!s}." if found else ""


def _retention_table(frame: pl.DataFrame) -> PageTable:
    sums = frame.group_by("age_days").agg(pl.col("players", "present", "stayed", "active").sum())
    sums = sums.sort("age_days")
    away = frame["present"].null_count() < frame.height
    rows = tuple(
        PageRow(
            cells=(
                Cell(f"D{age}"),
                Cell(words.whole(players)),
                Cell(words.share(present / players, 1) if away else words.NOTHING),
                Cell(words.whole(stayed)),
                Cell(words.share(stayed / players, 1)),
                Cell(words.whole(active)),
                Cell(words.share(active / players, 1)),
            )
        )
        for age, players, present, stayed, active in sums.iter_rows()
    )
    return PageTable(
        anchor="retention-numbers",
        title="Players counted",
        heads=("Age", "Observed", "Not away", "Not left", "Rolling", "Active", "Classic"),
        rows=rows,
        definition="Players of all runs together; those who arrived too late to be observed for so long are "
        "left out. Not away: on that very day, as the headline has it. Rolling: not left for good by then. "
        "Classic: active on that very day.",
        csv=Csv.of("retention-numbers", frame),
    )


def activity_section(data: ReportData) -> PageSection:
    """Return acts and refusals."""
    title, lede = (
        "Acts and refusals",
        f"What players do on a day on which they are there, and what the game refuses. {measured_days(data)}",
    )
    absent = tuple(dict.fromkeys(data.missing[name] for name in ("acts", "refusals") if name in data.missing))
    if absent:
        return PageSection(anchor="activity", title=title, lede=lede, missing=absent)
    acts, refusals = data.frames["acts"], data.frames["refusals"]
    blocks = (
        chart(
            players.acts(acts),
            anchor="acts",
            takeaway=_acts_takeaway(data),
            says=definition("acts"),
            csv=summary(acts, ["act"], "acts_per_active_player_day", "acts", "refused"),
        ),
        chart(
            players.refusals(refusals),
            anchor="refusals",
            takeaway=_refusal_takeaway(refusals),
            says=definition(
                "refusals",
                "A refusal is counted among all tries of its act, those that went through included.",
            ),
            csv=summary(refusals, ["act", "code"], "refused_share", "refusals", "tried"),
        ),
    )
    return PageSection(anchor="activity", title=title, lede=lede, blocks=blocks)


def _acts_takeaway(data: ReportData) -> str:
    found = words.span(data.headline["acts_per_active_player_day"].to_list())
    return f"{words.decimal(found[0], 1)} acts go through on a player's active day." if found else ""


def _refusal_takeaway(frame: pl.DataFrame) -> str:
    if frame.is_empty():
        return "Nothing was refused."
    sums = (
        frame.group_by("act", "code")
        .agg(pl.col("refusals").sum())
        .sort("refusals", "act", "code", descending=[True, False, False])
    )
    act, code, count = sums.row(0)
    share = count / sums["refusals"].sum()
    said = f"Most often “{spelled(code)}” when trying to {spelled(act)}"
    return f"{said}: {words.share(share)} of all refusals."
