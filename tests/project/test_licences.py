"""docs/licences.md lists the licence of everything that a wheel with its extras, or an image, holds."""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project.checkout import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DOCUMENT: Final = ROOT / "docs" / "licences.md"
SHIPPED: Final = ("bot", "mongo", "postgres", "fast")
"""Extras that images hold, beside what is always required."""
KNOWN: Final = {
    "MIT",
    "BSD",
    "Apache-2.0",
    "PSF-2.0",
    "ISC",
    "MPL-2.0",
    "Zlib",
    "any-OSI",
}
_WORDS: Final = (
    (r"apache", "Apache-2.0"),
    (r"\bMIT\b|MIT-CMU|HPND", "MIT"),
    (r"\bBSD\b|\d-clause", "BSD"),
    (r"PSF|python software foundation|matplotlib", "PSF-2.0"),
    (r"MPL|mozilla", "MPL-2.0"),
    (r"zlib", "Zlib"),
    (r"\bISC\b", "ISC"),
    (r"any-OSI", "any-OSI"),
)


def said(found: Distribution) -> str:
    """What a package says of its licence: the expression, the classifiers, or the field."""
    about = found.metadata
    classifiers = [line for line in about.get_all("Classifier", []) if line.startswith("License ::")]
    return " ".join(
        [
            *about.get_all("License-Expression", []),
            *classifiers,
            *(text[:80] for text in about.get_all("License", [])),
        ]
    )


def licence(name: str) -> str:
    words = [
        short for pattern, short in _WORDS if re.search(pattern, said(distribution(name)), re.IGNORECASE)
    ]
    return " or ".join(words) or "unknown"


def shipped() -> set[str]:
    """Every package that comes with what is shipped, as far as this interpreter needs it."""
    found: set[str] = set()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for extra in SHIPPED for line in project["optional-dependencies"][extra]]
    waiting = [(one, tuple(one.extras)) for one in map(Requirement, [*project["dependencies"], *extras])]
    while waiting:
        one, chosen = waiting.pop()
        name = canonicalize_name(one.name)
        wanted = one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in ("", *chosen))
        if not wanted or name in found:
            continue
        found.add(name)
        try:
            inner = distribution(name).requires or ()
        except PackageNotFoundError:
            found.discard(name)  # Not of this interpreter's environment.
            continue
        waiting += [(requirement, tuple(one.extras)) for requirement in map(Requirement, inner)]
    return found


def test_every_licence_is_known_and_lets_us_ship() -> None:
    wrong = {
        name: said(distribution(name)) for name in shipped() if not set(licence(name).split(" or ")) & KNOWN
    }
    assert wrong == {}


@pytest.mark.skipif(sys.version_info < (3, 11), reason="images hold a newer Python, and other versions")
def test_the_document_lists_what_is_shipped() -> None:
    rows = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))
    here = {name: licence(name) for name in shipped()}
    assert {name: rows.get(name) for name in here} == here
    assert len(rows) < len(here) + 8, "what is shipped no more is not in the document"
