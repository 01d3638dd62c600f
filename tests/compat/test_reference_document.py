"""docs/reference.md has every old name, and what it puts in its place is there."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec
from typing import Final

import pytest

from tests.compat.names import CALLS, DRIVERS, FILES, MODELS, MODULES, RUN, SETTINGS
from tests.project.checkout import ROOT

DOCUMENT: Final = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
ROWS: Final = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in DOCUMENT.splitlines()
    if line.startswith(("| `", '| "'))
]
THERE: Final = " ".join(row[0] for row in ROWS)
OURS: Final = sorted({name for row in ROWS for name in re.findall(r"`(kokoromichi(?:\.\w+)+)`", row[1])})
LINKS: Final = sorted(set(re.findall(r"\]\(([^)#:]+)\)", DOCUMENT)))
OLD: Final = [
    *MODULES,
    *MODELS,
    *SETTINGS,
    *RUN,
    *FILES,
    *(name for calls in CALLS.values() for name in calls),
]


@pytest.mark.parametrize("name", OLD)
def test_every_old_name_is_in_the_tables(name: str) -> None:
    assert re.search(rf"(?<![\w/.]){re.escape(name)}(?!\w)", THERE) or f".{name}(" in THERE


def test_every_row_says_where_and_why() -> None:
    assert len(ROWS) >= 60
    assert [row for row in ROWS if len(row) != 3 or not all(row)] == []


@pytest.mark.parametrize("name", OURS)
def test_every_name_of_ours_can_be_imported(name: str) -> None:
    for place, driver in DRIVERS.items():
        if name.startswith(f"kokoromichi.{place}") and find_spec(driver) is None:
            pytest.skip(f"backend: {driver} is not installed")
    module, *attributes = _split(name)
    found = import_module(module)
    for attribute in attributes:
        found = getattr(found, attribute)


def _split(name: str) -> list[str]:
    """The longest module of a dotted name, and what follows."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        if (ROOT.joinpath(*parts[:end])).is_dir() or ROOT.joinpath(*parts[:end]).with_suffix(".py").is_file():
            return [".".join(parts[:end]), *parts[end:]]
    raise AssertionError(name)


@pytest.mark.parametrize("link", LINKS)
def test_every_link_leads_somewhere(link: str) -> None:
    assert (ROOT / "docs" / link).exists()


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md", "docs/quickref.md"])
def test_it_is_found_from_where_a_newcomer_looks(page: str) -> None:
    assert "reference.md" in (ROOT / page).read_text(encoding="utf-8")
