"""Writing an economy back to the file that the bot loads; a designer's comments stay."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import tomlkit
from tomlkit.exceptions import TOMLKitError

from kokoromichi.rules.economy import CONFIG
from kokoromichi.rules.economy_files import read_text
from kokoromichi.rules.findings import EconomyError, Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping
    from pathlib import Path

    from kokoromichi.rules.economy import EconomyConfig


def as_toml(config: EconomyConfig, template: str = "") -> str:
    """Write the numbers as TOML.

    Args:
        config: The numbers.
        template: A TOML text whose order and comments are kept; what it says beside the numbers goes.

    Returns:
        TOML that reads back as an equal configuration. Keys that would say nothing (no limit, no restock) are
        left out.

    Raises:
        ValueError: The template is no TOML.
    """
    document = tomlkit.parse(template)
    _merge(document, CONFIG.dump_python(config, mode="json", exclude_defaults=True))
    return tomlkit.dumps(document)


def _merge(table: MutableMapping[str, object], numbers: Mapping[str, object]) -> None:
    for key in [key for key in table if key not in numbers]:
        del table[key]
    for key, value in numbers.items():
        if isinstance(value, dict):
            inner = table.get(key)
            if not isinstance(inner, dict):
                table[key] = inner = tomlkit.table()
            _merge(inner, value)
        elif table.get(key) != value:
            table[key] = value


def write_economy(config: EconomyConfig, path: Path) -> None:
    """Replace an economy file, or make a new one.

    The file is replaced whole or not at all. Order and comments of the file that stood there are kept.

    Args:
        config: The numbers.
        path: The TOML file; its folder exists.

    Raises:
        EconomyError: The file that stands there is no TOML: it is left as it is.
        OSError: The disk refused; the file is left as it is.
    """
    target = path.resolve()  # A link stays a link.
    template = read_text(target) if target.exists() else ""
    try:
        text = as_toml(config, template)
    except TOMLKitError as error:
        cure = f"is no TOML ({error}); mend it or write to another file"
        raise EconomyError((Finding(str(path), "", "", "readable", cure),)) from error
    unfinished = target.with_name(f".{target.name}.{uuid4().hex}.tmp")
    try:
        with unfinished.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
        if target.exists():
            unfinished.chmod(target.stat().st_mode)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
