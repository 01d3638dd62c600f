"""Numbers of an economy written into its file, where comments and order stay."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import tomlkit

from kokoromichi.core.errors import MisuseError
from kokoromichi.rules.economy import EconomyConfig, load_economy
from kokoromichi.rules.economy_laws import economy_findings
from kokoromichi.rules.findings import EconomyError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from kokoromichi.rules.economy import Economy


def economy_of(path: Path) -> Economy:
    """The economy whose numbers a file holds; before a search it says whether the numbers found can go there.

    Args:
        path: An ``economy.toml``; the catalogue and the characters stand beside it.

    Raises:
        MisuseError: There is no such file.
        EconomyError: The folder holds no economy.
    """
    if not path.is_file():
        message = (
            f"{path} is no file; name an economy.toml in a folder of an economy, such as a copy of data/"
        )
        raise MisuseError(message)
    return load_economy(path.parent)


def write_numbers(path: Path, changes: Iterable[tuple[str, object, object]]) -> Path:
    """Set numbers in an economy's file, in one step, where the bot would take it.

    Args:
        path: The file; the catalogue and the characters stand beside it.
        changes: Path, before, after.

    Raises:
        MisuseError: There is no such file, or it lacks a number.
        EconomyError: The economy is refused, or breaks a law that it kept; the file stays as it was.
    """
    economy = economy_of(path)
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    for where, _, value in changes:
        _set(document, where, value, path)
    changed = replace(economy, config=EconomyConfig.from_tree(document.unwrap(), file=path.name))
    known = {str(finding) for finding in economy_findings(economy)}
    if broken := [finding for finding in economy_findings(changed) if str(finding) not in known]:
        raise EconomyError(tuple(broken))
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(tomlkit.dumps(document), encoding="utf-8", newline="")
    temporary.replace(path)
    return path


def _set(document: Any, where: str, value: object, path: Path) -> None:
    *tables, last = where.split(".")
    node = document
    for key in tables:
        if key not in node:
            raise MisuseError(
                f"{path} has no {where}: name the economy.toml that was tuned, or add that to it"
            )
        node = node[key]
    node[last] = value
