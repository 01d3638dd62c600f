"""constraints.txt says one version a package and interpreter, and leaves none of the project's own out."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from typing import TYPE_CHECKING, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project.checkout import PACKAGE, ROOT, modules

if TYPE_CHECKING:
    from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

INTERPRETERS: Final = ("3.10", "3.11", "3.12", "3.13")
STANDARD: Final = {*sys.stdlib_module_names, "tomllib", PACKAGE.name}
"""What needs no requirement; tomllib came with 3.11, and tomli stands in for it before."""

DRIVERS: Final = ("bot", "cluster", "fast", "mongo", "postgres", "notebooks", "tuning")
"""Extras whose packages the code imports, each where it is chosen."""

PIN: Final = re.compile(
    r"[a-z0-9-]+==[\w.+!]+(; python_version [<>]=? '3\.\d+'( and python_version < '3\.\d+')?)?"
)


def pins() -> list[str]:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_every_line_is_a_name_and_a_version() -> None:
    assert [line for line in pins() if not PIN.fullmatch(line)] == []


@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_no_interpreter_gets_two_versions_of_a_package(interpreter: str) -> None:
    names = [pin.name for pin in map(Requirement, pins()) if _applies(pin, interpreter)]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_every_declared_requirement_is_pinned_to_a_version_it_allows(interpreter: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    declared = [
        Requirement(line) for group in groups for line in group if not line.startswith("kokoromichi[")
    ]
    pinned = {pin.name: pin for pin in map(Requirement, pins()) if _applies(pin, interpreter)}

    def allowed(wanted: Requirement) -> bool:
        pin = pinned.get(canonicalize_name(wanted.name))
        return pin is not None and all(wanted.specifier.contains(exact.version) for exact in pin.specifier)

    wrong = [str(wanted) for wanted in declared if _applies(wanted, interpreter) and not allowed(wanted)]
    assert wrong == []


def test_every_import_of_the_package_is_a_declared_requirement() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    drivers = [line for extra in DRIVERS for line in project["optional-dependencies"][extra]]
    declared = {canonicalize_name(Requirement(line).name) for line in [*project["dependencies"], *drivers]}
    owners = {"bson": ["pymongo"], **packages_distributions()}  # Python 3.10 finds fewer.
    imported = {name: path for path in modules(PACKAGE) for name in _imported(path)}
    undeclared = {
        name: path.name
        for name, path in imported.items()
        if name not in STANDARD and declared.isdisjoint(map(canonicalize_name, owners.get(name, [name])))
    }
    assert undeclared == {}


def _imported(path: Path) -> set[str]:
    """The top-level packages that a module imports when it runs; what only the types need is left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in plain.union(node.module or "" for node in nodes)}


def _applies(requirement: Requirement, interpreter: str) -> bool:
    environment = {"python_version": interpreter, "python_full_version": f"{interpreter}.0"}
    return requirement.marker is None or requirement.marker.evaluate(environment)
