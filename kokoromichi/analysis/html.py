"""What a notebook shows of a value: a card of a title and a few lines, readable on light and dark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kokoromichi.analysis.report.page import Tone

_BOX: Final = (
    "display:inline-block;max-width:46em;padding:.7em 1.1em;border:1px solid rgba(127,127,127,.45);"
    "border-radius:6px;line-height:1.5"
)
_NAME: Final = "text-align:left;padding:.1em 1.2em .1em 0;opacity:.7;white-space:nowrap;vertical-align:top"
_VALUE: Final = "text-align:left;padding:.1em 0"
_BADGE: Final = "display:inline-block;margin:.3em .5em 0 0;padding:.05em .6em;border-radius:1em;font-size:90%"
_COLOURS: Final[Mapping[Tone, str]] = {
    "good": "background:#009e73;color:#fff",
    "bad": "background:#d55e00;color:#fff",
    "certain": "background:#0072b2;color:#fff",
    "plain": "background:rgba(127,127,127,.25)",
    "faint": "background:rgba(127,127,127,.25);opacity:.7",
}


def card(title: str, rows: Iterable[tuple[str, object]], *, foot: str | Markup = "") -> str:
    """Return a card as HTML, everything in it escaped but what is markup already.

    Args:
        title: Its first line.
        rows: A name and what stands beside it, each; what is empty is left out.
        foot: Its last line.
    """
    row = Markup('<tr style="background:none"><td style="{}">{}</td><td style="{}">{}</td></tr>')
    lines = Markup().join(
        row.format(_NAME, name, _VALUE, said) for name, said in rows if said not in ("", None)
    )
    body = Markup('<div style="{}"><b>{}</b><table style="margin:.4em 0 0;border:0">{}</table>{}</div>')
    return str(body.format(_BOX, title, lines, foot))


def badge(text: str, tone: Tone) -> Markup:
    """Return a few words on the colour of their tone."""
    return Markup('<span style="{};{}">{}</span>').format(_BADGE, _COLOURS[tone], text)


def link(path: str, text: str) -> Markup:
    """Return a link to a file, in a tab of its own."""
    return Markup('<a href="{}" target="_blank">{}</a>').format(path, escape(text))


def grid(
    names: Iterable[str], rows: Iterable[Iterable[str]], numbers: Iterable[bool], *, foot: str = ""
) -> str:
    """Return a frame as a card, everything in it escaped.

    Args:
        names: Of the columns.
        rows: What stands in them.
        numbers: Which columns are numbers, and stand to the right.
        foot: Below the rows.
    """
    sides = ["right" if number else "left" for number in numbers]

    def line(cell: Markup, texts: Iterable[str]) -> Markup:
        cells = (cell.format(side, text) for side, text in zip(sides, texts, strict=True))
        return Markup('<tr style="background:none">{}</tr>').format(Markup().join(cells))

    head = line(Markup('<th style="padding:.1em .8em;opacity:.7;text-align:{}">{}</th>'), names)
    cell = Markup('<td style="padding:.1em .8em;text-align:{}">{}</td>')
    body = Markup().join(line(cell, row) for row in rows)
    box = Markup('<div style="{}"><table style="border:0"><thead>{}</thead><tbody>{}</tbody></table>{}</div>')
    return str(box.format(_BOX.replace("46em", "100%"), head, body, foot))
