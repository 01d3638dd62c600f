"""A chart as a piece of an HTML page: its own ids, the page's colours, a name for who cannot see it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET  # nosec B405 # parses nothing but matplotlib's text
from typing import TYPE_CHECKING, Final

from kokoromichi.analysis.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE_COLOURS: Final[dict[str, str]] = {
    style.BLUE: "--blue",
    style.SKY: "--sky",
    style.GREEN: "--green",
    style.YELLOW: "--yellow",
    style.ORANGE: "--orange",
    style.VERMILLION: "--vermillion",
    style.PURPLE: "--purple",
    style.WINE: "--wine",
    style.INK: "--ink",
    style.STEEL: "--steel",
    style.SLATE: "--slate",
    style.MIST: "--mist",
    style.GRID: "--grid",
    style.PAPER: "--card",
}
"""The page's variable for each colour of the project: by day and by night it may have another value."""

_COLOUR: Final = re.compile("|".join(PAGE_COLOURS))
_REFERENCE: Final = re.compile(r"#([\w.-]+)")
_LONG_NUMBER: Final = re.compile(r"-?\d+\.\d{3,}")
_HREF: Final = "{http://www.w3.org/1999/xlink}href"
_DECIMALS: Final = {"d": 2, "x": 2, "y": 2, "width": 2, "height": 2, "transform": 2}
_SCALE_DECIMALS: Final = 6
_LEFT_OUT: Final = frozenset({"metadata", "style"})


def inline_svg(figure: Figure, *, prefix: str, label: str) -> str:
    """Return a figure as an ``svg`` element for an HTML page: no namespaces, nothing from outside.

    Args:
        figure: What to show.
        prefix: Begins every id of the element; unique in the page.
        label: What the chart shows, read out to who cannot see it.
    """
    drawn = style.svg_text(figure)
    root = ET.fromstring(drawn)  # noqa: S314 - matplotlib wrote it a line ago
    ids = {old: f"{prefix}-{number}" for number, old in enumerate(_referenced(root))}
    _clean(root, ids)
    view_box = root.attrib["viewBox"]
    root.attrib.clear()
    root.attrib.update({"viewBox": view_box, "role": "img", "aria-label": label, "class": "chart"})
    return ET.tostring(root, encoding="unicode")


def _referenced(root: ET.Element) -> list[str]:
    """Return the ids that something points to, in the order of first mention."""
    found: dict[str, None] = {}
    for element in root.iter():
        for name, value in element.attrib.items():
            if name == _HREF or "url(#" in value:
                found.update(dict.fromkeys(_REFERENCE.findall(value)))
    return list(found)


def _clean(element: ET.Element, ids: dict[str, str]) -> None:
    element.tag = element.tag.rpartition("}")[2]
    element.text = element.tail = None
    element.attrib = dict(_attributes(element, ids))
    for child in list(element):
        if child.tag.rpartition("}")[2] in _LEFT_OUT:
            element.remove(child)
        else:
            _clean(child, ids)


def _attributes(element: ET.Element, ids: dict[str, str]) -> list[tuple[str, str]]:
    kept = []
    for name, value in element.attrib.items():
        if name == "id":
            if value in ids:
                kept.append(("id", ids[value]))
        elif name == _HREF:
            kept.append(("href", f"#{ids[value[1:]]}"))
        elif "url(#" in value:
            kept.append((name, _REFERENCE.sub(lambda found: f"#{ids[found[1]]}", value)))
        elif name == "style":
            kept.append((name, _COLOUR.sub(lambda found: f"var({PAGE_COLOURS[found[0]]})", value)))
        else:
            decimals = _SCALE_DECIMALS if "scale" in value else _DECIMALS.get(name)
            kept.append((name, _shorter(value, decimals)))
    return kept


def _shorter(value: str, decimals: int | None) -> str:
    if decimals is None:
        return value.strip()
    text = _LONG_NUMBER.sub(lambda found: f"{float(found[0]):.{decimals}f}".rstrip("0").rstrip("."), value)
    return " ".join(text.split())
