"""Reading the economy's files, with errors that say what to mend."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from kokoromichi.rules.findings import EconomyError, Finding, from_validation, shown

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Sheet = TypeVar("Sheet", bound=BaseModel)
_Parsed = TypeVar("_Parsed")


def read_toml(path: Path) -> dict[str, object]:
    """Read a TOML file; a byte order mark is accepted.

    Raises:
        EconomyError: The file cannot be read or is no TOML.
    """
    return _parsed(path, tomllib.loads, "TOML")


def read_sheets(path: Path, sheet: type[Sheet]) -> tuple[Sheet, ...]:
    """Read a JSON list of objects of one shape.

    Args:
        path: The file.
        sheet: The model of each object.

    Returns:
        The objects in the order of the file.

    Raises:
        EconomyError: The file cannot be read, is no JSON list, or an object is refused; the field is the place in
            the list, from 0, and the key.
    """
    rows = _parsed(path, _strict_json, "JSON")
    if not isinstance(rows, list):
        raise EconomyError(
            (Finding(str(path), "", "", "right_shape", "must be a list of objects, [{...}, ...]"),)
        )
    sheets: list[Sheet] = []
    findings: list[Finding] = []
    for place, row in enumerate(rows):
        try:
            sheets.append(sheet.model_validate(row))
        except ValidationError as error:
            findings.extend(from_validation(error, str(path), prefix=f"{place}.").findings)
    if findings:
        raise EconomyError(findings)
    return tuple(sheets)


def _parsed(path: Path, parse: Callable[[str], _Parsed], language: str) -> _Parsed:
    try:
        return parse(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        text = f"cannot be read ({error.strerror}); the folder of the economy is set by ECONOMY_DIR"
        raise EconomyError((Finding(str(path), "", "", "readable", text),)) from error
    except (ValueError, RecursionError) as error:
        raise EconomyError((Finding(str(path), "", "", "readable", f"is no {language}: {error}"),)) from error


def _strict_json(text: str) -> object:
    """Parse JSON as its standard has it: neither NaN nor a key that stands twice."""
    parsed: object = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_refuse_twins)
    return parsed


def _refuse_constant(name: str) -> float:
    message = f"{name} is no number"
    raise ValueError(message)


def _refuse_twins(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twin = next(key for key in keys if keys.count(key) > 1)
        message = f"the key {shown(twin)} stands twice in one object"
        raise ValueError(message)
    return found
