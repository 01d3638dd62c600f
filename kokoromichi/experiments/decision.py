"""A comparison as a page: what changes, how surely, and what nobody can say yet."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from markupsafe import escape

from kokoromichi.analysis.plots.canvas import new_axes
from kokoromichi.analysis.plots.style import chart_style
from kokoromichi.analysis.report import words
from kokoromichi.analysis.report.blocks import chart
from kokoromichi.analysis.report.page import Cell, Csv, Page, PageRow, PageSection, PageTable, render
from kokoromichi.analysis.report.writing import Report
from kokoromichi.experiments.comparison import BASE, CERTAIN, TOO_FEW
from kokoromichi.experiments.pairs import FEWEST_CHANGED, POWER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kokoromichi.analysis.report.page import Chart, Tone
    from kokoromichi.experiments.comparison import Comparison

_ASSUMED = "¹"
_WHOLE_FROM = 100
_NOISE = 1e-12  # Of two equal sums, the share by which the order of their parts sets them apart.
_LAST_OF_THREE = 2  # Three digits that count: the change of a share is small.
_LARGE_GAIN = 1_000  # Beyond, pairing is as good as free, and the digits are noise.
_HEADS = ("Number", "Verdict", "Before", "After", "Change", "Interval", "Could be seen", "Gain of pairing")
_TEXT_COLUMNS = 2


def write_decision(path: str | Path, comparison: Comparison) -> Report:
    """Write the page, which needs nothing from outside; the same comparison gives the same bytes."""
    target, page = Path(path), _page(comparison)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(render(page), encoding="utf-8", newline="\n")
    return Report(target, page, unmet=())


def _page(comparison: Comparison) -> Page:
    base, asked = comparison.base, comparison.asked
    primary = comparison.measures[asked.primary].title.lower()
    runs = comparison.runs.filter(pl.col("scenario") == BASE).height
    with chart_style():
        sections = tuple(_section(comparison, name, place) for place, name in enumerate(comparison.others))
    return Page(
        title=f"What changes against {base.name}",
        subtitle=f"{base.players:,} players, {base.days} days, {runs} runs of each, the same seeds",
        kicker="Comparison",
        origin=f"seed {asked.seed} · {asked.engine} · about {primary}",
        verdicts=[_said(comparison, name) for name in comparison.others],
        sections=sections,
        colophon="KoKoroMichi comparison. Every chart carries its numbers; nothing is loaded from afar.",
    )


def table_html(comparison: Comparison) -> str:
    """The table of a comparison for a notebook's cell."""
    rows = []
    for name in comparison.others:
        rows.append(f"<tr><th colspan={len(_HEADS)} style='text-align:left'>{escape(name)}</th></tr>")
        rows.append(_row_html("th", _HEADS))
        rows += [_row_html("td", [cell.text for cell in row.cells]) for row in _rows(comparison, name)]
    return f"<table>{''.join(rows)}</table><p>{escape(_notes(comparison))}</p>"


def _row_html(tag: str, texts: Sequence[str]) -> str:
    """A row of words and then numbers, aligned as they are, whatever the notebook's own style."""
    aligned = ["left"] * _TEXT_COLUMNS + ["right"] * (len(texts) - _TEXT_COLUMNS)
    cells = (
        f"<{tag} style='text-align:{side}'>{escape(text)}</{tag}>"
        for side, text in zip(aligned, texts, strict=True)
    )
    return f"<tr>{''.join(cells)}</tr>"


def _said(comparison: Comparison, name: str) -> Cell:
    """What became of the primary number, in a few words."""
    row = comparison.table().filter(scenario=name, metric=comparison.asked.primary).row(0, named=True)
    change = words.signed_share(row["change_share"])
    said = f"{name}: {row['title'].lower()} {change}, {row['verdict']}"
    return Cell(said, _tone(row["verdict"]))


def _tone(verdict: str) -> Tone:
    """What is certain stands out as in the charts: whether it is good, the page cannot know."""
    return "certain" if verdict == CERTAIN else "plain"


def _section(comparison: Comparison, name: str, place: int) -> PageSection:
    table = comparison.table().filter(scenario=name)
    certain = table.filter(verdict=CERTAIN)["title"].to_list()
    lede = (
        f"Certain: {'; '.join(title.lower() for title in certain)}."
        if certain
        else f"Fewer than {FEWEST_CHANGED} runs make nothing certain: play more of them."
        if TOO_FEW in table["verdict"]
        else "Nothing is certain yet: “Could be seen” says which effect so many runs would have shown."
    )
    blocks = (
        _forest(comparison, name, place),
        _event(comparison, name, place),
        PageTable(
            anchor=f"numbers-{place}",
            title="Every number",
            heads=_HEADS,
            rows=tuple(_rows(comparison, name)),
            definition=_notes(comparison),
            csv=Csv.of(f"numbers-{place}", table),
            text_columns=_TEXT_COLUMNS,
            wide=True,
        ),
    )
    return PageSection(anchor=f"scenario-{place}", title=name, lede=lede, blocks=blocks)


def _forest(comparison: Comparison, name: str, place: int) -> Chart:
    columns = ("metric", "before", "after", "change", "low", "high", "verdict")
    return chart(
        comparison.plot.forest(name, ax=new_axes()),
        anchor=f"forest-{place}",
        takeaway="A point left of the line fell, one right of it rose.",
        says=f"Change over the base's mean, with its {comparison.asked.confidence:.0%} interval over pairs; "
        "an arrow head: it reaches beyond the frame.",
        csv=comparison.table().filter(scenario=name).select(columns),
    )


def _event(comparison: Comparison, name: str, place: int) -> Chart:
    return chart(
        comparison.plot.event(scenario=name, ax=new_axes()),
        anchor=f"event-{place}",
        takeaway="Where the band leaves the line, the change is felt.",
        says="Mean over pairs of the day's difference from the base, with its interval, day by day.",
        csv=comparison.plot.daily(scenario=name),
    )


def _rows(comparison: Comparison, name: str) -> list[PageRow]:
    rows = []
    for row in comparison.table().filter(scenario=name).iter_rows(named=True):
        before, interval = row["before"], words.NOTHING
        if row["low"] is not None:
            interval = f"{_signed(row['low'], before)} to {_signed(row['high'], before)}"
        seen = "" if row["pairs"] == row["runs"] else f" ({row['pairs']} of {row['runs']} runs)"
        share = (
            f" ({words.signed_share(row['change_share'])})"
            if abs(row["change_share"] or 0.0) > _NOISE
            else ""
        )
        texts = (
            _plain(before),
            _plain(row["after"]) + seen,
            _signed(row["change"], before) + share,
            interval,
            _plain(row["smallest_visible"], before),
            _gain(row["gain"], row["gain_low"], row["gain_high"]),
        )
        title = f"{comparison.measures[row['metric']].label}{_ASSUMED if row['assumed'] else ''}"
        cells = (Cell(title), Cell(row["verdict"], _tone(row["verdict"])), *(Cell(text) for text in texts))
        rows.append(PageRow(cells=cells))
    return rows


def _gain(gain: float | None, low: float | None, high: float | None) -> str:
    """How much pairing gained, its interval in a line of its own."""
    if gain is None:
        return words.NOTHING
    found, *ends = (
        f">{_LARGE_GAIN:,}" if value > _LARGE_GAIN else f"{value:.1f}"
        for value in (gain, low, high)
        if value is not None
    )
    return f"{found}\n({' to '.join(ends)})" if ends else found


def _notes(comparison: Comparison) -> str:
    primary = comparison.measures[comparison.asked.primary].title
    return (
        f"Paired t over runs with the same seeds, {comparison.asked.confidence:.0%}; an exact floor where "
        f"fewer than five pairs differ. {primary} is tested by itself, the others together (Holm): where "
        f"the interval alone leaves 0 out, the change is not certain. Could be seen: the effect that as many "
        f"pairs show in {POWER:.0%} of comparisons. Gain of pairing: how many times more runs other seeds "
        f"would have taken. {_ASSUMED} The players' model assumes it rather than predicts it."
    )


def _plain(value: float | None, of: float | None = None) -> str:
    """Three digits, or whole; what is lost in the rounding of the numbers that it is a difference of is 0."""
    if value is None or not math.isfinite(value):
        return words.whole(value)
    if abs(value) <= _NOISE * abs(of or 0.0):
        return words.whole(0)
    three = float(f"{value:.3g}")
    if three == 0 or abs(three) >= _WHOLE_FROM:
        return words.whole(value)
    return words.decimal(three, _LAST_OF_THREE - math.floor(math.log10(abs(three))))


def _signed(value: float | None, of: float | None) -> str:
    text = _plain(value, of)
    return f"+{text}" if value is not None and value > 0 and text != words.whole(0) else text
