"""How docs/metrics.md follows from the metrics' docstrings.

``python -m tests.analysis.metrics_document`` writes it anew; a test holds the two equal.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from kokoromichi.analysis.metrics import METRICS, metric
from kokoromichi.analysis.metrics.definitions import Definition, define
from kokoromichi.analysis.metrics.headline import headline

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "metrics.md"
START: Final = (
    "<!-- From here on the text follows from the docstrings: python -m tests.analysis.metrics_document -->\n"
)


def document(preface: str) -> str:
    """Return the whole document: its hand-written preface, and a section a metric."""
    definitions = [define(metric(name)) for name in METRICS]
    return preface + START + "".join(_section(each) for each in [*definitions, define(headline)])


def preface() -> str:
    """Return what was written by hand: everything before the first section."""
    written, marker, _ = DOCUMENT.read_text(encoding="utf-8").partition(START)
    if not marker:
        raise ValueError(f"{DOCUMENT.name} has lost its marker: {START}")
    return written


def _section(definition: Definition) -> str:
    return "\n".join(_lines(definition))


def _lines(definition: Definition) -> Iterator[str]:
    yield f"\n## {definition.name}\n"
    for paragraph in [definition.summary, *definition.notes]:
        yield paragraph.replace("``", "`") + "\n"
    yield f"Grain: {_lowered(definition.grain).replace('``', '`')}\n"
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    for column in definition.columns:
        yield f"| `{column.name}` | {column.dtype} | {column.meaning.replace('``', '`')} |"
    yield ""


def _lowered(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


if __name__ == "__main__":
    DOCUMENT.write_text(document(preface()), encoding="utf-8")
