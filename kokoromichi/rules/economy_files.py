"""Reading the economy's files, with errors that say what to mend."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, TypeVar

from pydantic import TypeAdapter, ValidationError

from kokoromichi.rules.findings import (
    CATALOGUE_FILE,
    ECONOMY_FILE,
    WAIFUS_FILE,
    EconomyError,
    Finding,
    from_validation,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from kokoromichi.rules.catalogue import Sheet

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Sheets = TypeVar("Sheets")
_Parsed = TypeVar("_Parsed")


def read_toml(path: Path) -> dict[str, object]:
    """Read a TOML file; a byte order mark is accepted.

    Raises:
        EconomyError: The file cannot be read or is no TOML.
    """
    return _parsed(path, tomllib.loads, "TOML")


def read_sheets(path: Path, shape: TypeAdapter[Sheets]) -> Sheets:
    """Read a JSON file of one shape.

    Args:
        path: The file.
        shape: ``CATALOGUE`` or ``WAIFUS``: what it must hold.

    Returns:
        The objects in the order of the file.

    Raises:
        EconomyError: The file cannot be read, is no JSON, or an object is refused; the field is the object's
            id, or else its place in the list, from 0, and the key.
    """
    rows = _parsed(path, _strict_json, "JSON")
    try:
        return shape.validate_python(rows)
    except ValidationError as error:
        raise from_validation(error, str(path), _names(rows)) from None


def repeated_ids(sheets: Sequence[Sheet], file: str) -> Iterator[Finding]:
    """Find the ids of a file's objects that stand there already."""
    seen: set[str] = set()
    for sheet in sheets:
        if sheet.id in seen:
            yield Finding(file, f"{sheet.id}.id", sheet.id, "unique_id", "stands twice; give each its own id")
        seen.add(sheet.id)


def _names(rows: object) -> dict[int, str]:
    listed = enumerate(rows) if isinstance(rows, list) else ()
    named = ((place, row.get("id")) for place, row in listed if isinstance(row, dict))
    return {place: name for place, name in named if isinstance(name, str)}


def read_text(path: Path) -> str:
    """Read UTF-8 text; a byte order mark is accepted and dropped, line ends stay.

    Raises:
        EconomyError: The file cannot be read or is no UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        text = (
            f"cannot be read ({error.strerror}); an economy is a folder with {ECONOMY_FILE}, "
            f"{CATALOGUE_FILE} and {WAIFUS_FILE}, such as a copy of those in data/; ECONOMY_DIR names it"
        )
        raise EconomyError((Finding(str(path), "", "", "readable", text),)) from error
    except UnicodeDecodeError as error:
        raise EconomyError((Finding(str(path), "", "", "readable", f"is no UTF-8: {error}"),)) from error


def _parsed(path: Path, parse: Callable[[str], _Parsed], language: str) -> _Parsed:
    text = read_text(path)
    try:
        return parse(text)
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
