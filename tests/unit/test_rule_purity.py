"""Rules stay what numba takes as it stands: integers and flat tuples; no clock, dice, floats or errors."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module

import pytest

RULES = (
    "codes",
    "pricing",
    "purchase",
    "daily",
    "draws",
    "transfer",
    "summon",
    "battle",
    "fight",
    "moments",
    "holding",
    "progress",
    "exchange",
    "collection",
    "grant",
    "stock",
    "use",
)
STORED = {"kokoromichi.core.counters", "kokoromichi.core.models"}
MAY_IMPORT = {"__future__", "collections.abc", "math", "typing", *STORED}
UNITS = {"NEVER", "SECOND_US", "HOUR_US", "DAY_US", "RETIRED_US"}
FORBIDDEN = (
    ast.Try,
    ast.Raise,
    ast.Assert,
    ast.Div,
    ast.Lambda,
    ast.With,
    ast.Await,
    ast.Yield,
    ast.JoinedStr,
)


def source_of(name: str) -> ast.Module:
    return ast.parse(inspect.getsource(import_module(f"kokoromichi.rules.{name}")))


@pytest.mark.parametrize("name", RULES)
def test_rules_import_only_rules(name: str) -> None:
    modules = {node.module for node in ast.walk(source_of(name)) if isinstance(node, ast.ImportFrom)}
    assert not [node for node in ast.walk(source_of(name)) if isinstance(node, ast.Import)]
    assert {
        module for module in modules - MAY_IMPORT if not str(module).startswith("kokoromichi.rules.")
    } == set()


@pytest.mark.parametrize("name", RULES)
def test_rules_take_nothing_but_units_of_time_from_what_is_stored(name: str) -> None:
    imports = [node for node in ast.walk(source_of(name)) if isinstance(node, ast.ImportFrom)]
    taken = {each.name for node in imports if node.module in STORED for each in node.names}
    assert taken <= UNITS


@pytest.mark.parametrize("name", RULES)
def test_rules_know_no_errors_floats_or_division(name: str) -> None:
    found = [ast.unparse(node) for node in ast.walk(source_of(name)) if isinstance(node, FORBIDDEN)]
    floats = [
        node.value
        for node in ast.walk(source_of(name))
        if isinstance(node, ast.Constant) and isinstance(node.value, (float, complex))
    ]
    assert (found, floats) == ([], [])


@pytest.mark.parametrize("name", [name for name in RULES if name != "codes"])
def test_rules_use_no_dict_and_no_set(name: str) -> None:
    kinds = (ast.Dict, ast.DictComp, ast.Set, ast.SetComp)
    assert [ast.unparse(node) for node in ast.walk(source_of(name)) if isinstance(node, kinds)] == []


@pytest.mark.parametrize("name", RULES)
def test_module_level_names_are_constants_of_integers(name: str) -> None:
    module = import_module(f"kokoromichi.rules.{name}")
    others = {
        key: type(value).__name__
        for key, value in vars(module).items()
        if key.isupper() and type(value) is not int and key not in {"TYPE_CHECKING", "CODE_NAMES"}
    }
    assert others == {}
