"""What a page of the report is made of: cards, charts, tables, sections; and the page as HTML text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

import jinja2
import polars.selectors as cs
from markupsafe import Markup

from kokoromichi.analysis.tables import flat

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

Verdict = Literal["good", "bad", "plain"]
Tone = Literal["good", "bad", "plain", "faint", "certain"]
_FOLDER: Final = Path(__file__).parent
_SIGNIFICANT: Final = 6
_HEAD_LINES: Final = 9


@dataclass(frozen=True, slots=True)
class Csv:
    """The numbers behind a chart or a table, as text to keep.

    Attributes:
        name: The file's name, with ``.csv``.
        text: The comma-separated lines, a head first.
        rows: How many lines follow the head.
    """

    name: str
    text: str
    rows: int

    @classmethod
    def of(cls, name: str, frame: pl.DataFrame) -> Csv:
        """Write a frame; floats keep six significant digits, whole numbers every one."""
        rounded = flat(frame).with_columns(cs.float().round_sig_figs(_SIGNIFICANT))
        return cls(f"{name}.csv", rounded.write_csv(), frame.height)

    @property
    def href(self) -> str:
        """The lines as a link that holds them."""
        return "data:text/csv;charset=utf-8," + quote(self.text, safe=",.-_:()")

    @property
    def head(self) -> str:
        """The first lines, to be read in the page."""
        lines = self.text.splitlines()
        left = len(lines) - _HEAD_LINES
        return "\n".join([*lines[:_HEAD_LINES], *([f"... and {left:,} more"] if left > 0 else [])])


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart with its definition and its data.

    Attributes:
        anchor: Its id in the page.
        title: What is measured.
        takeaway: What is to be seen, in one sentence; may be empty.
        svg: The drawing, an ``svg`` element.
        definition: How the numbers come about, with units.
        csv: The numbers drawn.
        wide: Whether it takes the page's whole width.
    """

    anchor: str
    title: str
    takeaway: str
    svg: Markup
    definition: str
    csv: Csv
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: What it says.
        verdict: ``good`` is set with a tick and ``bad`` with a cross; both in words too. ``faint`` is grey:
            it stands for few; ``certain`` is blue, neither good nor bad.
    """

    text: str
    verdict: Tone = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRow:
    """A row of a table; the first cell is its head.

    Attributes:
        cells: One per column.
        role: ``total`` closes a sum, ``group`` heads the rows beneath it.
    """

    cells: tuple[Cell, ...]
    role: Literal["plain", "total", "group"] = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTable:
    """A table with its definition and its data.

    Attributes:
        anchor: Its id in the page.
        title: What it lists.
        takeaway: What is to be seen, in one sentence; may be empty.
        heads: The columns' heads, with units.
        text_columns: How many columns from the left hold words; the others hold numbers.
        rows: From top to bottom.
        definition: How the numbers come about.
        csv: The same numbers, exact.
        wide: Whether it takes the page's whole width.
    """

    anchor: str
    title: str
    heads: tuple[str, ...]
    rows: tuple[PageRow, ...]
    definition: str
    csv: Csv
    takeaway: str = ""
    text_columns: int = 1
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Stack:
    """Charts and tables beneath one another, in the place of one.

    Attributes:
        blocks: From top to bottom.
    """

    blocks: tuple[Chart | PageTable, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A headline number against what was wanted.

    Attributes:
        label: What is measured.
        value: The number, with its unit in ``unit``.
        unit: Set small behind the number.
        spread: How far the runs lie apart.
        target: The band wanted, in words; empty when none is set.
        verdict: Whether the number lies in the band; ``plain`` without one.
        pill: The verdict in words, with how many runs lie in the band.
        gauge: Where the band begins, from the left, and ends, from the right, and where the number lies, from
            the left, on a line, in per cent of its length; None for no gauge.
        says: The definition.
        faint: Whether it stands for so few that it is set in grey.
    """

    label: str
    value: str
    unit: str
    spread: str
    target: str
    verdict: Verdict
    pill: str
    gauge: tuple[float, float, float] | None
    says: str
    faint: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSection:
    """A part of the page.

    Attributes:
        anchor: Its id in the page.
        title: Its heading.
        lede: What is to be learned from it.
        missing: What was not observed, and how to cure it; empty when all is there.
        blocks: Charts and tables, two to a row, in order.
        cards: Headline numbers, before the blocks.
    """

    anchor: str
    title: str
    lede: str
    missing: tuple[str, ...] = ()
    blocks: tuple[Chart | PageTable | Stack, ...] = ()
    cards: tuple[Card, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The whole report, ready to be set.

    Attributes:
        title: The report's title.
        subtitle: What was observed: players, days, runs.
        origin: How it came about, in a line.
        verdicts: The findings in a word each, with their colour.
        sections: From top to bottom.
        colophon: The last lines.
        kicker: What kind of page it is, above the title.
    """

    title: str
    subtitle: str
    origin: str
    verdicts: Sequence[Cell]
    sections: Sequence[PageSection]
    colophon: str
    kicker: str = "Economy report"


def render(page: Page) -> str:
    """Return the page as one HTML text that needs nothing from outside; all but the charts is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    css = (_FOLDER / "report.css").read_text(encoding="utf-8")
    style = Markup(css)  # noqa: S704 - our own file
    return environment.get_template("report.html.j2").render(page=page, css=style)
