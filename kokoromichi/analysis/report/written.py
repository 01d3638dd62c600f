"""A report that was written: its path, and the card that a notebook shows of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from markupsafe import Markup

from kokoromichi.analysis.html import badge, card, link

if TYPE_CHECKING:
    from kokoromichi.analysis.report.page import Card, Page


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
            (found.label, " ".join((found.value, found.unit, _verdict(found))).rstrip())
            for section in self.page.sections
            for found in section.cards
        ]
        verdicts = Markup().join(badge(cell.text, cell.verdict) for cell in self.page.verdicts)
        near = os.path.relpath(self.path)
        opened = Markup("<p>{}</p>{}").format(link(quote(Path(near).as_posix()), f"Open {near}"), verdicts)
        title = Markup('{}<br><span style="font-weight:400">{}</span>')
        return card(title.format(self.page.title, self.page.subtitle), numbers, foot=opened)


def _verdict(number: Card) -> str:
    return "" if number.verdict == "plain" else f"({number.pill})"
